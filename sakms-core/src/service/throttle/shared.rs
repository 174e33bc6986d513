//! Counts in the store, so that all nodes count together.
//!
//! A failure is counted here at once and told to the store a moment later, many in one. Before an attempt is decided, what the
//! store knows is read, unless it was a moment ago. So two nodes together let through no more than one would, and what is tried
//! on the others within that moment. While the store is away each node counts for itself: nobody is stopped by that, and nobody let in.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::config::Backoff;
use super::counter::Counter;
use super::known::{self, KnownSource};
use super::table::{Entry, Id, Place};
use super::{Throttle, Which};
use crate::clock::Timestamp;
use crate::key::Revision;
use crate::service::tally::Count;
use crate::store::{StateId, StateKind, StateRecord, StateStore, StoreError, StoreErrorKind};

const VERSION: u8 = 1;
/// How often a record is tried that others change at the same time.
const TRIES: usize = 5;

/// The store's part.
#[derive(Debug, Default)]
pub(super) struct Sharing {
    failing: AtomicBool,
    /// One flush at a time.
    one_at_a_time: tokio::sync::Mutex<()>,
}

/// For how long the store is waited for before an attempt is decided without it: a sign-in has other calls of it to make, and is
/// to be refused within a second when it is away.
const PATIENCE: Duration = Duration::from_millis(250);

impl Throttle {
    /// Reads what other nodes counted, unless it is known.
    pub(super) async fn read_count(&self, which: Which, id: Id) {
        let Some(store) = self.states.as_deref() else {
            return;
        };
        let seen = {
            let now = self.now();
            let mut tables = self.tables();
            let entry = tables.of(which).own(&id);
            let every = self.config.share_every;
            let fresh = |at: Duration| now.saturating_sub(at) < every;
            match entry {
                Some(entry) if entry.read_at.is_some_and(fresh) => return,
                Some(entry) => Some((entry.writes, entry.clears)),
                None => None,
            }
        };
        let Some(found) = self.ask(store, StateId::of(&id)).await else {
            return;
        };
        let (now, wall) = (self.now(), self.clock.now());
        let revision = found.as_ref().map(|record| record.revision);
        let stored = found.and_then(|record| counter_of(&record.value, now, wall));
        let stored = stored.unwrap_or_default();
        let mut tables = self.tables();
        let table = tables.of(which);
        let backoff = table.backoff;
        if seen.is_none() && stored.now(&backoff, now) == 0 {
            return;
        }
        let place = table.place(id, now);
        let Some(entry) = table.at(place) else { return };

        match place {
            Place::Own(_) if entry.cleared => {}
            // What was read before the last writing is old.
            Place::Own(_) if seen.is_some_and(|seen| seen != (entry.writes, entry.clears)) => {}
            Place::Own(_) => {
                entry.read_at = Some(now);
                entry.counter = merged(stored, revision, entry, &backoff);
                entry.seen = revision;
            }
            // Others fail there as well: it only ever rises.
            Place::Shared(_) if stored.now(&backoff, now) > entry.counter.now(&backoff, now) => {
                entry.counter = stored;
            }
            Place::Shared(_) => {}
        }
    }

    /// The sources that the store knows an address by.
    pub(super) async fn read_known(&self, address: Id) -> Option<Vec<KnownSource>> {
        let store = self.states.as_deref()?;
        let id = StateId::of(&self.names.known(&address));
        known::from_bytes(&self.ask(store, id).await??.value)
    }

    /// Whether the store was away when it was asked last.
    pub(super) fn is_away(&self) -> bool {
        self.sharing.failing.load(Ordering::Acquire)
    }

    /// What the store has there; `None` when it is away.
    async fn ask(&self, store: &dyn StateStore, id: StateId) -> Option<Option<StateRecord>> {
        let found = tokio::time::timeout(PATIENCE, store.state(StateKind::Throttle, id)).await;
        let away = |_| Err(StoreError::new(StoreErrorKind::Unavailable, "state"));
        self.report(found.unwrap_or_else(away))
    }

    /// Tells the store what it does not know. What it does not take stays, and is tried again.
    pub(in crate::service) async fn flush(&self) -> Result<(), StoreError> {
        let Some(store) = self.states.as_deref() else {
            return Ok(());
        };
        let _one_at_a_time = self.sharing.one_at_a_time.lock().await;
        for which in Which::ALL {
            let dirty = std::mem::take(&mut self.tables().of(which).dirty);
            for (place, id) in dirty.iter().enumerate() {
                let written = self.write_count(store, which, *id).await;
                if let Err(error) = written {
                    self.tables().of(which).dirty.extend(&dirty[place..]);
                    return self.failed(error);
                }
            }
        }
        let dirty = self.known().take_dirty();
        for (place, (address, new)) in dirty.iter().enumerate() {
            if let Err(error) = self.write_known(store, *address, *new).await {
                self.known().put_back(dirty[place..].iter().copied());
                return self.failed(error);
            }
        }
        self.report(Ok(()));
        Ok(())
    }

    /// Adds what failed here since the last time to what the store has.
    async fn write_count(
        &self,
        store: &dyn StateStore,
        which: Which,
        id: Id,
    ) -> Result<(), StoreError> {
        let (backoff, entry) = {
            let mut tables = self.tables();
            let table = tables.of(which);
            let backoff = table.backoff;
            let Some(entry) = table.own(&id) else {
                return Ok(());
            };
            (backoff, entry.clone())
        };
        for _ in 0..TRIES {
            let place = StateId::of(&id);
            let found = store.state(StateKind::Throttle, place).await?;
            let (now, wall) = (self.now(), self.clock.now());
            let read = |record: &StateRecord| counter_of(&record.value, now, wall);
            let counter = if entry.cleared {
                entry.counter
            } else {
                let revision = found.as_ref().map(|record| record.revision);
                let stored = found.as_ref().and_then(read).unwrap_or_default();
                merged(stored, revision, &entry, &backoff)
            };
            let ends = wall
                .checked_add(counter.forgotten_in(&backoff, now))
                .unwrap_or(Timestamp::MAX);
            let value = bytes_of(counter, now, wall);
            let outcome = match found {
                None if counter == Counter::default() => Ok(None),
                None => {
                    let record =
                        StateRecord::new(StateKind::Throttle, place, None, value, wall, ends);
                    let inserted = store.insert_state(&record, None).await;
                    inserted.map(|()| Some(record.revision))
                }
                Some(found) => {
                    let kind = StateKind::Throttle;
                    let updated =
                        store.update_state(kind, place, found.revision, &value, ends, None);
                    updated.await.map(|record| Some(record.revision))
                }
            };
            match outcome {
                Ok(revision) => {
                    self.written(which, id, &entry, (counter, revision));
                    return Ok(());
                }
                Err(error) if is_contended(&error) => {}
                Err(error) => return Err(error),
            }
        }
        // Others write it all the time; the next flush tries again.
        let mut tables = self.tables();
        let table = tables.of(which);
        if let Some(entry) = table.own(&id) {
            entry.listed = false;
        }
        table.list(id);
        Ok(())
    }

    /// What was written is what all nodes know; what failed meanwhile comes on top.
    fn written(
        &self,
        which: Which,
        id: Id,
        before: &Entry,
        (stored, revision): (Counter, Option<Revision>),
    ) {
        let now = self.now();
        let mut tables = self.tables();
        let table = tables.of(which);
        let backoff = table.backoff;
        let Some(entry) = table.own(&id) else { return };
        entry.listed = false;
        entry.writes = entry.writes.wrapping_add(1);
        if entry.clears == before.clears {
            entry.unwritten = entry.unwritten.saturating_sub(before.unwritten);
            entry.cleared = false;
            entry.read_at = Some(now);
            entry.counter = merged(stored, revision, entry, &backoff);
            entry.seen = revision;
        }
        if entry.unwritten > 0 || entry.cleared {
            table.list(id);
        }
    }

    async fn write_known(
        &self,
        store: &dyn StateStore,
        address: Id,
        new: KnownSource,
    ) -> Result<(), StoreError> {
        let id = StateId::of(&self.names.known(&address));
        for _ in 0..TRIES {
            let found = store.state(StateKind::Throttle, id).await?;
            let stored = found
                .as_ref()
                .and_then(|record| known::from_bytes(&record.value));
            let (sources, time) = {
                let known = self.known();
                (known.with(stored.unwrap_or_default(), new), known.time())
            };
            let ends = new.at.checked_add(time).unwrap_or(Timestamp::MAX);
            let value = known::to_bytes(&sources);
            let outcome = match found {
                None => {
                    let record =
                        StateRecord::new(StateKind::Throttle, id, None, value, new.at, ends);
                    store.insert_state(&record, None).await
                }
                Some(found) => {
                    let kind = StateKind::Throttle;
                    let updated = store.update_state(kind, id, found.revision, &value, ends, None);
                    updated.await.map(drop)
                }
            };
            match outcome {
                Ok(()) => {
                    self.known().remember(address, sources);
                    return Ok(());
                }
                Err(error) if is_contended(&error) => {}
                Err(error) => return Err(error),
            }
        }
        self.known().put_back([(address, new)]);
        Ok(())
    }

    fn failed(&self, error: StoreError) -> Result<(), StoreError> {
        self.note(&error);
        Err(error)
    }

    fn note(&self, error: &StoreError) {
        self.tally.add(Count::ThrottleNotShared);
        if !self.sharing.failing.swap(true, Ordering::AcqRel) {
            tracing::warn!(%error, "the store of failed sign-ins is away; this node counts for itself");
        }
    }

    /// Once when it begins to fail and once when that is over: a database that is away for an hour is one event.
    fn report<T>(&self, outcome: Result<T, StoreError>) -> Option<T> {
        match outcome {
            Ok(found) => {
                if self.sharing.failing.swap(false, Ordering::AcqRel) {
                    tracing::info!("failed sign-ins are counted by all nodes together again");
                }
                Some(found)
            }
            Err(error) => {
                self.note(&error);
                None
            }
        }
    }
}

/// What all nodes know, and what failed here that they do not know of yet.
fn merged(
    stored: Counter,
    revision: Option<Revision>,
    entry: &Entry,
    backoff: &Backoff,
) -> Counter {
    if entry.seen == revision {
        // All of it is in the count already.
        return entry.counter;
    }
    if entry.unwritten == 0 {
        return stored;
    }
    // What was not forgotten when the first of these failed was not forgotten by quiet since.
    let known = stored.now(backoff, entry.unwritten_since);
    Counter {
        thousandths: known.saturating_add(entry.unwritten.saturating_mul(1_000)),
        last: stored.last.max(entry.counter.last),
    }
}

fn is_contended(error: &StoreError) -> bool {
    matches!(
        error.kind(),
        StoreErrorKind::Conflict | StoreErrorKind::Stale | StoreErrorKind::NotFound
    )
}

/// As the store keeps it: a version, thousandths of failures, and when the last one was by the wall clock.
fn bytes_of(counter: Counter, now: Duration, wall: Timestamp) -> Vec<u8> {
    let age = i64::try_from(now.saturating_sub(counter.last).as_micros()).unwrap_or(i64::MAX);
    let last = wall.as_micros().saturating_sub(age).max(0);
    let thousandths = counter.thousandths.to_be_bytes();
    [&[VERSION][..], &thousandths, &last.to_be_bytes()].concat()
}

/// `None` for what another version wrote. A moment that is still to come, by a clock that is ahead of ours, is now.
fn counter_of(bytes: &[u8], now: Duration, wall: Timestamp) -> Option<Counter> {
    let (&VERSION, rest) = bytes.split_first()? else {
        return None;
    };
    let (thousandths, last) = rest.split_first_chunk::<4>()?;
    let last = Timestamp::from_micros(i64::from_be_bytes(last.try_into().ok()?))?;
    let thousandths = u32::from_be_bytes(*thousandths);
    let last = now.saturating_sub(wall.since(last));
    Some(Counter { thousandths, last })
}
