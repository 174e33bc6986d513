//! The suite for adapters on actix, over SQLite.
#![cfg(feature = "sqlite")]
#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod common;

use common::start;
use sakms_core::store::SqliteStore;
use sakms_core::testkit::store::Fixture;

async fn file() -> Option<Fixture> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sakms.db");
    let store = SqliteStore::open(path.to_str().unwrap()).await.unwrap();
    Some(Fixture::full(store).with_guard(folder))
}

sakms_core::http_suite!(start, file);
sakms_core::http_corpus!(start, file);
