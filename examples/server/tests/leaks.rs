//! Secrets stay where they belong: every kind of them goes through every route, with whatever can go wrong, at the most talkative
//! level of the log, and is looked for in all that comes out.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test reports by panicking"
)]

#[path = "leaks/bodies.rs"]
mod bodies;
#[path = "leaks/everywhere.rs"]
mod everywhere;
#[path = "leaks/kept.rs"]
mod kept;
#[path = "leaks/panics.rs"]
mod panics;
#[macro_use]
mod support;

use std::ffi::OsStr;
use std::path::Path;

use kept::Kept;
use sqlx::Connection as _;
use support::canaries::Canaries;
use support::mariadbd::MariaDb;
use support::site::Site;

on_each_framework!(on_sqlite, on_mariadb, kept_on_sqlite, kept_on_mariadb);

/// The words of both databases for what is stored of secrets.
const HASHES: [&str; 2] = [
    "SELECT hash FROM sakms_secrets",
    "SELECT password_hash FROM sakms_accounts",
];
const SIGNING_KEYS: &str = "SELECT id, value FROM sakms_states WHERE kind = 'signing_key'";

fn on_sqlite(site: &Site) {
    let url = sqlite(site);
    let outcome = everywhere::run(site, &url, || ());
    let mut outcome = outcome.with_hashes(&kept_by_sqlite(&url).hashes);
    outcome.database_files(files(site.folder()));
    outcome.assert_clean();
}

fn on_mariadb(site: &Site) {
    let Some(mut database) = MariaDb::start() else {
        return;
    };
    let url = database.url();
    let mut hashes = Vec::<String>::new();
    let outcome = everywhere::run(site, &url, || {
        hashes = kept_by_mariadb(&url).hashes;
        database.kill();
    });
    let mut outcome = outcome.with_hashes(&hashes);
    outcome.database_files(files(&database.data()));
    outcome.assert_clean();
}

fn kept_on_sqlite(site: &Site) {
    let url = sqlite(site);
    kept::run(site, &url, || Kept {
        files: files(site.folder()),
        ..kept_by_sqlite(&url)
    });
}

fn kept_on_mariadb(site: &Site) {
    let Some(mut database) = MariaDb::start() else {
        return;
    };
    let url = database.url();
    kept::run(site, &url, || {
        let kept = kept_by_mariadb(&url);
        database.kill();
        let files = files(&database.data());
        Kept { files, ..kept }
    });
}

fn sqlite(site: &Site) -> String {
    format!("sqlite://{}", site.folder().join("leaks.db").display())
}

/// What a database has, by way of a connection of this type: the statements are the same.
macro_rules! kept_by {
    ($connection:ty, $url:expr) => {
        wait(async {
            let mut connection = <$connection>::connect($url).await.unwrap();
            let mut hashes = Vec::new();
            for text in HASHES {
                let rows = sqlx::query_scalar(text).fetch_all(&mut connection);
                let rows: Vec<Vec<u8>> = rows.await.unwrap();
                hashes.extend(rows.into_iter().map(|row| String::from_utf8(row).unwrap()));
            }
            let signing_keys = sqlx::query_as(SIGNING_KEYS).fetch_all(&mut connection);
            let (signing_keys, files) = (signing_keys.await.unwrap(), Vec::new());
            Kept {
                hashes,
                signing_keys,
                files,
            }
        })
    };
}

fn kept_by_sqlite(url: &str) -> Kept {
    kept_by!(sqlx::SqliteConnection, url)
}

fn kept_by_mariadb(url: &str) -> Kept {
    kept_by!(sqlx::MySqlConnection, url)
}

/// The files of a folder, and of those in it that hold databases of SAKMS, by name.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| match path.file_name().and_then(OsStr::to_str) {
            Some("sakms") => files(&path),
            _ if path.is_file() => vec![(path.display().to_string(), std::fs::read(path).unwrap())],
            _ => Vec::new(),
        })
        .collect()
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(work)
}

#[test]
fn what_is_planted_is_found_in_every_form() {
    let key = format!(
        "sakms_live_{}{}{}",
        "a".repeat(22),
        "b".repeat(43),
        "c".repeat(11)
    );
    let mut canaries = Canaries::default();
    canaries.text("a password", "violet tram kettle oak");
    canaries.key(&key);
    canaries.token("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJlc2lnbmF0dXJl");
    canaries.bytes("a master key", &[7; 32]);
    canaries.stored(
        "a stored hash",
        "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$cHJvb2Zwcm9vZnByb29m",
    );
    let planted = [
        ("a password", "password=violet+tram+kettle+oak&x=1"),
        ("a password", "{\"password\":\"violet tram kettle oak\"}"),
        ("a password", "76696f6c6574207472616d206b6574746c65206f616b"),
        ("a key", key.as_str()),
        (
            "a key's secret",
            "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
        ),
        ("a key's tag", "ccccccccccc"),
        ("a token's signature", "signature: c2lnbmF0dXJlc2lnbmF0dXJl"),
        (
            "a master key",
            "key BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc",
        ),
        (
            "a master key",
            "[7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7]",
        ),
        ("a stored hash", "cHJvb2Zwcm9vZnByb29m"),
    ];
    for (kind, text) in planted {
        let found = canaries.found_in([("a log", &*format!("one line\nanother: {text}\n"))]);
        assert!(
            found.iter().any(|found| found.starts_with(kind)),
            "{kind}: {found:?}"
        );
    }
    // What is public is none, and a hash is at home in the database.
    let public = &key["sakms_live_".len()..][..22];
    assert!(canaries.found_in([("a log", public)]).is_empty());
    assert!(
        canaries
            .found_in_database("a file", b"cHJvb2Zwcm9vZnByb29m")
            .is_empty()
    );
    let plain = canaries.found_in_database("a file", b"\xFFviolet tram kettle oak\xFF");
    assert_eq!(plain.len(), 1);
}
