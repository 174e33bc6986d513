use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::id::KeyId;
use crate::key::RateLimit;

const ONE: NonZeroU32 = NonZeroU32::MIN;

fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

fn rate(name: &str, requests: u32, seconds: u32) -> RateLimit {
    RateLimit::new(name.parse().unwrap(), number(requests), number(seconds))
}

fn burst(mut rate: RateLimit, burst: u32) -> RateLimit {
    rate.burst = Some(number(burst));
    rate
}

fn at(seconds: f64) -> Duration {
    Duration::from_secs_f64(1_000.0 + seconds)
}

fn key(byte: u8) -> KeyId {
    KeyId::from_bytes([byte; 16])
}

/// How much of each rate is left after a request, or which one refused it and for how long.
fn take(rates: &KeyRates, cost: u32, now: f64) -> Result<Vec<u32>, (String, Option<u64>)> {
    match rates.take(number(cost), at(now)) {
        Ok(standings) => Ok(standings
            .iter()
            .map(|standing| standing.remaining)
            .collect()),
        Err(Refusal::Later {
            name, retry_after, ..
        }) => {
            let seconds = retry_after.as_secs_f64().ceil();
            Err((name.to_string(), Some(seconds as u64)))
        }
        Err(Refusal::Never { name, .. }) => Err((name.to_string(), None)),
    }
}

#[test]
fn a_rate_is_used_up_and_comes_back_steadily() {
    let rates = KeyRates::new(&[rate("minute", 6, 60)], at(0.0));
    for left in (0..6).rev() {
        assert_eq!(take(&rates, 1, 0.0), Ok(vec![left]));
    }
    let refused = |seconds| Err(("minute".to_owned(), Some(seconds)));
    assert_eq!(take(&rates, 1, 0.0), refused(10));
    assert_eq!(take(&rates, 1, 9.5), refused(1));
    assert_eq!(take(&rates, 1, 10.0), Ok(vec![0]));
    assert_eq!(take(&rates, 3, 20.0), refused(20));
    assert_eq!(take(&rates, 3, 40.0), Ok(vec![0]));
    // All is back after the whole time, and no more than all.
    assert_eq!(take(&rates, 1, 500.0), Ok(vec![5]));
    // A clock that stands behind what was told before gives nothing away.
    assert_eq!(take(&rates, 5, 400.0), Ok(vec![0]));
    assert!(take(&rates, 1, 400.0).is_err());
}

#[test]
fn a_burst_is_another_number() {
    let rates = KeyRates::new(&[burst(rate("slow", 60, 60), 3)], at(0.0));
    assert_eq!(take(&rates, 3, 0.0), Ok(vec![0]));
    assert_eq!(take(&rates, 1, 0.5), Err(("slow".to_owned(), Some(1))));
    assert_eq!(take(&rates, 1, 1.0), Ok(vec![0]));
}

#[test]
fn what_costs_more_than_is_ever_there_never_passes() {
    let rates = KeyRates::new(&[rate("a", 100, 1), rate("b", 5, 1)], at(0.0));
    let never = Refusal::Never {
        name: "b".parse().unwrap(),
        most: 5,
    };
    assert_eq!(rates.take(number(6), at(0.0)), Err(never));
    assert_eq!(take(&rates, 5, 0.0), Ok(vec![95, 0]), "nothing was taken");
}

#[test]
fn a_rate_that_refuses_takes_nothing_from_the_others() {
    let limits = [rate("a", 10, 100), rate("b", 2, 100), rate("c", 10, 100)];
    let rates = KeyRates::new(&limits, at(0.0));
    assert_eq!(take(&rates, 2, 0.0), Ok(vec![8, 0, 8]));
    for _ in 0..20 {
        assert_eq!(take(&rates, 1, 0.0), Err(("b".to_owned(), Some(50))));
    }
    let Err(Refusal::Later { rates: told, .. }) = rates.take(ONE, at(0.0)) else {
        panic!("let in");
    };
    let told: Vec<_> = told
        .iter()
        .map(|standing| (standing.remaining, standing.full_in.as_secs()))
        .collect();
    assert_eq!(told, [(8, 20), (0, 100), (8, 20)]);
    assert_eq!(take(&rates, 2, 100.0), Ok(vec![8, 0, 8]));
}

#[test]
fn many_threads_get_what_there_is_and_no_more() {
    let several = [rate("a", 100, 1_000_000), rate("b", 70, 1_000_000)];
    for (limits, most) in [(&several[..1], 100), (&several[..], 70)] {
        let rates = KeyRates::new(limits, at(0.0));
        let passed = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let taken = rates.take(ONE, at(0.0)).is_ok();
                        passed.fetch_add(u32::from(taken), Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(passed.into_inner(), most);
    }
}

#[test]
fn the_largest_and_the_smallest_rates_there_can_be_work() {
    let most = u32::MAX;
    for (requests, seconds, burst_of) in [
        (1, 1, 1),
        (most, 1, most),
        (1, most, most),
        (most, most, most),
        (1, most, 1),
        (1, 1, most),
    ] {
        let limits = [burst(rate("edge", requests, seconds), burst_of)];
        let rates = KeyRates::new(&limits, at(0.0));
        assert!(take(&rates, 1, 0.0).is_ok(), "{limits:?}");
        let _ = take(&rates, most, 0.0);
        let _ = take(&rates, burst_of, 1e9);
        let _ = rates.take(ONE, Duration::from_hours(100 * 366 * 24));
    }
}

#[test]
fn reading_the_record_anew_fills_nothing() {
    let limiters = Limiters::new(10);
    let limits = [rate("a", 2, 100), rate("b", 3, 100)];
    let first = limiters.of(key(1), &limits, at(0.0)).unwrap();
    take(&first, 2, 0.0).unwrap();
    // Another secret of the key, or the same after a change of something else.
    let again = limiters.of(key(1), &limits, at(1.0)).unwrap();
    assert!(Arc::ptr_eq(&first, &again));
    assert_eq!(take(&again, 1, 1.0).unwrap_err().0, "a");
    // Another number is another rate; the one beside it goes on.
    let changed = [rate("a", 4, 100), rate("b", 3, 100)];
    let changed = limiters.of(key(1), &changed, at(1.0)).unwrap();
    assert_eq!(take(&changed, 1, 1.0), Ok(vec![3, 0]));
    // Whoever still holds what was read before shares what stayed.
    assert_eq!(take(&first, 1, 50.5), Ok(vec![0, 0]));
    assert_eq!(take(&changed, 1, 50.5).unwrap_err().0, "b");
    // Another key has its own.
    let other = limiters.of(key(2), &limits, at(1.0)).unwrap();
    assert_eq!(take(&other, 1, 1.0), Ok(vec![1, 2]));
}

#[test]
fn a_key_without_rates_takes_no_room_and_a_flood_of_keys_no_more_than_there_is() {
    let limiters = Limiters::new(16);
    assert!(limiters.of(key(1), &[], at(0.0)).is_none());
    assert_eq!(limiters.len(), 0);
    let limits = [rate("a", 1, 1_000)];
    let held = limiters.of(key(0), &limits, at(0.0)).unwrap();
    for byte in 1..=200 {
        let rates = limiters.of(key(byte), &limits, at(0.0)).unwrap();
        take(&rates, 1, 0.0).unwrap();
        assert!(limiters.len() <= 16, "{}", limiters.len());
        let still = limiters.of(key(0), &limits, at(0.0)).unwrap();
        assert!(Arc::ptr_eq(&held, &still), "what is held stays");
    }
    // Not even when everything is held.
    let all: Vec<_> = (0..200)
        .map(|byte| limiters.of(key(byte), &limits, at(0.0)))
        .collect();
    assert!(limiters.len() <= 16);
    drop(all);
    // A key that has none any more gives its room back.
    let before = limiters.len();
    limiters.of(key(199), &[], at(0.0));
    assert_eq!(limiters.len(), before - 1);
}

proptest! {
    /// In no stretch of time does more pass than the burst and what came back in it.
    #[test]
    fn no_more_than_the_rate_ever_passes(
        requests in 1..50_u32,
        seconds in 1..100_u32,
        burst_of in 1..60_u32,
        steps in prop::collection::vec((0..20_000_u64, 1..5_u32), 1..60),
    ) {
        let limits = [burst(rate("a", requests, seconds), burst_of)];
        let rates = KeyRates::new(&limits, Duration::ZERO);
        let (mut now, mut passed) = (0_u64, Vec::new());
        for (pause, cost) in steps {
            now += pause;
            let outcome = rates.take(number(cost), Duration::from_millis(now));
            match outcome {
                Ok(standings) => {
                    prop_assert!(standings[0].remaining < burst_of);
                    passed.push((now, u64::from(cost)));
                }
                Err(Refusal::Never { most, .. }) => {
                    prop_assert_eq!(most, burst_of);
                    prop_assert!(cost > burst_of);
                }
                Err(Refusal::Later { retry_after, .. }) => {
                    // It passes then, and not a moment before.
                    let then = Duration::from_millis(now) + retry_after;
                    let just_before = then.saturating_sub(Duration::from_nanos(1));
                    prop_assert!(rates.take(number(cost), just_before).is_err());
                    prop_assert!(rates.take(number(cost), then).is_ok());
                    passed.push((u64::try_from(then.as_millis()).unwrap(), u64::from(cost)));
                    now = u64::try_from(then.as_millis()).unwrap() + 1;
                }
            }
        }
        for (place, (from, _)) in passed.iter().enumerate() {
            let mut sum = 0;
            for (to, cost) in &passed[place..] {
                sum += cost;
                let came_back = (to - from + 2) as f64 / 1_000.0 * f64::from(requests) / f64::from(seconds);
                prop_assert!(sum as f64 <= f64::from(burst_of) + came_back + 1.0, "{passed:?}");
            }
        }
    }
}
