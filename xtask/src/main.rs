//! `cargo xtask`: the development commands of this workspace, in Rust so that
//! they are the same on every machine and in CI.

mod advisories;
mod bench;
mod browser;
mod check;
mod curve;
mod deny;
mod failure;
mod features;
mod find;
mod fuzz;
mod galera;
mod install;
mod machine;
mod mariadb;
mod marks;
mod metadata;
mod package;
mod plot;
mod report;
mod rules;
mod run;
mod scratch;
mod signals;
mod suite;
mod torture;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Outcome;
use workspace::root;

/// Development commands of the SAKMS workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Run every test of the workspace, against a private MariaDB and in a browser too
    ///
    /// Finds a mariadbd, Chromium and chromedriver (or installs them, as root
    /// on a machine with apt-get), starts a private MariaDB on a free port of
    /// 127.0.0.1, runs the tests, and takes everything away again, whatever
    /// happens.
    ///
    /// `SAKMS_MARIADBD`, `SAKMS_CHROMIUM` and `SAKMS_CHROMEDRIVER` name the
    /// programs to use. `SAKMS_TEST_MARIADB_URL` names a running server to use
    /// instead of a private one.
    Test(suite::Options),
    /// Start a private MariaDB, print its URL and stay until ctrl-c
    ///
    /// For running a single test or the bundled server by hand. The database
    /// is gone when the command ends.
    Mariadb,
    /// Check format, lints, docs, features, packages, the house rules and dependencies
    ///
    /// Uses cargo-deny from PATH, or builds one below the target folder, which
    /// takes some minutes the first time.
    Check,
    /// Write docs/advisories.md
    ///
    /// It says which tests show that what went wrong in comparable systems does
    /// not go wrong here; xtask/src/advisories/table.txt is where that stands.
    Advisories,
    /// Measure how fast everything is and write docs/performance.md
    ///
    /// Builds the benches for release, starts a private MariaDB as `test` does,
    /// runs one group after another and writes the table and the pictures.
    /// Takes a quarter of an hour and the build; --quick a third of that. Leave
    /// the machine alone meanwhile.
    Bench(bench::Options),
    /// Make trouble for the server and count what goes wrong: crashes, faults, floods, clusters
    ///
    /// Builds the server and the scenarios for release, runs those that are named (`all`: every one), prints a table, and
    /// fails if a goal was missed. `all` writes docs/reliability.md. The scenarios start servers of their own on
    /// 127.0.0.1 and end them again.
    Torture(torture::Options),
    /// Look for inputs that break a rule, by libFuzzer and on a stable compiler
    ///
    /// Builds every target of the package sakms-fuzz below target/fuzz, which takes some minutes the first time and a C++ compiler, and
    /// runs each for a while. New inputs that reach new code are added to fuzz/corpus, which `test` replays. What breaks a rule is put
    /// into fuzz/crashes, and fails the command: once mended, move it to fuzz/regressions/TARGET.
    Fuzz(fuzz::Options),
    /// Do what .ci/run does: `check`, then `test`
    Ci,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match signals::watch().and_then(|()| perform(&cli.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report::say(&format!("error: {failure}"));
            failure.exit_code()
        }
    }
}

fn perform(task: &Task) -> Outcome {
    match task {
        Task::Test(options) => suite::test(options),
        Task::Mariadb => suite::serve(),
        Task::Check => check::check(),
        Task::Advisories => advisories::write(root()),
        Task::Bench(options) => bench::bench(options),
        Task::Torture(options) => torture::torture(options),
        Task::Fuzz(options) => fuzz::fuzz(options),
        Task::Ci => {
            check::check()?;
            suite::test(&suite::Options::default())
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn arguments_after_the_dashes_go_to_the_runner() {
        let cli = Cli::parse_from([
            "xtask",
            "test",
            "--no-mariadb",
            "--no-browser",
            "--",
            "-E",
            "test(key)",
        ]);
        let Task::Test(options) = cli.command else {
            panic!("parsed as another command");
        };
        assert!(options.no_mariadb && options.no_browser);
        assert_eq!(options.runner_args, ["-E", "test(key)"]);
    }
}
