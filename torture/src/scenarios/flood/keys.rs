//! Texts that are no keys, and texts that could be keys and are not.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use super::Plan;
use super::ground::{Ground, finish};
use crate::figure::Figure;
use crate::harness::crowd::{Crowd, check};
use crate::harness::forge::Forge;
use crate::harness::metrics::Metrics;
use crate::run::Run;

const PEOPLE: u32 = 16;
/// For how many refused texts there is room.
const DENIALS: u64 = 1_000;
/// How many are remembered at most: the parts of the map have some room to spare, so that none is full before it is.
const MOST_DENIALS: u64 = DENIALS * 3 / 2;
/// So many people show genuine-looking keys, and so many times as many as can be checked.
const CROWD: u32 = 200;
const TIMES: f64 = 5.0;

pub(super) fn no_keys(framework: &str, run: &Run, plan: &Plan) -> Vec<Figure> {
    // What is written down of refusals is another thing, and has a limit of its own.
    let ground = Ground::start(framework, plan, &[("SAKMS_REFUSALS_PER_MINUTE", "0")]);
    let read = || Metrics::of(&ground.server);
    let before = read();
    let (forge, count) = (RefCell::new(Forge::new(run.random("no keys"))), plan.texts);
    let begun = Instant::now();
    let crowd = Crowd::start(
        ground.server.address,
        PEOPLE,
        Duration::ZERO,
        move |number| (number < count).then(|| check(&forge.borrow_mut().forged())),
    );
    let tally = finish(run, "texts that are no keys", crowd);
    let took = begun.elapsed().as_secs_f64();
    let after = read();
    let more = |name: &str, words: &[&str]| {
        after
            .sum(name, words)
            .saturating_sub(before.sum(name, words))
    };
    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate needs no more than 52 bits"
    )]
    let rate = tally.answers() as f64 / took;
    vec![
        Figure::plain("texts that are no keys", tally.answers()),
        Figure::plain("texts a second", format!("{rate:.0}")),
        Figure::never("texts answered other than 401", tally.other_than(&[401])),
        Figure::never(
            "look-ups in the database for them",
            more("sakms_store_seconds_count", &["\"find\""]),
        ),
        Figure::never("hashes for them", more("sakms_hash_seconds_count", &[])),
        ground.leaks("the texts"),
    ]
}

pub(super) fn genuine(framework: &str, run: &Run, plan: &Plan) -> Vec<Figure> {
    let denials = DENIALS.to_string();
    let ground = Ground::start(
        framework,
        plan,
        &[
            ("SAKMS_CACHE_DENIALS", &denials),
            ("SAKMS_HASH_THREADS", "1"),
        ],
    );
    let alone = ground.known().stop_after(plan.compared);
    let show = |people, pace, part: &str| {
        let forge = RefCell::new(Forge::new(run.random(part)));
        Crowd::start(ground.server.address, people, pace, move |_| {
            Some(check(&forge.borrow_mut().genuine()))
        })
    };
    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate needs no more than 52 bits"
    )]
    let a_second = |count: u64, time: Duration| count as f64 / time.as_secs_f64();
    let begun = Instant::now();
    let measured = show(2, Duration::ZERO, "measured").stop_after(plan.compared);
    let capacity = a_second(measured.of(401), begun.elapsed()).max(1.0);
    let pace = Duration::from_secs_f64(f64::from(CROWD) / (TIMES * capacity));
    let before = Metrics::of(&ground.server);
    let base = ground.memory();
    let (begun, beside) = (Instant::now(), ground.known());
    let crowd = show(CROWD, pace, "genuine");
    while begun.elapsed() < plan.time && !run.is_over() {
        run.progress(|| format!("genuine-looking keys, {} s", begun.elapsed().as_secs()));
        std::thread::sleep(Duration::from_millis(20));
    }
    let time = begun.elapsed();
    let most = ground.memory();
    let beside = beside.stop();
    let crowd = crowd.stop();
    let after = Metrics::of(&ground.server);
    let kept = 100.0 * a_second(beside.of(200), time) / a_second(alone.of(200), plan.compared);
    let what = "goodput of known keys that was kept";
    let found = format!("{kept:.0} %");
    let goodput = if plan.timed {
        Figure::goal(what, found, "≥ 95 %", kept >= 95.0)
    } else {
        Figure::plain(what, found)
    };
    let flood = "genuine-looking keys";
    let entries = after.sum("sakms_cache_entries", &["\"denials\""]);
    let evictions = |metrics: &Metrics| metrics.sum("sakms_cache_evictions_total", &["\"keys\""]);
    let mut figures = vec![
        Figure::plain(
            "genuine-looking keys a second that can be checked, that were shown",
            format!("{capacity:.0}, {:.0}", a_second(crowd.answers(), time)),
        ),
        Figure::plain(
            "of them refused with 401, with 503",
            format!("{}, {}", crowd.of(401), crowd.of(503)),
        ),
        Figure::never(
            "genuine-looking keys answered other than 401 and 503",
            crowd.other_than(&[401, 503]),
        ),
        goodput,
        Figure::goal(
            "refused texts that are remembered",
            entries,
            format!("≤ {MOST_DENIALS}"),
            entries <= MOST_DENIALS,
        ),
        Figure::never(
            "known keys that had to make room",
            evictions(&after) - evictions(&before),
        ),
        super::logins::memory(flood, base, most, 32 * 1024),
    ];
    // Before and after: a machine is not as quiet at all times.
    let alone = alone.and(ground.known().stop_after(plan.compared));
    figures.extend(Ground::beside(flood, plan, &alone, &beside));
    figures.push(ground.leaks("the genuine-looking keys"));
    figures
}
