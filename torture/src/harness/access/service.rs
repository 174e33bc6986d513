//! The nodes under test, and who is somebody there.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::figure::Figure;
use crate::harness::canaries::Canaries;
use crate::harness::client;
use crate::harness::node::{OTHER_MASTER_KEY, Settings};
use crate::harness::person::{PASSWORD, Person};
use crate::harness::server::{self, JWT_SECRET, MASTER_KEY, Server};

const ADMIN: &str = "admin@example.com";

/// One service, on one node or on several.
#[derive(Debug)]
pub struct Service {
    /// The nodes.
    pub nodes: Vec<Server>,
    /// Somebody who may disable accounts.
    pub admin: Person,
    /// For how long a node believes what it remembers.
    pub bound: Duration,
    /// The one clock.
    pub begun: Instant,
    /// Tells accounts apart from those of another run on the same database.
    run: u32,
    accounts: AtomicU64,
    canaries: Mutex<Canaries>,
    _folder: tempfile::TempDir,
}

impl Service {
    /// Starts the nodes, all with the same bound. The database's tables are made by the first that starts.
    #[must_use]
    pub fn start(settings: Vec<Settings>, bound: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings: Vec<_> = settings
            .into_iter()
            .map(|node| node.with("SAKMS_MAX_STALENESS", bound.as_millis().to_string()))
            .collect();
        let nodes: Vec<_> = settings
            .iter()
            .map(|node| node.start(folder.path()))
            .collect();
        // The database may be one that served another run.
        let body = json!({ "email": ADMIN, "password": PASSWORD }).to_string();
        let made = client::send(nodes[0].address, "POST", "/auth/register", &[], &body);
        assert!(matches!(made.status, 201 | 409), "{}", made.body);
        let admin = Person::login(nodes[0].address, ADMIN);
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
            canaries.word(secret);
        }
        canaries.word(&admin.bearer["Bearer ".len()..]);
        Self {
            run: nodes[0].id(),
            nodes,
            admin,
            bound,
            begun: Instant::now(),
            accounts: AtomicU64::new(0),
            canaries: Mutex::new(canaries),
            _folder: folder,
        }
    }

    /// Where the nodes are.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| node.address).collect()
    }

    /// An e-mail address that nobody has yet.
    #[must_use]
    pub fn address(&self) -> String {
        let number = self.accounts.fetch_add(1, Ordering::Relaxed);
        format!("worker-{:x}-{number}@example.com", self.run)
    }

    /// Makes an account at a node and signs in; gives its id as well.
    #[must_use]
    pub fn register(&self, node: usize, email: &str) -> (String, Person) {
        let server = self.nodes[node].address;
        let body = json!({ "email": email, "password": PASSWORD }).to_string();
        let made = client::send(server, "POST", "/auth/register", &[], &body);
        assert_eq!(made.status, 201, "{}", made.body);
        let person = Person::login(server, email);
        let mut canaries = self.canaries.lock().unwrap();
        canaries.word(&person.bearer["Bearer ".len()..]);
        (made.text("user_id"), person)
    }

    /// Takes note of a key, for which the logs are searched at the end. A sample of them is enough.
    pub fn note(&self, text: &str) {
        self.canaries.lock().unwrap().key(text);
    }

    /// What is left to look at: what the nodes have logged.
    #[must_use]
    pub fn end(&self, title: &str) -> Vec<Figure> {
        let canaries = self.canaries.lock().unwrap();
        let logs = self.nodes.iter().map(Server::log);
        let found = logs.map(|log| canaries.found(&log)).sum();
        vec![Figure::never(
            format!("{title}: secrets in the nodes' logs"),
            found,
        )]
    }
}
