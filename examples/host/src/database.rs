//! The application's database, which SAKMS shares.

use std::time::Duration;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

/// Opens the application's one pool, on a file, which is made if absent, or on `:memory:`.
///
/// Its settings are for SAKMS as well: with less than `FULL`, a power cut could take back a revocation.
///
/// # Errors
/// The driver's, when the file cannot be opened.
pub async fn open(database: &str) -> Result<SqlitePool, sqlx::Error> {
    let (options, connections) = match database {
        // It lives in its connection: there is one, and it is kept.
        ":memory:" => (SqliteConnectOptions::new().in_memory(true), 1),
        file => {
            let options = SqliteConnectOptions::new().filename(file);
            (options.journal_mode(SqliteJournalMode::Wal), 8)
        }
    };
    let options = options
        .create_if_missing(true)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(3));
    SqlitePoolOptions::new()
        .max_connections(connections)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(Duration::from_secs(2))
        .connect_with(options)
        .await
}

/// Brings the application's own tables up to date. With sqlx's feature `macros`, `sqlx::migrate!()` says the same.
///
/// # Errors
/// The migrator's.
pub async fn migrate(pool: &SqlitePool) -> Result<(), MigrateError> {
    let step = |number, name: &'static str, text: &'static str| {
        let text = text.into_sql_str();
        Migration::new(number, name.into(), MigrationType::Simple, text, false)
    };
    let steps = vec![
        step(1, "users", include_str!("../migrations/0001_users.sql")),
        step(
            2,
            "sessions",
            include_str!("../migrations/0002_sessions.sql"),
        ),
    ];
    Migrator::with_migrations(steps).run(pool).await
}
