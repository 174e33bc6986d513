//! A row that this version cannot have written is an error that says so: never a panic, never "there is none".
#![cfg(all(feature = "testkit", any(feature = "sqlite", feature = "mariadb")))]
#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod common;

use common::{stored_key, told};
use sakms_core::journal::Seq;
use sakms_core::key::{KeyPatch, KeyQuery, Revision};
use sakms_core::store::{AccountStore, Conditions, KeyStore, StoreErrorKind};
use sakms_core::testkit::fixtures;

/// What to do to a row, in the words of both databases, and which column the error names. `<bad>` is text that is
/// not UTF-8.
const KEYS: [(&str, &str); 20] = [
    ("UPDATE sakms_keys SET owner = <bad>", "sakms_keys.owner"),
    ("UPDATE sakms_keys SET owner = ''", "sakms_keys.owner"),
    ("UPDATE sakms_keys SET name = <bad>", "sakms_keys.name"),
    (
        "UPDATE sakms_keys SET environment = 'LIVE'",
        "sakms_keys.environment",
    ),
    (
        "UPDATE sakms_keys SET environment = ''",
        "sakms_keys.environment",
    ),
    (
        "UPDATE sakms_keys SET shown_prefix = <bad>",
        "sakms_keys.shown_prefix",
    ),
    (
        "UPDATE sakms_keys SET scopes = 'everything'",
        "sakms_keys.scopes",
    ),
    ("UPDATE sakms_keys SET scopes = <bad>", "sakms_keys.scopes"),
    ("UPDATE sakms_keys SET metadata = ''", "sakms_keys.metadata"),
    (
        "UPDATE sakms_keys SET metadata = '[]'",
        "sakms_keys.metadata",
    ),
    (
        "UPDATE sakms_keys SET metadata = '{\"a\":1}'",
        "sakms_keys.metadata",
    ),
    (
        "UPDATE sakms_keys SET created_at = -1",
        "sakms_keys.created_at",
    ),
    (
        "UPDATE sakms_keys SET created_at = 253402300800000000",
        "sakms_keys.created_at",
    ),
    (
        "UPDATE sakms_keys SET expires_at = -1",
        "sakms_keys.expires_at",
    ),
    (
        "UPDATE sakms_keys SET disabled_at = -1",
        "sakms_keys.disabled_at",
    ),
    (
        "UPDATE sakms_keys SET revoked_at = -1",
        "sakms_keys.revoked_at",
    ),
    ("UPDATE sakms_keys SET revision = -1", "sakms_keys.revision"),
    (
        "UPDATE sakms_keys SET revision = 4294967296",
        "sakms_keys.revision",
    ),
    (
        "INSERT INTO sakms_secret_uses SELECT key_id, id, 1, -5 FROM sakms_secrets",
        "sakms_secret_uses.last_used_at",
    ),
    // Foreign keys stand in the way of this one; whoever gets around them must not turn a key into an unknown one.
    ("<no foreign keys> DELETE FROM sakms_keys", "sakms_keys.id"),
];
const SECRETS: [(&str, &str); 5] = [
    (
        "UPDATE sakms_secrets SET hash = <bad>",
        "sakms_secrets.hash",
    ),
    (
        "UPDATE sakms_secrets SET shown_prefix = <bad>",
        "sakms_secrets.shown_prefix",
    ),
    (
        "UPDATE sakms_secrets SET created_at = -1",
        "sakms_secrets.created_at",
    ),
    (
        "UPDATE sakms_secrets SET retired_at = -1",
        "sakms_secrets.retired_at",
    ),
    (
        "INSERT INTO sakms_owners SELECT owner, -7 FROM sakms_keys",
        "sakms_owners.disabled_at",
    ),
];
const ACCOUNTS: [(&str, &str); 4] = [
    (
        "UPDATE sakms_accounts SET email = <bad>",
        "sakms_accounts.email",
    ),
    (
        "UPDATE sakms_accounts SET password_hash = <bad>",
        "sakms_accounts.password_hash",
    ),
    (
        "UPDATE sakms_accounts SET created_at = -1",
        "sakms_accounts.created_at",
    ),
    (
        "UPDATE sakms_accounts SET revision = -1",
        "sakms_accounts.revision",
    ),
];
/// Makes the store empty again.
const WIPE: &str = "DELETE FROM sakms_secret_uses; DELETE FROM sakms_secrets; \
     DELETE FROM sakms_keys; DELETE FROM sakms_owners; DELETE FROM sakms_accounts; \
     DELETE FROM sakms_journal; UPDATE sakms_journal_head SET seq = 0, \
     chain = x'0000000000000000000000000000000000000000000000000000000000000000'";
const JOURNAL: [(&str, &str); 5] = [
    ("UPDATE sakms_journal SET at = -1", "sakms_journal.at"),
    (
        "UPDATE sakms_journal SET actor = <bad>",
        "sakms_journal.actor",
    ),
    (
        "UPDATE sakms_journal SET action = <bad>",
        "sakms_journal.action",
    ),
    (
        "UPDATE sakms_journal SET subject = <bad>",
        "sakms_journal.subject",
    ),
    (
        "UPDATE sakms_journal SET detail = <bad>",
        "sakms_journal.detail",
    ),
];

fn assert_corrupt<T>(result: Result<T, sakms_core::store::StoreError>, column: &str, what: &str) {
    let (kind, text) = told(result);
    assert_eq!(kind, StoreErrorKind::Corrupt, "{what}: {text}");
    assert!(text.contains(column), "{what}: {text}");
}

/// A store whose rows can be broken.
trait Broken {
    type Store: KeyStore + AccountStore;
    async fn new() -> Option<Self>
    where
        Self: Sized;
    fn store(&self) -> &Self::Store;
    async fn run(&self, text: &str);
}

async fn every_broken_key_is_said<B: Broken>() {
    let Some(broken) = B::new().await else { return };
    let store = broken.store();
    for (text, column) in KEYS {
        broken.run(WIPE).await;
        let (key, secret) = stored_key(store).await;
        broken.run(text).await;
        assert_corrupt(store.find(secret.id).await, column, text);
        if text.contains("DELETE") {
            assert_eq!(store.get(key.id).await.unwrap(), None);
            continue;
        }
        assert_corrupt(store.get(key.id).await, column, text);
        let patch = KeyPatch::revoke(fixtures::START);
        let entry = fixtures::updated(key.id);
        let update = store.update(key.id, Revision::FIRST, &patch, &entry).await;
        assert_corrupt(update, column, text);
        assert_eq!(
            store.journal_head().await.unwrap().seq,
            Seq::new(1),
            "{text}"
        );
        if !text.contains("owner") {
            let list = store.list(&KeyQuery::of(key.owner.clone())).await;
            assert_corrupt(list, column, text);
        }
        let id = key.id.to_string();
        let (_, said) = told(store.get(key.id).await);
        assert!(said.contains(&id), "it says which row: {said}");
    }
}

async fn every_broken_secret_is_said<B: Broken>() {
    let Some(broken) = B::new().await else { return };
    let store = broken.store();
    for (text, column) in SECRETS {
        broken.run(WIPE).await;
        let (key, secret) = stored_key(store).await;
        broken.run(text).await;
        assert_corrupt(store.find(secret.id).await, column, text);
        if text.contains("sakms_owners") {
            assert_corrupt(store.owner_disabled_at(&key.owner).await, column, text);
        }
    }
}

async fn every_broken_account_is_said<B: Broken>() {
    let Some(broken) = B::new().await else { return };
    let store = broken.store();
    for (text, column) in ACCOUNTS {
        broken.run(WIPE).await;
        let account = fixtures::account();
        let entry = fixtures::registered(&account);
        store.insert_account(&account, &entry).await.unwrap();
        broken.run(text).await;
        assert_corrupt(store.account(account.id).await, column, text);
        let by_email = store.account_by_email(&account.canonical_email).await;
        assert_corrupt(by_email, column, text);
        let entry = fixtures::password_changed(account.id);
        let changed = store
            .set_password(account.id, Revision::FIRST, &fixtures::hash(), &entry)
            .await;
        assert_corrupt(changed, column, text);
    }
}

async fn every_broken_journal_row_is_said<B: Broken>() {
    let Some(broken) = B::new().await else { return };
    let store = broken.store();
    for (text, column) in JOURNAL {
        broken.run(WIPE).await;
        stored_key(store).await;
        broken.run(text).await;
        assert_corrupt(store.journal_after(Seq::START, 10).await, column, text);
    }
}

async fn a_broken_head_stops_every_change<B: Broken>() {
    let Some(broken) = B::new().await else { return };
    let store = broken.store();
    stored_key(store).await;
    broken.run("UPDATE sakms_journal_head SET seq = -1").await;
    assert_corrupt(store.journal_head().await, "sakms_journal_head.seq", "head");
    let (key, secret, entry) = common::new_key();
    let insert = store.insert(&key, &secret, &Conditions::NONE, &entry).await;
    assert_corrupt(insert, "sakms_journal_head.seq", "head");
    assert_eq!(
        store.get(key.id).await.unwrap(),
        None,
        "nothing was changed"
    );
}

macro_rules! on {
    ($backend:ident: $($case:ident)*) => {$(
        #[tokio::test]
        async fn $case() {
            super::$case::<$backend>().await;
        }
    )*};
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use sakms_core::store::SqliteStore;
    use sqlx::AssertSqlSafe;
    use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};

    struct Sqlite(SqliteStore, SqlitePool);

    impl super::Broken for Sqlite {
        type Store = SqliteStore;

        async fn new() -> Option<Self> {
            let options = SqlitePoolOptions::new().max_connections(1);
            let pool = options.connect("sqlite::memory:").await.unwrap();
            let store = SqliteStore::from_pool(pool.clone());
            store.migrate().await.unwrap();
            Some(Self(store, pool))
        }

        fn store(&self) -> &SqliteStore {
            &self.0
        }

        async fn run(&self, text: &str) {
            let text = text
                .replace("<bad>", "CAST(x'41FF42' AS TEXT)")
                .replace("<no foreign keys>", "PRAGMA foreign_keys = OFF;");
            sqlx::raw_sql(AssertSqlSafe(text))
                .execute(&self.1)
                .await
                .unwrap();
        }
    }

    on! { Sqlite:
        every_broken_key_is_said
        every_broken_secret_is_said
        every_broken_account_is_said
        every_broken_journal_row_is_said
        a_broken_head_stops_every_change
    }
}

#[cfg(feature = "mariadb")]
mod mariadb {
    use crate::common::mariadb::Database;
    use sakms_core::store::MariaDbStore;

    struct MariaDb(MariaDbStore, Database);

    impl super::Broken for MariaDb {
        type Store = MariaDbStore;

        async fn new() -> Option<Self> {
            let database = Database::create().await?;
            Some(Self(database.store().await, database))
        }

        fn store(&self) -> &MariaDbStore {
            &self.0
        }

        async fn run(&self, text: &str) {
            let text = text
                .replace("<bad>", "x'41FF42'")
                .replace("<no foreign keys>", "SET foreign_key_checks = 0;");
            self.1.run(text).await;
        }
    }

    on! { MariaDb:
        every_broken_key_is_said
        every_broken_secret_is_said
        every_broken_account_is_said
        every_broken_journal_row_is_said
        a_broken_head_stops_every_change
    }
}
