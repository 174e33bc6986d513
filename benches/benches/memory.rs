//! What is taken of memory: for a check, for each key that is remembered, and by a flood of logins.
//!
//! A program of its own, because it counts allocations, which would slow those down that others time.
#![allow(
    clippy::unwrap_used,
    reason = "a bench ends by panicking when what it measures does not work"
)]

use std::hint::black_box;

use futures_util::future::join_all;
use http::{HeaderMap, HeaderName, HeaderValue};
use sakms_benches::figure::{Goal, Unit};
use sakms_benches::process;
use sakms_benches::run::Run;
use sakms_benches::timing::Spread;
use sakms_benches::world::{World, master_key};
use sakms_core::entropy::OsEntropy;
use sakms_core::hash::{Argon2Params, HashPoolConfig};
use sakms_core::http::Guard;
use sakms_core::secret::{Password, PresentedKey};
use sakms_core::service::{Requirement, Sakms};
use sakms_core::store::MemoryStore;
use sakms_core::token::{HmacSecret, JwtIssuer, Keyring};
use tokio::runtime::Runtime;

const CHECKS: u32 = 10_000;
const KEYS: u32 = 1_000_000;
const LOGINS: usize = 200;
const MIB: f64 = 1024.0 * 1024.0;

fn main() {
    let Some(run) = Run::from_surroundings() else {
        return;
    };
    if run.wants("memory") {
        // First, while the process is small: what it has taken once it may use again unseen.
        flood(&run);
        keys(&run);
        checks(&run);
    }
}

/// Allocations of one check, by kind.
fn checks(run: &Run) {
    let world = World::new(1, Argon2Params::insecure_fast(), 1);
    let any = Requirement::any_key();
    let malformed = PresentedKey::new("sakms_live_not_a_key".to_owned());
    let cases = [
        ("warm", world.text(0)),
        ("malformed", malformed),
        ("forged", world.forged(0)),
        ("unknown", world.text(5)),
        ("wrong-secret", world.wrong_secret(0)),
    ];
    let none = Some(Goal::AtMost(0.0));
    let tell = |name: &str, goal, work: &dyn Fn()| {
        // What happens once, such as a list's first entry, is not what a check costs.
        work();
        let counted = allocation_counter::measure(|| (0..CHECKS).for_each(|_| work()));
        #[expect(clippy::cast_precision_loss, reason = "some ten thousand at most")]
        let each = counted.count_total as f64 / f64::from(CHECKS);
        let id = format!("memory/{name}-allocations");
        run.tell(&id, Unit::Count, Spread::single(each), goal);
    };
    for (name, text) in &cases {
        // The first time it may wait for a proof.
        let _ = world.wait(text);
        tell(name, none, &|| drop(black_box(world.check(text, &any))));
    }
    let guard = Guard::any_key(&world.sakms);
    let key = HeaderValue::from_str(cases[0].1.expose()).unwrap();
    let headers = HeaderMap::from_iter([(HeaderName::from_static("x-api-key"), key)]);
    tell("guard", none, &|| {
        drop(black_box(guard.check(&headers, None)));
    });
}

/// What a remembered key takes, with everything that is set up for a million of them.
fn keys(run: &Run) {
    let Some(before) = process::resident() else {
        return;
    };
    // The cheapest hashes: a proof's price does not change what is remembered of it.
    let world = World::new(u64::from(KEYS), Argon2Params::insecure_fast(), 2);
    world.warm(u64::from(KEYS));
    world.runtime.block_on(world.sakms.flush()).unwrap();
    assert_eq!(world.store.finds(), u64::from(KEYS));
    let each = (process::resident().unwrap_or(before) - before) / f64::from(KEYS);
    let id = format!("memory/each-key/{KEYS}");
    run.tell(
        &id,
        Unit::Bytes,
        Spread::single(each),
        Some(Goal::AtMost(400.0)),
    );
}

/// The most memory at once while many sign in at once, over that of one who hashes on each thread.
fn flood(run: &Run) {
    let runtime = Runtime::new().unwrap();
    let secret = HmacSecret::generate(&OsEntropy).unwrap();
    let issuer = JwtIssuer::builder(Keyring::hs256(secret)).audience("bench");
    let store = MemoryStore::new();
    let threads = 2;
    let sakms = Sakms::builder(store.clone(), master_key())
        .accounts(store)
        .token_issuer(issuer.build().unwrap())
        .hashing(HashPoolConfig::default().password_threads(threads))
        .build()
        .unwrap();
    let password = || Password::new("violet tram kettle oak".to_owned());
    let Some(base) = process::resident() else {
        return;
    };
    process::forget_peak();
    runtime.block_on(async {
        let hers = password();
        sakms.register("ada@example.com", &hers).await.unwrap();
        let login = async |number: usize| {
            let stranger = format!("stranger-{number}@example.com");
            let email = if number.is_multiple_of(2) {
                "ada@example.com"
            } else {
                &stranger
            };
            sakms.login(email, &password()).await.is_ok()
        };
        let decided = join_all((0..LOGINS).map(login)).await;
        // Those that found no place in the queue were told to come again.
        #[expect(clippy::cast_precision_loss, reason = "some two hundred")]
        let share = decided.iter().filter(|decided| **decided).count() as f64;
        run.tell(
            "memory/flood-decided",
            Unit::Count,
            Spread::single(share),
            None,
        );
    });
    let taken = process::peak().unwrap_or(base) - base;
    // A hash with the default parameters takes 19 MiB.
    #[expect(clippy::cast_precision_loss, reason = "a few threads")]
    let bound = threads as f64 * 19.0 * MIB + 32.0 * MIB;
    let goal = Some(Goal::AtMost(bound));
    run.tell("memory/flood", Unit::Bytes, Spread::single(taken), goal);
}
