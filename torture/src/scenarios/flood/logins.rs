//! More sign-ins than can be hashed, and passwords that are too long to be.

use std::time::{Duration, Instant};

use serde_json::json;

use super::Plan;
use super::ground::{Ground, OWNER, finish};
use crate::figure::Figure;
use crate::harness::client;
use crate::harness::crowd::{Crowd, request};
use crate::harness::metrics::Metrics;
use crate::harness::person::PASSWORD;
use crate::run::Run;

/// Whoever is sent away comes back so much later.
const AGAIN: Duration = Duration::from_secs(1);
/// The person with the right password comes back so much later.
const TRY: Duration = Duration::from_millis(100);
/// Hashing threads: one for keys and one for passwords, with their memory in KiB.
const PERMITS: u64 = 2;
const HASH_MEMORY: u64 = 19_456;
/// What a flood of sign-ins may take besides, in KiB.
const SPARE: u64 = 32 * 1024;

/// Whence all of them come, and whence the person comes whose account it is.
const CROWD: &str = "198.51.100.23";
const HOME: &str = "203.0.113.7";

/// Hashing alone: what slows guessers down is off, and would otherwise refuse nearly all of them sooner.
pub(super) fn many(framework: &str, run: &Run, plan: &Plan) -> Vec<Figure> {
    let flood = format!("{} sign-ins at once, throttles off", plan.people);
    guess(framework, run, plan, &flood, false)
}

/// The same with everything as it is by default.
pub(super) fn slowed_down(framework: &str, run: &Run, plan: &Plan) -> Vec<Figure> {
    let flood = format!("{} sign-ins at once from one source", plan.people);
    guess(framework, run, plan, &flood, true)
}

fn guess(framework: &str, run: &Run, plan: &Plan, flood: &str, slowed: bool) -> Vec<Figure> {
    let settings = [
        ("SAKMS_THROTTLES", if slowed { "on" } else { "off" }),
        ("SAKMS_TRUSTED_PROXIES", "127.0.0.0/8"),
        ("SAKMS_HASH_THREADS", "1"),
    ];
    let expected: &[u16] = if slowed {
        &[401, 429, 503]
    } else {
        &[401, 503]
    };
    let ground = Ground::start(framework, plan, &settings);
    let body = json!({ "email": OWNER, "password": PASSWORD }).to_string();
    let sign_in = || {
        let (address, from) = (ground.server.address, [("X-Forwarded-For", HOME)]);
        let answer = client::try_send(address, "POST", "/auth/login", &from, &body);
        answer.map_or(0, |answer| answer.status)
    };
    assert_eq!(sign_in(), 200);
    let alone = ground.known().stop_after(plan.compared);
    let base = ground.memory();
    let beside = ground.known();
    let attempt = |number: u64| {
        let email = if number.is_multiple_of(2) {
            OWNER.to_owned()
        } else {
            format!("nobody-{number}@example.com")
        };
        let body = json!({ "email": email, "password": "a guess, and a wrong one" }).to_string();
        Some(request(
            "POST",
            "/auth/login",
            &[("X-Forwarded-For", CROWD)],
            &body,
        ))
    };
    let crowd = Crowd::start(ground.server.address, plan.people, AGAIN, attempt);
    let begun = Instant::now();
    let (mut tries, mut admitted, mut odd, mut most) = (0_u64, 0_u64, 0_u64, base);
    // Where all are let try, it is chance who is let in; where guessers are slowed down, it must not take long.
    let goes_on = |admitted| {
        let waits = slowed && admitted == 0 && begun.elapsed() < plan.time * 10;
        (begun.elapsed() < plan.time || waits) && !run.is_over()
    };
    while goes_on(admitted) {
        tries += 1;
        match sign_in() {
            200 => admitted += 1,
            503 => {}
            _ => odd += 1,
        }
        most = most.max(ground.memory());
        run.progress(|| {
            format!(
                "{} people sign in, {} s",
                plan.people,
                begun.elapsed().as_secs()
            )
        });
        std::thread::sleep(TRY);
    }
    let (crowd, known) = (crowd.stop(), beside.stop());
    // Before and after: a machine is not as quiet at all times.
    let alone = alone.and(ground.known().stop_after(plan.compared));
    let what = format!("{flood}: sign-ins of the owner, of tries");
    let found = format!("{admitted} of {tries}");
    let mut figures = vec![
        Figure::plain(
            format!("{flood}: hashed, refused with 429, with 503"),
            format!("{}, {}, {}", crowd.of(401), crowd.of(429), crowd.of(503)),
        ),
        Figure::never(
            format!("{flood}: other answers, and none"),
            crowd.other_than(expected),
        ),
        Figure::never(
            format!("{flood}: 429 and 503 without Retry-After"),
            crowd.without_retry_after,
        ),
        if slowed {
            Figure::goal(what, found, "some", admitted > 0)
        } else {
            Figure::plain(what, found)
        },
        Figure::never(
            format!("{flood}: right passwords answered other than 200 and 503"),
            odd,
        ),
    ];
    figures.push(memory(flood, base, most, SPARE));
    figures.extend(Ground::beside(flood, plan, &alone, &known));
    figures.push(ground.leaks(flood));
    figures
}

/// How much more memory there was at most, of what the hashes take and `spare` (KiB).
pub(super) fn memory(flood: &str, base: Option<u64>, most: Option<u64>, spare: u64) -> Figure {
    let what = format!("{flood}: memory above what there was before");
    let Some((base, most)) = base.zip(most) else {
        return Figure::plain(what, "not known on this system");
    };
    let (more, limit) = (most.saturating_sub(base), PERMITS * HASH_MEMORY + spare);
    let mib = |kib: u64| format!("{} MiB", kib / 1024);
    Figure::goal(what, mib(more), format!("≤ {}", mib(limit)), more <= limit)
}

pub(super) fn long_passwords(framework: &str, run: &Run, plan: &Plan) -> Vec<Figure> {
    let ground = Ground::start(framework, plan, &[("SAKMS_THROTTLES", "off")]);
    let hashes = || Metrics::of(&ground.server).sum("sakms_hash_seconds_count", &[]);
    let earlier = hashes();
    // Longer than a password may be, and longer than a body may be.
    let send = |length: usize| {
        let body = json!({ "email": OWNER, "password": "x".repeat(length) }).to_string();
        let requests =
            ["/auth/login", "/auth/register"].map(|path| request("POST", path, &[], &body));
        let count = plan.passwords;
        let crowd = Crowd::start(ground.server.address, 4, Duration::ZERO, move |number| {
            let which = usize::from(!number.is_multiple_of(2));
            (number < count).then(|| requests[which].clone())
        });
        finish(run, "long passwords", crowd)
    };
    let (long, huge) = (send(2_000), send(1024 * 1024));
    let more = hashes() - earlier;
    vec![
        Figure::plain(
            "passwords of 2,000 bytes refused",
            long.of(422) + long.of(401),
        ),
        Figure::never(
            "passwords of 2,000 bytes answered other than 422 and 401",
            long.other_than(&[422, 401]),
        ),
        Figure::plain(
            "passwords of 1 MiB refused with 413, closed on",
            format!("{}, {}", huge.of(413), huge.broken),
        ),
        Figure::never(
            "passwords of 1 MiB answered other than 413",
            huge.answers() - huge.of(413),
        ),
        Figure::never("hashes of passwords that are too long", more),
        ground.leaks("the long passwords"),
    ]
}
