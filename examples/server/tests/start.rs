//! Starting badly: one clear line, exit status 1, no backtrace, nothing left behind.

mod support;

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use support::client;
use support::server::{self, JWT_SECRET, MASTER_KEY, Server};

/// The one line it says on stderr.
fn refusal(folder: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> String {
    let mut all = vec![("SAKMS_LISTEN", "127.0.0.1:0"), ("RUST_BACKTRACE", "1")];
    all.extend(settings);
    let (status, out, err) = server::run(folder, arguments, &all);
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

fn says(folder: &Path, arguments: &[&str], settings: &[(&str, &str)], words: &str) {
    let line = refusal(folder, arguments, settings);
    assert!(line.contains(words), "expected {words:?} in: {line}");
}

#[test]
fn a_port_that_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    says(
        folder.path(),
        &["--listen", &address],
        &[],
        &format!("cannot listen on {address}"),
    );
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "no database and no secret is left behind"
    );
}

#[test]
fn a_database_that_cannot_be_reached() {
    let folder = tempfile::tempdir().unwrap();
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
        let line = refusal(folder.path(), arguments, &settings);
        assert!(
            line.contains("database") && !line.contains("hush-canary"),
            "{line}"
        );
    }
}

#[test]
fn a_database_url_that_is_none() {
    let folder = tempfile::tempdir().unwrap();
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
        says(folder.path(), &[], &settings, words);
    }
}

#[test]
fn a_file_that_is_no_database() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("sakms.db"),
        "this is a shopping list, not a database\n".repeat(200),
    )
    .unwrap();
    says(folder.path(), &[], &[], "database");
}

#[test]
fn secrets_that_are_weak_or_missing() {
    let folder = tempfile::tempdir().unwrap();
    for secret in [
        "CHANGE_ME_SUPER_SECRET",
        "hush",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "",
    ] {
        let line = refusal(folder.path(), &[], &[("JWT_SECRET", secret)]);
        assert!(line.contains("--jwt-secret"), "{line}");
        assert!(secret.is_empty() || !line.contains(secret), "{line}");
    }
    says(
        folder.path(),
        &["--master-key", "0123456789abcdef"],
        &[],
        "--master-key",
    );
    says(
        folder.path(),
        &["--master-key-file", "not-there"],
        &[],
        "not-there",
    );
    says(
        folder.path(),
        &["--master-key", JWT_SECRET, "--jwt-secret", JWT_SECRET],
        &[],
        "the same",
    );
    says(
        folder.path(),
        &["--listen", "0.0.0.0:0"],
        &[],
        "--master-key is required",
    );
    says(
        folder.path(),
        &["--listen", "0.0.0.0:0"],
        &[("SAKMS_MASTER_KEY", MASTER_KEY)],
        "--jwt-secret is required",
    );
    says(
        folder.path(),
        &["--database-url", "mysql://u@127.0.0.1/x"],
        &[],
        "--master-key is required",
    );
}

#[test]
fn a_database_whose_secret_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    drop(Server::start(folder.path(), &[]));
    std::fs::remove_file(folder.path().join("sakms.db.master-key")).unwrap();
    says(folder.path(), &[], &[], "sakms.db.master-key");
}

#[test]
fn settings_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    says(
        folder.path(),
        &["--key-prefix", "Not OK"],
        &[],
        "--key-prefix",
    );
    says(folder.path(), &["--framework", "actix"], &[], "axum");
    says(folder.path(), &["--log", "a=b=c"], &[], "--log");
    says(folder.path(), &["--argon2-iterations", "1"], &[], "Argon2");
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "nothing was made"
    );
    // The parser of the command line speaks for itself, with the status it always has.
    for bad in [
        ["--framework", "rocket"],
        ["--listen", "nowhere"],
        ["--token-lifetime", "59"],
        ["--colour", "red"],
    ] {
        let (status, _, err) = server::run(folder.path(), &bad, &[]);
        assert_eq!(status, 2);
        assert!(err.starts_with("error: "), "{err}");
    }
}

#[test]
fn a_folder_that_cannot_be_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    // A file where a folder should be refuses even root, whom permissions do not stop.
    let url = format!("sqlite://{}/sakms.db", file.display());
    says(
        folder.path(),
        &[],
        &[("SAKMS_DATABASE_URL", &url)],
        "sakms.db",
    );
}

#[test]
fn help_names_every_setting_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
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
        let (status, out, _) = server::run(folder.path(), arguments, &secret);
        assert_eq!(status, 0);
        assert!(
            out.contains("SAKMS_LISTEN")
                && out.contains("SAKMS_DATABASE_URL")
                && out.contains("JWT_SECRET")
        );
        assert!(!out.contains("help-canary"), "{out}");
    }
}

#[test]
fn migrate_says_what_it_did() {
    let folder = tempfile::tempdir().unwrap();
    let (status, first, _) = server::run(folder.path(), &["migrate"], &[]);
    assert_eq!(status, 0);
    assert!(
        first.lines().count() > 5 && first.lines().all(|line| line.starts_with("applied ")),
        "{first}"
    );
    let (status, second, _) = server::run(folder.path(), &["migrate"], &[]);
    assert_eq!(
        (status, second.as_str()),
        (0, "the tables are up to date\n")
    );
}

#[test]
fn secrets_from_files() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("master"), format!("{MASTER_KEY}\n")).unwrap();
    std::fs::write(folder.path().join("jwt"), format!("{JWT_SECRET}\n")).unwrap();
    let server = Server::start(
        folder.path(),
        &[
            ("SAKMS_MASTER_KEY_FILE", "master"),
            ("JWT_SECRET_FILE", "jwt"),
        ],
    );
    assert_eq!(server.send("GET", "/health", &[], "").status, 200);
    assert!(!folder.path().join("sakms.db.master-key").exists());
}

#[test]
fn the_log_can_be_json() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[("SAKMS_LOG_FORMAT", "json")]);
    client::send(server.address, "GET", "/nothing/here?token=canary", &[], "");
    std::thread::sleep(Duration::from_millis(200));
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
