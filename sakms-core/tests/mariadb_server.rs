//! What a MariaDB store asks of its server: locks, settings. `mariadb_rows.rs` has the indexes.
#![cfg(all(feature = "mariadb", feature = "testkit"))]

mod common;

use std::time::Duration;

use common::mariadb::Database;
use common::{stored_key, told};
use sakms_core::journal::Seq;
use sakms_core::key::{KeyPatch, Revision};
use sakms_core::store::{AccountStore as _, KeyStore as _, MariaDbStore, StoreErrorKind};
use sakms_core::testkit::fixtures;
use sqlx::Connection as _;
use sqlx::mysql::{MySqlPool, MySqlPoolOptions};

#[tokio::test]
async fn a_change_that_loses_a_deadlock_is_made_again() {
    let Some(database) = Database::create().await else {
        return;
    };
    let store = database.store().await;
    let (key, _) = stored_key(&store).await;
    let mut other = database.connect().await;
    // The other has the head, and has done so much that the server lets it live.
    sqlx::raw_sql(
        "CREATE TABLE work (i INT); BEGIN; INSERT INTO work VALUES (1),(2),(3),(4),(5),(6),(7),(8); \
         INSERT INTO work SELECT i FROM work; INSERT INTO work SELECT i FROM work; \
         UPDATE sakms_journal_head SET seq = seq",
    )
    .execute(&mut other)
    .await
    .unwrap();
    let updating = {
        let (store, entry) = (store.clone(), fixtures::updated(key.id));
        let patch = KeyPatch::rename(fixtures::name("after all"));
        tokio::spawn(async move { store.update(key.id, Revision::FIRST, &patch, &entry).await })
    };
    tokio::time::sleep(Duration::from_millis(300)).await;
    sqlx::raw_sql("UPDATE sakms_keys SET created_at = created_at; COMMIT")
        .execute(&mut other)
        .await
        .unwrap();
    other.close().await.unwrap();
    let updated = updating.await.unwrap().unwrap();
    assert_eq!(updated.revision, Revision::new(2));
    assert_eq!(store.journal_head().await.unwrap().seq, Seq::new(2));
}

#[tokio::test]
async fn a_change_that_waited_for_a_lock_in_vain_waits_once_more() {
    let Some(database) = Database::create().await else {
        return;
    };
    let store = database.store().await;
    let (key, _) = stored_key(&store).await;
    let mut other = database.connect().await;
    sqlx::raw_sql("BEGIN; UPDATE sakms_journal_head SET seq = seq")
        .execute(&mut other)
        .await
        .unwrap();
    let updating = {
        let (store, entry) = (store.clone(), fixtures::updated(key.id));
        let patch = KeyPatch::rename(fixtures::name("after all"));
        tokio::spawn(async move { store.update(key.id, Revision::FIRST, &patch, &entry).await })
    };
    // Longer than the server lets anybody wait for a lock.
    tokio::time::sleep(Duration::from_millis(2300)).await;
    assert!(!updating.is_finished());
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    assert_eq!(updating.await.unwrap().unwrap().revision, Revision::new(2));
    assert_eq!(store.journal_head().await.unwrap().seq, Seq::new(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_stores_on_one_database_share_one_journal() {
    let Some(database) = Database::create().await else {
        return;
    };
    let (one, other) = (database.store().await, database.store().await);
    let writing: Vec<_> = (0..40)
        .map(|number| {
            let store = if number % 2 == 0 {
                one.clone()
            } else {
                other.clone()
            };
            tokio::spawn(async move { stored_key(&store).await.0.id })
        })
        .collect();
    let mut ids = Vec::new();
    for one in writing {
        ids.push(one.await.unwrap());
    }
    for id in ids {
        assert!(one.get(id).await.unwrap().is_some());
        assert!(other.get(id).await.unwrap().is_some());
    }
    let rows = one.journal_after(Seq::START, 100).await.unwrap();
    assert_eq!(rows.len(), 40);
    let start = sakms_core::journal::JournalHead::START;
    let head = sakms_core::journal::verify(start, &rows).unwrap();
    assert_eq!(other.journal_head().await.unwrap(), head);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_on_a_hosts_connections_do_not_run_into_each_others_snapshots() {
    let Some(database) = Database::create().await else {
        return;
    };
    let pool = MySqlPoolOptions::new()
        .max_connections(8)
        .after_connect(|connection, _| {
            let settings = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ; \
                 SET SESSION autocommit = 1 /*M!101108 , innodb_snapshot_isolation = ON */";
            Box::pin(async move { sqlx::raw_sql(settings).execute(connection).await.map(drop) })
        })
        .connect_lazy_with(database.options());
    let store = MariaDbStore::from_pool(pool);
    store.migrate().await.unwrap();
    let writing: Vec<_> = (0..8)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let (key, _) = stored_key(&store).await;
                for revision in 1..=20 {
                    let (patch, entry) = (KeyPatch::default(), fixtures::updated(key.id));
                    let revision = Revision::new(revision);
                    store
                        .update(key.id, revision, &patch, &entry)
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    for one in writing {
        one.await.unwrap();
    }
    assert_eq!(store.journal_head().await.unwrap().seq, Seq::new(8 * 21));
}

#[tokio::test]
async fn a_server_that_may_only_be_read_is_said_to_be_one() {
    let Some(database) = Database::create().await else {
        return;
    };
    let (key, _) = stored_key(&database.store().await).await;
    let pool = MySqlPoolOptions::new()
        .after_connect(|connection, _| {
            let settings = sqlx::raw_sql("SET SESSION TRANSACTION READ ONLY");
            Box::pin(async move { settings.execute(connection).await.map(drop) })
        })
        .connect_lazy_with(database.options());
    let store = MariaDbStore::from_pool(pool);
    let (patch, entry) = (KeyPatch::default(), fixtures::updated(key.id));
    let update = store.update(key.id, Revision::FIRST, &patch, &entry).await;
    let (kind, text) = told(update);
    assert_eq!(kind, StoreErrorKind::ReadOnly, "{text}");
    assert_eq!(store.get(key.id).await.unwrap(), Some(key));
}

#[tokio::test]
async fn a_conflict_quotes_nobody() {
    let Some(database) = Database::create().await else {
        return;
    };
    let store = database.store().await;
    let account = fixtures::account();
    let entry = fixtures::registered(&account);
    store.insert_account(&account, &entry).await.unwrap();
    let entry = fixtures::registered(&account);
    let error = store.insert_account(&account, &entry).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Conflict);
    let address = account.canonical_email.as_str();
    assert!(!format!("{error:?}").contains(address), "{error:?}");
}

#[tokio::test]
async fn the_tables_do_not_depend_on_the_servers_defaults() {
    let Some(database) = Database::create().await else {
        return;
    };
    database
        .run(format!(
            "ALTER DATABASE {} CHARACTER SET latin1 COLLATE latin1_swedish_ci",
            database.name
        ))
        .await;
    drop(database.store().await);
    let with_a_collation = database
        .number(
            "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() \
             AND table_name <> 'sakms_migrations' AND collation_name IS NOT NULL",
        )
        .await;
    assert_eq!(with_a_collation, 0, "every text is kept as bytes");
    let other_engines = database
        .number(
            "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() \
             AND table_name <> 'sakms_migrations' \
             AND (engine <> 'InnoDB' OR table_collation <> 'utf8mb4_bin')",
        )
        .await;
    assert_eq!(other_engines, 0);
}

/// As under actix-web, whose workers have a runtime each and end before the service has stored its last counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn connections_outlive_the_runtime_they_were_asked_for_in() {
    let Some(database) = Database::create().await else {
        return;
    };
    let options = MySqlPoolOptions::new().max_connections(1);
    let pool = options.connect_lazy_with(database.options());
    let store = MariaDbStore::from_pool(pool.clone());
    store.migrate().await.unwrap();
    let number = async |pool: &MySqlPool| -> u64 {
        let answer = sqlx::query_scalar("SELECT CONNECTION_ID()").fetch_one(pool);
        answer.await.unwrap()
    };
    let (asking, of_store) = (store.clone(), pool.clone());
    let worker = std::thread::spawn(move || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        runtime.block_on(async {
            asking.ping().await.unwrap();
            let number = number(&of_store).await;
            // The connection is handed back by a task of this runtime.
            while of_store.num_idle() == 0 {
                tokio::task::yield_now().await;
            }
            number
        })
    });
    let before = tokio::task::block_in_place(|| worker.join()).unwrap();
    assert_eq!(number(&pool).await, before, "a new one had to be made");
}
