//! Migrations on MariaDB: at once, interrupted, and between versions.
#![cfg(all(feature = "mariadb", feature = "testkit"))]
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test says what it expects by failing, and measures how long that takes"
)]

mod common;

use std::time::{Duration, Instant};

use common::mariadb::Database;
use common::{host_order, stored_key, told};
use sakms_core::store::{KeyStore as _, MariaDbStore, StoreErrorKind};
use sqlx::Connection as _;
use sqlx::migrate::Migrator;
use sqlx::mysql::MySqlPool;

const STEPS: usize = MariaDbStore::steps().len();

fn store(database: &Database) -> MariaDbStore {
    MariaDbStore::builder(&database.url()).build().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn any_number_may_migrate_an_empty_database_at_once() {
    let Some(database) = Database::create().await else {
        return;
    };
    let all: Vec<_> = (0..8)
        .map(|_| {
            let store = store(&database);
            tokio::spawn(async move { store.migrate().await })
        })
        .collect();
    let mut applied = Vec::new();
    for one in all {
        applied.push(one.await.unwrap().unwrap().applied.len());
    }
    applied.sort_unstable();
    assert_eq!(
        applied,
        [0, 0, 0, 0, 0, 0, 0, STEPS],
        "one worked, seven waited"
    );
    store(&database).ping().await.unwrap();
}

#[tokio::test]
async fn a_second_migration_does_nothing() {
    let Some(database) = Database::create().await else {
        return;
    };
    let store = store(&database);
    let first = store.migrate().await.unwrap();
    assert_eq!((first.applied.len(), first.present), (STEPS, 0));
    assert_eq!(
        (first.applied[0].version, first.applied[0].name),
        (1, "0001_keys")
    );
    stored_key(&store).await;
    let second = store.migrate().await.unwrap();
    assert_eq!((second.applied.len(), second.present), (0, STEPS));
    assert_eq!(store.journal_head().await.unwrap().seq.get(), 1);
}

#[tokio::test]
async fn a_database_without_tables_says_what_to_do() {
    let Some(database) = Database::create().await else {
        return;
    };
    let store = store(&database);
    let (kind, text) = told(store.ping().await);
    assert_eq!(kind, StoreErrorKind::Internal);
    assert!(text.contains("run migrate"), "{text}");
    let (kind, text) = told(store.journal_head().await);
    assert_eq!(kind, StoreErrorKind::Internal);
    assert!(text.contains("run migrate"), "{text}");
}

#[tokio::test]
async fn what_a_killed_process_has_begun_is_done_again() {
    let Some(database) = Database::create().await else {
        return;
    };
    let store = store(&database);
    store.migrate().await.unwrap();
    // It had made the table of step 6 and was killed before it said so; the later ones it never came to.
    database
        .run(
            "DROP TABLE sakms_journal_head; \
             DELETE FROM sakms_migrations WHERE version > 6; \
             UPDATE sakms_migrations SET success = FALSE WHERE version = 6",
        )
        .await;
    assert_eq!(told(store.ping().await).0, StoreErrorKind::Internal);
    let report = store.migrate().await.unwrap();
    let versions: Vec<_> = report.applied.iter().map(|step| step.version).collect();
    assert_eq!(versions, (6..=19).collect::<Vec<_>>());
    store.ping().await.unwrap();
    stored_key(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_migration_that_was_given_up_anywhere_is_finished_by_the_next() {
    let Some(database) = Database::create().await else {
        return;
    };
    for millis in [3, 5, 8, 12, 17, 23, 30, 40] {
        let store = store(&database);
        let migrating = tokio::spawn(async move { store.migrate().await.map(drop) });
        tokio::time::sleep(Duration::from_millis(millis)).await;
        migrating.abort();
        let _ = migrating.await;
    }
    let store = store(&database);
    store.migrate().await.unwrap();
    store.ping().await.unwrap();
    stored_key(&store).await;
}

#[tokio::test]
async fn an_older_version_runs_on_a_newer_schema() {
    let Some(database) = Database::create().await else {
        return;
    };
    let store = database.store().await;
    database
        .run(
            "INSERT INTO sakms_migrations (version, description, success, checksum, execution_time) \
             VALUES (9999, 'of the next version', TRUE, '', 0); \
             ALTER TABLE sakms_keys ADD COLUMN of_the_next_version BIGINT NULL",
        )
        .await;
    assert!(store.migrate().await.unwrap().applied.is_empty());
    store.ping().await.unwrap();
    stored_key(&store).await;
}

#[tokio::test]
async fn a_step_that_differs_from_the_one_that_was_done_is_refused() {
    let Some(database) = Database::create().await else {
        return;
    };
    let store = database.store().await;
    database
        .run("UPDATE sakms_migrations SET checksum = 'x' WHERE version = 2")
        .await;
    let (kind, text) = told(store.migrate().await);
    assert_eq!(kind, StoreErrorKind::Internal);
    assert!(text.contains("migration 2"), "{text}");
}

#[tokio::test]
async fn a_migration_waits_for_the_one_that_holds_the_lock() {
    let Some(database) = Database::create().await else {
        return;
    };
    let mut other = database.connect().await;
    let taken: Option<i64> = sqlx::query_scalar(
        "SELECT GET_LOCK(CONCAT('sakms.migrate.', LEFT(SHA2(DATABASE(), 256), 40)), 1)",
    )
    .fetch_one(&mut other)
    .await
    .unwrap();
    assert_eq!(taken, Some(1));
    let store = store(&database);
    let started = Instant::now();
    let migrating = tokio::spawn(async move { store.migrate().await });
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(!migrating.is_finished());
    other.close().await.unwrap();
    migrating.await.unwrap().unwrap();
    assert!(started.elapsed() >= Duration::from_millis(700));
}

#[tokio::test]
async fn databases_on_one_server_do_not_wait_for_each_other() {
    let (Some(one), Some(other)) = (Database::create().await, Database::create().await) else {
        return;
    };
    let mut holder = one.connect().await;
    sqlx::raw_sql("DO GET_LOCK(CONCAT('sakms.migrate.', LEFT(SHA2(DATABASE(), 256), 40)), 1)")
        .execute(&mut holder)
        .await
        .unwrap();
    tokio::time::timeout(Duration::from_secs(20), store(&other).migrate())
        .await
        .unwrap()
        .unwrap();
    holder.close().await.unwrap();
}

/// The steps among those of a host, in its own order and its own table.
#[tokio::test]
async fn a_host_may_run_the_steps_in_an_order_of_its_own() {
    let Some(database) = Database::create().await else {
        return;
    };
    let pool = MySqlPool::connect_lazy_with(database.options());
    let store = MariaDbStore::from_pool(pool.clone());
    let order = host_order(MariaDbStore::steps());
    Migrator::with_migrations(order.clone())
        .run(&pool)
        .await
        .unwrap();
    store.ping().await.unwrap();
    stored_key(&store).await;

    // Both ways may follow each other.
    assert_eq!(store.migrate().await.unwrap().applied.len(), STEPS);
    store.ping().await.unwrap();
    Migrator::with_migrations(order).run(&pool).await.unwrap();
    store.ping().await.unwrap();
    assert_eq!(store.journal_head().await.unwrap().seq.get(), 1);
}

#[tokio::test]
async fn a_host_that_left_out_a_step_is_told() {
    let Some(database) = Database::create().await else {
        return;
    };
    let pool = MySqlPool::connect_lazy_with(database.options());
    let steps = MariaDbStore::steps();
    Migrator::with_migrations(host_order(&steps[..steps.len() - 1]))
        .run(&pool)
        .await
        .unwrap();
    let store = MariaDbStore::from_pool(pool);
    let (kind, text) = told(store.ping().await);
    assert_eq!(kind, StoreErrorKind::Internal);
    assert!(text.contains("run migrate"), "{text}");
    database.run(steps[steps.len() - 1].text).await;
    store.ping().await.unwrap();
    // A column that is not there yet is missed as well as a table.
    database
        .run("ALTER TABLE sakms_secrets DROP COLUMN retired_at")
        .await;
    let (_, text) = told(store.ping().await);
    assert!(text.contains("retired_at"), "{text}");
}
