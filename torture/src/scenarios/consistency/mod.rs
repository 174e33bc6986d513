//! A key is revoked, disabled, rotated, given other scopes, or its owner is disabled, while others check it on three nodes. Every
//! question and answer is written down with its times, and every answer is held against what was true then
//! ([`crate::harness::history`]).

mod blind;

use std::net::SocketAddr;
use std::time::Duration;

use crate::figure::Figure;
use crate::harness::access::found::Found;
use crate::harness::access::service::Service;
use crate::harness::access::{self, Reach};
use crate::harness::forwarder::Forwarder;
use crate::harness::mariadbd::MariaDb;
use crate::harness::node::{OTHER_MASTER_KEY, Settings, framework};
use crate::harness::server::MASTER_KEY;
use crate::run::Run;

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Changes on three nodes, each followed by checks on the one that acknowledged it.
    pub changes: u64,
    /// The same on one node with SQLite.
    pub changes_alone: u64,
    /// Changes that are followed until every node knows.
    pub far_changes: u64,
    /// How many make changes at a time.
    pub workers: usize,
    /// How many make changes at a time that are followed on every node: these wait most of the time.
    pub far_workers: usize,
    /// How often a node loses its database in the moment of a revocation, in each of the ways.
    pub cuts: u64,
    /// For how long the nodes believe what they remember without word from the journal.
    pub max_staleness: Duration,
    /// Whether times are goals: a machine that does other things besides is no witness.
    pub timed: bool,
}

impl Plan {
    /// For a test.
    #[must_use]
    pub const fn short() -> Self {
        Self {
            changes: 200,
            changes_alone: 80,
            far_changes: 24,
            workers: 3,
            far_workers: 6,
            cuts: 1,
            max_staleness: Duration::from_secs(1),
            timed: false,
        }
    }

    /// For the command.
    #[must_use]
    pub const fn long() -> Self {
        Self {
            changes: 50_000,
            changes_alone: 50_000,
            far_changes: 10_000,
            workers: 16,
            far_workers: 24,
            cuts: 6,
            max_staleness: Duration::from_secs(5),
            timed: true,
        }
    }
}

/// Within which a revocation is to be known on every node that can read the journal.
const PROMISED: Duration = Duration::from_secs(1);

/// Runs it at length.
#[must_use]
pub fn long(run: &Run) -> Vec<Figure> {
    run_plan(run, &Plan::long())
}

/// Runs it as a plan says.
#[must_use]
pub fn run_plan(run: &Run, plan: &Plan) -> Vec<Figure> {
    let mut figures = Vec::new();
    // With a limit, each part ends at its own share of it.
    let share = |part: u32| move || run.elapsed() >= run.time(Duration::MAX) / 8 * part;
    {
        let service = alone(plan);
        let mut workers = access::workers(run, &service, Reach::Home, plan.workers);
        let found = access::run(run, &mut workers, plan.changes_alone, share(2));
        figures.extend(near("one node, SQLite", &found));
        figures.extend(service.end("one node, SQLite"));
    }
    if let Some(database) = MariaDb::start() {
        let (service, way) = of_three(plan, &database.url());
        let mut workers = access::workers(run, &service, Reach::Home, plan.workers);
        let found = access::run(run, &mut workers, plan.changes, share(5));
        figures.extend(near("three nodes, MariaDB", &found));
        let mut workers = access::workers(run, &service, Reach::Everywhere, plan.far_workers);
        let found = access::run(run, &mut workers, plan.far_changes, share(7));
        figures.extend(far(plan, &found));
        figures.extend(blind::run(run, plan, &service, (&way, &database)));
        figures.extend(service.end("three nodes, MariaDB"));
    }
    figures
}

/// One node with SQLite.
fn alone(plan: &Plan) -> Service {
    let settings = Settings::new("actix", "sqlite://sakms.db");
    Service::start(vec![settings], plan.max_staleness)
}

/// Three nodes with one MariaDB, the last by a way that can be cut. It has the master keys in another order than the others,
/// so that checks have hashes to make anew and to write while keys are revoked.
fn of_three(plan: &Plan, database: &str) -> (Service, Forwarder) {
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
    (Service::start(settings, plan.max_staleness), way)
}

fn near(title: &str, found: &Found) -> Vec<Figure> {
    let name = |what: &str| format!("{title}: {what}");
    let mut figures = vec![
        Figure::plain(name("changes acknowledged"), found.acknowledged),
        Figure::plain(
            name("checks begun after the acknowledgement, on the node that gave it"),
            found.pairs,
        ),
        Figure::never(
            name("of them answered by an older state"),
            found.stale_at_home,
        ),
        Figure::plain(
            name("checks under way while access was taken away"),
            found.races,
        ),
    ];
    figures.extend(common(title, found));
    figures
}

fn far(plan: &Plan, found: &Found) -> Vec<Figure> {
    let title = "three nodes, followed everywhere";
    let name = |what: &str| format!("{title}: {what}");
    let longest = format!("{} ms", found.longest.as_millis());
    let longest_name =
        name("longest time after the acknowledgement that another node let somebody in");
    let mut figures = vec![
        Figure::plain(name("changes acknowledged"), found.acknowledged),
        Figure::plain(name("checks on the other nodes"), found.far_checks),
        if plan.timed {
            Figure::goal(longest_name, longest, "≤ 1 s", found.longest <= PROMISED)
        } else {
            Figure::plain(longest_name, longest)
        },
        Figure::never(name("answers older than the hard bound"), found.past_bound),
        Figure::never(
            name("answers by an older state on the node that acknowledged"),
            found.stale_at_home,
        ),
        Figure::plain(
            name("checks under way while access was taken away"),
            found.races,
        ),
    ];
    figures.extend(common(title, found));
    figures
}

fn common(title: &str, found: &Found) -> Vec<Figure> {
    let name = |what: &str| format!("{title}: {what}");
    vec![
        Figure::never(
            name("keys that were let in again after the races"),
            found.came_back,
        ),
        Figure::never(
            name("keys that the database had otherwise after the races"),
            found.kept_otherwise,
        ),
        Figure::never(name("answers that no state explains"), found.invented),
        Figure::never(
            name("answers that name another key, or are neither granted, refused nor 503"),
            found.odd,
        ),
        Figure::plain(
            name("answers 503, and connections that broke"),
            found.undecided,
        ),
        Figure::plain(
            name("changes that were not acknowledged"),
            found.unacknowledged,
        ),
    ]
}
