//! MariaDB.

/// A store in MariaDB.
#[derive(Debug)]
pub struct MariaDbStore;
