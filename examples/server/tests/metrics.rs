//! The page of figures, on both frameworks.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

#[macro_use]
mod support;

use support::site::Site;
use support::{flow, server::Server};

/// The value of a line of the page; 0 for one that is not there.
fn value(page: &str, line: &str) -> u64 {
    let found = page.lines().find_map(|one| one.strip_prefix(line));
    found.map_or(0, |rest| rest.trim().parse().unwrap())
}

fn page(server: &Server) -> String {
    let answer = server.send("GET", "/metrics", &[], "");
    assert_eq!(answer.status, 200, "{}", answer.body);
    let kind = answer.header("content-type");
    assert_eq!(kind, Some("text/plain; version=0.0.4; charset=utf-8"));
    answer.body
}

on_each_framework!(checks_are_counted, who_does_not_want_the_page_has_none);

fn checks_are_counted(site: &Site) {
    let server = site.start(&[]);
    flow::register(&server, "ada@example.com");
    let token = flow::login(&server, "ada@example.com");
    let bearer = format!("Bearer {token}");
    let created = server.send("POST", "/keys", &[("Authorization", &bearer)], "");
    let key = format!("Bearer {}", created.text("api_key"));
    let check = |key: &str| {
        let answer = server.send("GET", "/demo/protected", &[("Authorization", key)], "");
        answer.status
    };
    // The first check starts the following of the journal; what was read before it began is not believed.
    while value(&page(&server), "sakms_cache_lookups_total{found=\"key\"}") < 3 {
        assert_eq!(check(&key), 200);
    }
    assert_eq!(check("Bearer nonsense"), 401);

    let figures = page(&server);
    let granted = value(&figures, "sakms_verdicts_total{verdict=\"granted\"}");
    assert!(granted >= 4, "{figures}");
    assert_eq!(
        value(&figures, "sakms_verdicts_total{verdict=\"malformed\"}"),
        1
    );
    assert_eq!(value(&figures, "sakms_journal_trusted"), 1);
    // A key that signs, an account, a session and a key; the last is read by the next reading at the latest.
    let position = || value(&page(&server), "sakms_journal_position");
    for _ in 0..500 {
        if position() >= 4 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(position(), 4);
    assert_eq!(value(&figures, "sakms_cache_entries{cache=\"keys\"}"), 1);
    // One to make the key and one to check it: all further checks went without.
    assert_eq!(
        value(&figures, "sakms_hash_seconds_count{share=\"keys\"}"),
        2
    );
    assert_eq!(
        value(&figures, "sakms_hash_seconds_count{share=\"passwords\"}"),
        2
    );
    let finds = "sakms_store_seconds_count{operation=\"find\",outcome=\"ok\"}";
    assert!((1..granted).contains(&value(&figures, finds)), "{figures}");
    for secret in [&token, &created.text("api_key"), flow::PASSWORD, "ada@"] {
        assert!(!figures.contains(secret), "{figures}");
    }

    let health = server.send("GET", "/health", &[], "");
    assert!(health.body.contains("\"trusted\":true"), "{}", health.body);
}

fn who_does_not_want_the_page_has_none(site: &Site) {
    let server = site.start(&[("SAKMS_METRICS", "off")]);
    assert_eq!(server.send("GET", "/metrics", &[], "").status, 404);
}
