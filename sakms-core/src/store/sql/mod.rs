//! What the SQL stores share.

#[cfg(feature = "mariadb")]
pub mod mariadb;
#[cfg(feature = "sqlite")]
pub mod sqlite;
