//! The room of `sakms-core` whose files are modelled, by the same name.

mod line;

/// What `queue` is made of.
mod sync {
    pub(super) use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    pub(super) use loom::sync::{Arc, Condvar, Mutex, MutexGuard};
}

/// The memory that a job works in; the line does not look at it.
mod arena {
    pub(super) struct Arena;
}

/// Why nothing was hashed.
#[derive(Debug, PartialEq, Eq)]
enum HashError {
    Overloaded,
}

#[path = "../../../sakms-core/src/hash/queue.rs"]
mod queue;
