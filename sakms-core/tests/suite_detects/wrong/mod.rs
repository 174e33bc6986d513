//! The methods that can be wrong, by rooms.

mod accounts;
mod hashes;
mod journal;
mod keys;
mod lists;
mod owners;
mod quota;
mod requests;
mod roles;
mod states;
mod uses;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sakms_core::clock::Timestamp;
use sakms_core::id::{KeyId, SecretId};
use sakms_core::key::Revision;
use sakms_core::store::{
    IdempotencyId, IdempotencyRecord, KeyStore as _, MemoryStore, StoreError, StoreErrorKind,
};

use crate::flaw::Flaw;

/// A store, with the methods of one that has the flaw.
#[derive(Debug, Clone)]
pub(crate) struct Wrong {
    pub(crate) store: MemoryStore,
    pub(crate) flaw: Flaw,
    /// Whether somebody saw the fourth row already.
    pub(crate) fourth_seen: Arc<AtomicBool>,
    /// Requests that are remembered apart from what they made.
    pub(crate) remembered: Arc<Mutex<HashMap<IdempotencyId, IdempotencyRecord>>>,
    /// The place that was told last of each secret.
    pub(crate) places: Arc<Mutex<HashMap<SecretId, IpAddr>>>,
}

impl Wrong {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    /// For a store that takes "no row was changed" for success.
    fn unless_nothing_was_there(&self, outcome: Result<(), StoreError>) -> Result<(), StoreError> {
        match outcome {
            Err(error)
                if self.has(Flaw::ChangesWhatIsNotThere)
                    && error.kind() == StoreErrorKind::NotFound =>
            {
                Ok(())
            }
            outcome => outcome,
        }
    }

    /// Which revision is taken for the one that was seen.
    async fn seen_revision(&self, key: KeyId, expected: Revision) -> Result<Revision, StoreError> {
        let now = async || {
            self.store
                .get(key)
                .await
                .map(|found| found.map(|key| key.revision))
        };
        let found = now().await?;
        if self.has(Flaw::IgnoresTheRevision) {
            return Ok(found.unwrap_or(expected));
        }
        if self.has(Flaw::ComparesBeforeItChanges) && found == Some(expected) {
            meanwhile().await;
            return Ok(now().await?.unwrap_or(expected));
        }
        Ok(expected)
    }

    fn time(&self, at: Timestamp) -> Timestamp {
        if self.has(Flaw::LosesMicroseconds) {
            Timestamp::from_micros(at.as_micros() / 1_000 * 1_000).unwrap()
        } else {
            at
        }
    }
}

/// Time enough for others to change what was looked at.
async fn meanwhile() {
    tokio::time::sleep(Duration::from_millis(5)).await;
}

/// A microsecond later.
fn just_after(moment: Timestamp) -> Timestamp {
    moment
        .checked_add(Duration::from_micros(1))
        .unwrap_or(moment)
}
