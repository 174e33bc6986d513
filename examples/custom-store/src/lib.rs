//! A store that somebody else wrote: SAKMS's keys in [redb], a database of keys and values in one file.
//!
//! Each method is one transaction. redb has those that write one after the other, and each is on the disk, whole, before
//! redb says so, or leaves nothing behind. What a key or a journal row looks like as bytes is for [`Document`] to know,
//! and the rules about one key for [`KeyWithSecrets`].

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use redb::{Database, ReadableDatabase as _, ReadableTable, TableDefinition, WriteTransaction};
use sakms_core::clock::Timestamp;
use sakms_core::id::{KeyId, SecretId};
use sakms_core::journal::{JournalEntry, JournalHead, JournalRow, Seq};
use sakms_core::key::{
    KeyPatch, KeyQuery, KeyRecord, KeyWithSecrets, Owner, Page, Revision, SecretRecord, SecretUse,
    StoredSecret,
};
use sakms_core::secret::StoredHash;
use sakms_core::store::StoreErrorKind::{Conflict, Corrupt, NotFound, OutcomeUnknown};
use sakms_core::store::{Document, KeyStore, StoreError, StoreErrorKind, blocking};
use tokio::sync::Mutex;

type Id = [u8; 16];
type Bytes = &'static [u8];

const KEYS: TableDefinition<'_, Id, Bytes> = TableDefinition::new("keys");
const KEYS_OF_OWNERS: TableDefinition<'_, (&str, Id), ()> = TableDefinition::new("keys_of_owners");
const KEY_OF_SECRET: TableDefinition<'_, Id, Id> = TableDefinition::new("key_of_secret");
const DISABLED: TableDefinition<'_, &str, i64> = TableDefinition::new("disabled_owners");
const JOURNAL: TableDefinition<'_, u64, Bytes> = TableDefinition::new("journal");
const ENTRIES: TableDefinition<'_, Id, ()> = TableDefinition::new("journal_entries");

/// Keys in a file of redb. A clone is another handle to the same database.
#[derive(Debug, Clone)]
pub struct RedbStore {
    database: Arc<Database>,
    /// Whose turn it is to write.
    turn: Arc<Mutex<()>>,
}

/// What a transaction comes to. An error undoes all of it.
type Attempt<T> = Result<T, Box<dyn Error + Send + Sync>>;

impl RedbStore {
    /// Opens a file, and makes it when there is none. One process at a time can have it open. Blocks.
    ///
    /// # Errors
    /// redb's, when the file cannot be opened.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, redb::Error> {
        let database = Database::create(path)?;
        let change = database.begin_write()?;
        // Opened for writing, a table is made, so that no reader misses one.
        change.open_table(KEYS)?;
        change.open_table(KEYS_OF_OWNERS)?;
        change.open_table(KEY_OF_SECRET)?;
        change.open_table(DISABLED)?;
        change.open_table(JOURNAL)?;
        change.open_table(ENTRIES)?;
        change.commit()?;
        let (database, turn) = (Arc::new(database), Arc::default());
        Ok(Self { database, turn })
    }

    /// Makes a change and writes `entry` with it: both or neither.
    async fn change<T: Send + 'static>(
        &self,
        operation: &'static str,
        entry: Option<&JournalEntry>,
        work: impl FnOnce(&WriteTransaction) -> Attempt<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (database, entry) = (Arc::clone(&self.database), entry.cloned());
        // Nobody waits on a thread for their turn, and whoever gives up before it comes has changed nothing.
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let work = move || {
            let _until_the_end = turn;
            let change = database.begin_write()?;
            let done = work(&change)?;
            if let Some(entry) = entry {
                vacant(
                    change
                        .open_table(ENTRIES)?
                        .insert(entry.id.as_bytes(), ())?,
                )?;
                let mut journal = change.open_table(JOURNAL)?;
                let row = head(&journal)?.append(entry);
                journal.insert(row.seq.get(), &*row.to_document())?;
            }
            // A disk that fails at this may have kept it or not.
            let unknown = StoreError::new(OutcomeUnknown, operation);
            change.commit().map_err(|error| unknown.because(error))?;
            Ok(done)
        };
        blocking(operation, work).await
    }
}

#[async_trait]
impl KeyStore for RedbStore {
    async fn insert(
        &self,
        key: &KeyRecord,
        secret: &SecretRecord,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let new = KeyWithSecrets::new(key.clone(), secret.clone());
        let (key, secret) = (*key.id.as_bytes(), *secret.id.as_bytes());
        let work = move |change: &WriteTransaction| {
            vacant(change.open_table(KEYS)?.insert(key, &*new.to_document())?)?;
            vacant(change.open_table(KEY_OF_SECRET)?.insert(secret, key)?)?;
            let owner = new.key.owner.as_str();
            change
                .open_table(KEYS_OF_OWNERS)?
                .insert((owner, key), ())?;
            Ok(())
        };
        self.change("insert", Some(entry), work).await
    }

    async fn find(&self, secret: SecretId) -> Result<Option<StoredSecret>, StoreError> {
        let database = Arc::clone(&self.database);
        let work = move || {
            let snapshot = database.begin_read()?;
            let key = snapshot.open_table(KEY_OF_SECRET)?.get(secret.as_bytes())?;
            let Some(key) = key else { return Ok(None) };
            let key = key_at(&snapshot.open_table(KEYS)?, key.value(), Corrupt)?;
            let disabled_at = disabled_at(&snapshot.open_table(DISABLED)?, &key.key.owner)?;
            Ok(key.stored(secret, disabled_at))
        };
        blocking("find", work).await
    }

    async fn get(&self, key: KeyId) -> Result<Option<KeyRecord>, StoreError> {
        let database = Arc::clone(&self.database);
        let work = move || {
            // Held to the end: a value is good for as long as its snapshot.
            let snapshot = database.begin_read()?;
            let found = snapshot.open_table(KEYS)?.get(key.as_bytes())?;
            let found = found.map(|key| KeyWithSecrets::from_document(key.value()));
            Ok(found.transpose()?.map(|found| found.key))
        };
        blocking("get", work).await
    }

    async fn list(&self, query: &KeyQuery) -> Result<Page<KeyRecord>, StoreError> {
        let (database, query) = (Arc::clone(&self.database), query.clone());
        let work = move || {
            let snapshot = database.begin_read()?;
            let (keys, listed) = (
                snapshot.open_table(KEYS)?,
                snapshot.open_table(KEYS_OF_OWNERS)?,
            );
            let at = |id| (query.owner.as_str(), id);
            let listed = match query.before {
                Some(before) => listed.range(at([0; 16])..at(*before.as_bytes()))?,
                None => listed.range(at([0; 16])..=at([0xFF; 16]))?,
            };
            let newest = listed.rev().take(query.limit as usize + 1);
            let items = newest.map(|listed| Ok(key_at(&keys, listed?.0.value().1, Corrupt)?.key));
            Ok(Page::from_one_more(
                items.collect::<Attempt<_>>()?,
                query.limit,
            ))
        };
        blocking("list", work).await
    }

    async fn update(
        &self,
        key: KeyId,
        expected: Revision,
        patch: &KeyPatch,
        entry: &JournalEntry,
    ) -> Result<KeyRecord, StoreError> {
        let patch = patch.clone();
        let work = move |change: &WriteTransaction| {
            let mut keys = change.open_table(KEYS)?;
            let mut found = key_at(&keys, *key.as_bytes(), NotFound)?;
            found.update(expected, &patch)?;
            keys.insert(key.as_bytes(), &*found.to_document())?;
            Ok(found.key)
        };
        self.change("update", Some(entry), work).await
    }

    async fn add_secret(
        &self,
        key: KeyId,
        expected: Revision,
        secret: &SecretRecord,
        retire_others_at: Timestamp,
        entry: &JournalEntry,
    ) -> Result<KeyRecord, StoreError> {
        let secret = secret.clone();
        let work = move |change: &WriteTransaction| {
            let mut keys = change.open_table(KEYS)?;
            let mut found = key_at(&keys, *key.as_bytes(), NotFound)?;
            let mut key_of_secret = change.open_table(KEY_OF_SECRET)?;
            vacant(key_of_secret.insert(secret.id.as_bytes(), key.as_bytes())?)?;
            found.add_secret(expected, secret, retire_others_at)?;
            keys.insert(key.as_bytes(), &*found.to_document())?;
            Ok(found.key)
        };
        self.change("add_secret", Some(entry), work).await
    }

    async fn replace_hash(
        &self,
        secret: SecretId,
        expected: &StoredHash,
        new: &StoredHash,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let (expected, new) = (expected.clone(), new.clone());
        let work = move |change: &WriteTransaction| {
            let mut keys = change.open_table(KEYS)?;
            let key_of_secret = change.open_table(KEY_OF_SECRET)?;
            let key = key_of_secret.get(secret.as_bytes())?;
            let key = key.ok_or(NotFound)?.value();
            let mut found = key_at(&keys, key, Corrupt)?;
            found.replace_hash(secret, &expected, &new)?;
            keys.insert(key, &*found.to_document())?;
            Ok(())
        };
        self.change("replace_hash", Some(entry), work).await
    }

    async fn record_uses(&self, uses: &[SecretUse]) -> Result<(), StoreError> {
        let uses = uses.to_vec();
        let work = move |change: &WriteTransaction| {
            let (key_of_secret, mut keys) =
                (change.open_table(KEY_OF_SECRET)?, change.open_table(KEYS)?);
            for used in uses {
                if let Some(key) = key_of_secret.get(used.secret.as_bytes())? {
                    let mut found = key_at(&keys, key.value(), Corrupt)?;
                    found.record_use(&used);
                    keys.insert(key.value(), &*found.to_document())?;
                }
            }
            Ok(())
        };
        self.change("record_uses", None, work).await
    }

    async fn owner_disabled_at(&self, owner: &Owner) -> Result<Option<Timestamp>, StoreError> {
        let (database, owner) = (Arc::clone(&self.database), owner.clone());
        let work = move || disabled_at(&database.begin_read()?.open_table(DISABLED)?, &owner);
        blocking("owner_disabled_at", work).await
    }

    async fn set_owner_disabled(
        &self,
        owner: &Owner,
        disabled_at: Option<Timestamp>,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let owner = owner.clone();
        let work = move |change: &WriteTransaction| {
            let mut disabled = change.open_table(DISABLED)?;
            match disabled_at {
                Some(at) => disabled.insert(owner.as_str(), at.as_micros())?,
                None => disabled.remove(owner.as_str())?,
            };
            Ok(())
        };
        self.change("set_owner_disabled", Some(entry), work).await
    }

    async fn journal_after(&self, seq: Seq, limit: u32) -> Result<Vec<JournalRow>, StoreError> {
        let database = Arc::clone(&self.database);
        let work = move || {
            let journal = database.begin_read()?.open_table(JOURNAL)?;
            let rows = journal.range(seq.next().get()..)?.take(limit as usize);
            rows.map(|row| Ok(JournalRow::from_document(row?.1.value())?))
                .collect()
        };
        blocking("journal_after", work).await
    }

    async fn journal_head(&self) -> Result<JournalHead, StoreError> {
        let database = Arc::clone(&self.database);
        let work = move || head(&database.begin_read()?.open_table(JOURNAL)?);
        blocking("journal_head", work).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.journal_head().await.map(drop)
    }
}

/// What was put in must not have taken the place of anything.
fn vacant<T>(before: Option<T>) -> Result<(), StoreErrorKind> {
    before.map_or(Ok(()), |_| Err(Conflict))
}

/// A key; `or` when there is none: to whoever asked for it that is another matter than to whoever an index sent.
fn key_at(
    keys: &impl ReadableTable<Id, Bytes>,
    id: Id,
    or: StoreErrorKind,
) -> Attempt<KeyWithSecrets> {
    let key = keys.get(id)?.ok_or(or)?;
    Ok(KeyWithSecrets::from_document(key.value())?)
}

fn disabled_at(
    disabled: &impl ReadableTable<&'static str, i64>,
    owner: &Owner,
) -> Attempt<Option<Timestamp>> {
    let at = disabled
        .get(owner.as_str())?
        .map(|at| Timestamp::from_micros(at.value()));
    at.map(|at| at.ok_or(Corrupt.into())).transpose()
}

fn head(journal: &impl ReadableTable<u64, Bytes>) -> Attempt<JournalHead> {
    match journal.last()? {
        Some((_, row)) => Ok(JournalHead::from(&JournalRow::from_document(row.value())?)),
        None => Ok(JournalHead::START),
    }
}
