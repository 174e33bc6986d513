//! Keys that sign, in the store: made once, followed by every node, changed without a valid token being refused.
#![cfg(feature = "testkit")]
#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

#[cfg(any(feature = "mariadb", feature = "sqlite"))]
mod common;

use std::sync::Arc;
use std::time::Duration;

use sakms_core::clock::{Clock as _, ManualClock};
use sakms_core::journal::{Action, Seq};
use sakms_core::key::{MasterKey, MasterKeys};
use sakms_core::secret::BearerToken;
use sakms_core::store::{KeyStore, MemoryStore, StateKind, StateStore, StoreErrorKind};
use sakms_core::testkit::faults::{Fault, Faults, StoreMethod};
use sakms_core::testkit::fixtures;
use sakms_core::token::{
    Jwks, JwtIssuer, KeyRotation, StoredIssuer, TokenAlgorithm, TokenDenial, TokenError,
    TokenIssuer as _, TokenRequest,
};
use sakms_core::verdict::Verdict;

const LIFETIME: Duration = Duration::from_mins(15);
const MASTER: [u8; 32] = *b"0123456789abcdefghijklmnopqrstuv";
const OTHER: [u8; 32] = *b"vutsrqponmlkjihgfedcba9876543210";

fn master(bytes: [u8; 32]) -> MasterKey {
    MasterKey::from_bytes(bytes).unwrap()
}

async fn opened(
    store: impl StateStore,
    clock: &Arc<ManualClock>,
    keys: &MasterKeys,
) -> Result<StoredIssuer, TokenError> {
    let clock = Arc::clone(clock);
    let settings = JwtIssuer::settings().audience("acme").lifetime(LIFETIME);
    StoredIssuer::open(store, keys, settings.clock(clock), KeyRotation::default()).await
}

async fn node(store: impl StateStore, clock: &Arc<ManualClock>) -> StoredIssuer {
    opened(store, clock, &master(MASTER).into()).await.unwrap()
}

async fn token(node: &StoredIssuer) -> BearerToken {
    let request = TokenRequest::new("ada".parse().unwrap());
    node.issue(&request).await.unwrap().into_token()
}

/// Why a token is denied; `None` when it is good.
async fn denied(node: &StoredIssuer, token: &BearerToken) -> Option<TokenDenial> {
    match node.verify(token).await.unwrap() {
        Verdict::Granted(_) => None,
        Verdict::Denied(reason) => Some(reason),
    }
}

/// The name of the key that a node signs with.
fn signing(node: &StoredIssuer) -> String {
    let keys = node.keys();
    let mut signing = keys.iter().filter(|key| key.signs);
    let kid = signing.next().unwrap().kid.clone();
    assert!(signing.next().is_none());
    kid
}

fn published(node: &StoredIssuer) -> Vec<String> {
    let jwks: Jwks = node.jwks().unwrap();
    jwks.keys().iter().map(|key| key.kid().to_owned()).collect()
}

async fn nodes_that_start_at_once_sign_with_one_key<S: StateStore + KeyStore + Clone>(store: S) {
    let clock = Arc::new(fixtures::clock());
    let starting = (0..8).map(|_| {
        let (store, clock) = (store.clone(), Arc::clone(&clock));
        tokio::spawn(async move { node(store, &clock).await })
    });
    let mut nodes = Vec::new();
    for one in starting.collect::<Vec<_>>() {
        nodes.push(one.await.unwrap());
    }
    let token = token(&nodes[0]).await;
    for node in &nodes {
        assert_eq!(node.keys(), nodes[0].keys());
        assert_eq!(node.keys()[0].algorithm, TokenAlgorithm::EdDsa);
        assert_eq!(denied(node, &token).await, None);
    }
    let rows = store.journal_after(Seq::START, 10).await.unwrap();
    assert_eq!(rows.len(), 1, "it was made once");
    assert_eq!(rows[0].entry.action, Action::KEYRING_ROTATE);
    assert!(rows[0].entry.detail.contains(&signing(&nodes[0])));
    // And is there after a restart.
    assert_eq!(node(store, &clock).await.keys(), nodes[0].keys());
}

/// Two nodes, of which one rotates every half hour and the other hears of it when it follows. Each signs all the time, and
/// checks what both have signed.
async fn rotation_refuses_no_valid_token<S: StateStore + Clone>(store: S) {
    let clock = Arc::new(fixtures::clock());
    let (one, other) = (
        node(store.clone(), &clock).await,
        node(store.clone(), &clock).await,
    );
    let (mut tokens, mut checked, mut kids) = (Vec::new(), 0, Vec::new());
    let algorithms = [TokenAlgorithm::Es256, TokenAlgorithm::EdDsa];
    for step in 0..720_u32 {
        clock.advance(Duration::from_secs(10));
        if step % 180 == 60 {
            let kid = one
                .rotate(algorithms[(step / 180) as usize % 2])
                .await
                .unwrap();
            assert!(published(&one).contains(&kid), "at once");
            assert_ne!(signing(&one), kid, "but it does not sign yet");
        }
        if step % 3 == 0 {
            other.follow().await.unwrap();
        }
        for node in [&one, &other] {
            let kid = signing(node);
            if !kids.iter().any(|(known, _)| *known == kid) {
                kids.push((kid.clone(), step));
            }
            // Whoever keeps a JWKS for five minutes knows the key all the same.
            assert!(published(&one).contains(&kid) && published(&other).contains(&kid));
            tokens.push((step, token(node).await));
        }
        // Good for 15 minutes: 90 steps.
        tokens.retain(|(made, _)| step < made + 90);
        for (_, token) in tokens.iter().step_by(7).chain(tokens.last()) {
            for node in [&one, &other] {
                assert_eq!(denied(node, token).await, None, "step {step}");
                checked += 1;
            }
        }
    }
    assert!(checked > 20_000, "{checked}");
    assert_eq!(kids.len(), 5, "four rotations: {kids:?}");
    for (rotated, (_, first)) in [60, 240, 420, 600].iter().zip(&kids[1..]) {
        assert_eq!(first - rotated, 36, "six minutes of notice");
    }
    // What has ended is not kept for ever: a key verifies for an hour at least, which is two rotations.
    let kept = store.states(StateKind::SigningKey, None, 99).await.unwrap();
    assert!(kept.len() <= 4, "{}", kept.len());
}

/// Both make a key, one after the other, and both nodes know both.
async fn rotations_at_once_do_not_lose_a_key<S: StateStore + Clone>(store: S) {
    let clock = Arc::new(fixtures::clock());
    let (one, other) = (
        node(store.clone(), &clock).await,
        node(store.clone(), &clock).await,
    );
    let (first, second) = tokio::join!(
        one.rotate(TokenAlgorithm::EdDsa),
        other.rotate(TokenAlgorithm::EdDsa)
    );
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_ne!(first, second);
    one.follow().await.unwrap();
    other.follow().await.unwrap();
    assert_eq!(one.keys(), other.keys());
    assert_eq!(one.keys().len(), 3);
    clock.advance(Duration::from_mins(7));
    assert!([first, second].contains(&signing(&one)));
    assert_eq!(signing(&one), signing(&other));
}

macro_rules! on {
    ($room:ident, $store:expr) => {
        mod $room {
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn nodes_that_start_at_once_sign_with_one_key() {
                let Some((store, _guard)) = $store.await else {
                    return;
                };
                super::nodes_that_start_at_once_sign_with_one_key(store).await;
            }

            #[tokio::test]
            async fn rotation_refuses_no_valid_token() {
                let Some((store, _guard)) = $store.await else {
                    return;
                };
                super::rotation_refuses_no_valid_token(store).await;
            }

            #[tokio::test]
            async fn rotations_at_once_do_not_lose_a_key() {
                let Some((store, _guard)) = $store.await else {
                    return;
                };
                super::rotations_at_once_do_not_lose_a_key(store).await;
            }
        }
    };
}

on!(memory, async { Some((crate::MemoryStore::new(), ())) });
#[cfg(feature = "sqlite")]
on!(sqlite, async {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sakms.db");
    let store = sakms_core::store::SqliteStore::open(path.to_str().unwrap()).await;
    Some((store.unwrap(), folder))
});
#[cfg(feature = "mariadb")]
on!(mariadb, async {
    match crate::common::mariadb::Database::create().await {
        Some(database) => Some((database.store().await, database)),
        None => None,
    }
});

#[tokio::test]
async fn an_old_key_verifies_until_its_last_token_has_ended_and_then_ends() {
    let (store, clock) = (MemoryStore::new(), Arc::new(fixtures::clock()));
    let node = node(store.clone(), &clock).await;
    let old = signing(&node);
    let new = node.rotate(TokenAlgorithm::Rs256).await.unwrap();
    assert_eq!(published(&node), [old.clone(), new.clone()]);
    let ends_at = node.keys()[1].ends_at.unwrap();
    let notice = KeyRotation::default().notice;
    assert!(ends_at.since(clock.now()) >= notice + LIFETIME);
    clock.advance(notice);
    assert_eq!(signing(&node), new);
    assert_eq!(published(&node), [new.clone(), old]);
    clock.set(ends_at);
    assert_eq!(published(&node), [new]);
    assert_eq!(node.keys().len(), 2, "it is told until it is taken away");
    node.rotate(TokenAlgorithm::EdDsa).await.unwrap();
    node.follow().await.unwrap();
    let kept = store.states(StateKind::SigningKey, None, 9).await.unwrap();
    assert_eq!((kept.len(), node.keys().len()), (2, 2));
}

#[tokio::test]
async fn an_emergency_voids_every_token_there_is() {
    let (store, clock) = (MemoryStore::new(), Arc::new(fixtures::clock()));
    let (one, other) = (
        node(store.clone(), &clock).await,
        node(store.clone(), &clock).await,
    );
    let pending = one.rotate(TokenAlgorithm::EdDsa).await.unwrap();
    let before = token(&one).await;
    clock.advance(Duration::from_secs(5));
    let kid = one.rotate_now(TokenAlgorithm::EdDsa).await.unwrap();
    assert_eq!(signing(&one), kid);
    assert_eq!(published(&one), std::slice::from_ref(&kid));
    assert_eq!(denied(&one, &before).await, Some(TokenDenial::RetiredKey));
    let after = token(&one).await;
    // The other hears of it by the name of the key, before it follows.
    assert_ne!(signing(&other), kid);
    assert_eq!(denied(&other, &after).await, None);
    // Its key is taken away already.
    assert_eq!(denied(&other, &before).await, Some(TokenDenial::UnknownKey));
    assert_eq!(signing(&other), kid);
    // The one that was under way never signs.
    clock.advance(Duration::from_mins(30));
    assert_eq!(signing(&one), kid);
    assert!(!published(&one).contains(&pending));
}

#[tokio::test]
async fn unknown_keys_cost_a_reading_a_second_at_most() {
    let (store, clock) = (
        Faults::over(MemoryStore::new()),
        Arc::new(fixtures::clock()),
    );
    let node_here = node(store.clone(), &clock).await;
    let strange = token(&node(MemoryStore::new(), &clock).await).await;
    for round in 0..3 {
        clock.advance(Duration::from_secs(1));
        store.forget_calls();
        let all: Vec<_> = (0..100)
            .map(|_| {
                let (node, token) = (node_here.clone(), BearerToken::new(strange.expose().into()));
                tokio::spawn(async move { denied(&node, &token).await })
            })
            .collect();
        for one in all {
            assert_eq!(one.await.unwrap(), Some(TokenDenial::UnknownKey));
        }
        assert_eq!(store.calls(StoreMethod::States), 1, "round {round}");
    }
    store.forget_calls();
    let good = token(&node_here).await;
    clock.advance(Duration::from_secs(9));
    assert_eq!(denied(&node_here, &good).await, None);
    assert_eq!(store.all_calls(), 0, "a known key costs none");
}

#[tokio::test]
async fn without_the_database_nodes_go_on_with_what_they_know() {
    let (memory, clock) = (MemoryStore::new(), Arc::new(fixtures::clock()));
    let store = Faults::over(memory.clone());
    let (one, other) = (
        node(store.clone(), &clock).await,
        node(memory, &clock).await,
    );
    let kid = one.rotate(TokenAlgorithm::EdDsa).await.unwrap();
    store.inject(Fault::Before(StoreErrorKind::Unavailable));
    let before = token(&one).await;
    clock.advance(KeyRotation::default().notice);
    assert!(one.follow().await.is_err());
    assert!(one.rotate(TokenAlgorithm::EdDsa).await.is_err());
    assert_eq!(signing(&one), kid, "the time has come, with or without it");
    let after = token(&one).await;
    assert_eq!(denied(&one, &before).await, None);
    assert_eq!(denied(&one, &after).await, None);
    // That a key is unknown cannot be said by who cannot look.
    other.rotate_now(TokenAlgorithm::EdDsa).await.unwrap();
    let unknown = token(&other).await;
    assert!(one.verify(&unknown).await.is_err());
    clock.advance(Duration::from_secs(2));
    assert!(one.verify(&unknown).await.is_err());
    store.heal();
    clock.advance(Duration::from_secs(2));
    assert_eq!(denied(&one, &unknown).await, None);
}

#[tokio::test]
async fn keys_are_sealed_under_the_master_key() {
    let (store, clock) = (MemoryStore::new(), Arc::new(fixtures::clock()));
    let first = node(store.clone(), &clock).await;
    let other = opened(store.clone(), &clock, &master(OTHER).into()).await;
    let said = std::error::Error::source(&other.unwrap_err())
        .unwrap()
        .to_string();
    assert!(said.contains("master key"), "{said}");
    let kept = store.states(StateKind::SigningKey, None, 9).await.unwrap();
    assert_eq!(kept.len(), 1, "and it made none of its own");
    // A retired master key opens what it sealed; the current one seals what comes next.
    let both = MasterKeys::new(master(OTHER))
        .retire(master(MASTER))
        .unwrap();
    let second = opened(store.clone(), &clock, &both).await.unwrap();
    assert_eq!(second.keys(), first.keys());
    let kid = second.rotate(TokenAlgorithm::EdDsa).await.unwrap();
    let third = opened(store, &clock, &master(OTHER).into()).await.unwrap();
    assert_eq!(signing(&third), kid);
    assert!(!format!("{third:?}").contains("pkcs8"));
}

#[tokio::test]
async fn settings_that_make_no_sense_are_refused_and_change_nothing() {
    let (store, clock) = (MemoryStore::new(), Arc::new(fixtures::clock()));
    let keys: MasterKeys = master(MASTER).into();
    let mut rotation = KeyRotation::default();
    rotation.notice = rotation.follow;
    let settings = JwtIssuer::settings().audience("acme");
    let refused = StoredIssuer::open(store.clone(), &keys, settings, rotation).await;
    assert!(refused.is_err());
    let nameless = JwtIssuer::settings();
    let refused = StoredIssuer::open(store.clone(), &keys, nameless, KeyRotation::default()).await;
    assert!(refused.is_err());
    assert!(JwtIssuer::settings().audience("acme").build().is_err());
    assert_eq!(store.journal_head().await.unwrap().seq, Seq::START);
    let node = node(store.clone(), &clock).await;
    assert!(node.rotate(TokenAlgorithm::Hs256).await.is_err());
    assert_eq!(node.keys().len(), 1);
}
