//! Everything the store holds.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::account::{AccountRecord, CanonicalEmail};
use crate::clock::Timestamp;
use crate::id::{AccountId, EntryId, KeyId, SecretId};
use crate::journal::{JournalEntry, JournalHead, JournalRow, Subject, Whose};
use crate::key::{Day, DayUse, KeyWithSecrets, Owner, QuotaState, Role, RoleName, SecretUse};
use crate::store::{IdempotencyId, IdempotencyRecord, StateId, StateKind, StateRecord};

#[derive(Clone, Default)]
pub(super) struct State {
    pub(super) keys: BTreeMap<KeyId, KeyWithSecrets>,
    /// In the order of their ids, which is what a page is cut from.
    pub(super) keys_of: HashMap<Owner, BTreeSet<KeyId>>,
    pub(super) key_of: HashMap<SecretId, KeyId>,
    pub(super) disabled: BTreeMap<Owner, Timestamp>,
    pub(super) days: BTreeMap<(KeyId, Day), DayUse>,
    pub(super) quotas: HashMap<KeyId, QuotaState>,
    pub(super) idempotency: HashMap<IdempotencyId, IdempotencyRecord>,
    pub(super) roles: BTreeMap<RoleName, Role>,
    pub(super) accounts: BTreeMap<AccountId, AccountRecord>,
    pub(super) account_of: HashMap<CanonicalEmail, AccountId>,
    pub(super) states: BTreeMap<(StateKind, StateId), StateRecord>,
    /// The row with place `n` stands at `n - 1`.
    pub(super) journal: Vec<JournalRow>,
    pub(super) entries: HashSet<EntryId>,
}

impl State {
    pub(super) fn head(&self) -> JournalHead {
        self.journal
            .last()
            .map_or(JournalHead::START, JournalHead::from)
    }

    /// Whose a row about `subject` is.
    pub(super) fn owner_of(&self, subject: &Subject) -> Option<Owner> {
        match subject.whose() {
            Whose::Owner(owner) => Some(owner),
            Whose::KeyOwner(key) => self.keys.get(&key).map(|stored| stored.key.owner.clone()),
            Whose::Nobody => None,
        }
    }

    /// How many of an owner's keys count at a moment.
    pub(super) fn counted_keys(&self, owner: &Owner, now: Timestamp) -> usize {
        let ids = self.keys_of.get(owner).into_iter().flatten();
        let keys = ids.filter_map(|id| self.keys.get(id));
        keys.filter(|stored| stored.key.counts_at(now)).count()
    }

    pub(super) fn record_use(&mut self, used: &SecretUse) {
        let key = self.key_of.get(&used.secret);
        let Some(key) = key.and_then(|id| self.keys.get_mut(id)) else {
            return;
        };
        key.record_use(used);
        let day = self.days.entry((key.key.id, used.day()));
        day.or_insert(DayUse::new(used.day(), 0, 0)).add(used);
    }

    pub(super) fn append(&mut self, entry: &JournalEntry) {
        let row = self.head().append(entry.clone());
        self.entries.insert(entry.id);
        self.journal.push(row);
    }

    /// The same, where there is an entry.
    pub(super) fn append_any(&mut self, entry: Option<&JournalEntry>) {
        if let Some(entry) = entry {
            self.append(entry);
        }
    }
}
