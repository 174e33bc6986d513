//! The same answer to the same request, whichever framework serves: good ones, bad ones, and malformed ones.

#![allow(clippy::unwrap_used, reason = "a test reports by panicking")]

#[expect(unused_macros, reason = "this test has both frameworks at once")]
#[macro_use]
mod support;

use std::collections::BTreeSet;

use support::client::Answer;
use support::server::{JWT_SECRET, MASTER_KEY, Server};
use support::site::{Framework, Site};
use support::{client, flow};

/// What each server says for itself, and what differs from one request to the next.
const OF_THE_SERVER: [&str; 3] = ["connection", "date", "x-request-id"];

/// Status, headers and body, as far as they are the application's.
fn said(answer: &Answer) -> (u16, BTreeSet<String>, String) {
    let headers = answer.head.lines().skip(1).filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        let name = name.to_ascii_lowercase();
        let value = match name.as_str() {
            "allow" => value.replace(' ', ""),
            _ => value.trim().to_owned(),
        };
        (!OF_THE_SERVER.contains(&name.as_str())).then(|| format!("{name}: {value}"))
    });
    (answer.status, headers.collect(), answer.body.clone())
}

/// A request line, headers, a body, and the status of the answer.
type Case<'a> = (&'a str, &'a [&'a str], &'a str, u16);

/// A server on each framework, over one database, and what opens their doors.
struct Pair {
    servers: [Server; 2],
    /// The header with the token of an account.
    token: String,
    /// The header with a key of that account that may read reports.
    key: String,
    /// The header with another that may not.
    plain: String,
    /// The id of the first key.
    id: String,
    _sites: [Site; 2],
}

impl Pair {
    fn start() -> Self {
        let sites = [Framework::Axum, Framework::Actix].map(Site::new);
        let file = sites[0].folder().join("shared.db");
        let url = format!("sqlite://{}", file.display());
        let servers = [&sites[0], &sites[1]].map(|site| {
            site.start(&[
                ("SAKMS_DATABASE_URL", url.as_str()),
                ("SAKMS_MASTER_KEY", MASTER_KEY),
                ("JWT_SECRET", JWT_SECRET),
            ])
        });
        let one = &servers[0];
        flow::register(one, "ada@example.com");
        let token = format!("Bearer {}", flow::login(one, "ada@example.com"));
        let by_token = [("Authorization", token.as_str())];
        let reader = one.send("POST", "/keys", &by_token, r#"{"scopes":["reports:read"]}"#);
        let plain = one.send("POST", "/keys", &by_token, "").text("api_key");
        Self {
            token: format!("Authorization: {token}"),
            key: format!("X-API-Key: {}", reader.text("api_key")),
            plain: format!("Authorization: bearer {plain}"),
            id: reader.text("id"),
            servers,
            _sites: sites,
        }
    }

    fn answer_alike(&self, cases: &[Case<'_>]) {
        for (line, headers, body, status) in cases {
            let headers: String = headers.iter().flat_map(|header| [header, "\r\n"]).collect();
            let request =
                format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n{body}");
            let [one, two] = [0, 1].map(|number| {
                let answer = client::raw(self.servers[number].address, request.as_bytes());
                said(&answer.unwrap())
            });
            assert_eq!(one.0, *status, "{request}");
            assert_eq!(one, two, "{request}");
        }
    }
}

#[test]
fn guarded_routes() {
    let pair = Pair::start();
    let (token, key, plain) = (&*pair.token, &*pair.key, &*pair.plain);
    let long = "a".repeat(7_000);
    let long_key = &*format!("X-API-Key: {long}");
    let long_bearer = &*format!("Authorization: Bearer {long}");
    pair.answer_alike(&[
        ("GET /demo/public", &[], "", 200),
        ("GET /demo/public/", &[], "", 200),
        ("GET /demo/public//", &[], "", 404),
        ("HEAD /demo/public", &[], "", 200),
        ("PUT /demo/public", &[], "", 405),
        ("GET /demo/protected", &[], "", 401),
        ("GET /demo/protected", &[key], "", 200),
        ("HEAD /demo/protected", &[], "", 401),
        ("HEAD /demo/protected/", &[key], "", 200),
        // The method is looked at before the key.
        ("PUT /demo/protected", &[], "", 405),
        ("GET /demo/reports", &[key], "", 200),
        ("GET /demo/reports", &[plain], "", 403),
        ("GET /demo/reports", &[token], "", 401),
        ("GET /demo/protected", &[key, key], "", 400),
        ("GET /demo/protected", &[token, token], "", 400),
        ("GET /demo/protected", &[key, plain], "", 400),
        ("GET /demo/protected", &["X-API-Key: caf\u{e9}"], "", 401),
        ("GET /demo/protected", &["X-API-Key:"], "", 401),
        ("GET /demo/protected", &[long_key], "", 401),
        ("GET /demo/protected", &[long_bearer], "", 401),
        ("GET /keys", &[long_bearer], "", 401),
        (&format!("GET /keys?token={long}"), &[], "", 401),
    ]);
}

#[test]
fn the_routes_of_keys() {
    let pair = Pair::start();
    let (token, key, id) = (&*pair.token, &*pair.key, &*pair.id);
    let first_encoded = format!("%{:02x}{}", id.as_bytes()[0], &id[1..]);
    pair.answer_alike(&[
        ("GET /keys", &[token], "", 200),
        ("GET /keys/", &[token], "", 200),
        ("GET /keys?limit=1", &[token], "", 200),
        ("GET /keys?limit=%zz", &[token], "", 422),
        ("HEAD /keys", &[token], "", 200),
        ("HEAD /keys", &[], "", 401),
        ("OPTIONS /keys", &[token], "", 405),
        ("FOO /keys", &[token], "", 405),
        ("GET //keys", &[token], "", 404),
        ("GET /%6beys", &[token], "", 404),
        ("GET /keys/../keys", &[token], "", 404),
        (&format!("GET /keys/{id}"), &[token], "", 200),
        (&format!("GET /keys/{first_encoded}"), &[token], "", 200),
        (&format!("GET /keys%2f{id}"), &[token], "", 404),
        (
            &format!("GET /keys/{}", id.to_uppercase()),
            &[token],
            "",
            404,
        ),
        ("GET /keys/%00", &[token], "", 404),
        ("GET /keys/%ff", &[token], "", 404),
        ("GET /keys/%zz", &[token], "", 404),
        // Last: a use is seen in the lists, sooner or later.
        ("GET /keys", &[key], "", 403),
    ]);
}

#[test]
fn bodies_and_heads_that_are_none() {
    let pair = Pair::start();
    let (token, json) = (&*pair.token, "Content-Type: application/json");
    let chunked = "Transfer-Encoding: chunked";
    let [one, two] = ["Content-Length: 1", "Content-Length: 2"];
    pair.answer_alike(&[
        (
            "POST /keys",
            &[token, json, chunked],
            "1\r\n{\r\n0\r\n\r\n",
            400,
        ),
        ("POST /keys", &[token, json, one], "{", 400),
        (
            "POST /keys",
            &[token, json, "Content-Length: 9999999"],
            "{}",
            413,
        ),
        ("POST /keys", &[token, json, json, two], "{}", 415),
        (
            "POST /keys",
            &[token, json, "Content-Length: -1"],
            "{}",
            400,
        ),
        ("POST /keys", &[token, json, one, two], "{}", 400),
        (
            "POST /keys",
            &[token, json, "Transfer-Encoding: other"],
            "{}",
            400,
        ),
        ("GET /demo/public", &["X-Other: a\0b"], "", 400),
        ("GET /demo/public", &["X Other: a"], "", 400),
    ]);
}

#[test]
fn pages_and_paths_of_nobody() {
    let pair = Pair::start();
    pair.answer_alike(&[
        ("GET /nowhere", &[], "", 404),
        ("HEAD /nowhere", &[], "", 404),
        ("OPTIONS *", &[], "", 404),
        ("GET http://elsewhere/demo/public", &[], "", 200),
        ("GET /ready", &[], "", 200),
        ("PUT /health", &[], "", 405),
        ("GET /openapi.json", &[], "", 200),
        ("GET /docs", &[], "", 200),
        ("GET /docs/", &[], "", 200),
        ("GET /redoc", &[], "", 200),
        ("HEAD /redoc/", &[], "", 200),
    ]);
    // How far each of them has read the journal is its own.
    let [one, two] = [0, 1].map(|number| {
        let answer = pair.servers[number].send("GET", "/health", &[], "");
        assert_eq!(answer.status, 200, "{}", answer.body);
        let mut health = answer.json();
        assert!(health["journal"].take().is_object(), "{}", answer.body);
        health
    });
    assert_eq!(one, two);
}
