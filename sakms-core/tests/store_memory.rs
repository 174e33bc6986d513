//! The store in memory keeps what the traits promise.
#![cfg(feature = "testkit")]

use sakms_core::store::MemoryStore;
use sakms_core::testkit::store::Fixture;

async fn factory() -> Option<Fixture> {
    Some(Fixture::full(MemoryStore::new()))
}

sakms_core::store_suite!(factory);
