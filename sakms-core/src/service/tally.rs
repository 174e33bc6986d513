//! What checks come to, counted so that counting costs a check next to nothing.
//!
//! Each thread counts in a stripe of its own, on cache lines that no other thread writes to. A sum over the stripes is
//! taken when somebody asks.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::requirement::KeyDenial;

/// More than there are cores on most machines; threads beyond it share.
pub(super) const STRIPES: usize = 32;

macro_rules! counts {
    ($($name:ident)*) => {
        /// What is counted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Count {
            $($name,)*
        }

        impl Count {
            const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

counts! {
    Granted Malformed Unknown Retired Revoked Disabled OwnerDisabled Expired NotYetValid WrongEnvironment
    MissingScope WrongAddress RateLimited CostTooHigh QuotaExhausted Undecided
    KnownKey KnownDenial NotKnown
    FlushFailed QuotaUnchecked
    RefusalWritten RefusalLeftOut RefusalsNotWritten
    ThrottledAccount ThrottledSource ThrottledRegistration ThrottledRecovery ThrottledMail ThrottleNotShared
    MailSent MailRetried MailFailed MailRefused
}

impl From<&KeyDenial> for Count {
    fn from(denial: &KeyDenial) -> Self {
        match denial {
            KeyDenial::Malformed => Self::Malformed,
            KeyDenial::Unknown => Self::Unknown,
            KeyDenial::Retired => Self::Retired,
            KeyDenial::Revoked => Self::Revoked,
            KeyDenial::Disabled => Self::Disabled,
            KeyDenial::OwnerDisabled => Self::OwnerDisabled,
            KeyDenial::Expired => Self::Expired,
            KeyDenial::WrongEnvironment => Self::WrongEnvironment,
            KeyDenial::NotYetValid => Self::NotYetValid,
            KeyDenial::MissingScope(_) | KeyDenial::ForbiddenScope(_) => Self::MissingScope,
            KeyDenial::WrongAddress => Self::WrongAddress,
            KeyDenial::RateLimited { .. } => Self::RateLimited,
            KeyDenial::CostTooHigh { .. } => Self::CostTooHigh,
            KeyDenial::QuotaExhausted { .. } => Self::QuotaExhausted,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Tally {
    stripes: [Stripe; STRIPES],
}

/// Two lines of 64 bytes, because processors fetch them in pairs.
#[derive(Debug)]
#[repr(align(128))]
struct Stripe([AtomicU64; Count::ALL.len()]);

impl Default for Stripe {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; Count::ALL.len()])
    }
}

impl Tally {
    pub(super) fn add(&self, count: Count) {
        self.stripes[stripe()].0[count as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add_many(&self, count: Count, times: u64) {
        self.stripes[stripe()].0[count as usize].fetch_add(times, Ordering::Relaxed);
    }

    pub(super) fn of(&self, count: Count) -> u64 {
        let counted = |stripe: &Stripe| stripe.0[count as usize].load(Ordering::Relaxed);
        self.stripes.iter().map(counted).sum()
    }
}

/// The stripe of this thread, for as long as it lives.
pub(super) fn stripe() -> usize {
    const NONE: usize = usize::MAX;
    thread_local! {
        static MINE: Cell<usize> = const { Cell::new(NONE) };
    }
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    MINE.with(|mine| {
        if mine.get() == NONE {
            mine.set(NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES);
        }
        mine.get()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_threads_lose_no_count() {
        let tally = Tally::default();
        std::thread::scope(|scope| {
            for _ in 0..STRIPES + 8 {
                scope.spawn(|| (0..1_000).for_each(|_| tally.add(Count::Granted)));
            }
        });
        assert_eq!(tally.of(Count::Granted), (STRIPES as u64 + 8) * 1_000);
        assert_eq!(tally.of(Count::Undecided), 0);
    }
}
