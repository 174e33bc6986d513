//! The store of keys: which method is where.

use async_trait::async_trait;

use super::SqlStore;
use super::backend::{Backend, Lane};
use super::idempotency::ForgetRequests;
use super::journal::Note;
use super::keys::{AddKey, ChangeKey};
use super::owners::SetOwner;
use super::quotas::TakeQuota;
use super::records;
use super::retry;
use super::roles::{RemoveRole, SetRole};
use super::row::Columns;
use super::secrets::{AddSecret, KeepSecret, ReplaceHash};
use super::texts;
use super::uses::AddUses;
use crate::clock::Timestamp;
use crate::id::{KeyId, SecretId};
use crate::journal::{JournalEntry, JournalHead, JournalQuery, JournalRow, Seq};
use crate::key::{
    Day, DayUse, KeyPatch, KeyQuery, KeyRecord, Owner, Page, Revision, Role, RoleName,
    SecretRecord, SecretUse, StoredSecret, UsedSecret,
};
use crate::secret::StoredHash;
use crate::store::{Conditions, IdempotencyId, IdempotencyRecord, KeyStore, StoreError};

#[async_trait]
impl<B: Backend> KeyStore for SqlStore<B> {
    async fn insert(
        &self,
        key: &KeyRecord,
        secret: &SecretRecord,
        conditions: &Conditions,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let change = AddKey::new::<B>(key, secret, conditions);
        self.change("insert", entry, change).await
    }

    async fn find(&self, secret: SecretId) -> Result<Option<StoredSecret>, StoreError> {
        let id = [secret.as_bytes().into()];
        let read = records::read_stored_secret;
        self.row("find", Lane::Verify, texts::FIND, &id, read).await
    }

    async fn get(&self, key: KeyId) -> Result<Option<KeyRecord>, StoreError> {
        let id = [key.as_bytes().into()];
        self.row("get", Lane::Manage, texts::KEY, &id, records::read_key)
            .await
    }

    async fn secrets(&self, key: KeyId) -> Result<Vec<UsedSecret>, StoreError> {
        self.secrets_of(key).await
    }

    async fn list(&self, query: &KeyQuery) -> Result<Page<KeyRecord>, StoreError> {
        self.page_of_keys(query).await
    }

    async fn update(
        &self,
        key: KeyId,
        expected: Revision,
        patch: &KeyPatch,
        entry: &JournalEntry,
    ) -> Result<KeyRecord, StoreError> {
        let change = ChangeKey {
            key,
            expected,
            patch,
        };
        self.change("update", entry, change).await
    }

    async fn add_secret(
        &self,
        key: KeyId,
        expected: Revision,
        secret: &SecretRecord,
        retire_others_at: Timestamp,
        idempotency: Option<&IdempotencyRecord>,
        entry: &JournalEntry,
    ) -> Result<KeyRecord, StoreError> {
        let change = AddSecret {
            key,
            expected,
            secret,
            retire_others_at,
            idempotency,
        };
        self.change("add_secret", entry, change).await
    }

    async fn keep_secret(
        &self,
        key: KeyId,
        expected: Revision,
        kept: SecretId,
        retire_others_at: Timestamp,
        entry: &JournalEntry,
    ) -> Result<KeyRecord, StoreError> {
        let change = KeepSecret {
            key,
            expected,
            kept,
            retire_others_at,
        };
        self.change("keep_secret", entry, change).await
    }

    async fn replace_hash(
        &self,
        secret: SecretId,
        expected: &StoredHash,
        new: &StoredHash,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let change = ReplaceHash {
            secret,
            expected,
            new,
        };
        self.change("replace_hash", entry, change).await
    }

    async fn record_uses(&self, uses: &[SecretUse]) -> Result<(), StoreError> {
        if uses.is_empty() {
            return Ok(());
        }
        let change = AddUses::new::<B>(uses);
        retry::change(&self.backend, "record_uses", None, &change).await
    }

    async fn usage(&self, key: KeyId, first: Day, last: Day) -> Result<Vec<DayUse>, StoreError> {
        let (first, last) = (first.number().into(), last.number().into());
        let values = [key.as_bytes().into(), first, last];
        let (text, read) = (texts::DAYS, records::read_day);
        self.rows("usage", Lane::Manage, text, &values, read).await
    }

    async fn take_quota(
        &self,
        key: KeyId,
        period: Timestamp,
        amount: u64,
        cost: u64,
    ) -> Result<Option<u64>, StoreError> {
        let Some(change) = TakeQuota::new::<B>(key, period, amount, cost) else {
            return Ok(None);
        };
        let seed = [key.as_bytes().into()];
        retry::alone(&self.backend, "take_quota", Lane::Quota, &seed, &change).await
    }

    async fn quota_taken(&self, key: KeyId, period: Timestamp) -> Result<u64, StoreError> {
        self.taken_of_quota(key, period).await
    }

    async fn idempotency(
        &self,
        id: &IdempotencyId,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        let id = [id.as_bytes().into()];
        let (text, read) = (texts::REQUEST, records::read_request);
        self.row("idempotency", Lane::Manage, text, &id, read).await
    }

    async fn forget_idempotency(&self, before: Timestamp) -> Result<(), StoreError> {
        let change = ForgetRequests::new::<B>(before);
        while retry::change(&self.backend, "forget_idempotency", None, &change).await? {}
        Ok(())
    }

    async fn roles(&self) -> Result<Vec<Role>, StoreError> {
        let (text, read) = (texts::ROLES, records::read_role);
        self.rows("roles", Lane::Verify, text, &[], read).await
    }

    async fn set_role(&self, role: &Role, entry: &JournalEntry) -> Result<(), StoreError> {
        let change = SetRole::new::<B>(role);
        self.change("set_role", entry, change).await
    }

    async fn remove_role(&self, name: &RoleName, entry: &JournalEntry) -> Result<(), StoreError> {
        self.change("remove_role", entry, RemoveRole(name)).await
    }

    async fn owner_disabled_at(&self, owner: &Owner) -> Result<Option<Timestamp>, StoreError> {
        let name = [Self::values("owner_disabled_at", records::owner(owner))?];
        let read = |row| Columns::of(row).time("sakms_owners.disabled_at");
        self.row("owner_disabled_at", Lane::Verify, texts::OWNER, &name, read)
            .await
    }

    async fn set_owner_disabled(
        &self,
        owner: &Owner,
        disabled_at: Option<Timestamp>,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let change = SetOwner { owner, disabled_at };
        self.change("set_owner_disabled", entry, change).await
    }

    async fn journal_after(&self, seq: Seq, limit: u32) -> Result<Vec<JournalRow>, StoreError> {
        self.rows_after(seq, limit).await
    }

    async fn journal(&self, query: &JournalQuery) -> Result<Page<JournalRow>, StoreError> {
        self.page_of_journal(query).await
    }

    async fn note(&self, entry: &JournalEntry) -> Result<(), StoreError> {
        self.change("note", entry, Note).await
    }

    async fn journal_head(&self) -> Result<JournalHead, StoreError> {
        self.head().await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.look_at_tables().await
    }
}
