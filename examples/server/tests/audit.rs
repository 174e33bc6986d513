//! The journal on the command line: checked, exported, and the export checked with nothing of ours.

#![allow(clippy::unwrap_used, reason = "a test reports by panicking")]

#[macro_use]
mod support;

use std::process::Command;

use serde_json::{Value, json};
use support::flow::{self, TokenIn};
use support::site::Site;

on_each_framework!(
    an_export_is_checked_with_nothing_of_ours,
    a_head_that_was_noted_shows_what_was_cut_off,
    no_database_is_made_by_looking_for_one,
    a_role_is_granted_and_taken_away,
);

/// A database in which something was done, with its server gone.
fn used(site: &Site) {
    let mut server = site.start(&[]);
    flow::whole(&server, "ada@example.com", TokenIn::Header, "");
    server.signal("TERM");
    assert!(server.wait(std::time::Duration::from_secs(10)).success());
}

/// What is said of the journal when it is whole: how many rows, and its head.
fn whole(site: &Site) -> (u64, String) {
    let (status, said, errors) = site.run(&["audit", "verify"], &[]);
    assert_eq!(status, 0, "{errors}");
    let (rows, rest) = said
        .trim()
        .split_once(" rows, the chain is whole; head ")
        .unwrap();
    (rows.parse().unwrap(), rest.to_owned())
}

fn an_export_is_checked_with_nothing_of_ours(site: &Site) {
    used(site);
    let (rows, head) = whole(site);
    let file = site.folder().join("journal.jsonl");
    let export = ["audit", "export", "--output", file.to_str().unwrap()];
    let (status, said, errors) = site.run(&export, &[]);
    assert_eq!((status, said.as_str()), (0, ""), "{errors}");
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len() as u64, rows + 1);
    let (seq, chain) = head.split_once(':').unwrap();
    let noted = json!({"head": {"seq": seq.parse::<u64>().unwrap(), "chain": chain}});
    assert_eq!(lines.last(), Some(&noted));
    // What is there is somebody's evidence.
    let (status, _, errors) = site.run(&export, &[]);
    assert!(
        status == 1 && errors.contains("exists"),
        "{status} {errors}"
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    // Standard output gives the same.
    assert_eq!(site.run(&["audit", "export"], &[]).1, text);

    let script = include_str!("../../../docs/audit.md");
    let script = script.split("```python\n").nth(1).unwrap();
    let script = script.split("```").next().unwrap();
    let check = |text: &str| {
        std::fs::write(&file, text).unwrap();
        Command::new("python3")
            .args(["-c", script])
            .arg(&file)
            .output()
    };
    let Ok(found) = check(&text) else {
        sakms_core::testkit::skipped("python3", "the example of docs/audit.md was not run");
        return;
    };
    let said = String::from_utf8(found.stdout).unwrap();
    assert_eq!(
        said.trim(),
        format!("{rows} rows, the chain is whole"),
        "{:?}",
        found.stderr
    );
    let changed = text.replacen("anonymous", "anonymouz", 1);
    assert!(!check(&changed).unwrap().status.success());
    let without: String = text
        .lines()
        .skip(1)
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(!check(&without).unwrap().status.success());
}

fn a_head_that_was_noted_shows_what_was_cut_off(site: &Site) {
    used(site);
    let (rows, head) = whole(site);
    let verify = |head: &str| site.run(&["audit", "verify", "--head", head], &[]);
    assert_eq!(verify(&head).0, 0);
    let (_, chain) = head.split_once(':').unwrap();
    let (status, _, errors) = verify(&format!("{}:{chain}", rows + 5));
    assert_eq!(status, 1);
    assert!(errors.contains(&format!("ends at row {rows}")), "{errors}");
    let other = format!("{rows}:{}", "0".repeat(64));
    let (status, _, errors) = verify(&other);
    assert!(status == 1 && errors.contains("written anew"), "{errors}");
    assert_eq!(verify("nonsense").0, 2);
}

fn no_database_is_made_by_looking_for_one(site: &Site) {
    for command in [
        &["audit", "verify"][..],
        &["audit", "export"],
        &["account", "list"],
        &[
            "account",
            "grant",
            "--email",
            "ada@example.com",
            "--role",
            "admin",
        ],
    ] {
        let (status, _, errors) = site.run(command, &[]);
        assert_eq!(status, 1, "{command:?}");
        assert!(errors.contains("there is no database"), "{errors}");
    }
    assert_eq!(std::fs::read_dir(site.folder()).unwrap().count(), 0);
}

fn a_role_is_granted_and_taken_away(site: &Site) {
    used(site);
    let role = |verb: &str, email: &str, role: &str| {
        site.run(&["account", verb, "--email", email, "--role", role], &[])
    };
    let list = || site.run(&["account", "list"], &[]).1;
    let admins = || {
        list()
            .lines()
            .filter(|line| line.ends_with("\tadmin"))
            .count()
    };
    assert_eq!((list().lines().count(), admins()), (1, 0));
    assert_eq!(role("grant", "ADA@example.com", "admin").0, 0);
    assert_eq!(
        role("grant", "ada@example.com", "admin").0,
        0,
        "a second time too"
    );
    assert_eq!(admins(), 1);
    for (verb, email, named, status) in [
        ("grant", "bob@example.com", "admin", 1),
        ("grant", "bob", "admin", 1),
        ("grant", "ada@example.com", "owner", 2),
    ] {
        let (found, _, errors) = role(verb, email, named);
        assert_eq!(found, status, "{verb} {email} {named}: {errors}");
        assert_eq!(errors.contains("admin"), named == "owner", "{errors}");
    }
    assert_eq!(role("revoke-role", "ada@example.com", "admin").0, 0);
    assert_eq!(admins(), 0);
    whole(site);
}
