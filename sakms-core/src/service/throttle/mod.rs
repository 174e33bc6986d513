//! Sign-ins and registrations, slowed down where they fail too often.
//!
//! Before anything is hashed it is decided whether an attempt may be made at all. Failures are counted by e-mail address,
//! whether there is such an account or not, and by source. A source from which somebody has signed in before is known to their
//! account: from there only failures of that account from that source count, so nobody elsewhere can shut them out.
//!
//! `config.rs` has what can be set, `counter.rs` one count and the pauses it leads to, `table.rs` many counts in bounded
//! memory, `names.rs` what they are counted under, `known.rs` the sources that are known, `shared.rs` the store by which nodes
//! count together, and `sign_in.rs` what is made of it for accounts.

mod config;
mod counter;
mod known;
mod names;
mod shared;
mod sign_in;
mod table;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use config::{Backoff, ThrottleConfig};
use known::Known;
use names::{Names, Source};
use table::{Id, Place, Table};

use super::error::Error;
use super::forget::Forgetter;
use super::tally::{Count, Tally};
use super::task::{self, HasTask, Running};
use crate::account::Email;
use crate::clock::Clock;
use crate::key::MasterKeys;
use crate::store::StateStore;

/// What is added to the steady clock, so that a failure from before this process began has a moment as well.
const BEFORE: Duration = Duration::from_hours(20 * 365 * 24);

/// Decides which attempts are made, and counts what becomes of them.
#[derive(Debug)]
pub(super) struct Throttle {
    config: ThrottleConfig,
    tables: Mutex<Tables>,
    known: Mutex<Known>,
    names: Names,
    states: Option<Arc<dyn StateStore>>,
    /// Forgets what was told to that store.
    forgetter: Arc<Forgetter>,
    sharing: shared::Sharing,
    task: Running,
    tally: Arc<Tally>,
    clock: Arc<dyn Clock>,
}

/// Which count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    /// Of an address, by all sources that are not known to it.
    Account,
    /// Of an address, by one source that is known to it.
    Pair,
    /// Of a source, whatever the address.
    Source,
    /// Of registrations from a source.
    Registration,
    /// Of resets that were asked for, and codes that were not good, from a source.
    Recovery,
    /// Of mail to an address.
    Mail,
}

impl Which {
    const ALL: [Self; 6] = [
        Self::Account,
        Self::Pair,
        Self::Source,
        Self::Registration,
        Self::Recovery,
        Self::Mail,
    ];
}

#[derive(Debug)]
struct Tables([Table; Which::ALL.len()]);

impl Tables {
    fn of(&mut self, which: Which) -> &mut Table {
        &mut self.0[which as usize]
    }
}

/// One count that an attempt is about.
#[derive(Debug, Clone, Copy)]
struct Gate {
    which: Which,
    id: Id,
    /// Whether it can refuse the attempt. One that cannot only counts.
    decides: bool,
}

/// An attempt that may be made. Dropped without word of how it ended it counts as failed: whoever goes away before the answer
/// has tried all the same.
#[derive(Debug)]
#[must_use]
pub(super) struct Attempt {
    throttle: Arc<Throttle>,
    places: Vec<(Gate, Place)>,
    /// What becomes known when it succeeds.
    learns: Option<(Id, u64)>,
    outcome: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Failed,
    Succeeded,
    Undecided,
}

impl Throttle {
    pub(super) fn new(
        config: &ThrottleConfig,
        keys: &MasterKeys,
        states: Option<Arc<dyn StateStore>>,
        forgetter: Arc<Forgetter>,
        tally: Arc<Tally>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let table = |backoff| Table::new(backoff, config.entries, states.is_some());
        let tables = Which::ALL.map(|which| {
            table(match which {
                Which::Account | Which::Pair => config.account,
                Which::Source => config.source,
                Which::Registration => config.registrations,
                Which::Recovery => config.recovery,
                Which::Mail => config.mail,
            })
        });
        Self {
            config: *config,
            tables: Mutex::new(Tables(tables)),
            known: Mutex::new(Known::new(config)),
            names: Names::new(keys),
            states,
            forgetter,
            sharing: shared::Sharing::default(),
            task: Running::default(),
            tally,
            clock,
        }
    }

    /// Whether somebody may try to sign in.
    ///
    /// # Errors
    /// [`Error::Throttled`] when not. That the store is away is none: then this node counts for itself.
    pub(super) async fn sign_in(
        self: &Arc<Self>,
        email: &str,
        from: Option<IpAddr>,
    ) -> Result<Attempt, Error> {
        if !self.config.is_on {
            return Ok(self.attempt(Vec::new(), None));
        }
        let address = self.names.address(email);
        let gate = |which, id, decides| Gate { which, id, decides };
        let Some(source) = from.map(Source::of) else {
            let gates = [gate(Which::Account, address, true)];
            return self.begin(&gates, None).await;
        };
        let known_source = self.names.known_source(&address, source);
        let by_source = self.names.source(source);
        let gates = if self.knows(address, known_source).await {
            let pair = self.names.pair(&address, source);
            [
                gate(Which::Pair, pair, true),
                gate(Which::Source, by_source, false),
            ]
        } else {
            [
                gate(Which::Account, address, true),
                gate(Which::Source, by_source, true),
            ]
        };
        self.begin(&gates, Some((address, known_source))).await
    }

    /// Whether somebody may try to register. Each try counts, whatever comes of it.
    ///
    /// # Errors
    /// As for [`Throttle::sign_in`].
    pub(super) async fn registration(
        self: &Arc<Self>,
        from: Option<IpAddr>,
    ) -> Result<Attempt, Error> {
        let id = |source| self.names.registrations(source);
        self.from_source(Which::Registration, from, id).await
    }

    /// Whether somebody may ask for a reset, or send a code back.
    ///
    /// # Errors
    /// As for [`Throttle::sign_in`].
    pub(super) async fn recovery(self: &Arc<Self>, from: Option<IpAddr>) -> Result<Attempt, Error> {
        let id = |source| self.names.recovery(source);
        self.from_source(Which::Recovery, from, id).await
    }

    /// Whether this address may be written to once more. Counts it then, whatever comes of it.
    pub(super) async fn may_mail(self: &Arc<Self>, email: &Email) -> bool {
        if !self.config.is_on {
            return true;
        }
        let gate = Gate {
            which: Which::Mail,
            id: self.names.mail(email),
            decides: true,
        };
        // Dropped, it counts.
        self.begin(&[gate], None).await.is_ok()
    }

    async fn from_source(
        self: &Arc<Self>,
        which: Which,
        from: Option<IpAddr>,
        id: impl FnOnce(Source) -> Id,
    ) -> Result<Attempt, Error> {
        let Some(source) = from.filter(|_| self.config.is_on).map(Source::of) else {
            return Ok(self.attempt(Vec::new(), None));
        };
        let gate = Gate {
            which,
            id: id(source),
            decides: true,
        };
        self.begin(&[gate], None).await
    }

    async fn knows(&self, address: Id, source: u64) -> bool {
        let now = self.clock.now();
        if self.known().has(&address, source, now) {
            return true;
        }
        let Some(stored) = self.read_known(address).await else {
            return false;
        };
        let mut known = self.known();
        let is_known = known.among(&stored, source, now);
        if is_known {
            known.remember(address, stored);
        }
        is_known
    }

    async fn begin(
        self: &Arc<Self>,
        gates: &[Gate],
        learns: Option<(Id, u64)>,
    ) -> Result<Attempt, Error> {
        // What is refused already costs the store nothing.
        self.pass(gates, false)?;
        let mut asked = learns.is_some();
        for gate in gates.iter().filter(|gate| gate.decides) {
            // Waited for once is enough.
            if asked && self.is_away() {
                break;
            }
            self.read_count(gate.which, gate.id).await;
            asked = true;
        }
        let places = self.pass(gates, true)?;
        Ok(self.attempt(places, learns))
    }

    /// Whether all counts let the attempt through; if it is to begin, in the same breath, so that of many at once no more
    /// pass than one after the other.
    fn pass(&self, gates: &[Gate], begins: bool) -> Result<Vec<(Gate, Place)>, Error> {
        let now = self.now();
        let mut tables = self.tables();
        let mut refused: Option<(Which, Duration)> = None;
        for gate in gates.iter().filter(|gate| gate.decides) {
            let table = tables.of(gate.which);
            let entry = table.look(&gate.id);
            let wait = entry.counter.wait(&table.backoff, now, entry.under_way);
            if let Some(wait) = wait
                && refused.is_none_or(|(_, longest)| wait > longest)
            {
                refused = Some((gate.which, wait));
            }
        }
        if let Some((which, retry_after)) = refused {
            drop(tables);
            self.tally.add(match which {
                Which::Account | Which::Pair => Count::ThrottledAccount,
                Which::Source => Count::ThrottledSource,
                Which::Registration => Count::ThrottledRegistration,
                Which::Recovery => Count::ThrottledRecovery,
                Which::Mail => Count::ThrottledMail,
            });
            return Err(Error::Throttled { retry_after });
        }
        if !begins {
            return Ok(Vec::new());
        }
        let mut begin = |gate: &Gate| {
            let table = tables.of(gate.which);
            let place = table.place(gate.id, now);
            if let Some(entry) = table.at(place) {
                entry.under_way += 1;
            }
            (*gate, place)
        };
        Ok(gates.iter().map(&mut begin).collect())
    }

    fn attempt(self: &Arc<Self>, places: Vec<(Gate, Place)>, learns: Option<(Id, u64)>) -> Attempt {
        Attempt {
            throttle: Arc::clone(self),
            places,
            learns,
            outcome: Outcome::Failed,
        }
    }

    fn now(&self) -> Duration {
        self.clock.elapsed() + BEFORE
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        // A panic while counting leaves a count too few at worst; what is locked is whole.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the task that tells the store, when none runs and there is something to tell.
    fn ensure_running(self: &Arc<Self>) {
        if self.states.is_none() {
            return;
        }
        self.forgetter.ensure_running();
        let every = self.config.share_every.max(Duration::from_millis(10));
        task::ensure_running(self, |served| async move {
            loop {
                tokio::time::sleep(every).await;
                let Some(throttle) = served.get() else {
                    return;
                };
                // What went wrong was said there, once.
                let _ = throttle.flush().await;
            }
        });
    }
}

impl Attempt {
    /// The password was right, and the account may be used.
    pub(super) fn succeeded(mut self) {
        self.outcome = Outcome::Succeeded;
    }

    /// It was not: the database was away, or too much was waiting.
    pub(super) fn undecided(mut self) {
        self.outcome = Outcome::Undecided;
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let throttle = &self.throttle;
        let now = throttle.now();
        let mut tables = throttle.tables();
        for (Gate { which, .. }, place) in &self.places {
            let table = tables.of(*which);
            match (self.outcome, *which) {
                (Outcome::Failed, _) => table.fail(*place, now),
                // Who signs in with one account has not shown that they leave others alone.
                (Outcome::Succeeded, Which::Account | Which::Pair) => table.clear(*place, now),
                (Outcome::Succeeded | Outcome::Undecided, _) => {}
            }
            table.end(*place, now);
        }
        drop(tables);
        if let (Outcome::Succeeded, Some((address, source))) = (self.outcome, self.learns) {
            throttle
                .known()
                .learn(address, source, throttle.clock.now());
        }
        if !self.places.is_empty() {
            throttle.ensure_running();
        }
    }
}

impl HasTask for Throttle {
    fn running(&self) -> &Running {
        &self.task
    }
}
