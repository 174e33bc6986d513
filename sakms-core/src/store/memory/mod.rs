//! A store in memory, for tests and examples.
//!
//! It keeps every rule of the traits, so that what is tried on it holds on a database as well; but it is gone
//! with its process, so an `Ok` of it promises no durability.

mod accounts;
mod keys;
mod operation;
mod state;
mod states;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use state::State;

use crate::key::KeyWithSecrets;

/// A store in memory. A clone is another handle to the same store.
#[derive(Clone, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes over everything that another store holds and forgets what this one held, as restoring a backup does.
    pub fn restore(&self, backup: &Self) {
        let held = backup.lock().clone();
        *self.lock() = held;
    }

    /// Every method takes the lock once and holds it to its end: that is what makes it one atomic operation.
    fn lock(&self) -> MutexGuard<'_, State> {
        // Each method decides first and changes afterwards, and the changes cannot fail: the state is whole even
        // if a thread panicked while it held the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryStore {
    /// How much there is, and nothing of what it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        let uses = |key: &KeyWithSecrets| -> u64 { key.secrets.iter().map(|one| one.uses).sum() };
        f.debug_struct("MemoryStore")
            .field("keys", &state.keys.len())
            .field("secrets", &state.key_of.len())
            .field("uses", &state.keys.values().map(uses).sum::<u64>())
            .field("disabled_owners", &state.disabled.len())
            .field("accounts", &state.accounts.len())
            .field("states", &state.states.len())
            .field("journal", &state.journal.len())
            .finish()
    }
}

#[cfg(test)]
mod tests;
