//! Which readings of the store still stand.
//!
//! Every reading carries the moment it *began*, a number that only grows ([`Stamps::now`]). A change strikes the slots
//! of what it touched with a later moment, and a reading stands only while none of its slots was struck since. That
//! holds for what is in a cache and for what is still on its way there: a reading that began before a revocation never
//! stands after it, whenever it arrives.
//!
//! Slots are shared by hash, so there is no list of what hangs on what, and a strike takes as long for one key as for
//! all keys of an owner. Two that share a slot cost each other a reading, nothing more.

use super::atomic::{AtomicU64, Ordering};

/// A moment in the order of readings and strikes. Not a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::service) struct Moment(u64);

/// Where strikes on a thing are noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service) struct Slot(u32);

#[derive(Debug)]
pub(in crate::service) struct Stamps {
    now: AtomicU64,
    /// When everything was struck last.
    all: AtomicU64,
    /// When each slot was struck last. A power of two.
    slots: Box<[AtomicU64]>,
}

impl Stamps {
    /// At least `wanted` slots, 8 bytes each.
    pub(in crate::service) fn new(wanted: usize) -> Self {
        let count = wanted.clamp(1, 1 << 24).next_power_of_two();
        Self {
            now: AtomicU64::new(1),
            all: AtomicU64::new(0),
            slots: (0..count).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// The slot of a thing with this hash.
    pub(in crate::service) fn slot(&self, hash: u64) -> Slot {
        let place = hash & (self.slots.len() as u64 - 1);
        // There are at most 2^24 slots.
        Slot(u32::try_from(place).unwrap_or(0))
    }

    /// To be taken *before* the store is read.
    pub(in crate::service) fn now(&self) -> Moment {
        Moment(self.now.load(Ordering::SeqCst))
    }

    /// Voids what was read of a thing up to here. To be called *after* its change was committed.
    pub(in crate::service) fn strike(&self, slot: Slot) {
        let moment = self.advance();
        self.slots[slot.0 as usize].fetch_max(moment, Ordering::SeqCst);
    }

    /// Voids everything that was read up to here.
    pub(in crate::service) fn strike_all(&self) {
        let moment = self.advance();
        self.all.fetch_max(moment, Ordering::SeqCst);
    }

    /// Whether a reading that began at `moment` still stands for the things in these slots.
    pub(in crate::service) fn stands(&self, moment: Moment, slots: [Slot; 2]) -> bool {
        let struck = |slot: Slot| self.slots[slot.0 as usize].load(Ordering::Acquire);
        moment.0 >= self.all.load(Ordering::Acquire)
            && slots.into_iter().all(|slot| moment.0 >= struck(slot))
    }

    /// The next moment. A reading that sees it begins after it, and so after the change that was committed before.
    fn advance(&self) -> u64 {
        self.now.fetch_add(1, Ordering::SeqCst) + 1
    }
}
