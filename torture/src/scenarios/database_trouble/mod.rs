//! Trouble between two nodes, one on each framework, and their MariaDB: what they say of a key must be right or nothing, and
//! what is repeated after a lost answer must have been done once.

mod clients;
mod creates;
mod slow;
mod world;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::figure::Figure;
use crate::harness::canaries;
use crate::harness::mariadbd::MariaDb;
use crate::harness::proxy::Trouble;
use crate::run::Run;
use world::World;

/// How much of everything.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How long each kind of trouble is made; the black hole until the bound is over at least.
    pub each: Duration,
    /// For how long the nodes believe what they remember.
    pub staleness: Duration,
    /// How many keys are made for each kind of trouble that no node has seen.
    pub cold: usize,
    /// How many keys are made while commits are cut.
    pub creates: usize,
    /// How many management calls are under way at once against the slow database.
    pub calls: u32,
    /// How long each of the two loads for comparison takes.
    pub compared: Duration,
    /// Whether times have goals.
    pub timed: bool,
}

impl Plan {
    /// In small, for a test.
    #[must_use]
    pub const fn short() -> Self {
        Self {
            each: Duration::from_millis(1200),
            staleness: Duration::from_secs(3),
            cold: 6,
            creates: 16,
            calls: 50,
            compared: Duration::from_millis(600),
            timed: false,
        }
    }

    /// At length; the kinds of trouble take `time` together.
    #[must_use]
    pub fn long(time: Duration) -> Self {
        let kinds = u32::try_from(TROUBLES.len()).unwrap_or(1);
        Self {
            each: time / kinds,
            staleness: Duration::from_secs(5),
            cold: 200,
            creates: 2_000,
            calls: 500,
            compared: Duration::from_secs(20),
            timed: true,
        }
    }
}

/// A kind of trouble.
#[derive(Debug)]
struct Kind {
    name: &'static str,
    trouble: Trouble,
    /// Whether all connections are reset besides, at random moments.
    resets: bool,
}

const TROUBLES: [Kind; 5] = [
    Kind {
        name: "a black hole",
        trouble: Trouble::BlackHole,
        resets: false,
    },
    Kind {
        name: "1 % of the packets reset",
        trouble: Trouble::Resets(10),
        resets: false,
    },
    Kind {
        name: "resets at any moment",
        trouble: Trouble::None,
        resets: true,
    },
    Kind {
        name: "200 ms later",
        trouble: Trouble::Late(Duration::from_millis(200)),
        resets: false,
    },
    Kind {
        name: "one byte at a time",
        trouble: Trouble::Slices,
        resets: false,
    },
];

/// A check that cannot be decided is refused within this time.
const REFUSAL: Duration = Duration::from_millis(600);
/// The database is used again so soon after the trouble has ended.
const RECOVERY: Duration = Duration::from_secs(10);

/// Runs it at length.
#[must_use]
pub fn long(run: &Run) -> Vec<Figure> {
    scenario(run, &Plan::long(run.time(Duration::from_mins(10))))
}

/// Runs the scenario; finds nothing where there is no MariaDB and none is required.
#[must_use]
pub fn scenario(run: &Run, plan: &Plan) -> Vec<Figure> {
    let Some(database) = MariaDb::start() else {
        return vec![Figure::plain("skipped", "no MariaDB")];
    };
    let world = World::start(&database, plan, run);
    world.wait_until_ready(RECOVERY);
    let mut figures = Vec::new();
    for kind in &TROUBLES {
        run.progress(|| kind.name.to_owned());
        clients::trouble(&world, plan, kind, run);
        let healed = Instant::now();
        world.wait_until_ready(RECOVERY);
        let took = healed.elapsed().as_millis();
        figures.push(Figure::plain(
            format!("{}: usable again after", kind.name),
            format!("{took} ms"),
        ));
    }
    clients::look_at_last(&world, plan);
    figures.extend(verdicts(&world, plan));
    figures.extend(creates::figures(&world, plan, run));
    world.wait_until_ready(RECOVERY);
    figures.extend(slow::figures(&world, plan));
    let leaked = world.secrets();
    let logs = world.nodes.iter().map(|node| node.server.log());
    let seen = logs.map(|log| canaries::seen(&log, leaked.iter().map(String::as_str)));
    figures.push(Figure::never("secrets in the logs", seen.sum()));
    figures
}

fn verdicts(world: &World, plan: &Plan) -> Vec<Figure> {
    let seen = &world.seen;
    let count = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
    let mut refusals = seen.refusals.lock().unwrap().clone();
    refusals.sort_unstable();
    let p99 = refusals
        .get((refusals.len() * 99 / 100).min(refusals.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default();
    let found = format!("{} ms", p99.as_millis());
    let what = "time of 99 % of the checks that were answered 503";
    let time = if plan.timed {
        let goal = format!("≤ {} ms", REFUSAL.as_millis());
        Figure::goal(what, found, goal, p99 <= REFUSAL)
    } else {
        Figure::plain(what, found)
    };
    vec![
        Figure::plain("checks that were granted", count(&seen.granted)),
        Figure::plain("checks that could not be decided (503)", refusals.len()),
        Figure::plain(
            "connections to the database that were cut",
            world.proxy.cuts(),
        ),
        Figure::never("valid keys that were denied", count(&seen.valid_denied)),
        Figure::never(
            "unknown keys that were granted",
            count(&seen.unknown_granted),
        ),
        Figure::plain("revocations that were acknowledged", count(&seen.revoked)),
        Figure::never(
            "keys granted after their revocation was acknowledged by the same node",
            count(&seen.revoked_granted_here),
        ),
        Figure::never(
            "keys granted by the other node later than the bound after it",
            count(&seen.revoked_granted_there),
        ),
        Figure::never(
            "warm keys granted past the bound in the black hole",
            count(&seen.past_the_bound),
        ),
        Figure::never(
            "warm keys refused in the black hole before half of the bound",
            count(&seen.before_the_bound),
        ),
        time,
        Figure::never("answers of /health other than 200", count(&seen.unhealthy)),
        Figure::never("requests without an answer", count(&seen.unanswered)),
        Figure::never("statuses nobody expects", count(&seen.unexpected)),
    ]
}
