//! The store suite on MariaDB.
#![cfg(all(feature = "mariadb", feature = "testkit"))]

mod common;

use common::mariadb::Database;
use sakms_core::testkit::store::Fixture;

async fn database() -> Option<Fixture> {
    let database = Database::create().await?;
    Some(Fixture::new(database.store().await).with_guard(database))
}

sakms_core::store_suite!(database);
