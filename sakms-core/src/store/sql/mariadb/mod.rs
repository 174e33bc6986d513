//! MariaDB, and MySQL 8 by the same statements: the store of a service with several nodes.

mod builder;
mod fault;
mod home;
mod session;

use std::fmt;
use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::migrate::Migrate as _;
use sqlx::mysql::{MySqlConnection, MySqlPool};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

use super::SqlStore;
use super::backend::{Backend, Lane, Limits};
use super::fault::{Failure, Fault};
use super::migrate::{self, MigrationReport, MigrationStep, steps};
use super::texts;
use crate::store::{StoreError, StoreErrorKind};
pub use builder::{MariaDbBuilder, TlsMode};
use home::Home;
use session::MariaDbSession;

/// A store in MariaDB 10.6 or newer, or MySQL 8 or newer.
///
/// The database's user signs in with a password (`mysql_native_password`; on MySQL also `caching_sha2_password`, over
/// TLS); the driver does not know MariaDB's `ed25519`, `parsec` and `gssapi`. It needs all rights on its database to
/// migrate, and `SELECT`, `INSERT`, `UPDATE` and `DELETE` afterwards.
///
/// ```no_run
/// # #[tokio::main]
/// # async fn main() -> Result<(), sakms_core::store::StoreError> {
/// use sakms_core::store::MariaDbStore;
///
/// let store = MariaDbStore::builder("mysql://sakms:password@db.example.com/sakms").build()?;
/// store.migrate().await?;
/// # Ok(())
/// # }
/// ```
pub type MariaDbStore = SqlStore<MariaDb>;

/// The connections of a [`MariaDbStore`].
#[derive(Clone)]
pub struct MariaDb {
    manage: MySqlPool,
    /// Checks have connections of their own: nothing that people wait for can keep requests waiting.
    verify: MySqlPool,
    /// So do quotas: requests with one key wait for that key's row, and would take the connections of all checks.
    quota: MySqlPool,
    limits: Limits,
    home: Home,
    /// Whether the connections are a host's, with whatever settings they have.
    foreign: bool,
}

/// Waits for another process that migrates, at most 60 seconds. A lock's name holds 64 characters at most, and a
/// database's does as well.
const TAKE_LOCK: &str =
    "SELECT GET_LOCK(CONCAT('sakms.migrate.', LEFT(SHA2(DATABASE(), 256), 40)), 60)";
const FREE_LOCK: &str =
    "SELECT RELEASE_LOCK(CONCAT('sakms.migrate.', LEFT(SHA2(DATABASE(), 256), 40)))";
const CONNECT_TO_MIGRATE: Duration = Duration::from_secs(10);
/// How often a migration is tried again when a node of the same cluster migrates: the lock is the node's own.
const MIGRATIONS: u32 = 8;

impl SqlStore<MariaDb> {
    /// Settings for a store at `url`: `mysql://user:password@host:3306/database`; `mariadb://` and
    /// `mysql+pymysql://` are the same.
    #[must_use]
    pub fn builder(url: &str) -> MariaDbBuilder {
        MariaDbBuilder::new(url)
    }

    /// A store on a host's own pool.
    ///
    /// It keeps the pool's settings and shares its connections with the host: size it for both. The connections it opens
    /// belong to the Tokio runtime it is made in, which has to outlive it. A store with a
    /// [builder](Self::builder) of its own has connections set apart for checks.
    ///
    /// On a Galera cluster the pool has to set `wsrep_sync_wait = 1` on its connections, as the builder's own do.
    #[must_use]
    pub fn from_pool(pool: MySqlPool) -> Self {
        Self::with(MariaDb {
            manage: pool.clone(),
            verify: pool.clone(),
            quota: pool,
            limits: Limits::within(builder::ACQUIRE, builder::STATEMENT),
            home: Home::here(),
            foreign: true,
        })
    }
}

impl Limits {
    /// The limits that follow from how long a connection and a statement may take.
    fn within(acquire: Duration, statement: Duration) -> Self {
        Self {
            verify: acquire + Duration::from_millis(300),
            manage: acquire + statement,
            settle: Duration::from_millis(1500),
        }
    }
}

impl fmt::Debug for MariaDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MariaDb")
            .field("connections", &self.manage.size())
            .field("verify_connections", &self.verify.size())
            .field("quota_connections", &self.quota.size())
            .finish_non_exhaustive()
    }
}

impl Backend for MariaDb {
    type Session = MariaDbSession;

    const TABLES: &'static str =
        texts::tables!(", EXISTS (SELECT owner FROM sakms_owner_turns WHERE 1 = 0)");
    // Left to itself, the optimizer uses the first column of this index alone, and walks to a later page over all the
    // earlier ones; and it would rather sort all keys than walk over a few that a filter leaves out.
    const KEYS_OF_OWNER: &'static str =
        texts::page_of_keys!("FORCE INDEX (sakms_keys_by_owner)", "k.owner = ? AND ");
    const KEYS: &'static str = texts::page_of_keys!("FORCE INDEX (PRIMARY)", "");
    const LOCK_OWNER: Option<&'static str> = Some(
        "INSERT INTO sakms_owner_turns (owner) VALUES (?) ON DUPLICATE KEY UPDATE owner = owner",
    );
    const COUNT_KEYS: &'static str = texts::count_keys!("FORCE INDEX (sakms_keys_by_owner)");
    const LOCK_HEAD: &'static str =
        "SELECT seq, chain FROM sakms_journal_head WHERE id = 1 FOR UPDATE";
    const INDEX_JOURNAL: &'static str = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/migrations/mariadb/0018_journal_owners_start.sql"
    ));
    const JOURNAL: &'static str = texts::page_of_journal!(
        "sakms_journal j FORCE INDEX (PRIMARY) WHERE j.seq <= ?",
        "j.seq"
    );
    // Otherwise the optimizer may walk over the whole journal instead.
    const JOURNAL_OF_OWNER: &'static str = texts::page_of_journal!(
        "sakms_journal_owners o FORCE INDEX (sakms_journal_by_owner) \
         STRAIGHT_JOIN sakms_journal j ON j.seq = o.seq WHERE o.owner = ? AND o.seq <= ?",
        "o.seq"
    );
    const ADD_USES: &'static str = concat!(
        texts::add_rows!("sakms_secret_uses (key_id, secret_id, uses, last_used_at)"),
        "ON DUPLICATE KEY UPDATE \
         uses = uses + LEAST(VALUES(uses), 9223372036854775807 - uses), \
         last_used_at = GREATEST(last_used_at, VALUES(last_used_at))"
    );
    // The address first: columns are assigned from the left to the right.
    const ADD_SOURCES: &'static str = concat!(
        texts::add_rows!("sakms_secret_sources (key_id, secret_id, last_used_at, last_used_from)"),
        "ON DUPLICATE KEY UPDATE \
         last_used_from = CASE WHEN VALUES(last_used_at) > last_used_at \
             THEN COALESCE(VALUES(last_used_from), last_used_from) ELSE last_used_from END, \
         last_used_at = GREATEST(last_used_at, VALUES(last_used_at))"
    );
    const ADD_DAYS: &'static str = concat!(
        texts::add_rows!("sakms_key_days (key_id, day, allowed, refused)"),
        "ON DUPLICATE KEY UPDATE \
         allowed = allowed + LEAST(VALUES(allowed), 9223372036854775807 - allowed), \
         refused = refused + LEAST(VALUES(refused), 9223372036854775807 - refused)"
    );
    const TAKE_QUOTA: &'static str = texts::take_quota!(
        "LAST_INSERT_ID(CASE WHEN period = ? THEN taken ELSE 0 END + ?)",
        ""
    );
    const KEEP_QUOTA: &'static str =
        "INSERT IGNORE INTO sakms_quotas (key_id, period, taken) VALUES (?, ?, 0)";
    const FORGET_REQUESTS: &'static str =
        "DELETE FROM sakms_idempotency WHERE at < ? ORDER BY at LIMIT 1000";
    const STATES: &'static str = texts::states!("FORCE INDEX (sakms_states_by_kind) ", "");
    const STATES_OF_OWNER: &'static str =
        texts::states!("FORCE INDEX (sakms_states_by_owner) ", "s.owner = ? AND ");
    // Otherwise the optimizer may walk over all there are, and wait there for whoever changes one. Only this form of the
    // statement takes a hint.
    const REMOVE_STATES: &'static str = "DELETE s FROM sakms_states s \
         FORCE INDEX (sakms_states_by_owner) \
         WHERE s.owner = ? AND s.kind = ? AND (? = 0 OR s.id <> ?)";
    const FORGET_STATES: &'static str =
        "DELETE FROM sakms_states WHERE expires_at < ? ORDER BY expires_at LIMIT 1000";
    const STEPS: &'static [MigrationStep] = steps! { "mariadb":
        1 "0001_keys"
        2 "0002_secrets"
        3 "0003_secret_uses"
        4 "0004_owners"
        5 "0005_accounts"
        6 "0006_journal"
        7 "0007_journal_head"
        8 "0008_journal_start"
        9 "0009_key_policies"
        10 "0010_secret_sources"
        11 "0011_key_days"
        12 "0012_quotas"
        13 "0013_idempotency"
        14 "0014_roles"
        15 "0015_account_roles"
        16 "0016_owner_turns"
        17 "0017_journal_owners"
        18 "0018_journal_owners_start"
        19 "0019_states"
    };

    fn limits(&self) -> Limits {
        self.limits
    }

    async fn session(&self, lane: Lane) -> Result<MariaDbSession, sqlx::Error> {
        let pool = match lane {
            Lane::Verify => &self.verify,
            Lane::Quota => &self.quota,
            Lane::Manage | Lane::Write => &self.manage,
        };
        let connection = self.home.host(pool.acquire()).await?;
        Ok(MariaDbSession::on(connection, self.foreign))
    }

    async fn migrate(&self) -> Result<MigrationReport, StoreError> {
        let mut attempts = 1..MIGRATIONS;
        loop {
            let failure = match self.migrate_once().await {
                Ok(report) => return Ok(report),
                Err(failure) => failure,
            };
            let kind = failure.fault::<Self>().kind;
            let in_the_way = failure.fault::<Self>().again || kind == StoreErrorKind::Conflict;
            if !in_the_way || attempts.next().is_none() {
                return Err(failure.into_store_error::<Self>("migrate"));
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    fn fault(error: &(dyn DatabaseError + 'static)) -> Fault {
        fault::of(error)
    }
}

impl MariaDb {
    /// Does all that is left, on a connection of its own without a limit on statements, which holds the lock.
    async fn migrate_once(&self) -> Result<MigrationReport, Failure> {
        let options = self.manage.connect_options();
        let connecting = tokio::time::timeout(CONNECT_TO_MIGRATE, options.connect());
        let late = |_| Failure::is(StoreErrorKind::Unavailable);
        let mut connection = connecting.await.map_err(late)??;
        let taken: Option<i64> = sqlx::query_scalar(TAKE_LOCK)
            .fetch_one(&mut connection)
            .await?;
        let report = match taken {
            Some(1) => Self::migrate_on(&mut connection).await,
            Some(_) => {
                let why = "another process has been migrating for more than a minute";
                Err(Failure::Refused(
                    StoreErrorKind::Unavailable,
                    Some(why.into()),
                ))
            }
            None => {
                let why = "the lock for the migration was refused: does the URL name a database?";
                Err(Failure::Refused(StoreErrorKind::Internal, Some(why.into())))
            }
        };
        // The lock ends with the connection in any case; to say so first hands it on sooner.
        if report.is_ok() {
            connection.execute(FREE_LOCK).await?;
        }
        drop(connection.close().await);
        report
    }

    async fn migrate_on(connection: &mut MySqlConnection) -> Result<MigrationReport, Failure> {
        connection
            .ensure_migrations_table(migrate::TABLE)
            .await
            .map_err(migrate::cause)?;
        // A step that reads what is there must not keep those who write waiting.
        connection
            .execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
            .await?;
        // What a process that was killed has begun: every step may be run again.
        connection
            .execute("DELETE FROM sakms_migrations WHERE success = FALSE")
            .await?;
        migrate::run(connection, Self::STEPS)
            .await
            .map_err(migrate::cause)
    }
}
