//! A long time of the usual: memory and descriptors must not grow, and nothing may go wrong.

#![expect(
    clippy::cast_precision_loss,
    reason = "a rate and a slope need no more digits"
)]

mod samples;
mod user;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::figure::Figure;
use crate::harness::canaries::{Canaries, SECRETS};
use crate::harness::findings::Findings;
use crate::harness::mariadbd::MariaDb;
use crate::harness::process;
use crate::harness::site::Site;
use crate::run::Run;
use samples::{Sample, Samples};
use user::{Pace, User};

/// How long, and how much.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How long the load lasts, unless something else is said.
    pub time: Duration,
    /// For how long it is measured how much the server can do.
    pub trial: Duration,
    /// How often a sample is taken.
    pub every: Duration,
    /// Clients, each with a connection of its own.
    pub users: usize,
    /// Whether the growth has to be below the goal. In a short time memory says nothing.
    pub judged: bool,
}

impl Plan {
    /// Half an hour.
    #[must_use]
    pub const fn long() -> Self {
        Self {
            time: Duration::from_mins(30),
            trial: Duration::from_secs(20),
            every: Duration::from_secs(5),
            users: 16,
            judged: true,
        }
    }

    /// A few seconds.
    #[must_use]
    pub const fn short() -> Self {
        Self {
            time: Duration::from_secs(4),
            trial: Duration::from_secs(1),
            every: Duration::from_millis(200),
            users: 4,
            judged: false,
        }
    }
}

/// How much of what it can do the server is asked for.
const LOAD: f64 = 0.7;
/// How much memory may grow in an hour, in MiB, as the line through all samples after the warm-up says.
const GROWTH: f64 = 1.0;
/// How many descriptors may be added in an hour.
const DESCRIPTORS: f64 = 1.0;

const FAILED: &str = "answers that are no success and no refusal (5xx, broken connections)";
const WRONG: &str = "wrong answers";
const CHAIN: &str = "times that the journal's chain did not verify";

/// Lets the server work for a long time, on MariaDB where there is one.
#[must_use]
pub fn run(run: &Run, plan: Plan) -> Vec<Figure> {
    let folder = tempfile::tempdir().unwrap();
    let database = MariaDb::start();
    let site = Site::new(folder.path())
        // What is remembered fills up in the warm-up, and nothing grows by it from then on.
        .with("SAKMS_CACHE_KEYS", "1000")
        .with("SAKMS_CACHE_DENIALS", "300")
        .with("SAKMS_CACHE_SESSIONS", "200")
        .with("SAKMS_LOG", "warn,sakms_server::listen=info");
    let site = match &database {
        Some(database) => site.with("SAKMS_DATABASE_URL", database.url()),
        None => site,
    };
    let mut server = site.start();
    let findings = Findings::of(&[FAILED, WRONG, CHAIN, SECRETS]);
    let mut users: Vec<_> = (0..plan.users)
        .map(|number| {
            User::register(
                server.address,
                number,
                run.random(&format!("user {number}")),
            )
        })
        .collect();

    let capacity = rate(&mut users, &findings, Pace::Unbounded, plan.trial);
    let pace = Pace::Each(Duration::from_secs_f64(
        plan.users as f64 / (capacity * LOAD),
    ));
    let time = run.time(plan.time);
    let mut samples = Samples::default();
    let begun = Instant::now();
    let (over, done) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for user in &mut users {
            scope.spawn(|| user.work(pace, &over, &done, &findings));
        }
        let mut before = 0;
        while begun.elapsed() < time {
            std::thread::sleep(plan.every);
            let all = done.load(Ordering::Relaxed);
            if let Some(holding) = process::holding(server.id()) {
                samples.add(Sample {
                    seconds: begun.elapsed().as_secs_f64(),
                    kibibytes: holding.kibibytes,
                    descriptors: holding.descriptors,
                    answered: all - before,
                });
                run.progress(|| format!("{} MiB, {all} answered", holding.kibibytes >> 10));
            }
            before = all;
        }
        over.store(true, Ordering::Relaxed);
    });
    let answered = done.load(Ordering::Relaxed);
    let took = begun.elapsed();
    server.signal("TERM");
    if !server.wait(Duration::from_mins(1)).success() {
        findings.add(WRONG, || "the end".to_owned());
    }
    if !site.chain_holds() {
        findings.add(CHAIN, || "at the end".to_owned());
    }
    let mut canaries = Canaries::usual();
    for user in &users {
        user.watch(&mut canaries);
    }
    canaries.look_through(&server.log(), &findings);
    run.keep("soak", &samples.table());

    let mut figures = vec![
        Figure::plain("time", format!("{:.1} min", took.as_secs_f64() / 60.0)),
        Figure::plain(
            "requests a second that this machine can do, clients on it too",
            format!("{capacity:.0}"),
        ),
        Figure::plain(
            "requests a second, on average",
            format!("{:.0}", answered as f64 / took.as_secs_f64()),
        ),
        Figure::plain("requests answered", answered),
    ];
    figures.extend(samples.figures(plan.judged));
    figures.extend(findings.figures("soak"));
    figures
}

/// How many requests a second are answered.
fn rate(users: &mut [User], findings: &Findings, pace: Pace, time: Duration) -> f64 {
    let (over, done) = (AtomicBool::new(false), AtomicU64::new(0));
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for user in users {
            scope.spawn(|| user.work(pace, &over, &done, findings));
        }
        std::thread::sleep(time);
        over.store(true, Ordering::Relaxed);
    });
    done.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64()
}
