//! Keys, accounts, what is kept for a while, and the journal in a SQL database.
//!
//! [`SqlStore`] holds everything that the databases have in common: what is written in which order, how rows
//! are read, when a change is tried again. A `Backend` is what one database needs besides: its connections, its few
//! own statements, the meaning of its errors. Both sides speak in plain values, so that nothing here depends on a
//! driver's types.
//!
//! | file | holds |
//! | --- | --- |
//! | `backend.rs` | what is asked of a database |
//! | `texts.rs` | the statements |
//! | `row.rs`, `records/` | values, and records made of them |
//! | `key_store.rs`, `accounts.rs` | the stores' methods |
//! | `keys.rs`, `secrets.rs`, `lists.rs`, `uses.rs`, `quotas.rs`, `idempotency.rs`, `roles.rs`, `owners.rs`, `states.rs`, `journal.rs`, `tables.rs` | what they do |
//! | `work.rs` | what those share |
//! | `retry.rs` | deadlines, second attempts, commits whose outcome was lost |
//! | `fault.rs` | what an error means |
//! | `migrate.rs` | the schema's steps |
//! | `decode.rs` | rows by hand, for tests |
//! | `mariadb/`, `sqlite/` | the backends |

mod accounts;
mod backend;
#[cfg(feature = "testkit")]
pub mod decode;
mod fault;
mod idempotency;
mod journal;
mod key_store;
mod keys;
mod lists;
#[cfg(feature = "mariadb")]
pub mod mariadb;
mod migrate;
mod owners;
mod quotas;
mod records;
mod retry;
mod roles;
mod row;
mod secrets;
#[cfg(feature = "sqlite")]
pub mod sqlite;
mod states;
mod tables;
mod texts;
mod uses;
mod work;

use backend::Backend;

pub use migrate::{AppliedStep, MigrationReport, MigrationStep};

use super::StoreError;

/// A store in a SQL database: a `MariaDbStore` or an `SqliteStore`.
///
/// Cloning it is cheap; the clones share their connections.
#[derive(Debug, Clone)]
pub struct SqlStore<B> {
    backend: B,
}

impl<B: Backend> SqlStore<B> {
    const fn with(backend: B) -> Self {
        Self { backend }
    }

    /// Brings the tables up to date, and says what was done. On tables that are up to date it does nothing.
    ///
    /// Any number of processes may call it at once: one works, the others wait for it. A step that a process
    /// did not finish, because it was killed, is done again.
    ///
    /// # Errors
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when the database cannot be reached or
    /// another process migrates for more than a minute,
    /// [`StoreErrorKind::Internal`](super::StoreErrorKind::Internal) when the database refuses a step.
    pub async fn migrate(&self) -> Result<MigrationReport, StoreError> {
        self.backend.migrate().await
    }

    /// What [`migrate`](Self::migrate) does, step by step, for a host that does it within an order of its own.
    ///
    /// A later version adds steps at the end and changes none. Each may be run again, so that the two ways may follow
    /// each other. What the store itself knows about steps is in `sakms_migrations`: without that table it looks at the
    /// tables and columns instead, and with it, it wants to see every step there. A host that goes over to an order
    /// of its own drops that table. To keep processes apart that migrate at once is then the host's part; sqlx's own
    /// migrator does not on MariaDB.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use sakms_core::store::{KeyStore as _, SqliteStore};
    /// use sqlx::SqlSafeStr as _;
    /// use sqlx::migrate::{Migration, MigrationType, Migrator};
    /// # let one = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
    /// # let pool = one.connect("sqlite::memory:").await?;
    ///
    /// let users = "CREATE TABLE users (id INTEGER PRIMARY KEY)".into_sql_str();
    /// let mut order = vec![Migration::new(1, "users".into(), MigrationType::Simple, users, false)];
    /// // The numbers from 1000 on are set aside for SAKMS, whose steps a later version may add to.
    /// order.extend(SqliteStore::steps().iter().map(|step| step.numbered(1000 + step.version)));
    /// Migrator::with_migrations(order).run(&pool).await?;
    ///
    /// SqliteStore::from_pool(pool).ping().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn steps() -> &'static [MigrationStep] {
        B::STEPS
    }
}
