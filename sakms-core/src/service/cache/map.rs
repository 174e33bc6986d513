//! A bounded map from digests, and what has to make room in it.

use std::hash::BuildHasherDefault;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::sync::Cache;
use quick_cache::{Lifecycle, OptionsBuilder, UnitWeighter};

use super::digest::{Digest, Unchanged};

/// For how many entries there is one part with a lock of its own.
const PART: usize = 256;
/// How many parts there are at most.
const MOST_PARTS: usize = 1 << 11;

pub(super) type Map<V> =
    Cache<Digest, V, UnitWeighter, BuildHasherDefault<Unchanged>, CountEvictions>;

/// A map that really has room for `capacity` entries.
///
/// Each part has its share of the room, and entries do not fall into parts evenly: of n in p parts a part gets n/p on
/// average, give or take the root of that. With six times as much to spare no part is full before the map is, but for one
/// time in many millions.
pub(super) fn map<V: Clone>(capacity: usize, evictions: &CountEvictions) -> Map<V> {
    let capacity = capacity.max(1);
    let parts = (capacity / PART).clamp(1, MOST_PARTS).next_power_of_two();
    let each = capacity.div_ceil(parts);
    let spare = if parts == 1 { 0 } else { 6 * each.isqrt() };
    let room = (each + spare) * parts;
    let (hasher, evictions) = (BuildHasherDefault::default(), evictions.clone());
    let options = OptionsBuilder::new()
        .shards(parts)
        .estimated_items_capacity(room)
        .weight_capacity(room as u64)
        .build();
    match options {
        Ok(options) => Cache::with_options(options, UnitWeighter, hasher, evictions),
        // Not reached: both sizes are set, which is all that is asked for.
        Err(_) => Cache::with(room, room as u64, UnitWeighter, hasher, evictions),
    }
}

/// What had to make room because as much as may be remembered was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Evictions {
    /// Keys.
    pub keys: u64,
    /// Texts that are no key.
    pub denials: u64,
}

#[derive(Debug, Clone, Default)]
pub(super) struct CountEvictions(Arc<AtomicU64>);

impl CountEvictions {
    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl<K, V> Lifecycle<K, V> for CountEvictions {
    type RequestState = ();

    fn on_evict(&self, (): &mut (), _: K, _: V) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
