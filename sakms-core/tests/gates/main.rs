//! What a proven key has to pass besides its state, on the memory store: roles, quotas, addresses, and what is counted of it.
#![cfg(feature = "testkit")]
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod counts;
mod quotas;
mod roles;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use sakms_core::clock::ManualClock;
use sakms_core::hash::{Argon2Params, HashPoolConfig};
use sakms_core::id::KeyId;
use sakms_core::key::{KeyPatch, MasterKey};
use sakms_core::secret::PresentedKey;
use sakms_core::service::{
    CacheConfig, Caller, Circumstances, Error, KeyDenial, NewKey, Requirement, Sakms, VerifiedKey,
};
use sakms_core::store::{KeyStore as _, MemoryStore};
use sakms_core::testkit::faults::Faults;
use sakms_core::testkit::fixtures;

/// A service over a store that others share, by a clock that stands still.
struct Node {
    sakms: Sakms,
    store: Faults,
    clock: Arc<ManualClock>,
}

struct Key {
    id: KeyId,
    text: PresentedKey,
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
        // The journal is read when a test says so, and uses are written down when it says so.
        let caching = CacheConfig::default().follow_every(Duration::from_hours(1));
        let sakms = Sakms::builder(store.clone(), master)
            .clock(Arc::clone(&clock) as _)
            .usage_interval(Duration::from_hours(1))
            .caching(caching)
            .hashing(hashing)
            .build()
            .unwrap();
        Self {
            sakms,
            store,
            clock,
        }
    }

    async fn key(&self, scopes: &str) -> Key {
        let caller = Caller::owner("ada".parse().unwrap());
        let mut new = NewKey::default();
        new.scopes = scopes.parse().unwrap();
        let created = self.sakms.create_key(&caller, new).await.unwrap();
        Key {
            id: created.key.id,
            text: PresentedKey::new(created.text.expose().to_owned()),
        }
    }

    /// Changes a key in the store, as some other node does; nobody has heard of it.
    async fn change(&self, key: &Key, patch: &KeyPatch) {
        let revision = self.store.get(key.id).await.unwrap().unwrap().revision;
        let entry = fixtures::updated(key.id);
        let changed = self.store.update(key.id, revision, patch, &entry);
        changed.await.unwrap();
    }

    async fn check(&self, key: &Key, requirement: &str) -> Result<Result<(), KeyDenial>, Error> {
        let verdict = self.verify(key, requirement, None, 1).await;
        verdict.map(|verdict| verdict.map(drop))
    }

    async fn verify(
        &self,
        key: &Key,
        requirement: &str,
        address: Option<IpAddr>,
        cost: u32,
    ) -> Result<Result<VerifiedKey, KeyDenial>, Error> {
        let requirement: Requirement = requirement.parse().unwrap();
        let circumstances = Circumstances::new(address, NonZeroU32::new(cost).unwrap());
        let sakms = &self.sakms;
        let verdict = sakms.verify_with(&key.text, &requirement, &circumstances);
        Ok(verdict.await?.into_result())
    }
}
