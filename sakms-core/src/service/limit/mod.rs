//! Rates and quotas of keys: what a key may do in how long.
//!
//! Rates are held by each node for itself (`rates.rs`), in memory that is bounded (`limiters.rs`). A quota is the store's, one
//! for all nodes. `standing.rs` is what an answer says of both.

mod limiters;
mod rates;
mod standing;

pub(super) use limiters::Limiters;
pub(super) use rates::{KeyRates, Refusal};
pub use standing::{QuotaStanding, RateStanding, Retiring, Standing};

/// What becomes of a request when the quota of its key cannot be taken from, because the store is away.
///
/// It shows: a request that is let in all the same is answered with `Sakms-Quota: unchecked`, and counted
/// ([`Statistics::quota_unchecked`](super::Statistics::quota_unchecked)).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LimiterDown {
    /// It is not decided: 503.
    #[default]
    Closed,
    /// It is let in, and not counted.
    Open,
}

#[cfg(test)]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "small numbers of a test"
)]
mod tests;
