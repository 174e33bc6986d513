//! What one Argon2id hash costs: as the crate is usually called, and on the pool, which uses its memory again.

use std::hint::black_box;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use criterion::{BenchmarkId, Criterion, SamplingMode};
use futures_util::future::join_all;
use sakms_benches::figure::{Goal, Unit};
use sakms_benches::run::Run;
use sakms_benches::timing::{Spread, in_turns, now, rate, together};
use sakms_core::entropy::OsEntropy;
use sakms_core::hash::{Argon2Params, HashPool, HashPoolConfig, Share};
use tokio::runtime::Runtime;

const SALT: [u8; 16] = *b"sixteen of bytes";
const SECRET: [u8; 32] = [7; 32];
/// OWASP's choices with one lane: memory in KiB, passes. The first is the default.
const SETS: [(u32, u32); 3] = [(19_456, 2), (12_288, 3), (47_104, 1)];

pub(crate) fn measure(run: &Run, criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let mut group = criterion.benchmark_group("hash");
    group.sampling_mode(SamplingMode::Flat);
    let mut ids = Vec::new();
    let sets = run.either(1, SETS.len());
    for &(memory, passes) in &SETS[..sets] {
        let set = format!("m={memory},t={passes},p=1");
        for threads in [1, 2] {
            let pool = pool(memory, passes, threads);
            let mut point = |name: String, work: &dyn Fn(u64) -> Duration| {
                ids.push(format!("hash/{name}/{set}"));
                group.bench_function(BenchmarkId::new(name, &set), |b| b.iter_custom(work));
            };
            point(format!("default-call-{threads}"), &|times| {
                together(threads, 0, times, |_, _| default_call(memory, passes))
            });
            point(format!("pool-{threads}"), &|times| {
                on_pool(&runtime, &pool, threads, times)
            });
        }
    }
    group.finish();
    for id in &ids {
        run.tell_criterion(id, None);
    }

    let (memory, passes) = SETS[0];
    for threads in [1, 2] {
        let pool = pool(memory, passes, threads);
        let times = run.either(4, 16);
        let turns = in_turns(
            run.either(7, 15),
            || rate(threads, 0, times, |_, _| default_call(memory, passes)),
            || per_second(threads, times, on_pool(&runtime, &pool, threads, times)),
        );
        let id = format!("hash/default-call-over-pool/{threads}");
        // Both are rates; the time of one over that of the other is the inverse.
        let ratio = turns.ratio();
        let inverse = Spread {
            low: 1.0 / ratio.high,
            middle: 1.0 / ratio.middle,
            high: 1.0 / ratio.low,
        };
        run.tell(&id, Unit::Ratio, inverse, Some(Goal::AtLeast(1.0)));
    }
    reference(run, memory);
}

/// The C reference as its command line has it, over the crate, in memory that is there already. So many passes are made at
/// once that what a process costs to start is not seen.
fn reference(run: &Run, memory: u32) {
    const PASSES: u32 = 60;
    if by_reference(memory, 1).is_none() {
        println!("hash: the C reference is left out, there is no command `argon2`");
        return;
    }
    let params = Params::new(memory, PASSES, 1, None).unwrap();
    let mut room = vec![Block::new(); params.block_count()];
    raw(&params, &mut room);
    let turns = in_turns(
        run.either(5, 15),
        || by_reference(memory, PASSES).unwrap().as_secs_f64(),
        || {
            let begun = now();
            raw(&params, &mut room);
            begun.elapsed().as_secs_f64()
        },
    );
    let each = |spread: Spread| Spread {
        low: spread.low / f64::from(PASSES),
        middle: spread.middle / f64::from(PASSES),
        high: spread.high / f64::from(PASSES),
    };
    let pass = |name: &str| format!("hash/{name}-each-pass/m={memory}");
    let (reference, ours) = (each(turns.first()), each(turns.second()));
    run.tell(&pass("c-reference"), Unit::Seconds, reference, None);
    run.tell(&pass("crate"), Unit::Seconds, ours, None);
    let ratio = turns.ratio();
    run.tell("hash/c-reference-over-crate/1", Unit::Ratio, ratio, None);
}

/// How long the command of the C reference takes; `None` where it is not installed.
fn by_reference(memory: u32, passes: u32) -> Option<Duration> {
    let mut command = Command::new("argon2");
    command.args(["sixteen of bytes", "-id", "-r", "-p", "1", "-l", "32"]);
    command.args(["-k", &memory.to_string(), "-t", &passes.to_string()]);
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    let begun = now();
    let mut child = command.spawn().ok()?;
    child.stdin.take()?.write_all(&SECRET).ok()?;
    child.wait().ok()?.success().then(|| begun.elapsed())
}

fn pool(memory: u32, passes: u32, threads: usize) -> HashPool {
    let params = Argon2Params::new(memory, passes, 1).unwrap();
    let config = HashPoolConfig::default()
        .params(params)
        .key_threads(threads);
    HashPool::new(config, Arc::new(OsEntropy)).unwrap()
}

/// Allocates its memory for this one hash.
fn default_call(memory: u32, passes: u32) {
    let params = Params::new(memory, passes, 1, None).unwrap();
    let mut hash = [0; 32];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2
        .hash_password_into(&SECRET, &SALT, &mut hash)
        .unwrap();
    black_box(hash);
}

/// Works in memory that is there already, without a pool around it.
pub(crate) fn raw(params: &Params, blocks: &mut [Block]) {
    let mut hash = [0; 32];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let done = argon2.hash_password_into_with_memory(&SECRET, &SALT, &mut hash, blocks);
    done.unwrap();
    black_box(hash);
}

/// `times` hashes for each of the pool's threads.
fn on_pool(runtime: &Runtime, pool: &HashPool, threads: usize, times: u64) -> Duration {
    runtime.block_on(async {
        let begun = now();
        let work = async || {
            for _ in 0..times {
                black_box(pool.hash(Share::Keys, &SECRET).await.unwrap());
            }
        };
        join_all((0..threads).map(|_| work())).await;
        begun.elapsed()
    })
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred hashes")]
fn per_second(threads: usize, times: u64, took: Duration) -> f64 {
    (threads as u64 * times) as f64 / took.as_secs_f64()
}
