//! How much is remembered, and for how long it is trusted.

use std::time::Duration;

/// How much is remembered of keys that were checked, and for how long that is trusted without word from the store.
///
/// ```
/// # use std::time::Duration;
/// # use sakms_core::service::CacheConfig;
/// let config = CacheConfig::default()
///     .keys(1_000_000)
///     .follow_every(Duration::from_millis(100))
///     .max_staleness(Duration::from_secs(2));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct CacheConfig {
    pub(in crate::service) keys: usize,
    pub(in crate::service) denials: usize,
    pub(in crate::service) follow_every: Duration,
    pub(in crate::service) max_staleness: Duration,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self {
            keys: 100_000,
            denials: 10_000,
            follow_every: Duration::from_millis(250),
            max_staleness: Duration::from_secs(5),
        }
    }
}

impl CacheConfig {
    /// For how many keys there is room; 100,000 when nothing is said. Past it, those that are used least make room, and
    /// cost a look-up and an Argon2 run when they come back.
    ///
    /// So many are really remembered. Room is kept in parts, and each has some to spare, because keys do not fall into
    /// parts evenly: up to some two fifths more may be remembered before all parts are full. Beside that, each thread
    /// that checks keys has up to 16,384 of those it meets often at hand, at some 100 bytes each.
    pub const fn keys(mut self, keys: usize) -> Self {
        self.keys = keys;
        self
    }

    /// For how many refused texts there is room in the same manner, apart from the keys, so that refusals push out no key; 10,000
    /// when nothing is said. Only texts that this service's master key has tagged get there.
    pub const fn denials(mut self, denials: usize) -> Self {
        self.denials = denials;
        self
    }

    /// How often the journal is read; every 250 ms when nothing is said. A change that another node made is in force
    /// here after at most this long and the time of one reading.
    pub const fn follow_every(mut self, interval: Duration) -> Self {
        self.follow_every = interval;
        self
    }

    /// How long what is remembered is trusted while the journal cannot be read; 5 s when nothing is said. After that
    /// every check reads the store, and fails when the store is down. With [`Duration::ZERO`] every check reads the
    /// store at all times, and only the Argon2 run is spared.
    pub const fn max_staleness(mut self, bound: Duration) -> Self {
        self.max_staleness = bound;
        self
    }
}
