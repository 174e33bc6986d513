//! The README's flow against the real server, on every database.

#![allow(clippy::unwrap_used, reason = "a test reports by panicking")]

#[macro_use]
mod support;

use serde_json::json;
use support::flow::{self, TokenIn};
use support::server::{JWT_SECRET, MASTER_KEY, Server};
use support::site::Site;

on_each_framework!(
    on_sqlite_without_any_setting,
    a_second_start_finds_everything_again,
    on_mariadb_by_one_variable,
    on_mariadb_by_the_seeds_variable_and_scheme,
    a_query_token_can_be_switched_off,
    a_key_is_exchanged_where_that_is_set,
);

fn every_way(server: &Server) {
    for (number, token_in) in [TokenIn::Query, TokenIn::Header].into_iter().enumerate() {
        for (other, slash) in ["", "/"].into_iter().enumerate() {
            // A database may be shared with other tests, so each run has people of its own.
            let email = format!("ada-{}-{number}{other}@example.com", std::process::id());
            let secrets = flow::whole(server, &email, token_in, slash);
            nothing_leaked(server, &secrets, &email);
        }
    }
}

fn nothing_leaked(server: &Server, secrets: &flow::Secrets, email: &str) {
    let log = server.log();
    assert!(log.contains("/demo/protected"), "requests are logged");
    let signature = secrets.token.rsplit('.').next().unwrap();
    for secret in [
        secrets.api_key.as_str(),
        signature,
        flow::PASSWORD,
        email,
        // A query or a part of one. The word alone also stands in what mio says of its own tokens.
        "?token=",
        "&token=",
        "token=ey",
        MASTER_KEY,
        JWT_SECRET,
        "$argon2",
    ] {
        assert!(!log.contains(secret), "{secret} stands in the log");
    }
}

fn on_sqlite_without_any_setting(site: &Site) {
    let server = site.start(&[("SAKMS_LOG", "trace,actix_http=trace")]);
    every_way(&server);
    let made: Vec<_> = ["sakms.db", "sakms.db.master-key"]
        .map(|name| site.folder().join(name))
        .to_vec();
    assert!(made.iter().all(|file| file.exists()));
    assert!(!site.folder().join("sakms.db.jwt-secret").exists());
    assert_eq!(
        server.log().matches("made a secret on first start").count(),
        1
    );
}

fn a_second_start_finds_everything_again(site: &Site) {
    let (key, token) = {
        let server = site.start(&[]);
        flow::register(&server, "ada@example.com");
        let token = flow::login(&server, "ada@example.com");
        let created = server.send(
            "POST",
            "/keys",
            &[("Authorization", &format!("Bearer {token}"))],
            r#"{"name":"laptop 🔑"}"#,
        );
        (created.text("api_key"), token)
    };
    let server = site.start(&[]);
    assert!(!server.log().contains("made a secret"));
    assert_eq!(
        server
            .send("GET", "/demo/protected", &[("X-API-Key", &key)], "")
            .status,
        200
    );
    let list = server
        .send(
            "GET",
            "/keys",
            &[("Authorization", &format!("Bearer {token}"))],
            "",
        )
        .json();
    assert_eq!(list[0]["name"], json!("laptop 🔑"));
}

fn on_mariadb_by_one_variable(site: &Site) {
    let Some(url) = support::mariadb_url() else {
        return;
    };
    let settings = [
        ("SAKMS_DATABASE_URL", url.as_str()),
        ("SAKMS_MASTER_KEY", MASTER_KEY),
        ("JWT_SECRET", JWT_SECRET),
    ];
    let server = site.start(&settings);
    every_way(&server);
    assert_eq!(
        std::fs::read_dir(site.folder()).unwrap().count(),
        0,
        "nothing is written beside it"
    );
}

fn on_mariadb_by_the_seeds_variable_and_scheme(site: &Site) {
    let Some(url) = support::mariadb_url() else {
        return;
    };
    let url = url.replacen("mysql://", "mysql+pymysql://", 1);
    let settings = [
        ("DB_URL", url.as_str()),
        ("SAKMS_MASTER_KEY", MASTER_KEY),
        ("JWT_SECRET", JWT_SECRET),
    ];
    let server = site.start(&settings);
    assert_eq!(server.send("GET", "/ready", &[], "").status, 200);
}

fn a_query_token_can_be_switched_off(site: &Site) {
    let server = site.start(&[("SAKMS_QUERY_TOKEN", "deny")]);
    flow::register(&server, "ada@example.com");
    let token = flow::login(&server, "ada@example.com");
    let refused = server.send("GET", &format!("/keys?token={token}"), &[], "");
    assert_eq!(
        (refused.status, refused.text("code")),
        (401, "credential_in_query".to_owned())
    );
}

fn a_key_is_exchanged_where_that_is_set(site: &Site) {
    let exchange = |server: &Server, key: &str, audience: &str| {
        let body = format!(
            "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token={key}\
             &subject_token_type=urn:sakms:params:oauth:token-type:api-key&audience={audience}"
        );
        let (address, length) = (server.address, body.len());
        let request = format!(
            "POST /oauth/token HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        support::client::raw(address, request.as_bytes()).unwrap()
    };
    let make = |server: &Server, environment: &str| {
        let bearer = format!("Bearer {}", flow::login(server, "ada@example.com"));
        let asked = json!({"environment": environment}).to_string();
        let made = server.send("POST", "/keys", &[("Authorization", &bearer)], &asked);
        made.text("api_key")
    };
    let settings = [
        (
            "SAKMS_EXCHANGE_AUDIENCE",
            "https://a.example,https://b.example=test",
        ),
        ("SAKMS_EXCHANGE_LIFETIME", "120"),
    ];
    let (live, test) = {
        let server = site.start(&settings);
        flow::register(&server, "ada@example.com");
        let (live, test) = (make(&server, "live"), make(&server, "test"));
        for (key, audience) in [(&live, "https://a.example"), (&test, "https://b.example")] {
            let answer = exchange(&server, key, audience);
            assert_eq!(answer.status, 200, "{}", answer.body);
            assert_eq!(answer.json()["expires_in"], 120);
            let token = format!("Bearer {}", answer.text("access_token"));
            let opened = server.send("GET", "/keys", &[("Authorization", &token)], "");
            assert_eq!(opened.status, 401);
        }
        for (key, audience) in [(&live, "https://b.example"), (&live, "sakms")] {
            assert_eq!(exchange(&server, key, audience).status, 400, "{audience}");
        }
        (live, test)
    };
    let server = site.start(&[]);
    for key in [live, test] {
        assert_eq!(exchange(&server, &key, "https://a.example").status, 404);
    }
}
