//! The nodes, the proxy between them and the database, and what was seen.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use super::Plan;
use super::clients::Revoked;
use crate::harness::client;
use crate::harness::mariadbd::{self, MariaDb};
use crate::harness::metrics::Metrics;
use crate::harness::person::{Key, PASSWORD, Person};
use crate::harness::proxy::Proxy;
use crate::harness::server::{JWT_SECRET, MASTER_KEY, Server};
use crate::harness::setup::{FRAMEWORKS, start};
use crate::run::Run;

/// How many keys every node knows.
const WARM: usize = 16;

/// What the clients count.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) granted: AtomicU64,
    pub(super) valid_denied: AtomicU64,
    pub(super) unknown_granted: AtomicU64,
    pub(super) revoked: AtomicU64,
    pub(super) revoked_granted_here: AtomicU64,
    pub(super) revoked_granted_there: AtomicU64,
    pub(super) past_the_bound: AtomicU64,
    pub(super) before_the_bound: AtomicU64,
    pub(super) unhealthy: AtomicU64,
    pub(super) unanswered: AtomicU64,
    pub(super) unexpected: AtomicU64,
    /// How long each check took that was answered 503.
    pub(super) refusals: Mutex<Vec<Duration>>,
}

/// One of the servers.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) server: Server,
    _folder: tempfile::TempDir,
}

impl Node {
    pub(super) fn address(&self) -> SocketAddr {
        self.server.address
    }
}

/// Everything that is there.
#[derive(Debug)]
pub(super) struct World {
    pub(super) nodes: Vec<Node>,
    pub(super) proxy: Proxy,
    pub(super) owner: Person,
    pub(super) warm: Vec<Key>,
    pub(super) seen: Seen,
    /// Keys that were revoked, and are to be shown again when every node must know.
    pub(super) revoked: Mutex<Vec<Revoked>>,
    /// The texts of all other keys.
    pub(super) texts: Mutex<Vec<String>>,
}

impl World {
    pub(super) fn start(database: &MariaDb, plan: &Plan, run: &Run) -> Self {
        let proxy = Proxy::start(database.address(), run.random("proxy").u64(..));
        // Otherwise the proxy could not tell a commit from anything else.
        let url = format!("{}?ssl-mode=disabled", database.url_by(proxy.address));
        let staleness = plan.staleness.as_millis().to_string();
        let settings = [
            ("SAKMS_DATABASE_URL", &*url),
            ("SAKMS_KEY_HASHER", "hmac-sha256"),
            ("SAKMS_MAX_STALENESS", &*staleness),
        ];
        let node = |framework| {
            let folder = tempfile::tempdir().unwrap();
            let server = start(framework, folder.path(), &settings);
            Node {
                server,
                _folder: folder,
            }
        };
        let nodes: Vec<_> = FRAMEWORKS.into_iter().map(node).collect();
        let owner = Person::register(nodes[0].address(), "owner@example.com");
        let warm = (0..WARM).map(|_| owner.key(nodes[0].address())).collect();
        Self {
            nodes,
            proxy,
            owner,
            warm,
            seen: Seen::default(),
            revoked: Mutex::default(),
            texts: Mutex::default(),
        }
    }

    /// Waits until every node can use the database again, and has been shown the warm keys.
    pub(super) fn wait_until_ready(&self, limit: Duration) {
        let begun = Instant::now();
        for node in &self.nodes {
            let address = node.address();
            let asked = |target, key: &str| {
                let headers = [("X-API-Key", key)];
                client::try_send(address, "GET", target, &headers, "").map(|answer| answer.status)
            };
            // A node begins to follow the journal when it is first asked, and forgets what it has learnt until then.
            let good = || {
                let followed = Metrics::of(&node.server).sum("sakms_journal_trusted", &[]) == 1;
                let mut keys = self.warm.iter();
                let known = keys.all(|key| matches!(asked("/demo/protected", &key.text), Ok(200)));
                followed && known && matches!(asked("/ready", ""), Ok(200))
            };
            while !good() {
                assert!(begun.elapsed() < limit, "not usable again after {limit:?}");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }

    /// A key that was made now; its text is remembered as a secret.
    pub(super) fn remember(&self, text: &str) {
        self.texts.lock().unwrap().push(text.to_owned());
    }

    /// What no log may show.
    pub(super) fn secrets(&self) -> Vec<String> {
        let mut secrets = self.texts.lock().unwrap().clone();
        secrets.extend(self.warm.iter().map(|key| key.text.clone()));
        let others = [PASSWORD, MASTER_KEY, JWT_SECRET, mariadbd::PASSWORD];
        secrets.extend(others.map(str::to_owned));
        secrets.push(self.owner.bearer.trim_start_matches("Bearer ").to_owned());
        secrets
    }
}
