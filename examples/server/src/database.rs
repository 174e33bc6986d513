//! The database a URL names.

use std::path::Path;
use std::sync::Arc;

use sakms_core::store::{
    AccountStore, AppliedStep, KeyStore, MariaDbStore, SqliteStore, StateStore,
};

use crate::config::DatabaseSettings;
use crate::error::Failure;

/// A store that is open and has its tables.
#[derive(Debug, Clone)]
pub(crate) enum Database {
    Sqlite(SqliteStore),
    MariaDb(MariaDbStore),
}

impl Database {
    /// What keeps the keys and the journal.
    pub(crate) fn keys(self) -> Arc<dyn KeyStore> {
        match self {
            Self::Sqlite(store) => Arc::new(store),
            Self::MariaDb(store) => Arc::new(store),
        }
    }

    /// What keeps what is there for a while.
    pub(crate) fn states(self) -> Arc<dyn StateStore> {
        match self {
            Self::Sqlite(store) => Arc::new(store),
            Self::MariaDb(store) => Arc::new(store),
        }
    }

    /// What keeps the accounts.
    pub(crate) fn accounts(self) -> Arc<dyn AccountStore> {
        match self {
            Self::Sqlite(store) => Arc::new(store),
            Self::MariaDb(store) => Arc::new(store),
        }
    }
}

/// The file of an SQLite URL; `None` when it names another database.
pub(crate) fn sqlite_path(url: &str) -> Option<&str> {
    let path = url.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    Some(path.split('?').next().unwrap_or(path))
}

/// Opens the database and brings its tables up to date.
pub(crate) async fn open(settings: &DatabaseSettings) -> Result<Database, Failure> {
    let (database, applied) = open_and_migrate(settings).await?;
    if !applied.is_empty() {
        tracing::info!(steps = applied.len(), "the tables were brought up to date");
    }
    Ok(database)
}

/// The same of a database that must be there: a command that looks into one shall not make an empty one where it was
/// started in the wrong folder.
pub(crate) async fn existing(settings: &DatabaseSettings) -> Result<Database, Failure> {
    let url = settings.url();
    if let Some(path) = sqlite_path(&url)
        && path != ":memory:"
        && !Path::new(path).exists()
    {
        return Err(Failure::plain(format!("there is no database at {path}")));
    }
    open(settings).await
}

/// Brings the tables up to date and says what was done.
#[expect(clippy::print_stdout, reason = "what the command was asked for")]
pub(crate) async fn migrate(settings: &DatabaseSettings) -> Result<(), Failure> {
    let (_, applied) = open_and_migrate(settings).await?;
    if applied.is_empty() {
        println!("the tables are up to date");
    }
    for AppliedStep { version, name, .. } in applied {
        println!("applied {version} {name}");
    }
    Ok(())
}

async fn open_and_migrate(
    settings: &DatabaseSettings,
) -> Result<(Database, Vec<AppliedStep>), Failure> {
    let url = settings.url();
    let (database, report) = if sqlite_path(&url).is_some() {
        let store = SqliteStore::connect(&url)
            .await
            .map_err(|error| Failure::new("the database", &error))?;
        let report = store.migrate().await;
        (Database::Sqlite(store), report)
    } else {
        known_scheme(&url)?;
        let builder = MariaDbStore::builder(&url).max_connections(settings.connections);
        let store = builder
            .build()
            .map_err(|error| Failure::new("the database", &error))?;
        let report = store.migrate().await;
        (Database::MariaDb(store), report)
    };
    let report = report.map_err(|error| Failure::new("the database", &error))?;
    Ok((database, report.applied))
}

/// Refuses what is no URL of a database we know, without repeating it: it may hold a password.
fn known_scheme(url: &str) -> Result<(), Failure> {
    let expected = "expected sqlite://FILE, mysql://… or mariadb://…";
    match url.split_once("://") {
        Some(("mysql" | "mariadb" | "mysql+pymysql", _)) => Ok(()),
        Some((scheme, _)) => Err(Failure::plain(format!(
            "--database-url: {scheme}:// is not supported; {expected}"
        ))),
        None => Err(Failure::plain(format!(
            "--database-url is not a URL; {expected}"
        ))),
    }
}
