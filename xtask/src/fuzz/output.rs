//! What libFuzzer says of a run, and what is told of it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::failure::{Attempt, Outcome};

/// What came of a run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Figures {
    executions: u64,
    per_second: u64,
    new: u64,
    /// How many of the new inputs were added to the repository.
    pub(super) kept: u64,
    crashes: u64,
}

impl Figures {
    /// Reads the log of a run that took so long. One that did not succeed has found something, whatever it says.
    pub(super) fn read(log: &Path, success: bool, took: Duration) -> Outcome<Self> {
        Ok(Self::of(&text(log)?, success, took))
    }

    fn of(log: &str, success: bool, took: Duration) -> Self {
        let figure = |name: &str| {
            let mut found = log.lines().filter_map(|line| line.strip_prefix(name));
            found
                .next_back()
                .and_then(|number| number.trim().parse().ok())
        };
        let executions = figure("stat::number_of_executed_units:").unwrap_or(0);
        let seconds = took.as_secs().max(1);
        Self {
            executions,
            per_second: executions / seconds,
            new: figure("stat::new_units_added:").unwrap_or(0),
            kept: 0,
            crashes: u64::from(!success),
        }
    }

    pub(super) const fn crashed(&self) -> bool {
        self.crashes > 0
    }

    pub(super) fn line(&self) -> String {
        let end = if self.crashed() {
            "FOUND SOMETHING"
        } else {
            "nothing found"
        };
        format!(
            "{} executions, {} a second, {end}",
            self.executions, self.per_second
        )
    }
}

/// The figures of all runs, one a line.
pub(super) fn table(done: &[(&str, Figures)]) -> String {
    let head = format!(
        "{:<12} {:>12} {:>9} {:>10} {:>12} {:>8}",
        "target", "executions", "execs/s", "new inputs", "added to git", "crashes"
    );
    let rows = done.iter().map(|(name, figures)| {
        let Figures {
            executions,
            per_second,
            new,
            kept,
            crashes,
        } = figures;
        format!("{name:<12} {executions:>12} {per_second:>9} {new:>10} {kept:>12} {crashes:>8}")
    });
    std::iter::once(head)
        .chain(rows)
        .collect::<Vec<_>>()
        .join("\n")
}

/// How far a run is: the last line that says so.
pub(super) fn progress(log: &Path) -> Outcome<String> {
    let text = text(log)?;
    let last = text.lines().rev().find(|line| line.starts_with('#'));
    Ok(last.map_or_else(|| "starting".to_owned(), |line| line.replace('\t', " ")))
}

/// The end of a log, for whoever has to mend what it tells of.
pub(super) fn tail(log: &Path) -> Outcome<String> {
    const LINES: usize = 40;
    let text = text(log)?;
    let lines: Vec<_> = text.lines().collect();
    let skipped = lines.len().saturating_sub(LINES);
    Ok(lines[skipped..].join("\n"))
}

/// Inputs are quoted in it as they are, text or not.
fn text(log: &Path) -> Outcome<String> {
    let bytes = fs::read(log).attempt(|| format!("cannot read {}", log.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "#2\tINITED cov: 3\n#1048576\tpulse  cov: 9 exec/s: 524288\n\
        Done 2000000 runs in 4 second(s)\nstat::number_of_executed_units: 2000000\nstat::new_units_added:          12\n";

    #[test]
    fn figures_are_read_from_the_log_and_from_how_it_ended() {
        let figures = Figures::of(LOG, true, Duration::from_secs(4));
        assert_eq!(
            figures.line(),
            "2000000 executions, 500000 a second, nothing found"
        );
        assert!(!figures.crashed() && figures.new == 12);
        assert!(Figures::of("", false, Duration::ZERO).crashed());
    }

    #[test]
    fn the_table_has_a_line_for_each_target() {
        let figures = Figures::of(LOG, true, Duration::from_secs(4));
        let table = table(&[("key_text", figures)]);
        let words: Vec<_> = table.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(words, ["key_text", "2000000", "500000", "12", "0", "0"]);
    }
}
