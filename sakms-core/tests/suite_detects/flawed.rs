//! A store in memory with one flaw. What is wrong is in `wrong`; the rest is passed on.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use async_trait::async_trait;
use sakms_core::account::{AccountQuery, AccountRecord, AccountRole, CanonicalEmail};
use sakms_core::clock::Timestamp;
use sakms_core::id::{AccountId, KeyId, SecretId};
use sakms_core::journal::{JournalEntry, JournalHead, JournalQuery, JournalRow, Seq};
use sakms_core::key::{
    Day, DayUse, KeyPatch, KeyQuery, KeyRecord, Owner, Page, Revision, Role, RoleName,
    SecretRecord, SecretUse, StoredSecret, UsedSecret,
};
use sakms_core::secret::StoredHash;
use sakms_core::store::{
    AccountStore, Conditions, IdempotencyId, IdempotencyRecord, KeyStore, MemoryStore, StateId,
    StateKind, StateRecord, StateStore, StoreError,
};

use crate::flaw::Flaw;
use crate::wrong::Wrong;

/// A store with one flaw.
#[derive(Debug, Clone)]
pub(crate) struct Flawed {
    store: MemoryStore,
    wrong: Wrong,
}

impl Flawed {
    pub(crate) fn new(flaw: Flaw) -> Self {
        let store = MemoryStore::new();
        let wrong = Wrong {
            store: store.clone(),
            flaw,
            fourth_seen: Arc::new(AtomicBool::new(false)),
            remembered: Arc::default(),
            places: Arc::default(),
        };
        Self { store, wrong }
    }
}

macro_rules! passed_on {
    ($trait:ident: $(
        $to:ident $name:ident($($argument:ident: $type:ty),*) -> $output:ty;
    )*) => {
        #[async_trait]
        impl $trait for Flawed {
            $(
                async fn $name(&self, $($argument: $type),*) -> Result<$output, StoreError> {
                    self.$to.$name($($argument),*).await
                }
            )*
        }
    };
}

passed_on! { KeyStore:
    wrong insert(key: &KeyRecord, secret: &SecretRecord, conditions: &Conditions, entry: &JournalEntry) -> ();
    wrong find(secret: SecretId) -> Option<StoredSecret>;
    store get(key: KeyId) -> Option<KeyRecord>;
    wrong secrets(key: KeyId) -> Vec<UsedSecret>;
    wrong list(query: &KeyQuery) -> Page<KeyRecord>;
    wrong update(key: KeyId, expected: Revision, patch: &KeyPatch, entry: &JournalEntry) -> KeyRecord;
    store add_secret(
        key: KeyId, expected: Revision, secret: &SecretRecord, retire_others_at: Timestamp,
        idempotency: Option<&IdempotencyRecord>, entry: &JournalEntry
    ) -> KeyRecord;
    wrong keep_secret(
        key: KeyId, expected: Revision, kept: SecretId, retire_others_at: Timestamp, entry: &JournalEntry
    ) -> KeyRecord;
    wrong replace_hash(secret: SecretId, expected: &StoredHash, new: &StoredHash, entry: &JournalEntry) -> ();
    wrong record_uses(uses: &[SecretUse]) -> ();
    store usage(key: KeyId, first: Day, last: Day) -> Vec<DayUse>;
    wrong take_quota(key: KeyId, period: Timestamp, amount: u64, cost: u64) -> Option<u64>;
    wrong quota_taken(key: KeyId, period: Timestamp) -> u64;
    wrong idempotency(id: &IdempotencyId) -> Option<IdempotencyRecord>;
    wrong forget_idempotency(before: Timestamp) -> ();
    wrong roles() -> Vec<Role>;
    wrong set_role(role: &Role, entry: &JournalEntry) -> ();
    wrong remove_role(name: &RoleName, entry: &JournalEntry) -> ();
    wrong owner_disabled_at(owner: &Owner) -> Option<Timestamp>;
    wrong set_owner_disabled(owner: &Owner, disabled_at: Option<Timestamp>, entry: &JournalEntry) -> ();
    wrong journal_after(seq: Seq, limit: u32) -> Vec<JournalRow>;
    wrong journal(query: &JournalQuery) -> Page<JournalRow>;
    store note(entry: &JournalEntry) -> ();
    store journal_head() -> JournalHead;
    store ping() -> ();
}

passed_on! { AccountStore:
    wrong insert_account(account: &AccountRecord, entry: &JournalEntry) -> ();
    wrong account_by_email(email: &CanonicalEmail) -> Option<AccountRecord>;
    store account(id: AccountId) -> Option<AccountRecord>;
    store accounts(query: &AccountQuery) -> Page<AccountRecord>;
    wrong set_account_role(id: AccountId, role: AccountRole, held: bool, entry: &JournalEntry) -> ();
    store set_password(id: AccountId, expected: Revision, hash: &StoredHash, entry: &JournalEntry) -> AccountRecord;
    wrong replace_password_hash(
        id: AccountId, expected: &StoredHash, new: &StoredHash, entry: &JournalEntry
    ) -> ();
}

passed_on! { StateStore:
    store state(kind: StateKind, id: StateId) -> Option<StateRecord>;
    wrong states(kind: StateKind, owner: Option<&Owner>, limit: u32) -> Vec<StateRecord>;
    wrong insert_state(record: &StateRecord, entry: Option<&JournalEntry>) -> ();
    wrong update_state(
        kind: StateKind, id: StateId, expected: Revision, value: &[u8], expires_at: Timestamp,
        entry: Option<&JournalEntry>
    ) -> StateRecord;
    wrong remove_state(kind: StateKind, id: StateId, expected: Revision, entry: Option<&JournalEntry>) -> ();
    wrong remove_states(
        kind: StateKind, owner: &Owner, except: Option<StateId>, entry: Option<&JournalEntry>
    ) -> u64;
    wrong forget_states(before: Timestamp) -> ();
}
