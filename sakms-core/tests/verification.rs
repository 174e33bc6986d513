//! What is remembered of keys, held against what is true: on the memory store, with faults in front of it.
#![cfg(feature = "testkit")]
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use sakms_core::clock::ManualClock;
use sakms_core::hash::{Argon2Params, HashPoolConfig};
use sakms_core::id::KeyId;
use sakms_core::journal::Actor;
use sakms_core::key::{MasterKey, Owner};
use sakms_core::secret::PresentedKey;
use sakms_core::service::{
    CacheConfig, Caller, Error, KeyDenial, NewKey, Requirement, Sakms, SakmsBuilder,
};
use sakms_core::store::{KeyStore, MemoryStore, StoreErrorKind};
use sakms_core::testkit::faults::{Fault, Faults, StoreMethod};
use sakms_core::testkit::fixtures;

/// A service over a store that can be taken away, by a clock that stands still.
struct Node {
    sakms: Sakms,
    store: Faults,
    clock: Arc<ManualClock>,
}

impl Node {
    fn new() -> Self {
        Self::over(Faults::over(MemoryStore::new()), |builder| builder)
    }

    fn over(store: Faults, more: impl FnOnce(SakmsBuilder) -> SakmsBuilder) -> Self {
        let clock = Arc::new(fixtures::clock());
        let master = MasterKey::from_bytes(*b"0123456789abcdefghijklmnopqrstuv").unwrap();
        let hashing = HashPoolConfig::default()
            .params(Argon2Params::insecure_fast())
            .key_threads(1)
            .password_threads(1);
        // The journal is read when a test says so.
        let caching = CacheConfig::default().follow_every(Duration::from_hours(1));
        let builder = Sakms::builder(store.clone(), master)
            .clock(Arc::clone(&clock) as _)
            .caching(caching)
            .hashing(hashing);
        let sakms = more(builder).build().unwrap();
        Self {
            sakms,
            store,
            clock,
        }
    }

    async fn key(&self, owner: &str, new: NewKey) -> Key {
        let owner: Owner = owner.parse().unwrap();
        let caller = Caller::owner(owner.clone());
        let created = self.sakms.create_key(&caller, new).await.unwrap();
        Key {
            id: created.key.id,
            owner,
            text: PresentedKey::new(created.text.expose().to_owned()),
        }
    }

    async fn check(&self, key: &Key) -> Result<Result<(), KeyDenial>, Error> {
        let verdict = self.sakms.verify(&key.text, &Requirement::any_key()).await;
        verdict.map(|verdict| verdict.map(drop).into_result())
    }

    /// A key that is remembered: it is checked until no more is read.
    async fn warm(&self, key: &Key) {
        self.sakms.catch_up().await.unwrap();
        self.check(key).await.unwrap().unwrap();
        let before = self.store.calls(StoreMethod::Find);
        self.check(key).await.unwrap().unwrap();
        assert_eq!(self.store.calls(StoreMethod::Find), before, "it is warm");
    }

    async fn revoke(&self, key: &Key) {
        let caller = Caller::owner(key.owner.clone());
        self.sakms.revoke_key(&caller, key.id).await.unwrap();
    }

    fn finds(&self) -> u64 {
        self.store.calls(StoreMethod::Find)
    }
}

struct Key {
    id: KeyId,
    owner: Owner,
    text: PresentedKey,
}

fn is_unavailable(outcome: &Result<Result<(), KeyDenial>, Error>) -> bool {
    matches!(outcome, Err(Error::Store(error)) if error.kind() == StoreErrorKind::Unavailable)
}

#[tokio::test]
async fn a_warm_key_asks_the_store_nothing() {
    let node = Node::new();
    let key = node.key("ada", NewKey::default()).await;
    node.warm(&key).await;
    let before: Vec<_> = StoreMethod::ALL
        .iter()
        .map(|&m| node.store.calls(m))
        .collect();
    for _ in 0..1_000 {
        node.check(&key).await.unwrap().unwrap();
    }
    let after: Vec<_> = StoreMethod::ALL
        .iter()
        .map(|&m| node.store.calls(m))
        .collect();
    assert_eq!(before, after);
}

#[tokio::test]
async fn what_this_node_changes_is_in_force_at_once() {
    let node = Node::new();
    let (key, other) = (
        node.key("ada", NewKey::default()).await,
        node.key("bob", NewKey::default()).await,
    );
    node.warm(&key).await;
    node.warm(&other).await;
    node.sakms
        .disable_owner(&key.owner, Actor::SYSTEM)
        .await
        .unwrap();
    assert_eq!(
        node.check(&key).await.unwrap(),
        Err(KeyDenial::OwnerDisabled)
    );
    assert_eq!(node.check(&other).await.unwrap(), Ok(()));
    node.sakms
        .enable_owner(&key.owner, Actor::SYSTEM)
        .await
        .unwrap();
    assert_eq!(node.check(&key).await.unwrap(), Ok(()));
    node.revoke(&key).await;
    assert_eq!(node.check(&key).await.unwrap(), Err(KeyDenial::Revoked));
}

#[tokio::test]
async fn a_refusal_is_remembered_too() {
    let node = Node::new();
    let key = node.key("ada", NewKey::default()).await;
    node.warm(&key).await;
    node.revoke(&key).await;
    assert_eq!(node.check(&key).await.unwrap(), Err(KeyDenial::Revoked));
    let before = node.finds();
    for _ in 0..10 {
        assert_eq!(node.check(&key).await.unwrap(), Err(KeyDenial::Revoked));
    }
    assert_eq!(node.finds(), before);
}

#[tokio::test]
async fn what_another_node_changes_is_in_force_after_a_reading_of_the_journal() {
    let one = Node::new();
    let other = Node::over(one.store.clone(), |builder| builder);
    let key = one.key("ada", NewKey::default()).await;
    one.warm(&key).await;
    other.warm(&key).await;
    other.revoke(&key).await;
    assert_eq!(
        one.check(&key).await.unwrap(),
        Ok(()),
        "not known here as yet"
    );
    one.sakms.catch_up().await.unwrap();
    assert_eq!(one.check(&key).await.unwrap(), Err(KeyDenial::Revoked));

    let key = other.key("bob", NewKey::default()).await;
    one.warm(&key).await;
    other
        .sakms
        .disable_owner(&key.owner, Actor::SYSTEM)
        .await
        .unwrap();
    one.sakms.catch_up().await.unwrap();
    assert_eq!(
        one.check(&key).await.unwrap(),
        Err(KeyDenial::OwnerDisabled)
    );
}

#[tokio::test]
async fn the_task_follows_by_itself() {
    let one = Node::over(Faults::over(MemoryStore::new()), |builder| {
        builder.caching(CacheConfig::default().follow_every(Duration::from_millis(1)))
    });
    let other = Node::over(one.store.clone(), |builder| builder);
    let key = one.key("ada", NewKey::default()).await;
    assert_eq!(one.sakms.journal_status().position, None);
    while !one.sakms.journal_status().trusted {
        assert_eq!(one.check(&key).await.unwrap(), Ok(()));
        tokio::task::yield_now().await;
    }
    other.revoke(&key).await;
    while one.check(&key).await.unwrap().is_ok() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(one.check(&key).await.unwrap(), Err(KeyDenial::Revoked));
}

#[tokio::test]
async fn a_key_that_expires_while_it_is_remembered_is_refused_on_the_second() {
    let node = Node::new();
    let mut new = NewKey::default();
    new.expires_at = fixtures::START.checked_add(Duration::from_secs(2));
    let key = node.key("ada", new).await;
    node.warm(&key).await;
    node.clock.advance(Duration::from_micros(1_999_999));
    assert_eq!(node.check(&key).await.unwrap(), Ok(()));
    node.clock.advance(Duration::from_micros(1));
    assert_eq!(node.check(&key).await.unwrap(), Err(KeyDenial::Expired));
    assert_eq!(node.finds(), 1, "found out without a look at the store");
}

#[tokio::test]
async fn without_the_journal_a_warm_key_is_believed_to_the_bound_and_no_longer() {
    let node = Node::new();
    let (key, cold) = (
        node.key("ada", NewKey::default()).await,
        node.key("ada", NewKey::default()).await,
    );
    node.warm(&key).await;
    node.store
        .inject(Fault::Before(StoreErrorKind::Unavailable));
    assert!(is_unavailable(&node.check(&cold).await));
    node.clock.advance(Duration::from_micros(4_999_999));
    assert_eq!(node.check(&key).await.unwrap(), Ok(()));
    assert!(node.sakms.journal_status().trusted);
    node.clock.advance(Duration::from_micros(1));
    assert!(!node.sakms.journal_status().trusted);
    assert!(is_unavailable(&node.check(&key).await));

    // The store is back, the journal is not: every check reads.
    node.store.heal();
    node.store.inject_into(
        StoreMethod::JournalAfter,
        Fault::Before(StoreErrorKind::Unavailable),
    );
    assert!(node.sakms.catch_up().await.is_err());
    let before = node.finds();
    for _ in 0..5 {
        assert_eq!(node.check(&key).await.unwrap(), Ok(()));
    }
    assert_eq!(node.finds(), before + 5);
    node.store.heal();
    node.warm(&key).await;
}

#[tokio::test]
async fn with_no_staleness_allowed_every_check_reads() {
    let node = Node::over(Faults::over(MemoryStore::new()), |builder| {
        builder.caching(CacheConfig::default().max_staleness(Duration::ZERO))
    });
    let key = node.key("ada", NewKey::default()).await;
    node.sakms.catch_up().await.unwrap();
    for reads in 1..4 {
        assert_eq!(node.check(&key).await.unwrap(), Ok(()));
        assert_eq!(node.finds(), reads);
    }
}

#[tokio::test]
async fn a_wall_clock_that_is_set_back_makes_nothing_younger() {
    let node = Node::new();
    let key = node.key("ada", NewKey::default()).await;
    node.warm(&key).await;
    node.clock.advance(Duration::from_secs(6));
    node.clock.set(fixtures::START);
    assert!(!node.sakms.journal_status().trusted);
}

#[tokio::test]
async fn a_store_that_was_restored_from_a_backup_is_noticed() {
    let (backup, live) = (MemoryStore::new(), MemoryStore::new());
    let node = Node::over(Faults::over(live.clone()), |builder| builder);
    let key = node.key("ada", NewKey::default()).await;
    node.warm(&key).await;
    // The backup holds another history: its journal is longer, and its last rows are others.
    let elsewhere = Node::over(Faults::over(backup.clone()), |builder| builder);
    for owner in ["eve", "mal", "zoe"] {
        elsewhere.key(owner, NewKey::default()).await;
    }
    live.restore(&backup);
    node.sakms.catch_up().await.unwrap();
    assert_eq!(node.check(&key).await.unwrap(), Err(KeyDenial::Unknown));
}

#[tokio::test]
async fn a_reading_that_began_before_a_revocation_is_not_believed_after_it() {
    let node = Node::new();
    let key = node.key("ada", NewKey::default()).await;
    node.sakms.catch_up().await.unwrap();
    node.store.inject_into(StoreMethod::Find, Fault::StallAfter);
    let (sakms, text) = (
        node.sakms.clone(),
        PresentedKey::new(key.text.expose().to_owned()),
    );
    let slow = tokio::spawn(async move {
        let verdict = sakms.verify(&text, &Requirement::any_key()).await;
        verdict.unwrap().map(drop).into_result()
    });
    while node.finds() == 0 {
        tokio::task::yield_now().await;
    }
    node.revoke(&key).await;
    node.store.heal();
    // It may have been let in, for it came before the revocation; what it read may not let in anybody else.
    let first = slow.await.unwrap();
    assert!(matches!(first, Ok(()) | Err(KeyDenial::Revoked)));
    assert_eq!(node.check(&key).await.unwrap(), Err(KeyDenial::Revoked));
}

#[tokio::test]
async fn many_checks_of_a_cold_key_read_it_once() {
    let node = Node::new();
    let key = node.key("ada", NewKey::default()).await;
    node.sakms.catch_up().await.unwrap();
    let checks = (0..64).map(|_| node.check(&key));
    for outcome in futures_util::future::join_all(checks).await {
        assert_eq!(outcome.unwrap(), Ok(()));
    }
    assert_eq!(node.finds(), 1);
}

#[tokio::test]
async fn a_flood_of_unknown_keys_pushes_out_no_key() {
    let node = Node::over(Faults::over(MemoryStore::new()), |builder| {
        builder.caching(
            CacheConfig::default()
                .keys(64)
                .denials(16)
                .follow_every(Duration::from_hours(1)),
        )
    });
    // Minted by the same master key over another store: genuine in all but that nobody has them.
    let elsewhere = Node::new();
    let key = node.key("ada", NewKey::default()).await;
    node.warm(&key).await;
    for _ in 0..200 {
        let unknown = elsewhere.key("eve", NewKey::default()).await;
        assert_eq!(node.check(&unknown).await.unwrap(), Err(KeyDenial::Unknown));
    }
    let before = node.finds();
    assert_eq!(node.check(&key).await.unwrap(), Ok(()));
    assert_eq!(node.finds(), before);
}

#[tokio::test]
async fn an_unknown_key_is_looked_up_once_until_another_key_is_made() {
    let node = Node::new();
    let unknown = Node::new().key("eve", NewKey::default()).await;
    node.sakms.catch_up().await.unwrap();
    for _ in 0..10 {
        assert_eq!(node.check(&unknown).await.unwrap(), Err(KeyDenial::Unknown));
    }
    assert_eq!(node.finds(), 1);
    node.key("ada", NewKey::default()).await;
    assert_eq!(node.check(&unknown).await.unwrap(), Err(KeyDenial::Unknown));
    assert_eq!(node.finds(), 2);
}

/// The wall clock may be set while no time goes by: what depends on it does not wait for time to go by.
#[tokio::test]
async fn an_end_is_seen_at_once_when_the_clock_is_set() {
    let node = Node::new();
    let mut new = NewKey::default();
    new.expires_at = fixtures::START.checked_add(Duration::from_secs(2));
    let end = new.expires_at.unwrap();
    let key = node.key("ada", new).await;
    for _ in 0..3 {
        node.warm(&key).await;
    }
    node.clock.set(end);
    assert_eq!(node.check(&key).await.unwrap(), Err(KeyDenial::Expired));
    node.clock.set(fixtures::START);
    assert_eq!(node.check(&key).await.unwrap(), Ok(()));
}

#[tokio::test]
async fn uses_are_counted_on_the_warm_path_and_kept_when_they_cannot_be_stored() {
    let node = Node::new();
    let key = node.key("ada", NewKey::default()).await;
    node.warm(&key).await;
    node.store.inject_into(
        StoreMethod::RecordUses,
        Fault::Before(StoreErrorKind::Unavailable),
    );
    assert!(node.sakms.flush().await.is_err());
    node.clock.advance(Duration::from_secs(1));
    node.check(&key).await.unwrap().unwrap();
    node.store.heal();
    node.sakms.flush().await.unwrap();
    let record = node.store.get(key.id).await.unwrap().unwrap();
    assert_eq!(
        record.last_used_at,
        fixtures::START.checked_add(Duration::from_secs(1))
    );
    node.sakms.flush().await.unwrap();
    assert_eq!(
        node.store.calls(StoreMethod::RecordUses),
        2,
        "nothing is written where nothing was used"
    );
}

/// What may happen to three keys of two owners on two nodes.
#[derive(Debug, Clone, Copy)]
enum Step {
    Check { node: usize, key: usize },
    Revoke { node: usize, key: usize },
    Disable { node: usize, owner: usize },
    Enable { node: usize, owner: usize },
    CatchUp { node: usize },
    Advance,
    JournalAway,
    Heal,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let node = 0_usize..2;
    let step = prop_oneof![
        6 => (node.clone(), 0_usize..3).prop_map(|(node, key)| Step::Check { node, key }),
        1 => (node.clone(), 0_usize..3).prop_map(|(node, key)| Step::Revoke { node, key }),
        1 => (node.clone(), 0_usize..2).prop_map(|(node, owner)| Step::Disable { node, owner }),
        1 => (node.clone(), 0_usize..2).prop_map(|(node, owner)| Step::Enable { node, owner }),
        2 => node.prop_map(|node| Step::CatchUp { node }),
        1 => Just(Step::Advance),
        1 => Just(Step::JournalAway),
        1 => Just(Step::Heal),
    ];
    prop::collection::vec(step, 1..80)
}

/// What is true, and since when each node must know: what a node did itself and what it has read of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Truth {
    revoked: [bool; 3],
    disabled: [bool; 2],
}

impl Truth {
    const OWNER_OF: [usize; 3] = [0, 0, 1];

    fn answer(self, key: usize) -> Result<(), KeyDenial> {
        match () {
            () if self.revoked[key] => Err(KeyDenial::Revoked),
            () if self.disabled[Self::OWNER_OF[key]] => Err(KeyDenial::OwnerDisabled),
            () => Ok(()),
        }
    }
}

async fn run(steps: Vec<Step>) -> Result<(), TestCaseError> {
    const OWNERS: [&str; 2] = ["ada", "bob"];
    let first = Node::new();
    let second = Node::over(first.store.clone(), |builder| builder);
    let nodes = [first, second];
    let mut keys = Vec::new();
    for owner in Truth::OWNER_OF {
        keys.push(nodes[0].key(OWNERS[owner], NewKey::default()).await);
    }
    let mut truth = Truth {
        revoked: [false; 3],
        disabled: [false; 2],
    };
    // Everything that was true since a node last knew for certain: any of it is an answer that node may give.
    let mut possible = [vec![truth], vec![truth]];
    for step in steps {
        match step {
            Step::Check { node, key } => {
                let answer = nodes[node].check(&keys[key]).await.unwrap();
                let allowed: Vec<_> = possible[node].iter().map(|then| then.answer(key)).collect();
                prop_assert!(
                    allowed.contains(&answer),
                    "{answer:?} is none of {allowed:?}"
                );
                let fresh = nodes[node].sakms.journal_status().trusted;
                prop_assert!(fresh || answer == truth.answer(key));
            }
            Step::Revoke { node, key } => {
                nodes[node].revoke(&keys[key]).await;
                truth.revoked[key] = true;
                // The node that did it knows of it, whatever else it does not know.
                for then in &mut possible[node] {
                    then.revoked[key] = true;
                }
            }
            Step::Disable { node, owner } | Step::Enable { node, owner } => {
                let name = OWNERS[owner].parse().unwrap();
                let disable = matches!(step, Step::Disable { .. });
                let sakms = &nodes[node].sakms;
                if disable {
                    sakms.disable_owner(&name, Actor::SYSTEM).await.unwrap();
                } else {
                    sakms.enable_owner(&name, Actor::SYSTEM).await.unwrap();
                }
                truth.disabled[owner] = disable;
                for then in &mut possible[node] {
                    then.disabled[owner] = disable;
                }
            }
            Step::CatchUp { node } => {
                if nodes[node].sakms.catch_up().await.is_ok() {
                    possible[node].clear();
                }
            }
            Step::Advance => {
                for node in &nodes {
                    node.clock.advance(Duration::from_secs(3));
                }
            }
            Step::JournalAway => nodes[0].store.inject_into(
                StoreMethod::JournalAfter,
                Fault::Before(StoreErrorKind::Unavailable),
            ),
            Step::Heal => nodes[0].store.heal(),
        }
        for possible in &mut possible {
            if !possible.contains(&truth) {
                possible.push(truth);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever happens in whatever order, no node says what was not true at some time since it last read the journal,
    /// and none takes back what it was told itself.
    #[test]
    fn no_node_says_what_is_no_longer_true(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(steps))?;
    }
}
