//! Who used what when: counted in memory, written down in batches.
//!
//! A request never writes to the store. What was counted since the last flush is lost in a crash; that is the
//! price, and it is stated.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::runtime::Handle;

use crate::clock::Timestamp;
use crate::id::SecretId;
use crate::key::SecretUse;
use crate::store::{KeyStore, StoreError};

/// How many secrets are remembered between two flushes. Past it the uses of further ones are not counted, so that
/// memory stays bounded while the store is down: about 10 MB.
const MOST_SECRETS: usize = 100_000;
/// How many uses go to the store in one call.
const BATCH: usize = 500;

type Counts = HashMap<SecretId, (u64, Timestamp)>;

#[derive(Debug)]
pub(super) struct UsageBuffer {
    counts: Mutex<Counts>,
    interval: Duration,
    flusher_runs: AtomicBool,
    /// One flush at a time, so that a flush that fails puts back what it took before the next one looks.
    flushing: tokio::sync::Mutex<()>,
}

impl UsageBuffer {
    pub(super) fn new(interval: Duration) -> Self {
        let (counts, flushing) = (Mutex::default(), tokio::sync::Mutex::default());
        Self {
            counts,
            interval,
            flusher_runs: AtomicBool::new(false),
            flushing,
        }
    }

    /// Counts one use. Starts the task that flushes, when none runs.
    pub(super) fn count(
        self: &Arc<Self>,
        store: &Arc<dyn KeyStore>,
        secret: SecretId,
        at: Timestamp,
    ) {
        add(&mut self.counts(), SecretUse::new(secret, 1, at));
        if !self.flusher_runs.swap(true, Ordering::AcqRel) {
            self.start_flusher(store);
        }
    }

    /// Writes down everything that was counted. What the store does not take stays.
    pub(super) async fn flush(&self, store: &dyn KeyStore) -> Result<(), StoreError> {
        let _one_at_a_time = self.flushing.lock().await;
        let taken = std::mem::take(&mut *self.counts());
        let uses: Vec<_> = taken
            .into_iter()
            .map(|(secret, (count, at))| SecretUse::new(secret, count, at))
            .collect();
        for (place, batch) in uses.chunks(BATCH).enumerate() {
            if let Err(error) = store.record_uses(batch).await {
                let mut counts = self.counts();
                uses[place * BATCH..]
                    .iter()
                    .for_each(|&unsaved| add(&mut counts, unsaved));
                return Err(error);
            }
        }
        Ok(())
    }

    /// The task lives on the runtime of whoever counted first, for as long as that runtime and this buffer do.
    fn start_flusher(self: &Arc<Self>, store: &Arc<dyn KeyStore>) {
        let flag = RunsWhileAlive(Arc::downgrade(self));
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let (buffer, store, interval) =
            (Arc::downgrade(self), Arc::downgrade(store), self.interval);
        runtime.spawn(async move {
            let _flag = flag;
            loop {
                tokio::time::sleep(interval).await;
                let (Some(buffer), Some(store)) = (buffer.upgrade(), store.upgrade()) else { return };
                if let Err(error) = buffer.flush(store.as_ref()).await {
                    tracing::warn!(error = %error, "use counts could not be stored; they are kept and tried again");
                }
            }
        });
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // A panic while counting leaves a count too few at worst; the map itself is whole.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn add(counts: &mut Counts, seen: SecretUse) {
    if counts.len() >= MOST_SECRETS && !counts.contains_key(&seen.secret) {
        return;
    }
    let (count, last_at) = counts.entry(seen.secret).or_insert((0, seen.last_at));
    *count = count.saturating_add(seen.count);
    *last_at = (*last_at).max(seen.last_at);
}

/// Says that the flusher runs no more when its task is dropped, with its runtime too.
struct RunsWhileAlive(Weak<UsageBuffer>);

impl Drop for RunsWhileAlive {
    fn drop(&mut self) {
        if let Some(buffer) = self.0.upgrade() {
            buffer.flusher_runs.store(false, Ordering::Release);
        }
    }
}
