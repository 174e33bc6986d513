//! The server as a process, and a client that sends exactly the bytes it is given.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test reports by panicking and printing, and waits by the clock"
)]

pub(crate) mod client;
pub(crate) mod flow;
pub(crate) mod mariadbd;
pub(crate) mod server;

/// The database for MariaDB tests, or `None` after saying that they are skipped. Where MariaDB is required, a skip fails.
pub(crate) fn mariadb_url() -> Option<String> {
    if let Ok(url) = std::env::var("SAKMS_TEST_MARIADB_URL") {
        return Some(url);
    }
    let required = std::env::var("SAKMS_TEST_REQUIRE").unwrap_or_default();
    assert!(
        !required.contains("mariadb"),
        "SAKMS_TEST_REQUIRE asks for MariaDB, and SAKMS_TEST_MARIADB_URL is not set"
    );
    println!("SKIPPED: SAKMS_TEST_MARIADB_URL is not set; `cargo xtask test` sets it");
    None
}
