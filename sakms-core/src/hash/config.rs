//! How a pool is set up.

use std::num::NonZero;
use std::thread::available_parallelism;
use std::time::Duration;

use super::{Argon2Params, HashLimits};

/// What new hashes of keys' secrets are. A stored hash is verified by whatever it names, so that changing this voids no
/// key.
///
/// Passwords are Argon2id whatever is chosen here: people choose them, so that they can be guessed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyHasher {
    /// Argon2id, with the pool's parameters: some 20 milliseconds of a core for the first check of a key on each node.
    #[default]
    Argon2id,
    /// HMAC-SHA-256 under a subkey of the master key: about a microsecond, on the caller's own thread.
    ///
    /// Who has the database alone can test nothing. Who has the master key too can test guesses quickly, and finds no
    /// secret by it: there are 2^256.
    HmacSha256,
}

/// How a [`HashPool`](super::HashPool) is set up.
///
/// The memory it can take is the number of threads times that of one hash: with the defaults and 8 cores, 8 times
/// 19 MiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct HashPoolConfig {
    pub(super) params: Argon2Params,
    pub(super) key_hasher: KeyHasher,
    pub(super) limits: HashLimits,
    pub(super) key_threads: usize,
    pub(super) password_threads: usize,
    pub(super) queue: usize,
    pub(super) deadline: Duration,
}

impl HashPoolConfig {
    /// What new Argon2id hashes cost, of keys' secrets and of passwords. The limits must allow it.
    #[must_use]
    pub const fn params(mut self, params: Argon2Params) -> Self {
        self.params = params;
        self
    }

    /// What new hashes of keys' secrets are: Argon2id by default.
    #[must_use]
    pub const fn key_hasher(mut self, hasher: KeyHasher) -> Self {
        self.key_hasher = hasher;
        self
    }

    /// What a stored hash may demand.
    #[must_use]
    pub const fn limits(mut self, limits: HashLimits) -> Self {
        self.limits = limits;
        self
    }

    /// How many threads hash the secrets of keys: half the cores by default, and never fewer than one.
    #[must_use]
    pub fn key_threads(mut self, threads: usize) -> Self {
        self.key_threads = threads.max(1);
        self
    }

    /// How many threads hash passwords: half the cores by default, and never fewer than one.
    #[must_use]
    pub fn password_threads(mut self, threads: usize) -> Self {
        self.password_threads = threads.max(1);
        self
    }

    /// How many callers may wait for a thread, in each share: 64 by default, and never fewer than one.
    #[must_use]
    pub fn queue(mut self, waiting: usize) -> Self {
        self.queue = waiting.max(1);
        self
    }

    /// For how long a caller may wait for a thread: 3 seconds by default. Work that has begun is finished.
    #[must_use]
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }
}

impl Default for HashPoolConfig {
    fn default() -> Self {
        let half = (available_parallelism().map_or(1, NonZero::get) / 2).max(1);
        Self {
            params: Argon2Params::default(),
            key_hasher: KeyHasher::default(),
            limits: HashLimits::default(),
            key_threads: half,
            password_threads: half,
            queue: 64,
            deadline: Duration::from_secs(3),
        }
    }
}
