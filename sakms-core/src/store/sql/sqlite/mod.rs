//! SQLite: the embedded store.
//!
//! One connection writes, others read beside it (write-ahead log). Every commit is on the disk before it is
//! acknowledged (`synchronous=FULL`): with less, a power cut could take back a revocation.

mod location;
mod session;

use std::fmt;
use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::migrate::Migrate as _;
use sqlx::sqlite::SqlitePool;
use sqlx::{Connection as _, Executor as _};

use super::SqlStore;
use super::backend::{Backend, Lane, Limits};
use super::fault::{Failure, Fault};
use super::migrate::{self, MigrationReport, MigrationStep, steps};
use super::texts;
use crate::store::{StoreError, StoreErrorKind};
use session::SqliteSession;

/// A store in an SQLite database.
///
/// Opened by [`open`](SqlStore::<Sqlite>::open), it needs nothing else:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), sakms_core::store::StoreError> {
/// use sakms_core::store::{KeyStore as _, SqliteStore};
///
/// let store = SqliteStore::open(":memory:").await?;
/// store.ping().await?;
/// # Ok(())
/// # }
/// ```
pub type SqliteStore = SqlStore<Sqlite>;

/// The connections of a [`SqliteStore`].
#[derive(Clone)]
pub struct Sqlite {
    writer: SqlitePool,
    reader: SqlitePool,
}

const LIMITS: Limits = Limits {
    verify: Duration::from_secs(2),
    manage: Duration::from_secs(5),
    settle: Duration::from_secs(2),
};
/// How often a migration is tried while another process holds the database.
const MIGRATIONS: u32 = 12;

impl SqlStore<Sqlite> {
    /// Opens a database, makes the file when there is none, and brings its tables up to date.
    ///
    /// `location` is a path, `sqlite:path`, `sqlite://path`, or `:memory:` for a database that lives as long as the
    /// store.
    ///
    /// # Errors
    /// [`StoreErrorKind::ReadOnly`] when the file or its folder may not be written to,
    /// [`StoreErrorKind::Corrupt`] when the file is not a database, [`StoreErrorKind::Internal`] when the location
    /// is none (the path of a folder, say).
    pub async fn open(location: &str) -> Result<Self, StoreError> {
        let store = Self::connect(location).await?;
        store.migrate().await?;
        Ok(store)
    }

    /// Opens a database, makes the file when there is none, and leaves the tables as they are: for programs that
    /// [migrate](Self::migrate) in a step of its own.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub async fn connect(location: &str) -> Result<Self, StoreError> {
        location::parse(location)?.connect().await
    }

    /// A store on a host's own pool.
    ///
    /// The host answers for its settings: write-ahead log, `synchronous=FULL` and a busy timeout are the ones to
    /// have.
    #[must_use]
    pub fn from_pool(pool: SqlitePool) -> Self {
        Self::from_pools(pool.clone(), pool)
    }

    /// A store on a host's own pools, one to write and one to read.
    #[must_use]
    pub const fn from_pools(writer: SqlitePool, reader: SqlitePool) -> Self {
        Self::with(Sqlite { writer, reader })
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite")
            .field("writers", &self.writer.size())
            .field("readers", &self.reader.size())
            .finish()
    }
}

impl Backend for Sqlite {
    type Session = SqliteSession;

    const TABLES: &'static str = texts::tables!("");
    const KEYS_OF_OWNER: &'static str = texts::page_of_keys!("", "k.owner = ? AND ");
    const KEYS: &'static str = texts::page_of_keys!("", "");
    // Whoever writes has the whole database to themselves.
    const LOCK_OWNER: Option<&'static str> = None;
    const COUNT_KEYS: &'static str = texts::count_keys!("");
    const LOCK_HEAD: &'static str = texts::HEAD;
    const INDEX_JOURNAL: &'static str = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/migrations/sqlite/0021_journal_owners_start.sql"
    ));
    const JOURNAL: &'static str =
        texts::page_of_journal!("sakms_journal j WHERE j.seq <= ?", "j.seq");
    const JOURNAL_OF_OWNER: &'static str = texts::page_of_journal!(
        "sakms_journal_owners o CROSS JOIN sakms_journal j ON j.seq = o.seq \
         WHERE o.owner = ? AND o.seq <= ?",
        "o.seq"
    );
    const ADD_USES: &'static str = concat!(
        texts::add_rows!("sakms_secret_uses (key_id, secret_id, uses, last_used_at)"),
        "ON CONFLICT (key_id, secret_id) DO UPDATE SET \
         uses = uses + MIN(excluded.uses, 9223372036854775807 - uses), \
         last_used_at = MAX(last_used_at, excluded.last_used_at)"
    );
    const ADD_SOURCES: &'static str = concat!(
        texts::add_rows!("sakms_secret_sources (key_id, secret_id, last_used_at, last_used_from)"),
        "ON CONFLICT (key_id, secret_id) DO UPDATE SET \
         last_used_from = COALESCE(excluded.last_used_from, last_used_from), \
         last_used_at = excluded.last_used_at \
         WHERE excluded.last_used_at > last_used_at"
    );
    const ADD_DAYS: &'static str = concat!(
        texts::add_rows!("sakms_key_days (key_id, day, allowed, refused)"),
        "ON CONFLICT (key_id, day) DO UPDATE SET \
         allowed = allowed + MIN(excluded.allowed, 9223372036854775807 - allowed), \
         refused = refused + MIN(excluded.refused, 9223372036854775807 - refused)"
    );
    const TAKE_QUOTA: &'static str = texts::take_quota!(
        "CASE WHEN period = ? THEN taken ELSE 0 END + ?",
        " RETURNING taken"
    );
    const KEEP_QUOTA: &'static str =
        "INSERT OR IGNORE INTO sakms_quotas (key_id, period, taken) VALUES (?, ?, 0)";
    const FORGET_REQUESTS: &'static str = "DELETE FROM sakms_idempotency WHERE id IN \
         (SELECT id FROM sakms_idempotency WHERE at < ? ORDER BY at LIMIT 1000)";
    const STATES: &'static str = texts::states!("", "");
    const STATES_OF_OWNER: &'static str = texts::states!("", "s.owner = ? AND ");
    const REMOVE_STATES: &'static str =
        "DELETE FROM sakms_states WHERE owner = ? AND kind = ? AND (? = 0 OR id <> ?)";
    const FORGET_STATES: &'static str = "DELETE FROM sakms_states WHERE rowid IN \
         (SELECT rowid FROM sakms_states WHERE expires_at < ? ORDER BY expires_at LIMIT 1000)";
    const STEPS: &'static [MigrationStep] = steps! { "sqlite":
        1 "0001_keys"
        2 "0002_keys_by_owner"
        3 "0003_secrets"
        4 "0004_secrets_by_key"
        5 "0005_secret_uses"
        6 "0006_owners"
        7 "0007_accounts"
        8 "0008_journal"
        9 "0009_journal_head"
        10 "0010_journal_start"
        11 "0011_key_policies"
        12 "0012_secret_sources"
        13 "0013_key_days"
        14 "0014_quotas"
        15 "0015_idempotency"
        16 "0016_idempotency_by_time"
        17 "0017_roles"
        18 "0018_account_roles"
        19 "0019_journal_owners"
        20 "0020_journal_by_owner"
        21 "0021_journal_owners_start"
        22 "0022_states"
        23 "0023_states_by_owner"
        24 "0024_states_by_kind"
        25 "0025_states_by_end"
    };

    fn limits(&self) -> Limits {
        LIMITS
    }

    async fn session(&self, lane: Lane) -> Result<SqliteSession, sqlx::Error> {
        let pool = match lane {
            Lane::Verify | Lane::Manage => &self.reader,
            Lane::Quota | Lane::Write => &self.writer,
        };
        pool.acquire().await.map(SqliteSession::on)
    }

    async fn migrate(&self) -> Result<MigrationReport, StoreError> {
        for _ in 1..MIGRATIONS {
            match self.migrate_once().await {
                Err(failure) if failure.fault::<Self>().again => {
                    tokio::time::sleep(Duration::from_millis(250)).await;
                }
                other => {
                    return other.map_err(|failure| failure.into_store_error::<Self>("migrate"));
                }
            }
        }
        let last = self.migrate_once().await;
        last.map_err(|failure| failure.into_store_error::<Self>("migrate"))
    }

    fn fault(error: &(dyn DatabaseError + 'static)) -> Fault {
        // The lower byte of an extended result code is the result code.
        let code = error.code().and_then(|code| code.parse::<u32>().ok());
        match code.map(|code| code & 0xFF) {
            // BUSY, LOCKED, SCHEMA: others were at it. A commit that meets this was not made.
            Some(5 | 6 | 17) => Fault::undone(),
            // PERM, READONLY, FULL.
            Some(3 | 8 | 13) => Fault::of(StoreErrorKind::ReadOnly),
            // CORRUPT, NOTADB.
            Some(11 | 26) => Fault::of(StoreErrorKind::Corrupt),
            // NOMEM, IOERR, CANTOPEN.
            Some(7 | 10 | 14) => Fault::of(StoreErrorKind::Unavailable),
            Some(1) if error.message().starts_with("no such ") => Fault::no_tables(),
            _ if error.is_unique_violation() => Fault::of(StoreErrorKind::Conflict),
            _ => Fault::of(StoreErrorKind::Internal),
        }
    }
}

impl Sqlite {
    /// Does all that is left in one transaction, which keeps every other process out.
    async fn migrate_once(&self) -> Result<MigrationReport, Failure> {
        let mut connection = self.writer.acquire().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let done = async {
            let connection = &mut *transaction;
            connection
                .ensure_migrations_table(migrate::TABLE)
                .await
                .map_err(migrate::cause)?;
            connection
                .execute("DELETE FROM sakms_migrations WHERE success = FALSE")
                .await?;
            migrate::run(connection, Self::STEPS)
                .await
                .map_err(migrate::cause)
        };
        let report = done.await?;
        transaction.commit().await?;
        Ok(report)
    }
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Row as _};

    use super::*;
    use crate::store::sql::backend::Session as _;
    use crate::store::sql::row::Value;

    #[tokio::test]
    async fn no_statement_reads_a_whole_table() {
        let store = SqliteStore::open(":memory:").await.unwrap();
        for text in [
            texts::FIND,
            texts::KEY,
            Sqlite::KEYS,
            Sqlite::KEYS_OF_OWNER,
            Sqlite::COUNT_KEYS,
            texts::CHANGE_KEY,
            texts::KEYS_OF_SECRETS,
            texts::RETIRE_SECRETS,
            texts::SHOWN_PREFIX,
            texts::KEEP_SECRET,
            texts::SECRETS,
            texts::DAYS,
            texts::QUOTA,
            Sqlite::TAKE_QUOTA,
            texts::REQUEST,
            Sqlite::FORGET_REQUESTS,
            texts::REMOVE_ROLE,
            texts::HASH,
            texts::CHANGE_HASH,
            texts::OWNER,
            texts::ENABLE_OWNER,
            texts::ACCOUNT,
            texts::ACCOUNT_BY_EMAIL,
            texts::ACCOUNTS,
            texts::TAKE_ROLE,
            texts::CHANGE_PASSWORD,
            texts::CHANGE_PASSWORD_HASH,
            texts::STATE,
            Sqlite::STATES,
            Sqlite::STATES_OF_OWNER,
            texts::CHANGE_STATE,
            texts::REMOVE_STATE,
            Sqlite::REMOVE_STATES,
            Sqlite::FORGET_STATES,
            texts::JOURNAL_AFTER,
            texts::JOURNAL_ENTRY,
            Sqlite::JOURNAL,
            Sqlite::JOURNAL_OF_OWNER,
            texts::HEAD,
            texts::MOVE_HEAD,
        ] {
            let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"));
            let plan = sqlx::query(explain).fetch_all(&store.backend.reader).await;
            for step in plan.unwrap() {
                let step: String = step.get("detail");
                // A count reads the rows it found once more, which is no table.
                assert!(
                    !step.contains("SCAN") || step == "SCAN found",
                    "{text}: {step}"
                );
                assert!(!step.contains("TEMP B-TREE"), "{text}: {step}");
            }
        }
    }

    /// Without a table of steps that statement is all there is to tell whether the tables are those of this version.
    #[tokio::test]
    async fn every_column_is_named_where_the_tables_are_looked_at() {
        let store = SqliteStore::open(":memory:").await.unwrap();
        let pool = &store.backend.reader;
        let columns = "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name LIKE 'sakms\\_%' ESCAPE '\\' AND m.name <> 'sakms_migrations'";
        let columns = sqlx::query_as::<_, (String, String)>(columns);
        let columns = columns.fetch_all(pool).await.unwrap();
        assert!(columns.len() > 30, "{columns:?}");
        for (table, column) in columns {
            let take_away = |with: &str| {
                let text = format!("ALTER TABLE {table} RENAME COLUMN {with}");
                sqlx::raw_sql(AssertSqlSafe(text)).execute(pool)
            };
            take_away(&format!("{column} TO away")).await.unwrap();
            let looked = sqlx::query(Sqlite::TABLES).fetch_all(pool).await;
            assert!(looked.is_err(), "{table}.{column} is not looked at");
            take_away(&format!("away TO {column}")).await.unwrap();
        }
        sqlx::query(Sqlite::TABLES).fetch_all(pool).await.unwrap();
    }

    #[tokio::test]
    async fn a_commit_is_on_the_disk_before_it_is_acknowledged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sakms.db");
        let store = SqliteStore::open(path.to_str().unwrap()).await.unwrap();
        let mut session = store.backend.session(Lane::Write).await.unwrap();
        for (pragma, value) in [
            ("PRAGMA synchronous", Value::Int(2)),
            ("PRAGMA journal_mode", Value::Text("wal".into())),
            ("PRAGMA foreign_keys", Value::Int(1)),
            ("PRAGMA busy_timeout", Value::Int(3000)),
        ] {
            assert_eq!(
                session.fetch(pragma, &[]).await.unwrap(),
                [[value]],
                "{pragma}"
            );
        }
        let mut session = store.backend.session(Lane::Verify).await.unwrap();
        let refused = session.execute("DELETE FROM sakms_keys", &[]).await;
        assert!(refused.is_err(), "readers only read");
    }
}
