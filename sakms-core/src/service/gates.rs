//! What a proven key has to pass: its state, the requirement, where the request comes from, its rates and its quota, in this
//! order.
//!
//! A key without particulars is through after the first two. Nothing is taken from a rate unless the gates before it were passed,
//! nor from the quota unless the rates were.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use super::cache::{KnownKey, Particulars};
use super::error::Error;
use super::limit::{LimiterDown, QuotaStanding, Refusal, Standing};
use super::requirement::{KeyDenial, Requirement};
use super::tally::Count;
use super::verified::VerifiedKey;
use super::verify::{Circumstances, KeyVerdict};
use super::{Inner, Sakms};
use crate::clock::Timestamp;
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
    known: Arc<KnownKey>,
    standing: Standing,
    quota: Quota,
    circumstances: Circumstances,
    now: Timestamp,
}

impl DueQuota {
    pub(super) const fn known(&self) -> &Arc<KnownKey> {
        &self.known
    }
}

impl Sakms {
    /// Holds a proven key against everything that needs no I/O.
    pub(super) fn decide(
        &self,
        known: Arc<KnownKey>,
        requirement: &Requirement,
        circumstances: &Circumstances,
    ) -> Decision {
        let now = self.inner.clock.now();
        let denial = known
            .refused_at(now)
            .or_else(|| requirement.unmet_by(&known));
        if let Some(denial) = denial {
            return Decision::Now(self.refuse(&known, now, denial));
        }
        if known.particulars.is_some() {
            return self.decide_by_particulars(known, circumstances, now);
        }
        self.count_granted(&known, circumstances, now);
        Decision::Now(Verdict::Granted(VerifiedKey::new(known)))
    }

    fn decide_by_particulars(
        &self,
        known: Arc<KnownKey>,
        circumstances: &Circumstances,
        now: Timestamp,
    ) -> Decision {
        let Some(particulars) = known.particulars.as_deref() else {
            return Decision::Now(Verdict::Granted(VerifiedKey::new(known)));
        };
        let standing = match self.standing(particulars, circumstances) {
            Ok(standing) => standing,
            Err(denial) => return Decision::Now(self.refuse(&known, now, denial)),
        };
        match (particulars.quota, standing) {
            (Some(quota), standing) => Decision::Quota(Box::new(DueQuota {
                standing: standing.unwrap_or_default(),
                quota,
                circumstances: *circumstances,
                now,
                known,
            })),
            (None, standing) => {
                self.count_granted(&known, circumstances, now);
                Decision::Now(Verdict::Granted(match standing {
                    Some(standing) => VerifiedKey::standing_so(known, standing),
                    None => VerifiedKey::new(known),
                }))
            }
        }
    }

    /// Takes what a request costs out of the rates. Gives how they stand, when there is something to say of it.
    fn standing(
        &self,
        particulars: &Particulars,
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
            standing.rates = rates.take(cost, self.inner.clock.elapsed())?;
        }
        Ok(Some(standing))
    }

    /// Takes what a request costs out of its key's quota.
    pub(super) async fn take_quota(&self, due: DueQuota) -> Result<KeyVerdict, Error> {
        let DueQuota {
            known,
            mut standing,
            quota: Quota { amount, refill, .. },
            circumstances,
            now,
        } = due;
        let Inner {
            keys,
            limiter_down,
            tally,
            ..
        } = &*self.inner;
        let (period, next) = (refill.period_of(now), refill.next_after(now));
        let cost = u64::from(circumstances.cost.get());
        let taken = keys.take_quota(known.key, period, amount.get(), cost);
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
                return Ok(self.refuse(&known, now, denial));
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
        self.count_granted(&known, &circumstances, now);
        Ok(Verdict::Granted(VerifiedKey::standing_so(known, standing)))
    }

    fn count_granted(&self, known: &Arc<KnownKey>, by: &Circumstances, now: Timestamp) {
        self.inner.tally.add(Count::Granted);
        self.inner.usage.count(known, now, by.address);
    }

    /// Refuses a key whose secret was right.
    fn refuse(&self, known: &Arc<KnownKey>, now: Timestamp, denial: KeyDenial) -> KeyVerdict {
        self.inner.usage.count_refusal(known, now);
        self.inner.refusals.key(known.key, &denial);
        self.deny(denial)
    }
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
