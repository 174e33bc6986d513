//! How the limits of a key stand after a request.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::key::{RateLimit, Refill};

/// How a rate of a key stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateStanding {
    /// The rate.
    pub limit: Arc<RateLimit>,
    /// How much of it is left for now.
    pub remaining: u32,
    /// In how long all of it is back, if nothing else is taken.
    pub full_in: Duration,
}

impl RateStanding {
    pub(crate) const fn new(limit: Arc<RateLimit>, remaining: u32, full_in: Duration) -> Self {
        Self {
            limit,
            remaining,
            full_in,
        }
    }
}

/// How the quota of a key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum QuotaStanding {
    /// The request was counted.
    #[non_exhaustive]
    Taken {
        /// How much there is in a period.
        amount: NonZeroU64,
        /// When it is full again.
        refill: Refill,
        /// How much is left in this one.
        remaining: u64,
        /// How long this period is; without an end, when there is none.
        period: Option<Duration>,
        /// In how long the next one begins.
        full_in: Option<Duration>,
    },
    /// The store could not be asked, and the request was let in all the same ([`LimiterDown::Open`](super::LimiterDown)).
    Unchecked,
}

/// What there is to say of a key that was let in besides who holds it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Standing {
    /// How its rates stand.
    pub rates: Box<[RateStanding]>,
    /// How its quota stands; nothing, when it has none.
    pub quota: Option<QuotaStanding>,
    /// The secret is about to retire, another took its place.
    pub retiring: Option<Retiring>,
}

/// When a secret was and will be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retiring {
    /// When the secret was made that takes its place; the moment it retires, where there is none that is newer.
    pub since: Timestamp,
    /// From when on it is refused.
    pub at: Timestamp,
}

impl Retiring {
    pub(in crate::service) const fn new(since: Timestamp, at: Timestamp) -> Self {
        Self { since, at }
    }
}
