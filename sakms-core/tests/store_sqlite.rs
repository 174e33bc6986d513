//! The store suite on SQLite.
#![cfg(all(feature = "sqlite", feature = "testkit"))]
#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

use sakms_core::store::SqliteStore;
use sakms_core::testkit::store::Fixture;

async fn file() -> Option<Fixture> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sakms.db");
    let store = SqliteStore::open(path.to_str().unwrap()).await.unwrap();
    Some(Fixture::full(store).with_guard(folder))
}

async fn memory() -> Option<Fixture> {
    Some(Fixture::full(SqliteStore::open(":memory:").await.unwrap()))
}

mod in_a_file {
    sakms_core::store_suite!(super::file);
}

mod in_memory {
    sakms_core::store_suite!(super::memory);
}
