//! Power cuts: a kill loses nothing that was written, a power cut what was not synced.
//!
//! A server on SQLite works under `strace`, which writes down every write, truncation, sync and removal of its files. From that
//! record come the states in which a disk may be found after the power was cut at some moment: all that was synced, and of the rest any
//! part, by sectors. A server is started on each, and compared with what was acknowledged before that moment.

mod disk;
mod trace;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use sakms_core::clock::{Clock as _, SystemClock};

use crate::figure::Figure;
use crate::harness::canaries::{Canaries, SECRETS};
use crate::harness::findings::Findings;
use crate::harness::holder::{Books, HALF, Holder, KINDS, Outcome, WRONG};
use crate::harness::ledger::{Entry, Ledger, Truth};
use crate::harness::server::Server;
use crate::harness::site::Site;
use crate::harness::strace;
use crate::run::Run;
use disk::Disk;
use trace::Event;

/// How much is recorded, and how often the power is cut.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Servers whose writes are recorded, one after another.
    pub records: usize,
    /// Acknowledged operations in each record.
    pub operations: u64,
    /// Cuts in each record, at moments of their own.
    pub cuts: usize,
    /// Clients at a time.
    pub clients: usize,
}

impl Plan {
    /// 200 cuts.
    #[must_use]
    pub const fn long() -> Self {
        Self {
            records: 8,
            operations: 500,
            cuts: 25,
            clients: 4,
        }
    }

    /// 8 cuts.
    #[must_use]
    pub const fn short() -> Self {
        Self {
            records: 1,
            operations: 60,
            cuts: 8,
            clients: 3,
        }
    }
}

const UNOPENED: &str = "files that do not open, or whose journal's chain does not verify";
/// The database's file, and how the names of those beside it begin.
const FILE: &str = "sakms.db";

/// Cuts the power.
#[must_use]
pub fn run(run: &Run, plan: Plan) -> Vec<Figure> {
    if !strace::is_here() {
        return vec![Figure::plain("power cuts", "strace is not here")];
    }
    let mut kinds = KINDS.to_vec();
    kinds.extend([UNOPENED, SECRETS]);
    let findings = Findings::of(&kinds);
    let mut random = run.random("cuts");
    let (mut cuts, mut operations, mut changes, mut lost) = (0_usize, 0, 0, 0_usize);
    for number in 0..plan.records {
        if run.is_over() {
            break;
        }
        let mut record = Record::make(run, plan, number, &findings);
        operations += record.entries.len();
        changes += record.events.len();
        for _ in 0..plan.cuts {
            let cut = random.usize(record.begun..record.events.len());
            lost += usize::from(record.cut(cut, number + cuts, &mut random, &findings));
            cuts += 1;
            run.progress(|| format!("{cuts} power cuts, {changes} changes recorded"));
        }
    }
    let mut figures = vec![
        Figure::plain("power cuts", cuts),
        Figure::plain("acknowledged operations in the records", operations),
        Figure::plain("writes, truncations, syncs and removals recorded", changes),
        Figure::plain("cuts at a moment at which something was not synced", lost),
    ];
    figures.extend(findings.figures("SQLite"));
    figures
}

/// What a server did to its files, and what it acknowledged meanwhile.
struct Record {
    events: Vec<Event>,
    /// The first event after the clients had registered.
    begun: usize,
    entries: Vec<Entry>,
    ledger: Ledger,
    holders: Vec<Holder>,
    _folder: tempfile::TempDir,
}

impl Record {
    fn make(run: &Run, plan: Plan, number: usize, findings: &Findings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (site, trace) = (site(folder.path(), number), folder.path().join("trace"));
        let mut server = Traced::start(&site, &trace);
        let ledger = Ledger::create(&folder.path().join("ledger"));
        let books = Books {
            ledger: &ledger,
            findings,
        };
        let address = server.server.address;
        let random = |client| run.random(&format!("record {number} client {client}"));
        let mut holders: Vec<_> = (0..plan.clients)
            .map(|client| Holder::register(address, client, random(client)))
            .collect();
        let begun = SystemClock.now().as_micros();
        std::thread::scope(|scope| {
            for holder in &mut holders {
                scope.spawn(move || {
                    while books.ledger.events() < plan.operations {
                        if holder.step(books) == Outcome::Unknown {
                            findings.add(WRONG, || "a request without an answer".to_owned());
                            return;
                        }
                    }
                });
            }
        });
        server.end();
        let events = trace::read(&trace, folder.path(), FILE);
        let begun = events.partition_point(|event| event.at < begun);
        assert!(begun < events.len(), "nothing was recorded");
        let entries = ledger.entries();
        Self {
            events,
            begun,
            entries,
            ledger,
            holders,
            _folder: folder,
        }
    }

    /// Cuts the power before an event, starts a server on what is left, and compares. Gives whether anything was not synced.
    fn cut(
        &mut self,
        cut: usize,
        number: usize,
        random: &mut fastrand::Rng,
        findings: &Findings,
    ) -> bool {
        let mut disk = Disk::default();
        self.events[..cut]
            .iter()
            .for_each(|event| disk.apply(&event.change));
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in disk.cut(random) {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        let site = site(folder.path(), number);
        if site.chain_holds() {
            let server = site.start();
            self.compare(self.events[cut].at, &server, findings);
            let mut canaries = Canaries::usual();
            for holder in &self.holders {
                holder.watch(&mut canaries);
            }
            canaries.look_through(&server.log(), findings);
        } else {
            findings.add(UNOPENED, || format!("cut before event {cut}"));
        }
        disk.has_pending()
    }

    fn compare(&mut self, at: i64, server: &Server, findings: &Findings) {
        let books = Books {
            ledger: &self.ledger,
            findings,
        };
        let mut truths = BTreeMap::<usize, (Truth, Option<&Entry>)>::new();
        for entry in &self.entries {
            let (truth, next) = truths.entry(entry.client).or_default();
            if entry.at < at {
                truth.apply(&entry.key, &entry.event);
            } else if next.is_none() {
                // The request that was under way, if any was: done or not done.
                *next = Some(entry);
            }
        }
        for (number, holder) in self.holders.iter_mut().enumerate() {
            let (mut before, next) = truths.remove(&number).unwrap_or_default();
            holder.turn_to(server.address);
            if let Some(Entry { key, event, .. }) = next {
                let mut after = before.clone();
                after.apply(key, event);
                let undone = before.keys.remove(key);
                let is_whole =
                    holder.agrees(key, undone.as_ref()) || holder.agrees(key, after.keys.get(key));
                if !is_whole {
                    findings.add(HALF, || {
                        format!("key {key} is neither as before {event:?} nor as after")
                    });
                }
            }
            holder.compare_all_but(books, &before, next.map(|entry| &*entry.key));
        }
    }
}

fn site(folder: &Path, number: usize) -> Site {
    let mut site = Site::new(folder).with(
        "SAKMS_DATABASE_URL",
        format!("sqlite://{}", folder.join(FILE).display()),
    );
    site.turn(number);
    site
}

/// A server under `strace`. Who kills `strace` lets the server go on: it is ended by itself.
struct Traced {
    server: Server,
    process: String,
}

impl Traced {
    fn start(site: &Site, trace: &Path) -> Self {
        let server = Server::spawn(strace::under(&site.command(), trace, trace::OPTIONS));
        let id = server.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        let process = children.trim().to_owned();
        Self { server, process }
    }

    fn signal(&self, name: &str) {
        let _ = Command::new("kill").args([name, &*self.process]).output();
    }

    /// Lets it end in order, which is recorded too.
    fn end(&mut self) {
        self.signal("-TERM");
        let _ = self.server.wait(Duration::from_mins(1));
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        if self.server.is_running() {
            self.signal("-KILL");
        }
    }
}
