//! Making trouble for the server, at length.

mod page;

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use clap::Args;

use crate::failure::{Attempt, Outcome};
use crate::report::{Report, say};
use crate::scratch::Scratch;
use crate::suite::{self, Database};
use crate::workspace::{cargo, root, target};
use crate::{curve, galera, install, run};

/// The proxy in front of a cluster.
const HAPROXY: &str = "SAKMS_TEST_HAPROXY";

/// Which scenarios, and for how long.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The scenarios to run, or `all`; without a name, which there are
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// End each scenario after so many minutes, even if its counts are not reached
    #[arg(long, value_name = "N")]
    minutes: Option<u32>,
    /// Repeat the run of this seed
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// Builds the server and the scenarios for release, runs those that are named, and writes what they found to
/// `docs/reliability.md`.
pub(crate) fn torture(options: &Options) -> Outcome {
    let mut report = Report::begin("torture");
    report.need("build", || {
        run::run(&mut cargo(
            "build --release --locked -p sakms-torture -p sakms-server",
        ))
    })?;
    let program = target().join("release/sakms-torture");
    if options.names.is_empty() {
        return run::run(Command::new(program).arg("--help"));
    }
    let scratch = Scratch::create()?;
    // The scenarios start servers of their own; this says only with which daemon.
    let database = report.need("mariadb", Database::daemon_alone)?;
    let tools = install::trouble();
    let figures = scratch.path().join("found.tsv");
    let (mut galera, mut haproxy) = (None, None);
    if options
        .names
        .iter()
        .any(|name| name == "cluster" || name == "all")
    {
        galera = report.need("galera", galera::find_or_install)?;
        haproxy = report.need("haproxy", galera::haproxy)?;
    }
    let mut surroundings = suite::variables(&database, galera.as_deref(), None);
    suite::require(&mut surroundings, &tools);
    surroundings.push((HAPROXY, haproxy.map(Into::into)));
    surroundings.push(("TMPDIR", Some(scratch.for_tests()?.into())));
    let ran = report.step("scenarios", || {
        let mut command = Command::new(&program);
        command
            .args(options.arguments())
            .arg("--figures")
            .arg(&figures);
        run::run(suite::surround(&mut command, &surroundings))
    });
    if options.minutes.is_some() {
        say("    docs/reliability.md stays as it is: it is written without --minutes");
    } else if figures.exists() {
        // Also after ctrl-c: hours of work are not thrown away.
        report.step("docs/reliability.md", || {
            page::write(&figures, options.seed)
        })?;
        report.step("docs/reliability", || {
            draw(&scratch.path().join("soak.tsv"))
        })?;
    }
    ran?;
    drop(scratch);
    report.finish()
}

/// Draws what `soak` kept, when it ran long enough.
fn draw(table: &Path) -> Outcome {
    let curve = fs::read_to_string(table).ok();
    let Some(curve) = curve.and_then(|table| curve::soak(&table)) else {
        say("    docs/reliability/soak.svg stays as it is: there is no curve");
        return Ok(());
    };
    let folder = root().join("docs/reliability");
    let written =
        fs::create_dir_all(&folder).and_then(|()| fs::write(folder.join("soak.svg"), curve));
    written.attempt(|| format!("cannot write to {}", folder.display()))
}

impl Options {
    fn arguments(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = self.names.iter().map(Into::into).collect();
        arguments.extend(["--seed".into(), self.seed.to_string().into()]);
        if let Some(minutes) = self.minutes {
            arguments.extend(["--minutes".into(), minutes.to_string().into()]);
        }
        arguments
    }
}
