//! Keys, accounts and the journal in a SQL database.
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
//! | `row.rs`, `records.rs` | values, and records made of them |
//! | `keys.rs`, `uses.rs`, `accounts.rs` | the store's methods |
//! | `retry.rs` | deadlines, second attempts, commits whose outcome was lost |
//! | `fault.rs` | what an error means |
//! | `migrate.rs` | the schema's steps |
//! | `mariadb/`, `sqlite/` | the backends |

mod accounts;
mod backend;
mod fault;
mod keys;
#[cfg(feature = "mariadb")]
pub mod mariadb;
mod migrate;
mod records;
mod retry;
mod row;
#[cfg(feature = "sqlite")]
pub mod sqlite;
mod texts;
mod uses;

use backend::Backend;

pub use migrate::{AppliedStep, MigrationReport};

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
}
