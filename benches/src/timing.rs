//! Clocks, turns and spreads.

use std::sync::Barrier;
use std::time::{Duration, Instant};

/// The present moment; the one place that reads the clock.
#[expect(
    clippy::disallowed_methods,
    reason = "the time is what a bench is about; nothing that is measured sees it"
)]
#[must_use]
pub fn now() -> Instant {
    Instant::now()
}

/// A middle value, and the quarters of the values that lie below and above what is between.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The lower quartile.
    pub low: f64,
    /// The median.
    pub middle: f64,
    /// The upper quartile.
    pub high: f64,
}

impl Spread {
    /// Of some values, at least one.
    #[must_use]
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self {
            low: quantile(&values, 25),
            middle: quantile(&values, 50),
            high: quantile(&values, 75),
        }
    }

    /// A value that was measured once.
    #[must_use]
    pub const fn single(value: f64) -> Self {
        Self {
            low: value,
            middle: value,
            high: value,
        }
    }
}

/// The value below which `percent` of the sorted `values` lie (nearest rank).
#[must_use]
pub fn quantile(values: &[f64], percent: usize) -> f64 {
    let rank = (values.len() * percent).div_ceil(100);
    values[rank.saturating_sub(1).min(values.len() - 1)]
}

/// Two things, measured in turns.
#[derive(Debug)]
pub struct Turns {
    first: Vec<f64>,
    second: Vec<f64>,
}

/// Measures two things in turns, `rounds` times each, the order changing with every round: what slows the machine down
/// for a while slows both.
pub fn in_turns(
    rounds: usize,
    mut first: impl FnMut() -> f64,
    mut second: impl FnMut() -> f64,
) -> Turns {
    let mut turns = Turns {
        first: Vec::new(),
        second: Vec::new(),
    };
    for round in 0..rounds {
        if round % 2 == 0 {
            turns.first.push(first());
            turns.second.push(second());
        } else {
            turns.second.push(second());
            turns.first.push(first());
        }
    }
    turns
}

impl Turns {
    /// The first over the second, of each round.
    #[must_use]
    pub fn ratio(&self) -> Spread {
        let pairs = self.first.iter().zip(&self.second);
        Spread::of(pairs.map(|(first, second)| first / second).collect())
    }

    /// The first by itself.
    #[must_use]
    pub fn first(&self) -> Spread {
        Spread::of(self.first.clone())
    }

    /// The second by itself.
    #[must_use]
    pub fn second(&self) -> Spread {
        Spread::of(self.second.clone())
    }
}

/// How often a check is done before it is measured: as often as a thread needs to have the keys at hand that it may have.
pub const WARM_UP: u64 = 20_000;

/// How long `threads` threads take that each do `work` `times` times at once. Each does it `before` times first, which is
/// not measured: a server's threads live long, and what a thread does the first time costs more. `work` is told its thread,
/// and which time it is.
pub fn together(
    threads: usize,
    before: u64,
    times: u64,
    work: impl Fn(usize, u64) + Sync,
) -> Duration {
    // One more, who starts the clock.
    let (start, end) = (Barrier::new(threads + 1), Barrier::new(threads + 1));
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (start, end, work) = (&start, &end, &work);
            scope.spawn(move || {
                (0..before).for_each(|time| work(thread, time));
                start.wait();
                (before..before + times).for_each(|time| work(thread, time));
                end.wait();
            });
        }
        start.wait();
        let begun = now();
        end.wait();
        begun.elapsed()
    })
}

/// How many times a second `threads` threads do `work`, all together, once each has done it `before` times.
#[expect(
    clippy::cast_precision_loss,
    reason = "a rate needs no more than 52 bits"
)]
pub fn rate(threads: usize, before: u64, times: u64, work: impl Fn(usize, u64) + Sync) -> f64 {
    let took = together(threads, before, times, work);
    (threads as u64 * times) as f64 / took.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_values_that_were_seen() {
        let spread = Spread::of(vec![4.0, 1.0, 3.0, 2.0]);
        assert_eq!(
            spread,
            Spread {
                low: 1.0,
                middle: 2.0,
                high: 3.0
            }
        );
        assert_eq!(Spread::of(vec![7.0]), Spread::single(7.0));
        assert!((quantile(&[1.0, 2.0, 3.0], 99) - 3.0).abs() < f64::EPSILON);
    }

    #[test]
    fn turns_are_as_many_for_both() {
        let turns = in_turns(5, || 6.0, || 3.0);
        assert_eq!(turns.ratio(), Spread::single(2.0));
        assert_eq!((turns.first.len(), turns.second.len()), (5, 5));
    }

    #[test]
    fn every_thread_does_all_of_its_work() {
        let done = [const { std::sync::atomic::AtomicU64::new(0) }; 2];
        let count = |thread: usize, _| {
            done[thread].fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        };
        together(2, 3, 4, count);
        assert!(
            done.iter()
                .all(|count| count.load(std::sync::atomic::Ordering::SeqCst) == 7)
        );
    }
}
