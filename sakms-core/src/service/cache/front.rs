//! The keys that each thread met last.
//!
//! A processor that writes to memory has to take it away from the others first, which costs as much as the rest of a
//! check. A check writes in several places: to the lock of a part of the map, to the count of who holds the key, to the
//! count of its uses. So each thread keeps some keys at hand that are all its own to write to. What stands there is
//! believed no longer than what stands in the map: it carries the moment it was read, and a strike voids it there too.

use std::sync::{Arc, Mutex};

use super::digest::Digest;
use super::entry::KeyInUse;
use crate::service::tally::{STRIPES, stripe};

/// How many keys a thread has at hand at most: some 100 bytes for each.
const PLACES: usize = 1 << 14;
/// How many places a key may stand in. They lie side by side; with one alone, half of the places would stay empty before
/// keys get into each other's way.
const WAYS: usize = 4;
/// Of how many that find their place taken one gets it. A new one takes an allocation, so it must not be every one where
/// there are more keys in use than places.
const TURN: u32 = 64;

#[derive(Debug)]
pub(super) struct Fronts {
    of_threads: Box<[Front]>,
    /// A power of two.
    rows: usize,
}

/// On lines of its own, as in [`Tally`](crate::service::tally::Tally). Threads beyond the number of stripes share; who
/// finds one locked does without.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Front(Mutex<Places>);

type Row = [Option<Place>; WAYS];

#[derive(Debug, Default)]
struct Places {
    /// None until the thread meets its first key.
    rows: Box<[Row]>,
    passed_over: u32,
}

#[derive(Debug, Clone)]
struct Place {
    digest: Digest,
    key: Arc<KeyInUse>,
}

impl Fronts {
    /// Room for some `keys` keys for each thread, or for as many as a thread may have.
    pub(super) fn new(keys: usize) -> Self {
        Self {
            of_threads: (0..STRIPES).map(|_| Front::default()).collect(),
            rows: keys.clamp(1, PLACES).div_ceil(WAYS).next_power_of_two(),
        }
    }

    /// The key with this digest, if this thread has it at hand.
    pub(super) fn get(&self, digest: Digest) -> Option<Arc<KeyInUse>> {
        let front = self.mine().try_lock().ok()?;
        let row = front.rows.get(self.row(digest))?;
        let place = row.iter().flatten().find(|place| place.digest == digest)?;
        Some(Arc::clone(&place.key))
    }

    /// Keeps a key at hand that was found in the map, if there is a place for it. Gives what this thread shall use of it.
    pub(super) fn offer(&self, digest: Digest, key: Arc<KeyInUse>) -> Arc<KeyInUse> {
        let Ok(mut front) = self.mine().try_lock() else {
            return key;
        };
        let Places { rows, passed_over } = &mut *front;
        if rows.is_empty() {
            *rows = vec![Row::default(); self.rows].into();
        }
        let row = &mut rows[self.row(digest)];
        let is_its_own =
            |place: &Option<Place>| place.as_ref().is_some_and(|at| at.digest == digest);
        let way = row.iter().position(is_its_own);
        let way = way.or_else(|| row.iter().position(Option::is_none));
        let way = way.or_else(|| {
            *passed_over = passed_over.wrapping_add(1);
            let (turn, rest) = (*passed_over / TURN, *passed_over % TURN);
            (rest == 0).then_some(turn as usize % WAYS)
        });
        let Some(way) = way else {
            return key;
        };
        let own = Arc::new(key.another());
        let place = Place {
            digest,
            key: Arc::clone(&own),
        };
        let before = row[way].replace(place);
        drop(front);
        drop(before);
        own
    }

    fn mine(&self) -> &Mutex<Places> {
        &self.of_threads[stripe()].0
    }

    const fn row(&self, digest: Digest) -> usize {
        // The map goes by the other bits, so that a part of it does not fall on a part of the places.
        (digest.short() >> 8) as usize & (self.rows - 1)
    }
}
