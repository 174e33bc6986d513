//! A migration that is killed at every place at which it writes, and is done again.

use std::path::Path;
use std::time::Duration;

use crate::figure::Figure;
use crate::harness::findings::Findings;
use crate::harness::mariadbd::MariaDb;
use crate::harness::person::{Person, verdict};
use crate::harness::server;
use crate::harness::site::Site;
use crate::harness::strace;
use crate::run::Run;

/// How many places are left out between two at which it is killed.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// 1: killed at each.
    pub stride: usize,
}

impl Plan {
    /// Every place.
    #[must_use]
    pub const fn long() -> Self {
        Self { stride: 1 }
    }

    /// One place in 60.
    #[must_use]
    pub const fn short() -> Self {
        Self { stride: 60 }
    }
}

const STUCK: &str = "migrations that were killed and could not be finished";
const AGAIN: &str = "migrations that had work left after they were finished";
const BROKEN: &str = "databases that did not serve after the migration";

/// Kills the migration of an empty database.
#[must_use]
pub fn run(run: &Run, plan: Plan) -> Vec<Figure> {
    if !strace::is_here() {
        return vec![Figure::plain(
            "migrations killed at every write",
            "strace is not here",
        )];
    }
    // SQLite writes to files, a client of MariaDB to a socket.
    let mut figures = on_sqlite(&run.share(2), plan);
    if let Some(database) = MariaDb::start() {
        figures.extend(on_mariadb(&run.share(2), plan, &database));
    }
    figures
}

fn on_sqlite(run: &Run, plan: Plan) -> Vec<Figure> {
    let findings = Findings::of(&[STUCK, AGAIN, BROKEN]);
    let mut killed = 0;
    for call in ["pwrite64", "fsync"] {
        for place in (1..).step_by(plan.stride) {
            let folder = tempfile::tempdir().unwrap();
            let site = Site::new(folder.path());
            if run.is_over() || !is_killed(&site, call, place, folder.path()) {
                break;
            }
            killed += 1;
            finish(&site, &findings, &format!("{call} {place}"));
            run.progress(|| format!("migration of SQLite: {killed} kills"));
        }
    }
    let mut figures = vec![Figure::plain(
        "migration of SQLite: killed at",
        format!("{killed} places"),
    )];
    figures.extend(findings.figures("migration of SQLite"));
    figures
}

fn on_mariadb(run: &Run, plan: Plan, database: &MariaDb) -> Vec<Figure> {
    let findings = Findings::of(&[STUCK, AGAIN, BROKEN]);
    let folder = tempfile::tempdir().unwrap();
    let site = Site::new(folder.path()).with("SAKMS_DATABASE_URL", database.url());
    let mut killed = 0;
    for place in (1..).step_by(plan.stride) {
        database.empty();
        if run.is_over() || !is_killed(&site, "sendto", place, folder.path()) {
            break;
        }
        killed += 1;
        finish(&site, &findings, &format!("sendto {place}"));
        run.progress(|| format!("migration of MariaDB: {killed} kills"));
    }
    let mut figures = vec![Figure::plain(
        "migration of MariaDB: killed at",
        format!("{killed} places"),
    )];
    figures.extend(findings.figures("migration of MariaDB"));
    figures
}

/// Starts the migration and kills it when one of its threads makes this system call for the time `place`; false when none did.
fn is_killed(site: &Site, call: &str, place: usize, folder: &Path) -> bool {
    let mut command = site.command();
    command.arg("migrate");
    let (trace, inject) = (
        format!("trace={call}"),
        format!("inject={call}:signal=SIGKILL:when={place}"),
    );
    let options = ["-e", &*trace, "-e", &*inject];
    let traced = strace::under(&command, &folder.join("trace"), &options);
    let output = { traced }.output().unwrap();
    !output.status.success()
}

/// What was begun is done by the next, which leaves nothing to a third; and the database serves.
fn finish(site: &Site, findings: &Findings, place: &str) {
    let mut resumed = site.command();
    resumed.arg("migrate");
    let (status, out, err) = server::output(resumed, Duration::from_mins(2));
    if status != 0 {
        findings.add(STUCK, || format!("at {place}: {status} {out}{err}"));
        return;
    }
    let (status, out, err) = site.run(&["migrate"]);
    if status != 0 || out.contains("applied") {
        findings.add(AGAIN, || format!("at {place}: {status} {out}{err}"));
    }
    let server = site.start();
    let person = Person::register(server.address, "ada@example.com");
    let key = person.key(server.address);
    let said = verdict(server.address, &key.text).unwrap();
    if said != "granted" {
        findings.add(BROKEN, || format!("at {place}: {said}"));
    }
}
