//! Sign-ins with very many names from very many places, to push out what is counted of one.

use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::time::Duration;

use serde_json::json;

use super::Plan;
use super::ground::{Ground, OWNER};
use crate::figure::Figure;
use crate::harness::client;
use crate::harness::crowd::{Crowd, request};
use crate::harness::person::PASSWORD;
use crate::run::Run;

const PEOPLE: u32 = 64;
/// Whence the victim signs in, and whence somebody guesses at the victim's password.
const HOME: &str = "203.0.113.7";
const ELSEWHERE: &str = "198.51.100.23";
/// Guesses with one address after which only known sources get a try.
const GUESSES: &str = "5";
/// What all counts may take, in KiB.
const COUNTS: u64 = 64 * 1024;
/// Between two sign-ins of the victim.
const PAUSE: Duration = Duration::from_millis(200);
/// Below it for short, so that the victim is seen at least so often.
const LEAST: u64 = 3;

pub(super) fn many(framework: &str, run: &Run, plan: &Plan) -> Vec<Figure> {
    let settings = [
        ("SAKMS_TRUSTED_PROXIES", "127.0.0.0/8"),
        ("SAKMS_THROTTLE_ACCOUNT_FREE", GUESSES),
        ("SAKMS_THROTTLE_ACCOUNT_MOST", GUESSES),
        ("SAKMS_HASH_THREADS", "1"),
    ];
    let ground = Ground::start(framework, plan, &settings);
    let sign_in = |password: &str, from: &str| {
        let body = json!({ "email": OWNER, "password": password }).to_string();
        let headers = [("X-Forwarded-For", from)];
        let answer = client::try_send(
            ground.server.address,
            "POST",
            "/auth/login",
            &headers,
            &body,
        );
        answer.map_or(0, |answer| answer.status)
    };
    assert_eq!(sign_in(PASSWORD, HOME), 200);
    let wrong = "a guess, and a wrong one";
    let guesses = std::iter::repeat_with(|| sign_in(wrong, ELSEWHERE));
    let let_in: usize = guesses.take(20).filter(|status| *status == 401).count();
    assert_eq!(
        let_in.to_string(),
        GUESSES,
        "guesses that got a try before the flood"
    );

    let base = ground.memory();
    let (random, count) = (RefCell::new(run.random("sources")), plan.names);
    let crowd = Crowd::start(
        ground.server.address,
        PEOPLE,
        Duration::ZERO,
        move |number| {
            let from =
                Ipv4Addr::from(random.borrow_mut().u32(0x0A00_0000..0x0B00_0000)).to_string();
            let body = json!({ "email": format!("name-{number}@example.com"), "password": wrong })
                .to_string();
            let login = || request("POST", "/auth/login", &[("X-Forwarded-For", &from)], &body);
            (number < count).then(login)
        },
    );
    let (mut at_home, mut busy, mut tried, mut most) = (0_u64, 0_u64, 0_u64, base);
    // The statuses of other answers to the victim; 0 for none.
    let mut others = Vec::new();
    let mut random = run.random("guesser");
    while (!crowd.is_done() || at_home < LEAST) && !run.is_over() {
        match sign_in(PASSWORD, HOME) {
            200 => at_home += 1,
            503 => busy += 1,
            other => others.push(other),
        }
        // Another place every time, known to nobody: what is counted of the account has to hold.
        let from = Ipv4Addr::from(random.u32(0x0C00_0000..0x0D00_0000)).to_string();
        tried += u64::from(sign_in(PASSWORD, &from) != 429);
        most = most.max(ground.memory());
        run.progress(|| format!("names; the victim signed in {at_home} times"));
        std::thread::sleep(PAUSE);
    }
    let tally = crowd.stop();
    tried += u64::from(sign_in(PASSWORD, ELSEWHERE) != 429);
    let flood = "names from many sources";
    vec![
        Figure::plain("names tried", tally.answers()),
        Figure::plain(
            "of them checked, refused with 429, with 503",
            format!("{}, {}, {}", tally.of(401), tally.of(429), tally.of(503)),
        ),
        Figure::never(
            "names answered other than 401, 429 and 503",
            tally.other_than(&[401, 429, 503]),
        ),
        Figure::never("429 and 503 without Retry-After", tally.without_retry_after),
        Figure::goal(
            "sign-ins of the victim from a known source",
            at_home,
            "some",
            at_home > 0,
        ),
        Figure::plain("of its tries answered 503", busy),
        Figure::goal(
            "right passwords from a known source that were answered otherwise",
            format!("{others:?}"),
            "none",
            others.is_empty(),
        ),
        Figure::never(
            "tries at the victim's account from elsewhere that were not refused with 429",
            tried,
        ),
        super::logins::memory(flood, base, most, COUNTS),
        ground.leaks("the names"),
    ]
}
