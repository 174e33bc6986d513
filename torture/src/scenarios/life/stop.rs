//! SIGTERM under load.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::figure::Figure;
use crate::harness::canaries::{Canaries, SECRETS};
use crate::harness::findings::Findings;
use crate::harness::link::Link;
use crate::harness::mariadbd::MariaDb;
use crate::harness::person::{Key, PASSWORD, Person};
use crate::harness::site::Site;
use crate::run::Run;

/// How often, and with how many clients.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Signals to the server on each database.
    pub signals: usize,
    /// Clients that use keys. As many again make keys, and two sign in.
    pub clients: usize,
    /// Whether it counts when the end takes more than `LIMIT`.
    pub timed: bool,
}

impl Plan {
    /// 50 signals on each database.
    #[must_use]
    pub const fn long() -> Self {
        Self {
            signals: 50,
            clients: 4,
            timed: true,
        }
    }

    /// 2 signals on each database, one on each framework.
    #[must_use]
    pub const fn short() -> Self {
        Self {
            signals: 2,
            clients: 2,
            timed: false,
        }
    }
}

/// How long the end of a server may take.
const LIMIT: Duration = Duration::from_secs(10);

const IN_FLIGHT: &str = "requests that were sent before the signal and not answered";
const REFUSED: &str = "answers that are errors";
const LOST: &str = "acknowledged keys that are not there";
const LOST_USES: &str = "uses that were answered and not counted";
const SURPLUS_USES: &str = "uses that were counted and never made";
const STATUS: &str = "servers that ended with another status than 0";
const LATE: &str = "servers that took more than 10 s to end";

/// A client that sends one request after another over a connection of its own.
struct Client {
    task: Task,
    person: Person,
    email: String,
    key: Key,
    made: Vec<Key>,
    /// Requests that were answered, by what is done with them.
    answered: u64,
    /// Requests that broke off after the signal. Nobody promised them anything.
    met_the_end: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    UseKey,
    MakeKeys,
    SignIn,
}

/// Ends servers under load.
#[must_use]
pub fn run(run: &Run, plan: Plan) -> Vec<Figure> {
    let folder = tempfile::tempdir().unwrap();
    let mut figures = on(&run.share(2), "SQLite", plan, Site::new(folder.path()));
    if let Some(database) = MariaDb::start() {
        let folder = tempfile::tempdir().unwrap();
        let site = Site::new(folder.path()).with("SAKMS_DATABASE_URL", database.url());
        figures.extend(on(&run.share(2), "MariaDB", plan, site));
    }
    figures
}

fn on(run: &Run, place: &str, plan: Plan, mut site: Site) -> Vec<Figure> {
    let mut kinds = vec![
        IN_FLIGHT,
        REFUSED,
        LOST,
        LOST_USES,
        SURPLUS_USES,
        STATUS,
        SECRETS,
    ];
    kinds.extend(plan.timed.then_some(LATE));
    let findings = Findings::of(&kinds);
    let mut random = run.random(&format!("stop on {place}"));
    let mut server = site.start();
    let mut clients = clients(server.address, plan.clients);
    let (mut signals, mut slowest) = (0, Duration::ZERO);
    let mut canaries = Canaries::usual();
    while signals < plan.signals && !run.is_over() {
        let address = server.address;
        let over = AtomicBool::new(false);
        let load = Duration::from_millis(random.u64(300..900));
        let took = std::thread::scope(|scope| {
            let working: Vec<_> = clients
                .iter_mut()
                .map(|client| scope.spawn(|| client.work(address, &over, &findings)))
                .collect();
            std::thread::sleep(load);
            let signalled = Instant::now();
            server.signal("TERM");
            let status = server.wait(Duration::from_mins(1));
            let took = signalled.elapsed();
            over.store(true, Ordering::Relaxed);
            if !status.success() {
                findings.add(STATUS, || format!("{status}"));
            }
            for broken in working
                .into_iter()
                .filter_map(|client| client.join().unwrap())
            {
                if broken < signalled {
                    let before = signalled - broken;
                    findings.add(IN_FLIGHT, || format!("{before:?} before the signal"));
                }
            }
            took
        });
        slowest = slowest.max(took);
        if plan.timed && took > LIMIT {
            findings.add(LATE, || format!("{took:?}"));
        }
        signals += 1;
        for client in &clients {
            canaries.tail(&client.person.bearer);
            canaries.key(&client.key.text);
            client.made.iter().for_each(|key| canaries.key(&key.text));
        }
        canaries.look_through(&server.log(), &findings);
        site.turn(signals);
        server = site.start();
        for client in &mut clients {
            client.compare(server.address, &findings);
        }
        run.progress(|| format!("SIGTERM on {place}: {signals}"));
    }
    let answered: u64 = clients.iter().map(|client| client.answered).sum();
    let met_the_end: u64 = clients.iter().map(|client| client.met_the_end).sum();
    let place = format!("SIGTERM on {place}");
    let mut figures = vec![
        Figure::plain(format!("{place}: signals"), signals),
        Figure::plain(format!("{place}: requests answered"), answered),
        Figure::plain(
            format!("{place}: requests sent after the signal, over connections that were closing"),
            met_the_end,
        ),
        Figure::plain(
            format!("{place}: slowest end"),
            format!("{} ms", slowest.as_millis()),
        ),
    ];
    figures.extend(findings.figures(&place));
    figures
}

fn clients(server: SocketAddr, number: usize) -> Vec<Client> {
    let tasks = std::iter::repeat_n([Task::UseKey, Task::MakeKeys], number).flatten();
    tasks
        .chain([Task::SignIn; 2])
        .enumerate()
        .map(|(number, task)| {
            let email = format!("client{number}@example.com");
            let person = Person::register(server, &email);
            let key = person.key(server);
            Client {
                task,
                person,
                email,
                key,
                made: Vec::new(),
                answered: 0,
                met_the_end: 0,
            }
        })
        .collect()
}

impl Client {
    /// Works until its connection breaks or it is over. Gives the moment at which a request was sent that was not answered.
    fn work(
        &mut self,
        server: SocketAddr,
        over: &AtomicBool,
        findings: &Findings,
    ) -> Option<Instant> {
        let mut link = Link::to(server);
        while !over.load(Ordering::Relaxed) {
            // Who is not let in was not in flight.
            link.open().ok()?;
            let sent = Instant::now();
            let Ok(answer) = self.request(&mut link) else {
                self.met_the_end += 1;
                return Some(sent);
            };
            if answer.status >= 300 {
                findings.add(REFUSED, || {
                    format!("{:?}: {} {}", self.task, answer.status, answer.body)
                });
                continue;
            }
            self.answered += 1;
            if self.task == Task::MakeKeys {
                self.made.push(Key {
                    id: answer.text("id"),
                    text: answer.text("api_key"),
                });
            }
        }
        None
    }

    fn request(&self, link: &mut Link) -> std::io::Result<crate::harness::client::Answer> {
        match self.task {
            Task::UseKey => link.send(
                "GET",
                "/demo/protected",
                &[("X-API-Key", &self.key.text)],
                "",
            ),
            Task::MakeKeys => link.send(
                "POST",
                "/keys",
                &[("Authorization", &self.person.bearer)],
                "",
            ),
            Task::SignIn => {
                let body = json!({ "email": self.email, "password": PASSWORD }).to_string();
                link.send("POST", "/auth/login", &[], &body)
            }
        }
    }

    /// After a restart: the keys that were made are there, and the uses are counted, all of them and no more.
    fn compare(&mut self, server: SocketAddr, findings: &Findings) {
        let mut link = Link::to(server);
        for key in self.made.drain(..) {
            let headers = [("X-API-Key", &*key.text)];
            let answer = link.read("/demo/protected", &headers).unwrap();
            if answer.status != 200 {
                findings.add(LOST, || format!("key {}: {}", key.id, answer.body));
            }
        }
        if self.task == Task::UseKey {
            let target = format!("/keys/{}", self.key.id);
            let shown = link
                .read(&target, &[("Authorization", &*self.person.bearer)])
                .unwrap()
                .json();
            let secrets = shown["secrets"].as_array().unwrap();
            let counted: u64 = secrets
                .iter()
                .map(|secret| secret["uses"].as_u64().unwrap())
                .sum();
            for _ in counted..self.answered {
                findings.add(LOST_USES, || format!("{} answered, {shown}", self.answered));
            }
            // A request that broke off may have been counted.
            for _ in self.answered + self.met_the_end..counted {
                findings.add(SURPLUS_USES, || {
                    format!("{} answered, {shown}", self.answered)
                });
            }
        }
    }
}
