//! Fuzzing: every target built with libFuzzer, run for a while, and what it found kept.
//!
//! A stable compiler takes LLVM's options for counting which code an input reaches, so nothing here needs another one.

mod corpus;
mod output;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use clap::Args;

use crate::failure::{Attempt, Failure, Outcome};
use crate::install;
use crate::report::{self, Report, say};
use crate::run::{self, Group};
use crate::signals;
use crate::workspace::{cargo, root, target};
use output::Figures;

/// Every target, the one that is to be run most often first.
const TARGETS: [&str; 10] = [
    "key_text",
    "token",
    "stored_hash",
    "stored_row",
    "cursor",
    "credentials",
    "email",
    "body",
    "requirement",
    "forwarded",
];

/// What makes the compiler count which code was reached (`SanitizerCoverage` of LLVM), as libFuzzer expects it.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";
/// The longest input, in bytes.
const LONGEST: u32 = 2_048;
/// Past this a target is taken to have swallowed all memory: in MiB.
const MEMORY: u32 = 1_024;
/// How long one input may take, in seconds.
const PATIENCE: u32 = 20;
/// How often progress is told.
const TOLD_EVERY: Duration = Duration::from_secs(15);

/// What to fuzz, and for how long.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How long each target runs, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, conflicts_with = "runs", value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// How many inputs each target is given, instead of for how long
    #[arg(long, value_name = "RUNS", value_parser = clap::value_parser!(u64).range(1..))]
    runs: Option<u64>,
    /// How many targets run at a time
    #[arg(long, value_name = "JOBS", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: u8,
    /// Leave fuzz/corpus as it is: what is new stays below the target folder
    #[arg(long)]
    keep_corpus: bool,
    /// The targets to run; all of them when none is named
    #[arg(value_name = "TARGET", value_parser = TARGETS)]
    targets: Vec<String>,
}

/// Builds the targets, runs them, and fails if one found anything.
pub(crate) fn fuzz(options: &Options) -> Outcome {
    let mut report = Report::begin("fuzz");
    let targets: Vec<_> = TARGETS
        .into_iter()
        .filter(|name| options.wants(name))
        .collect();
    report.need("compiler", install::cpp)?;
    let programs = report.need("build", build)?;
    let mut done = Vec::new();
    report.step("run", || {
        done = run_all(options, &programs, &targets)?;
        let broken = done.iter().filter(|(_, figures)| figures.crashed());
        let broken: Vec<_> = broken.map(|(name, _)| *name).collect();
        if broken.is_empty() {
            return Ok(());
        }
        Err(Failure::new(format!(
            "found something: {}",
            broken.join(", ")
        )))
    })?;
    if !options.keep_corpus {
        report.step("corpus", || {
            for (name, figures) in &mut done {
                figures.kept = corpus::keep(&programs.join(*name), name)?;
            }
            Ok(())
        })?;
    }
    say(&output::table(&done));
    report.finish()
}

/// Builds every target in a folder of its own, and gives where the programs are.
fn build() -> Outcome<PathBuf> {
    let host = host()?;
    let folder = target().join("fuzz");
    run::run(
        cargo("build --locked --package sakms-fuzz --bins --profile fuzz --target")
            .arg(&host)
            .arg("--target-dir")
            .arg(&folder)
            .env("RUSTFLAGS", FLAGS)
            .env_remove("CARGO_ENCODED_RUSTFLAGS"),
    )?;
    Ok(folder.join(host).join("fuzz"))
}

/// What this machine is called. Said outright, it keeps the flags away from what runs while building.
fn host() -> Outcome<String> {
    let said = run::capture(Command::new("rustc").arg("-vV").current_dir(root()))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .ok_or_else(|| Failure::new("rustc does not say what this machine is"))
}

/// A target that is being run.
struct Running {
    name: &'static str,
    group: Group,
    log: PathBuf,
    begun: Instant,
}

fn run_all(
    options: &Options,
    programs: &Path,
    targets: &[&'static str],
) -> Outcome<Vec<(&'static str, Figures)>> {
    let (mut waiting, mut running, mut done) = (targets.iter(), Vec::<Running>::new(), Vec::new());
    let mut told = report::now();
    loop {
        while running.len() < usize::from(options.jobs)
            && let Some(name) = waiting.next()
        {
            running.push(start(options, programs, name)?);
        }
        if running.is_empty() {
            return Ok(done);
        }
        std::thread::sleep(run::TICK);
        signals::check()?;
        let tell = told.elapsed() > TOLD_EVERY;
        let mut still = Vec::new();
        for mut one in running {
            if let Some(status) = one.group.ended()? {
                let figures = Figures::read(&one.log, status.success(), one.begun.elapsed())?;
                say(&format!("    {}: {}", one.name, figures.line()));
                if figures.crashed() {
                    say(&output::tail(&one.log)?);
                }
                done.push((one.name, figures));
            } else {
                if tell {
                    say(&format!(
                        "    {}: {}",
                        one.name,
                        output::progress(&one.log)?
                    ));
                }
                still.push(one);
            }
        }
        running = still;
        if tell {
            told = report::now();
        }
    }
}

fn start(options: &Options, programs: &Path, name: &'static str) -> Outcome<Running> {
    let (found, logs, crashes) = (corpus::found(name), target().join("fuzz/logs"), crashes());
    for folder in [&found, &logs, &crashes] {
        fs::create_dir_all(folder).attempt(|| format!("cannot make {}", folder.display()))?;
    }
    let log = logs.join(format!("{name}.log"));
    let file = fs::File::create(&log).attempt(|| format!("cannot write {}", log.display()))?;
    let mut command = Command::new(programs.join(name));
    command.arg(&found);
    command.args(corpus::kept(name).is_dir().then(|| corpus::kept(name)));
    command
        .arg(options.extent())
        .arg(format!("-max_len={LONGEST}"))
        .arg(format!("-rss_limit_mb={MEMORY}"))
        .arg(format!("-timeout={PATIENCE}"))
        .arg(format!("-artifact_prefix={}/{name}-", crashes.display()))
        .args(corpus::dictionary(name).map(|path| format!("-dict={}", path.display())))
        .arg("-print_final_stats=1")
        .current_dir(root())
        .stdout(
            file.try_clone()
                .attempt(|| "cannot write a log".to_owned())?,
        )
        .stderr(file);
    Ok(Running {
        name,
        group: Group::spawn(&mut command)?,
        log,
        begun: report::now(),
    })
}

/// Where inputs are put that broke a rule.
fn crashes() -> PathBuf {
    root().join("fuzz/crashes")
}

impl Options {
    fn wants(&self, name: &str) -> bool {
        self.targets.is_empty() || self.targets.iter().any(|wanted| wanted == name)
    }

    fn extent(&self) -> String {
        match self.runs {
            Some(runs) => format!("-runs={runs}"),
            None => format!("-max_total_time={}", self.seconds),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_known_here() {
        let programs = fs::read_dir(root().join("fuzz/src/bin")).unwrap();
        let mut programs: Vec<_> = programs
            .map(|entry| {
                entry
                    .unwrap()
                    .path()
                    .file_stem()
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        let mut targets = TARGETS.map(str::to_owned);
        programs.sort();
        targets.sort();
        assert_eq!(programs, targets);
    }
}
