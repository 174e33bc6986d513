//! SQLite.

/// A store in SQLite.
#[derive(Debug)]
pub struct SqliteStore;
