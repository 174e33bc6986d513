//! What is remembered of a key.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use super::digest::HashId;
use super::last::{LastAddress, LastMoment, LastSecond};
use super::particulars::Particulars;
use super::policy::Policy;
use super::stamps::{Moment, Slot};
use crate::clock::{Clock, Timestamp};
use crate::id::{KeyId, SecretId};
use crate::key::{KeyName, Metadata, Owner, SecretUse, StoredSecret};
use crate::service::requirement::KeyDenial;

/// What one reading said of a secret and its key, without the hash.
#[derive(Debug)]
pub(in crate::service) struct KnownKey {
    pub(in crate::service) key: KeyId,
    pub(in crate::service) secret: SecretId,
    pub(in crate::service) owner: Owner,
    pub(in crate::service) name: KeyName,
    pub(in crate::service) policy: Arc<Policy>,
    /// Most keys have none.
    pub(in crate::service) particulars: Option<Box<Particulars>>,
    pub(in crate::service) expires_at: Option<Timestamp>,
    /// Which hash the record has: a proof counts for no other.
    pub(super) hash: HashId,
    barred: Option<Barred>,
    /// Whether that hash is made otherwise than a new one would be.
    dated: bool,
    /// What follows is counted for all threads together, because it is written seldom.
    last_used: LastMoment,
    last_from: LastAddress,
    /// How often it was refused since that was last taken to be written down.
    refusals: AtomicU32,
    last_refused: LastSecond,
}

/// What bars a key whatever the time is.
#[derive(Debug, Clone, Copy)]
enum Barred {
    Revoked,
    OwnerDisabled,
    Disabled,
}

impl KnownKey {
    pub(super) fn new(
        found: StoredSecret,
        policy: Arc<Policy>,
        particulars: Option<Box<Particulars>>,
        hash: HashId,
        dated: bool,
    ) -> Self {
        let StoredSecret {
            key,
            secret,
            owner_disabled_at,
        } = found;
        // A revocation or a switch-off holds whatever its time says: a clock that jumps back must not undo it.
        let barred = match () {
            () if key.revoked_at.is_some() => Some(Barred::Revoked),
            () if owner_disabled_at.is_some() => Some(Barred::OwnerDisabled),
            () if key.disabled_at.is_some() => Some(Barred::Disabled),
            () => None,
        };
        debug_assert_eq!(
            secret.retired_at,
            particulars.as_ref().and_then(|its| its.retired_at)
        );
        Self {
            key: key.id,
            secret: secret.id,
            owner: key.owner,
            name: key.name,
            policy,
            particulars,
            expires_at: key.expires_at,
            hash,
            barred,
            dated,
            last_used: LastMoment::default(),
            last_from: LastAddress::default(),
            refusals: AtomicU32::new(0),
            last_refused: LastSecond::default(),
        }
    }

    pub(in crate::service) fn metadata(&self) -> &Metadata {
        static NONE: LazyLock<Metadata> = LazyLock::new(Metadata::default);
        self.particulars.as_ref().map_or(&NONE, |its| &its.metadata)
    }

    /// Whether its state refuses it, at this moment. Evaluated on every request, never remembered.
    pub(in crate::service) fn refused_at(&self, now: Timestamp) -> Option<KeyDenial> {
        let since = |moment: Option<Timestamp>| moment.is_some_and(|moment| moment <= now);
        match self.barred {
            Some(Barred::Revoked) => Some(KeyDenial::Revoked),
            Some(Barred::OwnerDisabled) => Some(KeyDenial::OwnerDisabled),
            Some(Barred::Disabled) => Some(KeyDenial::Disabled),
            None if since(self.expires_at) => Some(KeyDenial::Expired),
            None if since(self.retired_at()) => Some(KeyDenial::Retired),
            None => {
                let from = self.not_before()?;
                (now < from).then_some(KeyDenial::NotYetValid)
            }
        }
    }

    /// Whether there is any moment at which [`refused_at`](Self::refused_at) refuses it.
    fn may_be_refused(&self) -> bool {
        self.barred.is_some()
            || self.expires_at.is_some()
            || self.retired_at().is_some()
            || self.not_before().is_some()
    }

    fn retired_at(&self) -> Option<Timestamp> {
        self.particulars.as_ref()?.retired_at
    }

    fn not_before(&self) -> Option<Timestamp> {
        self.particulars.as_ref()?.not_before
    }
}

/// Since when something is known, and where strikes on it are noted.
#[derive(Debug, Clone, Copy)]
pub(in crate::service) struct Reading {
    pub(super) began: Moment,
    pub(super) slots: [Slot; 2],
}

/// A key in use: what every check of it looks at and writes to, close together and apart from the rest.
///
/// There are several of one key: the one in the map, and one for each thread that meets the key often, so that threads
/// which present the same key do not wait for each other's writes.
#[derive(Debug)]
#[repr(C)]
pub(in crate::service) struct KeyInUse {
    /// Uses since they were last taken to be written down, and [`LISTED`].
    uses: AtomicU64,
    /// In which [`Tick`] it was used last.
    ticked: AtomicU32,
    /// Copies of what is known, so that most checks need not look there.
    may_be_refused: bool,
    dated: bool,
    has_particulars: bool,
    pub(super) reading: Reading,
    pub(in crate::service) known: Arc<KnownKey>,
}

/// Whether the uses are on the list of what is to be written down, where they are counted.
const LISTED: u64 = 1 << 63;

impl KeyInUse {
    pub(super) fn new(known: Arc<KnownKey>, reading: Reading) -> Self {
        Self {
            uses: AtomicU64::new(0),
            ticked: AtomicU32::new(Tick::NONE.0),
            may_be_refused: known.may_be_refused(),
            dated: known.dated,
            has_particulars: known.particulars.is_some(),
            reading,
            known,
        }
    }

    /// The same key, for another thread to use.
    pub(super) fn another(&self) -> Self {
        Self::new(Arc::clone(&self.known), self.reading)
    }

    /// Whether its state refuses it now. The clock is not asked where the time makes no difference.
    pub(in crate::service) fn refused_by(&self, clock: &dyn Clock) -> Option<KeyDenial> {
        if self.may_be_refused {
            self.known.refused_at(clock.now())
        } else {
            None
        }
    }

    /// Whether its hash is made otherwise than a new one would be.
    pub(in crate::service) fn is_dated(&self) -> bool {
        self.dated
    }

    /// What only some keys have, if it has any of it.
    pub(in crate::service) fn particulars(&self) -> Option<&Particulars> {
        if self.has_particulars {
            self.known.particulars.as_deref()
        } else {
            None
        }
    }

    /// Whether it was used in this tick.
    pub(super) fn is_used_in(&self, tick: Tick) -> bool {
        self.ticked.load(Ordering::Relaxed) == tick.0
    }

    /// Counts a use. Gives whether it is not on the list of what is to be written down. When it was and from where is
    /// kept once in a tick.
    pub(in crate::service) fn count_use(
        &self,
        tick: Tick,
        clock: &dyn Clock,
        from: Option<IpAddr>,
    ) -> bool {
        // Who sees the tick sees the time that was set before it.
        if self.ticked.load(Ordering::Acquire) != tick.0 {
            self.known.last_used.set(clock.now());
            if let Some(from) = from {
                self.known.last_from.set(from);
            }
            self.ticked.store(tick.0, Ordering::Release);
        }
        // Together with the swap in `take_uses`: a use is counted before it or finds itself off the list.
        self.uses.fetch_add(1, Ordering::AcqRel) & LISTED == 0
    }

    /// Claims the place on the list: `true` for one of all who find the key off it.
    pub(in crate::service) fn claim_place(&self) -> bool {
        self.uses.fetch_or(LISTED, Ordering::AcqRel) & LISTED == 0
    }

    /// Counts a request that was refused though the secret was right.
    pub(in crate::service) fn count_refusal(&self, now: Timestamp) {
        let KnownKey {
            refusals,
            last_refused,
            ..
        } = &*self.known;
        last_refused.set(now);
        refusals.fetch_add(1, Ordering::AcqRel);
    }

    /// There was no room on the list after all.
    pub(in crate::service) fn not_listed(&self) {
        self.uses.fetch_and(!LISTED, Ordering::AcqRel);
    }

    /// Takes the uses since the last time, off the list.
    pub(in crate::service) fn take_uses(&self) -> SecretUse {
        let count = self.uses.swap(0, Ordering::AcqRel) & !LISTED;
        let KnownKey {
            secret,
            last_used,
            last_from,
            refusals,
            last_refused,
            ..
        } = &*self.known;
        let (last, from) = if count == 0 {
            (last_refused.get(), None)
        } else {
            (last_used.get(), last_from.take())
        };
        let mut taken = SecretUse::new(*secret, count, last);
        taken.refused = refusals.swap(0, Ordering::AcqRel).into();
        taken.last_from = from;
        taken
    }
}

/// A quarter of a second by [`Clock::elapsed`]: as finely as the time of the last use is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service) struct Tick(u32);

impl Tick {
    /// The one in which nothing happens.
    const NONE: Self = Self(u32::MAX);

    #[expect(
        clippy::cast_possible_truncation,
        reason = "only neighbours are told apart; they come round after 34 years"
    )]
    pub(in crate::service) fn at(elapsed: Duration) -> Self {
        let quarters = elapsed.as_secs() * 4 + u64::from(elapsed.subsec_millis() / 250);
        let tick = Self(quarters as u32);
        if tick == Self::NONE { Self(0) } else { tick }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn a_remembered_key_is_small() {
        // A million of them are remembered; what is added here is added to each.
        assert!(size_of::<KnownKey>() <= 136, "{}", size_of::<KnownKey>());
        assert!(size_of::<KeyInUse>() <= 40, "{}", size_of::<KeyInUse>());
    }

    #[test]
    fn a_tick_is_a_quarter_of_a_second() {
        let at = |millis| Tick::at(Duration::from_millis(millis));
        assert_eq!(at(0), at(249));
        assert_ne!(at(249), at(250));
        assert_ne!(at(999), at(1_000));
    }
}
