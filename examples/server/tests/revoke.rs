//! A revocation holds on every node: two servers, one on each framework, over one MariaDB, keys warm on both.

#![allow(clippy::unwrap_used, reason = "a test reports by panicking")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "this test is about time, and says what it saw"
)]

#[macro_use]
mod support;

use std::time::{Duration, Instant};

use support::flow;
use support::mariadbd::MariaDb;
use support::server::{JWT_SECRET, MASTER_KEY, Server};
use support::site::Site;

on_each_framework!(what_one_server_revokes_the_other_refuses);

/// Two times this, once from each framework: a thousand in all.
const ROUNDS: usize = 10;
const KEYS: usize = 50;
/// What is asserted. A reading of the journal is due after a quarter of a second; how long it really takes is printed, and
/// measured by the bench `revoke`.
const BOUND: Duration = Duration::from_secs(5);

fn what_one_server_revokes_the_other_refuses(site: &Site) {
    let Some(database) = MariaDb::start() else {
        return;
    };
    let (url, other) = (database.url(), site.on_the_other_framework());
    let settings = [
        ("SAKMS_DATABASE_URL", &*url),
        ("SAKMS_MASTER_KEY", MASTER_KEY),
        ("JWT_SECRET", JWT_SECRET),
        // A thousand keys, each cold on two servers: the proof of a secret is not what this is about.
        ("SAKMS_KEY_HASHER", "hmac-sha256"),
    ];
    let (here, there) = (site.start(&settings), other.start(&settings));
    flow::register(&here, "ada@example.com");
    let token = flow::login(&here, "ada@example.com");
    let bearer = [("Authorization", &*format!("Bearer {token}"))];
    let code = |server: &Server, key: &str| {
        let answer = server.send("GET", "/demo/protected", &[("X-API-Key", key)], "");
        match answer.status {
            200 => "granted".to_owned(),
            _ => answer.text("code"),
        }
    };

    let mut longest = Duration::ZERO;
    for _ in 0..ROUNDS {
        let keys: Vec<_> = (0..KEYS)
            .map(|_| here.send("POST", "/keys", &bearer, ""))
            .map(|made| (made.text("id"), made.text("api_key")))
            .collect();
        for (_, key) in &keys {
            assert_eq!(code(&here, key), "granted");
            assert_eq!(code(&there, key), "granted");
        }
        let mut alive = Vec::new();
        for (id, key) in &keys {
            let revoked = here.send("POST", &format!("/keys/{id}/revoke"), &bearer, "");
            assert_eq!(revoked.status, 200);
            let since = Instant::now();
            assert_eq!(code(&here, key), "key_revoked", "where it was acknowledged");
            alive.push((key, since));
        }
        while !alive.is_empty() {
            alive.retain(|(key, since)| match code(&there, key).as_str() {
                "granted" => {
                    assert!(since.elapsed() < BOUND, "still good on the other server");
                    true
                }
                other => {
                    assert_eq!(other, "key_revoked");
                    longest = longest.max(since.elapsed());
                    false
                }
            });
        }
    }
    println!(
        "{} revocations; each was seen to hold on the other server within {longest:?}",
        ROUNDS * KEYS
    );
}
