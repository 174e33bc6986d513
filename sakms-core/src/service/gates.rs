//! What a proven key has to pass: its state, the requirement, where the request comes from, its rates and its quota, in this
//! order.
//!
//! A key without particulars is through after the first two. Nothing is taken from a rate unless the gates before it were passed,
//! nor from the quota unless the rates were.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use super::cache::{KeyInUse, Particulars, Tick};
use super::error::Error;
use super::limit::{LimiterDown, QuotaStanding, Refusal, Standing};
use super::requirement::{KeyDenial, Requirement};
use super::tally::Count;
use super::verified::VerifiedKey;
use super::verify::{Circumstances, KeyVerdict};
use super::{Inner, Sakms};
use crate::key::Quota;
use crate::verdict::Verdict;

/// Where a check of a proven key stands.
#[derive(Debug)]
pub(super) enum Decision {
    Now(KeyVerdict),
    /// All is well, but for the quota.
    Quota(Box<DueQuota>),
}

/// What is to be taken out of a key's quota.
#[derive(Debug)]
pub(super) struct DueQuota {
    key: Arc<KeyInUse>,
    elapsed: Duration,
    standing: Standing,
    quota: Quota,
    circumstances: Circumstances,
}

impl DueQuota {
    pub(super) const fn key(&self) -> &Arc<KeyInUse> {
        &self.key
    }
}

impl Sakms {
    /// Holds a proven key against everything that needs no I/O, `elapsed` after the process began
    /// ([`Clock::elapsed`](crate::clock::Clock::elapsed)).
    pub(super) fn decide(
        &self,
        key: Arc<KeyInUse>,
        elapsed: Duration,
        requirement: &Requirement,
        circumstances: &Circumstances,
    ) -> Decision {
        let denial = key
            .refused_by(self.inner.clock.as_ref())
            .or_else(|| requirement.unmet_by(&key.known));
        if let Some(denial) = denial {
            return Decision::Now(self.refuse(&key, denial));
        }
        let standing = match key.particulars() {
            None => None,
            Some(particulars) => match standing(particulars, elapsed, circumstances) {
                Err(denial) => return Decision::Now(self.refuse(&key, denial)),
                Ok(standing) => match particulars.quota {
                    None => standing,
                    Some(quota) => {
                        return Decision::Quota(Box::new(DueQuota {
                            key,
                            elapsed,
                            standing: standing.unwrap_or_default(),
                            quota,
                            circumstances: *circumstances,
                        }));
                    }
                },
            },
        };
        Decision::Now(self.grant(key, elapsed, standing, circumstances))
    }

    /// Takes what a request costs out of its key's quota.
    pub(super) async fn take_quota(&self, due: DueQuota) -> Result<KeyVerdict, Error> {
        let DueQuota {
            key,
            elapsed,
            mut standing,
            quota: Quota { amount, refill, .. },
            circumstances,
        } = due;
        let Inner {
            keys,
            limiter_down,
            tally,
            clock,
            ..
        } = &*self.inner;
        let now = clock.now();
        let (period, next) = (refill.period_of(now), refill.next_after(now));
        let cost = u64::from(circumstances.cost.get());
        let taken = keys.take_quota(key.known.key, period, amount.get(), cost);
        match taken.await {
            Ok(Some(remaining)) => {
                standing.quota = Some(QuotaStanding::Taken {
                    amount,
                    refill,
                    remaining,
                    period: next.map(|next| next.since(period)),
                    full_in: next.map(|next| next.since(now)),
                });
            }
            Ok(None) => {
                let retry_after: Option<Duration> = next.map(|next| next.since(now));
                let denial = KeyDenial::QuotaExhausted { retry_after };
                return Ok(self.refuse(&key, denial));
            }
            Err(error) if *limiter_down == LimiterDown::Open => {
                tracing::warn!(%error, "a quota could not be asked for; the request was let in");
                tally.add(Count::QuotaUnchecked);
                standing.quota = Some(QuotaStanding::Unchecked);
            }
            Err(error) => {
                tally.add(Count::Undecided);
                return Err(error.into());
            }
        }
        Ok(self.grant(key, elapsed, Some(standing), &circumstances))
    }

    fn grant(
        &self,
        key: Arc<KeyInUse>,
        elapsed: Duration,
        standing: Option<Standing>,
        by: &Circumstances,
    ) -> KeyVerdict {
        let Inner {
            tally,
            usage,
            clock,
            ..
        } = &*self.inner;
        tally.add(Count::Granted);
        usage.count(&key, Tick::at(elapsed), clock.as_ref(), by.address);
        Verdict::Granted(match standing {
            Some(standing) => VerifiedKey::standing_so(key, standing),
            None => VerifiedKey::new(key),
        })
    }

    /// Refuses a key whose secret was right.
    #[cold]
    fn refuse(&self, key: &Arc<KeyInUse>, denial: KeyDenial) -> KeyVerdict {
        let Inner {
            usage,
            refusals,
            clock,
            ..
        } = &*self.inner;
        usage.count_refusal(key, clock.as_ref());
        refusals.key(key.known.key, &denial);
        self.deny(denial)
    }
}

/// Takes what a request costs out of the rates. Gives how they stand, when there is something to say of it.
fn standing(
    particulars: &Particulars,
    elapsed: Duration,
    circumstances: &Circumstances,
) -> Result<Option<Standing>, KeyDenial> {
    let Particulars {
        ip_ranges,
        rates,
        quota,
        retiring,
        ..
    } = particulars;
    let allowed = |address| ip_ranges.iter().any(|range| range.contains(address));
    if !ip_ranges.is_empty() && !circumstances.address.is_some_and(allowed) {
        return Err(KeyDenial::WrongAddress);
    }
    let cost = circumstances.cost;
    if let Some(quota) = quota
        && NonZeroU64::from(cost) > quota.amount
    {
        let most = quota.amount.get();
        return Err(KeyDenial::CostTooHigh { rate: None, most });
    }
    if rates.is_none() && retiring.is_none() {
        return Ok(None);
    }
    let mut standing = Standing {
        retiring: *retiring,
        ..Standing::default()
    };
    if let Some(rates) = rates {
        standing.rates = rates.take(cost, elapsed)?;
    }
    Ok(Some(standing))
}

impl From<Refusal> for KeyDenial {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Later {
                name,
                retry_after,
                rates,
            } => Self::RateLimited {
                name,
                retry_after,
                rates,
            },
            Refusal::Never { name, most } => Self::CostTooHigh {
                rate: Some(name),
                most: most.into(),
            },
        }
    }
}
