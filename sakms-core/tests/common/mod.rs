//! What the tests of the SQL stores share.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "each test file uses a part of it; a test says what it expects by failing"
)]

use sakms_core::journal::JournalEntry;
use sakms_core::key::{KeyRecord, SecretRecord};
use sakms_core::store::{Conditions, KeyStore, StoreError, StoreErrorKind};
use sakms_core::testkit::fixtures;

#[cfg(feature = "mariadb")]
pub use sakms_core::testkit::mariadb;
#[cfg(feature = "mariadb")]
pub mod proxy;

/// A key with its secret and the entry that says so.
pub fn new_key() -> (KeyRecord, SecretRecord, JournalEntry) {
    let key = fixtures::full_key(&fixtures::owner());
    let secret = fixtures::secret(&key);
    let entry = fixtures::created(&key);
    (key, secret, entry)
}

/// A key that is in the store.
pub async fn stored_key(store: &dyn KeyStore) -> (KeyRecord, SecretRecord) {
    let (key, secret, entry) = new_key();
    store
        .insert(&key, &secret, &Conditions::NONE, &entry)
        .await
        .unwrap();
    (key, secret)
}

/// The migrations of a host that has tables of its own before those of SAKMS, among them and after them.
#[cfg(any(feature = "mariadb", feature = "sqlite"))]
pub fn host_order(steps: &[sakms_core::store::MigrationStep]) -> Vec<sqlx::migrate::Migration> {
    use sqlx::SqlSafeStr as _;
    use sqlx::migrate::{Migration, MigrationType};
    let host = |version, text: &'static str| {
        let text = text.into_sql_str();
        Migration::new(version, "host".into(), MigrationType::Simple, text, false)
    };
    let mut order = vec![
        host(20_250_101, "CREATE TABLE users (id INTEGER PRIMARY KEY)"),
        host(20_260_101, "CREATE TABLE orders (id INTEGER PRIMARY KEY)"),
    ];
    let (first, later) = steps.split_at(steps.len() / 2);
    order.extend(
        first
            .iter()
            .map(|step| step.numbered(20_250_200 + step.version)),
    );
    order.extend(
        later
            .iter()
            .map(|step| step.numbered(20_260_200 + step.version)),
    );
    order
}

/// The kind of an error and everything it says, for an assertion to show.
pub fn told<T>(result: Result<T, StoreError>) -> (StoreErrorKind, String) {
    let error = result.map(drop).unwrap_err();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    (error.kind(), text)
}
