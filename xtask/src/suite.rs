//! Running the tests with everything they need.

use std::env;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use clap::Args;

use crate::failure::{Attempt, Failure, Outcome};
use crate::mariadb::Server;
use crate::report::{Report, say};
use crate::scratch::Scratch;
use crate::workspace::cargo;
use crate::{find, install, run, signals};

/// The server the tests use: given by the user, or set here for them.
const URL: &str = "SAKMS_TEST_MARIADB_URL";
/// Names what must not be skipped, so that a test without its server fails.
const REQUIRE: &str = "SAKMS_TEST_REQUIRE";
/// The daemon, for tests that start and kill a server of their own.
const DAEMON: &str = "SAKMS_TEST_MARIADBD";

/// What to test, and how.
#[derive(Debug, Default, Args)]
pub(crate) struct Options {
    /// Leave out the tests that need a MariaDB server
    #[arg(long)]
    pub(crate) no_mariadb: bool,
    /// Arguments for the test runner (cargo nextest, or else cargo test), such
    /// as a filter; the doc tests are left out then
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) runner_args: Vec<OsString>,
}

/// Runs every test of the workspace.
pub(crate) fn test(options: &Options) -> Outcome {
    let mut report = Report::begin("test");
    // Declared in this order, the server ends before its folder goes.
    let scratch = Scratch::create()?;
    let mut database = if options.no_mariadb {
        Database::None
    } else {
        report.need("mariadb", || Database::open(&scratch))?
    };
    let mut surroundings = database.variables();
    surroundings.push(("TMPDIR", Some(scratch.for_tests()?.into())));

    if options.runner_args.is_empty() {
        report.step("doc tests", || {
            let mut command = cargo("test --locked --workspace --all-features --doc");
            run::run(surround(&mut command, &surroundings))
        })?;
    }
    // Last, so that the runner's summary is near the end of a long log.
    report.step("tests", || {
        let mut command = runner(&options.runner_args);
        run::run(surround(&mut command, &surroundings))
    })?;
    if let Database::Private { server, .. } = &mut database
        && let Err(failure) = server.check()
    {
        say(&format!("    {failure}"));
    }
    drop(database);
    drop(scratch);
    report.finish()
}

/// Starts a private server for somebody's own use, until told to stop.
pub(crate) fn serve() -> Outcome {
    let scratch = Scratch::create()?;
    let daemon = daemon()?;
    let mut server = Server::start(&daemon, scratch.path())?;
    say(&format!(
        "{} runs until ctrl-c; for a test, set {URL} to:",
        daemon.display()
    ));
    // The only line on standard output, for scripts.
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", server.url())
        .and_then(|()| out.flush())
        .attempt(|| "cannot print the URL".to_owned())?;
    loop {
        match signals::check() {
            // The way this command is meant to end.
            Err(Failure::Interrupted(_)) => return Ok(()),
            other => other?,
        }
        server.check()?;
        thread::sleep(run::TICK);
    }
}

/// The server that tests and benches use.
#[derive(Debug)]
pub(crate) enum Database {
    None,
    Given { daemon: Option<PathBuf> },
    Private { server: Server, daemon: PathBuf },
}

/// Environment variables; one without a value is taken away.
pub(crate) type Variables = Vec<(&'static str, Option<OsString>)>;

impl Database {
    pub(crate) fn open(scratch: &Scratch) -> Outcome<Self> {
        if env::var_os(URL).is_some_and(|url| !url.is_empty()) {
            say(&format!("    using the server that {URL} names"));
            return Ok(Self::Given {
                daemon: find::daemon()?,
            });
        }
        let daemon = daemon()?;
        let server = Server::start(&daemon, scratch.path())?;
        say(&format!("    private {} is ready", daemon.display()));
        Ok(Self::Private { server, daemon })
    }

    /// What the tests are told. A variable without a value is taken away.
    pub(crate) fn variables(&self) -> Variables {
        let (url, daemon) = match self {
            Self::None => return vec![(URL, None), (REQUIRE, None), (DAEMON, None)],
            Self::Given { daemon } => (env::var_os(URL), daemon.clone()),
            Self::Private { server, daemon } => (Some(server.url().into()), Some(daemon.clone())),
        };
        let mut variables = vec![(URL, url), (REQUIRE, Some("mariadb".into()))];
        if let Some(daemon) = daemon {
            variables.push((DAEMON, Some(daemon.into())));
        }
        variables
    }
}

fn daemon() -> Outcome<PathBuf> {
    match find::daemon()? {
        Some(daemon) => Ok(daemon),
        None => install::mariadb(),
    }
}

fn runner(args: &[OsString]) -> Command {
    let mut command = if run::capture(&mut cargo("nextest --version")).is_ok() {
        cargo("nextest run --locked --workspace --all-features")
    } else {
        say("    cargo-nextest is not installed; cargo test does the same, slower");
        cargo("test --locked --workspace --all-features --lib --bins --tests")
    };
    if args.is_empty() {
        // One failure in CI should not hide the next.
        command.arg("--no-fail-fast");
    }
    command.args(args);
    command
}

/// Puts variables into a command's environment.
pub(crate) fn surround<'a>(command: &'a mut Command, variables: &Variables) -> &'a mut Command {
    for (name, value) in variables {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_database_the_tests_hear_of_none() {
        let mut command = Command::new("true");
        surround(&mut command, &Database::None.variables());
        let told: Vec<_> = command.get_envs().collect();
        assert_eq!(told.len(), 3);
        assert!(told.iter().all(|(_, value)| value.is_none()));
    }

    #[test]
    fn with_a_database_its_tests_may_not_be_skipped() {
        let given = Database::Given {
            daemon: Some("mariadbd".into()),
        };
        let variables = given.variables();
        assert!(variables.contains(&(REQUIRE, Some("mariadb".into()))));
        assert!(variables.contains(&(DAEMON, Some("mariadbd".into()))));
    }
}
