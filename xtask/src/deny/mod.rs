//! cargo-deny: licences, banned crates, sources and known vulnerabilities.

mod vendored;

use std::fs;
use std::io::{Read, Seek};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::failure::{Attempt, Failure, Outcome};
use crate::report::say;
use crate::run;
use crate::workspace::{cargo, root, tools};

/// The release that `deny.toml` is written for; a later one reads it too.
const VERSION: (u32, u32) = (0, 20);

/// Behind a wall that swallows packets, fetching would wait for ever.
const FETCH_LIMIT: Duration = Duration::from_mins(3);

/// A cargo-deny that understands this workspace's `deny.toml`.
#[derive(Debug)]
pub(crate) struct Deny {
    program: PathBuf,
}

impl Deny {
    /// Takes the one in PATH, or the workspace's own, which is built if it is
    /// not there yet.
    pub(crate) fn find_or_install() -> Outcome<Self> {
        let own = tools().join("bin").join("cargo-deny");
        for program in ["cargo-deny".into(), own.clone()] {
            let found = Self { program };
            if found.is_recent() {
                return Ok(found);
            }
        }
        install()?;
        Ok(Self { program: own })
    }

    /// Checks licences, banned crates and where crates come from.
    pub(crate) fn check_policy(&self) -> Outcome {
        run::run(&mut self.command("--locked check bans licenses sources"))
    }

    /// Checks for known vulnerabilities, once their database was fetched.
    pub(crate) fn check_advisories(&self) -> Outcome {
        // Without the network, so that a failure is a finding and nothing else.
        run::run(&mut self.command("--locked --offline check advisories"))
    }

    /// Fetches the database of advisories, or gives the reason why it cannot
    /// be had from here. Fails if cargo-deny failed over something else.
    pub(crate) fn fetch_advisories(&self) -> Outcome<Option<String>> {
        let problem = || "cannot keep what cargo-deny says".to_owned();
        let mut log = tempfile::tempfile().attempt(problem)?;
        let mut command = self.command("fetch db");
        command
            .stdout(Stdio::null())
            .stderr(log.try_clone().attempt(problem)?)
            // A question for a password would never be answered.
            .env("GIT_TERMINAL_PROMPT", "0");
        let outcome = run::status(&mut command, Some(FETCH_LIMIT));
        let mut said = String::new();
        log.rewind()
            .and_then(|()| log.read_to_string(&mut said))
            .attempt(problem)?;
        match outcome {
            Ok(status) if status.success() => Ok(None),
            Ok(_) if is_fetch_failure(&said) => Ok(Some(cause(&said))),
            Ok(status) => Err(Failure::new(format!(
                "cargo-deny failed ({status})\n{said}"
            ))),
            Err(Failure::Broken(too_slow)) => Ok(Some(cause(&too_slow))),
            Err(interrupted) => Err(interrupted),
        }
    }

    fn is_recent(&self) -> bool {
        run::capture(&mut self.command("--version"))
            .is_ok_and(|answer| version(&answer).is_some_and(|found| found >= VERSION))
    }

    fn command(&self, args: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args.split_whitespace()).current_dir(root());
        command
    }
}

fn install() -> Outcome {
    let (major, minor) = VERSION;
    let tools = tools();
    say(
        "    cargo-deny is not installed; building it once for this workspace, which takes 2 to 5 minutes",
    );
    // A folder that stays if the build is stopped, so that it goes on there.
    let build = tools.join("build");
    run::run(
        // Unoptimised it takes two seconds longer for a check, and half the time to
        // build.
        cargo("install cargo-deny --locked --debug --force --quiet")
            .arg(format!("--version=^{major}.{minor}"))
            .arg("--root")
            .arg(&tools)
            .env("CARGO_TARGET_DIR", &build),
    )?;
    // A gigabyte that nobody needs again.
    let _ = fs::remove_dir_all(build);
    Ok(())
}

/// The first two numbers of an answer like `cargo-deny 0.20.2`.
fn version(answer: &str) -> Option<(u32, u32)> {
    let mut numbers = answer.trim().strip_prefix("cargo-deny ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn is_fetch_failure(said: &str) -> bool {
    said.contains("failed to fetch")
}

/// The last line says most precisely what went wrong.
fn cause(said: &str) -> String {
    let last = said
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    format!("the database of advisories could not be fetched ({last})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_ordered() {
        assert_eq!(version("cargo-deny 0.20.2\n"), Some((0, 20)));
        assert!(version("cargo-deny 0.19.4").unwrap() < VERSION);
        assert!(version("cargo-deny 1.0.0").unwrap() >= VERSION);
        assert_eq!(version("something else"), None);
    }

    #[test]
    fn only_a_failed_fetch_is_excused() {
        let unreachable = "[ERROR] failed to fetch database: failed to clone\n\
                           fatal: unable to access: Could not resolve host\n\n";
        assert!(is_fetch_failure(unreachable));
        let cause = cause(unreachable);
        assert!(
            cause.ends_with("(fatal: unable to access: Could not resolve host)"),
            "{cause}"
        );
        assert!(!is_fetch_failure(
            "error[unexpected-keys]: found unexpected key\n"
        ));
    }
}
