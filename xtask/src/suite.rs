//! Running the tests with everything they need.

use std::env;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use clap::Args;

use crate::browser::Browser;
use crate::failure::{Attempt, Failure, Outcome};
use crate::mariadb::Server;
use crate::report::{Report, say};
use crate::scratch::Scratch;
use crate::workspace::cargo;
use crate::{find, galera, install, run, signals};

/// The server the tests use: given by the user, or set here for them.
const URL: &str = "SAKMS_TEST_MARIADB_URL";
/// Names what must not be skipped, so that a test without it fails.
const REQUIRE: &str = "SAKMS_TEST_REQUIRE";
/// The daemon, for tests that start and kill a server of their own.
const DAEMON: &str = "SAKMS_TEST_MARIADBD";
/// Galera's library, for tests that start a cluster of their own.
const GALERA: &str = "SAKMS_TEST_GALERA";
/// The browser, and what drives it.
const CHROMIUM: &str = "SAKMS_TEST_CHROMIUM";
const CHROMEDRIVER: &str = "SAKMS_TEST_CHROMEDRIVER";

/// What to test, and how.
#[derive(Debug, Default, Args)]
pub(crate) struct Options {
    /// Leave out the tests that need a MariaDB server
    #[arg(long)]
    pub(crate) no_mariadb: bool,
    /// Leave out the tests that need Chromium
    #[arg(long)]
    pub(crate) no_browser: bool,
    /// Arguments for the test runner (cargo nextest, or else cargo test), such
    /// as a filter; the doc tests are left out then
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) runner_args: Vec<OsString>,
}

/// Runs every test of the workspace.
pub(crate) fn test(options: &Options) -> Outcome {
    let mut report = Report::begin("test");
    // Declared in this order, the server ends before its folder goes.
    let scratch = Scratch::in_memory()?;
    let mut database = if options.no_mariadb {
        Database::None
    } else {
        report.need("mariadb", || Database::open(&scratch))?
    };
    let galera = if options.no_mariadb {
        None
    } else {
        report.need("galera", galera::find_or_install)?
    };
    let browser = if options.no_browser {
        None
    } else {
        Some(report.need("browser", Browser::find_or_install)?)
    };
    let mut surroundings = variables(&database, galera.as_deref(), browser.as_ref());
    report.need("strace and faketime", || {
        require(&mut surroundings, &install::trouble());
        Ok(())
    })?;
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
                daemon: find::MARIADBD.find()?,
            });
        }
        let daemon = daemon()?;
        let server = Server::start(&daemon, scratch.path())?;
        say(&format!("    private {} is ready", daemon.display()));
        Ok(Self::Private { server, daemon })
    }

    /// No server, but the daemon for those that start servers of their own.
    pub(crate) fn daemon_alone() -> Outcome<Self> {
        let daemon = Some(daemon()?);
        Ok(Self::Given { daemon })
    }

    /// Where the server is, and the daemon for servers of the tests' own.
    fn programs(&self) -> Option<(Option<OsString>, Option<OsString>)> {
        match self {
            Self::None => None,
            Self::Given { daemon } => {
                let daemon = daemon.clone().map(Into::into);
                Some((env::var_os(URL), daemon.or_else(|| env::var_os(DAEMON))))
            }
            Self::Private { server, daemon } => {
                Some((Some(server.url().into()), Some(daemon.clone().into())))
            }
        }
    }
}

/// What the tests are told. A variable without a value is taken away.
pub(crate) fn variables(
    database: &Database,
    galera: Option<&Path>,
    browser: Option<&Browser>,
) -> Variables {
    let mut required = Vec::new();
    let (url, daemon) = database.programs().map_or((None, None), |programs| {
        required.push("mariadb");
        programs
    });
    let galera = galera.map(|library| {
        required.push("galera");
        library.into()
    });
    let (chromium, driver) = browser.map_or((None, None), |browser| {
        required.push("chromium");
        let Browser { chromium, driver } = browser;
        (Some(chromium.into()), Some(driver.into()))
    });
    let required = (!required.is_empty()).then(|| required.join(",").into());
    vec![
        (URL, url),
        (DAEMON, daemon),
        (GALERA, galera),
        (CHROMIUM, chromium),
        (CHROMEDRIVER, driver),
        (REQUIRE, required),
    ]
}

/// Adds to what must not be skipped.
pub(crate) fn require(variables: &mut Variables, names: &[&str]) {
    for (_, value) in variables.iter_mut().filter(|(name, _)| *name == REQUIRE) {
        let before = value.iter().map(|list| list.to_string_lossy().into_owned());
        let all: Vec<_> = before
            .chain(names.iter().map(|&name| name.to_owned()))
            .collect();
        *value = (!all.is_empty()).then(|| all.join(",").into());
    }
}

fn daemon() -> Outcome<PathBuf> {
    match find::MARIADBD.find()? {
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

    fn told(database: &Database, browser: Option<&Browser>, name: &str) -> Option<String> {
        let mut command = Command::new("true");
        let galera = Path::new("libgalera_smm.so");
        let galera = database.programs().map(|_| galera);
        surround(&mut command, &variables(database, galera, browser));
        let told = command.get_envs().find(|(told, _)| *told == name);
        told.unwrap()
            .1
            .map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn what_is_left_out_the_tests_do_not_hear_of() {
        for name in [URL, DAEMON, GALERA, CHROMIUM, CHROMEDRIVER, REQUIRE] {
            assert_eq!(told(&Database::None, None, name), None, "{name}");
        }
    }

    #[test]
    fn what_is_there_may_not_be_skipped() {
        let given = Database::Given {
            daemon: Some("mariadbd".into()),
        };
        let browser = Browser {
            chromium: "chromium".into(),
            driver: "chromedriver".into(),
        };
        let told = |browser, name| told(&given, browser, name).unwrap();
        assert_eq!(told(None, REQUIRE), "mariadb,galera");
        assert_eq!(told(None, GALERA), "libgalera_smm.so");
        assert_eq!(told(None, DAEMON), "mariadbd");
        assert_eq!(told(Some(&browser), REQUIRE), "mariadb,galera,chromium");
        let mut more = variables(&Database::None, None, None);
        require(&mut more, &["strace"]);
        require(&mut more, &["libfaketime"]);
        assert!(more.contains(&(REQUIRE, Some("strace,libfaketime".into()))));
        assert_eq!(told(Some(&browser), CHROMIUM), "chromium");
        assert_eq!(told(Some(&browser), CHROMEDRIVER), "chromedriver");
    }
}
