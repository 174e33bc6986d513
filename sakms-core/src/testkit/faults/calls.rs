//! Every method of the store, passed on.

use async_trait::async_trait;

use super::{Faults, StoreMethod};
use crate::account::{AccountQuery, AccountRecord, AccountRole, CanonicalEmail};
use crate::clock::Timestamp;
use crate::id::{AccountId, KeyId, SecretId};
use crate::journal::{JournalEntry, JournalHead, JournalQuery, JournalRow, Seq};
use crate::key::{
    Day, DayUse, KeyPatch, KeyQuery, KeyRecord, Owner, Page, Revision, Role, RoleName,
    SecretRecord, SecretUse, StoredSecret, UsedSecret,
};
use crate::secret::StoredHash;
use crate::store::{
    AccountStore, Conditions, IdempotencyId, IdempotencyRecord, KeyStore, StateId, StateKind,
    StateRecord, StateStore, StoreError,
};

macro_rules! passed_on {
    ($trait:ident by $field:ident: $(
        $method:ident $name:ident($($argument:ident: $type:ty),*) -> $output:ty;
    )*) => {
        #[async_trait]
        impl $trait for Faults {
            $(
                async fn $name(&self, $($argument: $type),*) -> Result<$output, StoreError> {
                    let real = self.$field.$name($($argument),*);
                    self.call(StoreMethod::$method, real).await
                }
            )*
        }
    };
}

passed_on! { KeyStore by keys:
    Insert insert(key: &KeyRecord, secret: &SecretRecord, conditions: &Conditions, entry: &JournalEntry) -> ();
    Find find(secret: SecretId) -> Option<StoredSecret>;
    Get get(key: KeyId) -> Option<KeyRecord>;
    Secrets secrets(key: KeyId) -> Vec<UsedSecret>;
    List list(query: &KeyQuery) -> Page<KeyRecord>;
    Update update(key: KeyId, expected: Revision, patch: &KeyPatch, entry: &JournalEntry) -> KeyRecord;
    AddSecret add_secret(
        key: KeyId, expected: Revision, secret: &SecretRecord, retire_others_at: Timestamp,
        idempotency: Option<&IdempotencyRecord>, entry: &JournalEntry
    ) -> KeyRecord;
    KeepSecret keep_secret(
        key: KeyId, expected: Revision, kept: SecretId, retire_others_at: Timestamp, entry: &JournalEntry
    ) -> KeyRecord;
    ReplaceHash replace_hash(secret: SecretId, expected: &StoredHash, new: &StoredHash, entry: &JournalEntry) -> ();
    RecordUses record_uses(uses: &[SecretUse]) -> ();
    Usage usage(key: KeyId, first: Day, last: Day) -> Vec<DayUse>;
    TakeQuota take_quota(key: KeyId, period: Timestamp, amount: u64, cost: u64) -> Option<u64>;
    QuotaTaken quota_taken(key: KeyId, period: Timestamp) -> u64;
    Idempotency idempotency(id: &IdempotencyId) -> Option<IdempotencyRecord>;
    ForgetIdempotency forget_idempotency(before: Timestamp) -> ();
    Roles roles() -> Vec<Role>;
    SetRole set_role(role: &Role, entry: &JournalEntry) -> ();
    RemoveRole remove_role(name: &RoleName, entry: &JournalEntry) -> ();
    OwnerDisabledAt owner_disabled_at(owner: &Owner) -> Option<Timestamp>;
    SetOwnerDisabled set_owner_disabled(owner: &Owner, disabled_at: Option<Timestamp>, entry: &JournalEntry) -> ();
    JournalAfter journal_after(seq: Seq, limit: u32) -> Vec<JournalRow>;
    Journal journal(query: &JournalQuery) -> Page<JournalRow>;
    Note note(entry: &JournalEntry) -> ();
    JournalHead journal_head() -> JournalHead;
    Ping ping() -> ();
}

passed_on! { AccountStore by accounts:
    InsertAccount insert_account(account: &AccountRecord, entry: &JournalEntry) -> ();
    AccountByEmail account_by_email(email: &CanonicalEmail) -> Option<AccountRecord>;
    Account account(id: AccountId) -> Option<AccountRecord>;
    Accounts accounts(query: &AccountQuery) -> Page<AccountRecord>;
    SetAccountRole set_account_role(id: AccountId, role: AccountRole, held: bool, entry: &JournalEntry) -> ();
    SetPassword set_password(id: AccountId, expected: Revision, hash: &StoredHash, entry: &JournalEntry) -> AccountRecord;
    ReplacePasswordHash replace_password_hash(
        id: AccountId, expected: &StoredHash, new: &StoredHash, entry: &JournalEntry
    ) -> ();
}

passed_on! { StateStore by states:
    State state(kind: StateKind, id: StateId) -> Option<StateRecord>;
    States states(kind: StateKind, owner: Option<&Owner>, limit: u32) -> Vec<StateRecord>;
    InsertState insert_state(record: &StateRecord, entry: Option<&JournalEntry>) -> ();
    UpdateState update_state(
        kind: StateKind, id: StateId, expected: Revision, value: &[u8], expires_at: Timestamp,
        entry: Option<&JournalEntry>
    ) -> StateRecord;
    RemoveState remove_state(kind: StateKind, id: StateId, expected: Revision, entry: Option<&JournalEntry>) -> ();
    RemoveStates remove_states(
        kind: StateKind, owner: &Owner, except: Option<StateId>, entry: Option<&JournalEntry>
    ) -> u64;
    ForgetStates forget_states(before: Timestamp) -> ();
}
