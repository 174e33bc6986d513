//! A disk that is full, and one that may not be written to.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::figure::Figure;
use crate::harness::canaries::{Canaries, SECRETS};
use crate::harness::findings::Findings;
use crate::harness::holder::{Books, Holder, KINDS, Outcome, WRONG};
use crate::harness::ledger::Ledger;
use crate::harness::mariadbd::MariaDb;
use crate::harness::person::Person;
use crate::harness::server::Server;
use crate::harness::site::Site;
use crate::harness::small_disk::SmallDisk;
use crate::run::Run;

/// How often the disk is full.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Times for each database.
    pub times: u32,
    /// Acknowledged operations between two times.
    pub operations: u64,
    /// Whether MariaDB's disk is filled too: that takes a while.
    pub mariadb: bool,
}

impl Plan {
    /// Ten times, on both databases.
    #[must_use]
    pub const fn long() -> Self {
        Self {
            times: 10,
            operations: 200,
            mariadb: true,
        }
    }

    /// Once, on SQLite.
    #[must_use]
    pub const fn short() -> Self {
        Self {
            times: 1,
            operations: 20,
            mariadb: false,
        }
    }
}

const UNSAID: &str = "full disks of which the log says nothing";
const STUCK: &str = "times that it did not go on when there was room";
const REFUSED: &str = "known keys that a full disk refuses";
const CHAIN: &str = "times that the journal's chain did not verify";
const STARTED: &str = "starts on a file that cannot be written to";
/// What the server says when the database has no room.
const SAID: &str = "the store is full or may not be written to";
/// Metadata that takes much room, so that files have to grow.
const ROOM: usize = 4000;
/// How often a request is asked again before it counts as stuck.
const TRIES: u32 = 500;
/// How long it may take to fill a disk, and to go on.
const PATIENCE: Duration = Duration::from_mins(2);

/// Fills disks.
#[must_use]
pub fn run(run: &Run, plan: Plan) -> Vec<Figure> {
    let Some(disk) = SmallDisk::mount(16) else {
        return vec![Figure::plain(
            "full disk",
            "no file system may be mounted here",
        )];
    };
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", disk.path().join("sakms.db").display());
    let site = Site::new(folder.path()).with("SAKMS_DATABASE_URL", url);
    let mut figures = on(&run.share(2), "SQLite", plan, &site, &disk);
    figures.push(read_only(&site, &disk));
    drop(disk);
    if plan.mariadb
        && let Some(disk) = SmallDisk::mount(320)
        && let Some(database) = MariaDb::start_in(disk.path())
    {
        let folder = tempfile::tempdir().unwrap();
        let site = Site::new(folder.path())
            .on("actix")
            .with("SAKMS_DATABASE_URL", database.url());
        figures.extend(on(&run.share(2), "MariaDB", plan, &site, &disk));
    }
    figures
}

fn on(run: &Run, place: &str, plan: Plan, site: &Site, disk: &SmallDisk) -> Vec<Figure> {
    let mut kinds = KINDS.to_vec();
    kinds.extend([UNSAID, STUCK, REFUSED, CHAIN, SECRETS]);
    let findings = Findings::of(&kinds);
    let ledger = Ledger::create(&site.folder().join("ledger"));
    let books = Books {
        ledger: &ledger,
        findings: &findings,
    };
    let server = site.start();
    let random = run.random(&format!("full disk on {place}"));
    let mut holder = Holder::register(server.address, 0, random);
    let person = Person::register(server.address, "filler@example.com");
    let (mut times, mut errors, mut delayed) = (0, 0, 0);
    while times < plan.times && !run.is_over() {
        let wanted = ledger.events() + plan.operations;
        while ledger.events() < wanted {
            if holder.step(books) == Outcome::Unknown {
                // A machine that is busy may be too slow once. It has to be done when it is asked again.
                delayed += 1;
                eprintln!("    not done at once on {place}: {}", last_lines(&server));
                if holder.settle(books, false, TRIES) == Outcome::Unknown {
                    findings.add(STUCK, || last_lines(&server));
                    return findings.figures(place);
                }
            }
        }
        let logged = server.log().len();
        disk.fill();
        errors += until_full(&server, &person, &findings);
        // It goes on until it fails too, so that there is something to settle.
        let start = Instant::now();
        while holder.step(books) == Outcome::Done && start.elapsed() < PATIENCE {}
        let known: Vec<_> = holder.working().map(ToOwned::to_owned).collect();
        for text in known.iter().take(10) {
            let said = holder.verdict(text);
            if said.as_deref() != Some("granted") {
                findings.add(REFUSED, || format!("{said:?}"));
            }
        }
        if !server.log()[logged..].contains(SAID) {
            findings.add(UNSAID, || server.log()[logged..].to_owned());
        }
        disk.free();
        times += 1;
        if holder.settle(books, false, TRIES) == Outcome::Unknown {
            findings.add(STUCK, || last_lines(&server));
            break;
        }
        holder.compare(books);
        run.progress(|| format!("full disk on {place}: {times} times"));
    }
    holder.compare_all(books, &ledger.read().remove(&0).unwrap_or_default());
    if !site.chain_holds() {
        findings.add(CHAIN, || "after the last time".to_owned());
    }
    let mut canaries = Canaries::usual();
    holder.watch(&mut canaries);
    canaries.look_through(&server.log(), &findings);
    let place = format!("full disk of {place}");
    let mut figures = vec![
        Figure::plain(format!("{place}: times"), times),
        Figure::plain(format!("{place}: acknowledged operations"), ledger.events()),
        Figure::plain(format!("{place}: answers that there is no room"), errors),
        Figure::plain(
            format!("{place}: requests with room that were done only when asked again"),
            delayed,
        ),
    ];
    figures.extend(findings.figures(&place));
    figures
}

fn last_lines(server: &Server) -> String {
    let log = server.log();
    let mut lines: Vec<_> = log.lines().rev().take(10).collect();
    lines.reverse();
    lines.join("\n")
}

/// Makes keys with much in them until there is no room for one; what is answered then.
fn until_full(server: &Server, person: &Person, findings: &Findings) -> u32 {
    let body = json!({ "metadata": { "room": "x".repeat(ROOM) } }).to_string();
    let start = Instant::now();
    let mut errors = 0;
    while errors < 5 {
        if start.elapsed() > PATIENCE {
            findings.add(WRONG, || "the disk is never full".to_owned());
            break;
        }
        let answer = person.ask(server.address, "POST", "/keys", &body).unwrap();
        match answer.status {
            201 => continue,
            503 if matches!(&*answer.text("code"), "read_only" | "unavailable") => {}
            _ => findings.add(WRONG, || {
                format!("a full disk is answered {} {}", answer.status, answer.body)
            }),
        }
        errors += 1;
    }
    errors
}

/// A server whose file cannot be written to does not start, and says why; when it can, it starts.
fn read_only(site: &Site, disk: &SmallDisk) -> Figure {
    let mut wrong = 0;
    if !disk.set_read_only(true) {
        return Figure::plain(STARTED, "cannot be tried here");
    }
    let (status, _, said) = site.run(&["serve"]);
    if status != 1 || !said.contains(SAID) {
        eprintln!("    a file that cannot be written to: {status} {said}");
        wrong += 1;
    }
    if !disk.set_read_only(false) {
        return Figure::plain(STARTED, "cannot be tried here");
    }
    drop(site.start());
    Figure::never(STARTED, wrong)
}
