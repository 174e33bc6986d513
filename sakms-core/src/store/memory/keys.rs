//! Keys, and everything that goes with them.

use std::ops::Bound;

use async_trait::async_trait;

use super::MemoryStore;
use super::operation::Operation;
use crate::clock::Timestamp;
use crate::id::{KeyId, SecretId};
use crate::journal::{JournalEntry, JournalHead, JournalQuery, JournalRow, Seq};
use crate::key::{
    Day, DayUse, KeyPatch, KeyQuery, KeyRecord, KeyWithSecrets, Owner, Page, QuotaState, Revision,
    Role, RoleName, SecretRecord, SecretUse, StoredSecret, UsedSecret,
};
use crate::secret::StoredHash;
use crate::store::{
    Conditions, IdempotencyId, IdempotencyRecord, KeyStore, StoreError, StoreErrorKind,
};

#[async_trait]
impl KeyStore for MemoryStore {
    async fn insert(
        &self,
        key: &KeyRecord,
        secret: &SecretRecord,
        conditions: &Conditions,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let operation = Operation("insert");
        let mut state = self.lock();
        operation.vacant(state.keys.contains_key(&key.id))?;
        operation.vacant(state.key_of.contains_key(&secret.id))?;
        operation.vacant(state.entries.contains(&entry.id))?;
        if let Some(record) = conditions.idempotency {
            operation.vacant(state.idempotency.contains_key(&record.id))?;
        }
        // A request that was repeated is told so even when what it made has taken the last place.
        let others = || Ok(state.counted_keys(&key.owner, key.created_at));
        let room = conditions.room_beside(others);
        room.map_err(|kind| operation.fails(kind))?;
        let record = conditions.idempotency.map(|record| (record.id, record));
        state.idempotency.extend(record);
        state.append(entry);
        state.key_of.insert(secret.id, key.id);
        state
            .keys_of
            .entry(key.owner.clone())
            .or_default()
            .insert(key.id);
        let stored = KeyWithSecrets::new(key.clone(), secret.clone());
        state.keys.insert(key.id, stored);
        Ok(())
    }

    async fn find(&self, secret: SecretId) -> Result<Option<StoredSecret>, StoreError> {
        let state = self.lock();
        let Some(key) = state.key_of.get(&secret).and_then(|id| state.keys.get(id)) else {
            return Ok(None);
        };
        let owner_disabled_at = state.disabled.get(&key.key.owner).copied();
        Ok(key.stored(secret, owner_disabled_at))
    }

    async fn get(&self, key: KeyId) -> Result<Option<KeyRecord>, StoreError> {
        Ok(self.lock().keys.get(&key).map(|stored| stored.key.clone()))
    }

    async fn secrets(&self, key: KeyId) -> Result<Vec<UsedSecret>, StoreError> {
        let state = self.lock();
        let stored = state.keys.get(&key);
        Ok(stored
            .map(|stored| stored.secrets.clone())
            .unwrap_or_default())
    }

    async fn list(&self, query: &KeyQuery) -> Result<Page<KeyRecord>, StoreError> {
        let state = self.lock();
        let wanted =
            usize::try_from(query.limit).map_or(usize::MAX, |limit| limit.saturating_add(1));
        let older = (
            Bound::Unbounded,
            query.before.map_or(Bound::Unbounded, Bound::Excluded),
        );
        let mut of_owner;
        let mut of_all;
        let ids: &mut dyn Iterator<Item = &KeyId> = if let Some(owner) = &query.owner {
            let ids = state.keys_of.get(owner).into_iter();
            of_owner = ids.flat_map(|ids| ids.range(older).rev());
            &mut of_owner
        } else {
            of_all = state.keys.range(older).rev().map(|(id, _)| id);
            &mut of_all
        };
        let items = ids
            .filter_map(|id| state.keys.get(id))
            .filter(|stored| query.filter.matches(&stored.key))
            .map(|stored| stored.key.clone())
            .take(wanted)
            .collect();
        Ok(Page::from_one_more(items, query.limit))
    }

    async fn update(
        &self,
        key: KeyId,
        expected: Revision,
        patch: &KeyPatch,
        entry: &JournalEntry,
    ) -> Result<KeyRecord, StoreError> {
        let operation = Operation("update");
        let state = &mut *self.lock();
        let stored = state.keys.get_mut(&key);
        let stored = stored.ok_or_else(|| operation.fails(StoreErrorKind::NotFound))?;
        operation.fresh(stored.key.revision, expected)?;
        operation.vacant(state.entries.contains(&entry.id))?;
        patch.apply(&mut stored.key);
        let record = stored.key.clone();
        state.append(entry);
        Ok(record)
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
        let operation = Operation("add_secret");
        let state = &mut *self.lock();
        let stored = state.keys.get_mut(&key);
        let stored = stored.ok_or_else(|| operation.fails(StoreErrorKind::NotFound))?;
        operation.fresh(stored.key.revision, expected)?;
        operation.vacant(state.key_of.contains_key(&secret.id))?;
        operation.vacant(state.entries.contains(&entry.id))?;
        if let Some(record) = idempotency {
            operation.vacant(state.idempotency.contains_key(&record.id))?;
        }
        let added = stored.add_secret(expected, secret.clone(), retire_others_at);
        added.map_err(|kind| operation.fails(kind))?;
        let record = stored.key.clone();
        state.key_of.insert(secret.id, key);
        let repeatable = idempotency.map(|record| (record.id, *record));
        state.idempotency.extend(repeatable);
        state.append(entry);
        Ok(record)
    }

    async fn keep_secret(
        &self,
        key: KeyId,
        expected: Revision,
        kept: SecretId,
        retire_others_at: Timestamp,
        entry: &JournalEntry,
    ) -> Result<KeyRecord, StoreError> {
        let operation = Operation("keep_secret");
        let state = &mut *self.lock();
        let stored = state.keys.get_mut(&key);
        let stored = stored.ok_or_else(|| operation.fails(StoreErrorKind::NotFound))?;
        operation.vacant(state.entries.contains(&entry.id))?;
        stored
            .keep_secret(expected, kept, retire_others_at)
            .map_err(|kind| operation.fails(kind))?;
        let record = stored.key.clone();
        state.append(entry);
        Ok(record)
    }

    async fn replace_hash(
        &self,
        secret: SecretId,
        expected: &StoredHash,
        new: &StoredHash,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let operation = Operation("replace_hash");
        let state = &mut *self.lock();
        operation.vacant(state.entries.contains(&entry.id))?;
        let key = state
            .key_of
            .get(&secret)
            .and_then(|id| state.keys.get_mut(id));
        let key = key.ok_or_else(|| operation.fails(StoreErrorKind::NotFound))?;
        key.replace_hash(secret, expected, new)
            .map_err(|kind| operation.fails(kind))?;
        state.append(entry);
        Ok(())
    }

    async fn record_uses(&self, uses: &[SecretUse]) -> Result<(), StoreError> {
        let mut state = self.lock();
        for used in uses {
            state.record_use(used);
        }
        Ok(())
    }

    async fn usage(&self, key: KeyId, first: Day, last: Day) -> Result<Vec<DayUse>, StoreError> {
        let state = self.lock();
        if last < first {
            return Ok(Vec::new());
        }
        let days = state.days.range((key, first)..=(key, last));
        let days = days.map(|(_, day)| *day).filter(|day| !day.is_empty());
        Ok(days.collect())
    }

    async fn take_quota(
        &self,
        key: KeyId,
        period: Timestamp,
        amount: u64,
        cost: u64,
    ) -> Result<Option<u64>, StoreError> {
        let mut state = self.lock();
        let quota = state.quotas.entry(key).or_insert(QuotaState::NONE);
        Ok(quota.take(period, amount, cost))
    }

    async fn quota_taken(&self, key: KeyId, period: Timestamp) -> Result<u64, StoreError> {
        let state = self.lock();
        let quota = state.quotas.get(&key);
        Ok(quota.map_or(0, |quota| quota.taken_in(period)))
    }

    async fn idempotency(
        &self,
        id: &IdempotencyId,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        Ok(self.lock().idempotency.get(id).copied())
    }

    async fn forget_idempotency(&self, before: Timestamp) -> Result<(), StoreError> {
        self.lock()
            .idempotency
            .retain(|_, record| record.at >= before);
        Ok(())
    }

    async fn roles(&self) -> Result<Vec<Role>, StoreError> {
        Ok(self.lock().roles.values().cloned().collect())
    }

    async fn set_role(&self, role: &Role, entry: &JournalEntry) -> Result<(), StoreError> {
        let operation = Operation("set_role");
        let mut state = self.lock();
        operation.vacant(state.entries.contains(&entry.id))?;
        let full = state.roles.len() >= usize::try_from(Role::MOST).unwrap_or(usize::MAX);
        if full && !state.roles.contains_key(&role.name) {
            return Err(operation.fails(StoreErrorKind::LimitReached));
        }
        state.append(entry);
        state.roles.insert(role.name.clone(), role.clone());
        Ok(())
    }

    async fn remove_role(&self, name: &RoleName, entry: &JournalEntry) -> Result<(), StoreError> {
        let operation = Operation("remove_role");
        let mut state = self.lock();
        operation.vacant(state.entries.contains(&entry.id))?;
        if state.roles.remove(name).is_none() {
            return Err(operation.fails(StoreErrorKind::NotFound));
        }
        state.append(entry);
        Ok(())
    }

    async fn owner_disabled_at(&self, owner: &Owner) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.lock().disabled.get(owner).copied())
    }

    async fn set_owner_disabled(
        &self,
        owner: &Owner,
        disabled_at: Option<Timestamp>,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let operation = Operation("set_owner_disabled");
        let mut state = self.lock();
        operation.vacant(state.entries.contains(&entry.id))?;
        state.append(entry);
        match disabled_at {
            Some(at) => state.disabled.insert(owner.clone(), at),
            None => state.disabled.remove(owner),
        };
        Ok(())
    }

    async fn journal_after(&self, seq: Seq, limit: u32) -> Result<Vec<JournalRow>, StoreError> {
        let state = self.lock();
        let start = usize::try_from(seq.get()).unwrap_or(usize::MAX);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(state
            .journal
            .iter()
            .skip(start)
            .take(limit)
            .cloned()
            .collect())
    }

    async fn journal(&self, query: &JournalQuery) -> Result<Page<JournalRow>, StoreError> {
        let state = self.lock();
        let wanted =
            usize::try_from(query.limit).map_or(usize::MAX, |limit| limit.saturating_add(1));
        let owned = |row: &&JournalRow| {
            let owner = query.owner.as_ref();
            owner.is_none_or(|owner| state.owner_of(&row.entry.subject).as_ref() == Some(owner))
        };
        let rows = state.journal.iter().rev().filter(|row| query.matches(row));
        let items = rows.filter(owned).take(wanted).cloned().collect();
        Ok(Page::from_one_more(items, query.limit))
    }

    async fn note(&self, entry: &JournalEntry) -> Result<(), StoreError> {
        let operation = Operation("note");
        let mut state = self.lock();
        operation.vacant(state.entries.contains(&entry.id))?;
        state.append(entry);
        Ok(())
    }

    async fn journal_head(&self) -> Result<JournalHead, StoreError> {
        Ok(self.lock().head())
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
