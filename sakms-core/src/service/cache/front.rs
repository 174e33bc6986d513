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

/// How many keys a thread has at hand at most.
const PLACES: usize = 1 << 13;
/// Of how many that find their place taken one gets it. A new one takes an allocation, so it must not be every one where
/// there are more keys in use than places.
const TURN: u32 = 64;

#[derive(Debug)]
pub(super) struct Fronts {
    of_threads: Box<[Front]>,
    places: usize,
}

/// On lines of its own, as in [`Tally`](crate::service::tally::Tally). Threads beyond the number of stripes share; who
/// finds one locked does without.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Front(Mutex<Places>);

#[derive(Debug, Default)]
struct Places {
    /// None until the thread meets its first key.
    places: Box<[Option<Place>]>,
    passed_over: u32,
}

#[derive(Debug, Clone)]
struct Place {
    digest: Digest,
    key: Arc<KeyInUse>,
}

impl Fronts {
    /// Room for `keys` keys for each thread, or for as many as a thread may have.
    pub(super) fn new(keys: usize) -> Self {
        Self {
            of_threads: (0..STRIPES).map(|_| Front::default()).collect(),
            places: keys.next_power_of_two().min(PLACES),
        }
    }

    /// The key with this digest, if this thread has it at hand.
    pub(super) fn get(&self, digest: Digest) -> Option<Arc<KeyInUse>> {
        let front = self.mine().try_lock().ok()?;
        let place = front.places.get(self.place(digest))?.as_ref()?;
        (place.digest == digest).then(|| Arc::clone(&place.key))
    }

    /// Keeps a key at hand that was found in the map. Gives what this thread shall use of it. `stands` says whether a key
    /// in its place is still good.
    pub(super) fn offer(
        &self,
        digest: Digest,
        key: Arc<KeyInUse>,
        stands: impl Fn(&KeyInUse) -> bool,
    ) -> Arc<KeyInUse> {
        let Ok(mut front) = self.mine().try_lock() else {
            return key;
        };
        if front.places.is_empty() {
            front.places = vec![None; self.places].into();
        }
        let at = self.place(digest);
        let taken = front.places[at]
            .as_ref()
            .is_some_and(|place| place.digest != digest && stands(&place.key));
        if taken {
            front.passed_over = front.passed_over.wrapping_add(1);
            if !front.passed_over.is_multiple_of(TURN) {
                return key;
            }
        }
        let own = Arc::new(key.another());
        let place = Place {
            digest,
            key: Arc::clone(&own),
        };
        let before = front.places[at].replace(place);
        drop(front);
        drop(before);
        own
    }

    fn mine(&self) -> &Mutex<Places> {
        &self.of_threads[stripe()].0
    }

    const fn place(&self, digest: Digest) -> usize {
        // The map goes by the other bits, so that a part of it does not fall on a part of the places.
        (digest.short() >> 8) as usize & (self.places - 1)
    }
}
