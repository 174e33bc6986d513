//! A store in memory, for tests and examples.

/// A store in memory.
#[derive(Debug, Default)]
pub struct MemoryStore;
