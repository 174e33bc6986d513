//! Hashes made anew on use: on the memory store, with faults in front of it.
#![cfg(feature = "testkit")]
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::sync::Arc;
use std::time::Duration;

use sakms_core::clock::ManualClock;
use sakms_core::entropy::OsEntropy;
use sakms_core::hash::{Argon2Params, HashPoolConfig, KeyHasher};
use sakms_core::id::{AccountId, SecretId};
use sakms_core::journal::{Action, Actor, JournalEntry, Seq, Subject};
use sakms_core::key::{KeyRecord, MasterKey, MasterKeys};
use sakms_core::secret::{Password, PresentedKey};
use sakms_core::service::{Caller, KeyDenial, LoginDenial, NewKey, Requirement, Sakms, SignedIn};
use sakms_core::store::{AccountStore as _, KeyStore as _, MemoryStore, StoreErrorKind};
use sakms_core::testkit::faults::{Fault, Faults, StoreMethod};
use sakms_core::testkit::fixtures;
use sakms_core::token::{HmacSecret, JwtIssuer, Keyring};

const OLD_MASTER: [u8; 32] = *b"0123456789abcdefghijklmnopqrstuv";
const NEW_MASTER: [u8; 32] = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZ987654";
const EMAIL: &str = "ada@example.com";

fn master(bytes: [u8; 32]) -> MasterKey {
    MasterKey::from_bytes(bytes).unwrap()
}

fn rotated() -> MasterKeys {
    let ring = MasterKeys::new(master(NEW_MASTER));
    ring.retire(master(OLD_MASTER)).unwrap()
}

fn quick() -> HashPoolConfig {
    HashPoolConfig::default()
        .params(Argon2Params::insecure_fast())
        .key_threads(1)
        .password_threads(1)
        .deadline(Duration::from_mins(1))
}

fn raised() -> HashPoolConfig {
    quick().params(Argon2Params::new(12_288, 3, 1).unwrap())
}

fn keyed() -> HashPoolConfig {
    quick().key_hasher(KeyHasher::HmacSha256)
}

fn password(text: &str) -> Password {
    Password::new(text.to_owned())
}

fn right() -> Password {
    password("violet tram kettle oak")
}

/// A service with a configuration of its own over a store that others share, by a clock that stands still.
struct Node {
    sakms: Sakms,
    store: Faults,
    clock: Arc<ManualClock>,
}

impl Node {
    fn new(store: &Faults, masters: impl Into<MasterKeys>, hashing: HashPoolConfig) -> Self {
        let clock = Arc::new(fixtures::clock());
        let issuer = JwtIssuer::builder(Keyring::hs256(HmacSecret::generate(&OsEntropy).unwrap()))
            .audience("sakms")
            .clock(Arc::clone(&clock) as _);
        let sakms = Sakms::builder(store.clone(), masters)
            .clock(Arc::clone(&clock) as _)
            .accounts(store.clone())
            .token_issuer(issuer.build().unwrap())
            .hashing(hashing)
            .build();
        Self {
            sakms: sakms.unwrap(),
            store: store.clone(),
            clock,
        }
    }

    async fn key(&self) -> Key {
        let caller = Caller::owner("ada".parse().unwrap());
        let created = self.sakms.create_key(&caller, NewKey::default()).await;
        let created = created.unwrap();
        let rows = self.store.journal_after(Seq::START, 1_000).await.unwrap();
        let (_, secret) = rows
            .last()
            .unwrap()
            .entry
            .detail
            .split_once("secret=")
            .unwrap();
        Key {
            secret: secret.parse().unwrap(),
            record: created.key,
            text: PresentedKey::new(created.text.expose().to_owned()),
        }
    }

    /// Checks a key, and waits for what that sets off.
    async fn check(&self, key: &Key) -> Result<(), KeyDenial> {
        let verdict = self.sakms.verify(&key.text, &Requirement::any_key()).await;
        self.sakms.flush().await.unwrap();
        verdict.unwrap().map(drop).into_result()
    }

    async fn login(&self, password: &Password) -> Result<SignedIn, LoginDenial> {
        let verdict = self.sakms.login(EMAIL, password).await;
        self.sakms.flush().await.unwrap();
        verdict.unwrap().into_result()
    }

    async fn hash_of(&self, key: &Key) -> String {
        let found = self.store.find(key.secret).await.unwrap().unwrap();
        found.secret.hash.as_str().to_owned()
    }

    async fn last_entry(&self) -> JournalEntry {
        let rows = self.store.journal_after(Seq::START, 1_000).await.unwrap();
        rows.last().unwrap().entry.clone()
    }

    fn replacements(&self) -> u64 {
        self.store.calls(StoreMethod::ReplaceHash)
    }
}

struct Key {
    record: KeyRecord,
    secret: SecretId,
    text: PresentedKey,
}

fn store() -> Faults {
    Faults::over(MemoryStore::new())
}

#[tokio::test]
async fn a_key_that_is_used_gets_the_hash_that_new_keys_get() {
    type Setup = (MasterKeys, HashPoolConfig);
    let one = || MasterKeys::new(master(OLD_MASTER));
    let cases: [(Setup, Setup, &str); 4] = [
        (
            (one(), quick()),
            (one(), raised()),
            "$argon2id$v=19$m=12288,t=3,p=1$",
        ),
        ((one(), quick()), (one(), keyed()), "$hmac-sha256$k="),
        (
            (one(), keyed()),
            (one(), quick()),
            "$argon2id$v=19$m=8,t=1,p=1$",
        ),
        ((one(), keyed()), (rotated(), keyed()), "$hmac-sha256$k="),
    ];
    for ((masters, hashing), (new_masters, new_hashing), made) in cases {
        let store = store();
        let key = Node::new(&store, masters, hashing).key().await;
        let node = Node::new(&store, new_masters, new_hashing);
        let before = node.hash_of(&key).await;
        node.sakms.catch_up().await.unwrap();

        assert_eq!(node.check(&key).await, Ok(()));
        let after = node.hash_of(&key).await;
        assert_ne!(before, after);
        assert!(after.starts_with(made), "{after}");
        let entry = node.last_entry().await;
        assert_eq!(entry.action, Action::KEY_REHASH);
        assert_eq!(
            (entry.actor, entry.subject),
            (Actor::SYSTEM, Subject::key(key.record.id))
        );
        assert_eq!(entry.detail, format!("secret={}", key.secret));
        let found = node.store.get(key.record.id).await.unwrap().unwrap();
        assert_eq!(
            found.revision, key.record.revision,
            "not a change of the key"
        );

        // It is what a new one would be: nothing is left to do, here or on a node that knows nothing yet.
        node.sakms.catch_up().await.unwrap();
        assert_eq!(node.check(&key).await, Ok(()));
        assert_eq!(node.hash_of(&key).await, after);
        assert_eq!(node.replacements(), 1);
    }
}

#[tokio::test]
async fn a_hash_that_is_as_new_ones_are_stays() {
    for hashing in [quick(), keyed()] {
        let node = Node::new(&store(), master(OLD_MASTER), hashing);
        let key = node.key().await;
        for _ in 0..3 {
            assert_eq!(node.check(&key).await, Ok(()));
        }
        assert_eq!(node.replacements(), 0);
    }
}

#[tokio::test]
async fn a_key_that_is_refused_is_left_alone() {
    let store = store();
    let old = Node::new(&store, master(OLD_MASTER), quick());
    let key = old.key().await;
    let caller = Caller::owner(key.record.owner.clone());
    old.sakms.revoke_key(&caller, key.record.id).await.unwrap();
    let node = Node::new(&store, master(OLD_MASTER), keyed());
    assert_eq!(node.check(&key).await, Err(KeyDenial::Revoked));
    assert_eq!(node.replacements(), 0);
}

#[tokio::test]
async fn what_fails_is_nobodys_error_and_is_tried_at_a_later_use() {
    for kind in [StoreErrorKind::Unavailable, StoreErrorKind::Stale] {
        let store = store();
        let key = Node::new(&store, master(OLD_MASTER), quick()).key().await;
        let node = Node::new(&store, master(OLD_MASTER), keyed());
        node.sakms.catch_up().await.unwrap();
        let before = node.hash_of(&key).await;
        store.inject_next(StoreMethod::ReplaceHash, 1, Fault::Before(kind));
        for _ in 0..5 {
            assert_eq!(node.check(&key).await, Ok(()));
        }
        assert_eq!(node.replacements(), 1, "not again at once");
        assert_eq!(node.hash_of(&key).await, before);
        node.clock.advance(Duration::from_secs(1));
        assert_eq!(
            node.check(&key).await,
            Ok(()),
            "from memory, with the old hash"
        );
        assert_eq!(node.replacements(), 2);
        assert_ne!(node.hash_of(&key).await, before);
        assert_eq!(node.check(&key).await, Ok(()));
    }
}

#[tokio::test]
async fn nobody_waits_for_it_and_it_is_done_once_at_a_time() {
    let store = store();
    let old = Node::new(&store, master(OLD_MASTER), quick());
    let keys = [old.key().await, old.key().await];
    let node = Node::new(&store, master(OLD_MASTER), keyed());
    node.sakms.catch_up().await.unwrap();
    store.inject_into(StoreMethod::ReplaceHash, Fault::Stall);
    let any = Requirement::any_key();
    for _ in 0..50 {
        for key in &keys {
            let verdict = node.sakms.verify(&key.text, &any).await.unwrap();
            assert!(verdict.is_granted());
        }
    }
    while node.replacements() == 0 {
        tokio::task::yield_now().await;
    }
    for key in &keys {
        let verdict = node.sakms.verify(&key.text, &any).await.unwrap();
        assert!(verdict.is_granted(), "while the store hangs");
    }
    assert_eq!(node.replacements(), 1);
    store.heal();
    node.sakms.flush().await.unwrap();
    for key in &keys {
        assert_eq!(node.check(key).await, Ok(()));
    }
    assert_eq!(node.replacements(), 2, "the other one's turn");
}

#[tokio::test]
async fn a_revocation_meanwhile_stands() {
    let store = store();
    let key = Node::new(&store, master(OLD_MASTER), quick()).key().await;
    let node = Node::new(&store, master(OLD_MASTER), keyed());
    node.sakms.catch_up().await.unwrap();
    store.inject_into(StoreMethod::ReplaceHash, Fault::Stall);
    let verdict = node.sakms.verify(&key.text, &Requirement::any_key()).await;
    assert!(verdict.unwrap().is_granted());
    while node.replacements() == 0 {
        tokio::task::yield_now().await;
    }
    let caller = Caller::owner(key.record.owner.clone());
    node.sakms.revoke_key(&caller, key.record.id).await.unwrap();
    store.heal();
    assert_eq!(node.check(&key).await, Err(KeyDenial::Revoked));
    assert!(node.hash_of(&key).await.starts_with("$hmac-sha256$"));
    let found = node.store.get(key.record.id).await.unwrap().unwrap();
    assert!(found.revoked_at.is_some());
}

#[tokio::test]
async fn a_node_that_remembers_the_old_hash_goes_on_answering() {
    let store = store();
    let old = Node::new(&store, master(OLD_MASTER), quick());
    let key = old.key().await;
    old.sakms.catch_up().await.unwrap();
    assert_eq!(old.check(&key).await, Ok(()));
    let new = Node::new(
        &store,
        master(OLD_MASTER),
        quick().params(raised_a_little()),
    );
    assert_eq!(new.check(&key).await, Ok(()));
    assert_eq!(new.replacements(), 1);
    assert_eq!(old.check(&key).await, Ok(()));
    old.sakms.catch_up().await.unwrap();
    assert_eq!(old.check(&key).await, Ok(()));
}

fn raised_a_little() -> Argon2Params {
    Argon2Params::new(12_288, 3, 2).unwrap()
}

#[tokio::test]
async fn nodes_that_are_configured_otherwise_do_not_fight_over_a_key() {
    let store = store();
    let nodes = [
        Node::new(&store, master(OLD_MASTER), quick()),
        Node::new(&store, master(OLD_MASTER), keyed()),
    ];
    let key = nodes[0].key().await;
    for _ in 0..10 {
        for node in &nodes {
            node.sakms.catch_up().await.unwrap();
            assert_eq!(node.check(&key).await, Ok(()));
        }
    }
    assert_eq!(nodes[0].replacements(), 2, "each had it as it likes once");
    for node in &nodes {
        node.clock.advance(Duration::from_hours(1));
        node.sakms.catch_up().await.unwrap();
        assert_eq!(node.check(&key).await, Ok(()));
    }
    assert_eq!(nodes[0].replacements(), 3);
}

#[tokio::test]
async fn at_the_next_sign_in_a_password_gets_the_parameters_of_now() {
    let store = store();
    let old = Node::new(&store, master(OLD_MASTER), quick());
    let id = old.sakms.register(EMAIL, &right()).await.unwrap();
    let account = async |id: AccountId| store.account(id).await.unwrap().unwrap();
    let before = account(id).await;
    let replacements = || store.calls(StoreMethod::ReplacePasswordHash);
    assert!(old.login(&right()).await.is_ok());

    let new = Node::new(
        &store,
        master(OLD_MASTER),
        raised().key_hasher(KeyHasher::HmacSha256),
    );
    let wrong = password("violet tram kettle elm");
    assert_eq!(new.login(&wrong).await.unwrap_err(), LoginDenial);
    assert_eq!(replacements(), 0);
    store.inject_next(
        StoreMethod::ReplacePasswordHash,
        1,
        Fault::Before(StoreErrorKind::Unavailable),
    );
    let token = new.login(&right()).await.unwrap();
    assert_eq!(
        (account(id).await, replacements()),
        (before.clone(), 1),
        "it failed, unseen"
    );

    assert!(new.login(&right()).await.is_ok());
    let after = account(id).await;
    let hash = after.password_hash.as_str();
    assert!(
        hash.starts_with("$argon2id$v=19$m=12288,t=3,p=1$"),
        "{hash}"
    );
    assert_eq!(after.revision, before.revision, "not another password");
    let entry = new.last_entry().await;
    assert_eq!(entry.action, Action::ACCOUNT_REHASH);
    assert_eq!(
        (entry.actor, entry.subject),
        (Actor::SYSTEM, Subject::account(id))
    );
    let caller = new.sakms.authenticate(token.token()).await.unwrap();
    assert!(caller.is_granted(), "whoever was signed in still is");

    assert!(new.login(&right()).await.is_ok());
    assert_eq!(new.login(&wrong).await.unwrap_err(), LoginDenial);
    assert_eq!(replacements(), 2);
}

/// Whoever can write to the database must not turn a password into something quick to guess.
#[tokio::test]
async fn a_password_stored_as_a_keyed_hash_is_an_error_and_no_answer() {
    let store = store();
    let node = Node::new(&store, master(OLD_MASTER), keyed());
    let key = node.key().await;
    let id = node.sakms.register(EMAIL, &right()).await.unwrap();
    let account = store.account(id).await.unwrap().unwrap();
    let keyed = store.find(key.secret).await.unwrap().unwrap().secret.hash;
    let entry = fixtures::password_rehashed(id);
    store
        .replace_password_hash(id, &account.password_hash, &keyed, &entry)
        .await
        .unwrap();
    assert!(node.sakms.login(EMAIL, &right()).await.is_err());
}

#[tokio::test]
async fn a_key_under_a_pepper_that_is_gone_is_an_error_and_no_answer() {
    let store = store();
    let newer = Node::new(&store, rotated(), keyed());
    let key = Node::new(&store, master(OLD_MASTER), keyed()).key().await;
    assert_eq!(newer.check(&key).await, Ok(()));
    // A node that does not know the new master key as yet: it made the text, and cannot read the hash.
    let older = Node::new(&store, master(OLD_MASTER), keyed());
    let answer = older.sakms.verify(&key.text, &Requirement::any_key()).await;
    assert!(answer.is_err());
}
