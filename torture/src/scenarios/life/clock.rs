//! A clock that jumps by an hour.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sakms_core::clock::{Clock as _, SystemClock};
use sakms_core::testkit::skipped;
use serde_json::json;

use crate::figure::Figure;
use crate::harness::canaries::{Canaries, SECRETS};
use crate::harness::findings::Findings;
use crate::harness::person::{Key, Person, verdict};
use crate::harness::server::Server;
use crate::harness::site::{FRAMEWORKS, Site};
use crate::run::Run;

/// How often the clock jumps.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Times there and back, in each direction, on each framework.
    pub rounds: u32,
}

impl Plan {
    /// Ten rounds.
    #[must_use]
    pub const fn long() -> Self {
        Self { rounds: 10 }
    }

    /// One round.
    #[must_use]
    pub const fn short() -> Self {
        Self { rounds: 1 }
    }
}

const HALF_AN_HOUR: Duration = Duration::from_mins(30);

const REVIVED: &str = "revoked keys and replaced secrets that work";
const REFUSED: &str = "good keys that are refused";
const EXPIRED: &str = "keys that work though the clock says that they are expired";
const FORGOTTEN: &str = "known keys that had to be looked up anew";
const WRONG: &str = "wrong answers, and panics";

/// Where the packages of the usual systems put it.
const LIBRARIES: [&str; 4] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/faketime/libfaketime.so.1",
    "/usr/lib64/faketime/libfaketime.so.1",
];

fn library() -> Option<PathBuf> {
    let found = LIBRARIES.iter().map(Path::new).find(|path| path.is_file());
    if found.is_none() {
        skipped("libfaketime", "there is none (the package is called so)");
    }
    found.map(Path::to_owned)
}

/// Lets the server's wall clock jump, and not the steady one.
#[must_use]
pub fn run(run: &Run, plan: Plan) -> Vec<Figure> {
    let Some(library) = library() else {
        return vec![Figure::plain("clock that jumps", "libfaketime is not here")];
    };
    let findings = Findings::of(&[REVIVED, REFUSED, EXPIRED, FORGOTTEN, WRONG, SECRETS]);
    let mut jumps = 0;
    for framework in FRAMEWORKS {
        let folder = tempfile::tempdir().unwrap();
        let offset = folder.path().join("offset");
        fs::write(&offset, "+0").unwrap();
        let site = Site::new(folder.path()).on(framework);
        let mut command = site.command();
        command
            .env("LD_PRELOAD", &library)
            .env("FAKETIME_TIMESTAMP_FILE", &offset)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        let server = Server::spawn(command);
        let mut life = Life::begin(&server);
        life.check("before any jump", 0, &findings);
        for _ in 0..plan.rounds {
            for hours in [1, 0, -1, 0] {
                if run.is_over() {
                    break;
                }
                life.jump(&offset, hours);
                jumps += 1;
                life.check(&format!("{hours:+} h"), hours, &findings);
                life.change(&findings);
                life.check(&format!("{hours:+} h, after changes"), hours, &findings);
                run.progress(|| format!("clock: {jumps} jumps"));
            }
        }
        let log = server.log();
        let mut canaries = Canaries::usual();
        for key in life.good.iter().chain(&life.revoked) {
            canaries.key(&key.text);
        }
        canaries.look_through(&log, &findings);
        if log.contains("panicked") {
            findings.add(WRONG, || log);
        }
    }
    let mut figures = vec![Figure::plain("clock that jumps: jumps of an hour", jumps)];
    figures.extend(findings.figures("clock that jumps"));
    figures
}

/// Somebody's keys over the jumps.
struct Life<'a> {
    server: &'a Server,
    email: &'static str,
    person: Person,
    /// Good for ever.
    good: Vec<Key>,
    /// Ends in half an hour, by the clock that is right.
    short: Key,
    revoked: Vec<Key>,
}

impl<'a> Life<'a> {
    fn begin(server: &'a Server) -> Self {
        let email = "ada@example.com";
        let person = Person::register(server.address, email);
        let end = SystemClock.now().checked_add(HALF_AN_HOUR).unwrap();
        let body = json!({ "expires_at": end.to_string() }).to_string();
        let made = person.ask(server.address, "POST", "/keys", &body).unwrap();
        assert_eq!(made.status, 201, "{}", made.body);
        let short = Key {
            id: made.text("id"),
            text: made.text("api_key"),
        };
        let good = vec![person.key(server.address)];
        let mut life = Self {
            server,
            email,
            person,
            good,
            short,
            revoked: Vec::new(),
        };
        let key = life.person.key(server.address);
        life.revoke(key);
        life
    }

    fn verdict(&self, key: &Key) -> String {
        verdict(self.server.address, &key.text).unwrap()
    }

    fn revoke(&mut self, key: Key) {
        // What is remembered of it must not outlive it.
        let before = self.verdict(&key);
        assert_eq!(before, "granted");
        let target = format!("/keys/{}/revoke", key.id);
        let answer = self
            .person
            .ask(self.server.address, "POST", &target, "")
            .unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.revoked.push(key);
    }

    fn jump(&mut self, file: &Path, hours: i32) {
        fs::write(file, format!("{:+}", hours * 3600)).unwrap();
        // Tokens are of the time in which they were made.
        self.person = Person::login(self.server.address, self.email);
    }

    /// How many keys had to be looked up so far.
    fn looked_up(&self) -> String {
        let figures = self.server.send("GET", "/metrics", &[], "").body;
        let line = figures.lines().find(|line| {
            line.starts_with("sakms_cache_lookups_total") && line.contains("\"nothing\"")
        });
        line.unwrap_or_default().to_owned()
    }

    fn check(&mut self, when: &str, hours: i32, findings: &Findings) {
        let before = self.looked_up();
        for key in &self.good {
            let said = self.verdict(key);
            if said != "granted" {
                findings.add(REFUSED, || format!("{when}: {said}"));
            }
        }
        let after = self.looked_up();
        if !when.starts_with("before") && before != after {
            findings.add(FORGOTTEN, || format!("{when}: {before}, {after}"));
        }
        match (&*self.verdict(&self.short), hours > 0) {
            ("granted", false) | ("key_expired", true) => {}
            ("granted", true) => findings.add(EXPIRED, || when.to_owned()),
            (said, _) => findings.add(REFUSED, || format!("{when}, the key with an end: {said}")),
        }
        for key in &self.revoked {
            let said = self.verdict(key);
            if said != "key_revoked" {
                let kind = if said == "granted" { REVIVED } else { WRONG };
                findings.add(kind, || format!("{when}: {said}"));
            }
        }
    }

    /// In the time that the clock says: a key is made and works, and one of those before is revoked and does not.
    fn change(&mut self, findings: &Findings) {
        let key = self.person.key(self.server.address);
        let said = self.verdict(&key);
        if said != "granted" {
            findings.add(REFUSED, || format!("a new key: {said}"));
        }
        self.good.push(key);
        if self.good.len() > 3 {
            let oldest = self.good.remove(0);
            self.revoke(oldest);
        }
    }
}
