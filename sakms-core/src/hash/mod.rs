//! Proof of a secret: Argon2id (RFC 9106) on a bounded pool of threads.
//!
//! What is stored is a PHC string, `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`. It names its own parameters, so
//! that hashes made under older ones, or by another program, go on verifying after the parameters have changed.
//! For the secrets of keys there is [`KeyHasher::HmacSha256`] besides, `$hmac-sha256$k=<pepper id>$<tag>`. Which one
//! when, and how to change it on a running service: `docs/hashing.md` in the repository.
//!
//! Hashing is dear on purpose, in time and in memory, which makes it the thing to attack. Three bounds answer that:
//! so many threads and no more, so many callers waiting for them and no more, and no longer than a deadline. What
//! goes past a bound is [`HashError::Overloaded`], said before any memory is taken. Keys and passwords have threads
//! and queues of their own ([`Share`]): a flood of logins does not delay the check of a key.
//!
//! ```
//! # use std::sync::Arc;
//! # use sakms_core::{entropy::OsEntropy, hash::{HashError, HashPool, HashPoolConfig, Share}};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), HashError> {
//! let pool = HashPool::new(HashPoolConfig::default(), Arc::new(OsEntropy))?;
//! let stored = pool.hash(Share::Passwords, b"violet tram kettle oak").await?;
//! assert!(pool.verify(Share::Passwords, b"violet tram kettle oak", &stored).await?);
//! assert!(!pool.verify(Share::Passwords, b"violet tram kettle oaks", &stored).await?);
//! # Ok(())
//! # }
//! ```

mod arena;
mod argon2;
mod config;
mod keyed;
mod pool;
mod queue;

/// What `queue` is made of; a model of it is run on others.
mod sync {
    pub(super) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    pub(super) use std::sync::{Arc, Condvar, Mutex, MutexGuard};
}

use std::fmt;

pub use argon2::{Argon2Params, HashLimits, InvalidParams};
pub use config::{HashPoolConfig, KeyHasher};
pub use pool::HashPool;

/// Whose work it is. Each share has threads and a queue of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// The 256-bit secrets of keys.
    Keys,
    /// What people type. The memory that hashed a password is wiped right after, because what is left in it would
    /// let whoever reads it try guesses without the work; against a 256-bit secret there are no guesses.
    Passwords,
}

#[cfg(feature = "metrics")]
impl Share {
    /// Its name in figures.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Passwords => "passwords",
        }
    }
}

/// How busy a share of the pool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct HashLoad {
    /// How many callers wait for a thread.
    pub waiting: u64,
    /// How many were sent away so far, because too many waited or they had waited too long.
    pub shed: u64,
}

/// No answer: neither "yes" nor "no" can be concluded from any of these.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HashError {
    /// As many callers wait as may, or this one has waited for as long as one may. Trying again later helps.
    Overloaded,
    /// The stored string is neither an Argon2id hash of version 19 within the pool's [`HashLimits`] nor, for a key's
    /// secret, an HMAC-SHA-256 under the pepper of a master key that the pool was given.
    Unreadable,
    /// The work could not be done.
    Failed(HashFailure),
}

impl HashError {
    pub(crate) fn failed(reason: impl fmt::Display) -> Self {
        Self::Failed(HashFailure(reason.to_string()))
    }
}

impl fmt::Display for HashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overloaded => f.write_str("too many secrets wait to be hashed"),
            Self::Unreadable => {
                f.write_str("the stored hash is not understood or demands too much")
            }
            Self::Failed(_) => f.write_str("the hash could not be computed"),
        }
    }
}

impl std::error::Error for HashError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Failed(failure) => Some(failure),
            Self::Overloaded | Self::Unreadable => None,
        }
    }
}

/// Why the work could not be done, in words for a log. They hold no part of a secret or of a hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashFailure(String);

impl fmt::Display for HashFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for HashFailure {}
