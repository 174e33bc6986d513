//! What was counted.

use std::time::Duration;

use crate::harness::client::Answer;
use crate::harness::history::{Age, History};

/// How many answers that nobody expects are told in words.
const MOST_TOLD: usize = 5;

/// What the rounds of some workers came to.
#[derive(Debug, Default, Clone)]
pub struct Found {
    /// Changes that were acknowledged.
    pub acknowledged: u64,
    /// Changes that were answered otherwise, or not at all.
    pub unacknowledged: u64,
    /// Checks on the node that acknowledged the last change before, begun after that.
    pub pairs: u64,
    /// Of all checks on that node, those that were answered by an older state.
    pub stale_at_home: u64,
    /// Checks on other nodes.
    pub far_checks: u64,
    /// How long after the acknowledgement another node still let somebody in.
    pub longest: Duration,
    /// Answers of other nodes that were older than the hard bound.
    pub past_bound: u64,
    /// Answers that were never right.
    pub invented: u64,
    /// Checks that overlapped a change that takes access away.
    pub races: u64,
    /// Keys that a node let in after all was over.
    pub came_back: u64,
    /// Keys whose record does not say what was acknowledged.
    pub kept_otherwise: u64,
    /// Answers that are neither yes nor no nor 503.
    pub odd: u64,
    /// The first of them, in words.
    pub odd_answers: Vec<String>,
    /// Checks without a decision.
    pub undecided: u64,
}

impl Found {
    /// Judges every answer of a history. Changes were made at `home`; other nodes may be behind by the bound.
    pub fn judge(&mut self, history: &History, home: usize, bound: Duration) {
        for check in &history.checks {
            let age = history.age(check);
            if age == Age::Invented {
                self.invented += 1;
            } else if check.node == home {
                self.stale_at_home += u64::from(age != Age::Current);
            } else {
                self.far_checks += 1;
                self.past_bound += u64::from(age.is_past(bound));
                if let (true, Age::Stale(age)) = (check.granted, age) {
                    self.longest = self.longest.max(age);
                }
            }
        }
        self.races += history.races(false);
    }

    /// Counts an answer that nobody expects.
    pub fn odd(&mut self, asked: &str, answer: &Answer) {
        self.odd += 1;
        if self.odd_answers.len() < MOST_TOLD {
            let Answer { status, body, .. } = answer;
            self.odd_answers.push(format!("{asked}: {status} {body}"));
        }
    }

    /// Adds what another worker counted.
    pub fn add(&mut self, other: &Self) {
        self.acknowledged += other.acknowledged;
        self.unacknowledged += other.unacknowledged;
        self.pairs += other.pairs;
        self.stale_at_home += other.stale_at_home;
        self.far_checks += other.far_checks;
        self.longest = self.longest.max(other.longest);
        self.past_bound += other.past_bound;
        self.invented += other.invented;
        self.races += other.races;
        self.came_back += other.came_back;
        self.kept_otherwise += other.kept_otherwise;
        self.odd += other.odd;
        let room = MOST_TOLD.saturating_sub(self.odd_answers.len());
        self.odd_answers
            .extend(other.odd_answers.iter().take(room).cloned());
        self.undecided += other.undecided;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::history::{Change, Check, Span};

    #[test]
    fn a_planted_violation_is_counted_where_it_belongs() {
        let at = Duration::from_millis;
        let mut history = History::beginning(true);
        history.changes.push(Change {
            begin: at(10),
            acknowledged: Some(at(20)),
            opens: false,
        });
        let check = |node, begin, granted| {
            let (begin, end) = (at(begin), at(begin + 1));
            let span = Span { begin, end };
            Check {
                node,
                span,
                granted,
            }
        };
        history.checks = vec![
            check(0, 15, true),
            check(0, 21, true),
            check(1, 520, true),
            check(1, 6_000, true),
            check(1, 5, false),
        ];
        let mut found = Found::default();
        found.judge(&history, 0, at(5_000));
        assert_eq!(
            (found.stale_at_home, found.past_bound, found.invented),
            (1, 1, 1)
        );
        assert_eq!((found.longest, found.races), (at(5_980), 1));
        let mut twice = found.clone();
        twice.add(&found);
        assert_eq!((twice.past_bound, twice.longest), (2, at(5_980)));
    }
}
