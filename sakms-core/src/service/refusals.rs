//! Refused attempts, written into the journal: few entries for however many attempts, so that nobody can fill the disk.
//!
//! Only what names something that exists is written down by itself: a key whose secret was right, an account whose address
//! was. What strangers send is counted and said in a summary about the service. Attempts are counted in memory under what
//! they were about and why they were refused; a flush makes an entry of each count, once an hour at most for the same
//! two, and so many in a minute altogether. What is over that is said in one more summary. A request never writes.
//!
//! What waits is bounded as well, and a count that the store does not take stays until it does.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::requirement::KeyDenial;
use super::tally::{Count, Tally};
use crate::clock::{Clock, Timestamp};
use crate::entropy::Entropy;
use crate::id::{AccountId, KeyId};
use crate::journal::{Action, Actor, JournalEntry, Subject};
use crate::store::{KeyStore, StoreError, StoreErrorKind};

/// How many counts wait at most, those of the service aside.
const MOST_WAITING: usize = 4_096;
/// How long the same refusal of the same thing is only counted after it was written down.
const REST: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);

/// What an attempt was about, and why it was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Refusal {
    about: About,
    reason: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum About {
    Key(KeyId),
    Account(AccountId),
    /// Texts that are no key of this service, or no secret of one.
    NoKey,
    /// Addresses that no account has.
    NoAccount,
    /// What was refused of any of the above and found no room.
    Rest,
}

impl About {
    /// Whether there may be any number of them.
    const fn is_named(self) -> bool {
        matches!(self, Self::Key(_) | Self::Account(_))
    }
}

const REST_OF_THEM: Refusal = Refusal {
    about: About::Rest,
    reason: "over_the_limit",
};

#[derive(Debug, Clone)]
struct Waiting {
    count: u64,
    since: Timestamp,
    until: Timestamp,
    /// Something that no secret can be: the scope that was missing.
    more: Option<Box<str>>,
}

/// Counts refusals, and writes them down when it is time.
pub(super) struct Refusals {
    waiting: Mutex<HashMap<Refusal, Waiting>>,
    store: Arc<dyn KeyStore>,
    tally: Arc<Tally>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    most_per_minute: u32,
    /// One flush at a time.
    pace: tokio::sync::Mutex<Pace>,
}

/// What was written when, by [`Clock::elapsed`].
#[derive(Debug, Default)]
struct Pace {
    /// What was written within the last hour.
    written: HashMap<Refusal, Duration>,
    minute_began: Duration,
    in_this_minute: u32,
    /// How much of what the tally counts was taken over.
    malformed: u64,
    unknown: u64,
    /// An entry that may have been written: the answer was lost, or whoever flushed went away.
    open: Option<(Refusal, u64, JournalEntry)>,
}

impl Refusals {
    pub(super) fn new(
        store: Arc<dyn KeyStore>,
        tally: Arc<Tally>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        most_per_minute: u32,
    ) -> Self {
        Self {
            waiting: Mutex::default(),
            store,
            tally,
            clock,
            entropy,
            most_per_minute,
            pace: tokio::sync::Mutex::default(),
        }
    }

    /// A key whose secret was right was refused, or something was refused to it.
    pub(super) fn key(&self, key: KeyId, denial: &KeyDenial) {
        let more = match denial {
            KeyDenial::MissingScope(scope) | KeyDenial::ForbiddenScope(scope) => {
                Some(scope.as_str())
            }
            _ => None,
        };
        self.count(About::Key(key), denial.reason(), 1, more);
    }

    /// A sign-in with the address of this account was refused; of no account, when there is none.
    pub(super) fn sign_in(&self, account: Option<AccountId>, reason: &'static str) {
        let about = account.map_or(About::NoAccount, About::Account);
        self.count(about, reason, 1, None);
    }

    fn count(&self, about: About, reason: &'static str, count: u64, more: Option<&str>) {
        if self.most_per_minute == 0 || count == 0 {
            return;
        }
        let now = self.clock.now();
        let mut waiting = self.waiting();
        let refusal = Refusal { about, reason };
        if let Some(seen) = waiting.get_mut(&refusal) {
            seen.count = seen.count.saturating_add(count);
            seen.until = seen.until.max(now);
            if seen.more.as_deref() != more {
                seen.more = more.map(Into::into);
            }
            return;
        }
        if about.is_named() && waiting.len() >= MOST_WAITING {
            drop(waiting);
            return self.leave_out(count);
        }
        let more = more.map(Into::into);
        let (since, until) = (now, now);
        let first = Waiting {
            count,
            since,
            until,
            more,
        };
        waiting.insert(refusal, first);
    }

    /// Counts what gets no entry of its own.
    fn leave_out(&self, count: u64) {
        self.tally.add_many(Count::RefusalLeftOut, count);
        self.count(REST_OF_THEM.about, REST_OF_THEM.reason, count, None);
    }

    /// Writes down what it is time for. What the store does not take stays.
    pub(super) async fn flush(&self) -> Result<(), StoreError> {
        if self.most_per_minute == 0 {
            return Ok(());
        }
        let mut pace = self.pace.lock().await;
        let now = self.clock.elapsed();
        pace.begin(now);
        self.take_over_counts(&mut pace);
        if let Some((refusal, count, entry)) = pace.open.clone() {
            self.write(&mut pace, refusal, count, entry).await?;
        }
        for refusal in self.plan(&pace) {
            let Some(waiting) = self.waiting().get(&refusal).cloned() else {
                continue;
            };
            // Without randomness there is no id; what waits is tried again.
            let Ok(entry) = self.entry(refusal, &waiting) else {
                return Ok(());
            };
            self.write(&mut pace, refusal, waiting.count, entry).await?;
        }
        Ok(())
    }

    /// What strangers send is counted where it is refused already: what came since the last time.
    fn take_over_counts(&self, pace: &mut Pace) {
        let Pace {
            malformed, unknown, ..
        } = pace;
        for (count, seen) in [(Count::Malformed, malformed), (Count::Unknown, unknown)] {
            let so_far = self.tally.of(count);
            let new = so_far.saturating_sub(std::mem::replace(seen, so_far));
            let reason = match count {
                Count::Malformed => "malformed",
                _ => "unknown",
            };
            self.count(About::NoKey, reason, new, None);
        }
    }

    /// What is to be written now: what was not within the hour, the summaries first, then the oldest. What finds no room
    /// in this minute gets no entry of its own.
    fn plan(&self, pace: &Pace) -> Vec<Refusal> {
        let (mut plan, mut named) = (Vec::new(), Vec::new());
        for (refusal, waiting) in self.waiting().iter() {
            if pace.written.contains_key(refusal) {
                continue;
            }
            if refusal.about.is_named() {
                named.push((waiting.since, *refusal));
            } else {
                plan.push(*refusal);
            }
        }
        plan.sort_by_key(|refusal| refusal.reason);
        let room = pace.room(self.most_per_minute);
        plan.truncate(room);
        let mut left = room - plan.len();
        named.sort_by_key(|(since, refusal)| (*since, refusal.reason));
        if named.len() > left {
            if left > 0
                && !pace.written.contains_key(&REST_OF_THEM)
                && !plan.contains(&REST_OF_THEM)
            {
                plan.push(REST_OF_THEM);
                left -= 1;
            }
            for (_, refusal) in named.drain(left..) {
                let waiting = self.waiting().remove(&refusal);
                self.leave_out(waiting.map_or(0, |waiting| waiting.count));
            }
        }
        plan.extend(named.into_iter().map(|(_, refusal)| refusal));
        plan
    }

    async fn write(
        &self,
        pace: &mut Pace,
        refusal: Refusal,
        count: u64,
        entry: JournalEntry,
    ) -> Result<(), StoreError> {
        pace.open = Some((refusal, count, entry.clone()));
        match self.store.note(&entry).await {
            Ok(()) => {}
            // It was written the first time, and only the answer was lost.
            Err(error) if error.kind() == StoreErrorKind::Conflict => {}
            Err(error) => {
                self.tally.add(Count::RefusalsNotWritten);
                return Err(error);
            }
        }
        pace.open = None;
        pace.written.insert(refusal, self.clock.elapsed());
        pace.in_this_minute += 1;
        self.tally.add(Count::RefusalWritten);
        let mut waiting = self.waiting();
        if let Some(seen) = waiting.get_mut(&refusal) {
            seen.count = seen.count.saturating_sub(count);
            seen.since = seen.until;
            if seen.count == 0 {
                waiting.remove(&refusal);
            }
        }
        Ok(())
    }

    fn entry(
        &self,
        refusal: Refusal,
        waiting: &Waiting,
    ) -> Result<JournalEntry, crate::entropy::EntropyError> {
        let Refusal { about, reason } = refusal;
        let (action, subject) = match about {
            About::Key(key) => (Action::KEY_REFUSE, Subject::key(key)),
            About::Account(account) => (Action::ACCOUNT_REFUSE, Subject::account(account)),
            About::NoAccount => (Action::ACCOUNT_REFUSE, Subject::SERVICE),
            About::NoKey | About::Rest => (Action::KEY_REFUSE, Subject::SERVICE),
        };
        let Waiting {
            count,
            since,
            until,
            more,
        } = waiting;
        let mut detail = format!("reason={reason} count={count} since={since} until={until}");
        if let Some(scope) = more {
            let _ = write!(detail, " scope={scope}");
        }
        let (clock, entropy) = (self.clock.as_ref(), self.entropy.as_ref());
        JournalEntry::now(clock, entropy, Actor::ANONYMOUS, action, subject)
            .map(|entry| entry.with_detail(detail))
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<Refusal, Waiting>> {
        // A panic while counting leaves a count too few at worst; what is locked is whole.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pace {
    fn begin(&mut self, now: Duration) {
        self.written
            .retain(|_, written| now.saturating_sub(*written) < REST);
        if now.saturating_sub(self.minute_began) >= MINUTE {
            (self.minute_began, self.in_this_minute) = (now, 0);
        }
    }

    fn room(&self, most: u32) -> usize {
        usize::try_from(most.saturating_sub(self.in_this_minute)).unwrap_or(usize::MAX)
    }
}

impl std::fmt::Debug for Refusals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Refusals")
            .field("waiting", &self.waiting().len())
            .field("most_per_minute", &self.most_per_minute)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
