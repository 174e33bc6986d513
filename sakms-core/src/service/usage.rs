//! Who used what when: counted in memory, written down in batches.
//!
//! A request never writes to the store. What was counted since the last flush is lost in a crash; that is the
//! price, and it is stated.
//!
//! A use is counted where the check found the key, without a lock; only the first one since the last flush puts the key
//! on the list of what is to be written down. A flush writes what it finds to the day of the last use: of a key that is in use at
//! midnight, the counts of one interval at most (10 seconds, unless that is set otherwise) go to the day that begins.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::cache::{KeyInUse, Tick};
use super::refusals::Refusals;
use super::tally::{Count, Tally};
use super::task::{self, HasTask, Running};
use crate::clock::Clock;
use crate::id::SecretId;
use crate::key::{Day, SecretUse};
use crate::store::{KeyStore, StoreError};

/// How many secrets wait to be written down at most, and how many of what the store did not take. Past it the uses of
/// further ones stay with the key for as long as it is remembered, so that memory stays bounded while the store is down.
pub(super) const MOST_SECRETS: usize = 100_000;
/// How many uses go to the store in one call.
const BATCH: usize = 500;
/// Of how many keys the uses are taken at once: what is taken takes more room than what is counted.
const AT_ONCE: usize = 20 * BATCH;

/// By day, so that what the store does not take today is not tomorrow's.
type Counts = HashMap<(SecretId, Day), SecretUse>;

#[derive(Debug)]
pub(super) struct UsageBuffer {
    used: Mutex<Vec<Arc<KeyInUse>>>,
    /// Whether there is no more room on that list, so that nobody takes the lock to find that out.
    is_full: AtomicBool,
    /// What the store did not take.
    unsaved: Mutex<Counts>,
    store: Arc<dyn KeyStore>,
    tally: Arc<Tally>,
    /// Written down at the same times.
    refusals: Arc<Refusals>,
    interval: Duration,
    flusher: Running,
    /// One flush at a time, so that a flush that fails puts back what it took before the next one looks.
    flushing: tokio::sync::Mutex<()>,
}

impl UsageBuffer {
    pub(super) fn new(
        store: Arc<dyn KeyStore>,
        tally: Arc<Tally>,
        refusals: Arc<Refusals>,
        interval: Duration,
    ) -> Self {
        Self {
            used: Mutex::default(),
            is_full: AtomicBool::new(false),
            unsaved: Mutex::default(),
            store,
            tally,
            refusals,
            interval,
            flusher: Running::default(),
            flushing: tokio::sync::Mutex::default(),
        }
    }

    /// Counts one use.
    pub(super) fn count(
        &self,
        key: &Arc<KeyInUse>,
        now: Tick,
        clock: &dyn Clock,
        from: Option<IpAddr>,
    ) {
        if key.count_use(now, clock, from) {
            self.list(key);
        }
    }

    /// Counts a request that was refused though its secret was right.
    pub(super) fn count_refusal(&self, key: &Arc<KeyInUse>, clock: &dyn Clock) {
        key.count_refusal(clock.now());
        self.list(key);
    }

    /// Writes down everything that was counted. What the store does not take stays.
    pub(super) async fn flush(&self) -> Result<(), StoreError> {
        let _one_at_a_time = self.flushing.lock().await;
        let keys = {
            let mut used = locked(&self.used);
            self.is_full.store(false, Ordering::Relaxed);
            std::mem::take(&mut *used)
        };
        // Both are dropped with this future too, if whoever flushes goes away.
        let mut listed = Listed { buffer: self, keys };
        loop {
            let mut counts = std::mem::take(&mut *locked(&self.unsaved));
            let rest = listed.keys.len().saturating_sub(AT_ONCE);
            for key in listed.keys.drain(rest..) {
                add(&mut counts, key.take_uses());
            }
            let mut taken = PutBack {
                buffer: self,
                uses: counts.into_values().collect(),
            };
            while !taken.uses.is_empty() {
                let batch = taken.uses.len().saturating_sub(BATCH);
                let stored = self.store.record_uses(&taken.uses[batch..]).await;
                stored.inspect_err(|_| self.tally.add(Count::FlushFailed))?;
                taken.uses.truncate(batch);
            }
            if listed.keys.is_empty() {
                return Ok(());
            }
        }
    }

    /// Starts the task that flushes, when none runs ([`task::ensure_running`]).
    pub(super) fn ensure_running(self: &Arc<Self>) {
        let interval = self.interval;
        task::ensure_running(self, |served| async move {
            loop {
                tokio::time::sleep(interval).await;
                let Some(buffer) = served.get() else {
                    return;
                };
                if let Err(error) = buffer.flush().await {
                    tracing::warn!(error = %error, "use counts could not be stored; they are kept and tried again");
                }
                if let Err(error) = buffer.refusals.flush().await {
                    tracing::warn!(error = %error, "refused attempts could not be written down; they are kept and tried again");
                }
            }
        });
    }

    #[cold]
    fn list(&self, key: &Arc<KeyInUse>) {
        // What finds no room stays counted where it is; its next use tries again.
        if self.is_full.load(Ordering::Relaxed) || !key.claim_place() {
            return;
        }
        let mut used = locked(&self.used);
        if used.len() < MOST_SECRETS {
            used.push(Arc::clone(key));
        } else {
            self.is_full.store(true, Ordering::Relaxed);
            key.not_listed();
        }
    }
}

/// Keys that were on the list, and whose uses are not taken yet.
struct Listed<'a> {
    buffer: &'a UsageBuffer,
    keys: Vec<Arc<KeyInUse>>,
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        let mut used = locked(&self.buffer.used);
        for key in self.keys.drain(..) {
            if used.len() < MOST_SECRETS {
                used.push(key);
            } else {
                key.not_listed();
            }
        }
    }
}

/// Uses that were taken and are not stored yet.
struct PutBack<'a> {
    buffer: &'a UsageBuffer,
    uses: Vec<SecretUse>,
}

impl Drop for PutBack<'_> {
    fn drop(&mut self) {
        let mut unsaved = locked(&self.buffer.unsaved);
        self.uses.iter().for_each(|&seen| add(&mut unsaved, seen));
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while counting leaves a count too few at worst; what is locked is whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn add(counts: &mut Counts, seen: SecretUse) {
    let place = (seen.secret, seen.day());
    let nothing = seen.count == 0 && seen.refused == 0;
    if nothing || (counts.len() >= MOST_SECRETS && !counts.contains_key(&place)) {
        return;
    }
    let known = counts
        .entry(place)
        .or_insert(SecretUse::new(seen.secret, 0, seen.last_at));
    // Where the last one came from; of those that were only refused, nobody asks.
    let (earlier, later) = if (known.count > 0, known.last_at) <= (seen.count > 0, seen.last_at) {
        (*known, seen)
    } else {
        (seen, *known)
    };
    known.last_at = later.last_at;
    known.last_from = later.last_from.or(earlier.last_from);
    known.count = earlier.count.saturating_add(later.count);
    known.refused = earlier.refused.saturating_add(later.refused);
}

impl HasTask for UsageBuffer {
    fn running(&self) -> &Running {
        &self.flusher
    }
}
