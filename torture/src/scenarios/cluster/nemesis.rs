//! Who troubles the nodes.

use std::time::{Duration, Instant};

use crate::harness::access::service::Service;
use crate::harness::connection::Connection;
use crate::harness::galera::{Galera, NODES};
use crate::harness::person::{Key, Person};
use crate::run::Run;

/// How the servers reach the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Front {
    /// The first server the first node, the second the second.
    Direct,
    /// Both by a proxy, which goes on to another node.
    Proxy,
}

/// What was done to the nodes, and what a server said whose node was alone.
#[derive(Debug, Default, Clone)]
pub(super) struct Suffered {
    pub(super) kills: u64,
    pub(super) pauses: u64,
    pub(super) partitions: u64,
    /// Requests that need the database, to a server whose node is outside of the majority.
    pub(super) asked_alone: u64,
    /// Of them, those that were answered otherwise than 503.
    pub(super) answered_alone: u64,
    /// The longest that one of them took.
    pub(super) longest: Duration,
}

/// Method, target and headers.
type Question<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

/// Kills, stops and parts nodes, one at a time.
#[derive(Debug)]
pub(super) struct Nemesis<'a> {
    galera: &'a mut Galera,
    random: fastrand::Rng,
    pub(super) front: Front,
    /// The servers, by the node they are on.
    servers: Vec<Connection>,
    person: Person,
    /// A key that no server has been asked about.
    cold: Key,
    suffered: Suffered,
}

impl<'a> Nemesis<'a> {
    pub(super) fn new(run: &Run, service: &Service, galera: &'a mut Galera, front: Front) -> Self {
        let (_, person) = service.register(0, &service.address());
        let cold = person.key(service.nodes[0].address);
        Self {
            galera,
            random: run.random("nemesis"),
            front,
            servers: service
                .addresses()
                .into_iter()
                .map(Connection::to)
                .collect(),
            person,
            cold,
            suffered: Suffered::default(),
        }
    }

    /// Troubles so many nodes, each for a while, and lets the cluster become whole in between.
    pub(super) fn trouble(
        &mut self,
        times: u64,
        hold: Duration,
        is_over: impl Fn() -> bool,
    ) -> Suffered {
        for turn in 0..times {
            if is_over() {
                break;
            }
            std::thread::sleep(Duration::from_secs(1));
            let node = self.random.usize(..NODES);
            match turn % 3 {
                0 => self.kill(node, hold),
                // One that has a server in front.
                1 => self.pause(node % self.servers.len(), hold),
                _ => self.part(node % self.servers.len(), hold),
            }
            self.galera.wait_for(node);
        }
        self.suffered.clone()
    }

    fn kill(&mut self, node: usize, hold: Duration) {
        self.suffered.kills += 1;
        self.galera.kill(node);
        std::thread::sleep(hold);
        self.galera.restart(node);
        self.galera.wait_for(node);
    }

    fn pause(&mut self, node: usize, hold: Duration) {
        self.suffered.pauses += 1;
        self.galera.signal(node, "STOP");
        std::thread::sleep(hold);
        self.galera.signal(node, "CONT");
        self.galera.wait_for(node);
    }

    fn part(&mut self, node: usize, hold: Duration) {
        self.suffered.partitions += 1;
        self.galera.isolate(node, true);
        let start = Instant::now();
        while !self.galera.is_outside(node) && start.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(
            self.galera.is_outside(node),
            "cut off, and part of the majority"
        );
        let start = Instant::now();
        while start.elapsed() < hold {
            if self.front == Front::Direct {
                self.ask_alone(node);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        self.galera.isolate(node, false);
        self.galera.wait_for(node);
    }

    /// Asks a server what it can only know from its database.
    fn ask_alone(&mut self, node: usize) {
        let bearer = [("Authorization", &*self.person.bearer)];
        let key = [("X-API-Key", &*self.cold.text)];
        let target = format!("/keys/{}", self.cold.id);
        let questions: [Question<'_>; 3] = [
            ("GET", &target, &bearer),
            ("POST", "/keys", &bearer),
            ("GET", "/demo/protected", &key),
        ];
        for (method, target, headers) in questions {
            let start = Instant::now();
            let answer = self.servers[node].ask(method, target, headers, "");
            self.suffered.longest = self.suffered.longest.max(start.elapsed());
            self.suffered.asked_alone += 1;
            let said = answer.map(|answer| answer.status);
            self.suffered.answered_alone += u64::from(!matches!(said, Ok(503)));
        }
    }
}
