//! The journal, followed: how a node hears of what others changed.
//!
//! Every change is a row of the journal, and the numbers have no gap, so reading `seq > last` misses nothing. How long
//! ago that was last done is what makes the caches honest: past a bound nothing in them is believed.
//!
//! Each reading begins with the row that was read last. When it is not there any more, or is another, the database is
//! not the one it was (it was restored from a backup, say): everything remembered is void, and following begins anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::cache::KeyCache;
use super::sessions::Standings;
use super::task::{self, HasTask, Running};
use crate::clock::Clock;
use crate::journal::{Action, ChainHash, JournalHead, JournalRow, Seq};
use crate::store::{KeyStore, StoreError};

/// How many rows are read at once.
const PAGE: u32 = 1_000;
/// After how many pages it is quicker to forget everything than to read on.
const MOST_PAGES: usize = 50;

/// How far the journal was followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct JournalStatus {
    /// The last row that was read; `None` before the first reading.
    pub position: Option<Seq>,
    /// How long ago the last complete reading began; `None` before the first one.
    pub lag: Option<Duration>,
    /// Whether what is remembered of keys is believed: the lag is within the bound.
    pub trusted: bool,
}

#[derive(Debug)]
pub(super) struct Follower {
    cache: Arc<KeyCache>,
    standings: Arc<Standings>,
    store: Arc<dyn KeyStore>,
    clock: Arc<dyn Clock>,
    interval: Duration,
    bound: Duration,
    /// Microseconds by [`Clock::elapsed`], and one more: 0 is "never".
    read_at: AtomicU64,
    position: AtomicU64,
    /// The row that was read last. One reading at a time.
    last: tokio::sync::Mutex<Option<JournalHead>>,
    task: Running,
    failing: AtomicBool,
}

impl Follower {
    pub(super) fn new(
        cache: Arc<KeyCache>,
        standings: Arc<Standings>,
        store: Arc<dyn KeyStore>,
        clock: Arc<dyn Clock>,
        interval: Duration,
        bound: Duration,
    ) -> Self {
        Self {
            cache,
            standings,
            store,
            clock,
            interval,
            bound,
            read_at: AtomicU64::new(0),
            position: AtomicU64::new(0),
            last: tokio::sync::Mutex::default(),
            task: Running::default(),
            failing: AtomicBool::new(false),
        }
    }

    /// Whether the journal was read recently enough to believe what is remembered, when so much time had gone by.
    pub(super) fn is_current(&self, elapsed: Duration) -> bool {
        self.lag(elapsed).is_some_and(|lag| lag < self.bound)
    }

    /// For how long what is remembered is believed without word from the journal.
    pub(super) const fn bound(&self) -> Duration {
        self.bound
    }

    pub(super) fn status(&self) -> JournalStatus {
        let lag = self.lag(self.clock.elapsed());
        JournalStatus {
            position: lag.map(|_| Seq::new(self.position.load(Ordering::Acquire))),
            lag,
            trusted: lag.is_some_and(|lag| lag < self.bound),
        }
    }

    /// Starts the task that follows, when none runs ([`task::ensure_running`]). It does `each_time` after each reading.
    pub(super) fn ensure_running(self: &Arc<Self>, each_time: impl Fn() + Send + 'static) {
        // Where nothing is ever believed, there is nothing to follow for.
        if self.bound.is_zero() {
            return;
        }
        let interval = self.interval;
        task::ensure_running(self, |served| async move {
            // Held weakly between two readings.
            while let Some(follower) = served.get() {
                follower.report(follower.read().await);
                drop(follower);
                each_time();
                tokio::time::sleep(interval).await;
            }
        });
    }

    /// Reads the journal to its end and strikes what changed.
    pub(super) async fn read(&self) -> Result<(), StoreError> {
        let mut last = self.last.lock().await;
        let Some(mut head) = *last else {
            return self.begin(&mut last).await;
        };
        for _ in 0..MOST_PAGES {
            let began = self.clock.elapsed();
            let known = Seq::new(head.seq.get().saturating_sub(1));
            let rows = self.store.journal_after(known, PAGE).await?;
            let Some(new) = after(&rows, head.seq, Some(head.chain)) else {
                tracing::warn!(position = %head.seq, "the journal is not the one that was read before; all that is remembered of keys is read anew");
                return self.begin(&mut last).await;
            };
            for row in new {
                self.apply(row);
            }
            if let Some(row) = new.last() {
                head = JournalHead::new(row.seq, row.chain);
                *last = Some(head);
            }
            if rows.len() < PAGE as usize {
                self.caught_up(head, began);
                return Ok(());
            }
        }
        self.begin(&mut last).await
    }

    /// Begins at the end of the journal, with nothing remembered.
    async fn begin(&self, last: &mut Option<JournalHead>) -> Result<(), StoreError> {
        *last = None;
        let began = self.clock.elapsed();
        let head = self.store.journal_head().await?;
        // What was read before the head was may lack a change that the head counts already.
        self.strike_all();
        *last = Some(head);
        self.caught_up(head, began);
        Ok(())
    }

    fn apply(&self, row: &JournalRow) {
        let (action, subject) = (&row.entry.action, &row.entry.subject);
        // A stranger can bring the first about, and the second changes no key, account or session.
        if action.changes_nothing() || *action == Action::KEYRING_ROTATE {
            return;
        }
        if let Some(key) = subject.as_key() {
            // Nothing is known of a key before it is made, but for the secret that was not there.
            if *action != Action::KEY_CREATE {
                self.cache.strike_key(key);
            }
            if *action == Action::KEY_CREATE || *action == Action::KEY_ROTATE {
                self.cache.strike_absences();
            }
        } else if let Some(owner) = subject.as_owner() {
            self.cache.strike_owner(&owner);
            self.standings.strike_owner(&owner);
        } else if let Some(account) = subject.as_account() {
            // Nothing is known of what has only just begun.
            if *action != Action::SESSION_START && *action != Action::ACCOUNT_REGISTER {
                self.standings.strike(account);
            }
        } else {
            // A role, which any key may hold; or of a later version, which may know more that matters.
            self.strike_all();
        }
    }

    fn strike_all(&self) {
        self.cache.strike_all();
        self.standings.strike_all();
    }

    fn caught_up(&self, head: JournalHead, began: Duration) {
        self.position.store(head.seq.get(), Ordering::Release);
        let micros = u64::try_from(began.as_micros()).unwrap_or(u64::MAX - 1);
        self.read_at.store(micros + 1, Ordering::Release);
    }

    fn lag(&self, elapsed: Duration) -> Option<Duration> {
        let read_at = self.read_at.load(Ordering::Acquire).checked_sub(1)?;
        let read_at = Duration::from_micros(read_at);
        Some(elapsed.saturating_sub(read_at))
    }

    /// Once when it begins to fail and once when that is over: a database that is away for an hour is one event.
    fn report(&self, outcome: Result<(), StoreError>) {
        match outcome {
            Err(error) if !self.failing.swap(true, Ordering::AcqRel) => {
                let cause = std::error::Error::source(&error).map(tracing::field::display);
                tracing::warn!(%error, cause, bound = ?self.bound, "the journal cannot be read; what is remembered of keys is believed until the bound");
            }
            Ok(()) if self.failing.swap(false, Ordering::AcqRel) => {
                tracing::info!("the journal can be read again");
            }
            _ => {}
        }
    }
}

/// The rows after a place among `rows`, which were read from that place on; `None` when it is not among them, or is another
/// than it was. Without its hash it is gone by its number.
pub(super) fn after(
    rows: &[JournalRow],
    seq: Seq,
    chain: Option<ChainHash>,
) -> Option<&[JournalRow]> {
    let is = |other: ChainHash| chain.is_none_or(|chain| chain == other);
    if seq == Seq::START {
        return is(JournalHead::START.chain).then_some(rows);
    }
    let (first, rest) = rows.split_first()?;
    (first.seq == seq && is(first.chain)).then_some(rest)
}

impl HasTask for Follower {
    fn running(&self) -> &Running {
        &self.task
    }
}
