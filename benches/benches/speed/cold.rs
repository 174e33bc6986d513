//! Checks that have to hash: how many there can be, and what they cost those that need not.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use argon2::{Block, Params};
use criterion::Criterion;
use sakms_benches::figure::{Goal, Unit};
use sakms_benches::run::Run;
use sakms_benches::timing::{Spread, in_turns, now, quantile, together};
use sakms_benches::world::World;
use sakms_core::hash::Argon2Params;
use sakms_core::service::Requirement;

use crate::hash;

/// How many cold checks wait at once.
const WAITING: usize = 64;
/// More keys than are ever presented; the store makes them up.
const KEYS: u64 = 1_000_000;

pub(crate) fn measure(run: &Run, _: &mut Criterion) {
    for permits in [1, 2] {
        throughput(run, permits);
    }
    warm_meanwhile(run);
}

/// Cold checks a second, over what the same number of threads can hash that do nothing else.
fn throughput(run: &Run, permits: usize) {
    let world = World::new(KEYS, Argon2Params::default(), permits);
    let next = AtomicU64::new(0);
    let times = run.either(10, 25);
    let turns = in_turns(
        run.either(9, 21),
        || cold_rate(&world, &next, permits as u64 * times),
        || raw_rate(permits, times),
    );
    let id = |what: &str| format!("cold/{what}/{permits}");
    run.tell(&id("checks"), Unit::PerSecond, turns.first(), None);
    run.tell(&id("raw-hashes"), Unit::PerSecond, turns.second(), None);
    let goal = Some(Goal::AtLeast(0.9));
    run.tell(&id("checks-over-raw"), Unit::Ratio, turns.ratio(), goal);
}

fn raw_rate(threads: usize, times: u64) -> f64 {
    let params = Params::new(19_456, 2, 1, None).unwrap();
    let room = || std::sync::Mutex::new(vec![Block::new(); params.block_count()]);
    let rooms: Vec<_> = (0..threads).map(|_| room()).collect();
    // The first time the memory is mapped, which is not what is measured.
    let took = together(threads, 1, times, |thread, _| {
        hash::raw(&params, &mut rooms[thread].lock().unwrap());
    });
    per_second(threads as u64 * times, took)
}

/// `count` checks of keys that were never seen, [`WAITING`] at once.
fn cold_rate(world: &World, next: &AtomicU64, count: u64) -> f64 {
    use futures_util::{StreamExt as _, stream};
    let any = Requirement::any_key();
    let checks = stream::iter(0..count).map(|_| {
        let text = world.text(next.fetch_add(1, Ordering::Relaxed));
        let (sakms, any) = (&world.sakms, &any);
        async move { assert!(sakms.verify(&text, any).await.unwrap().is_granted()) }
    });
    let begun = now();
    let all = checks
        .buffer_unordered(WAITING)
        .for_each(std::future::ready);
    world.runtime.block_on(all);
    per_second(count, begun.elapsed())
}

/// How long the slowest hundredth of warm checks takes while [`WAITING`] cold ones wait for a hashing thread, over how long
/// it takes when none does.
fn warm_meanwhile(run: &Run) {
    let world = World::new(KEYS, Argon2Params::default(), 1);
    let (next, stop) = (AtomicU64::new(1), AtomicBool::new(false));
    let (warm, any) = (world.text(0), Requirement::any_key());
    assert!(world.wait(&warm).is_granted());
    let slowest = || {
        let begun = now();
        let mut times = Vec::new();
        while begun.elapsed() < Duration::from_millis(run.either(300, 500)) {
            let begun = now();
            let verdict = world.check(&warm, &any);
            times.push(begun.elapsed().as_secs_f64());
            assert!(verdict.is_granted());
        }
        times.sort_by(f64::total_cmp);
        quantile(&times, 99)
    };
    let loaded = || {
        stop.store(false, Ordering::SeqCst);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::SeqCst) {
                    cold_rate(&world, &next, WAITING as u64 / 4);
                }
            });
            let slowest = slowest();
            stop.store(true, Ordering::SeqCst);
            slowest
        })
    };
    let turns = in_turns(run.either(11, 31), loaded, slowest);
    run.tell("cold/warm-p99-loaded", Unit::Seconds, turns.first(), None);
    run.tell("cold/warm-p99-alone", Unit::Seconds, turns.second(), None);
    let goal = Some(Goal::AtMost(2.0));
    let ratio: Spread = turns.ratio();
    run.tell("cold/warm-p99-loaded-over-alone", Unit::Ratio, ratio, goal);
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand checks")]
fn per_second(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}
