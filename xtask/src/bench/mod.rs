//! Measuring, and writing down what was measured.

mod figures;
mod page;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::process::Command;

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::report::{Report, say};
use crate::scratch::Scratch;
use crate::suite::{self, Database, Variables};
use crate::workspace::{cargo, root};
use crate::{machine, run};

/// What there is to measure, each in a process of its own. The last one is a program of its own, too.
const GROUPS: [&str; 9] = [
    "hash",
    "verify",
    "gates",
    "cold",
    "enumeration",
    "store",
    "http",
    "revoke",
    "memory",
];

/// What to measure, and how thoroughly.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Measure for a shorter time: some minutes in all instead of a quarter of an hour
    #[arg(long)]
    quick: bool,
    /// Leave out what needs a MariaDB server
    #[arg(long)]
    no_mariadb: bool,
    /// How many keys the large tables of the group `store` have
    #[arg(long, value_name = "KEYS", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1_000..=10_000_000))]
    table: u32,
    /// How many keys the group `revoke` revokes, on each store
    #[arg(long, value_name = "KEYS", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rounds: u32,
    /// Measure these groups alone, and leave docs/performance.md as it is
    #[arg(value_parser = GROUPS)]
    groups: Vec<String>,
}

/// Runs the benches and writes `docs/performance.md`.
pub(crate) fn bench(options: &Options) -> Outcome {
    let mut report = Report::begin("bench");
    report.need("build", || {
        run::run(&mut cargo("bench --locked -p sakms-benches --no-run"))
    })?;
    // Declared in this order, the server ends before its folder goes.
    let scratch = Scratch::create()?;
    let database = if options.no_mariadb {
        Database::None
    } else {
        report.need("mariadb", || Database::open(&scratch))?
    };
    let figures = scratch.path().join("figures.tsv");
    let mut surroundings = options.variables();
    surroundings.extend(suite::variables(&database, None, None));
    surroundings.extend([
        ("SAKMS_BENCH_FIGURES", Some(figures.clone().into())),
        // Not where an earlier run left its own: criterion would compare with it.
        (
            "CRITERION_HOME",
            Some(scratch.path().join("criterion").into()),
        ),
        ("TMPDIR", Some(scratch.for_tests()?.into())),
    ]);
    let load = machine::load();
    if load.is_some_and(machine::is_busy) {
        say(
            "    warning: the machine is busy with something else; the figures will say more of that",
        );
    }
    for group in GROUPS {
        if options.wants(group) {
            let mut command = measuring(group);
            report.step(group, || {
                run::run(suite::surround(&mut command, &surroundings))
            })?;
        }
    }
    if options.groups.is_empty() && report.is_clean() {
        report.step("docs/performance.md", || {
            let figures = figures::read(&figures)?;
            page::write(&root().join("docs"), &figures, &options.command(), load)
        })?;
    } else {
        say("    docs/performance.md stays as it is: it is written when everything was measured");
    }
    drop(database);
    drop(scratch);
    report.finish()
}

/// The command that measures one group.
fn measuring(group: &str) -> Command {
    let program = if group == "memory" { "memory" } else { "speed" };
    cargo(&format!(
        "bench --quiet --locked -p sakms-benches --bench {program} -- {group}"
    ))
}

impl Options {
    fn wants(&self, group: &str) -> bool {
        self.groups.is_empty() || self.groups.iter().any(|wanted| wanted == group)
    }

    fn variables(&self) -> Variables {
        let text = |number: u32| Some(OsString::from(number.to_string()));
        vec![
            ("SAKMS_BENCH_QUICK", self.quick.then(|| "1".into())),
            ("SAKMS_BENCH_TABLE", text(self.table)),
            ("SAKMS_BENCH_ROUNDS", text(self.rounds)),
        ]
    }

    /// The command as somebody would type it to measure the same.
    fn command(&self) -> String {
        let mut command = "cargo xtask bench".to_owned();
        for (given, flag) in [(self.quick, " --quick"), (self.no_mariadb, " --no-mariadb")] {
            command.push_str(if given { flag } else { "" });
        }
        if self.table != 1_000_000 {
            let _ = write!(command, " --table {}", self.table);
        }
        if self.rounds != 50 {
            let _ = write!(command, " --rounds {}", self.rounds);
        }
        command
    }
}

/// A failure to understand what a bench wrote.
fn unreadable(what: &str) -> Failure {
    Failure::new(format!("a bench wrote what cannot be read: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_the_one_that_was_given() {
        let mut options = Options {
            quick: true,
            no_mariadb: false,
            table: 100_000,
            rounds: 50,
            groups: vec!["http".to_owned()],
        };
        assert_eq!(
            options.command(),
            "cargo xtask bench --quick --table 100000"
        );
        assert!(options.wants("http") && !options.wants("hash"));
        options.groups.clear();
        assert!(options.wants("hash"));
    }
}
