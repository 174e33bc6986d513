//! MariaDB as it is in life: empty, killed, and back.

#![allow(clippy::unwrap_used, reason = "a test reports by panicking")]
#![allow(clippy::disallowed_methods, reason = "these tests are about time")]

#[macro_use]
mod support;

use std::time::{Duration, Instant};

use support::flow::{self, TokenIn};
use support::mariadbd::MariaDb;
use support::server::{JWT_SECRET, MASTER_KEY, Server};
use support::site::Site;

on_each_framework!(
    two_servers_on_both_frameworks_started_together_on_an_empty_database_serve_the_same_data,
    uses_are_stored_at_the_end,
    a_killed_database_is_503_within_a_second_and_served_again_two_seconds_after_its_return,
    a_database_that_stands_still_is_503_and_no_denial,
    a_warm_key_is_served_without_the_database_up_to_the_bound,
);

fn settings(url: &str) -> [(&str, &str); 3] {
    [
        ("SAKMS_DATABASE_URL", url),
        ("SAKMS_MASTER_KEY", MASTER_KEY),
        ("JWT_SECRET", JWT_SECRET),
    ]
}

fn two_servers_on_both_frameworks_started_together_on_an_empty_database_serve_the_same_data(
    site: &Site,
) {
    let Some(database) = MariaDb::start() else {
        return;
    };
    let (url, other) = (database.url(), site.on_the_other_framework());
    let (one, two) = std::thread::scope(|scope| {
        let one = scope.spawn(|| site.start(&settings(&url)));
        let two = other.start(&settings(&url));
        (one.join().unwrap(), two)
    });
    flow::whole(&one, "ada@example.com", TokenIn::Header, "");
    let token = flow::login(&two, "ada@example.com");
    let bearer = [("Authorization", &*format!("Bearer {token}"))];

    let created = one.send("POST", "/keys", &bearer, "");
    let (id, key) = (created.text("id"), created.text("api_key"));
    let use_of =
        |server: &Server| server.send("GET", "/demo/protected", &[("X-API-Key", &key)], "");
    assert_eq!((use_of(&two).status, use_of(&one).status), (200, 200));
    let list = |server: &Server| server.send("GET", "/keys", &bearer, "").json();
    assert_eq!(list(&one).as_array().unwrap().len(), 2);
    assert_eq!(list(&one), list(&two));

    let revoked = two.send("POST", &format!("/keys/{id}/revoke"), &bearer, "");
    assert_eq!(revoked.status, 200);
    assert_eq!(use_of(&two).text("code"), "key_revoked");
    // The other node hears of it within a bound.
    let start = Instant::now();
    while use_of(&one).status == 200 {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "still good on the other"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(use_of(&one).text("code"), "key_revoked");
}

fn uses_are_stored_at_the_end(site: &Site) {
    let Some(database) = MariaDb::start() else {
        return;
    };
    let url = database.url();
    flow::last_use_outlives_the_server(site, &settings(&url));
}

fn a_killed_database_is_503_within_a_second_and_served_again_two_seconds_after_its_return(
    site: &Site,
) {
    let Some(mut database) = MariaDb::start() else {
        return;
    };
    let url = database.url();
    // With nothing believed that was not read for the request itself: what is remembered has a test of its own.
    let mut settings = settings(&url).to_vec();
    settings.push(("SAKMS_MAX_STALENESS", "0"));
    let server = site.start(&settings);
    flow::register(&server, "ada@example.com");
    let token = flow::login(&server, "ada@example.com");
    let bearer = format!("Bearer {token}");
    let key = server
        .send("POST", "/keys", &[("Authorization", &bearer)], "")
        .text("api_key");
    let login = format!(
        r#"{{"email":"ada@example.com","password":"{}"}}"#,
        flow::PASSWORD
    );
    let requests = [
        (
            "GET",
            "/demo/protected",
            vec![("X-API-Key", key.as_str())],
            "",
        ),
        ("GET", "/keys", vec![("Authorization", bearer.as_str())], ""),
        (
            "POST",
            "/keys",
            vec![("Authorization", bearer.as_str())],
            "",
        ),
        ("POST", "/auth/login", vec![], login.as_str()),
        ("GET", "/ready", vec![], ""),
    ];

    for _ in 0..2 {
        database.kill();
        for (method, path, headers, body) in &requests {
            let start = Instant::now();
            let answer = server.send(method, path, headers, body);
            let took = start.elapsed();
            assert_eq!(
                (answer.status, answer.text("code")),
                (503, "unavailable".to_owned()),
                "{method} {path}"
            );
            assert!(answer.header("retry-after").is_some(), "{method} {path}");
            assert!(
                took < Duration::from_secs(1),
                "{method} {path} took {took:?}"
            );
        }
        assert_eq!(server.send("GET", "/health", &[], "").status, 200);

        database.run();
        std::thread::sleep(Duration::from_secs(2));
        for (method, path, headers, body) in &requests {
            let answer = server.send(method, path, headers, body);
            assert!(
                answer.status < 300,
                "{method} {path}: {} {}",
                answer.status,
                answer.body
            );
        }
    }
    assert!(!server.log().contains("hush-canary"));
}

fn a_database_that_stands_still_is_503_and_no_denial(site: &Site) {
    let Some(database) = MariaDb::start() else {
        return;
    };
    let url = database.url();
    let server = site.start(&settings(&url));
    flow::register(&server, "ada@example.com");
    let token = flow::login(&server, "ada@example.com");
    let key = server
        .send(
            "POST",
            "/keys",
            &[("Authorization", &format!("Bearer {token}"))],
            "",
        )
        .text("api_key");

    database.signal("STOP");
    for _ in 0..4 {
        let start = Instant::now();
        let answer = server.send("GET", "/demo/protected", &[("X-API-Key", &key)], "");
        assert_eq!(answer.status, 503, "{}", answer.body);
        assert!(
            start.elapsed() < Duration::from_secs(2),
            "{:?}",
            start.elapsed()
        );
    }
    assert_eq!(server.send("GET", "/health", &[], "").status, 200);
    database.signal("CONT");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(
        server
            .send("GET", "/demo/protected", &[("X-API-Key", &key)], "")
            .status,
        200
    );
}

/// Warm on two servers, one on each framework, and the database goes: both go on for as long as they may, refuse then to
/// decide, and go on when it is back.
fn a_warm_key_is_served_without_the_database_up_to_the_bound(site: &Site) {
    let Some(mut database) = MariaDb::start() else {
        return;
    };
    let url = database.url();
    let mut settings = settings(&url).to_vec();
    settings.push(("SAKMS_MAX_STALENESS", "3000"));
    let (one, two) = (
        site.start(&settings),
        site.on_the_other_framework().start(&settings),
    );
    flow::register(&one, "ada@example.com");
    let bearer = format!("Bearer {}", flow::login(&one, "ada@example.com"));
    let created = one.send("POST", "/keys", &[("Authorization", &bearer)], "");
    let key = created.text("api_key");
    let check = |server: &Server| server.send("GET", "/demo/protected", &[("X-API-Key", &key)], "");
    for server in [&one, &two] {
        while !server
            .send("GET", "/health", &[], "")
            .body
            .contains("\"trusted\":true")
        {
            assert_eq!(check(server).status, 200);
        }
        // What was read before the following began is not believed; this is.
        assert_eq!(check(server).status, 200);
    }

    database.kill();
    for server in [&one, &two] {
        assert_eq!(check(server).status, 200, "it is remembered");
    }
    for server in [&one, &two] {
        let start = Instant::now();
        while check(server).status == 200 {
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "served past the bound"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        let answer = check(server);
        assert_eq!(
            (answer.status, answer.text("code")),
            (503, "unavailable".to_owned())
        );
        assert!(answer.header("retry-after").is_some());
    }

    database.run();
    for server in [&one, &two] {
        let start = Instant::now();
        while check(server).status != 200 {
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "not served again"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
