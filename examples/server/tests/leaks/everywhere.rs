//! Every route with every credential, and all that the server says.

use std::time::Duration;

use sakms_core::http::{Access, Route, routes};
use serde_json::json;

use super::bodies::{as_form, as_json, bodies};
use crate::support::canaries::Canaries;
use crate::support::client::{self, Answer};
use crate::support::server::{JWT_SECRET, MASTER_KEY, Server};
use crate::support::site::Site;

pub(super) const PASSWORD: &str = "violet tram kettle oak";
pub(super) const NEW_PASSWORD: &str = "brass otter lantern fig";
pub(super) const WRONG_PASSWORD: &str = "copper heron saddle elm";
const ROOT: &str = "root@example.com";

/// What came out, and what must not be in it.
pub(crate) struct Outcome {
    canaries: Canaries,
    /// What was said, by where it was said.
    said: Vec<(String, String)>,
    found: Vec<String>,
    /// The answers that may show no secret at all, not even the one who asked for it.
    statuses: Vec<u16>,
}

impl Outcome {
    pub(crate) fn with_hashes(mut self, hashes: &[String]) -> Self {
        assert!(hashes.len() > 3, "{hashes:?}");
        for hash in hashes {
            self.canaries.stored("a stored hash", hash);
        }
        self
    }

    /// The files of the database, which may hold hashes. The files that hold the server's own secrets are not among them.
    pub(crate) fn database_files(&mut self, files: Vec<(String, Vec<u8>)>) {
        assert!(!files.is_empty());
        for (name, bytes) in files {
            self.found
                .extend(self.canaries.found_in_database(&name, &bytes));
        }
    }

    pub(crate) fn assert_clean(mut self) {
        let said = self.said.iter().map(|(place, text)| (&**place, &**text));
        self.found.extend(self.canaries.found_in(said));
        // That something was looked for, in something that was said.
        assert!(self.canaries.len() > 100, "{}", self.canaries.len());
        for status in [200, 201, 400, 401, 403, 404, 405, 409, 413, 415, 422] {
            assert!(
                self.statuses.contains(&status),
                "no {status} among the answers"
            );
        }
        let log = &self
            .said
            .iter()
            .find(|(place, _)| place == "stderr")
            .unwrap()
            .1;
        assert!(
            log.contains(" DEBUG ") && log.len() > 100_000,
            "{}",
            log.len()
        );
        assert!(self.found.is_empty(), "{:#?}", self.found);
    }
}

/// The server under its load of secrets.
struct Sweep<'a> {
    server: &'a Server,
    canaries: Canaries,
    said: Vec<(String, String)>,
    statuses: Vec<u16>,
}

/// Goes through everything, on a database that `ends` at the end.
pub(crate) fn run(site: &Site, url: &str, ends: impl FnOnce()) -> Outcome {
    let settings = [
        ("SAKMS_DATABASE_URL", url),
        ("SAKMS_MASTER_KEY", MASTER_KEY),
        ("JWT_SECRET", JWT_SECRET),
        ("SAKMS_LOG", "trace,actix_http=trace"),
        ("SAKMS_THROTTLES", "off"),
        ("SAKMS_EXCHANGE_AUDIENCE", "https://reports.example"),
        // Hundreds of hashes take no longer than a test can wait for.
        ("SAKMS_KEY_HASHER", "hmac-sha256"),
        ("SAKMS_ARGON2_MEMORY", "12288"),
        ("SAKMS_ARGON2_ITERATIONS", "3"),
    ];
    let mut server = site.start(&settings);
    let mut canaries = Canaries::default();
    for (kind, text) in [
        ("a password", PASSWORD),
        ("a password", NEW_PASSWORD),
        ("a password", WRONG_PASSWORD),
        ("the master key", MASTER_KEY),
        ("the JWT secret", JWT_SECRET),
        ("the database's password", "hush-canary"),
    ] {
        canaries.text(kind, text);
    }
    canaries.bytes("the master key", &(0..32).collect::<Vec<u8>>());
    let mut sweep = Sweep {
        server: &server,
        canaries,
        said: Vec::new(),
        statuses: Vec::new(),
    };
    sweep.register(ROOT);
    let grant = ["account", "grant", "--email", ROOT, "--role", "admin"];
    let (status, out, errors) = site.run(&grant, &settings);
    assert_eq!(status, 0, "{errors}");
    sweep.said.push(("account grant".to_owned(), out + &errors));
    for (number, route) in routes().iter().enumerate() {
        sweep.route(number, route);
    }
    sweep.outside_the_table();
    sweep.journal();
    for command in [
        &["audit", "export"][..],
        &["audit", "verify"],
        &["account", "list"],
        &["keyring", "list"],
    ] {
        let (_, out, errors) = site.run(command, &settings);
        sweep.said.push((command.join(" "), out + &errors));
    }
    ends();
    sweep.without_database();
    let Sweep {
        canaries,
        mut said,
        statuses,
        ..
    } = sweep;
    server.signal("TERM");
    server.wait(Duration::from_secs(20));
    said.push(("stdout".to_owned(), server.stdout()));
    said.push(("stderr".to_owned(), server.log()));
    let found = Vec::new();
    Outcome {
        canaries,
        said,
        found,
        statuses,
    }
}

impl Sweep<'_> {
    /// Sends a request. What is refused is looked at as a whole, and so is any answer that hands out nothing secret.
    fn send(&mut self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let answer = self.server.send(method, target, headers, body);
        self.statuses.push(answer.status);
        let path = target.split('?').next().unwrap();
        let place = format!("the answer {} to {method} {path}", answer.status);
        let shown = format!("{}\n{}", answer.head, answer.body);
        if answer.status >= 400 || !self.learn(&answer) {
            self.said.push((place, shown));
        }
        answer
    }

    /// Takes note of the secrets that an answer hands out; whether there were any.
    fn learn(&mut self, answer: &Answer) -> bool {
        let Ok(body) = serde_json::from_str::<serde_json::Value>(&answer.body) else {
            return false;
        };
        let key = body["api_key"].as_str().map(|key| self.canaries.key(key));
        let token = body["access_token"]
            .as_str()
            .map(|token| self.canaries.token(token));
        let refresh = body["refresh_token"].as_str();
        let refresh = refresh.map(|refresh| self.canaries.text("a refresh token", refresh));
        key.or(token).or(refresh).is_some()
    }

    fn register(&mut self, email: &str) {
        let body = json!({"email": email, "password": PASSWORD}).to_string();
        let answer = self.send("POST", "/auth/register", &[], &body);
        assert_eq!(answer.status, 201, "{}", answer.body);
    }

    /// Signs in with a password; whether it is the right one.
    fn signs_in(&mut self, email: &str, password: &str) -> Option<Answer> {
        let body = json!({"email": email, "password": password}).to_string();
        let answer = self.send("POST", "/auth/login", &[], &body);
        (answer.status == 200).then_some(answer)
    }

    /// The same with whichever password it is by now.
    fn sign_in(&mut self, email: &str) -> Answer {
        let answer = self.signs_in(email, PASSWORD);
        let answer = answer.or_else(|| self.signs_in(email, NEW_PASSWORD));
        answer.unwrap_or_else(|| panic!("{email} cannot sign in"))
    }

    /// A route as it is meant to be used, with secrets of its own, and in every way in which it is refused.
    fn route(&mut self, number: usize, route: &Route) {
        let email = format!("user{number}@example.com");
        self.register(&email);
        let (session, root) = (self.sign_in(&email), self.sign_in(ROOT));
        let token = format!("Bearer {}", session.text("access_token"));
        let admin = format!("Bearer {}", root.text("access_token"));
        let wish = r#"{"name":"a key","scopes":["*"]}"#;
        let made = self.send("POST", "/keys", &[("Authorization", &token)], wish);
        let (key, id) = (made.text("api_key"), made.text("id"));
        let wish = r#"{"scopes":["reports:read"]}"#;
        let narrow = self
            .send("POST", "/keys", &[("Authorization", &token)], wish)
            .text("api_key");
        // Whoever mistypes a key has shown most of it.
        let mistyped = format!("{}0", &key[..key.len() - 1]);
        let mistyped = if mistyped == key {
            format!("{}1", &key[..key.len() - 1])
        } else {
            mistyped
        };
        self.canaries.key(&mistyped);
        let forged = format!(
            "{}A.{}",
            &token[..token.len() / 2],
            &token[token.len() / 2..]
        );
        self.canaries
            .text("a forged token", forged.trim_start_matches("Bearer "));

        let target = route.path.replace("{id}", &id).replace("{name}", "reader");
        let target = target.replace("{file}", "nothing.js");
        let (method, form) = (route.method.as_str(), route.path.starts_with("/oauth/"));
        let refresh = session.text("refresh_token");
        let right = if form {
            as_form(&key)
        } else {
            as_json(&email, &key, &refresh)
        };
        let refused = [
            &[][..],
            &[("Authorization", forged.as_str())],
            &[("X-API-Key", mistyped.as_str())],
            &[("X-API-Key", narrow.as_str())],
            &[
                ("Authorization", token.as_str()),
                ("X-API-Key", key.as_str()),
            ],
            &[(
                "Authorization",
                "Basic cm9vdDp2aW9sZXQgdHJhbSBrZXR0bGUgb2Fr",
            )],
        ];
        let good = [
            &[("X-API-Key", key.as_str())][..],
            &[("Authorization", admin.as_str())],
            &[("Authorization", token.as_str())],
        ];
        let bodies = bodies(route, &right);
        if route.access == Access::Anyone {
            for body in &bodies {
                self.typed(method, &target, &[], body, form);
            }
        } else {
            for headers in refused {
                self.typed(method, &target, headers, bodies.last().unwrap(), form);
            }
            for headers in good {
                for body in &bodies {
                    self.typed(method, &target, headers, body, form);
                }
            }
        }
        // Where it does not belong: in the query, in the path, in a header that is no credential.
        for query in [
            format!("token={}", &token[7..]),
            format!("token={key}"),
            format!("api_key={key}&password={PASSWORD}").replace(' ', "%20"),
        ] {
            self.send(method, &format!("{target}?{query}"), &[], "");
        }
        self.send(
            method,
            &format!("{target}/{key}"),
            &[("Authorization", &token)],
            "",
        );
        let strange = [
            ("Authorization", token.as_str()),
            ("Idempotency-Key", "x"),
            ("If-Match", key.as_str()),
            ("Cookie", refresh.as_str()),
            ("User-Agent", mistyped.as_str()),
        ];
        self.send(method, &target, &strange, "");
        self.send("OPTIONS", &target, &[("Authorization", &token)], "");
    }

    fn typed(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
        form: bool,
    ) {
        if !form {
            self.send(method, target, headers, body);
            return;
        }
        let (address, length) = (self.server.address, body.len());
        let mut request = format!(
            "{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n"
        );
        for (name, value) in headers {
            request.extend([name, ": ", value, "\r\n"]);
        }
        request.extend(["\r\n", body]);
        let answer = client::raw(address, request.as_bytes()).unwrap();
        self.statuses.push(answer.status);
        if answer.status >= 400 || !self.learn(&answer) {
            let place = format!("the answer {} to {method} {target}", answer.status);
            self.said
                .push((place, format!("{}\n{}", answer.head, answer.body)));
        }
    }

    /// The host's own routes, the pages, and paths that are none.
    fn outside_the_table(&mut self) {
        let token = format!("Bearer {}", self.sign_in(ROOT).text("access_token"));
        let made = self.send("POST", "/keys", &[("Authorization", &token)], "{}");
        let key = made.text("api_key");
        for path in [
            "/demo/public",
            "/demo/protected",
            "/demo/reports",
            "/metrics",
            "/nothing",
        ] {
            for headers in [
                &[][..],
                &[("X-API-Key", key.as_str())],
                &[("Authorization", token.as_str())],
            ] {
                for method in ["GET", "POST"] {
                    self.send(method, path, headers, "");
                }
            }
        }
        let revoke = format!("/keys/{}/revoke", made.text("id"));
        assert_eq!(
            self.send("POST", &revoke, &[("Authorization", &token)], "")
                .status,
            200
        );
        assert_eq!(
            self.send("GET", "/demo/protected", &[("X-API-Key", &key)], "")
                .status,
            401
        );
        // 64 KiB of a password.
        let long = PASSWORD.repeat(4_000);
        let body = json!({"email": ROOT, "password": long}).to_string();
        assert_eq!(self.send("POST", "/auth/login", &[], &body).status, 413);
        let plain = format!(
            "POST /auth/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{PASSWORD}",
            PASSWORD.len()
        );
        let answer = client::raw(self.server.address, plain.as_bytes()).unwrap();
        assert_eq!(answer.status, 415);
        self.statuses.push(415);
        self.said.push(("an answer 415".to_owned(), answer.body));
        // What is no request at all.
        let nonsense = format!("{PASSWORD} {key}\r\nAuthorization: {token}\r\n\r\n");
        if let Ok(answer) = client::raw(self.server.address, nonsense.as_bytes()) {
            self.said.push((
                "an answer to nonsense".to_owned(),
                answer.head + &answer.body,
            ));
        }
    }

    /// The journal as an admin reads it, page by page.
    fn journal(&mut self) {
        let token = format!("Bearer {}", self.sign_in(ROOT).text("access_token"));
        let mut target = Some("/audit?limit=100".to_owned());
        let mut pages = 0;
        while let Some(page) = target {
            let answer = self.send("GET", &page, &[("Authorization", &token)], "");
            assert_eq!(answer.status, 200, "{}", answer.body);
            let next = answer
                .header("link")
                .and_then(|link| link.split(['<', '>']).nth(1));
            target = next.map(|next| format!("/audit{next}"));
            pages += 1;
        }
        assert!(pages > 1);
    }

    /// What is said when the database is gone, if it is.
    fn without_database(&mut self) {
        let body = json!({"email": ROOT, "password": PASSWORD}).to_string();
        for _ in 0..2 {
            self.send("POST", "/auth/login", &[], &body);
            self.send("GET", "/ready", &[], "");
        }
    }
}
