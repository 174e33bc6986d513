//! The cache's files, with loom's atomics.

/// What `stamps` is made of.
mod atomic {
    pub(super) use loom::sync::atomic::{AtomicU64, Ordering};
}

#[path = "../../../../sakms-core/src/service/cache/stamps.rs"]
pub(super) mod stamps;
