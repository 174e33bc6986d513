//! Where the rates of keys are kept, so that reading a key's record anew does not fill them.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::rates::KeyRates;
use crate::id::KeyId;
use crate::key::RateLimit;

/// The rates of the keys that have any. A key without takes no room here.
pub(in crate::service) struct Limiters {
    rates: Mutex<HashMap<KeyId, Arc<KeyRates>>>,
    most: usize,
}

impl Limiters {
    /// Room for the rates of at most so many keys: as many as may be remembered.
    pub(in crate::service) fn new(most: usize) -> Self {
        Self {
            rates: Mutex::default(),
            most: most.max(1),
        }
    }

    /// The rates of a key that has these. They are as they were left, unless their numbers are others; `None` for a key
    /// without.
    pub(in crate::service) fn of(
        &self,
        key: KeyId,
        limits: &[RateLimit],
        now: Duration,
    ) -> Option<Arc<KeyRates>> {
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        if limits.is_empty() {
            rates.remove(&key);
            return None;
        }
        let earlier = rates.get(&key);
        if let Some(same) = earlier.filter(|earlier| earlier.are(limits)) {
            return Some(Arc::clone(same));
        }
        let new = Arc::new(KeyRates::after(earlier.map(Arc::as_ref), limits, now));
        if rates.len() >= self.most && !rates.contains_key(&key) {
            make_room(&mut rates, self.most, now);
        }
        rates.insert(key, Arc::clone(&new));
        Some(new)
    }

    /// The rates of a key that has these, apart: what is taken from them is taken from nowhere.
    pub(in crate::service) fn aside(
        &self,
        key: KeyId,
        limits: &[RateLimit],
        now: Duration,
    ) -> KeyRates {
        let rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = rates.get(&key).filter(|kept| kept.are(limits)).cloned();
        drop(rates);
        kept.map_or_else(|| KeyRates::after(None, limits, now), |kept| kept.aside())
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.rates.lock().unwrap().len()
    }
}

/// Forgets what nobody would miss: full rates of keys that are not remembered. When that is too little, other rates of such keys;
/// and then any. An eighth of the room is made at once, so that this is seldom done.
#[cold]
fn make_room(rates: &mut HashMap<KeyId, Arc<KeyRates>>, most: usize, now: Duration) {
    let enough = most - most.div_ceil(8);
    let held = |rates: &Arc<KeyRates>| Arc::strong_count(rates) > 1;
    rates.retain(|_, rates| held(rates) || !rates.are_full(now));
    let mut surplus = rates.len().saturating_sub(enough);
    for whatever in [false, true] {
        rates.retain(|_, rates| {
            let goes = surplus > 0 && (whatever || !held(rates));
            surplus -= usize::from(goes);
            !goes
        });
    }
}

impl fmt::Debug for Limiters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiters")
            .field("most", &self.most)
            .finish_non_exhaustive()
    }
}
