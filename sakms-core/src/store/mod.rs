//! Durable storage behind traits.
//!
//! A method is one atomic operation: it commits whole, with its journal entry, or not at all. Policy, time,
//! formats and hashing are not here; a store never sees a plain secret. Whoever writes a store runs
//! [`store_suite!`](crate::store_suite) (feature `testkit`) over it. What stores do alike is there to be called:
//! [`KeyPatch::apply`] and [`KeyWithSecrets`](crate::key::KeyWithSecrets) for a key, [`Conditions::room_beside`] for the
//! most keys of an owner, [`DayUse::add`] for a day, [`QuotaState`](crate::key::QuotaState) for a quota,
//! [`JournalHead::append`] for the journal and [`Subject::whose`](crate::journal::Subject::whose) for whose a row of it is,
//! [`KeyFilter::matches`](crate::key::KeyFilter::matches) and [`JournalQuery::matches`] for what a list has,
//! [`Page::from_one_more`] for its pages, [`Document`] for records as bytes, [`StoreError::within`] for errors, and
//! [`blocking`] for a database that keeps its caller waiting.

mod blocking;
mod document;
mod error;
mod idempotency;
pub mod memory;
#[cfg(any(feature = "mariadb", feature = "sqlite"))]
pub mod sql;
mod state;

use std::fmt;

use async_trait::async_trait;

pub use blocking::blocking;
pub use document::{Document, InvalidDocument};
pub use error::{StoreError, StoreErrorKind};
pub use idempotency::{Conditions, IdempotencyId, IdempotencyRecord, RequestDigest};
pub use memory::MemoryStore;
#[cfg(feature = "mariadb")]
pub use sql::mariadb::{MariaDbBuilder, MariaDbStore, TlsMode};
#[cfg(feature = "sqlite")]
pub use sql::sqlite::SqliteStore;
#[cfg(any(feature = "mariadb", feature = "sqlite"))]
pub use sql::{AppliedStep, MigrationReport, MigrationStep};
pub use state::{StateId, StateKind, StateRecord, StateStore};

use crate::account::{AccountQuery, AccountRecord, AccountRole, CanonicalEmail};
use crate::clock::Timestamp;
use crate::id::{AccountId, KeyId, SecretId};
use crate::journal::{JournalEntry, JournalHead, JournalQuery, JournalRow, Seq};
use crate::key::{
    Day, DayUse, KeyPatch, KeyQuery, KeyRecord, Owner, Page, Revision, Role, RoleName,
    SecretRecord, SecretUse, StoredSecret, UsedSecret,
};
use crate::secret::StoredHash;

/// Where keys, their secrets, the state of owners and the journal are kept.
///
/// `Ok` from a method that changes something means that the change is durable. An error means that nothing was
/// changed, but for [`StoreErrorKind::OutcomeUnknown`], which means that it cannot be said.
///
/// A change whose journal entry's id is in the journal already is [`StoreErrorKind::Conflict`] and changes nothing.
#[async_trait]
pub trait KeyStore: fmt::Debug + Send + Sync + 'static {
    /// Adds a key with its first secret, if the conditions hold; however many try at once.
    ///
    /// # Errors
    /// [`StoreErrorKind::Conflict`] when the key's or the secret's id is taken, or the idempotency record's;
    /// [`StoreErrorKind::LimitReached`] when the owner has as many keys as they may: keys that are not revoked, and
    /// not expired at the moment the new one was made. When both hold it is a conflict: a request that was repeated is
    /// told so even when the key that it made took the last place.
    async fn insert(
        &self,
        key: &KeyRecord,
        secret: &SecretRecord,
        conditions: &Conditions,
        entry: &JournalEntry,
    ) -> Result<(), StoreError>;

    /// What a check needs to know about a secret, in one round trip; `None` when there is no such secret.
    ///
    /// # Errors
    /// [`StoreErrorKind::Unavailable`] and its like; never to say that there is none.
    async fn find(&self, secret: SecretId) -> Result<Option<StoredSecret>, StoreError>;

    /// A key by its id; `None` when there is none.
    ///
    /// # Errors
    /// As for [`KeyStore::find`].
    async fn get(&self, key: KeyId) -> Result<Option<KeyRecord>, StoreError>;

    /// A key's secrets, the oldest first, with their uses; none when there is no such key.
    ///
    /// # Errors
    /// As for [`KeyStore::find`].
    async fn secrets(&self, key: KeyId) -> Result<Vec<UsedSecret>, StoreError>;

    /// A page of the keys that a query asks for, the newest (the greatest id) first. Keys that are added meanwhile
    /// move no other key from one page to another.
    ///
    /// # Errors
    /// As for [`KeyStore::find`].
    async fn list(&self, query: &KeyQuery) -> Result<Page<KeyRecord>, StoreError>;

    /// Changes a key through [`KeyPatch::apply`], if its revision is still `expected`, and gives it as it is now.
    ///
    /// # Errors
    /// [`StoreErrorKind::NotFound`] when there is no such key, [`StoreErrorKind::Stale`] when its revision is
    /// another.
    async fn update(
        &self,
        key: KeyId,
        expected: Revision,
        patch: &KeyPatch,
        entry: &JournalEntry,
    ) -> Result<KeyRecord, StoreError>;

    /// Gives a key one more secret, shows that one's prefix from now on, and retires the
    /// others at `retire_others_at`; one that is to retire earlier still does. Counts the revision up.
    ///
    /// # Errors
    /// As for [`KeyStore::update`], and [`StoreErrorKind::Conflict`] when the secret's id is taken, or the idempotency
    /// record's.
    async fn add_secret(
        &self,
        key: KeyId,
        expected: Revision,
        secret: &SecretRecord,
        retire_others_at: Timestamp,
        idempotency: Option<&IdempotencyRecord>,
        entry: &JournalEntry,
    ) -> Result<KeyRecord, StoreError>;

    /// Keeps one of a key's secrets, which then retires no more, and retires the others at `retire_others_at`; one that
    /// is to retire earlier still does. The key shows the prefix of the one that is kept. Counts the revision up.
    ///
    /// # Errors
    /// As for [`KeyStore::update`], and [`StoreErrorKind::NotFound`] when the key has no such secret.
    async fn keep_secret(
        &self,
        key: KeyId,
        expected: Revision,
        kept: SecretId,
        retire_others_at: Timestamp,
        entry: &JournalEntry,
    ) -> Result<KeyRecord, StoreError>;

    /// Puts `new` in the place of a secret's hash, if that is still `expected`, to the byte. It is another hash of the
    /// same secret: nothing else of the secret or its key changes, and no revision.
    ///
    /// # Errors
    /// [`StoreErrorKind::NotFound`] when there is no such secret, [`StoreErrorKind::Stale`] when its hash is another.
    async fn replace_hash(
        &self,
        secret: SecretId,
        expected: &StoredHash,
        new: &StoredHash,
        entry: &JournalEntry,
    ) -> Result<(), StoreError>;

    /// Adds uses to what is known of each secret, and of its key on that day: the counts add up, the latest use stays,
    /// with where it came from; one from nowhere keeps the place that was known. A use with a count of 0 adds to what
    /// was refused and nothing else. A secret that there is not is passed over. Changes no revision and writes no
    /// journal.
    ///
    /// # Errors
    /// As for [`KeyStore::find`].
    async fn record_uses(&self, uses: &[SecretUse]) -> Result<(), StoreError>;

    /// How often a key was used on each day from `first` to `last`, in order; a day without any is left out.
    ///
    /// # Errors
    /// As for [`KeyStore::find`].
    async fn usage(&self, key: KeyId, first: Day, last: Day) -> Result<Vec<DayUse>, StoreError>;

    /// Takes `cost` out of a key's quota of `amount` in the period that began at `period`, and gives what is left;
    /// `None`, and nothing is taken, when less than that is left. However many try at once, on however many nodes, no
    /// more than `amount` is ever taken, nor more than [`QuotaState::MOST`](crate::key::QuotaState::MOST). A period that
    /// is earlier than the one last taken from has nothing left. Changes
    /// no revision and writes no journal.
    ///
    /// # Errors
    /// As for [`KeyStore::find`].
    async fn take_quota(
        &self,
        key: KeyId,
        period: Timestamp,
        amount: u64,
        cost: u64,
    ) -> Result<Option<u64>, StoreError>;

    /// How much of a key's quota was taken in the period that began at `period`.
    ///
    /// # Errors
    /// As for [`KeyStore::find`].
    async fn quota_taken(&self, key: KeyId, period: Timestamp) -> Result<u64, StoreError>;

    /// What was made by an earlier request with this idempotency key, as far as it is still known.
    ///
    /// # Errors
    /// As for [`KeyStore::find`].
    async fn idempotency(
        &self,
        id: &IdempotencyId,
    ) -> Result<Option<IdempotencyRecord>, StoreError>;

    /// Forgets the idempotency records of requests before a moment. Writes no journal.
    ///
    /// # Errors
    /// As for [`KeyStore::find`].
    async fn forget_idempotency(&self, before: Timestamp) -> Result<(), StoreError>;

    /// Every role there is, in the order of their names; at most [`Role::MOST`].
    ///
    /// # Errors
    /// As for [`KeyStore::find`].
    async fn roles(&self) -> Result<Vec<Role>, StoreError>;

    /// Defines a role, or defines it anew. The last word counts.
    ///
    /// # Errors
    /// [`StoreErrorKind::LimitReached`] when it is new and there are [`Role::MOST`] already.
    async fn set_role(&self, role: &Role, entry: &JournalEntry) -> Result<(), StoreError>;

    /// Takes a role away: it grants nothing any more, to whatever key holds it. The records of keys stay as they are.
    ///
    /// # Errors
    /// [`StoreErrorKind::NotFound`] when there is no such role.
    async fn remove_role(&self, name: &RoleName, entry: &JournalEntry) -> Result<(), StoreError>;

    /// Since when an owner is disabled; `None` for one who is not, known or unknown.
    ///
    /// # Errors
    /// As for [`KeyStore::find`].
    async fn owner_disabled_at(&self, owner: &Owner) -> Result<Option<Timestamp>, StoreError>;

    /// Disables an owner since a moment, or enables them again with `None`. The last word counts.
    ///
    /// # Errors
    /// As for [`KeyStore::find`].
    async fn set_owner_disabled(
        &self,
        owner: &Owner,
        disabled_at: Option<Timestamp>,
        entry: &JournalEntry,
    ) -> Result<(), StoreError>;

    /// At most `limit` journal rows after `seq`, in order.
    ///
    /// # Errors
    /// As for [`KeyStore::find`].
    async fn journal_after(&self, seq: Seq, limit: u32) -> Result<Vec<JournalRow>, StoreError>;

    /// A page of the journal, the newest row first.
    ///
    /// Whose a row is follows from its subject: `owner:<o>` is that owner's, `account:<id>` is that of the owner who is
    /// called like the account's id, and `key:<id>` is the key's owner's.
    ///
    /// # Errors
    /// As for [`KeyStore::find`].
    async fn journal(&self, query: &JournalQuery) -> Result<Page<JournalRow>, StoreError>;

    /// Writes an entry that goes with no change: that something was refused.
    ///
    /// # Errors
    /// As for [`KeyStore::find`].
    async fn note(&self, entry: &JournalEntry) -> Result<(), StoreError>;

    /// The last place of the journal.
    ///
    /// # Errors
    /// As for [`KeyStore::find`].
    async fn journal_head(&self) -> Result<JournalHead, StoreError>;

    /// Whether the store answers and has its tables.
    ///
    /// # Errors
    /// As for [`KeyStore::find`].
    async fn ping(&self) -> Result<(), StoreError>;
}

/// Where accounts are kept, for hosts that have no users of their own.
#[async_trait]
pub trait AccountStore: fmt::Debug + Send + Sync + 'static {
    /// Adds an account.
    ///
    /// # Errors
    /// [`StoreErrorKind::Conflict`] when its id or its canonical e-mail address is taken.
    async fn insert_account(
        &self,
        account: &AccountRecord,
        entry: &JournalEntry,
    ) -> Result<(), StoreError>;

    /// The account with this address; `None` when there is none.
    ///
    /// # Errors
    /// [`StoreErrorKind::Unavailable`] and its like; never to say that there is none.
    async fn account_by_email(
        &self,
        email: &CanonicalEmail,
    ) -> Result<Option<AccountRecord>, StoreError>;

    /// An account by its id; `None` when there is none.
    ///
    /// # Errors
    /// As for [`AccountStore::account_by_email`].
    async fn account(&self, id: AccountId) -> Result<Option<AccountRecord>, StoreError>;

    /// A page of the accounts, the newest (the greatest id) first.
    ///
    /// # Errors
    /// As for [`AccountStore::account_by_email`].
    async fn accounts(&self, query: &AccountQuery) -> Result<Page<AccountRecord>, StoreError>;

    /// Gives an account a role, or takes it away with `held` false. The last word counts. Counts no revision up.
    ///
    /// # Errors
    /// [`StoreErrorKind::NotFound`] when there is no such account.
    async fn set_account_role(
        &self,
        id: AccountId,
        role: AccountRole,
        held: bool,
        entry: &JournalEntry,
    ) -> Result<(), StoreError>;

    /// Gives an account another password, if its revision is still `expected`.
    ///
    /// # Errors
    /// [`StoreErrorKind::NotFound`] when there is no such account, [`StoreErrorKind::Stale`] when its revision is
    /// another.
    async fn set_password(
        &self,
        id: AccountId,
        expected: Revision,
        hash: &StoredHash,
        entry: &JournalEntry,
    ) -> Result<AccountRecord, StoreError>;

    /// Puts `new` in the place of an account's password hash, if that is still `expected`, to the byte. It is another
    /// hash of the same password: nothing else of the account changes, and no revision.
    ///
    /// # Errors
    /// [`StoreErrorKind::NotFound`] when there is no such account, [`StoreErrorKind::Stale`] when its hash is another.
    async fn replace_password_hash(
        &self,
        id: AccountId,
        expected: &StoredHash,
        new: &StoredHash,
        entry: &JournalEntry,
    ) -> Result<(), StoreError>;
}
