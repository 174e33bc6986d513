//! A store that somebody else wrote: SAKMS's keys in [redb], a database of keys and values in one file.
//!
//! Each method is one transaction. redb has those that write one after the other, and each is on the disk, whole, before
//! redb says so, or leaves nothing behind. What a key or a journal row looks like as bytes is for [`Document`] to know,
//! and the rules about one key for [`KeyWithSecrets`](sakms_core::key::KeyWithSecrets).

mod keys;
mod lists;
mod tables;

use std::path::Path;
use std::sync::Arc;

use redb::{Database, ReadTransaction, ReadableDatabase as _, WriteTransaction};
use sakms_core::journal::JournalEntry;
use sakms_core::store::StoreErrorKind::OutcomeUnknown;
use sakms_core::store::{Document, StoreError, blocking};
use tokio::sync::Mutex;

use tables::{Attempt, ENTRIES, JOURNAL, head, vacant};

/// Keys in a file of redb. A clone is another handle to the same database.
#[derive(Debug, Clone)]
pub struct RedbStore {
    database: Arc<Database>,
    /// Whose turn it is to write.
    turn: Arc<Mutex<()>>,
}

impl RedbStore {
    /// Opens a file, and makes it when there is none. One process at a time can have it open. Blocks.
    ///
    /// # Errors
    /// redb's, when the file cannot be opened.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, redb::Error> {
        let database = Database::create(path)?;
        let change = database.begin_write()?;
        tables::make(&change)?;
        change.commit()?;
        let (database, turn) = (Arc::new(database), Arc::default());
        Ok(Self { database, turn })
    }

    /// Looks at the store as it is at one moment.
    async fn read<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&ReadTransaction) -> Attempt<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let database = Arc::clone(&self.database);
        blocking(operation, move || work(&database.begin_read()?)).await
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
