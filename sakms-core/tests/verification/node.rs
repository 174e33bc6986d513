//! A node of the tests.

use std::sync::Arc;
use std::time::Duration;

use sakms_core::clock::ManualClock;
use sakms_core::hash::{Argon2Params, HashPoolConfig};
use sakms_core::id::KeyId;
use sakms_core::key::{MasterKey, Owner};
use sakms_core::secret::PresentedKey;
use sakms_core::service::{
    CacheConfig, Caller, Error, KeyDenial, NewKey, Requirement, Sakms, SakmsBuilder,
};
use sakms_core::store::{MemoryStore, StoreErrorKind};
use sakms_core::testkit::faults::{Faults, StoreMethod};
use sakms_core::testkit::fixtures;

/// A service over a store that can be taken away, by a clock that stands still.
pub(crate) struct Node {
    pub(crate) sakms: Sakms,
    pub(crate) store: Faults,
    pub(crate) clock: Arc<ManualClock>,
}

impl Node {
    pub(crate) fn new() -> Self {
        Self::over(Faults::over(MemoryStore::new()), |builder| builder)
    }

    pub(crate) fn over(store: Faults, more: impl FnOnce(SakmsBuilder) -> SakmsBuilder) -> Self {
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

    pub(crate) async fn key(&self, owner: &str, new: NewKey) -> Key {
        let owner: Owner = owner.parse().unwrap();
        let caller = Caller::owner(owner.clone());
        let created = self.sakms.create_key(&caller, new).await.unwrap();
        Key {
            id: created.key.id,
            owner,
            text: PresentedKey::new(created.text.expose().to_owned()),
        }
    }

    pub(crate) async fn check(&self, key: &Key) -> Result<Result<(), KeyDenial>, Error> {
        let verdict = self.sakms.verify(&key.text, &Requirement::any_key()).await;
        verdict.map(|verdict| verdict.map(drop).into_result())
    }

    /// A key that is remembered: it is checked until no more is read.
    pub(crate) async fn warm(&self, key: &Key) {
        self.sakms.catch_up().await.unwrap();
        self.check(key).await.unwrap().unwrap();
        let before = self.store.calls(StoreMethod::Find);
        self.check(key).await.unwrap().unwrap();
        assert_eq!(self.store.calls(StoreMethod::Find), before, "it is warm");
    }

    pub(crate) async fn revoke(&self, key: &Key) {
        let caller = Caller::owner(key.owner.clone());
        self.sakms.revoke_key(&caller, key.id).await.unwrap();
    }

    pub(crate) fn finds(&self) -> u64 {
        self.store.calls(StoreMethod::Find)
    }
}

pub(crate) struct Key {
    pub(crate) id: KeyId,
    pub(crate) owner: Owner,
    pub(crate) text: PresentedKey,
}

pub(crate) fn is_unavailable(outcome: &Result<Result<(), KeyDenial>, Error>) -> bool {
    matches!(outcome, Err(Error::Store(error)) if error.kind() == StoreErrorKind::Unavailable)
}
