//! Conformance suites for people who write a store or an adapter.
//!
//! A store is held to the traits in [`store`](crate::store) by one line in a test file:
//!
//! ```
//! use sakms_core::store::MemoryStore;
//! use sakms_core::testkit::store::Fixture;
//!
//! /// A new and empty store for each case.
//! async fn factory() -> Option<Fixture> {
//!     Some(Fixture::full(MemoryStore::new()))
//! }
//!
//! sakms_core::store_suite!(factory);
//! ```
//!
//! Each case becomes a test of its own. It reports by panicking, as tests do.
//!
//! An adapter is held to [`http`] likewise, by [`http_suite!`](crate::http_suite), and to the answers on record in its
//! [`corpus`](http::corpus) by [`http_corpus!`](crate::http_corpus). [`faults`] has a store that fails on
//! demand, for tests of one's own.
#![expect(
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a conformance suite reports by panicking, and says when it passes a case over"
)]

pub mod entropy;
pub mod faults;
pub mod fixtures;
#[cfg(feature = "http")]
pub mod http;
pub mod mail;
#[cfg(feature = "mariadb")]
pub mod mariadb;
mod needs;
pub mod store;

pub use needs::{needed, skipped};

use std::time::Duration;

use store::Fixture;

/// How long a case may take. A store that hangs fails; one on a slow disk does not.
const PATIENCE: Duration = Duration::from_mins(3);

/// Runs one case of [`store_suite!`](crate::store_suite) on a store of its own, on several threads.
///
/// # Panics
/// When the store does not do what the case expects: that is the report.
pub fn run(
    name: &str,
    factory: impl AsyncFnOnce() -> Option<Fixture>,
    case: impl AsyncFnOnce(&Fixture),
) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap();
    let Some(fixture) = runtime.block_on(factory()) else {
        eprintln!("skipped: {name}: the store is not available here");
        return;
    };
    let outcome = runtime.block_on(async { tokio::time::timeout(PATIENCE, case(&fixture)).await });
    assert!(outcome.is_ok(), "{name} did not end within {PATIENCE:?}");
}
