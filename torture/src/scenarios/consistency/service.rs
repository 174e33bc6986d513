//! The nodes under test, and who is somebody there.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::json;

use super::Plan;
use crate::figure::Figure;
use crate::harness::canaries::Canaries;
use crate::harness::client;
use crate::harness::forwarder::Forwarder;
use crate::harness::node::{OTHER_MASTER_KEY, Settings, framework};
use crate::harness::person::{PASSWORD, Person};
use crate::harness::server::{self, JWT_SECRET, MASTER_KEY, Server};

const ADMIN: &str = "admin@example.com";

/// One service, on one node or on three.
#[derive(Debug)]
pub(super) struct Service {
    /// The nodes.
    pub(super) nodes: Vec<Server>,
    /// The way of the last of several nodes to its database.
    pub(super) way: Option<Forwarder>,
    /// Somebody who may disable accounts.
    pub(super) admin: Person,
    /// For how long a node believes what it remembers.
    pub(super) bound: Duration,
    /// The one clock.
    pub(super) begun: Instant,
    canaries: Mutex<Canaries>,
    _folder: tempfile::TempDir,
}

impl Service {
    /// One node with SQLite.
    #[must_use]
    pub(super) fn alone(plan: &Plan) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sakms.db");
        let settings = Settings::new("actix", format!("sqlite://{}", file.display()));
        Self::start(plan, vec![settings], None, folder)
    }

    /// Three nodes with one MariaDB, the last by a way that can be cut. It has the master keys in another order than the
    /// others, so that checks have hashes to make anew and to write while keys are revoked.
    #[must_use]
    pub(super) fn of_three(plan: &Plan, database: &str) -> Self {
        let (front, port) = database.rsplit_once(':').unwrap();
        let (port, name) = port.split_once('/').unwrap();
        let way = Forwarder::to(SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap())));
        let cut = format!("{front}:{}/{name}", way.address().port());
        let urls = [database.to_owned(), database.to_owned(), cut];
        let nodes = urls.into_iter().enumerate();
        let mut settings: Vec<_> = nodes
            .map(|(number, url)| Settings::new(framework(number), url))
            .collect();
        settings[2].master_keys = format!("{OTHER_MASTER_KEY},{MASTER_KEY}");
        Self::start(plan, settings, Some(way), tempfile::tempdir().unwrap())
    }

    fn start(
        plan: &Plan,
        settings: Vec<Settings>,
        way: Option<Forwarder>,
        folder: tempfile::TempDir,
    ) -> Self {
        let settings: Vec<_> = settings
            .into_iter()
            .map(|node| node.with("SAKMS_MAX_STALENESS", plan.max_staleness.as_millis()))
            .collect();
        let nodes: Vec<_> = settings
            .iter()
            .map(|node| node.start(folder.path()))
            .collect();
        let admin = Person::register(nodes[0].address, ADMIN);
        let mut grant = settings[0].command(folder.path());
        grant.args(["account", "grant", "--email", ADMIN, "--role", "admin"]);
        let (status, _, errors) = server::output(grant, Duration::from_secs(30));
        assert_eq!(status, 0, "{errors}");
        let mut canaries = Canaries::default();
        for secret in [
            MASTER_KEY,
            OTHER_MASTER_KEY,
            JWT_SECRET,
            PASSWORD,
            "hush-canary",
        ] {
            canaries.add(secret);
        }
        canaries.add(&admin.bearer["Bearer ".len()..]);
        Self {
            nodes,
            way,
            admin,
            bound: plan.max_staleness,
            begun: Instant::now(),
            canaries: Mutex::new(canaries),
            _folder: folder,
        }
    }

    /// Where the nodes are.
    #[must_use]
    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| node.address).collect()
    }

    /// Makes an account at a node and signs in; gives its id as well.
    #[must_use]
    pub(super) fn register(&self, node: usize, email: &str) -> (String, Person) {
        let server = self.nodes[node].address;
        let body = json!({ "email": email, "password": PASSWORD }).to_string();
        let made = client::send(server, "POST", "/auth/register", &[], &body);
        assert_eq!(made.status, 201, "{}", made.body);
        let person = Person::login(server, email);
        let mut canaries = self.canaries.lock().unwrap();
        canaries.add(&person.bearer["Bearer ".len()..]);
        (made.text("user_id"), person)
    }

    /// Takes note of a key, for which the logs are searched at the end. A sample of them is enough.
    pub(super) fn note(&self, text: &str) {
        self.canaries.lock().unwrap().add_key(text);
    }

    /// What is left to look at: what the nodes have logged.
    #[must_use]
    pub(super) fn end(&self, title: &str) -> Vec<Figure> {
        let canaries = self.canaries.lock().unwrap();
        let logs = self.nodes.iter().map(Server::log);
        let found = logs.map(|log| canaries.count_in(&log)).sum();
        vec![Figure::never(
            format!("{title}: secrets in the nodes' logs"),
            found,
        )]
    }
}
