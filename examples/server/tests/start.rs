//! Starting badly: one clear line, exit status 1, no backtrace, nothing left behind.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test reports by panicking"
)]

#[macro_use]
mod support;

use std::net::TcpListener;

use support::client;
use support::server::{self, JWT_SECRET, MASTER_KEY, Server};
use support::site::Site;

on_each_framework!(
    a_port_that_is_taken,
    a_database_that_cannot_be_reached,
    a_database_url_that_is_none,
    a_file_that_is_no_database,
    secrets_that_are_weak_or_missing,
    a_database_whose_secret_is_gone,
    settings_that_are_none,
    a_folder_that_cannot_be_written_to,
    the_framework_is_the_one_that_was_asked_for,
    help_names_every_setting_and_no_secret,
    migrate_says_what_it_did,
    secrets_from_files,
    elsewhere_than_on_loopback_a_master_key_is_enough,
    the_log_can_be_json,
    what_is_no_request_does_not_fill_the_log,
);

/// The one line it says on stderr.
fn refusal(site: &Site, arguments: &[&str], settings: &[(&str, &str)]) -> String {
    let mut all = vec![("SAKMS_LISTEN", "127.0.0.1:0"), ("RUST_BACKTRACE", "1")];
    all.extend(settings);
    let (status, out, err) = site.run(arguments, &all);
    assert_eq!((status, out.as_str()), (1, ""), "{err}");
    let lines: Vec<_> = err
        .lines()
        .filter(|line| line.starts_with("error: "))
        .collect();
    assert_eq!(lines.len(), 1, "{err}");
    assert!(
        !err.contains("backtrace") && !err.contains("panicked"),
        "{err}"
    );
    lines[0].to_owned()
}

fn says(site: &Site, arguments: &[&str], settings: &[(&str, &str)], words: &str) {
    let line = refusal(site, arguments, settings);
    assert!(line.contains(words), "expected {words:?} in: {line}");
}

fn a_port_that_is_taken(site: &Site) {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    says(
        site,
        &["--listen", &address],
        &[],
        &format!("cannot listen on {address}"),
    );
    assert_eq!(
        std::fs::read_dir(site.folder()).unwrap().count(),
        0,
        "no database and no secret is left behind"
    );
}

fn a_database_that_cannot_be_reached(site: &Site) {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let url = format!("mysql://sakms:hush-canary@{closed}/sakms");
    let settings = [
        ("SAKMS_MASTER_KEY", MASTER_KEY),
        ("JWT_SECRET", JWT_SECRET),
        ("SAKMS_DATABASE_URL", &url),
    ];
    for arguments in [&["serve"], &["migrate"]] {
        let line = refusal(site, arguments, &settings);
        assert!(
            line.contains("database") && !line.contains("hush-canary"),
            "{line}"
        );
    }
}

fn a_database_url_that_is_none(site: &Site) {
    for (url, words) in [
        ("postgres://localhost/sakms", "postgres"),
        ("nonsense", "not a URL"),
        ("mysql://", "database"),
        ("sqlite://nowhere/at/all.db", "nowhere/at"),
        ("sqlite:///", "/"),
    ] {
        let settings = [
            ("SAKMS_MASTER_KEY", MASTER_KEY),
            ("JWT_SECRET", JWT_SECRET),
            ("SAKMS_DATABASE_URL", url),
        ];
        says(site, &[], &settings, words);
    }
}

fn a_file_that_is_no_database(site: &Site) {
    std::fs::write(
        site.folder().join("sakms.db"),
        "this is a shopping list, not a database\n".repeat(200),
    )
    .unwrap();
    says(site, &[], &[], "database");
}

fn secrets_that_are_weak_or_missing(site: &Site) {
    for secret in [
        "CHANGE_ME_SUPER_SECRET",
        "hush",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "",
    ] {
        let line = refusal(site, &[], &[("JWT_SECRET", secret)]);
        assert!(line.contains("--jwt-secret"), "{line}");
        assert!(secret.is_empty() || !line.contains(secret), "{line}");
    }
    says(
        site,
        &["--master-key", "0123456789abcdef"],
        &[],
        "--master-key",
    );
    says(site, &["--master-key-file", "not-there"], &[], "not-there");
    says(
        site,
        &["--master-key", JWT_SECRET, "--jwt-secret", JWT_SECRET],
        &[],
        "the same",
    );
    says(
        site,
        &["--listen", "0.0.0.0:0"],
        &[],
        "--master-key is required",
    );
    says(
        site,
        &["--database-url", "mysql://u@127.0.0.1/x"],
        &[],
        "--master-key is required",
    );
}

fn a_database_whose_secret_is_gone(site: &Site) {
    drop(site.start(&[]));
    std::fs::remove_file(site.folder().join("sakms.db.master-key")).unwrap();
    says(site, &[], &[], "sakms.db.master-key");
}

fn settings_that_are_none(site: &Site) {
    says(site, &["--key-prefix", "Not OK"], &[], "--key-prefix");
    says(site, &["--log", "a=b=c"], &[], "--log");
    says(site, &["--argon2-iterations", "1"], &[], "Argon2");
    let follow = ["--keyring-follow", "60", "--keyring-notice", "60"];
    says(site, &follow, &[], "--keyring-notice");
    assert_eq!(
        std::fs::read_dir(site.folder()).unwrap().count(),
        0,
        "nothing was made"
    );
    // The parser of the command line speaks for itself, with the status it always has.
    for bad in [
        ["--framework", "rocket"],
        ["--listen", "nowhere"],
        ["--token-lifetime", "59"],
        ["--colour", "red"],
        ["--keyring-notice", "0"],
    ] {
        let (status, _, err) = site.run(&bad, &[]);
        assert_eq!(status, 2);
        assert!(err.starts_with("error: "), "{err}");
    }
}

fn the_framework_is_the_one_that_was_asked_for(site: &Site) {
    let framework = site.framework();
    let by_variable = site.start(&[]);
    assert!(
        by_variable
            .log()
            .contains(&format!("framework=\"{framework}\""))
    );
    let mut command = server::command(site.folder());
    let other = site.on_the_other_framework().framework();
    command.env("SAKMS_FRAMEWORK", other).args([
        "--framework",
        framework,
        "--listen",
        "127.0.0.1:0",
    ]);
    let by_flag = Server::spawn(command);
    assert!(
        by_flag
            .log()
            .contains(&format!("framework=\"{framework}\""))
    );
}

fn a_folder_that_cannot_be_written_to(site: &Site) {
    let file = site.folder().join("file");
    std::fs::write(&file, "").unwrap();
    // A file where a folder should be refuses even root, whom permissions do not stop.
    let url = format!("sqlite://{}/sakms.db", file.display());
    says(site, &[], &[("SAKMS_DATABASE_URL", &url)], "sakms.db");
}

fn help_names_every_setting_and_no_secret(site: &Site) {
    let secret = [
        ("SAKMS_MASTER_KEY", "help-canary"),
        ("JWT_SECRET", "help-canary"),
        ("SAKMS_DATABASE_URL", "mysql://u:help-canary@h/d"),
    ];
    for arguments in [
        &["--help"][..],
        &["serve", "--help"],
        &["migrate", "--help"],
    ] {
        let (status, out, _) = site.run(arguments, &secret);
        assert_eq!(status, 0);
        assert!(
            out.contains("SAKMS_LISTEN")
                && out.contains("SAKMS_DATABASE_URL")
                && out.contains("JWT_SECRET")
        );
        assert!(!out.contains("help-canary"), "{out}");
    }
}

fn migrate_says_what_it_did(site: &Site) {
    let (status, first, _) = site.run(&["migrate"], &[]);
    assert_eq!(status, 0);
    assert!(
        first.lines().count() > 5 && first.lines().all(|line| line.starts_with("applied ")),
        "{first}"
    );
    let (status, second, _) = site.run(&["migrate"], &[]);
    assert_eq!(
        (status, second.as_str()),
        (0, "the tables are up to date\n")
    );
}

fn secrets_from_files(site: &Site) {
    std::fs::write(site.folder().join("master"), format!("{MASTER_KEY}\n")).unwrap();
    std::fs::write(site.folder().join("jwt"), format!("{JWT_SECRET}\n")).unwrap();
    let server = site.start(&[
        ("SAKMS_MASTER_KEY_FILE", "master"),
        ("JWT_SECRET_FILE", "jwt"),
    ]);
    assert_eq!(server.send("GET", "/health", &[], "").status, 200);
    assert!(!site.folder().join("sakms.db.master-key").exists());
}

fn elsewhere_than_on_loopback_a_master_key_is_enough(site: &Site) {
    let settings = [
        ("SAKMS_LISTEN", "0.0.0.0:0"),
        ("SAKMS_MASTER_KEY", MASTER_KEY),
    ];
    let server = site.start(&settings);
    let health = client::send(
        ([127, 0, 0, 1], server.address.port()).into(),
        "GET",
        "/health",
        &[],
        "",
    );
    assert_eq!(health.status, 200);
    let made: Vec<_> = std::fs::read_dir(site.folder()).unwrap().collect();
    let names = made.into_iter().map(|file| file.unwrap().file_name());
    assert!(
        names
            .into_iter()
            .all(|name| name.to_string_lossy().starts_with("sakms.db")
                && !name.to_string_lossy().ends_with("secret")
                && !name.to_string_lossy().ends_with("key"))
    );
}

fn the_log_can_be_json(site: &Site) {
    let server = site.start(&[("SAKMS_LOG_FORMAT", "json")]);
    let _ = client::send(server.address, "GET", "/nothing/here?token=canary", &[], "");
    server.wait_for_log("\"status\":404");
    let log = server.log();
    for line in log.lines() {
        let parsed: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(parsed["level"].is_string());
    }
    assert!(
        log.contains("\"status\":404") && !log.contains("canary") && !log.contains("nothing/here"),
        "{log}"
    );
}

fn what_is_no_request_does_not_fill_the_log(site: &Site) {
    let server = site.start(&[]);
    let answer = client::raw(server.address, b"this is no request\r\n\r\n").unwrap();
    assert_eq!(answer.status, 400);
    let _ = server.send("GET", "/health", &[], "");
    server.wait_for_log("/health");
    let log = server.log();
    assert!(!log.contains("ERROR") && !log.contains("WARN"), "{log}");
}
