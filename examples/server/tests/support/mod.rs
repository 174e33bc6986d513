//! The server as a process, and a client that sends exactly the bytes it is given.

#![allow(dead_code, reason = "each test file uses a part of it")]

pub mod client;
pub mod flow;
pub mod server;

/// The database for MariaDB tests, or `None` after saying that they are skipped. Where MariaDB is required, a skip fails.
pub fn mariadb_url() -> Option<String> {
    if let Ok(url) = std::env::var("SAKMS_TEST_MARIADB_URL") {
        return Some(url);
    }
    let required = std::env::var("SAKMS_TEST_REQUIRE").unwrap_or_default();
    assert!(!required.contains("mariadb"), "SAKMS_TEST_REQUIRE asks for MariaDB, and SAKMS_TEST_MARIADB_URL is not set");
    println!("SKIPPED: SAKMS_TEST_MARIADB_URL is not set; `cargo xtask test` sets it");
    None
}
