//! Crashes: the server, or its database, is killed while clients make, rotate and revoke keys.

mod database;
mod server;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Scope;
use std::time::{Duration, Instant};

pub use database::run as run_database;
pub use server::run as run_server;

use crate::figure::Figure;
use crate::harness::canaries::{Canaries, SECRETS};
use crate::harness::findings::Findings;
use crate::harness::holder::{Books, Holder, KINDS, Outcome, WRONG};
use crate::harness::ledger::Ledger;
use crate::harness::server::Server;
use crate::run::Run;

/// How often each database, or the server on it, is killed, and how much has to be acknowledged between.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Kills.
    pub kills: u64,
    /// Acknowledged operations, at least.
    pub operations: u64,
    /// Clients at a time.
    pub clients: usize,
    /// After how many kills the journal's chain is verified.
    pub verify: u64,
}

/// How long a client may go on asking after a restart.
const TRIES: u32 = 500;
/// How long it may take until as much is acknowledged as has to be before the next kill.
const PATIENCE: Duration = Duration::from_mins(2);

/// The clients of one database, and what they have written down.
struct Crowd {
    place: &'static str,
    holders: Vec<Holder>,
    ledger: Ledger,
    findings: Findings,
    random: fastrand::Rng,
    plan: Plan,
    kills: u64,
    cut_short: bool,
}

impl Crowd {
    fn register(
        run: &Run,
        place: &'static str,
        plan: Plan,
        server: &Server,
        ledger: Ledger,
    ) -> Self {
        let random = |number| run.random(&format!("{place} client {number}"));
        let holders = (0..plan.clients)
            .map(|number| Holder::register(server.address, number, random(number)))
            .collect();
        let mut kinds = KINDS.to_vec();
        kinds.extend([BROKEN_CHAIN, SECRETS]);
        Self {
            place,
            holders,
            ledger,
            findings: Findings::of(&kinds),
            random: run.random(place),
            plan,
            kills: 0,
            cut_short: false,
        }
    }

    fn goes_on(&mut self, run: &Run) -> bool {
        let reached = self.kills >= self.plan.kills && self.ledger.events() >= self.plan.operations;
        self.cut_short = !reached && run.is_over();
        !reached && !self.cut_short
    }

    /// Lets all clients work until so much was acknowledged as this kill is to wait for, and calls `kill` then.
    fn until_a_kill(&mut self, kill: impl FnOnce()) {
        let usual = self.plan.operations.div_ceil(self.plan.kills).max(1);
        let wanted = self.ledger.events() + self.random.u64(1..=2 * usual);
        let moment = Duration::from_micros(self.random.u64(..4000));
        let over = AtomicBool::new(false);
        let books = Books {
            ledger: &self.ledger,
            findings: &self.findings,
        };
        std::thread::scope(|scope| {
            for holder in &mut self.holders {
                work(scope, holder, books, &over);
            }
            let start = Instant::now();
            while books.ledger.events() < wanted {
                if start.elapsed() > PATIENCE {
                    books
                        .findings
                        .add(WRONG, || "the clients get nowhere".to_owned());
                    break;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(moment);
            kill();
            over.store(true, Ordering::Relaxed);
        });
        self.kills += 1;
    }

    /// Each client finds out about its open request and compares what it knows.
    fn settle(&mut self, server: &Server, fresh: bool) {
        let books = Books {
            ledger: &self.ledger,
            findings: &self.findings,
        };
        std::thread::scope(|scope| {
            for holder in &mut self.holders {
                scope.spawn(move || {
                    if fresh {
                        holder.turn_to(server.address);
                    }
                    if holder.settle(books, fresh, TRIES) == Outcome::Unknown {
                        books
                            .findings
                            .add(WRONG, || "a request is never acknowledged".to_owned());
                    }
                    holder.compare(books);
                });
            }
        });
    }

    fn is_to_verify(&self) -> bool {
        self.kills.is_multiple_of(self.plan.verify)
    }

    fn chain(&self, holds: bool) {
        if !holds {
            self.findings
                .add(BROKEN_CHAIN, || format!("after {} kills", self.kills));
        }
    }

    /// Compares all that is in the ledger's file.
    fn compare_all(&mut self) {
        let truths = self.ledger.read();
        let books = Books {
            ledger: &self.ledger,
            findings: &self.findings,
        };
        std::thread::scope(|scope| {
            for (number, holder) in self.holders.iter_mut().enumerate() {
                let truth = truths.get(&number).cloned().unwrap_or_default();
                scope.spawn(move || holder.compare_all(books, &truth));
            }
        });
    }

    /// Looks for secrets in a log.
    fn look_through(&self, log: &str) {
        let mut canaries = Canaries::usual();
        for holder in &self.holders {
            holder.watch(&mut canaries);
        }
        canaries.look_through(log, &self.findings);
    }

    fn figures(&self, killed: &str) -> Vec<Figure> {
        let place = self.place;
        let count = |what: &str, found, least| {
            let what = format!("{place}: {what}");
            if self.cut_short {
                Figure::plain(what, found)
            } else {
                Figure::goal(what, found, format!("≥ {least}"), found >= least)
            }
        };
        let mut figures = vec![
            count(killed, self.kills, self.plan.kills),
            count(
                "acknowledged operations",
                self.ledger.events(),
                self.plan.operations,
            ),
        ];
        figures.extend(self.findings.figures(place));
        figures
    }
}

/// A journal that does not verify.
const BROKEN_CHAIN: &str = "times that the journal's chain did not verify";

/// A client's thread: it works until its server, or the database, is gone.
fn work<'scope, 'a: 'scope>(
    scope: &'scope Scope<'scope, '_>,
    holder: &'a mut Holder,
    books: Books<'a>,
    over: &'a AtomicBool,
) {
    scope.spawn(move || {
        while !over.load(Ordering::Relaxed) {
            if holder.step(books) == Outcome::Unknown {
                return;
            }
        }
    });
}
