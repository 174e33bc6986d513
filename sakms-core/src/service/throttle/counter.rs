//! One count of failures.

use std::time::Duration;

use super::config::{Backoff, Forgotten};

/// How often something failed, and when last. Times are by [`Clock::elapsed`](crate::clock::Clock::elapsed).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counter {
    /// Failures in thousandths, so that part of one can be forgotten.
    pub(super) thousandths: u32,
    /// When the last one was.
    pub(super) last: Duration,
}

impl Counter {
    /// What is left of it now.
    pub(super) fn now(self, backoff: &Backoff, now: Duration) -> u32 {
        let gone = now.saturating_sub(self.last);
        match backoff.forgotten {
            Forgotten::AfterQuiet(_) if gone >= quiet(backoff) => 0,
            Forgotten::AfterQuiet(_) => self.thousandths,
            Forgotten::OneEach(time) => {
                let forgotten = gone.as_micros() * 1_000 / time.as_micros().max(1_000);
                let forgotten = u32::try_from(forgotten).unwrap_or(u32::MAX);
                self.thousandths.saturating_sub(forgotten)
            }
        }
    }

    /// So many failures more.
    pub(super) fn fail(&mut self, times: u32, backoff: &Backoff, now: Duration) {
        let more = times.saturating_mul(1_000);
        self.thousandths = self.now(backoff, now).saturating_add(more);
        self.last = now;
    }

    /// In how long all of it is forgotten.
    pub(super) fn forgotten_in(self, backoff: &Backoff, now: Duration) -> Duration {
        let left = self.now(backoff, now);
        match backoff.forgotten {
            _ if left == 0 => Duration::ZERO,
            Forgotten::AfterQuiet(_) => (self.last + quiet(backoff)).saturating_sub(now),
            Forgotten::OneEach(time) => time.saturating_mul(left.div_ceil(1_000)),
        }
    }

    /// How long to wait before the next attempt, when so many are under way; nothing, when it may be made.
    pub(super) fn wait(self, backoff: &Backoff, now: Duration, under_way: u32) -> Option<Duration> {
        let failures = self.now(backoff, now).div_ceil(1_000);
        if backoff.most.is_some_and(|most| failures >= most) {
            return Some(self.forgotten_in(backoff, now).max(backoff.first));
        }
        // What is under way may fail: it counts as if it had, so that many at once are no more than one after the other.
        if failures.saturating_add(under_way) < backoff.free {
            return None;
        }
        if under_way > 0 {
            return Some(backoff.first);
        }
        let until = self.last + pause(backoff, failures - backoff.free);
        Some(until.saturating_sub(now)).filter(|wait| !wait.is_zero())
    }
}

/// A pause must have gone by before all is forgotten, or waiting it out would begin anew.
fn quiet(backoff: &Backoff) -> Duration {
    match backoff.forgotten {
        Forgotten::AfterQuiet(quiet) => quiet.max(backoff.longest),
        Forgotten::OneEach(_) => backoff.longest,
    }
}

/// The pause after so many failures past the free ones.
fn pause(backoff: &Backoff, past: u32) -> Duration {
    let factor = 1_u32.checked_shl(past).unwrap_or(u32::MAX);
    backoff.first.saturating_mul(factor).min(backoff.longest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn waits(backoff: &Backoff, failures: u32) -> Vec<u64> {
        let (mut counter, mut now) = (Counter::default(), Duration::ZERO);
        (0..failures)
            .map(|_| {
                counter.fail(1, backoff, now);
                let wait = counter.wait(backoff, now, 0).unwrap_or_default();
                now += wait;
                wait.as_secs()
            })
            .collect()
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_end_at_the_most() {
        let backoff = Backoff::after(3).longest(9 * SECOND).most(9);
        assert_eq!(waits(&backoff, 8), [0, 0, 1, 2, 4, 8, 9, 9]);
        let day = 24 * 3_600;
        assert_eq!(waits(&backoff, 9)[8], day, "until all is forgotten");
    }

    #[test]
    fn a_shift_past_the_width_is_the_longest_pause() {
        let backoff = Backoff::after(1);
        for past in [31, 32, 33, u32::MAX] {
            assert_eq!(pause(&backoff, past), backoff.longest);
        }
    }

    #[test]
    fn what_is_under_way_counts_as_failed() {
        let backoff = Backoff::after(5);
        let mut counter = Counter::default();
        counter.fail(2, &backoff, SECOND);
        assert_eq!(counter.wait(&backoff, SECOND, 2), None);
        assert_eq!(counter.wait(&backoff, SECOND, 3), Some(SECOND));
        counter.fail(3, &backoff, SECOND);
        assert_eq!(counter.wait(&backoff, 2 * SECOND, 0), None);
        assert_eq!(counter.wait(&backoff, 2 * SECOND, 1), Some(SECOND));
    }

    #[test]
    fn quiet_forgets_all_and_time_forgets_one_after_the_other() {
        let quiet = Backoff::after(1)
            .longest(SECOND)
            .forgotten_after(60 * SECOND);
        let mut counter = Counter::default();
        counter.fail(7, &quiet, SECOND);
        assert_eq!(counter.now(&quiet, 60 * SECOND), 7_000);
        assert_eq!(counter.now(&quiet, 61 * SECOND), 0);
        let each = Backoff::after(1).one_forgotten_each(10 * SECOND);
        assert_eq!(counter.now(&each, 36 * SECOND), 3_500);
        counter.fail(1, &each, 36 * SECOND);
        assert_eq!(counter.now(&each, 36 * SECOND), 4_500, "half a one is kept");
        assert_eq!(counter.now(&each, 1_000 * SECOND), 0);
    }

    proptest! {
        #[test]
        fn waiting_as_told_is_always_enough(free in 1..20_u32, failures in 0..200_u32, most in 1..150_u32) {
            let backoff = Backoff::after(free).most(most);
            let mut counter = Counter::default();
            let mut now = SECOND;
            for _ in 0..failures {
                counter.fail(1, &backoff, now);
                if let Some(wait) = counter.wait(&backoff, now, 0) {
                    now += wait;
                    prop_assert_eq!(counter.wait(&backoff, now, 0), None);
                }
            }
        }
    }
}
