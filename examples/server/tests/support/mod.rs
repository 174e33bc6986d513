//! The server as a process, and a client that sends exactly the bytes it is given.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test reports by panicking and printing, and waits by the clock"
)]

pub(crate) mod browser;
pub(crate) mod canaries;
pub(crate) mod flow;
pub(crate) mod mail;
pub(crate) mod server;
#[macro_use]
pub(crate) mod site;

use sakms_core::testkit::needed;
#[allow(unused_imports, reason = "each test file uses a part of it")]
pub(crate) use sakms_torture::harness::{client, mariadbd};

/// The database for MariaDB tests, or `None` after saying that they are skipped. Where MariaDB is required, a skip fails.
pub(crate) fn mariadb_url() -> Option<String> {
    needed("mariadb", "SAKMS_TEST_MARIADB_URL")
}

/// The program that drives a browser, or `None` after saying that its tests are skipped.
pub(crate) fn chromedriver() -> Option<String> {
    needed("chromium", "SAKMS_TEST_CHROMEDRIVER")
}
