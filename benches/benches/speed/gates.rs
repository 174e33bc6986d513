//! What a check costs that has something to look at besides the key's state.

use std::hint::black_box;
use std::net::IpAddr;

use criterion::{BenchmarkId, Criterion};
use futures_util::FutureExt as _;
use sakms_benches::figure::Unit;
use sakms_benches::run::Run;
use sakms_benches::timing::{WARM_UP, in_turns, rate, together};
use sakms_benches::world::master_key;
use sakms_core::hash::{HashPoolConfig, KeyHasher};
use sakms_core::key::{Environment, Limits};
use sakms_core::secret::PresentedKey;
use sakms_core::service::{Caller, Circumstances, NewKey, Requirement, Sakms};
use sakms_core::store::MemoryStore;

/// A rate that no bench comes up to: what is measured is to count, not to be refused.
const LIMITS: &str = r#"{"ip_ranges":["192.0.2.0/24","2001:db8::/32"],
    "rates":[{"name":"second","requests":1000000000,"seconds":1}]}"#;

pub(crate) fn measure(run: &Run, criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let hashing = HashPoolConfig::default().key_hasher(KeyHasher::HmacSha256);
    let sakms = Sakms::builder(MemoryStore::new(), master_key())
        .hashing(hashing)
        .build()
        .unwrap();
    let mut new = NewKey::named("bare".parse().unwrap());
    new.scopes = "reports:read users:*".parse().unwrap();
    let mut limited = new.clone();
    limited.limits = Some(Limits::from_json(LIMITS).unwrap());
    let caller = Caller::owner("ada".parse().unwrap());
    let [bare, limited] = [new, limited].map(|new| {
        let made = runtime.block_on(sakms.create_key(&caller, new)).unwrap();
        PresentedKey::new(made.text.expose().to_owned())
    });
    let any = Requirement::any_key();
    let asked = "reports:read and (users:write or admin:*) and not billing:*";
    let asked: Requirement = asked.parse().unwrap();
    let asked = asked.environment(Environment::live());
    let mut from = Circumstances::default();
    from.address = Some(IpAddr::from([192, 0, 2, 7]));
    runtime.block_on(sakms.catch_up()).unwrap();

    let check = |text: &PresentedKey, requirement: &Requirement| {
        let verdict = sakms.verify_with(text, requirement, &from).now_or_never();
        let verdict = verdict.unwrap().unwrap();
        assert!(verdict.is_granted());
        let _ = black_box(verdict);
    };
    for (text, requirement) in [(&bare, &any), (&bare, &asked), (&limited, &asked)] {
        // Proven once, and at hand from then on.
        let _ = runtime.block_on(sakms.verify_with(text, requirement, &from));
        let cases = 1_000;
        (0..cases).for_each(|_| check(text, requirement));
    }
    for (name, text, requirement) in [
        ("bare", &bare, &any),
        ("scopes", &bare, &asked),
        ("scopes-addresses-rate", &limited, &asked),
    ] {
        let mut group = criterion.benchmark_group("gates");
        group.bench_function(BenchmarkId::new(name, 1), |b| {
            b.iter_custom(|times| together(1, WARM_UP, times, |_, _| check(text, requirement)));
        });
        group.finish();
        run.tell_criterion(&format!("gates/{name}/1"), None);
    }
    let times = run.either(100_000, 300_000);
    let turns = in_turns(
        run.either(11, 25),
        || rate(1, WARM_UP, times, |_, _| check(&bare, &any)),
        || rate(1, WARM_UP, times, |_, _| check(&limited, &asked)),
    );
    run.tell("gates/all-over-bare/1", Unit::Ratio, turns.ratio(), None);
}
