//! Settings of a store in MariaDB.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use sqlx::Row as _;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlPoolOptions, MySqlSslMode};

use super::home::Home;
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
/// Whether the server is a node of a Galera cluster. Servers that know nothing of it answer with no row.
const CLUSTER: &str = "SHOW GLOBAL VARIABLES LIKE 'wsrep_on'";
/// A node of a cluster answers what it has, and may have less than another has acknowledged: for a moment usually, and for
/// much longer when it was cut off or stood still and does not know it yet. With this, reading and beginning a
/// transaction wait until the node has all that was committed before, and fail where it cannot tell. The journal is worth
/// nothing without: a node that reads an old one believes that nothing was revoked.
const CAUSAL: &str = "SET SESSION wsrep_sync_wait = 1";

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

    /// How many connections checks have at most, besides those of management; 4 unless told otherwise. As many more are
    /// for quotas, and are made when keys have any.
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
    /// All connections belong to the Tokio runtime this is called in, which has to outlive the store; who uses the store
    /// may have another, as the workers of actix-web do.
    ///
    /// # Errors
    /// [`StoreErrorKind::Internal`] when the URL is none, names no database, or has an option about TLS that is not
    /// known; and outside of a Tokio runtime.
    pub fn build(self) -> Result<MariaDbStore, StoreError> {
        let refused =
            |why: String| StoreError::new(StoreErrorKind::Internal, "connect").because(why);
        let options = self.options().map_err(refused)?;
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(refused(
                "the store must be built within a Tokio runtime".into(),
            ));
        }
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
            quota: pool(
                self.verify_connections,
                VERIFY_STATEMENT.min(self.statement),
            ),
            limits: Limits::within(self.acquire, self.statement),
            home: Home::here(),
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
        // The brackets of an IPv6 address belong to the URL, and the driver takes them for a part of the name.
        let host = options.get_host().trim_matches(['[', ']']).to_owned();
        options = options.host(&host);
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
    let host = options.get_host();
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
    let cluster = sqlx::raw_sql(CLUSTER)
        .fetch_optional(&mut *connection)
        .await?;
    if let Some(row) = cluster
        && row.try_get_unchecked::<String, _>(1)? == "ON"
    {
        sqlx::raw_sql(CAUSAL).execute(connection).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(url: &str) -> Result<MySqlConnectOptions, String> {
        MariaDbBuilder::new(url).options()
    }

    fn tls(url: &str) -> MySqlSslMode {
        options(url).unwrap().get_ssl_mode()
    }

    #[test]
    fn a_server_on_another_machine_is_spoken_to_in_private() {
        for host in [
            "db.example.com",
            "10.0.0.7",
            "[2001:db8::1]",
            "localhost.example.com",
        ] {
            let url = format!("mysql://u:p@{host}/sakms");
            assert!(matches!(tls(&url), MySqlSslMode::Required), "{url}");
            let url = format!("mysql://u:p@{host}/sakms?charset=utf8mb4");
            assert!(matches!(tls(&url), MySqlSslMode::Required), "{url}");
        }
        for host in [
            "localhost",
            "LOCALHOST:3307",
            "127.0.0.1:3306",
            "127.9.9.9",
            "[::1]:3306",
        ] {
            let url = format!("mysql://u:p@{host}/sakms");
            assert!(matches!(tls(&url), MySqlSslMode::Preferred), "{url}");
        }
        assert_eq!(
            options("mysql://u:p@[::1]/sakms").unwrap().get_host(),
            "::1"
        );
        let socket = "mysql://u:p@db.example.com/sakms?socket=/run/mysqld/mysqld.sock";
        assert!(matches!(tls(socket), MySqlSslMode::Preferred));
    }

    #[test]
    fn what_is_said_about_tls_holds() {
        let disabled = "mysql://u:p@db.example.com/sakms?ssl-mode=disabled";
        assert!(matches!(tls(disabled), MySqlSslMode::Disabled));
        let verified = "mysql://u:p@db.example.com/sakms?ssl-mode=VERIFY_IDENTITY";
        assert!(matches!(tls(verified), MySqlSslMode::VerifyIdentity));
        let builder = MariaDbBuilder::new(disabled).tls(TlsMode::VerifyCa);
        assert!(matches!(
            builder.options().unwrap().get_ssl_mode(),
            MySqlSslMode::VerifyCa
        ));
        for unknown in ["ssl=true", "ssl_ca=/etc/ca.pem", "sslMode=disabled"] {
            let url = format!("mysql://u:p@db.example.com/sakms?{unknown}");
            let name = unknown.split('=').next().unwrap();
            assert!(options(&url).unwrap_err().contains(name), "{url}");
        }
    }

    #[test]
    fn urls_of_other_clients_are_read() {
        for scheme in ["mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql"] {
            let url = format!("{scheme}://u%40x:p%23w@127.0.0.1:3307/sakms?charset=latin1&x=y");
            let options = options(&url).unwrap();
            assert_eq!(options.get_host(), "127.0.0.1");
            assert_eq!(options.get_port(), 3307);
            assert_eq!(options.get_username(), "u@x");
            assert_eq!(options.get_database(), Some("sakms"));
            assert_eq!(options.get_charset(), "utf8mb4");
        }
    }

    #[test]
    fn what_is_no_url_is_refused_without_showing_it() {
        for url in [
            "",
            "sakms",
            "postgres://u:tell-nobody@127.0.0.1/sakms",
            "mysql://u:tell-nobody@127.0.0.1",
            "mysql://u:tell-nobody@127.0.0.1/",
            "mysql://u:tell-nobody@127.0.0.1:port/sakms",
            "mysql://u:tell-nobody@/sakms",
            "mysql://u:tell-nobody@127.0.0.1/sakms?ssl-mode=tell-nobody-else",
        ] {
            let why = options(url).unwrap_err();
            assert!(!why.contains("tell-nobody@"), "{url}: {why}");
        }
    }

    #[test]
    fn outside_of_a_runtime_it_is_an_error_and_no_panic() {
        let error = MariaDbBuilder::new("mysql://u:p@127.0.0.1/sakms")
            .build()
            .unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Internal);
    }
}
