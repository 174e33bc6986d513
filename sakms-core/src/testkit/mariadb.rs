//! Empty databases for tests, on the server at `SAKMS_TEST_MARIADB_URL`.
//!
//! ```no_run
//! use sakms_core::testkit::mariadb::Database;
//! use sakms_core::testkit::store::Fixture;
//!
//! async fn factory() -> Option<Fixture> {
//!     let database = Database::create().await?;
//!     Some(Fixture::full(database.store().await).with_guard(database))
//! }
//! ```

use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};

use crate::entropy::{Entropy as _, OsEntropy};
use crate::store::MariaDbStore;
use crate::testkit::needed;

/// An empty database that is dropped with this value. Its name is `sakms_t_` and 16 random digits.
#[derive(Debug)]
pub struct Database {
    server: String,
    /// Its name.
    pub name: String,
}

impl Database {
    /// A new one, or `None` without a server. `SAKMS_TEST_REQUIRE=mariadb` makes that a failure.
    pub async fn create() -> Option<Self> {
        let server = needed("mariadb", "SAKMS_TEST_MARIADB_URL")?;
        let mut random = [0; 8];
        OsEntropy.fill(&mut random).unwrap();
        let name = format!("sakms_t_{:016x}", u64::from_be_bytes(random));
        let database = Self { server, name };
        let mut connection = database.options_without_name().connect().await.unwrap();
        // A name cannot be a parameter; this one is digits.
        let text = format!("CREATE DATABASE {}", database.name);
        connection.execute(AssertSqlSafe(text)).await.unwrap();
        connection.close().await.unwrap();
        Some(database)
    }

    fn options_without_name(&self) -> MySqlConnectOptions {
        let (scheme, rest) = self.server.split_once("://").unwrap();
        let host = rest.split(['/', '?']).next().unwrap_or_default();
        format!("{scheme}://{host}").parse().unwrap()
    }

    /// How to connect to it.
    #[must_use]
    pub fn options(&self) -> MySqlConnectOptions {
        self.options_without_name().database(&self.name)
    }

    /// The URL of the database.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_at(None)
    }

    /// The same through somebody on the loopback who listens at `port`.
    #[must_use]
    pub fn url_at(&self, port: Option<u16>) -> String {
        let mut url = self.options_without_name().to_url_lossy();
        if let Some(port) = port {
            url.set_port(Some(port)).unwrap();
        }
        url.set_path(&self.name);
        url.set_query(None);
        url.into()
    }

    /// A connection of one's own.
    pub async fn connect(&self) -> MySqlConnection {
        self.options().connect().await.unwrap()
    }

    /// Runs statements on a connection of its own.
    pub async fn run(&self, text: impl Into<String>) {
        let mut connection = self.connect().await;
        let text = AssertSqlSafe(text.into());
        sqlx::raw_sql(text).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    /// A number that a statement gives.
    pub async fn number(&self, text: &'static str) -> i64 {
        let mut connection = self.connect().await;
        let number = sqlx::query_scalar(text).fetch_one(&mut connection).await;
        connection.close().await.unwrap();
        number.unwrap()
    }

    /// A store with its tables.
    pub async fn store(&self) -> MariaDbStore {
        // What a slow machine takes long for is right all the same; what is about time has stores of its own.
        let patience = Duration::from_secs(10);
        let store = MariaDbStore::builder(&self.url())
            .acquire_timeout(patience)
            .statement_timeout(patience)
            .build()
            .unwrap();
        store.migrate().await.unwrap();
        store
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (options, name) = (self.options_without_name(), self.name.clone());
        // Not within the runtime of a test, which may be waiting for this very drop.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let mut connection = options.connect().await?;
                connection
                    .execute(AssertSqlSafe(format!("DROP DATABASE {name}")))
                    .await?;
                connection.close().await
            })
        });
        if let Ok(Err(error)) = dropping.join() {
            eprintln!("{} stays behind: {error}", self.name);
        }
    }
}
