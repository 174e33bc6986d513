//! Hashes of the same secret.

use sakms_core::id::{AccountId, SecretId};
use sakms_core::journal::JournalEntry;
use sakms_core::key::KeyPatch;
use sakms_core::secret::StoredHash;
use sakms_core::store::{AccountStore as _, KeyStore as _, StoreError};
use sakms_core::testkit::fixtures;

use super::{Wrong, meanwhile};
use crate::flaw::Flaw;

impl Wrong {
    /// What is taken for the hash that was seen, of what is there.
    async fn seen<F: Future<Output = Option<StoredHash>>>(
        &self,
        expected: &StoredHash,
        found: impl Fn() -> F,
    ) -> StoredHash {
        let mut seen = expected.clone();
        if self.has(Flaw::IgnoresTheHash) {
            seen = found().await.unwrap_or(seen);
        }
        if self.has(Flaw::ComparesBeforeItReplaces) && found().await.as_ref() == Some(expected) {
            meanwhile().await;
            seen = found().await.unwrap_or(seen);
        }
        seen
    }

    pub(crate) async fn replace_hash(
        &self,
        secret: SecretId,
        expected: &StoredHash,
        new: &StoredHash,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let found = async || self.store.find(secret).await.unwrap();
        let hash = || async { found().await.map(|found| found.secret.hash) };
        let seen = self.seen(expected, hash).await;
        self.store.replace_hash(secret, &seen, new, entry).await?;
        if self.has(Flaw::CountsNewHashes) {
            let key = found().await.unwrap().key;
            let (patch, entry) = (KeyPatch::default(), fixtures::updated(key.id));
            self.store
                .update(key.id, key.revision, &patch, &entry)
                .await?;
        }
        Ok(())
    }

    pub(crate) async fn replace_password_hash(
        &self,
        id: AccountId,
        expected: &StoredHash,
        new: &StoredHash,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let found = async || self.store.account(id).await.unwrap();
        if self.has(Flaw::CountsNewHashes) {
            let revision = found().await.unwrap().revision;
            let changed = self.store.set_password(id, revision, new, entry).await;
            return changed.map(drop);
        }
        let hash = || async { found().await.map(|found| found.password_hash) };
        let seen = self.seen(expected, hash).await;
        self.store
            .replace_password_hash(id, &seen, new, entry)
            .await
    }
}
