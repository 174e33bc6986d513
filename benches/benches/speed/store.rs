//! What each operation of a store costs, with few keys and with many.

use std::future::Future;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode};
use sakms_benches::figure::{Goal, Unit};
use sakms_benches::run::Run;
use sakms_benches::tables::{self, entry, key_id, new_key, owner, secret_id};
use sakms_benches::timing::{in_turns, now};
use sakms_core::clock::Timestamp;
use sakms_core::journal::{Action, Seq};
use sakms_core::key::{KeyName, KeyPatch, KeyQuery, SecretUse};
use sakms_core::store::{Conditions, KeyStore};
use tokio::runtime::Runtime;

const FEW: u32 = 1_000;
const USES: u32 = 500;

pub(crate) fn measure(run: &Run, criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let sizes = [FEW, run.table];

    let memory = sizes.map(|size| runtime.block_on(tables::memory(size)));
    let [few, many] = &memory;
    compare(run, criterion, &runtime, "memory", [few, many]);
    drop(memory);

    println!("filling SQLite tables of {} keys", run.table);
    let sqlite = sizes.map(|size| runtime.block_on(tables::sqlite(folder.path(), size)));
    let [few, many] = &sqlite;
    compare(run, criterion, &runtime, "sqlite", [few, many]);
    drop(sqlite);

    println!("filling MariaDB tables of {} keys", run.table);
    let mariadb = sizes.map(|size| runtime.block_on(tables::mariadb(size)));
    let [Some((few, _kept)), Some((many, _also_kept))] = &mariadb else {
        return;
    };
    compare(run, criterion, &runtime, "mariadb", [few, many]);
}

fn compare(
    run: &Run,
    criterion: &mut Criterion,
    runtime: &Runtime,
    name: &str,
    [few, many]: [&dyn KeyStore; 2],
) {
    // First, before anything is added to the smaller one.
    let looks = run.either(1_000, 4_000);
    let look = |store: &dyn KeyStore, size: u32| {
        runtime.block_on(async {
            let begun = now();
            for time in 0..looks {
                let found = store.find(secret_id(scattered(time, size))).await;
                assert!(found.unwrap().is_some());
            }
            begun.elapsed().as_secs_f64() / f64::from(looks)
        })
    };
    let turns = in_turns(
        run.either(11, 25),
        || look(many, run.table),
        || look(few, FEW),
    );
    // What the others say is what the processor's and the system's caches hold.
    let goal = (name == "mariadb").then_some(Goal::AtMost(1.3));
    let id = format!("store/{name}-find-many-over-few/{}", run.table);
    run.tell(&id, Unit::Ratio, turns.ratio(), goal);

    for (store, size) in [(few, FEW), (many, run.table)] {
        operations(
            run,
            criterion,
            &Bench {
                runtime,
                store,
                name,
                size,
            },
        );
    }
}

/// The numbers of all keys, in an order that has nothing to do with their places.
fn scattered(time: u32, size: u32) -> u32 {
    let place = u64::from(time) * 7_368_787 % u64::from(size);
    u32::try_from(place).unwrap_or(0)
}

struct Bench<'a> {
    runtime: &'a Runtime,
    store: &'a dyn KeyStore,
    name: &'a str,
    size: u32,
}

impl Bench<'_> {
    fn point<F: Future<Output = ()>>(
        &self,
        run: &Run,
        criterion: &mut Criterion,
        operation: &str,
        work: impl Fn(u32) -> F,
    ) {
        let name = format!("{}-{operation}", self.name);
        let mut group = criterion.benchmark_group("store");
        group.sampling_mode(SamplingMode::Flat);
        if run.quick {
            group.measurement_time(Duration::from_millis(300));
            group.warm_up_time(Duration::from_millis(100));
        }
        let mut time = 0;
        group.bench_function(BenchmarkId::new(&name, self.size), |b| {
            b.iter_custom(|times| {
                self.runtime.block_on(async {
                    let begun = now();
                    for _ in 0..times {
                        time += 1;
                        work(time).await;
                    }
                    begun.elapsed()
                })
            });
        });
        group.finish();
        run.tell_criterion(&format!("store/{name}/{}", self.size), None);
    }
}

fn operations(run: &Run, criterion: &mut Criterion, bench: &Bench<'_>) {
    let (store, size) = (bench.store, bench.size);
    bench.point(run, criterion, "find", async |time| {
        black_box(store.find(secret_id(scattered(time, size))).await.unwrap());
    });
    bench.point(run, criterion, "find-nothing", async |time| {
        black_box(store.find(secret_id(size + time)).await.unwrap());
    });
    bench.point(run, criterion, "get", async |time| {
        black_box(store.get(key_id(scattered(time, size))).await.unwrap());
    });
    bench.point(run, criterion, "list-50", async |time| {
        let page = store
            .list(&KeyQuery::of(owner(scattered(time, size))))
            .await
            .unwrap();
        assert_eq!(page.items.len(), 50);
    });
    bench.point(run, criterion, "insert", async |_| {
        let (key, secret, entry) = new_key(owner(u32::MAX));
        store
            .insert(&key, &secret, &Conditions::NONE, &entry)
            .await
            .unwrap();
    });
    let (key, secret, added) = new_key(owner(u32::MAX));
    bench
        .runtime
        .block_on(store.insert(&key, &secret, &Conditions::NONE, &added))
        .unwrap();
    let rename = KeyPatch::rename(KeyName::default());
    let revision = std::cell::Cell::new(key.revision);
    bench.point(run, criterion, "update", async |_| {
        let change = entry(Action::KEY_UPDATE, key.id);
        let changed = store
            .update(key.id, revision.get(), &rename, &change)
            .await
            .unwrap();
        revision.set(changed.revision);
    });
    bench.point(run, criterion, "record-500-uses", async |time| {
        let one = |place: u32| {
            let secret = secret_id(scattered(time.wrapping_mul(USES).wrapping_add(place), size));
            SecretUse::new(secret, 1, Timestamp::EPOCH)
        };
        let uses: Vec<_> = (0..USES).map(one).collect();
        store.record_uses(&uses).await.unwrap();
    });
    let head = bench.runtime.block_on(store.journal_head()).unwrap();
    bench.point(run, criterion, "follow-nothing-new", async |_| {
        let last = Seq::new(head.seq.get() - 1);
        assert_eq!(store.journal_after(last, 1_000).await.unwrap().len(), 1);
    });
    bench.point(run, criterion, "ping", async |_| {
        store.ping().await.unwrap();
    });
}
