//! Many clients that take their time: others notice nothing of them, and the server is rid of them soon.

use std::time::{Duration, Instant};

use crate::figure::Figure;
use crate::harness::canaries;
use crate::harness::client;
use crate::harness::crowd::{Crowd, Tally};
use crate::harness::loris::{Lorises, Way};
use crate::harness::person::{PASSWORD, Person};
use crate::harness::process;
use crate::harness::server::{JWT_SECRET, MASTER_KEY, Server};
use crate::harness::setup::{FRAMEWORKS, start};
use crate::run::Run;

/// How much of everything.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How many connections are held in each way.
    pub connections: u32,
    /// The server's time-outs for headers and for bodies, in seconds.
    pub timeout: u64,
    /// How long the load for comparison takes.
    pub compared: Duration,
    /// Whether times have goals.
    pub timed: bool,
}

impl Plan {
    /// In small, for a test.
    #[must_use]
    pub const fn short() -> Self {
        Self {
            connections: 40,
            timeout: 2,
            compared: Duration::from_millis(500),
            timed: false,
        }
    }

    /// At length.
    #[must_use]
    pub const fn long() -> Self {
        Self {
            connections: 1_000,
            timeout: 10,
            compared: Duration::from_secs(10),
            timed: true,
        }
    }
}

const WAYS: [(Way, &str); 5] = [
    (Way::Silent, "sending nothing"),
    (Way::Headers, "sending headers byte by byte"),
    (Way::Body, "sending a body byte by byte"),
    (Way::Unread, "reading no answer"),
    (
        Way::LaterHeaders,
        "sending the headers of a second request byte by byte",
    ),
];

/// Other clients: so many, each so often.
const PEOPLE: u32 = 4;
const PACE: Duration = Duration::from_millis(10);
/// How much later than its time-out a connection is closed at most.
const LATER: Duration = Duration::from_secs(1);
/// Within what other clients notice nothing: as much as a look-up in a database may take.
const UNHARMED: Duration = Duration::from_millis(10);
/// After so much more nobody waits for it any longer.
const GIVE_UP: Duration = Duration::from_secs(6);

/// Runs it at length.
#[must_use]
pub fn long(run: &Run) -> Vec<Figure> {
    scenario(run, &Plan::long())
}

/// Runs the scenario on each framework: at once where no times are compared.
#[must_use]
pub fn scenario(run: &Run, plan: &Plan) -> Vec<Figure> {
    if plan.timed {
        let say = |what: &str| run.progress(|| what.to_owned());
        let on = |framework| on_one(&say, plan, framework);
        return FRAMEWORKS.into_iter().flat_map(on).collect();
    }
    std::thread::scope(|scope| {
        let both =
            FRAMEWORKS.map(|framework| scope.spawn(move || on_one(&|_| {}, plan, framework)));
        both.into_iter()
            .flat_map(|one| one.join().unwrap())
            .collect()
    })
}

fn on_one(say: &dyn Fn(&str), plan: &Plan, framework: &str) -> Vec<Figure> {
    let folder = tempfile::tempdir().unwrap();
    let timeout = plan.timeout.to_string();
    let settings = [
        ("SAKMS_KEY_HASHER", "hmac-sha256"),
        ("SAKMS_HEADER_TIMEOUT", &*timeout),
        ("SAKMS_BODY_TIMEOUT", &*timeout),
    ];
    let server = start(framework, folder.path(), &settings);
    let owner = Person::register(server.address, "owner@example.com");
    let key = owner.key(server.address).text;
    let keys = std::slice::from_ref(&key);
    let others = || Crowd::checking(server.address, PEOPLE, PACE, keys);
    let alone = others().stop_after(plan.compared);
    let mut figures = vec![Figure::never(
        format!("{framework}: other clients' requests that failed before"),
        alone.other_than(&[200]),
    )];
    for (way, name) in WAYS {
        say(&format!("{framework}, {name}"));
        // What the framework does not promise is said and not asked for: see "The two frameworks" in the server's README.
        let promised = !(framework == "actix" && way == Way::LaterHeaders);
        let give_up = if promised { GIVE_UP } else { LATER + PACE };
        let held = hold(&server, way, plan, others(), give_up);
        figures.extend(held.figures(
            &format!("{framework}, {} clients {name}", plan.connections),
            plan,
            promised,
            &alone,
        ));
    }
    let bearer = owner.bearer.trim_start_matches("Bearer ");
    let secrets = [PASSWORD, MASTER_KEY, JWT_SECRET, &key, bearer];
    figures.push(Figure::never(
        format!("{framework}: secrets in the log"),
        canaries::seen(&server.log(), secrets),
    ));
    figures
}

/// What was seen while connections were held.
struct Held {
    others: Tally,
    /// New connections of other clients that were not served.
    newcomers_failed: u64,
    /// How many were still open when all had to be closed; `None` where the system does not tell.
    left: Option<u64>,
    /// How long it took until all were closed.
    closed: Option<Duration>,
}

fn hold(server: &Server, way: Way, plan: &Plan, others: Crowd, give_up: Duration) -> Held {
    // The other clients' connections may be opened later than they are counted.
    let open = || process::descriptors(server.id());
    let mut newcomers_failed = 0;
    let mut newcomer = || {
        let answer = client::try_send(server.address, "GET", "/health", &[], "");
        newcomers_failed += u64::from(!answer.is_ok_and(|answer| answer.status == 200));
    };
    newcomer();
    std::thread::sleep(Duration::from_millis(100));
    let before = open();
    let timeout = Duration::from_secs(plan.timeout);
    let lorises = Lorises::start(server.address, way, plan.connections, timeout / 20);
    let begun = Instant::now();
    let (mut left, mut closed, mut most) = (None, None, 0);
    while begun.elapsed() < timeout + give_up {
        newcomer();
        let more = open()
            .zip(before)
            .map(|(open, before)| open.saturating_sub(before));
        most = most.max(more.unwrap_or(0));
        // The server takes them one after the other; none is gone before it has come.
        let came = most * 2 > u64::from(plan.connections);
        if more.is_none_or(|more| more == 0 && came) {
            closed = more.map(|_| begun.elapsed());
            left = more.map(|_| left.unwrap_or(0));
            break;
        }
        if left.is_none() && begun.elapsed() > timeout + LATER {
            left = more;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    if left.is_none() {
        left = open()
            .zip(before)
            .map(|(open, before)| open.saturating_sub(before));
    }
    drop(lorises);
    Held {
        others: others.stop(),
        newcomers_failed,
        left,
        closed,
    }
}

impl Held {
    fn figures(&self, what: &str, plan: &Plan, promised: bool, alone: &Tally) -> Vec<Figure> {
        let left = format!(
            "{what}: still open {} s after the time-out",
            LATER.as_secs()
        );
        let left = match self.left {
            Some(count) if promised && (plan.timed || self.closed.is_none()) => {
                Figure::never(left, count)
            }
            Some(count) => Figure::plain(left, count),
            None => Figure::plain(left, "not known on this system"),
        };
        let closed = self.closed.map_or("not seen".to_owned(), |time| {
            format!("{:.1} s", time.as_secs_f64())
        });
        let time = format!("{what}: 99 % of other clients' requests");
        let found = self.others.compared(alone);
        let unharmed = found.with <= UNHARMED;
        let time = if plan.timed {
            // A ratio would say more of who plays the thousand, on the same cores.
            Figure::goal(time, found, "≤ 10 ms", unharmed)
        } else {
            Figure::plain(time, found)
        };
        vec![
            Figure::never(
                format!("{what}: other clients' requests that failed"),
                self.others.other_than(&[200]) + self.newcomers_failed,
            ),
            left,
            Figure::plain(format!("{what}: all closed after"), closed),
            time,
        ]
    }
}
