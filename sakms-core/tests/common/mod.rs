//! What the tests of the SQL stores share.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses a part of it"
)]

#[cfg(feature = "mariadb")]
pub mod mariadb;
