//! Three Galera nodes with two servers in front, while nodes are killed, stand still and are cut off: nobody is let in past the
//! bound, conflicts between nodes are no errors of the server, and a node that is alone says so. What a cluster loses
//! that dies as a whole is counted.

mod crash;
mod nemesis;
mod reading;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::figure::Figure;
use crate::harness::access::found::Found;
use crate::harness::access::service::Service;
use crate::harness::access::worker::Worker;
use crate::harness::access::{self, Reach};
use crate::harness::galera::{self, Galera};
use crate::harness::haproxy::HaProxy;
use crate::harness::node::{Settings, framework};
use crate::run::Run;
use nemesis::{Front, Nemesis, Suffered};

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Changes on two nodes at once while nothing is wrong: every one of them needs the journal's head.
    pub calm: u64,
    /// For how long a server believes what it remembers.
    pub bound: Duration,
    /// How often a node is troubled.
    pub troubles: u64,
    /// For how long each time.
    pub hold: Duration,
    /// How often a node is troubled behind `HAProxy`.
    pub proxied: u64,
    /// Who changes keys meanwhile.
    pub workers: usize,
    /// How often all nodes die.
    pub crashes: u64,
    /// Whether times are goals.
    pub timed: bool,
}

impl Plan {
    /// For a test: each trouble but the death of all once.
    #[must_use]
    pub const fn short() -> Self {
        Self {
            calm: 60,
            // Shorter than a node is stopped: one that goes on must not pass off what it had as what is.
            bound: Duration::from_secs(2),
            troubles: 3,
            proxied: 0,
            hold: Duration::from_secs(4),
            workers: 4,
            crashes: 0,
            timed: false,
        }
    }

    /// For the command.
    #[must_use]
    pub const fn long() -> Self {
        Self {
            calm: 5_000,
            bound: Duration::from_secs(5),
            troubles: 45,
            proxied: 18,
            hold: Duration::from_secs(10),
            workers: 8,
            crashes: 5,
            timed: true,
        }
    }
}

/// Runs it at length.
#[must_use]
pub fn long(run: &Run) -> Vec<Figure> {
    run_plan(run, &Plan::long())
}

/// Runs it as a plan says.
#[must_use]
pub fn run_plan(run: &Run, plan: &Plan) -> Vec<Figure> {
    let Some(mut galera) = Galera::start() else {
        return vec![Figure::plain("a Galera cluster", "not there")];
    };
    let mut figures = Vec::new();
    let nodes = (0..2).map(|node| Settings::new(framework(node), galera.url(node)));
    let service = Service::start(nodes.collect(), plan.bound);
    let is_over = || run.elapsed() >= run.time(Duration::MAX) / 8;
    figures.extend(reading::figures(&galera));
    let mut workers = access::workers(run, &service, Reach::Everywhere, plan.workers);
    let calm = access::run(run, &mut workers, plan.calm, is_over);
    figures.extend([
        Figure::plain(
            "two nodes written to at once: changes acknowledged",
            calm.acknowledged,
        ),
        Figure::plain(
            "of them answered 503 for conflicts that did not end",
            calm.unacknowledged,
        ),
        Figure::never(
            "answers of another kind, or out of date",
            calm.odd + calm.past_bound + calm.stale_at_home,
        ),
    ]);
    let nemesis = Nemesis::new(run, &service, &mut galera, Front::Direct);
    let (found, suffered) = trouble(run, plan, &mut workers, nemesis);
    figures.extend(told(
        plan,
        "a server on each of two nodes",
        &found,
        &suffered,
    ));
    figures.extend(crash::run(run, plan, &service, &mut galera));
    figures.extend(service.end("two servers"));
    drop(service);
    if plan.proxied > 0
        && let Some(proxy) = HaProxy::start(&galera)
    {
        let url = galera::url(proxy.port());
        let nodes = (0..2).map(|node| Settings::new(framework(node), &url));
        let service = Service::start(nodes.collect(), plan.bound);
        let plan = Plan {
            troubles: plan.proxied,
            ..*plan
        };
        let mut workers = access::workers(run, &service, Reach::Everywhere, plan.workers);
        let nemesis = Nemesis::new(run, &service, &mut galera, Front::Proxy);
        let (found, suffered) = trouble(run, &plan, &mut workers, nemesis);
        let title = "behind HAProxy";
        figures.extend(told(&plan, title, &found, &suffered));
        figures.extend(service.end(title));
    }
    figures
}

/// Troubles nodes while keys are changed and checked.
fn trouble(
    run: &Run,
    plan: &Plan,
    workers: &mut [Worker<'_>],
    mut nemesis: Nemesis<'_>,
) -> (Found, Suffered) {
    let (over, suffered) = (AtomicBool::new(false), Mutex::new(Suffered::default()));
    // With a limit, each front has its share.
    let share = match nemesis.front {
        Front::Direct => 4,
        Front::Proxy => 8,
    };
    let left = (run.time(Duration::MAX) / 8 * share).saturating_sub(run.elapsed());
    let begun = Instant::now();
    let found = std::thread::scope(|scope| {
        let (over, suffered) = (&over, &suffered);
        scope.spawn(move || {
            let ended = Ended(over);
            let is_over = || begun.elapsed() >= left;
            *suffered.lock().unwrap() = nemesis.trouble(plan.troubles, plan.hold, is_over);
            drop(ended);
        });
        access::run(run, workers, u64::MAX, || over.load(Ordering::SeqCst))
    });
    (found, suffered.into_inner().unwrap())
}

/// Says that it is over, also when whoever made trouble has failed.
struct Ended<'a>(&'a AtomicBool);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn told(plan: &Plan, title: &str, found: &Found, suffered: &Suffered) -> Vec<Figure> {
    let name = |what: &str| format!("{title}: {what}");
    let longest = format!("{} ms", suffered.longest.as_millis());
    let alone = name("longest answer of a server whose node is outside of the majority");
    let mut figures = vec![
        Figure::plain(name("nodes killed"), suffered.kills),
        Figure::plain(name("nodes stopped for a while"), suffered.pauses),
        Figure::plain(name("nodes cut off from the others"), suffered.partitions),
        Figure::plain(name("changes acknowledged"), found.acknowledged),
        Figure::plain(
            name("changes answered 503, or not at all"),
            found.unacknowledged,
        ),
        Figure::plain(name("checks on the other server"), found.far_checks),
        Figure::plain(name("checks answered 503"), found.undecided),
        Figure::never(name("keys let in past the bound"), found.past_bound),
        Figure::plain(
            name("longest time after the acknowledgement that the other server let somebody in"),
            format!("{} ms", found.longest.as_millis()),
        ),
        Figure::never(
            name("older answers of the server that acknowledged"),
            found.stale_at_home,
        ),
        Figure::never(name("answers that no state explains"), found.invented),
        Figure::never(name("keys let in again after the races"), found.came_back),
        Figure::never(
            name("keys that the database had otherwise after the races"),
            found.kept_otherwise,
        ),
        Figure::never(
            name("answers that name another key, or are neither yes, no nor 503 (500 is one)"),
            found.odd,
        ),
    ];
    for answer in &found.odd_answers {
        figures.push(Figure::plain(name("one of them"), answer));
    }
    if suffered.asked_alone > 0 {
        figures.extend([
            Figure::plain(
                name("requests to a server whose node is outside of the majority"),
                suffered.asked_alone,
            ),
            Figure::never(
                name("of them answered otherwise than 503"),
                suffered.answered_alone,
            ),
            if plan.timed {
                let met = suffered.longest <= Duration::from_secs(1);
                Figure::goal(alone, longest, "≤ 1 s", met)
            } else {
                Figure::plain(alone, longest)
            },
        ]);
    }
    figures
}
