//! A store in memory, for tests and examples.
//!
//! It keeps every rule of the traits, so that what is tried on it holds on a database as well; but it is gone
//! with its process, so an `Ok` of it promises no durability.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{
    AccountStore, Conditions, IdempotencyId, IdempotencyRecord, KeyStore, StoreError,
    StoreErrorKind,
};
use crate::account::{AccountQuery, AccountRecord, AccountRole, CanonicalEmail};
use crate::clock::Timestamp;
use crate::id::{AccountId, EntryId, KeyId, SecretId};
use crate::journal::{JournalEntry, JournalHead, JournalQuery, JournalRow, Seq, Subject};
use crate::key::{
    Day, DayUse, KeyPatch, KeyQuery, KeyRecord, KeyWithSecrets, Owner, Page, Revision, Role,
    RoleName, SecretRecord, SecretUse, StoredSecret, UsedSecret,
};
use crate::secret::StoredHash;

/// A store in memory. A clone is another handle to the same store.
#[derive(Clone, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes over everything that another store holds and forgets what this one held, as restoring a backup does.
    pub fn restore(&self, backup: &Self) {
        let held = backup.lock().clone();
        *self.lock() = held;
    }

    /// Every method takes the lock once and holds it to its end: that is what makes it one atomic operation.
    fn lock(&self) -> MutexGuard<'_, State> {
        // Each method decides first and changes afterwards, and the changes cannot fail: the state is whole even
        // if a thread panicked while it held the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryStore {
    /// How much there is, and nothing of what it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        let uses = |key: &KeyWithSecrets| -> u64 { key.secrets.iter().map(|one| one.uses).sum() };
        f.debug_struct("MemoryStore")
            .field("keys", &state.keys.len())
            .field("secrets", &state.key_of.len())
            .field("uses", &state.keys.values().map(uses).sum::<u64>())
            .field("disabled_owners", &state.disabled.len())
            .field("accounts", &state.accounts.len())
            .field("journal", &state.journal.len())
            .finish()
    }
}

#[derive(Clone, Default)]
struct State {
    keys: BTreeMap<KeyId, KeyWithSecrets>,
    /// In the order of their ids, which is what a page is cut from.
    keys_of: HashMap<Owner, BTreeSet<KeyId>>,
    key_of: HashMap<SecretId, KeyId>,
    disabled: BTreeMap<Owner, Timestamp>,
    days: BTreeMap<(KeyId, Day), (u64, u64)>,
    /// The period last taken from, and how much was.
    quotas: HashMap<KeyId, (Timestamp, u64)>,
    idempotency: HashMap<IdempotencyId, IdempotencyRecord>,
    roles: BTreeMap<RoleName, Role>,
    accounts: BTreeMap<AccountId, AccountRecord>,
    account_of: HashMap<CanonicalEmail, AccountId>,
    /// The row with place `n` stands at `n - 1`.
    journal: Vec<JournalRow>,
    entries: HashSet<EntryId>,
}

/// One method at work: names it in its errors.
struct Operation(&'static str);

impl Operation {
    fn fails(&self, kind: StoreErrorKind) -> StoreError {
        StoreError::new(kind, self.0)
    }

    /// What is to be added must not be there.
    fn vacant(&self, taken: bool) -> Result<(), StoreError> {
        if taken {
            return Err(self.fails(StoreErrorKind::Conflict));
        }
        Ok(())
    }

    /// What is to be changed must be as it was seen.
    fn fresh(&self, found: Revision, expected: Revision) -> Result<(), StoreError> {
        if found != expected {
            return Err(self.fails(StoreErrorKind::Stale));
        }
        Ok(())
    }

    /// The same for a hash.
    fn unchanged(&self, found: &StoredHash, expected: &StoredHash) -> Result<(), StoreError> {
        if found != expected {
            return Err(self.fails(StoreErrorKind::Stale));
        }
        Ok(())
    }
}

impl State {
    fn head(&self) -> JournalHead {
        self.journal
            .last()
            .map_or(JournalHead::START, JournalHead::from)
    }

    /// Whose a subject is.
    fn owner_of(&self, subject: &Subject) -> Option<Owner> {
        if let Some(id) = subject.as_key() {
            return self.keys.get(&id).map(|stored| stored.key.owner.clone());
        }
        let account = subject.as_account().map(Owner::from);
        account.or_else(|| subject.as_owner())
    }

    /// How many keys an owner has that were good or may become good again at a moment.
    fn live_keys(&self, owner: &Owner, now: Timestamp) -> u32 {
        let ids = self.keys_of.get(owner).into_iter().flatten();
        let live = ids.filter_map(|id| self.keys.get(id)).filter(|stored| {
            let KeyRecord {
                revoked_at,
                expires_at,
                ..
            } = &stored.key;
            revoked_at.is_none() && expires_at.is_none_or(|end| end > now)
        });
        u32::try_from(live.count()).unwrap_or(u32::MAX)
    }

    fn append(&mut self, entry: &JournalEntry) {
        let row = self.head().append(entry.clone());
        self.entries.insert(entry.id);
        self.journal.push(row);
    }
}

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
        if conditions
            .most_per_owner
            .is_some_and(|most| state.live_keys(&key.owner, key.created_at) >= most)
        {
            return Err(operation.fails(StoreErrorKind::LimitReached));
        }
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
        let state = &mut *self.lock();
        for used in uses {
            let key = state.key_of.get(&used.secret);
            if let Some(key) = key.and_then(|id| state.keys.get_mut(id)) {
                key.record_use(used);
                let day = state.days.entry((key.key.id, used.day())).or_default();
                day.0 = day.0.saturating_add(used.count);
                day.1 = day.1.saturating_add(used.refused);
            }
        }
        Ok(())
    }

    async fn usage(&self, key: KeyId, first: Day, last: Day) -> Result<Vec<DayUse>, StoreError> {
        let state = self.lock();
        let days = state.days.iter();
        let wanted = days.filter(|((id, day), _)| *id == key && (first..=last).contains(day));
        Ok(wanted
            .map(|(&(_, day), &(allowed, refused))| DayUse::new(day, allowed, refused))
            .collect())
    }

    async fn take_quota(
        &self,
        key: KeyId,
        period: Timestamp,
        amount: u64,
        cost: u64,
    ) -> Result<Option<u64>, StoreError> {
        let mut state = self.lock();
        let (last, taken) = state.quotas.get(&key).copied().unwrap_or((period, 0));
        let taken = match last.cmp(&period) {
            Ordering::Less => 0,
            Ordering::Equal => taken,
            Ordering::Greater => return Ok(None),
        };
        let Some(taken) = taken.checked_add(cost).filter(|taken| *taken <= amount) else {
            return Ok(None);
        };
        state.quotas.insert(key, (period, taken));
        Ok(Some(amount - taken))
    }

    async fn quota_taken(&self, key: KeyId, period: Timestamp) -> Result<u64, StoreError> {
        let state = self.lock();
        let quota = state.quotas.get(&key);
        Ok(quota.map_or(0, |(last, taken)| if *last == period { *taken } else { 0 }))
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

#[async_trait]
impl AccountStore for MemoryStore {
    async fn insert_account(
        &self,
        account: &AccountRecord,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let operation = Operation("insert_account");
        let mut state = self.lock();
        operation.vacant(state.accounts.contains_key(&account.id))?;
        operation.vacant(state.account_of.contains_key(&account.canonical_email))?;
        operation.vacant(state.entries.contains(&entry.id))?;
        state.append(entry);
        state
            .account_of
            .insert(account.canonical_email.clone(), account.id);
        state.accounts.insert(account.id, account.clone());
        Ok(())
    }

    async fn account_by_email(
        &self,
        email: &CanonicalEmail,
    ) -> Result<Option<AccountRecord>, StoreError> {
        let state = self.lock();
        let id = state.account_of.get(email);
        Ok(id.and_then(|id| state.accounts.get(id)).cloned())
    }

    async fn account(&self, id: AccountId) -> Result<Option<AccountRecord>, StoreError> {
        Ok(self.lock().accounts.get(&id).cloned())
    }

    async fn accounts(&self, query: &AccountQuery) -> Result<Page<AccountRecord>, StoreError> {
        let state = self.lock();
        let wanted =
            usize::try_from(query.limit).map_or(usize::MAX, |limit| limit.saturating_add(1));
        let older = (
            Bound::Unbounded,
            query.before.map_or(Bound::Unbounded, Bound::Excluded),
        );
        let accounts = state.accounts.range(older).rev();
        let items = accounts.map(|(_, account)| account.clone()).take(wanted);
        Ok(Page::from_one_more(items.collect(), query.limit))
    }

    async fn set_account_role(
        &self,
        id: AccountId,
        role: AccountRole,
        held: bool,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let operation = Operation("set_account_role");
        let state = &mut *self.lock();
        let account = state.accounts.get_mut(&id);
        let account = account.ok_or_else(|| operation.fails(StoreErrorKind::NotFound))?;
        operation.vacant(state.entries.contains(&entry.id))?;
        account.roles.retain(|other| *other != role);
        if held {
            account.roles.push(role);
            account.roles.sort_unstable();
        }
        state.append(entry);
        Ok(())
    }

    async fn set_password(
        &self,
        id: AccountId,
        expected: Revision,
        hash: &StoredHash,
        entry: &JournalEntry,
    ) -> Result<AccountRecord, StoreError> {
        let operation = Operation("set_password");
        let state = &mut *self.lock();
        let account = state.accounts.get_mut(&id);
        let account = account.ok_or_else(|| operation.fails(StoreErrorKind::NotFound))?;
        operation.fresh(account.revision, expected)?;
        operation.vacant(state.entries.contains(&entry.id))?;
        account.password_hash = hash.clone();
        account.revision = account.revision.next();
        let record = account.clone();
        state.append(entry);
        Ok(record)
    }

    async fn replace_password_hash(
        &self,
        id: AccountId,
        expected: &StoredHash,
        new: &StoredHash,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let operation = Operation("replace_password_hash");
        let state = &mut *self.lock();
        let account = state.accounts.get_mut(&id);
        let account = account.ok_or_else(|| operation.fails(StoreErrorKind::NotFound))?;
        operation.unchanged(&account.password_hash, expected)?;
        operation.vacant(state.entries.contains(&entry.id))?;
        account.password_hash = new.clone();
        state.append(entry);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Action, Actor, Subject};
    use crate::key::Environment;

    fn key(byte: u8) -> (KeyRecord, SecretRecord, JournalEntry) {
        let id = KeyId::from_bytes([byte; 16]);
        let owner = "somebody private".parse().unwrap();
        let record = KeyRecord::new(id, owner, Environment::live(), Timestamp::EPOCH);
        let secret = SecretRecord::new(
            SecretId::from_bytes([byte; 16]),
            id,
            StoredHash::new("hash".into()),
            "shown".into(),
            Timestamp::EPOCH,
        );
        let entry = JournalEntry::from_parts(
            EntryId::from_bytes([byte; 16]),
            Timestamp::EPOCH,
            Actor::SYSTEM,
            Action::KEY_CREATE,
            Subject::key(id),
            String::new(),
        );
        (record, secret, entry)
    }

    #[tokio::test]
    async fn debug_counts_and_shows_nothing() {
        let store = MemoryStore::new();
        let (record, secret, entry) = key(1);
        store
            .insert(&record, &secret, &Conditions::NONE, &entry)
            .await
            .unwrap();
        let used = |count| [SecretUse::new(secret.id, count, Timestamp::EPOCH)];
        store.record_uses(&used(3)).await.unwrap();
        store.record_uses(&used(4)).await.unwrap();
        assert_eq!(
            format!("{:?}", store.clone()),
            "MemoryStore { keys: 1, secrets: 1, uses: 7, disabled_owners: 0, accounts: 0, journal: 1 }"
        );
    }

    #[tokio::test]
    async fn a_panic_elsewhere_does_not_take_the_store_down() {
        let store = MemoryStore::new();
        let (record, secret, entry) = key(1);
        store
            .insert(&record, &secret, &Conditions::NONE, &entry)
            .await
            .unwrap();
        let handle = store.clone();
        let panicked = std::thread::spawn(move || {
            let _held = handle.state.lock().unwrap();
            panic!("while the lock is held");
        });
        assert!(panicked.join().is_err());
        assert!(store.state.is_poisoned());
        assert_eq!(store.get(record.id).await.unwrap(), Some(record));
    }
}
