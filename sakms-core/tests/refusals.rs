//! Refused attempts in the journal, through the service: on the memory store, with faults in front of it.
#![cfg(feature = "testkit")]
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::sync::Arc;
use std::time::Duration;

use sakms_core::clock::ManualClock;
use sakms_core::hash::{Argon2Params, HashPoolConfig};
use sakms_core::journal::{Actor, JournalRow, Seq};
use sakms_core::key::{MasterKey, Owner};
use sakms_core::secret::{Password, PresentedKey};
use sakms_core::service::{
    CacheConfig, Caller, CreatedKey, Error, KeyDenial, NewKey, Requirement, Sakms,
};
use sakms_core::store::{KeyStore, MemoryStore, StoreErrorKind};
use sakms_core::testkit::faults::{Fault, Faults, StoreMethod};
use sakms_core::testkit::fixtures;
use sakms_core::token::{HmacSecret, JwtIssuer, Keyring};

struct Node {
    sakms: Sakms,
    store: Faults,
    clock: Arc<ManualClock>,
}

impl Node {
    fn new() -> Self {
        Self::over(Faults::over(MemoryStore::new()))
    }

    fn over(store: Faults) -> Self {
        let clock = Arc::new(fixtures::clock());
        let master = MasterKey::from_bytes(*b"0123456789abcdefghijklmnopqrstuv").unwrap();
        let hashing = HashPoolConfig::default()
            .params(Argon2Params::insecure_fast())
            .key_threads(1)
            .password_threads(1);
        let secret = HmacSecret::from_bytes(b"kB3rVw9pTz6mXc1qHs8dLf4gNj7uYe2aRo5iKx0").unwrap();
        let issuer = JwtIssuer::builder(Keyring::hs256(secret))
            .audience("test")
            .build();
        // The journal is read, and what waits is written, when a test says so.
        let caching = CacheConfig::default().follow_every(Duration::from_hours(1));
        let sakms = Sakms::builder(store.clone(), master)
            .accounts(store.clone())
            .token_issuer(issuer.unwrap())
            .clock(Arc::clone(&clock) as _)
            .caching(caching)
            .usage_interval(Duration::from_hours(1))
            .hashing(hashing)
            .build()
            .unwrap();
        Self {
            sakms,
            store,
            clock,
        }
    }

    async fn key(&self, owner: &str) -> CreatedKey {
        let owner: Owner = owner.parse().unwrap();
        self.sakms
            .create_key(&Caller::owner(owner), NewKey::default())
            .await
            .unwrap()
    }

    async fn check(&self, key: &CreatedKey, requirement: &Requirement) -> Option<KeyDenial> {
        let presented = PresentedKey::new(key.text.expose().to_owned());
        self.sakms
            .verify(&presented, requirement)
            .await
            .unwrap()
            .into_result()
            .err()
    }

    async fn revoke(&self, key: &CreatedKey) {
        let caller = Caller::owner(key.key.owner.clone());
        self.sakms.revoke_key(&caller, key.key.id).await.unwrap();
    }

    /// Every entry about something that was refused.
    async fn refusals(&self) -> Vec<JournalRow> {
        let mut rows = self.store.journal_after(Seq::START, 10_000).await.unwrap();
        rows.retain(|row| row.entry.action.changes_nothing());
        rows
    }

    async fn lines(&self) -> Vec<String> {
        let line = |row: &JournalRow| {
            let detail = row.entry.detail.split(" since=").next().unwrap().to_owned();
            format!("{} {} {detail}", row.entry.action, row.entry.subject)
        };
        self.refusals().await.iter().map(line).collect()
    }
}

#[tokio::test]
async fn proven_keys_are_named_and_strangers_are_counted() {
    let node = Node::new();
    let (revoked, narrow) = (node.key("ada").await, node.key("ada").await);
    node.revoke(&revoked).await;
    let any = Requirement::any_key();
    let reports = Requirement::any_key().scope("reports:read").unwrap();
    for _ in 0..25 {
        assert_eq!(node.check(&revoked, &any).await, Some(KeyDenial::Revoked));
    }
    assert!(node.check(&narrow, &reports).await.is_some());
    assert_eq!(
        node.check(&narrow, &any).await,
        None,
        "what is let in is no refusal"
    );
    // Keys of a service with the same master key and another database: right tags, unknown here.
    let elsewhere = Node::new();
    for _ in 0..3 {
        assert_eq!(
            node.check(&elsewhere.key("eve").await, &any).await,
            Some(KeyDenial::Unknown)
        );
    }
    for text in ["", "nonsense", &revoked.text.expose()[1..]] {
        let verdict = node
            .sakms
            .verify(&PresentedKey::new(text.to_owned()), &any)
            .await;
        assert!(!verdict.unwrap().is_granted());
    }
    assert_eq!(node.refusals().await, [], "a check writes nothing");
    node.sakms.flush().await.unwrap();
    let mut lines = node.lines().await;
    lines.sort();
    let mut wanted = [
        format!("key.refuse key:{} reason=revoked count=25", revoked.key.id),
        format!(
            "key.refuse key:{} reason=missing_scope count=1",
            narrow.key.id
        ),
        "key.refuse service reason=malformed count=3".to_owned(),
        "key.refuse service reason=unknown count=3".to_owned(),
    ];
    wanted.sort();
    assert_eq!(lines, wanted);
    for row in node.refusals().await {
        assert_eq!(row.entry.actor, Actor::ANONYMOUS);
        for key in [&revoked, &narrow] {
            let text = key.text.expose();
            let secret = &text[text.len() - 54..];
            assert!(!format!("{row:?}").contains(secret), "{row:?}");
        }
    }
    let missing = node
        .refusals()
        .await
        .into_iter()
        .find(|row| row.entry.detail.contains("missing_scope"));
    assert!(
        missing
            .unwrap()
            .entry
            .detail
            .ends_with(" scope=reports:read")
    );
}

#[tokio::test]
async fn refused_sign_ins_are_named_where_there_is_an_account() {
    let node = Node::new();
    let password = |text: &str| Password::new(text.to_owned());
    let good = "violet tram kettle oak";
    let id = node
        .sakms
        .register("ada@example.com", &password(good))
        .await
        .unwrap();
    for (email, text) in [
        ("ada@example.com", "not the password, not at all"),
        ("ADA@example.com", "not that one either, really"),
        ("eve@example.com", good),
        ("no address", good),
    ] {
        assert!(
            !node
                .sakms
                .login(email, &password(text))
                .await
                .unwrap()
                .is_granted()
        );
    }
    node.sakms
        .disable_owner(&Owner::from(id), Actor::SYSTEM)
        .await
        .unwrap();
    assert!(
        !node
            .sakms
            .login("ada@example.com", &password(good))
            .await
            .unwrap()
            .is_granted()
    );
    node.sakms.flush().await.unwrap();
    let mut lines = node.lines().await;
    lines.sort();
    let mut wanted = [
        format!("account.refuse account:{id} reason=wrong_password count=2"),
        format!("account.refuse account:{id} reason=disabled count=1"),
        "account.refuse service reason=unknown count=2".to_owned(),
    ];
    wanted.sort();
    assert_eq!(lines, wanted);
    let text = format!("{:?}", node.refusals().await);
    for told in ["eve", "violet", "example.com"] {
        assert!(!text.contains(told), "{text}");
    }
}

#[tokio::test]
async fn a_store_that_fails_loses_nothing_and_writes_nothing_twice() {
    let node = Node::new();
    let key = node.key("ada").await;
    node.revoke(&key).await;
    let any = Requirement::any_key();
    let refuse = || async { assert!(node.check(&key, &any).await.is_some()) };
    refuse().await;
    let away = Fault::Before(StoreErrorKind::Unavailable);
    node.store.inject_into(StoreMethod::Note, away);
    for _ in 0..3 {
        refuse().await;
        let outcome = node.sakms.flush().await;
        assert!(matches!(outcome, Err(Error::Store(_))), "{outcome:?}");
    }
    assert_eq!(node.sakms.statistics().refusals.failures, 3);
    node.store.heal();
    // It is written, and the answer is lost: twice the same entry is one.
    node.store.inject_next(
        StoreMethod::Note,
        1,
        Fault::After(StoreErrorKind::OutcomeUnknown),
    );
    assert!(node.sakms.flush().await.is_err());
    assert_eq!(node.refusals().await.len(), 1);
    node.sakms.flush().await.unwrap();
    assert_eq!(
        node.lines().await,
        [format!(
            "key.refuse key:{} reason=revoked count=2",
            key.key.id
        )]
    );
    node.clock.advance(Duration::from_hours(1));
    node.sakms.flush().await.unwrap();
    let lines = node.lines().await;
    assert_eq!(
        lines[1..],
        [format!(
            "key.refuse key:{} reason=revoked count=2",
            key.key.id
        )]
    );
    assert_eq!(node.sakms.statistics().refusals.written, 2);
}

#[tokio::test]
async fn a_refusal_voids_nothing_that_is_remembered() {
    let store = Faults::over(MemoryStore::new());
    let (first, second) = (Node::over(store.clone()), Node::over(store));
    let any = Requirement::any_key();
    let narrow = first.key("ada").await;
    second.sakms.catch_up().await.unwrap();
    for _ in 0..2 {
        assert_eq!(second.check(&narrow, &any).await, None);
    }
    let reports = Requirement::any_key().scope("reports:read").unwrap();
    assert!(first.check(&narrow, &reports).await.is_some());
    let nonsense = PresentedKey::new("nonsense".to_owned());
    assert!(
        !first
            .sakms
            .verify(&nonsense, &any)
            .await
            .unwrap()
            .is_granted()
    );
    first.sakms.flush().await.unwrap();
    assert_eq!(
        first.refusals().await.len(),
        2,
        "one of the key, one of the service"
    );
    second.sakms.catch_up().await.unwrap();
    let before = second.store.calls(StoreMethod::Find);
    assert_eq!(second.check(&narrow, &any).await, None);
    assert_eq!(
        second.store.calls(StoreMethod::Find),
        before,
        "it is remembered as before"
    );
}
