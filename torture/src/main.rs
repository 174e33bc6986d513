//! `sakms-torture`: runs scenarios and prints what was found. `cargo xtask torture` builds it and gives it what it needs.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a table is what this program is for"
)]

use std::fs::OpenOptions;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use sakms_torture::figure::Figure;
use sakms_torture::run::Run;
use sakms_torture::scenarios::{self, Scenario};

/// Make trouble for the bundled server and count what goes wrong.
#[derive(Debug, Parser)]
#[command(name = "sakms-torture", after_help = list())]
struct Cli {
    /// The scenarios to run, or `all`
    #[arg(required = true, value_name = "NAME", value_parser = known)]
    names: Vec<String>,
    /// End each scenario after so many minutes, even if its counts are not reached
    #[arg(long, value_name = "N")]
    minutes: Option<u64>,
    /// Repeat the run of this seed
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Add what was found to this file, a line each, separated by tabs; tables of what was measured are put beside it
    #[arg(long, value_name = "FILE")]
    figures: Option<PathBuf>,
}

fn list() -> String {
    let lines = scenarios::ALL
        .iter()
        .map(|scenario| format!("  {:<12} {}\n", scenario.name, scenario.about));
    format!("Scenarios:\n{}", lines.collect::<String>())
}

fn known(name: &str) -> Result<String, String> {
    if name == "all" || scenarios::named(name).is_some() {
        Ok(name.to_owned())
    } else {
        Err(format!("there is no such scenario\n\n{}", list()))
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let wanted = |scenario: &&Scenario| {
        let mut names = cli.names.iter();
        names.any(|name| name == "all" || name == scenario.name)
    };
    let mut found = Vec::new();
    for scenario in scenarios::ALL.iter().filter(wanted) {
        eprintln!(
            "==> {}: {} (seed {})",
            scenario.name, scenario.about, cli.seed
        );
        let mut run = Run::new(
            cli.seed,
            cli.minutes.map(|minutes| Duration::from_secs(60 * minutes)),
        );
        if let Some(folder) = cli.figures.as_deref().and_then(Path::parent) {
            run = run.keeping(folder);
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| (scenario.run)(&run)));
        let mut figures = outcome.unwrap_or_else(|_| {
            vec![Figure::goal(
                "the scenario ran to its end",
                "no",
                "yes",
                false,
            )]
        });
        figures.push(Figure::plain(
            "took",
            format!("{} s", run.elapsed().as_secs()),
        ));
        for figure in &figures {
            eprintln!("    {}", figure.line(scenario.name).replace('\t', " | "));
        }
        if let Some(file) = &cli.figures
            && let Err(error) = append(file, scenario, &figures)
        {
            eprintln!("error: cannot write {}: {error}", file.display());
            return ExitCode::FAILURE;
        }
        found.push((scenario, figures));
    }
    println!("{}", table(&found));
    let missed = found
        .iter()
        .flat_map(|(_, figures)| figures)
        .filter(|figure| figure.met == Some(false))
        .count();
    if missed == 0 {
        ExitCode::SUCCESS
    } else {
        eprintln!("error: {missed} goals were missed");
        ExitCode::FAILURE
    }
}

fn append(file: &PathBuf, scenario: &Scenario, figures: &[Figure]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    for figure in figures {
        writeln!(file, "{}", figure.line(scenario.name))?;
    }
    Ok(())
}

/// The table at the end, in Markdown: it is read in a terminal and on a page.
fn table(found: &[(&Scenario, Vec<Figure>)]) -> String {
    let mut text =
        "| scenario | what | found | goal | |\n| --- | --- | ---: | ---: | --- |\n".to_owned();
    for (scenario, figures) in found {
        for figure in figures {
            let line = figure
                .line(scenario.name)
                .replace('\t', " | ")
                .replace("missed", "**missed**");
            text.extend(["| ", &line, " |\n"]);
        }
    }
    text
}
