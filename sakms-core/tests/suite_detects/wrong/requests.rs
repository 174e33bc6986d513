//! New keys, and the conditions under which they are added.

use sakms_core::clock::Timestamp;
use sakms_core::journal::JournalEntry;
use sakms_core::key::{KeyQuery, KeyRecord, SecretRecord};
use sakms_core::store::{
    Conditions, IdempotencyId, IdempotencyRecord, KeyStore as _, StoreError, StoreErrorKind,
};

use super::{Wrong, just_after, meanwhile};
use crate::flaw::Flaw;

fn fails(kind: StoreErrorKind) -> StoreError {
    StoreError::new(kind, "insert")
}

impl Wrong {
    /// What arrives of a key.
    fn arriving(&self, key: &KeyRecord) -> KeyRecord {
        let mut key = key.clone();
        key.created_at = self.time(key.created_at);
        key.expires_at = key.expires_at.map(|at| self.time(at));
        if self.has(Flaw::CutsLimits) {
            key.limits.ip_ranges.truncate(48);
        }
        key
    }

    /// Whether there is room for another key, at this moment.
    async fn room(&self, key: &KeyRecord, conditions: &Conditions) -> Result<(), StoreError> {
        let mut query = KeyQuery::of(key.owner.clone());
        query.limit = KeyQuery::MAX_LIMIT;
        let keys = self.store.list(&query).await?.items;
        let dead = self.has(Flaw::CountsDeadKeys);
        let counted = keys
            .iter()
            .filter(|other| dead || other.counts_at(key.created_at));
        let room = conditions.room_beside(|| Ok(counted.count()));
        room.map_err(fails)
    }

    pub(crate) async fn insert(
        &self,
        key: &KeyRecord,
        secret: &SecretRecord,
        conditions: &Conditions,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let key = self.arriving(key);
        let mut conditions = conditions.clone();
        if self.has(Flaw::CountsBeforeItInserts) || self.has(Flaw::CountsDeadKeys) {
            self.room(&key, &conditions).await?;
            meanwhile().await;
            conditions.most_per_owner = None;
        }
        if self.has(Flaw::CountsBeforeItLooksForRepeats) {
            self.room(&key, &conditions).await?;
        }
        let repeated = conditions.idempotency;
        if let Some(record) = repeated
            && (self.has(Flaw::LooksBeforeItRemembers) || self.has(Flaw::RemembersWhatItRefuses))
        {
            if self.idempotency(&record.id).await?.is_some() {
                return Err(fails(StoreErrorKind::Conflict));
            }
            conditions.idempotency = None;
            if self.has(Flaw::RemembersWhatItRefuses) {
                self.remember(record);
            }
            meanwhile().await;
        }
        self.store.insert(&key, secret, &conditions, entry).await?;
        if let Some(record) = repeated
            && self.has(Flaw::LooksBeforeItRemembers)
        {
            self.remember(record);
        }
        Ok(())
    }

    fn remember(&self, record: IdempotencyRecord) {
        self.remembered.lock().unwrap().insert(record.id, record);
    }

    pub(crate) async fn idempotency(
        &self,
        id: &IdempotencyId,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        let apart = self.remembered.lock().unwrap().get(id).copied();
        Ok(apart.or(self.store.idempotency(id).await?))
    }

    pub(crate) async fn forget_idempotency(&self, before: Timestamp) -> Result<(), StoreError> {
        let before = if self.has(Flaw::ForgetsTooMuch) {
            just_after(before)
        } else {
            before
        };
        self.store.forget_idempotency(before).await
    }
}
