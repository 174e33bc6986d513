//! The check of a presented key: what a request pays.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode};
use http::{HeaderMap, HeaderValue};
use sakms_benches::figure::{Goal, Unit};
use sakms_benches::process;
use sakms_benches::run::Run;
use sakms_benches::timing::{Spread, WARM_UP, in_turns, rate, together};
use sakms_benches::world::World;
use sakms_core::hash::Argon2Params;
use sakms_core::http::{Check, Guard};
use sakms_core::secret::PresentedKey;
use sakms_core::service::Requirement;

/// How many keys are remembered.
const KEYS: [u64; 3] = [1, 10_000, 1_000_000];
const WARM: Goal = Goal::AtMost(400e-9);
const FORGED: Goal = Goal::AtMost(1e-6);
const TWO_THREADS: Goal = Goal::AtLeast(1.8);

pub(crate) fn measure(run: &Run, criterion: &mut Criterion) {
    for keys in KEYS {
        warm(run, criterion, keys);
    }
    refused(run, criterion);
    first(run, criterion);
}

/// A check with the cheapest hash: it is not what is measured, and a million of them have to be filled in.
fn filled(keys: u64) -> World {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let world = World::new(keys, Argon2Params::insecure_fast(), threads);
    world.warm(keys);
    world
}

fn warm(run: &Run, criterion: &mut Criterion, keys: u64) {
    let world = filled(keys);
    let (texts, any) = (world.texts(keys), Requirement::any_key());
    let read = world.store.finds();
    let check = |thread: usize, time: u64| {
        let verdict = world.check(at(&texts, thread, time), &any);
        assert!(verdict.is_granted());
        let _ = black_box(verdict);
    };
    points(run, criterion, "warm", keys, Some(WARM), &check);
    scaling(
        run,
        &format!("verify/warm-two-over-one/{keys}"),
        Some(TWO_THREADS),
        check,
    );

    let guard = Guard::any_key(&world.sakms);
    let requests: Vec<_> = texts.iter().take(10_000).map(request).collect();
    let check = |thread: usize, time: u64| {
        let check = guard.check(at(&requests, thread, time), None);
        assert!(matches!(check, Check::Admitted(_)));
        black_box(check);
    };
    points(run, criterion, "guard", keys, None, &check);
    assert_eq!(
        world.store.finds(),
        read,
        "every check was answered from memory"
    );
}

/// Texts that are refused, the second time they come. Of those with our tag, the first time is in [`first`].
fn refused(run: &Run, criterion: &mut Criterion) {
    let world = filled(1);
    let any = Requirement::any_key();
    let malformed = PresentedKey::new("sakms_live_not_a_key".to_owned());
    let cases = [
        ("malformed", malformed, None),
        ("forged", world.forged(0), Some(FORGED)),
        ("unknown", world.text(5), None),
        ("wrong-secret", world.wrong_secret(0), None),
    ];
    for (name, text, goal) in cases {
        assert!(!world.wait(&text).is_granted());
        // Until the thread that hashed for the first time has gone to sleep.
        std::thread::sleep(Duration::from_millis(20));
        let (reads, hashed) = (world.store.finds(), process::computing_time("sakms-keys"));
        let check = |_, _| {
            let verdict = world.check(&text, &any);
            assert!(!verdict.is_granted());
            let _ = black_box(verdict);
        };
        points(run, criterion, name, 1, goal, &check);
        scaling(run, &format!("verify/{name}-two-over-one/1"), None, check);
        let none = Some(Goal::AtMost(0.0));
        let reads = Spread::single(count(world.store.finds() - reads));
        run.tell(&format!("verify/{name}-reads"), Unit::Count, reads, none);
        if let (Some(before), Some(after)) = (hashed, process::computing_time("sakms-keys")) {
            let spent = Spread::single(count(after - before) / 1e9);
            run.tell(
                &format!("verify/{name}-hashing"),
                Unit::Seconds,
                spent,
                none,
            );
        }
    }
}

/// What comes for the first time, with our tag: a look-up and an Argon2 run with the default parameters, whatever it is.
fn first(run: &Run, criterion: &mut Criterion) {
    const KEYS: u64 = 1_000_000;
    let world = World::new(KEYS, Argon2Params::default(), 1);
    let mut number = 0;
    let mut next = move || {
        number += 1;
        number
    };
    let mut group = criterion.benchmark_group("verify");
    group.sampling_mode(SamplingMode::Flat);
    let mut point = |name: &str, granted: bool, text: &dyn Fn(&World, u64) -> PresentedKey| {
        group.bench_function(BenchmarkId::new(name, KEYS), |b| {
            b.iter_batched(
                || text(&world, next()),
                |text| assert_eq!(world.wait(&text).is_granted(), granted),
                criterion::BatchSize::PerIteration,
            );
        });
    };
    point("cold", true, &World::text);
    point("wrong-secret-first", false, &World::wrong_secret);
    point("unknown-first", false, &|world, number| {
        world.text(KEYS + number)
    });
    group.finish();
    for name in ["cold", "wrong-secret-first", "unknown-first"] {
        run.tell_criterion(&format!("verify/{name}/{KEYS}"), None);
    }
}

/// One and two threads, each on texts of its own where there are enough.
fn points(
    run: &Run,
    criterion: &mut Criterion,
    name: &str,
    keys: u64,
    goal: Option<Goal>,
    check: &(impl Fn(usize, u64) + Sync),
) {
    for (threads, goal) in [(1, goal), (2, None)] {
        let name = format!("{name}-{threads}");
        let mut group = criterion.benchmark_group("verify");
        group.bench_function(BenchmarkId::new(&name, keys), |b| {
            b.iter_custom(|times| together(threads, WARM_UP, times, check));
        });
        group.finish();
        run.tell_criterion(&format!("verify/{name}/{keys}"), goal);
    }
}

fn scaling(run: &Run, id: &str, goal: Option<Goal>, check: impl Fn(usize, u64) + Sync) {
    let times = run.either(100_000, 300_000);
    let turns = in_turns(
        run.either(11, 25),
        || rate(2, WARM_UP, times, &check),
        || rate(1, WARM_UP, times, &check),
    );
    run.tell(id, Unit::Ratio, turns.ratio(), goal);
}

/// Walks through the list, the second thread from its middle.
fn at<T>(list: &[T], thread: usize, time: u64) -> &T {
    let time = usize::try_from(time).unwrap_or(0);
    &list[(time + thread * list.len() / 2) % list.len()]
}

fn request(text: &PresentedKey) -> HeaderMap {
    let value = HeaderValue::from_str(text.expose()).unwrap();
    HeaderMap::from_iter([(http::HeaderName::from_static("x-api-key"), value)])
}

#[expect(clippy::cast_precision_loss, reason = "a count that should be zero")]
const fn count(number: u64) -> f64 {
    number as f64
}
