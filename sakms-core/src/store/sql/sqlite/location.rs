//! Where a database is, and opening it.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::{Sqlite, SqliteStore};
use crate::store::sql::fault::Failure;
use crate::store::{StoreError, StoreErrorKind};

const READERS: u32 = 4;
/// How long a writer waits for another process that writes.
const BUSY: Duration = Duration::from_secs(3);
/// More than there are statements: none is ever prepared a second time.
const STATEMENTS: usize = 128;
/// How often the file is opened while another process changes it into its own shape.
const OPENINGS: u32 = 20;

/// A database that has not been opened yet.
pub(super) struct Location {
    options: SqliteConnectOptions,
    in_memory: bool,
}

/// Reads a path, `sqlite:path`, `sqlite://path` or `:memory:`.
pub(super) fn parse(text: &str) -> Result<Location, StoreError> {
    let wrong = |why| StoreError::new(StoreErrorKind::Internal, "connect").because(why);
    let url = text.strip_prefix("sqlite:");
    let url = url.map(|url| url.strip_prefix("//").unwrap_or(url));
    let (path, query) = match url {
        Some(url) => url.split_once('?').unwrap_or((url, "")),
        None => (text, ""),
    };
    if path.is_empty() {
        // To SQLite that is a database of its own, which is gone when it is closed.
        return Err(wrong("the location is empty"));
    }
    let in_memory = path == ":memory:" || query.split('&').any(|option| option == "mode=memory");
    let options = if in_memory {
        Ok(SqliteConnectOptions::new().in_memory(true))
    } else if url.is_some() {
        text.parse()
    } else {
        Ok(SqliteConnectOptions::new().filename(path))
    };
    let options = options
        .map_err(|error| StoreError::new(StoreErrorKind::Internal, "connect").because(error))?
        .busy_timeout(BUSY)
        .statement_cache_capacity(STATEMENTS)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true);
    Ok(Location { options, in_memory })
}

impl Location {
    pub(super) async fn connect(self) -> Result<SqliteStore, StoreError> {
        let pool = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                // A database in memory ends with its connection; one in a file gains nothing by opening it anew.
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false)
        };
        if self.in_memory {
            return Ok(SqliteStore::from_pool(
                pool(1).connect_lazy_with(self.options),
            ));
        }
        let path = self.options.get_filename().to_owned();
        if path.is_dir() {
            return Err(refused(
                StoreErrorKind::Internal,
                "the path is a folder's",
                &path,
            ));
        }
        // Only a connection that writes may turn the file into one with a write-ahead log.
        let writer = self
            .options
            .clone()
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal);
        let writer = pool(1).connect_lazy_with(writer);
        let reader = pool(READERS).connect_lazy_with(self.options.pragma("query_only", "ON"));
        let mut openings = 1..OPENINGS;
        loop {
            let failure = match writer.acquire().await {
                Ok(_) => return Ok(SqliteStore::from_pools(writer, reader)),
                Err(error) => Failure::from(error),
            };
            let fault = failure.fault::<Sqlite>();
            if fault.again && openings.next().is_some() {
                // Two who open a new file at once cannot both change it, and are not made to wait for each other.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
            return Err(explain(failure, &path));
        }
    }
}

/// SQLite says of everything that it is "unable to open database file".
fn explain(failure: Failure, path: &Path) -> StoreError {
    let folder = match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => path,
    };
    let unreadable = failure.fault::<Sqlite>().kind == StoreErrorKind::Unavailable;
    if unreadable && !folder.is_dir() {
        refused(StoreErrorKind::Internal, "there is no such folder", folder)
    } else if unreadable && !path.exists() {
        refused(
            StoreErrorKind::ReadOnly,
            "no file can be made in the folder",
            folder,
        )
    } else {
        failure.into_store_error::<Sqlite>("connect")
    }
}

fn refused(kind: StoreErrorKind, why: &str, path: &Path) -> StoreError {
    StoreError::new(kind, "connect").because(format!("{why}: {}", path.display()))
}
