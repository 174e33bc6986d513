//! A row that this version cannot have written is an error that says so: never a panic, never "there is none".
#![cfg(all(feature = "testkit", any(feature = "sqlite", feature = "mariadb")))]
#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod columns;
#[path = "../common/mod.rs"]
mod common;

use columns::{ACCOUNTS, JOURNAL, KEYS, QUOTAS, REQUESTS, ROLES, SECRETS, STATES, USES, WIPE};
use common::{stored_key, told};
use sakms_core::account::AccountQuery;
use sakms_core::clock::Timestamp;
use sakms_core::journal::{Action, JournalQuery, Seq, Subject};
use sakms_core::key::{Day, KeyPatch, KeyQuery, Revision, Role, SecretUse};
use sakms_core::store::{
    AccountStore, Conditions, IdempotencyId, IdempotencyRecord, KeyStore, RequestDigest, StateKind,
    StateStore, StoreErrorKind,
};
use sakms_core::testkit::fixtures;

fn assert_corrupt<T>(result: Result<T, sakms_core::store::StoreError>, column: &str, what: &str) {
    let (kind, text) = told(result);
    assert_eq!(kind, StoreErrorKind::Corrupt, "{what}: {text}");
    assert!(text.contains(column), "{what}: {text}");
}

/// A store whose rows can be broken.
trait Broken {
    type Store: KeyStore + AccountStore + StateStore;
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
        let all = store.list(&KeyQuery::everybody()).await;
        assert_corrupt(all, column, text);
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

async fn every_broken_use_is_said<B: Broken>() {
    let Some(broken) = B::new().await else { return };
    let store = broken.store();
    for (text, column) in USES {
        broken.run(WIPE).await;
        let (key, secret) = stored_key(store).await;
        let mut used = SecretUse::new(secret.id, 3, fixtures::START);
        used.last_from = Some([192, 0, 2, 7].into());
        store.record_uses(&[used]).await.unwrap();
        broken.run(text).await;
        if column.contains("days") {
            let usage = store.usage(key.id, Day::of(Timestamp::EPOCH), Day::MAX);
            // A day that is none is not asked for, whichever days are.
            match usage.await {
                Ok(days) => assert!(column == "sakms_key_days.day" && days.is_empty(), "{text}"),
                error => assert_corrupt(error, column, text),
            }
        } else {
            assert_corrupt(store.secrets(key.id).await, column, text);
        }
    }
}

async fn every_broken_quota_is_said<B: Broken>() {
    let Some(broken) = B::new().await else { return };
    let store = broken.store();
    for (text, column) in QUOTAS {
        broken.run(WIPE).await;
        let (id, period) = (fixtures::key_id(), fixtures::START);
        let left = store.take_quota(id, period, 9, 1).await.unwrap();
        assert_eq!(left, Some(8));
        broken.run(text).await;
        assert_corrupt(store.quota_taken(id, period).await, column, text);
        // A period that is none is over; of one whose count is none nothing is given out.
        match store.take_quota(id, period, 9, 1).await {
            Ok(left) => assert!(column == "sakms_quotas.period" && left == Some(8), "{text}"),
            error => assert_corrupt(error, column, text),
        }
    }
}

async fn every_broken_request_is_said<B: Broken>() {
    let Some(broken) = B::new().await else { return };
    let store = broken.store();
    for (text, column) in REQUESTS {
        broken.run(WIPE).await;
        let (key, secret, entry) = common::new_key();
        let (id, request) = (
            IdempotencyId::from_bytes([1; 32]),
            RequestDigest::from_bytes([2; 32]),
        );
        let mut conditions = Conditions::NONE;
        let record = IdempotencyRecord::new(id, request, key.id, secret.id, fixtures::START);
        conditions.idempotency = Some(record);
        store
            .insert(&key, &secret, &conditions, &entry)
            .await
            .unwrap();
        broken.run(text).await;
        // Fixed lengths are filled up where there are such.
        match store.idempotency(&id).await {
            Ok(found) => assert!(text.contains("x'") && found.is_some(), "{text}"),
            error => assert_corrupt(error, column, text),
        }
    }
}

async fn every_broken_role_is_said<B: Broken>() {
    let Some(broken) = B::new().await else { return };
    let store = broken.store();
    for (text, column) in ROLES {
        broken.run(WIPE).await;
        let name = "reader".parse().unwrap();
        let role = Role::new(name, fixtures::scopes("a:b"), fixtures::START);
        let entry = fixtures::entry(Action::ROLE_SET, Subject::role(&role.name));
        store.set_role(&role, &entry).await.unwrap();
        broken.run(text).await;
        assert_corrupt(store.roles().await, column, text);
    }
}

async fn every_broken_state_is_said<B: Broken>() {
    let Some(broken) = B::new().await else { return };
    let store = broken.store();
    for (text, column) in STATES {
        broken.run(WIPE).await;
        let record = fixtures::state(StateKind::Session, Some(fixtures::owner()));
        store.insert_state(&record, None).await.unwrap();
        broken.run(text).await;
        // One of a kind that is none is not asked for, whichever kind is.
        if column == "sakms_states.kind" {
            assert_eq!(store.state(record.kind, record.id).await.unwrap(), None);
            continue;
        }
        assert_corrupt(store.state(record.kind, record.id).await, column, text);
        assert_corrupt(store.states(record.kind, None, 9).await, column, text);
        if column == "sakms_states.revision" {
            continue;
        }
        let entry = fixtures::entry(Action::KEY_REFUSE, Subject::SERVICE);
        let (kind, id, ends) = (record.kind, record.id, record.expires_at);
        let changed = store
            .update_state(kind, id, record.revision, b"x", ends, Some(&entry))
            .await;
        // An end that is none is put right by another.
        if column == "sakms_states.expires_at" {
            assert_eq!(changed.unwrap().expires_at, ends);
            continue;
        }
        assert_corrupt(changed, column, text);
        assert_eq!(store.journal_head().await.unwrap().seq, Seq::START);
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
        let all = store.accounts(&AccountQuery::default()).await;
        assert_corrupt(all, column, text);
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
        let all = store.journal(&JournalQuery::everything()).await;
        assert_corrupt(all, column, text);
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
        every_broken_use_is_said
        every_broken_quota_is_said
        every_broken_request_is_said
        every_broken_role_is_said
        every_broken_state_is_said
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
        every_broken_use_is_said
        every_broken_quota_is_said
        every_broken_request_is_said
        every_broken_role_is_said
        every_broken_state_is_said
        every_broken_account_is_said
        every_broken_journal_row_is_said
        a_broken_head_stops_every_change
    }
}
