//! What is remembered of keys, held against what is true: on the memory store, with faults in front of it.
#![cfg(feature = "testkit")]
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod model;
mod node;

use std::time::Duration;

use sakms_core::journal::Actor;
use sakms_core::secret::PresentedKey;
use sakms_core::service::{CacheConfig, KeyDenial, NewKey, Requirement};
use sakms_core::store::{KeyStore, MemoryStore, StoreErrorKind};
use sakms_core::testkit::faults::{Fault, Faults, StoreMethod};
use sakms_core::testkit::fixtures;

use node::{Node, is_unavailable};

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
