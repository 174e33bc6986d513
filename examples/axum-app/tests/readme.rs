//! The README is true: what it says is typed into the real program.

use std::process::Command;

use sakms_run_readme::{Program, Reader};

const PROGRAM: &str = env!("CARGO_BIN_EXE_sakms-example-axum");

#[test]
fn the_readme_is_true() {
    let mut command = Command::new(PROGRAM);
    for setting in ["APP_DATABASE", "APP_MASTER_KEY"] {
        command.env_remove(setting);
    }
    let program = Program::start(command.env("APP_LISTEN", "127.0.0.1:0"));
    let mut reader = Reader::new()
        .host("localhost:3000", program.address())
        .package("sakms-example-axum", |_, _| String::new());
    let done = reader.follow(include_str!("../README.md"));
    assert_eq!(done, 21, "every command is found");
}

#[test]
fn its_settings_are_those_of_the_readme() {
    let help = Command::new(PROGRAM).arg("--help").output().unwrap();
    assert!(help.status.success());
    let help = String::from_utf8(help.stdout).unwrap();
    // Where a line is broken is the terminal's doing.
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let readme = include_str!("../README.md");
    for (flag, variable) in [
        ("--listen", "APP_LISTEN"),
        ("--database", "APP_DATABASE"),
        ("--master-key", "APP_MASTER_KEY"),
    ] {
        assert!(
            help.contains(&format!("{flag} <")) && help.contains(&format!("[env: {variable}")),
            "{help}"
        );
        assert!(readme.contains(&format!("| `{flag}` | `{variable}` |")));
    }
    assert_eq!(
        help.matches("[env: ").count(),
        3,
        "a setting is not in the README"
    );
}
