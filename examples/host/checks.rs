//! What both example applications keep, whichever framework they are on. Their tests include this file, because only a
//! package's own tests know where its program is.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by failing")]

use std::path::Path;
use std::process::Command;

use sakms_run_readme::{Answer, Program, request};
use serde_json::{Value, json};

const MASTER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const JSON: (&str, &str) = ("Content-Type", "application/json");

fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    for setting in ["APP_DATABASE", "APP_MASTER_KEY"] {
        command.env_remove(setting);
    }
    command.env("APP_LISTEN", "127.0.0.1:0");
    command
}

fn in_memory(program: &str) -> Program {
    Program::start(&mut command(program))
}

fn on_file(program: &str, file: &Path) -> Program {
    let mut command = command(program);
    command.env("APP_DATABASE", file);
    Program::start(command.env("APP_MASTER_KEY", MASTER_KEY))
}

/// A user's browser.
struct Browser<'a> {
    program: &'a Program,
    cookie: String,
}

impl<'a> Browser<'a> {
    /// Signs a new user up and in.
    fn of(program: &'a Program, name: &str) -> Self {
        let credentials = json!({"name": name, "password": "violet tram kettle oak"}).to_string();
        for (path, status) in [("/signup", 201), ("/signin", 200)] {
            let answer = request(program.address(), "POST", path, &[JSON], &credentials);
            assert_eq!(answer.status, status, "{}", answer.body);
            if let Some(cookie) = answer.header("set-cookie") {
                let cookie = cookie.split(';').next().unwrap().to_owned();
                return Self { program, cookie };
            }
        }
        unreachable!("signing in gives a cookie")
    }

    fn send(&self, method: &str, path: &str, more: &[(&str, &str)], body: &str) -> Answer {
        let mut headers = vec![("Cookie", self.cookie.as_str()), JSON];
        headers.extend(more);
        request(self.program.address(), method, path, &headers, body)
    }

    /// A new key, with its text.
    fn key(&self) -> Value {
        let body = json!({"scopes": ["reports:read", "keys:read"]}).to_string();
        let made = self.send("POST", "/account/keys", &[], &body);
        assert_eq!(made.status, 201, "{}", made.body);
        made.json()
    }
}

fn reports(program: &Program, key: &Value) -> Answer {
    let key = ("X-API-Key", key["api_key"].as_str().unwrap());
    request(program.address(), "GET", "/api/reports", &[key], "")
}

#[cfg(unix)]
pub(crate) fn everything_is_there_again_after_a_stop(program: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.db");
    let first = on_file(program, &file);
    let ada = Browser::of(&first, "ada");
    let key = ada.key();
    assert_eq!(reports(&first, &key).status, 200);
    let cookie = ada.cookie;
    let (status, log) = first.stop();
    assert!(status.success(), "{log}");
    assert!(log.contains("stopped"), "{log}");

    let program = &on_file(program, &file);
    let ada = Browser { program, cookie };
    assert_eq!(
        ada.send("GET", "/account", &[], "").json()["user"],
        "user:1"
    );
    let listed = ada.send("GET", "/account/keys", &[], "").json();
    // Counted in memory, and written at the end: long before it would have been by itself.
    assert!(listed[0]["last_used_at"].is_string(), "{listed}");
    assert_eq!(reports(program, &key).status, 200);
}

#[cfg(not(unix))]
pub(crate) fn everything_is_there_again_after_a_stop(_program: &str) {}

pub(crate) fn a_file_needs_a_master_key(program: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(program);
    let ended = command
        .env("APP_DATABASE", folder.path().join("app.db"))
        .output();
    let ended = ended.unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let log = String::from_utf8(ended.stderr).unwrap();
    assert!(log.contains("APP_MASTER_KEY is not set"), "{log}");
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 0, "nothing is made before that is known");
}

pub(crate) fn users_see_their_own_keys_alone(program: &str) {
    let program = &in_memory(program);
    let (ada, bob) = (Browser::of(program, "ada"), Browser::of(program, "bob"));
    let key = ada.key();
    let path = format!("/account/keys/{}", key["id"].as_str().unwrap());
    assert_eq!(ada.send("GET", &path, &[], "").status, 200);
    assert_eq!(bob.send("GET", &path, &[], "").status, 404);
    assert_eq!(
        bob.send("POST", &format!("{path}/revoke"), &[], "").status,
        404
    );
    assert_eq!(bob.send("GET", "/account/keys", &[], "").json(), json!([]));
    assert_eq!(reports(program, &key).json()["reports_of"], "ada");

    // Without a session a key with the scope may look, and nobody else.
    let by_key = [("X-API-Key", key["api_key"].as_str().unwrap())];
    let listed = request(program.address(), "GET", "/account/keys/", &by_key, "");
    assert_eq!(listed.json()[0]["id"], key["id"]);
    let made_up = [("Cookie", "__Host-session=AAAA")];
    let refused = request(program.address(), "GET", "/account/keys", &made_up, "");
    assert_eq!(
        (refused.status, refused.json()["code"].as_str()),
        (401, Some("missing_credential"))
    );
}

pub(crate) fn another_site_cannot_use_a_session(program: &str) {
    let program = &in_memory(program);
    let ada = Browser::of(program, "ada");
    for elsewhere in [
        &[("Sec-Fetch-Site", "cross-site")][..],
        &[
            ("Sec-Fetch-Site", "same-site"),
            ("Host", "app.example"),
            ("Origin", "https://app.example"),
        ],
        &[("Host", "app.example"), ("Origin", "https://evil.example")],
        &[("Host", "app.example"), ("Origin", "null")],
    ] {
        for path in ["/account/keys", "/account/signout"] {
            let refused = ada.send("POST", path, elsewhere, "");
            assert_eq!(refused.status, 403, "{elsewhere:?}: {}", refused.body);
        }
        // Looking is harmless: the other site does not get to see the answer.
        assert_eq!(ada.send("GET", "/account/keys", elsewhere, "").status, 200);
    }
    assert_eq!(ada.send("GET", "/account/keys", &[], "").json(), json!([]));
    let own = [
        ("Sec-Fetch-Site", "same-origin"),
        ("Origin", "https://app.example"),
    ];
    assert_eq!(ada.send("POST", "/account/keys", &own, "").status, 201);
    assert_eq!(ada.send("POST", "/account/signout", &own, "").status, 204);
    assert_eq!(ada.send("GET", "/account", &[], "").status, 401);
}

pub(crate) fn the_applications_layer_is_around_everything(program: &str) {
    let program = &in_memory(program);
    let ada = Browser::of(program, "ada");
    let cross_site = [("Sec-Fetch-Site", "cross-site")];
    for (method, path, headers, status) in [
        ("GET", "/account", &[][..], 200),
        ("GET", "/account/keys", &[], 200),
        ("DELETE", "/account/keys", &[], 405),
        ("GET", "/account/nothing", &[], 404),
        ("GET", "/account/health", &[], 404),
        ("POST", "/account/keys", &cross_site, 403),
        ("GET", "/api/reports", &[], 401),
        ("DELETE", "/signup", &[], 405),
        ("GET", "/nothing", &[], 404),
        ("GET", "/openapi.json", &[], 200),
    ] {
        let answer = ada.send(method, path, headers, "");
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        let policy = answer.header("content-security-policy");
        assert!(policy.is_some(), "{method} {path}: {}", answer.head);
        if matches!(status, 404 | 405) {
            let code = answer.json()["code"].clone();
            assert!(
                code == "not_found" || code == "method_not_allowed",
                "{method} {path}: {code}"
            );
        }
    }
}

pub(crate) fn what_is_wrong_with_a_body_is_said_alike(program: &str) {
    let program = &in_memory(program);
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let good = r#"{"name":"ada","password":"violet tram kettle oak"}"#;
    for (path, kind, body, status) in [
        (
            "/signup",
            form,
            "name=ada&password=violet+tram+kettle+oak",
            400,
        ),
        ("/signup", ("Content-Type", "text/plain"), good, 400),
        ("/signup", JSON, "{", 400),
        ("/signup", JSON, r#"{"name":"ada"}"#, 400),
        (
            "/signup",
            JSON,
            r#"{"name":"ada","password":"violet tram kettle oak","admin":true}"#,
            400,
        ),
        ("/signup", JSON, r#"{"name":"ada","password":"short"}"#, 422),
        (
            "/signup",
            JSON,
            r#"{"name":"","password":"violet tram kettle oak"}"#,
            422,
        ),
        ("/signin", JSON, good, 401),
        ("/signup", JSON, good, 201),
        ("/signup", JSON, good, 409),
        ("/signin", form, good, 400),
        (
            "/signin",
            JSON,
            r#"{"name":"ada","password":"another tram kettle oak"}"#,
            401,
        ),
        ("/signin", JSON, good, 200),
    ] {
        let answer = request(program.address(), "POST", path, &[kind], body);
        assert_eq!(answer.status, status, "{path} {body}: {}", answer.body);
        assert_eq!(
            answer.json()["error"].is_string(),
            status >= 400,
            "{}",
            answer.body
        );
    }
}
