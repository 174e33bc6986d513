//! The store suite on MariaDB.
#![cfg(all(feature = "mariadb", feature = "testkit"))]

mod common;

use common::mariadb::Database;
use sakms_core::store::MariaDbStore;
use sakms_core::testkit::store::Fixture;
use sqlx::mysql::MySqlPoolOptions;

async fn own_connections() -> Option<Fixture> {
    let database = Database::create().await?;
    Some(Fixture::full(database.store().await).with_guard(database))
}

/// A host's pool with the settings one would not wish for: nothing is strict, everybody has a snapshot of their own
/// and conflicts with it are errors, text is Latin, it is summer in India.
async fn connections_of_a_host() -> Option<Fixture> {
    let database = Database::create().await?;
    let settings = "SET SESSION sql_mode = '', time_zone = '+05:30'; SET NAMES latin1; \
         SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ; \
         SET SESSION /*M!101108 innodb_snapshot_isolation = ON, */ autocommit = 1";
    let pool = MySqlPoolOptions::new()
        .max_connections(5)
        .after_connect(move |connection, _| {
            Box::pin(async move { sqlx::raw_sql(settings).execute(connection).await.map(drop) })
        })
        .connect_lazy_with(database.options());
    let store = MariaDbStore::from_pool(pool);
    store.migrate().await.ok()?;
    Some(Fixture::full(store).with_guard(database))
}

mod on_its_own_connections {
    sakms_core::store_suite!(super::own_connections);
}

mod on_connections_of_a_host {
    sakms_core::store_suite!(super::connections_of_a_host);
}
