//! The store keeps what the trait promises.
#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

use sakms_core::testkit::store::Fixture;
use sakms_example_custom_store::RedbStore;

/// An empty store for each case, in a file of its own.
async fn in_a_file() -> Option<Fixture> {
    let folder = tempfile::tempdir().unwrap();
    let store = RedbStore::open(folder.path().join("keys.redb")).unwrap();
    Some(Fixture::keys_only(store).with_guard(folder))
}

sakms_core::store_suite!(in_a_file);
