//! MariaDB as it is in life: empty, killed, and back.

#![allow(clippy::disallowed_methods, reason = "these tests are about time")]

mod support;

use std::time::{Duration, Instant};

use support::flow::{self, TokenIn};
use support::mariadbd::MariaDb;
use support::server::{JWT_SECRET, MASTER_KEY, Server};

fn settings(url: &str) -> [(&str, &str); 3] {
    [
        ("SAKMS_DATABASE_URL", url),
        ("SAKMS_MASTER_KEY", MASTER_KEY),
        ("JWT_SECRET", JWT_SECRET),
    ]
}

#[test]
fn two_servers_started_together_on_an_empty_database_both_come_up() {
    let Some(database) = MariaDb::start() else {
        return;
    };
    let (folder, url) = (tempfile::tempdir().unwrap(), database.url());
    std::thread::scope(|scope| {
        let starting: Vec<_> = (0..2)
            .map(|_| scope.spawn(|| Server::start(folder.path(), &settings(&url))))
            .collect();
        let servers: Vec<_> = starting
            .into_iter()
            .map(|server| server.join().unwrap())
            .collect();
        flow::whole(&servers[0], "ada@example.com", TokenIn::Header, "");
        // What one made, the other knows.
        let token = flow::login(&servers[1], "ada@example.com");
        let list = servers[1]
            .send(
                "GET",
                "/keys",
                &[("Authorization", &format!("Bearer {token}"))],
                "",
            )
            .json();
        assert_eq!(list.as_array().unwrap().len(), 1);
    });
}

#[test]
fn a_killed_database_is_503_within_a_second_and_served_again_two_seconds_after_its_return() {
    let Some(mut database) = MariaDb::start() else {
        return;
    };
    let (folder, url) = (tempfile::tempdir().unwrap(), database.url());
    let server = Server::start(folder.path(), &settings(&url));
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

#[test]
fn a_database_that_stands_still_is_503_and_no_denial() {
    let Some(database) = MariaDb::start() else {
        return;
    };
    let (folder, url) = (tempfile::tempdir().unwrap(), database.url());
    let server = Server::start(folder.path(), &settings(&url));
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
