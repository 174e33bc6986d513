//! Migrations on SQLite: at once, interrupted, and between versions.
#![cfg(all(feature = "sqlite", feature = "testkit"))]
#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod common;

use std::time::Duration;

use common::{host_order, stored_key, told};
use sakms_core::store::{KeyStore as _, SqliteStore, StoreErrorKind};
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqlitePool};
use sqlx::{ConnectOptions as _, Connection as _};
use tempfile::TempDir;

const STEPS: usize = SqliteStore::steps().len();

fn folder() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sakms.db").to_str().unwrap().to_owned();
    (folder, path)
}

async fn run(path: &str, text: &'static str) {
    let options = SqliteConnectOptions::new().filename(path);
    let mut connection: SqliteConnection = options.connect().await.unwrap();
    sqlx::raw_sql(text).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn any_number_may_open_a_new_file_at_once() {
    for _ in 0..10 {
        let (_folder, path) = folder();
        let all: Vec<_> = (0..8)
            .map(|_| {
                let path = path.clone();
                tokio::spawn(async move {
                    let store = SqliteStore::connect(&path).await?;
                    store.migrate().await
                })
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
        let store = SqliteStore::open(&path).await.unwrap();
        stored_key(&store).await;
    }
}

#[tokio::test]
async fn a_second_migration_does_nothing() {
    let (_folder, path) = folder();
    let store = SqliteStore::connect(&path).await.unwrap();
    let first = store.migrate().await.unwrap();
    assert_eq!((first.applied.len(), first.present), (STEPS, 0));
    stored_key(&store).await;
    let second = store.migrate().await.unwrap();
    assert_eq!((second.applied.len(), second.present), (0, STEPS));
    assert_eq!(store.journal_head().await.unwrap().seq.get(), 1);
}

#[tokio::test]
async fn a_file_without_tables_says_what_to_do() {
    let (_folder, path) = folder();
    let store = SqliteStore::connect(&path).await.unwrap();
    let (kind, text) = told(store.ping().await);
    assert_eq!(kind, StoreErrorKind::Internal);
    assert!(text.contains("run migrate"), "{text}");
}

#[tokio::test]
async fn what_was_begun_is_done_again() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).await.unwrap();
    run(
        &path,
        "DROP TABLE sakms_journal_head; \
         DELETE FROM sakms_migrations WHERE version > 8; \
         UPDATE sakms_migrations SET success = FALSE WHERE version = 8",
    )
    .await;
    assert_eq!(told(store.ping().await).0, StoreErrorKind::Internal);
    let report = store.migrate().await.unwrap();
    let versions: Vec<_> = report.applied.iter().map(|step| step.version).collect();
    assert_eq!(versions, (8..=25).collect::<Vec<_>>());
    store.ping().await.unwrap();
    stored_key(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_migration_that_was_given_up_anywhere_is_finished_by_the_next() {
    let (_folder, path) = folder();
    for micros in [100, 300, 600, 1000, 2000, 4000, 8000, 12000] {
        let path = path.clone();
        let opening = tokio::spawn(async move { SqliteStore::open(&path).await.map(drop) });
        tokio::time::sleep(Duration::from_micros(micros)).await;
        opening.abort();
        let _ = opening.await;
    }
    let store = SqliteStore::open(&path).await.unwrap();
    store.ping().await.unwrap();
    stored_key(&store).await;
}

#[tokio::test]
async fn an_older_version_runs_on_a_newer_schema() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).await.unwrap();
    run(
        &path,
        "INSERT INTO sakms_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'of the next version', TRUE, x'', 0); \
         ALTER TABLE sakms_keys ADD COLUMN of_the_next_version INTEGER",
    )
    .await;
    assert!(store.migrate().await.unwrap().applied.is_empty());
    store.ping().await.unwrap();
    stored_key(&store).await;
}

#[tokio::test]
async fn a_step_that_differs_from_the_one_that_was_done_is_refused() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).await.unwrap();
    run(
        &path,
        "UPDATE sakms_migrations SET checksum = x'00' WHERE version = 2",
    )
    .await;
    let (kind, text) = told(store.migrate().await);
    assert_eq!(kind, StoreErrorKind::Internal);
    assert!(text.contains("migration 2"), "{text}");
}

/// The steps among those of a host, in its own order and its own table.
#[tokio::test]
async fn a_host_may_run_the_steps_in_an_order_of_its_own() {
    let (_folder, path) = folder();
    let options = SqliteConnectOptions::new().filename(&path);
    let pool = SqlitePool::connect_lazy_with(options.create_if_missing(true));
    let store = SqliteStore::from_pool(pool.clone());
    let order = host_order(SqliteStore::steps());
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
    let (_folder, path) = folder();
    let options = SqliteConnectOptions::new().filename(&path);
    let pool = SqlitePool::connect_lazy_with(options.create_if_missing(true));
    // The last three make an index and no table.
    let steps = SqliteStore::steps();
    Migrator::with_migrations(host_order(&steps[..steps.len() - 4]))
        .run(&pool)
        .await
        .unwrap();
    let store = SqliteStore::from_pool(pool);
    let (kind, text) = told(store.ping().await);
    assert_eq!(kind, StoreErrorKind::Internal);
    assert!(text.contains("run migrate"), "{text}");
}
