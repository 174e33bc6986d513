//! Settings of a store in MariaDB.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlPoolOptions, MySqlSslMode};

use super::{MariaDb, MariaDbStore};
use crate::store::sql::backend::Limits;
use crate::store::{StoreError, StoreErrorKind};

pub(super) const ACQUIRE: Duration = Duration::from_millis(500);
pub(super) const STATEMENT: Duration = Duration::from_secs(3);
/// More than there are statements. A statement that is evicted costs 40 ms over TCP with this driver.
const STATEMENTS: usize = 512;
const IDLE: Duration = Duration::from_mins(5);
const LIFETIME: Duration = Duration::from_mins(30);
/// The longest a statement of a check may take on the server. The client gives up sooner; this ends what it gave up.
const VERIFY_STATEMENT: Duration = Duration::from_secs(1);

/// What every connection needs besides what the driver sets. The comments are MariaDB's and MySQL's own notation for
/// what only one of them understands: one statement, one parameter (milliseconds), whichever it is.
///
/// Strict, or a value that is too long would be cut without a word. Read committed, or writers would run into each
/// other's snapshots. A transaction whose client has vanished ends after ten seconds instead of hours.
const SETTINGS: &str = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,\
     NO_ZERO_DATE,NO_ZERO_IN_DATE,NO_ENGINE_SUBSTITUTION,PIPES_AS_CONCAT', time_zone = '+00:00', \
     innodb_lock_wait_timeout = 2 \
     /*M! , max_statement_time = ? / 1000, idle_transaction_timeout = 10 */ \
     /*!80000 , max_execution_time = ? */";
const ISOLATION: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

/// The URL's options about TLS that the driver knows; it passes over others without a word.
const TLS_OPTIONS: [&str; 8] = [
    "ssl-mode", "sslmode", "ssl-ca", "sslca", "ssl-cert", "sslcert", "ssl-key", "sslkey",
];

/// How the connection to the database is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsMode {
    /// Not at all.
    Disabled,
    /// Encrypted, whoever the server is. The default for a server on another machine.
    Required,
    /// Encrypted, and the server's certificate comes from a known authority.
    VerifyCa,
    /// Encrypted, the certificate comes from a known authority and names the host. The mode to have in production.
    VerifyIdentity,
}

impl From<TlsMode> for MySqlSslMode {
    fn from(mode: TlsMode) -> Self {
        match mode {
            TlsMode::Disabled => Self::Disabled,
            TlsMode::Required => Self::Required,
            TlsMode::VerifyCa => Self::VerifyCa,
            TlsMode::VerifyIdentity => Self::VerifyIdentity,
        }
    }
}

/// Settings of a [`MariaDbStore`].
#[derive(Clone)]
pub struct MariaDbBuilder {
    url: String,
    connections: u32,
    verify_connections: u32,
    acquire: Duration,
    statement: Duration,
    tls: Option<TlsMode>,
    tls_ca: Option<PathBuf>,
}

impl fmt::Debug for MariaDbBuilder {
    /// Without the URL, which holds the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MariaDbBuilder")
            .field("max_connections", &self.connections)
            .field("verify_connections", &self.verify_connections)
            .field("acquire_timeout", &self.acquire)
            .field("statement_timeout", &self.statement)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

impl MariaDbBuilder {
    pub(super) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            connections: 8,
            verify_connections: 4,
            acquire: ACQUIRE,
            statement: STATEMENT,
            tls: None,
            tls_ca: None,
        }
    }

    /// How many connections management has at most; 8 unless told otherwise.
    #[must_use]
    pub const fn max_connections(mut self, connections: u32) -> Self {
        self.connections = connections;
        self
    }

    /// How many connections checks have at most, besides those of management; 4 unless told otherwise.
    #[must_use]
    pub const fn verify_connections(mut self, connections: u32) -> Self {
        self.verify_connections = connections;
        self
    }

    /// How long anything waits for a connection; 500 ms unless told otherwise.
    ///
    /// A check gives up 300 ms after that, whatever it waits for.
    #[must_use]
    pub const fn acquire_timeout(mut self, timeout: Duration) -> Self {
        self.acquire = timeout;
        self
    }

    /// How long a statement of management may take, in whole milliseconds; 3 s unless told otherwise. With
    /// the wait for a connection it is also how long a whole method may take.
    #[must_use]
    pub const fn statement_timeout(mut self, timeout: Duration) -> Self {
        self.statement = timeout;
        self
    }

    /// How connections are protected; goes before what the URL says (`ssl-mode=`).
    ///
    /// When neither says anything, connections to another machine are [encrypted](TlsMode::Required).
    #[must_use]
    pub const fn tls(mut self, mode: TlsMode) -> Self {
        self.tls = Some(mode);
        self
    }

    /// A file with the authorities (PEM) that the server's certificate may come from.
    #[must_use]
    pub fn tls_ca(mut self, file: impl Into<PathBuf>) -> Self {
        self.tls_ca = Some(file.into());
        self
    }

    /// The store. No connection is made before the first is needed: a service starts, and recovers, while its
    /// database is down. [`ping`](crate::store::KeyStore::ping) tells whether it is there.
    ///
    /// Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// [`StoreErrorKind::Internal`] when the URL is none, names no database, or has an option about TLS that is not
    /// known.
    pub fn build(self) -> Result<MariaDbStore, StoreError> {
        let options = self
            .options()
            .map_err(|why| StoreError::new(StoreErrorKind::Internal, "connect").because(why))?;
        let acquire = self.acquire;
        let pool = |connections: u32, statement| {
            pool(connections.max(1), acquire, statement).connect_lazy_with(options.clone())
        };
        Ok(MariaDbStore::with(MariaDb {
            manage: pool(self.connections, self.statement),
            verify: pool(
                self.verify_connections,
                VERIFY_STATEMENT.min(self.statement),
            ),
            limits: Limits::within(self.acquire, self.statement),
            foreign: false,
        }))
    }

    /// What the URL and the settings say. The errors name options, never the URL.
    fn options(&self) -> Result<MySqlConnectOptions, String> {
        let (scheme, rest) = self.url.split_once("://").ok_or("the URL has no scheme")?;
        if !matches!(
            scheme,
            "mysql" | "mariadb" | "mysql+pymysql" | "mariadb+pymysql"
        ) {
            return Err("the URL's scheme is none of mysql, mariadb, mysql+pymysql".into());
        }
        let query = rest.split_once('?').map_or("", |(_, query)| query);
        let names = || query.split('&').filter_map(|pair| pair.split('=').next());
        if let Some(name) =
            names().find(|name| name.starts_with("ssl") && !TLS_OPTIONS.contains(name))
        {
            return Err(format!(
                "the URL's option {name} is not known; known are ssl-mode, ssl-ca, ssl-cert and ssl-key"
            ));
        }
        let mut options: MySqlConnectOptions = format!("mysql://{rest}")
            .parse()
            .map_err(|error: sqlx::Error| error.to_string())?;
        if options.get_database().is_none_or(str::is_empty) {
            return Err("the URL names no database".into());
        }
        // Other clients' URLs may ask for a narrower one.
        options = options
            .charset("utf8mb4")
            .statement_cache_capacity(STATEMENTS);
        if let Some(file) = &self.tls_ca {
            options = options.ssl_ca(file);
        }
        let said = names().any(|name| matches!(name, "ssl-mode" | "sslmode"));
        let mode = match self.tls {
            Some(mode) => Some(mode.into()),
            None if said || is_local(&options) => None,
            None => Some(MySqlSslMode::Required),
        };
        Ok(match mode {
            Some(mode) => options.ssl_mode(mode),
            None => options,
        })
    }
}

/// Whether the server is on this machine, where nobody listens in between.
fn is_local(options: &MySqlConnectOptions) -> bool {
    let host = options.get_host().trim_matches(['[', ']']);
    options.get_socket().is_some()
        || host.eq_ignore_ascii_case("localhost")
        || host
            .parse()
            .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

fn pool(connections: u32, acquire: Duration, statement: Duration) -> MySqlPoolOptions {
    let millis = i64::try_from(statement.as_millis()).unwrap_or(i64::MAX);
    MySqlPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(acquire)
        .idle_timeout(IDLE)
        .max_lifetime(LIFETIME)
        .after_connect(move |connection, _| Box::pin(settle_in(connection, millis)))
}

async fn settle_in(connection: &mut MySqlConnection, millis: i64) -> Result<(), sqlx::Error> {
    sqlx::query(SETTINGS)
        .bind(millis)
        .execute(&mut *connection)
        .await?;
    sqlx::raw_sql(ISOLATION).execute(&mut *connection).await?;
    Ok(())
}
