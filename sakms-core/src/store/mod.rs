//! Durable storage behind traits.
//!
//! A method is one atomic operation: it commits whole, with its journal entry, or not at all. Policy, time,
//! formats and hashing are not here; a store never sees a plain secret. Whoever writes a store runs
//! [`store_suite!`](crate::store_suite) (feature `testkit`) over it. What stores do alike is there to be called:
//! [`KeyPatch::apply`] and [`KeyWithSecrets`](crate::key::KeyWithSecrets) for a key, [`JournalHead::append`] for the
//! journal, [`Page::from_one_more`] for a list, [`Document`] for records as bytes, [`StoreError::within`] for errors, and
//! [`blocking`] for a database that keeps its caller waiting.

mod blocking;
mod document;
mod error;
pub mod memory;
#[cfg(any(feature = "mariadb", feature = "sqlite"))]
pub mod sql;

use std::fmt;

use async_trait::async_trait;

pub use blocking::blocking;
pub use document::{Document, InvalidDocument};
pub use error::{StoreError, StoreErrorKind};
pub use memory::MemoryStore;
#[cfg(feature = "mariadb")]
pub use sql::mariadb::{MariaDbBuilder, MariaDbStore, TlsMode};
#[cfg(feature = "sqlite")]
pub use sql::sqlite::SqliteStore;
#[cfg(any(feature = "mariadb", feature = "sqlite"))]
pub use sql::{AppliedStep, MigrationReport, MigrationStep};

use crate::account::{AccountRecord, CanonicalEmail};
use crate::clock::Timestamp;
use crate::id::{AccountId, KeyId, SecretId};
use crate::journal::{JournalEntry, JournalHead, JournalRow, Seq};
use crate::key::{
    KeyPatch, KeyQuery, KeyRecord, Owner, Page, Revision, SecretRecord, SecretUse, StoredSecret,
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
    /// Adds a key with its first secret.
    ///
    /// # Errors
    /// [`StoreErrorKind::Conflict`] when the key's or the secret's id is taken.
    async fn insert(
        &self,
        key: &KeyRecord,
        secret: &SecretRecord,
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

    /// A page of an owner's keys, the newest (the greatest id) first. Keys that are added meanwhile move no
    /// other key from one page to another.
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
    /// As for [`KeyStore::update`], and [`StoreErrorKind::Conflict`] when the secret's id is taken.
    async fn add_secret(
        &self,
        key: KeyId,
        expected: Revision,
        secret: &SecretRecord,
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

    /// Adds uses to what is known of each secret: the counts add up, the later time stays. A secret that there
    /// is not is passed over. Changes no revision and writes no journal.
    ///
    /// # Errors
    /// As for [`KeyStore::find`].
    async fn record_uses(&self, uses: &[SecretUse]) -> Result<(), StoreError>;

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
