//! The suite for adapters on axum, over MariaDB.
#![cfg(feature = "mariadb")]

mod common;

use common::start;
use sakms_core::testkit::mariadb::Database;
use sakms_core::testkit::store::Fixture;

async fn database() -> Option<Fixture> {
    let database = Database::create().await?;
    Some(Fixture::full(database.store().await).with_guard(database))
}

sakms_core::http_suite!(start, database);
sakms_core::http_corpus!(start, database);
