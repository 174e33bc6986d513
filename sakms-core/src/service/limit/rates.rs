//! The rates of one key (GCRA, by the crate `governor`).

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::{NotKeyed, StateStore};
use governor::{Quota, RateLimiter};

use super::standing::RateStanding;
use crate::key::{RateLimit, Tag};

/// The rates of a key, shared by whoever remembers one of its secrets.
#[derive(Debug)]
pub(in crate::service) struct KeyRates {
    rates: Box<[Rate]>,
    /// Held while several rates are taken from, so that either all of them are or none.
    turn: Mutex<()>,
}

/// Why a request does not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::service) enum Refusal {
    /// It would pass later.
    Later {
        name: Tag,
        retry_after: Duration,
        rates: Box<[RateStanding]>,
    },
    /// It costs more than is ever there at once.
    Never { name: Tag, most: u32 },
}

type Limiter = RateLimiter<NotKeyed, Place, Told, StateInformationMiddleware>;

#[derive(Debug)]
struct Rate {
    limit: Arc<RateLimit>,
    place: Place,
    limiter: Limiter,
    /// When `limiter` was made: what the place counts from.
    start: Duration,
}

/// How far a rate is taken, in nanoseconds since its limiter was made: GCRA's "theoretical arrival time". 0 while nothing was
/// taken.
#[derive(Debug, Clone, Default)]
struct Place(Arc<AtomicU64>);

/// The latest moment that somebody has told. A check reads the clock once, whatever it asks.
#[derive(Debug, Default)]
struct Told(AtomicU64);

impl KeyRates {
    /// Rates of which nothing is taken.
    #[cfg(test)]
    pub(super) fn new(limits: &[RateLimit], now: Duration) -> Self {
        Self::after(None, limits, now)
    }

    /// Rates that take the place of these. One that is still the same, in name and numbers, goes on where it is. `now` is by
    /// [`Clock::elapsed`](crate::clock::Clock::elapsed), here and everywhere below.
    pub(super) fn after(earlier: Option<&Self>, limits: &[RateLimit], now: Duration) -> Self {
        let kept = |limit: &RateLimit| {
            let mut rates = earlier?.rates.iter();
            let same = rates.find(|rate| *rate.limit == *limit)?;
            Some((same.place.clone(), same.start))
        };
        let rate = |limit: &RateLimit| {
            let (place, start) = kept(limit).unwrap_or_else(|| (Place::default(), now));
            Rate::new(limit.clone(), place, start)
        };
        Self {
            rates: limits.iter().map(rate).collect(),
            turn: Mutex::default(),
        }
    }

    pub(super) fn are(&self, limits: &[RateLimit]) -> bool {
        self.rates.iter().map(|rate| &*rate.limit).eq(limits)
    }

    /// Whether all there may be is there, so that forgetting the rates changes nothing.
    pub(super) fn are_full(&self, now: Duration) -> bool {
        self.rates.iter().all(|rate| rate.full_in(now).is_zero())
    }

    /// The same rates as they stand now, apart: what is taken from these is not taken from those.
    pub(in crate::service) fn aside(&self) -> Self {
        Self {
            rates: self.rates.iter().map(Rate::aside).collect(),
            turn: Mutex::default(),
        }
    }

    /// Takes a request's cost out of every rate, or out of none.
    pub(in crate::service) fn take(
        &self,
        cost: NonZeroU32,
        now: Duration,
    ) -> Result<Box<[RateStanding]>, Refusal> {
        if let [only] = &*self.rates {
            // There is nothing to give back, and so nothing to wait for.
            let taken = only.take(cost, now);
            return taken
                .map(|standing| [standing].into())
                .map_err(|refusal| self.refusal(only, refusal, now));
        }
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut standings = Vec::with_capacity(self.rates.len());
        let before: Vec<u64> = self.rates.iter().map(|rate| rate.place.get()).collect();
        for rate in &self.rates {
            match rate.take(cost, now) {
                Ok(standing) => standings.push(standing),
                Err(refusal) => {
                    for (taken, before) in self.rates.iter().zip(before).take(standings.len()) {
                        taken.place.set(before);
                    }
                    return Err(self.refusal(rate, refusal, now));
                }
            }
        }
        Ok(standings.into())
    }

    #[cold]
    fn refusal(&self, rate: &Rate, refusal: Refused, now: Duration) -> Refusal {
        let name = rate.limit.name.clone();
        match refusal {
            Refused::Until(retry_after) => Refusal::Later {
                name,
                retry_after,
                rates: self.rates.iter().map(|rate| rate.standing(now)).collect(),
            },
            Refused::For(most) => Refusal::Never { name, most },
        }
    }
}

#[derive(Clone, Copy)]
enum Refused {
    Until(Duration),
    For(u32),
}

impl Rate {
    fn new(limit: RateLimit, place: Place, start: Duration) -> Self {
        let told = Told::default();
        told.tell(start);
        Self {
            limiter: Limiter::new(quota(&limit), place.clone(), told),
            limit: Arc::new(limit),
            place,
            start,
        }
    }

    fn aside(&self) -> Self {
        let place = Place::default();
        place.set(self.place.get());
        Self::new((*self.limit).clone(), place, self.start)
    }

    fn take(&self, cost: NonZeroU32, now: Duration) -> Result<RateStanding, Refused> {
        let most = quota(&self.limit).burst_size();
        // Asked here, because `governor` would multiply first, and that may overflow.
        if cost > most {
            return Err(Refused::For(most.get()));
        }
        self.limiter.clock().tell(now);
        match self.limiter.check_n(cost) {
            Ok(Ok(snapshot)) => Ok(self.stands(snapshot.remaining_burst_capacity(), now)),
            Ok(Err(until)) => Err(Refused::Until(until.wait_time_from(now))),
            Err(most) => Err(Refused::For(most.0)),
        }
    }

    /// How it stands when nothing is taken.
    fn standing(&self, now: Duration) -> RateStanding {
        let quota = quota(&self.limit);
        let each = quota.replenish_interval().as_nanos().max(1);
        let taken = self.full_in(now).as_nanos().div_ceil(each);
        let burst = quota.burst_size().get();
        let taken = u32::try_from(taken).unwrap_or(u32::MAX);
        self.stands(burst.saturating_sub(taken), now)
    }

    fn stands(&self, remaining: u32, now: Duration) -> RateStanding {
        RateStanding::new(Arc::clone(&self.limit), remaining, self.full_in(now))
    }

    fn full_in(&self, now: Duration) -> Duration {
        let full_at = self.start + Duration::from_nanos(self.place.get());
        full_at.saturating_sub(now)
    }
}

/// A rate in `governor`'s terms. What takes longer than a century to come back would not fit its arithmetic: such a rate has
/// a smaller burst.
fn quota(limit: &RateLimit) -> Quota {
    const LONGEST: u64 = 100 * 366 * 86_400 * 1_000_000_000;
    let whole = u64::from(limit.seconds.get()) * 1_000_000_000;
    let each = (whole / u64::from(limit.requests.get())).clamp(1, LONGEST);
    let most = u32::try_from(LONGEST / each).unwrap_or(u32::MAX);
    let burst = limit
        .burst()
        .min(NonZeroU32::new(most).unwrap_or(NonZeroU32::MIN));
    Quota::with_period(Duration::from_nanos(each))
        .unwrap_or(Quota::per_second(NonZeroU32::MIN))
        .allow_burst(burst)
}

impl Place {
    fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    fn set(&self, place: u64) {
        self.0.store(place, Ordering::Release);
    }
}

impl StateStore for Place {
    type Key = NotKeyed;

    fn measure_and_replace<T, F, E>(&self, _: &NotKeyed, next: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut place = self.get();
        loop {
            let (outcome, after) = next((place != 0).then(|| Nanos::from(place)))?;
            let exchanged = self.0.compare_exchange_weak(
                place,
                after.as_u64(),
                Ordering::AcqRel,
                Ordering::Acquire,
            );
            match exchanged {
                Ok(_) => return Ok(outcome),
                Err(current) => place = current,
            }
        }
    }
}

impl Told {
    fn tell(&self, now: Duration) {
        let nanos = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        self.0.fetch_max(nanos, Ordering::AcqRel);
    }
}

impl Clock for Told {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Acquire))
    }
}
