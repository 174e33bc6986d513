//! An SQLite store when the file, the disk or another process stands in the way.
#![cfg(all(feature = "sqlite", feature = "testkit"))]
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test says what it expects by failing, and measures how long that takes"
)]

mod common;

use std::path::Path;
use std::time::{Duration, Instant};

use common::{new_key, stored_key, told};
use sakms_core::journal::{self, JournalHead, Seq};
use sakms_core::key::{KeyPatch, KeyQuery, Revision};
use sakms_core::store::{Conditions, KeyStore as _, SqliteStore, StoreErrorKind};
use sakms_core::testkit::fixtures;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqlitePoolOptions};
use sqlx::{ConnectOptions as _, Connection as _};

async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(path)
        .connect()
        .await
        .unwrap()
}

#[tokio::test]
async fn every_spelling_of_a_location_opens_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("with space & 100%.db");
    let text = path.to_str().unwrap();
    let encoded = text.replace('%', "%25");
    let store = SqliteStore::open(text).await.unwrap();
    let (key, _) = stored_key(&store).await;
    for location in [
        text.to_owned(),
        format!("sqlite:{encoded}"),
        format!("sqlite://{encoded}"),
        format!("sqlite://{encoded}?mode=rwc"),
    ] {
        let store = SqliteStore::open(&location).await.unwrap();
        assert_eq!(
            store.get(key.id).await.unwrap(),
            Some(key.clone()),
            "{location}"
        );
    }
}

#[tokio::test]
async fn a_database_in_memory_lives_as_long_as_its_store_and_is_its_own() {
    for location in [
        ":memory:",
        "sqlite::memory:",
        "sqlite://:memory:",
        "sqlite::memory:?cache=shared",
        "sqlite:anything?mode=memory",
    ] {
        let (one, other) = (
            SqliteStore::open(location).await.unwrap(),
            SqliteStore::open(location).await.unwrap(),
        );
        let (key, _) = stored_key(&one).await;
        assert_eq!(one.clone().get(key.id).await.unwrap(), Some(key.clone()));
        assert_eq!(other.get(key.id).await.unwrap(), None);
    }
}

#[tokio::test]
async fn what_is_no_database_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let (kind, text) = told(SqliteStore::open(folder.path().to_str().unwrap()).await);
    assert_eq!(kind, StoreErrorKind::Internal, "{text}");
    assert!(text.contains("folder"), "{text}");

    let path = folder.path().join("no such folder/sakms.db");
    let (kind, text) = told(SqliteStore::open(path.to_str().unwrap()).await);
    assert_eq!(kind, StoreErrorKind::Internal, "{text}");
    assert!(text.contains("no such folder"), "{text}");

    let path = folder.path().join("letter.txt");
    std::fs::write(&path, "Dear all, ".repeat(1000)).unwrap();
    let (kind, text) = told(SqliteStore::open(path.to_str().unwrap()).await);
    assert_eq!(kind, StoreErrorKind::Corrupt, "{text}");
    assert!(text.contains("file is not a database"), "{text}");
    let letter = std::fs::read_to_string(&path).unwrap();
    assert_eq!(letter, "Dear all, ".repeat(1000), "it is left as it was");

    for empty in ["", "sqlite:", "sqlite://"] {
        let (kind, text) = told(SqliteStore::open(empty).await);
        assert_eq!(kind, StoreErrorKind::Internal, "{text}");
        assert!(text.contains("empty"), "{text}");
    }

    let (kind, text) = told(SqliteStore::open("sqlite://x.db?mode=sometimes").await);
    assert_eq!(kind, StoreErrorKind::Internal, "{text}");
    assert!(text.contains("sometimes"), "{text}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_folder_in_which_no_file_can_be_made_is_said() {
    let (kind, text) = told(SqliteStore::open("/proc/sakms.db").await);
    assert_eq!(kind, StoreErrorKind::ReadOnly, "{text}");
    assert!(text.contains("/proc"), "{text}");
}

#[tokio::test]
async fn a_file_that_may_only_be_read_is_read_and_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sakms.db");
    let (key, _) = stored_key(&SqliteStore::open(path.to_str().unwrap()).await.unwrap()).await;
    let location = format!("sqlite://{}?mode=ro", path.display());
    let store = SqliteStore::connect(&location).await.unwrap();
    assert_eq!(store.get(key.id).await.unwrap(), Some(key));
    let (key, secret, entry) = new_key();
    let (kind, text) = told(store.insert(&key, &secret, &Conditions::NONE, &entry).await);
    assert_eq!(kind, StoreErrorKind::ReadOnly, "{text}");
    assert_eq!(told(store.migrate().await).0, StoreErrorKind::ReadOnly);
}

#[tokio::test]
async fn a_full_disk_is_said_and_the_store_mends_when_there_is_room() {
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect("sqlite::memory:")
        .await
        .unwrap();
    let store = SqliteStore::from_pool(pool.clone());
    store.migrate().await.unwrap();
    stored_key(&store).await;
    sqlx::raw_sql("PRAGMA max_page_count = 1")
        .execute(&pool)
        .await
        .unwrap();
    let mut acknowledged = 1;
    let kind = loop {
        let (key, secret, entry) = new_key();
        match store.insert(&key, &secret, &Conditions::NONE, &entry).await {
            Ok(()) => acknowledged += 1,
            Err(error) => {
                assert_eq!(store.get(key.id).await.unwrap(), None);
                break error.kind();
            }
        }
    };
    assert_eq!(kind, StoreErrorKind::ReadOnly);
    assert_eq!(
        store.journal_head().await.unwrap().seq,
        Seq::new(acknowledged)
    );
    sqlx::raw_sql("PRAGMA max_page_count = 1000000")
        .execute(&pool)
        .await
        .unwrap();
    for _ in 0..50 {
        stored_key(&store).await;
    }
    let rows = store.journal_after(Seq::START, 1000).await.unwrap();
    let head = journal::verify(JournalHead::START, &rows).unwrap();
    assert_eq!(head.seq, Seq::new(acknowledged + 50));
}

#[tokio::test]
async fn another_process_that_writes_is_waited_for_and_readers_do_not_wait() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sakms.db");
    let store = SqliteStore::open(file.to_str().unwrap()).await.unwrap();
    let (key, secret) = stored_key(&store).await;
    let mut other = connect(&file).await;
    sqlx::raw_sql("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .unwrap();

    let update = {
        let (store, entry) = (store.clone(), fixtures::updated(key.id));
        let patch = KeyPatch::rename(fixtures::name("patience"));
        tokio::spawn(async move { store.update(key.id, Revision::FIRST, &patch, &entry).await })
    };
    tokio::time::sleep(Duration::from_millis(300)).await;
    let asked = Instant::now();
    store.find(secret.id).await.unwrap().unwrap();
    store.list(&KeyQuery::of(key.owner.clone())).await.unwrap();
    assert!(
        asked.elapsed() < Duration::from_secs(1),
        "{:?}",
        asked.elapsed()
    );
    assert!(!update.is_finished());
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    assert_eq!(update.await.unwrap().unwrap().revision, Revision::new(2));

    // One that does not come to an end is not waited for for ever.
    sqlx::raw_sql("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .unwrap();
    let asked = Instant::now();
    let (patch, entry) = (KeyPatch::default(), fixtures::updated(key.id));
    let update = store.update(key.id, Revision::new(2), &patch, &entry).await;
    assert_eq!(told(update).0, StoreErrorKind::Unavailable);
    assert!(
        asked.elapsed() < Duration::from_secs(6),
        "{:?}",
        asked.elapsed()
    );
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    let asked = Instant::now();
    let (patch, entry) = (KeyPatch::default(), fixtures::updated(key.id));
    let update = store.update(key.id, Revision::new(2), &patch, &entry).await;
    assert_eq!(update.unwrap().revision, Revision::new(3));
    assert!(
        asked.elapsed() < Duration::from_secs(2),
        "{:?}",
        asked.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_stores_on_one_file_share_one_journal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sakms.db");
    let one = SqliteStore::open(path.to_str().unwrap()).await.unwrap();
    let other = SqliteStore::open(path.to_str().unwrap()).await.unwrap();
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
    for id in writing {
        let id = id.await.unwrap();
        assert!(one.get(id).await.unwrap().is_some());
        assert!(other.get(id).await.unwrap().is_some());
    }
    let rows = one.journal_after(Seq::START, 100).await.unwrap();
    let head = journal::verify(JournalHead::START, &rows).unwrap();
    assert_eq!(head.seq, Seq::new(40));
    assert_eq!(other.journal_head().await.unwrap(), head);
}

#[tokio::test]
async fn a_change_that_is_dropped_anywhere_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sakms.db");
    for location in [":memory:", path.to_str().unwrap()] {
        let store = SqliteStore::open(location).await.unwrap();
        let (_, secret) = stored_key(&store).await;
        for round in 0..200_u64 {
            let dropped = store.clone();
            let working = tokio::spawn(async move {
                let (key, secret, entry) = new_key();
                let _ = dropped
                    .insert(&key, &secret, &Conditions::NONE, &entry)
                    .await;
                let _ = dropped.find(secret.id).await;
            });
            tokio::time::sleep(Duration::from_micros(round * 11)).await;
            working.abort();
            let _ = working.await;
            store.find(secret.id).await.unwrap().unwrap();
            stored_key(&store).await;
        }
        let rows = store.journal_after(Seq::START, 1000).await.unwrap();
        let head = journal::verify(JournalHead::START, &rows).unwrap();
        assert_eq!(store.journal_head().await.unwrap(), head);
        for row in rows {
            let key = row.entry.subject.as_key().unwrap();
            assert!(
                store.get(key).await.unwrap().is_some(),
                "a key for each row"
            );
        }
    }
}

#[tokio::test]
async fn what_was_acknowledged_is_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sakms.db");
    let store = SqliteStore::open(path.to_str().unwrap()).await.unwrap();
    let (key, _) = stored_key(&store).await;
    // As after a crash: the files as they are now, with nothing closed.
    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    let path = copy.path().join("sakms.db");
    let again = SqliteStore::open(path.to_str().unwrap()).await.unwrap();
    assert_eq!(again.get(key.id).await.unwrap(), Some(key));
}
