//! `strace`: kills a process at a system call, and writes down what it did to its files.

use std::path::Path;
use std::process::{Command, Stdio};

use sakms_core::testkit::skipped;

/// Whether there is an `strace` that may trace here; where not, that is said.
#[must_use]
pub fn is_here() -> bool {
    let traced = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "true"])
        .output();
    let here = traced.is_ok_and(|output| output.status.success());
    if !here {
        skipped(
            "strace",
            "`strace` cannot be run (the package is called so)",
        );
    }
    here
}

/// The command under `strace` with these options, in the same surroundings.
#[must_use]
pub fn under(command: &Command, output: &Path, options: &[&str]) -> Command {
    let mut traced = Command::new("strace");
    traced
        .args(["-f", "-qq", "-o"])
        .arg(output)
        .args(options)
        .arg("--")
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            traced.env(name, value);
        }
    }
    if let Some(folder) = command.get_current_dir() {
        traced.current_dir(folder);
    }
    traced
}
