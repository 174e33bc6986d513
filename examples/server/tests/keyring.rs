//! Keys that sign tokens, in the database: all servers on it sign with the same ones, on both frameworks and both databases.

#![allow(clippy::unwrap_used, reason = "a test reports by panicking")]
#![allow(clippy::disallowed_methods, reason = "a rotation takes its time")]

#[macro_use]
mod support;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sakms_core::clock::Timestamp;
use serde_json::Value;
use support::flow;
use support::mariadbd::MariaDb;
use support::server::{JWT_SECRET, MASTER_KEY, Server};
use support::site::Site;

on_each_framework!(
    the_first_start_makes_one_key_and_all_servers_sign_with_it_on_sqlite,
    the_first_start_makes_one_key_and_all_servers_sign_with_it_on_mariadb,
    a_rotation_refuses_no_token_on_sqlite,
    a_rotation_refuses_no_token_on_mariadb,
    a_rotation_at_once_voids_every_token,
    with_a_secret_nothing_is_published_and_no_key_is_made,
    tokens_of_the_secret_of_an_earlier_version_stay_good,
    the_command_says_what_it_does,
);

const ADA: &str = "ada@example.com";
/// Within this a server has read the keys again, were the machine never so busy.
const BOUND: Duration = Duration::from_secs(30);

fn settings(url: &str) -> Vec<(&str, &str)> {
    vec![
        ("SAKMS_DATABASE_URL", url),
        ("SAKMS_MASTER_KEY", MASTER_KEY),
        ("SAKMS_KEYRING_FOLLOW", "1"),
        ("SAKMS_KEYRING_NOTICE", "5"),
    ]
}

fn sqlite(site: &Site) -> String {
    format!("sqlite://{}", site.folder().join("shared.db").display())
}

/// A part of a token, which anybody can read: its header, its claims.
fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn header(token: &str) -> Value {
    part(token, 0)
}

fn kid(token: &str) -> String {
    header(token)["kid"].as_str().unwrap().to_owned()
}

/// The names of the keys that a server publishes.
fn published(server: &Server) -> Vec<String> {
    let answer = server.send("GET", "/.well-known/jwks.json", &[], "");
    assert_eq!(answer.status, 200, "{}", answer.body);
    let set = answer.json();
    let keys = set["keys"].as_array().unwrap().iter();
    let names = keys.map(|key| key["kid"].as_str().unwrap().to_owned());
    names.collect()
}

/// The status of a request with this token.
fn status(server: &Server, token: &str) -> u16 {
    let bearer = format!("Bearer {token}");
    let answer = server.send("GET", "/keys", &[("Authorization", &bearer)], "");
    answer.status
}

/// Runs `keyring` with these arguments: what it says, in lines of words.
fn keyring(site: &Site, arguments: &[&str], settings: &[(&str, &str)]) -> Vec<Vec<String>> {
    let (status, said, errors) = site.run(&[&["keyring"], arguments].concat(), settings);
    assert_eq!(status, 0, "{said}{errors}");
    let words = |line: &str| line.split(['\t', ' ']).map(str::to_owned).collect();
    said.lines().map(words).collect()
}

fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < BOUND, "not within {BOUND:?}: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn the_first_start_makes_one_key_and_all_servers_sign_with_it_on_sqlite(site: &Site) {
    one_key(site, &sqlite(site));
}

fn the_first_start_makes_one_key_and_all_servers_sign_with_it_on_mariadb(site: &Site) {
    let Some(database) = MariaDb::start() else {
        return;
    };
    one_key(site, &database.url());
}

fn one_key(site: &Site, url: &str) {
    let (settings, other) = (settings(url), site.on_the_other_framework());
    // Both at once, on an empty database.
    let (one, two) = std::thread::scope(|scope| {
        let one = scope.spawn(|| site.start(&settings));
        let two = other.start(&settings);
        (one.join().unwrap(), two)
    });
    let names = published(&one);
    assert_eq!(names.len(), 1, "{names:?}");
    assert_eq!(published(&two), names);
    flow::register(&one, ADA);
    for server in [&one, &two] {
        let token = flow::login(server, ADA);
        assert_eq!(header(&token)["alg"], "EdDSA");
        assert_eq!(kid(&token), names[0]);
        assert_eq!((status(&one, &token), status(&two, &token)), (200, 200));
    }
    let listed = keyring(site, &["list"], &settings);
    assert_eq!(listed, [[&*names[0], "EdDSA", "signs", "-", "-"]]);
    // Another start finds it again.
    drop(one);
    assert_eq!(published(&site.start(&settings)), names);
}

fn a_rotation_refuses_no_token_on_sqlite(site: &Site) {
    rotation(site, &sqlite(site));
}

fn a_rotation_refuses_no_token_on_mariadb(site: &Site) {
    let Some(database) = MariaDb::start() else {
        return;
    };
    rotation(site, &database.url());
}

/// While clients sign in at one server and call both, the key is changed: none of them is refused.
fn rotation(site: &Site, url: &str) {
    let (settings, other) = (settings(url), site.on_the_other_framework());
    let servers = [site.start(&settings), other.start(&settings)];
    flow::register(&servers[0], ADA);
    let before = flow::login(&servers[0], ADA);
    let (over, seen) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let (new, from) = std::thread::scope(|scope| {
        // With accounts of their own: past so many sessions, an account's oldest ends.
        for (here, there, email) in [(0, 1, "bob@example.com"), (1, 0, "eve@example.com")] {
            flow::register(&servers[here], email);
            let (servers, over, seen, before) = (&servers, &over, &seen, &before);
            scope.spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    let token = flow::login(&servers[here], email);
                    // At once where no key was made in this second, and the other has known it for long.
                    let answers = [&token, before]
                        .map(|token| [there, here].map(|server| status(&servers[server], token)));
                    seen.lock().unwrap().push((token, answers));
                }
            });
        }
        let _end = End(&over);
        let made = keyring(site, &["rotate", "--algorithm", "es256"], &settings);
        let new = made[0][0].clone();
        assert_eq!(made[0][1..4], ["(ES256)", "signs", "from"]);
        for server in &servers {
            eventually("it is published", || published(server).contains(&new));
        }
        let from = Timestamp::parse(&made[0][4]).unwrap();
        eventually("the new key signs", || {
            let seen = seen.lock().unwrap();
            seen.iter().filter(|(token, _)| kid(token) == new).count() >= 10
        });
        (new, from)
    });
    let seen = seen.into_inner().unwrap();
    let refused = seen.iter().filter(|(_, answers)| *answers != [[200; 2]; 2]);
    let refused: Vec<_> = refused
        .map(|(token, answers)| (kid(token), answers))
        .collect();
    assert!(
        refused.is_empty(),
        "{} of {}: {refused:?}",
        refused.len(),
        seen.len()
    );
    assert!(seen.iter().any(|(token, _)| kid(token) == kid(&before)));
    for (token, _) in seen.iter().filter(|(token, _)| kid(token) == new) {
        let made = part(token, 1)["iat"].as_i64().unwrap();
        assert!(made >= from.as_secs(), "it signs only after the notice");
    }
    for server in &servers {
        let token = flow::login(server, ADA);
        assert_eq!(
            (kid(&token), &header(&token)["alg"]),
            (new.clone(), &"ES256".into())
        );
        assert_eq!(published(server), [new.clone(), kid(&before)]);
    }
    let listed = keyring(site, &["list"], &settings);
    let states: Vec<_> = listed.iter().map(|line| [&*line[0], &*line[2]]).collect();
    assert_eq!(states, [[&*new, "signs"], [&*kid(&before), "verifies"]]);
    assert_ne!(listed[1][4], "-", "the old one has an end");
}

/// Ends the clients also when the test fails.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn a_rotation_at_once_voids_every_token(site: &Site) {
    let (url, other) = (sqlite(site), site.on_the_other_framework());
    let settings = settings(&url);
    let servers = [site.start(&settings), other.start(&settings)];
    flow::register(&servers[0], ADA);
    let before = flow::login(&servers[0], ADA);
    for server in &servers {
        assert_eq!(status(server, &before), 200);
    }
    let made = keyring(site, &["rotate", "--now"], &settings);
    let new = made[0][0].clone();
    assert_eq!(made[0][1..4], ["(EdDSA)", "signs", "now;"]);
    for server in &servers {
        eventually("the old key has ended", || status(server, &before) == 401);
        assert_eq!(published(server), [&*new]);
    }
    for (here, there) in [(0, 1), (1, 0)] {
        let token = flow::login(&servers[here], ADA);
        assert_eq!(kid(&token), new);
        assert_eq!(status(&servers[there], &token), 200);
    }
    let listed = keyring(site, &["list"], &settings);
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0][2], "signs");
}

fn with_a_secret_nothing_is_published_and_no_key_is_made(site: &Site) {
    let url = sqlite(site);
    let mut with_secret = settings(&url);
    with_secret.push(("JWT_SECRET", JWT_SECRET));
    let server = site.start(&with_secret);
    flow::register(&server, ADA);
    let token = flow::login(&server, ADA);
    assert_eq!(header(&token)["alg"], "HS256");
    assert_eq!(status(&server, &token), 200);
    assert_eq!(published(&server), [""; 0]);
    for arguments in [&["list"][..], &["rotate"], &["rotate", "--now"]] {
        let arguments = [&["keyring"], arguments].concat();
        let (status, said, errors) = site.run(&arguments, &with_secret);
        assert_eq!((status, &*said), (1, ""), "{errors}");
        assert_eq!(
            errors.matches("the keyring is not used").count(),
            1,
            "{errors}"
        );
    }
    let listed = keyring(site, &["list"], &settings(&url));
    assert!(listed.is_empty(), "{listed:?}");
}

fn tokens_of_the_secret_of_an_earlier_version_stay_good(site: &Site) {
    // As an earlier version left it: it made this file and signed with what is in it.
    let file = site.folder().join("sakms.db.jwt-secret");
    std::fs::write(&file, format!("{JWT_SECRET}\n")).unwrap();
    let before = {
        let server = site.start(&[("JWT_SECRET_FILE", "sakms.db.jwt-secret")]);
        flow::register(&server, ADA);
        flow::login(&server, ADA)
    };
    assert_eq!(header(&before)["alg"], "HS256");
    let server = site.start(&[]);
    let said = "signed with the secret in this file are still good";
    assert_eq!(server.log().matches(said).count(), 1, "{}", server.log());
    assert!(!server.log().contains(JWT_SECRET));
    assert_eq!(status(&server, &before), 200);
    let token = flow::login(&server, ADA);
    assert_eq!(header(&token)["alg"], "EdDSA");
    assert_eq!(published(&server), [kid(&token)]);
    assert_eq!(status(&server, &token), 200);
    // Whoever voids all tokens is told that these are not among them.
    let made = keyring(site, &["rotate", "--now"], &[]);
    assert_eq!(made.len(), 2, "{made:?}");
    assert!(
        made[1]
            .iter()
            .any(|word| word.ends_with("sakms.db.jwt-secret"))
    );
    assert_eq!(status(&server, &before), 200);

    std::fs::remove_file(&file).unwrap();
    drop(server);
    let server = site.start(&[]);
    assert!(!server.log().contains("jwt-secret"));
    assert_eq!(status(&server, &before), 401);
    assert_eq!(status(&server, &flow::login(&server, ADA)), 200);
}

fn the_command_says_what_it_does(site: &Site) {
    for arguments in [&["keyring", "list"][..], &["keyring", "rotate"]] {
        let (status, _, errors) = site.run(arguments, &[]);
        assert!(
            status == 1 && errors.contains("there is no database"),
            "{errors}"
        );
        let (status, help, _) = site.run(&[arguments, &["--help"]].concat(), &[]);
        assert!(
            status == 0 && help.contains("SAKMS_KEYRING_NOTICE"),
            "{help}"
        );
    }
    assert_eq!(std::fs::read_dir(site.folder()).unwrap().count(), 0);
    let (_, help, _) = site.run(&["keyring", "rotate", "--help"], &[]);
    assert!(help.contains("--now") && help.contains("RS256"), "{help}");
    for bad in ["HS256", "none", ""] {
        let (status, _, errors) = site.run(&["keyring", "rotate", "--algorithm", bad], &[]);
        assert_eq!(status, 2, "{errors}");
    }
    // The keys of a database open under its master key alone.
    drop(site.start(&[]));
    let other = [("SAKMS_MASTER_KEY", MASTER_KEY)];
    let (status, _, errors) = site.run(&["keyring", "rotate"], &other);
    assert!(status == 1 && errors.contains("master key"), "{errors}");
    assert_eq!(keyring(site, &["list"], &[]).len(), 1);
}
