//! The suite for adapters on actix, over the store in memory.

mod common;

use common::start;
use sakms_core::store::MemoryStore;
use sakms_core::testkit::store::Fixture;

async fn memory() -> Option<Fixture> {
    Some(Fixture::full(MemoryStore::new()))
}

sakms_core::http_suite!(start, memory);
sakms_core::http_corpus!(start, memory);
