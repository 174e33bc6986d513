//! Keys.

use sakms_core::clock::Timestamp;
use sakms_core::id::{KeyId, SecretId};
use sakms_core::journal::JournalEntry;
use sakms_core::key::{KeyPatch, KeyRecord, Revision, StoredSecret};
use sakms_core::store::{KeyStore as _, StoreError, StoreErrorKind};
use sakms_core::testkit::fixtures;

use super::Wrong;
use crate::flaw::Flaw;

impl Wrong {
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
        let seen = self.seen_revision(key, expected).await?;
        let mut patch = patch.clone();
        if self.has(Flaw::ForgetsTheBeginning) {
            patch.not_before = None;
        }
        let outcome = self.store.update(key, seen, &patch, entry).await;
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

    pub(crate) async fn keep_secret(
        &self,
        key: KeyId,
        expected: Revision,
        kept: SecretId,
        retire_others_at: Timestamp,
        entry: &JournalEntry,
    ) -> Result<KeyRecord, StoreError> {
        let seen = self.seen_revision(key, expected).await?;
        let mut kept = kept;
        if self.has(Flaw::KeepsAnybodysSecret)
            && let Some(own) = self.store.secrets(key).await?.first()
        {
            kept = own.record.id;
        }
        self.store
            .keep_secret(key, seen, kept, retire_others_at, entry)
            .await
    }
}
