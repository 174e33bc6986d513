//! Three Galera nodes with two servers in front, while nodes are killed, stand still and are cut off: nobody is let in past the
//! bound, conflicts between nodes are no errors of the server, and a node that is alone says so. What a cluster loses
//! that dies as a whole is counted.

mod crash;
mod nemesis;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::figure::Figure;
use crate::harness::access::found::Found;
use crate::harness::access::service::Service;
use crate::harness::access::{self, Reach};
use crate::harness::galera::Galera;
use crate::harness::node::{Settings, framework};
use crate::run::Run;
use nemesis::{Nemesis, Suffered};

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How often a node is troubled.
    pub troubles: u64,
    /// For how long each time.
    pub hold: Duration,
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
            troubles: 3,
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
            troubles: 90,
            hold: Duration::from_secs(12),
            workers: 8,
            crashes: 5,
            timed: true,
        }
    }
}

/// For how long a server believes what it remembers; the default.
const BOUND: Duration = Duration::from_secs(5);

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
    let service = Service::start(nodes.collect(), BOUND);
    let (found, suffered) = trouble(run, plan, &service, &mut galera);
    figures.extend(told(plan, &found, &suffered));
    figures.extend(crash::run(run, plan, &service, &mut galera));
    figures.extend(service.end("two servers"));
    figures
}

/// Troubles nodes while keys are changed and checked.
fn trouble(run: &Run, plan: &Plan, service: &Service, galera: &mut Galera) -> (Found, Suffered) {
    let (over, suffered) = (AtomicBool::new(false), Mutex::new(Suffered::default()));
    let limit = run.time(Duration::MAX) / 3 * 2;
    let begun = std::time::Instant::now();
    let found = std::thread::scope(|scope| {
        let mut nemesis = Nemesis::new(run, service, galera);
        let (over, suffered) = (&over, &suffered);
        scope.spawn(move || {
            let ended = Ended(over);
            let is_over = || begun.elapsed() >= limit;
            *suffered.lock().unwrap() = nemesis.trouble(plan.troubles, plan.hold, is_over);
            drop(ended);
        });
        let is_over = || over.load(Ordering::SeqCst);
        access::run(
            run,
            service,
            Reach::Everywhere,
            u64::MAX,
            plan.workers,
            is_over,
        )
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

fn told(plan: &Plan, found: &Found, suffered: &Suffered) -> Vec<Figure> {
    let longest = format!("{} ms", suffered.longest.as_millis());
    let alone = "longest answer of a server whose node is outside of the majority";
    vec![
        Figure::plain("nodes killed", suffered.kills),
        Figure::plain("nodes stopped for a while", suffered.pauses),
        Figure::plain("nodes cut off from the others", suffered.partitions),
        Figure::plain("changes acknowledged", found.acknowledged),
        Figure::plain("changes answered 503, or not at all", found.unacknowledged),
        Figure::plain("checks on the other server", found.far_checks),
        Figure::plain("checks answered 503", found.undecided),
        Figure::never("keys let in past the bound", found.past_bound),
        Figure::plain(
            "longest time after the acknowledgement that the other server let somebody in",
            format!("{} ms", found.longest.as_millis()),
        ),
        Figure::never(
            "older answers of the server that acknowledged",
            found.stale_at_home,
        ),
        Figure::never("answers that no state explains", found.invented),
        Figure::never("keys let in again after the races", found.came_back),
        Figure::never(
            "keys that the database had otherwise after the races",
            found.kept_otherwise,
        ),
        Figure::never(
            "answers of another kind than yes, no and 503 (500 is one)",
            found.odd,
        ),
        Figure::plain(
            "requests to a server whose node is outside of the majority",
            suffered.asked_alone,
        ),
        Figure::never(
            "of them answered otherwise than 503",
            suffered.answered_alone,
        ),
        if plan.timed {
            let met = suffered.longest <= Duration::from_secs(1);
            Figure::goal(alone, longest, "≤ 1 s", met)
        } else {
            Figure::plain(alone, longest)
        },
    ]
}
