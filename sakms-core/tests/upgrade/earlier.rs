//! Databases as the first version left them: its steps, and its statements to the letter.

use sakms_core::store::{
    AccountStore, KeyStore, MigrationReport, MigrationStep, StateStore, StoreError,
};

pub(crate) const ADD_KEY: &str = "INSERT INTO sakms_keys (id, owner, name, environment, \
     shown_prefix, scopes, metadata, created_at, expires_at, disabled_at, revoked_at, revision) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
pub(crate) const ADD_SECRET: &str = "INSERT INTO sakms_secrets (id, key_id, hash, shown_prefix, \
     created_at, retired_at) VALUES (?, ?, ?, ?, ?, ?)";
pub(crate) const ADD_USES: &str = "INSERT INTO sakms_secret_uses (key_id, secret_id, uses, \
     last_used_at) VALUES (?, ?, ?, ?)";
pub(crate) const DISABLE_OWNER: &str =
    "REPLACE INTO sakms_owners (owner, disabled_at) VALUES (?, ?)";
pub(crate) const ADD_ACCOUNT: &str = "INSERT INTO sakms_accounts (id, email, canonical_email, \
     password_hash, created_at, revision) VALUES (?, ?, ?, ?, ?, ?)";
pub(crate) const ADD_TO_JOURNAL: &str = "INSERT INTO sakms_journal (seq, id, at, actor, action, subject, \
     detail, chain) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
pub(crate) const MOVE_HEAD: &str =
    "UPDATE sakms_journal_head SET seq = ?, chain = ? WHERE id = 1 AND seq = ?";

/// A value of a statement.
#[derive(Debug)]
pub(crate) enum Value {
    Null,
    Int(i64),
    Bytes(Vec<u8>),
    Text(String),
}

impl Value {
    pub(crate) fn time(moment: impl Into<Option<sakms_core::clock::Timestamp>>) -> Self {
        moment
            .into()
            .map_or(Self::Null, |moment| Self::Int(moment.as_micros()))
    }

    pub(crate) fn bytes(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }

    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

/// A store of this version, and what it can do besides.
pub(crate) trait Store: KeyStore + AccountStore + StateStore + Clone {
    async fn migrate(&self) -> Result<MigrationReport, StoreError>;
}

/// A database of the first version.
pub(crate) trait Earlier: Sized {
    /// All steps of this version.
    const STEPS: &'static [MigrationStep];
    /// How many of them the first version had.
    const FIRST_STEPS: usize;
    /// How many the second version had, which kept nothing for a while.
    const SECOND_STEPS: usize;
    type Store: Store;

    /// One with the first version's tables and nothing in them.
    async fn create() -> Option<Self>;
    /// Does these steps and says so, as a store does.
    async fn apply(&mut self, steps: &'static [MigrationStep]);
    async fn run(&mut self, text: &'static str);
    /// Runs one statement with all these values, in one transaction.
    async fn write(&mut self, text: &'static str, rows: Vec<Vec<Value>>);
    async fn store(&self) -> Self::Store;
}

#[cfg(feature = "sqlite")]
pub(crate) mod sqlite {
    use sakms_core::store::{MigrationReport, MigrationStep, SqliteStore, StoreError};
    use sqlx::migrate::Migrate as _;
    use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
    use sqlx::{ConnectOptions as _, Connection as _};
    use tempfile::TempDir;

    use super::Value;

    pub(crate) struct Sqlite {
        folder: TempDir,
        connection: SqliteConnection,
    }

    impl super::Store for SqliteStore {
        async fn migrate(&self) -> Result<MigrationReport, StoreError> {
            Self::migrate(self).await
        }
    }

    impl super::Earlier for Sqlite {
        const STEPS: &'static [MigrationStep] = SqliteStore::steps();
        const FIRST_STEPS: usize = 10;
        const SECOND_STEPS: usize = 21;
        type Store = SqliteStore;

        async fn create() -> Option<Self> {
            let folder = tempfile::tempdir().unwrap();
            let options = SqliteConnectOptions::new()
                .filename(folder.path().join("sakms.db"))
                .create_if_missing(true);
            let connection = options.connect().await.unwrap();
            let mut earlier = Self { folder, connection };
            earlier.apply(&Self::STEPS[..Self::FIRST_STEPS]).await;
            Some(earlier)
        }

        async fn apply(&mut self, steps: &'static [MigrationStep]) {
            let table = "sakms_migrations";
            let connection = &mut self.connection;
            connection.ensure_migrations_table(table).await.unwrap();
            for step in steps {
                let step = step.numbered(step.version);
                connection.apply(table, &step).await.unwrap();
            }
        }

        async fn run(&mut self, text: &'static str) {
            let answer = sqlx::raw_sql(text).execute(&mut self.connection).await;
            answer.unwrap();
        }

        async fn write(&mut self, text: &'static str, rows: Vec<Vec<Value>>) {
            let mut transaction = self.connection.begin().await.unwrap();
            for row in rows {
                let mut query = sqlx::query(text);
                for value in row {
                    query = match value {
                        Value::Null => query.bind(None::<i64>),
                        Value::Int(number) => query.bind(number),
                        Value::Bytes(bytes) => query.bind(bytes),
                        Value::Text(text) => query.bind(text),
                    };
                }
                query.execute(&mut *transaction).await.unwrap();
            }
            transaction.commit().await.unwrap();
        }

        async fn store(&self) -> SqliteStore {
            let path = self.folder.path().join("sakms.db");
            SqliteStore::connect(path.to_str().unwrap()).await.unwrap()
        }
    }
}

#[cfg(feature = "mariadb")]
pub(crate) mod mariadb {
    use sakms_core::store::{MariaDbStore, MigrationReport, MigrationStep, StoreError};
    use sqlx::Connection as _;
    use sqlx::migrate::Migrate as _;
    use sqlx::mysql::MySqlConnection;

    use super::Value;
    use crate::common::mariadb::Database;

    pub(crate) struct MariaDb {
        connection: MySqlConnection,
        database: Database,
    }

    impl super::Store for MariaDbStore {
        async fn migrate(&self) -> Result<MigrationReport, StoreError> {
            Self::migrate(self).await
        }
    }

    impl super::Earlier for MariaDb {
        const STEPS: &'static [MigrationStep] = MariaDbStore::steps();
        const FIRST_STEPS: usize = 8;
        const SECOND_STEPS: usize = 18;
        type Store = MariaDbStore;

        async fn create() -> Option<Self> {
            let database = Database::create().await?;
            let connection = database.connect().await;
            let mut earlier = Self {
                connection,
                database,
            };
            earlier.apply(&Self::STEPS[..Self::FIRST_STEPS]).await;
            Some(earlier)
        }

        async fn apply(&mut self, steps: &'static [MigrationStep]) {
            let table = "sakms_migrations";
            let connection = &mut self.connection;
            connection.ensure_migrations_table(table).await.unwrap();
            for step in steps {
                let step = step.numbered(step.version);
                connection.apply(table, &step).await.unwrap();
            }
        }

        async fn run(&mut self, text: &'static str) {
            let answer = sqlx::raw_sql(text).execute(&mut self.connection).await;
            answer.unwrap();
        }

        async fn write(&mut self, text: &'static str, rows: Vec<Vec<Value>>) {
            let mut transaction = self.connection.begin().await.unwrap();
            for row in rows {
                let mut query = sqlx::query(text);
                for value in row {
                    query = match value {
                        Value::Null => query.bind(None::<i64>),
                        Value::Int(number) => query.bind(number),
                        Value::Bytes(bytes) => query.bind(bytes),
                        Value::Text(text) => query.bind(text.into_bytes()),
                    };
                }
                query.execute(&mut *transaction).await.unwrap();
            }
            transaction.commit().await.unwrap();
        }

        async fn store(&self) -> MariaDbStore {
            MariaDbStore::builder(&self.database.url()).build().unwrap()
        }
    }
}
