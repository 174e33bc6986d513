//! What was done to a key and what was answered about it, on one clock, and which of the answers were out of date.

use std::time::Duration;

/// From when to when something took, since the run began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The moment before it was sent.
    pub begin: Duration,
    /// The moment after the answer was there.
    pub end: Duration,
}

/// A change of whether a text opens a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// When it was sent.
    pub begin: Duration,
    /// When it was acknowledged; `None` when nobody knows whether it was made.
    pub acknowledged: Option<Duration>,
    /// Whether the text opens the route afterwards.
    pub opens: bool,
}

/// An answer to whoever showed the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    /// Which node was asked.
    pub node: usize,
    /// When.
    pub span: Span,
    /// Whether it was let in.
    pub granted: bool,
}

/// Everything about one text and one route. The changes are in order: each began after the one before had been answered.
#[derive(Debug, Default, Clone)]
pub struct History {
    /// What was done, in order; the first says how it was at the beginning.
    pub changes: Vec<Change>,
    /// What was answered, in any order.
    pub checks: Vec<Check>,
}

/// How old an answer was when it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Age {
    /// It was right at some moment between question and answer.
    Current,
    /// It was right so long before the question at the latest.
    Stale(Duration),
    /// It was never right.
    Invented,
}

impl Age {
    /// Whether the answer was wrong for longer than a bound allows.
    #[must_use]
    pub fn is_past(self, bound: Duration) -> bool {
        match self {
            Self::Current => false,
            Self::Stale(age) => age > bound,
            Self::Invented => true,
        }
    }
}

impl History {
    /// A history that begins with a text that opens the route, or does not.
    #[must_use]
    pub fn beginning(opens: bool) -> Self {
        let change = Change {
            begin: Duration::ZERO,
            acknowledged: Some(Duration::ZERO),
            opens,
        };
        Self {
            changes: vec![change],
            checks: Vec::new(),
        }
    }

    /// How old the answer to a check was.
    ///
    /// A change is in force at the earliest from when it was sent, and at the latest from when it was acknowledged; what it
    /// replaced may be answered until then. One that nobody acknowledged may or may not have been made.
    #[must_use]
    pub fn age(&self, check: &Check) -> Age {
        let known = self.changes.iter().enumerate();
        let fitting = known
            .filter(|(_, change)| change.opens == check.granted && change.begin <= check.span.end);
        let ages = fitting.map(|(index, _)| {
            // An unacknowledged change ends nothing for certain; the next acknowledged one does.
            let ended = self.changes[index + 1..]
                .iter()
                .find(|later| later.opens != check.granted && later.acknowledged.is_some());
            let ended = ended.and_then(|later| later.acknowledged);
            match ended.and_then(|ended| check.span.begin.checked_sub(ended)) {
                Some(age) if !age.is_zero() => Age::Stale(age),
                _ => Age::Current,
            }
        });
        ages.min().unwrap_or(Age::Invented)
    }

    /// How many checks were under way while a change of this kind was.
    #[must_use]
    pub fn races(&self, opens: bool) -> u64 {
        let overlaps = |check: &Check, change: &Change| {
            let end = change.acknowledged.unwrap_or(Duration::MAX);
            check.span.begin < end && change.begin < check.span.end
        };
        // The first is how it was, not something that was done.
        let changes = self.changes.iter().skip(1);
        let changes: Vec<_> = changes.filter(|change| change.opens == opens).collect();
        let racing = self
            .checks
            .iter()
            .filter(|check| changes.iter().any(|change| overlaps(check, change)));
        racing.count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn change(begin: u64, acknowledged: impl Into<Option<u64>>, opens: bool) -> Change {
        Change {
            begin: at(begin),
            acknowledged: acknowledged.into().map(at),
            opens,
        }
    }

    fn check(begin: u64, end: u64, granted: bool) -> Check {
        let (begin, end) = (at(begin), at(end));
        Check {
            node: 0,
            span: Span { begin, end },
            granted,
        }
    }

    fn revoked(begin: u64, acknowledged: impl Into<Option<u64>>) -> History {
        let mut history = History::beginning(true);
        history.changes.push(change(begin, acknowledged, false));
        history
    }

    #[test]
    fn beside_a_change_both_answers_are_right() {
        let history = revoked(100, 200);
        for granted in [true, false] {
            for (begin, end) in [(90, 110), (110, 120), (150, 300), (0, 999)] {
                let age = history.age(&check(begin, end, granted));
                assert_eq!(age, Age::Current, "{begin} {end} {granted}");
            }
        }
        assert_eq!(history.age(&check(200, 300, true)), Age::Current);
    }

    #[test]
    fn a_planted_stale_accept_is_found_with_its_age() {
        let history = revoked(100, 200);
        let stale = history.age(&check(201, 300, true));
        assert_eq!(stale, Age::Stale(at(1)));
        assert!(stale.is_past(Duration::ZERO) && !stale.is_past(at(1)));
        assert_eq!(
            history.age(&check(1_700, 1_701, true)),
            Age::Stale(at(1_500))
        );
    }

    #[test]
    fn a_refusal_before_anything_was_revoked_is_found() {
        let age = revoked(100, 200).age(&check(50, 99, false));
        assert_eq!(age, Age::Invented);
        assert!(age.is_past(Duration::MAX));
    }

    #[test]
    fn a_text_that_opens_again_is_judged_by_the_last_time() {
        let mut history = revoked(100, 200);
        history.changes.push(change(300, 400, true));
        history.changes.push(change(500, 600, false));
        assert_eq!(history.age(&check(250, 260, true)), Age::Stale(at(50)));
        assert_eq!(history.age(&check(350, 360, true)), Age::Current);
        assert_eq!(history.age(&check(450, 460, false)), Age::Stale(at(50)));
        assert_eq!(history.age(&check(700, 710, true)), Age::Stale(at(100)));
    }

    #[test]
    fn what_nobody_acknowledged_proves_nothing_but_may_have_been_done() {
        let history = revoked(100, None);
        for granted in [true, false] {
            assert_eq!(history.age(&check(900, 910, granted)), Age::Current);
        }
        let mut history = history;
        history.changes.push(change(1_000, 1_100, false));
        assert_eq!(history.age(&check(1_200, 1_210, true)), Age::Stale(at(100)));
    }

    #[test]
    fn races_are_checks_that_overlap_a_change() {
        let mut history = revoked(100, 200);
        history.checks = vec![
            check(0, 99, true),
            check(90, 101, true),
            check(199, 300, false),
            check(201, 300, false),
        ];
        assert_eq!(history.races(false), 2);
        assert_eq!(history.races(true), 0);
    }
}
