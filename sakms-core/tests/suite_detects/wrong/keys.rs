//! Keys.

use sakms_core::id::{KeyId, SecretId};
use sakms_core::journal::JournalEntry;
use sakms_core::key::{KeyPatch, KeyRecord, Revision, SecretRecord, StoredSecret};
use sakms_core::store::{Conditions, KeyStore as _, StoreError, StoreErrorKind};
use sakms_core::testkit::fixtures;

use super::{Wrong, meanwhile};
use crate::flaw::Flaw;

impl Wrong {
    pub(crate) async fn insert(
        &self,
        key: &KeyRecord,
        secret: &SecretRecord,
        conditions: &Conditions,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let mut key = key.clone();
        key.created_at = self.time(key.created_at);
        key.expires_at = key.expires_at.map(|at| self.time(at));
        self.store.insert(&key, secret, conditions, entry).await
    }

    pub(crate) async fn find(&self, secret: SecretId) -> Result<Option<StoredSecret>, StoreError> {
        let Some(mut found) = self.store.find(secret).await? else {
            return Ok(None);
        };
        found.owner_disabled_at = self.owner_disabled_at(&found.key.owner).await?;
        Ok(Some(found))
    }

    pub(crate) async fn update(
        &self,
        key: KeyId,
        expected: Revision,
        patch: &KeyPatch,
        entry: &JournalEntry,
    ) -> Result<KeyRecord, StoreError> {
        let found = self.store.get(key).await?.map(|found| found.revision);
        let mut seen = expected;
        if self.has(Flaw::IgnoresTheRevision) {
            seen = found.unwrap_or(expected);
        }
        if self.has(Flaw::ComparesBeforeItChanges) && found == Some(expected) {
            meanwhile().await;
            let now = self.store.get(key).await?;
            seen = now.map_or(expected, |now| now.revision);
        }
        let outcome = self.store.update(key, seen, patch, entry).await;
        match &outcome {
            Err(error) if self.has(Flaw::ChangesWhatIsNotThere) => {
                assert_eq!(error.kind(), StoreErrorKind::NotFound);
                Ok(fixtures::plain_key(&fixtures::owner()))
            }
            Err(_) if self.has(Flaw::JournalsWhatItRefuses) => {
                self.store.note(entry).await?;
                outcome
            }
            _ => outcome,
        }
    }
}
