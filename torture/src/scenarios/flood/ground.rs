//! A server with somebody whose keys it knows.

use std::time::Duration;

use super::Plan;
use crate::figure::Figure;
use crate::harness::canaries;
use crate::harness::crowd::{Crowd, Tally};
use crate::harness::person::{PASSWORD, Person};
use crate::harness::process;
use crate::harness::server::{JWT_SECRET, MASTER_KEY, Server};
use crate::harness::setup::start;
use crate::run::Run;

/// Who checks known keys: so many clients, each so often.
const CHECKERS: u32 = 4;
const PACE: Duration = Duration::from_millis(10);
const KEYS: usize = 3;

/// The server, and the keys that it knows.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) server: Server,
    owner: Person,
    keys: Vec<String>,
    _folder: tempfile::TempDir,
}

/// The address of the person whose keys are known.
pub(super) const OWNER: &str = "owner@example.com";

impl Ground {
    /// A server with these settings, on an SQLite database.
    pub(super) fn start(framework: &str, plan: &Plan, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let queue = ("SAKMS_HASH_QUEUE", plan.queue);
        let settings = [settings, &[queue]].concat();
        let server = start(framework, folder.path(), &settings);
        let owner = Person::register(server.address, OWNER);
        let keys = (0..KEYS).map(|_| owner.key(server.address).text).collect();
        let ground = Self {
            server,
            owner,
            keys,
            _folder: folder,
        };
        for key in &ground.keys {
            let answer = ground
                .server
                .send("GET", "/demo/protected", &[("X-API-Key", key)], "");
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
        ground
    }

    /// Clients with known keys, from now on.
    pub(super) fn known(&self) -> Crowd {
        Crowd::checking(self.server.address, CHECKERS, PACE, &self.keys)
    }

    /// Resident memory in KiB, where the system tells.
    pub(super) fn memory(&self) -> Option<u64> {
        process::resident(self.server.id())
    }

    /// What known keys were answered beside a flood, and how fast, compared with how it was without.
    pub(super) fn beside(flood: &str, plan: &Plan, alone: &Tally, beside: &Tally) -> Vec<Figure> {
        let what = format!("99 % of the checks of known keys beside {flood}");
        let time = beside.compared(alone).figure(what, plan.timed);
        let failed = alone.other_than(&[200]) + beside.other_than(&[200]);
        vec![
            Figure::never(
                format!("known keys that were not granted beside {flood}"),
                failed,
            ),
            time,
        ]
    }

    /// What the log shows of secrets.
    pub(super) fn leaks(&self, part: &str) -> Figure {
        let bearer = self.owner.bearer.trim_start_matches("Bearer ");
        let secrets = [PASSWORD, MASTER_KEY, JWT_SECRET, bearer];
        let keys = self.keys.iter().map(String::as_str);
        let seen = canaries::seen(&self.server.log(), keys.chain(secrets));
        Figure::never(format!("secrets in the log of {part}"), seen)
    }
}

/// Waits until a crowd has done what it was to do, or the time of the run is over.
pub(super) fn finish(run: &Run, what: &str, crowd: Crowd) -> Tally {
    while !crowd.is_done() && !run.is_over() {
        run.progress(|| what.to_owned());
        std::thread::sleep(Duration::from_millis(20));
    }
    crowd.stop()
}
