//! Counts of failures in bounded memory.
//!
//! Whatever has failed has a count of its own while there is room, and is taken out only when nothing is left of its count: no
//! flood of names pushes another's out. What finds no room shares one of a fixed number of counts with others, chosen by a
//! keyed digest. That errs on the careful side: a shared count may be higher than each of those who share it deserves, never
//! lower, and what gets room of its own later begins with what the shared one had. A stranger fills the room only with
//! failures, of which each source has few.

use std::collections::HashMap;
use std::time::Duration;

use super::config::Backoff;
use super::counter::Counter;
use crate::key::Revision;

/// How many counts are there to be shared by what finds no room.
const SHARED: usize = 4_096;
/// How long after a search for room that found little there is no other.
const REST: Duration = Duration::from_secs(10);

/// What is counted: a keyed digest, so that nobody chooses with whom they share.
pub(super) type Id = [u8; 16];

#[derive(Debug, Clone, Default)]
pub(super) struct Entry {
    pub(super) counter: Counter,
    /// Attempts that began and have not ended.
    pub(super) under_way: u32,
    /// Failures that other nodes do not know of.
    pub(super) unwritten: u32,
    /// When the first of them was.
    pub(super) unwritten_since: Duration,
    /// Whether other nodes do not know that it began anew.
    pub(super) cleared: bool,
    /// Counts how often it began anew.
    pub(super) clears: u32,
    /// Whether it is on the list of what is to be written.
    pub(super) listed: bool,
    /// Which revision of the store's record is in the count; nothing, when there was none.
    pub(super) seen: Option<Revision>,
    /// When the store was asked last.
    pub(super) read_at: Option<Duration>,
    /// Counts what was written to the store, so that a reading that began before is known to be old.
    pub(super) writes: u32,
}

/// Where an attempt is counted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Own(Id),
    Shared(usize),
}

#[derive(Debug)]
pub(super) struct Table {
    own: HashMap<Id, Entry>,
    shared: Box<[Entry]>,
    most: usize,
    /// Whether there is a store to tell.
    shares: bool,
    pub(super) backoff: Backoff,
    looked_for_room: Option<Duration>,
    /// What is to be written.
    pub(super) dirty: Vec<Id>,
}

impl Table {
    pub(super) fn new(backoff: Backoff, most: usize, shares: bool) -> Self {
        Self {
            own: HashMap::new(),
            shared: vec![Entry::default(); SHARED].into(),
            most,
            shares,
            backoff,
            looked_for_room: None,
            dirty: Vec::new(),
        }
    }

    /// The count that holds for this, as it is.
    pub(super) fn look(&self, id: &Id) -> &Entry {
        self.own.get(id).unwrap_or(&self.shared[slot(id)])
    }

    /// Its own entry, if it has one.
    pub(super) fn own(&mut self, id: &Id) -> Option<&mut Entry> {
        self.own.get_mut(id)
    }

    pub(super) fn at(&mut self, place: Place) -> Option<&mut Entry> {
        match place {
            Place::Own(id) => self.own.get_mut(&id),
            Place::Shared(slot) => self.shared.get_mut(slot),
        }
    }

    /// Where this is counted from now on: by itself, if there is room.
    pub(super) fn place(&mut self, id: Id, now: Duration) -> Place {
        if !self.own.contains_key(&id) {
            if self.own.len() >= self.most && !self.make_room(now) {
                return Place::Shared(slot(&id));
            }
            let counter = self.shared[slot(&id)].counter;
            let failures = counter.now(&self.backoff, now).div_ceil(1_000);
            let unwritten = if self.shares { failures } else { 0 };
            let entry = Entry {
                counter,
                unwritten,
                unwritten_since: counter.last,
                ..Entry::default()
            };
            self.own.insert(id, entry);
        }
        Place::Own(id)
    }

    /// One failure more.
    pub(super) fn fail(&mut self, place: Place, now: Duration) {
        let (backoff, shares) = (self.backoff, self.shares);
        let Some(entry) = self.at(place) else { return };
        entry.counter.fail(1, &backoff, now);
        if let Place::Own(id) = place
            && shares
        {
            if entry.unwritten == 0 {
                entry.unwritten_since = now;
            }
            entry.unwritten = entry.unwritten.saturating_add(1);
            self.list(id);
        }
    }

    /// It begins anew. What shares a count does not, because others failed there as well.
    pub(super) fn clear(&mut self, place: Place, now: Duration) {
        let (backoff, shares) = (self.backoff, self.shares);
        let (Place::Own(id), Some(entry)) = (place, self.at(place)) else {
            return;
        };
        if entry.counter.now(&backoff, now) == 0 && entry.unwritten == 0 {
            return;
        }
        entry.counter = Counter::default();
        (entry.unwritten, entry.cleared) = (0, shares);
        entry.clears = entry.clears.wrapping_add(1);
        if shares {
            self.list(id);
        }
    }

    /// An attempt has ended. An entry that says nothing any more goes.
    pub(super) fn end(&mut self, place: Place, now: Duration) {
        let backoff = self.backoff;
        let Some(entry) = self.at(place) else { return };
        entry.under_way = entry.under_way.saturating_sub(1);
        if let Place::Own(id) = place
            && says_nothing(&self.own[&id], &backoff, now)
        {
            self.own.remove(&id);
        }
    }

    pub(super) fn list(&mut self, id: Id) {
        if let Some(entry) = self.own.get_mut(&id)
            && !std::mem::replace(&mut entry.listed, true)
        {
            self.dirty.push(id);
        }
    }

    /// Takes out what says nothing any more. Not at every call when that was in vain: a flood would pay for a walk each.
    #[cold]
    fn make_room(&mut self, now: Duration) -> bool {
        if self
            .looked_for_room
            .is_some_and(|at| now.saturating_sub(at) < REST)
        {
            return false;
        }
        let backoff = self.backoff;
        self.own
            .retain(|_, entry| !says_nothing(entry, &backoff, now));
        self.looked_for_room = Some(now);
        self.own.len() < self.most
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.own.len()
    }
}

fn says_nothing(entry: &Entry, backoff: &Backoff, now: Duration) -> bool {
    let is_needed = entry.under_way > 0 || entry.cleared;
    !is_needed && entry.counter.now(backoff, now) == 0
}

fn slot(id: &Id) -> usize {
    usize::from(u16::from_be_bytes([id[14], id[15]])) % SHARED
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn id(number: u32) -> Id {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&number.to_be_bytes());
        id[12..].copy_from_slice(&number.wrapping_mul(0x9E37_79B9).to_be_bytes());
        id
    }

    fn fail(table: &mut Table, number: u32, now: Duration) {
        let place = table.place(id(number), now);
        table.fail(place, now);
    }

    fn failures(table: &Table, number: u32, now: Duration) -> u32 {
        let left = table.look(&id(number)).counter.now(&table.backoff, now);
        left.div_ceil(1_000)
    }

    #[test]
    fn a_flood_of_names_pushes_nobody_out_and_memory_stays_bounded() {
        let mut table = Table::new(Backoff::after(5), 1_000, true);
        (0..7).for_each(|_| fail(&mut table, 0, SECOND));
        for number in 1..200_000 {
            fail(&mut table, number, 2 * SECOND);
        }
        assert_eq!(failures(&table, 0, 2 * SECOND), 7);
        assert_eq!((table.len(), table.shared.len()), (1_000, SHARED));
        assert!(table.dirty.len() <= 1_000);
    }

    #[test]
    fn no_count_is_ever_too_low() {
        let mut table = Table::new(Backoff::after(5), 10, true);
        let mut truth = HashMap::<u32, u32>::new();
        for step in 0..50_000_u32 {
            let number = step.wrapping_mul(2_654_435_761) % 5_000;
            fail(&mut table, number, SECOND);
            *truth.entry(number).or_default() += 1;
        }
        for (number, count) in truth {
            assert!(failures(&table, number, SECOND) >= count, "{number}");
        }
    }

    #[test]
    fn who_gets_room_later_begins_with_what_they_shared() {
        let backoff = Backoff::after(5).one_forgotten_each(10 * SECOND);
        let mut table = Table::new(backoff, 1, true);
        fail(&mut table, 0, SECOND);
        (0..30).for_each(|_| fail(&mut table, 1, SECOND));
        assert!(matches!(table.place(id(1), SECOND), Place::Shared(_)));
        let later = 20 * SECOND;
        assert!(matches!(table.place(id(1), later), Place::Own(_)));
        assert_eq!(failures(&table, 1, later), 29);
        assert_eq!(failures(&table, 0, later), 0);
    }

    #[test]
    fn an_attempt_that_ended_well_leaves_nothing() {
        let mut table = Table::new(Backoff::after(5), 10, true);
        let place = table.place(id(0), SECOND);
        table.at(place).unwrap().under_way += 1;
        table.clear(place, SECOND);
        table.end(place, SECOND);
        assert_eq!((table.len(), table.dirty.len()), (0, 0));
    }
}
