//! `kill -9` of MariaDB, under a server that stays up.

use std::time::{Duration, Instant};

use super::{Crowd, Plan};
use crate::figure::Figure;
use crate::harness::holder::{MISSING, UNDONE, WRONG};
use crate::harness::ledger::Ledger;
use crate::harness::mariadbd::MariaDb;
use crate::harness::person::{Key, Person, verdict};
use crate::harness::server::Server;
use crate::harness::site::Site;
use crate::run::Run;

impl Plan {
    /// MariaDB is killed 100 times.
    #[must_use]
    pub const fn long_database() -> Self {
        Self {
            kills: 100,
            operations: 20_000,
            clients: 8,
            verify: 20,
        }
    }

    /// MariaDB is killed 3 times.
    #[must_use]
    pub const fn short_database() -> Self {
        Self {
            kills: 3,
            operations: 60,
            clients: 4,
            verify: 3,
        }
    }
}

/// What is asked while the database is away, and how long that took.
struct Probe {
    person: Person,
    revoked: Key,
    /// One for each kill, never shown before it: nothing is remembered of it.
    cold: Vec<Key>,
    slowest_refusal: Duration,
    slowest_return: Duration,
}

/// Kills MariaDB under the server.
#[must_use]
pub fn run(run: &Run, plan: Plan) -> Vec<Figure> {
    let Some(mut database) = MariaDb::start() else {
        return vec![Figure::plain("MariaDB", "is not here")];
    };
    let folder = tempfile::tempdir().unwrap();
    let mut site = Site::new(folder.path()).with("SAKMS_DATABASE_URL", database.url());
    site.turn(usize::try_from(plan.kills % 2).unwrap_or(0));
    let server = site.start();
    let ledger = Ledger::create(&folder.path().join("ledger"));
    let mut crowd = Crowd::register(run, "MariaDB", plan, &server, ledger);
    let mut probe = Probe::prepare(&server, plan);
    while crowd.goes_on(run) {
        crowd.until_a_kill(|| database.kill());
        probe.while_away(&crowd, &server);
        database.run();
        probe.until_back(&server);
        crowd.settle(&server, false);
        if crowd.is_to_verify() {
            crowd.chain(site.chain_holds());
        }
        run.progress(|| {
            format!(
                "{} kills, {} acknowledged",
                crowd.kills,
                crowd.ledger.events()
            )
        });
    }
    crowd.compare_all();
    crowd.chain(site.chain_holds());
    crowd.look_through(&server.log());
    let mut figures = crowd.figures("kills of MariaDB");
    let milliseconds = |time: Duration| format!("{} ms", time.as_millis());
    figures.push(Figure::plain(
        "slowest 503 while MariaDB is away",
        milliseconds(probe.slowest_refusal),
    ));
    figures.push(Figure::plain(
        "slowest first key after MariaDB takes connections again",
        milliseconds(probe.slowest_return),
    ));
    figures
}

impl Probe {
    fn prepare(server: &Server, plan: Plan) -> Self {
        let person = Person::register(server.address, "probe@example.com");
        let revoked = person.key(server.address);
        let target = format!("/keys/{}/revoke", revoked.id);
        let answer = person.ask(server.address, "POST", &target, "").unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        let cold = (0..plan.kills)
            .map(|_| person.key(server.address))
            .collect();
        Self {
            person,
            revoked,
            cold,
            slowest_refusal: Duration::ZERO,
            slowest_return: Duration::ZERO,
        }
    }

    /// Without its database the server says 503 to all that needs it, and goes on living.
    fn while_away(&mut self, crowd: &Crowd, server: &Server) {
        for (method, target) in [("GET", "/keys"), ("POST", "/keys"), ("GET", "/ready")] {
            let start = Instant::now();
            let answer = self.person.ask(server.address, method, target, "").unwrap();
            self.slowest_refusal = self.slowest_refusal.max(start.elapsed());
            if answer.status != 503 {
                crowd.findings.add(WRONG, || {
                    format!("{method} {target} without a database: {}", answer.status)
                });
            }
        }
        let health = self
            .person
            .ask(server.address, "GET", "/health", "")
            .unwrap();
        if health.status != 200 {
            crowd.findings.add(WRONG, || {
                format!("/health without a database: {}", health.status)
            });
        }
        if verdict(server.address, &self.revoked.text).unwrap() == "granted" {
            crowd.findings.add(UNDONE, || {
                "a revoked key is let in without a database".to_owned()
            });
        }
        if let Some(cold) = self.cold.pop() {
            let said = verdict(server.address, &cold.text).unwrap();
            if said != "unavailable" {
                let kind = if said == "granted" { WRONG } else { MISSING };
                crowd.findings.add(kind, || {
                    format!("a key that is not remembered, without a database: {said}")
                });
            }
        }
    }

    /// Waits until a key can be made again.
    fn until_back(&mut self, server: &Server) {
        let start = Instant::now();
        loop {
            let answer = self
                .person
                .ask(server.address, "POST", "/keys", "")
                .unwrap();
            if answer.status == 201 {
                break;
            }
            assert!(
                start.elapsed() < Duration::from_mins(1),
                "not back: {}",
                answer.body
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        self.slowest_return = self.slowest_return.max(start.elapsed());
    }
}
