//! A day in the life of a key, as its owner and an admin live it, on each framework and each database.

#![allow(clippy::unwrap_used, reason = "a test reports by panicking")]

#[macro_use]
mod support;

use serde_json::{Value, json};
use sqlx::Connection as _;
use support::client::Answer;
use support::flow;
use support::mariadbd::MariaDb;
use support::server::{JWT_SECRET, MASTER_KEY, Server};
use support::site::Site;

on_each_framework!(on_sqlite, on_mariadb);

fn on_sqlite(site: &Site) {
    let url = format!("sqlite://{}", site.folder().join("day.db").display());
    day(site, &url);
    let changed = run(async {
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        let done = sqlx::query(CHANGE_BY_HAND).execute(&mut connection).await;
        done.unwrap().rows_affected()
    });
    assert_eq!(changed, 1);
    the_change_is_named(site, &url);
}

fn on_mariadb(site: &Site) {
    let Some(database) = MariaDb::start() else {
        return;
    };
    let url = database.url();
    day(site, &url);
    let changed = run(async {
        let mut connection = sqlx::MySqlConnection::connect(&url).await.unwrap();
        let done = sqlx::query(CHANGE_BY_HAND).execute(&mut connection).await;
        done.unwrap().rows_affected()
    });
    assert_eq!(changed, 1);
    the_change_is_named(site, &url);
}

/// Makes the rotation look as if somebody else had done it.
const CHANGE_BY_HAND: &str =
    "UPDATE sakms_journal SET actor = 'owner:mallory' WHERE action = 'key.rotate'";

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(work)
}

fn settings(url: &str) -> [(&str, &str); 3] {
    [
        ("SAKMS_DATABASE_URL", url),
        ("SAKMS_MASTER_KEY", MASTER_KEY),
        ("JWT_SECRET", JWT_SECRET),
    ]
}

/// Somebody's side of a conversation with the server.
struct Person<'a> {
    server: &'a Server,
    token: String,
}

impl Person<'_> {
    fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let headers = [("Authorization", self.token.as_str())];
        self.server.send(method, path, &headers, &body)
    }

    /// The same of a GET whose answer shall have this status before long.
    fn in_time(&self, status: u16, method: &str, path: &str) -> Answer {
        for _ in 0..500 {
            if self.send(method, path, &Value::Null).status == status {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        self.expect(status, method, path, &Value::Null)
    }

    /// The same where the answer must have this status.
    fn expect(&self, status: u16, method: &str, path: &str, body: &Value) -> Answer {
        let answer = self.send(method, path, body);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        answer
    }
}

fn day(site: &Site, url: &str) {
    let settings = settings(url);
    let server = site.start(&settings);
    let sign_in = |email: &str| {
        flow::register(&server, email);
        Person {
            server: &server,
            token: format!("Bearer {}", flow::login(&server, email)),
        }
    };
    let (ada, root) = (sign_in("ada@example.com"), sign_in("root@example.com"));
    let id = a_key_is_made_used_and_rotated(&ada);

    // An admin is made on the command line; there is none before.
    root.expect(403, "GET", "/accounts", &Value::Null);
    let grant = [
        "account",
        "grant",
        "--email",
        "root@example.com",
        "--role",
        "admin",
    ];
    let (status, _, errors) = site.run(&grant, &settings);
    assert_eq!(status, 0, "{errors}");
    // Another process has done it: the server hears of it by the journal.
    let accounts = root.in_time(200, "GET", "/accounts").json();
    assert_eq!(accounts.as_array().map(Vec::len), Some(2), "{accounts}");

    // The audit shows her what was done with her key, and the admin what was done at all.
    let actions = |person: &Person<'_>| -> Vec<String> {
        let rows = person.expect(200, "GET", "/audit", &Value::Null).json();
        let action = |row: &Value| row["action"].as_str().unwrap().to_owned();
        rows.as_array().unwrap().iter().map(action).collect()
    };
    let hers = actions(&ada);
    for action in [
        "key.create",
        "key.rotate",
        "key.keep_secret",
        "account.register",
    ] {
        assert_eq!(
            hers.iter().filter(|one| *one == action).count(),
            1,
            "{action}: {hers:?}"
        );
    }
    assert!(!hers.contains(&"account.grant".to_owned()), "{hers:?}");
    assert!(actions(&root).contains(&"account.grant".to_owned()));

    // What was used is written down at the end at the latest.
    let mut server = {
        drop((ada, root));
        server
    };
    server.signal("TERM");
    assert!(server.wait(std::time::Duration::from_secs(10)).success());
    let server = site.start(&settings);
    let ada = Person {
        server: &server,
        token: format!("Bearer {}", flow::login(&server, "ada@example.com")),
    };
    let usage = ada
        .expect(200, "GET", &format!("/keys/{id}/usage"), &Value::Null)
        .json();
    let sum = |field: &str| -> u64 {
        let days = usage["days"].as_array().unwrap().iter();
        days.map(|day| day[field].as_u64().unwrap()).sum()
    };
    // Old, new and old again at the reports and new once more; refused: the scope, and the old one after its end.
    assert_eq!((sum("allowed"), sum("refused")), (4, 2), "{usage}");

    // The chain is whole.
    let (status, said, errors) = site.run(&["audit", "verify"], &settings);
    assert_eq!(status, 0, "{said}{errors}");
}

/// Makes a key, uses it, and gives it another secret; gives its id.
fn a_key_is_made_used_and_rotated(ada: &Person<'_>) -> String {
    let use_of = |key: &str, path: &str| {
        let headers = [("X-API-Key", key)];
        ada.server.send("GET", path, &headers, "")
    };
    // She makes a key that may read reports and ends in a week,
    let a_week = "2126-12-05T00:00:00Z";
    let asked =
        json!({"name": "ci", "scopes": ["reports:read"], "tags": ["ci"], "expires_at": a_week});
    let created = ada.expect(201, "POST", "/keys", &asked);
    let (id, old) = (created.text("id"), created.text("api_key"));
    // uses it,
    assert_eq!(use_of(&old, "/demo/reports").status, 200);
    // and is refused where it may not.
    let refused = use_of(&old, "/keys");
    assert_eq!(
        (refused.status, refused.text("code")),
        (403, "insufficient_scope".to_owned())
    );
    assert!(
        refused
            .header("www-authenticate")
            .unwrap()
            .contains("keys:read")
    );

    // She rotates it: both secrets work, and the old one says that its end is near.
    let rotate = format!("/keys/{id}/rotate");
    let rotated = ada.expect(201, "POST", &rotate, &json!({"overlap_seconds": 3600}));
    let new = rotated.text("api_key");
    assert_eq!((rotated.text("id"), new == old), (id.clone(), false));
    let (by_old, by_new) = (use_of(&old, "/demo/reports"), use_of(&new, "/demo/reports"));
    assert_eq!((by_old.status, by_new.status), (200, 200));
    assert!(by_old.header("sunset").unwrap().ends_with("GMT"));
    assert!(by_old.header("deprecation").unwrap().starts_with('@'));
    assert_eq!(
        (by_new.header("sunset"), by_new.header("deprecation")),
        (None, None)
    );
    assert_eq!(
        ada.expect(409, "POST", &rotate, &json!({})).text("code"),
        "rotation_in_progress"
    );
    let shown = ada
        .expect(200, "GET", &format!("/keys/{id}"), &Value::Null)
        .json();
    assert_eq!(shown["secrets"].as_array().unwrap().len(), 2);

    // She ends the overlap: the old one is refused at once.
    ada.expect(
        200,
        "POST",
        &format!("/keys/{id}/rotation/finish"),
        &Value::Null,
    );
    let refused = use_of(&old, "/demo/reports");
    assert_eq!(
        (refused.status, refused.text("code")),
        (401, "key_retired".to_owned())
    );
    assert_eq!(use_of(&new, "/demo/reports").status, 200);
    id
}

fn the_change_is_named(site: &Site, url: &str) {
    let settings = settings(url);
    let (status, said, errors) = site.run(&["audit", "verify"], &settings);
    assert_eq!(status, 1, "{said}{errors}");
    let exported = site.run(&["audit", "export"], &settings);
    let seq = exported.1.lines().find_map(|line| {
        let row: Value = serde_json::from_str(line).unwrap();
        (row["action"] == "key.rotate").then(|| row["seq"].as_u64().unwrap())
    });
    let named = format!(" {}", seq.unwrap());
    assert!(format!("{said}{errors}").contains(&named), "{said}{errors}");
}
