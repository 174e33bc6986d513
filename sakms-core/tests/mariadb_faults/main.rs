//! A MariaDB store when the wire or the server fails: what is acknowledged is there exactly once, what is refused
//! is not there, answers come in time, and it mends by itself.
#![cfg(all(feature = "mariadb", feature = "testkit"))]
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test says what it expects by failing, and measures how long that takes"
)]

mod commits;
#[path = "../common/mod.rs"]
mod common;

use std::time::{Duration, Instant};

use common::mariadb::Database;
use common::proxy::{Proxy, Wire};
use common::{new_key, stored_key, told};
use sakms_core::journal::{self, JournalHead, Seq};
use sakms_core::key::{KeyPatch, Revision};
use sakms_core::store::sql::mariadb::TlsMode;
use sakms_core::store::{Conditions, KeyStore as _, MariaDbStore, StoreErrorKind};
use sakms_core::testkit::fixtures;
use sqlx::Connection as _;

/// A store with tables behind a wire with a switch.
struct Wired {
    store: MariaDbStore,
    proxy: Proxy,
    database: Database,
}

impl Wired {
    async fn new() -> Option<Self> {
        let database = Database::create().await?;
        drop(database.store().await);
        let proxy = Proxy::to(database.options().get_port()).await;
        let store = MariaDbStore::builder(&database.url_at(Some(proxy.port)))
            .tls(TlsMode::Disabled)
            .build()
            .unwrap();
        store.ping().await.unwrap();
        Some(Self {
            store,
            proxy,
            database,
        })
    }

    /// The journal as somebody sees it who does not go through the wire; it must be whole.
    async fn journal_length(&self) -> u64 {
        let store = MariaDbStore::builder(&self.database.url()).build().unwrap();
        let rows = store.journal_after(Seq::START, 1000).await.unwrap();
        let head = journal::verify(JournalHead::START, &rows).unwrap();
        assert_eq!(store.journal_head().await.unwrap(), head);
        head.seq.get()
    }
}

#[tokio::test]
async fn connections_that_were_killed_are_replaced_unnoticed() {
    let Some(database) = Database::create().await else {
        return;
    };
    let store = database.store().await;
    let (key, secret) = stored_key(&store).await;
    let kill_all = async || {
        let mut connection = database.connect().await;
        let ids: Vec<u64> = sqlx::query_scalar(
            "SELECT CAST(id AS UNSIGNED) FROM information_schema.processlist \
             WHERE db = DATABASE() AND id <> CONNECTION_ID()",
        )
        .fetch_all(&mut connection)
        .await
        .unwrap();
        for id in &ids {
            let kill = sqlx::AssertSqlSafe(format!("KILL {id}"));
            // One may have gone by itself.
            let _ = sqlx::raw_sql(kill).execute(&mut connection).await;
        }
        connection.close().await.unwrap();
        ids.len()
    };
    // The first round leaves connections of both pools idle.
    for round in 0..5_u32 {
        assert!(
            store.find(secret.id).await.unwrap().is_some(),
            "round {round}"
        );
        assert!(kill_all().await > 0);
        assert!(
            store.find(secret.id).await.unwrap().is_some(),
            "round {round}"
        );
        kill_all().await;
        store.journal_head().await.unwrap();
        kill_all().await;
        store.get(key.id).await.unwrap().unwrap();
        kill_all().await;
        let patch = KeyPatch::default();
        let entry = fixtures::updated(key.id);
        let revision = Revision::new(round + 1);
        store
            .update(key.id, revision, &patch, &entry)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_unavailable_within_a_second() {
    let Some(wired) = Wired::new().await else {
        return;
    };
    let (key, secret) = stored_key(&wired.store).await;
    for wire in [Wire::BlackHole, Wire::Refused] {
        // The pools have idle connections the first time, and none the second.
        wired.store.find(secret.id).await.unwrap().unwrap();
        wired.store.get(key.id).await.unwrap().unwrap();
        wired.proxy.set(wire);
        for _ in 0..3 {
            let started = Instant::now();
            let (kind, text) = told(wired.store.find(secret.id).await);
            assert_eq!(kind, StoreErrorKind::Unavailable, "{text}");
            assert!(
                started.elapsed() < Duration::from_secs(1),
                "{:?}",
                started.elapsed()
            );
            let started = Instant::now();
            let (kind, text) = told(wired.store.owner_disabled_at(&key.owner).await);
            assert_eq!(kind, StoreErrorKind::Unavailable, "{text}");
            assert!(
                started.elapsed() < Duration::from_secs(1),
                "{:?}",
                started.elapsed()
            );
        }
        let started = Instant::now();
        let patch = KeyPatch::rename(fixtures::name("refused"));
        let entry = fixtures::updated(key.id);
        let update = wired
            .store
            .update(key.id, Revision::FIRST, &patch, &entry)
            .await;
        assert_eq!(told(update).0, StoreErrorKind::Unavailable);
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "{:?}",
            started.elapsed()
        );

        wired.proxy.set(Wire::Whole);
        let started = Instant::now();
        while wired.store.find(secret.id).await.is_err() {
            assert!(started.elapsed() < Duration::from_secs(2));
        }
        let found = wired.store.find(secret.id).await.unwrap().unwrap();
        assert_eq!(found.key, key, "what was refused was not done");
        wired.store.get(key.id).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_hundred_checks_at_once_all_fail_within_a_second() {
    let Some(wired) = Wired::new().await else {
        return;
    };
    let (_, secret) = stored_key(&wired.store).await;
    wired.proxy.set(Wire::BlackHole);
    let started = Instant::now();
    let checks: Vec<_> = (0..100)
        .map(|_| {
            let store = wired.store.clone();
            tokio::spawn(async move { told(store.find(secret.id).await).0 })
        })
        .collect();
    for check in checks {
        assert_eq!(check.await.unwrap(), StoreErrorKind::Unavailable);
    }
    assert!(
        started.elapsed() < Duration::from_secs(1),
        "{:?}",
        started.elapsed()
    );
    wired.proxy.set(Wire::Whole);
    tokio::time::sleep(Duration::from_millis(50)).await;
    wired.store.find(secret.id).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_and_nothing_is_told_of_the_password() {
    let url = "mysql://somebody:tell-nobody@127.0.0.1:9/sakms_x";
    let builder = MariaDbStore::builder(url);
    assert!(!format!("{builder:?}").contains("tell-nobody"));
    let store = builder.build().unwrap();
    assert!(!format!("{store:?}").contains("tell-nobody"));
    let started = Instant::now();
    let (kind, text) = told(store.ping().await);
    assert_eq!(kind, StoreErrorKind::Unavailable);
    assert!(started.elapsed() < Duration::from_secs(1));
    assert!(!text.contains("tell-nobody"), "{text}");
    let (_, text) = told(store.migrate().await);
    assert!(!text.contains("tell-nobody"), "{text}");
}

#[tokio::test]
async fn a_wrong_password_is_unavailable_and_not_told() {
    let Some(database) = Database::create().await else {
        return;
    };
    let port = database.options().get_port();
    let url = format!(
        "mysql://sakms_nobody:tell-nobody@127.0.0.1:{port}/{}",
        database.name
    );
    let store = MariaDbStore::builder(&url).build().unwrap();
    let (kind, text) = told(store.ping().await);
    assert_eq!(kind, StoreErrorKind::Unavailable, "{text}");
    assert!(text.contains("Access denied"), "{text}");
    assert!(!text.contains("tell-nobody"), "{text}");
}

#[tokio::test]
async fn a_change_that_waits_too_long_changes_nothing_and_checks_go_on() {
    let Some(database) = Database::create().await else {
        return;
    };
    drop(database.store().await);
    let store = MariaDbStore::builder(&database.url())
        .max_connections(1)
        .build()
        .unwrap();
    let (key, secret) = stored_key(&store).await;
    let mut holder = database.connect().await;
    let hold = "BEGIN; SELECT seq FROM sakms_journal_head FOR UPDATE";
    sqlx::raw_sql(hold).fetch_all(&mut holder).await.unwrap();

    let started = Instant::now();
    let waiting = {
        let store = store.clone();
        let patch = KeyPatch::rename(fixtures::name("refused"));
        let entry = fixtures::updated(key.id);
        tokio::spawn(async move { store.update(key.id, Revision::FIRST, &patch, &entry).await })
    };
    tokio::time::sleep(Duration::from_millis(200)).await;
    // The one connection of management is taken: it is said in time, and checks have their own.
    let asked = Instant::now();
    assert_eq!(told(store.get(key.id).await).0, StoreErrorKind::Unavailable);
    assert!(
        asked.elapsed() < Duration::from_secs(1),
        "{:?}",
        asked.elapsed()
    );
    let asked = Instant::now();
    store.find(secret.id).await.unwrap().unwrap();
    store.journal_after(Seq::START, 100).await.unwrap();
    assert!(
        asked.elapsed() < Duration::from_secs(1),
        "{:?}",
        asked.elapsed()
    );

    assert_eq!(told(waiting.await.unwrap()).0, StoreErrorKind::Unavailable);
    assert!(
        started.elapsed() < Duration::from_secs(6),
        "{:?}",
        started.elapsed()
    );
    sqlx::raw_sql("ROLLBACK")
        .execute(&mut holder)
        .await
        .unwrap();
    holder.close().await.unwrap();
    // Nothing of it stays: no change, no lock, no connection.
    let patch = KeyPatch::rename(fixtures::name("free again"));
    let entry = fixtures::updated(key.id);
    let asked = Instant::now();
    let updated = store
        .update(key.id, Revision::FIRST, &patch, &entry)
        .await
        .unwrap();
    assert_eq!(updated.name, fixtures::name("free again"));
    assert!(
        asked.elapsed() < Duration::from_secs(2),
        "{:?}",
        asked.elapsed()
    );
}

#[tokio::test]
async fn a_change_that_is_dropped_anywhere_leaves_nothing_behind() {
    let Some(database) = Database::create().await else {
        return;
    };
    drop(database.store().await);
    let store = MariaDbStore::builder(&database.url())
        .max_connections(1)
        .verify_connections(1)
        .build()
        .unwrap();
    let (_, secret) = stored_key(&store).await;
    for round in 0..120_u64 {
        let dropped = store.clone();
        let working = tokio::spawn(async move {
            let (key, secret, entry) = new_key();
            let _ = dropped
                .insert(&key, &secret, &Conditions::NONE, &entry)
                .await;
            let _ = dropped.find(secret.id).await;
        });
        tokio::time::sleep(Duration::from_micros(round * 37)).await;
        working.abort();
        let _ = working.await;
        let asked = Instant::now();
        store.find(secret.id).await.unwrap().unwrap();
        stored_key(&store).await;
        let waited = asked.elapsed();
        assert!(waited < Duration::from_secs(1), "{waited:?}");
    }
    let rows = store.journal_after(Seq::START, 1000).await.unwrap();
    let head = journal::verify(JournalHead::START, &rows).unwrap();
    let keys = database.number("SELECT COUNT(*) FROM sakms_keys").await;
    let secrets = database.number("SELECT COUNT(*) FROM sakms_secrets").await;
    assert_eq!(
        u64::try_from(keys).unwrap(),
        head.seq.get(),
        "a key for each row"
    );
    assert_eq!(keys, secrets);
}
