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

pub(super) fn many(framework: &str, run: &Run, plan: &Plan) -> Vec<Figure> {
    // What slows guessers down would refuse nearly all of them sooner: here it is hashing alone.
    let ground = Ground::start(
        framework,
        &[("SAKMS_THROTTLES", "off"), ("SAKMS_HASH_THREADS", "1")],
    );
    let mut alone = ground.known().stop_after(plan.compared);
    let base = ground.memory();
    let beside = ground.known();
    let guess = |number: u64| {
        let email = if number.is_multiple_of(2) {
            OWNER.to_owned()
        } else {
            format!("nobody-{number}@example.com")
        };
        let body = json!({ "email": email, "password": "a guess, and a wrong one" }).to_string();
        Some(request("POST", "/auth/login", &[], &body))
    };
    let crowd = Crowd::start(ground.server.address, plan.people, AGAIN, guess);
    let begun = Instant::now();
    let (mut tries, mut admitted, mut odd, mut most) = (0_u64, 0_u64, 0_u64, base);
    while (begun.elapsed() < plan.time || admitted == 0 && begun.elapsed() < plan.time * 10)
        && !run.is_over()
    {
        let body = json!({ "email": OWNER, "password": PASSWORD }).to_string();
        let answer = client::try_send(ground.server.address, "POST", "/auth/login", &[], &body);
        tries += 1;
        match answer.map(|answer| answer.status) {
            Ok(200) => admitted += 1,
            Ok(503) => {}
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
    let (crowd, mut beside) = (crowd.stop(), beside.stop());
    let flood = format!("{} sign-ins at once", plan.people);
    let mut figures = vec![
        Figure::plain(
            format!("{flood}: hashed, refused with 503"),
            format!("{}, {}", crowd.of(401), crowd.of(503)),
        ),
        Figure::never(
            format!("{flood}: answered other than 401 and 503"),
            crowd.other_than(&[401, 503]),
        ),
        Figure::never(
            format!("{flood}: 503 without Retry-After"),
            crowd.without_retry_after,
        ),
        Figure::goal(
            format!("{flood}: sign-ins with the right password, of tries"),
            format!("{admitted} of {tries}"),
            "some",
            admitted > 0,
        ),
        Figure::never(
            format!("{flood}: right passwords answered other than 200 and 503"),
            odd,
        ),
    ];
    figures.push(memory(&flood, base, most, SPARE));
    figures.extend(ground.beside(&flood, plan, &mut alone, &mut beside));
    figures.push(ground.leaks("the sign-ins"));
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
    let ground = Ground::start(framework, &[("SAKMS_THROTTLES", "off")]);
    let hashes = || Metrics::of(&ground.server).sum("sakms_hash_seconds_count", &[]);
    let before = hashes();
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
    let hashed = hashes() - before;
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
        Figure::never("hashes of passwords that are too long", hashed),
        ground.leaks("the long passwords"),
    ]
}
