//! What the user sees: one line when a step begins, one when it ends, and a
//! summary with the times.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Outcome};

/// Writes a line to the user. A closed terminal is no reason to fail, least of
/// all while cleaning up.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// The current moment; the one place that reads the clock.
#[expect(
    clippy::disallowed_methods,
    reason = "a step's duration is for the reader, nothing depends on it"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// A run of named steps and how long each took.
#[derive(Debug)]
pub(crate) struct Report {
    title: &'static str,
    started: Instant,
    done: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    name: &'static str,
    took: Duration,
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Passed,
    Failed,
    Skipped,
}

impl Report {
    /// Starts the clock of a run called `title`.
    pub(crate) fn begin(title: &'static str) -> Self {
        Self {
            title,
            started: now(),
            done: Vec::new(),
        }
    }

    /// Runs a step. A failure is told at once and remembered for
    /// [`Report::finish`], so that later steps still run; only an interruption
    /// ends the run.
    pub(crate) fn step(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> Outcome,
    ) -> Outcome<bool> {
        match self.need(name, work) {
            Ok(()) => Ok(true),
            Err(interrupted @ Failure::Interrupted(_)) => Err(interrupted),
            Err(failure) => {
                say(&format!("    {failure}"));
                Ok(false)
            }
        }
    }

    /// Runs a step that everything after it depends on.
    pub(crate) fn need<T>(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> Outcome<T>,
    ) -> Outcome<T> {
        say(&format!("==> [{}] {name}", clock(self.started.elapsed())));
        let begun = now();
        let outcome = work();
        let end = if outcome.is_ok() {
            End::Passed
        } else {
            End::Failed
        };
        let step = Step {
            name,
            took: begun.elapsed(),
            end,
        };
        say(&format!(
            "    {name}: {} ({})",
            end.word(),
            seconds(step.took)
        ));
        self.done.push(step);
        outcome
    }

    /// Whether no step has failed so far.
    pub(crate) fn is_clean(&self) -> bool {
        self.done.iter().all(|step| step.end != End::Failed)
    }

    /// Notes that a step could not be done, and why, without failing over it.
    pub(crate) fn skip(&mut self, name: &'static str, why: &str) {
        say(&format!(
            "==> [{}] {name}: NOT done: {why}",
            clock(self.started.elapsed())
        ));
        self.done.push(Step {
            name,
            took: Duration::ZERO,
            end: End::Skipped,
        });
    }

    /// Prints the summary, and fails if a step did.
    pub(crate) fn finish(self) -> Outcome {
        say(&self.summary());
        let failed: Vec<_> = self
            .done
            .iter()
            .filter(|step| step.end == End::Failed)
            .map(|step| step.name)
            .collect();
        if failed.is_empty() {
            return Ok(());
        }
        Err(Failure::new(format!(
            "{} failed: {}",
            self.title,
            failed.join(", ")
        )))
    }

    fn summary(&self) -> String {
        let steps: Vec<_> = self.done.iter().map(Step::summary).collect();
        let failed = self.done.iter().any(|step| step.end == End::Failed);
        let verdict = if failed { "FAILED" } else { "passed" };
        let total = clock(self.started.elapsed());
        format!("{} {verdict} in {total} ({})", self.title, steps.join(", "))
    }
}

impl Step {
    fn summary(&self) -> String {
        let took = seconds(self.took);
        match self.end {
            End::Passed => format!("{} {took}", self.name),
            End::Failed => format!("{} FAILED after {took}", self.name),
            End::Skipped => format!("{} NOT done", self.name),
        }
    }
}

impl End {
    fn word(self) -> &'static str {
        match self {
            Self::Passed => "ok",
            Self::Failed => "FAILED",
            Self::Skipped => "NOT done",
        }
    }
}

fn clock(time: Duration) -> String {
    format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_fails_the_run_but_not_the_next_step() {
        let mut report = Report::begin("check");
        assert!(!report.step("first", || Err(Failure::new("no"))).unwrap());
        assert!(report.step("second", || Ok(())).unwrap());
        assert!(
            report.summary().contains("first FAILED"),
            "{}",
            report.summary()
        );
        assert_eq!(
            report.finish().unwrap_err().to_string(),
            "check failed: first"
        );
    }

    #[test]
    fn a_skipped_step_is_told_and_fails_nothing() {
        let mut report = Report::begin("check");
        report.skip("advisories", "no network");
        assert!(report.summary().contains("passed"), "{}", report.summary());
        assert!(
            report.summary().contains("advisories NOT done"),
            "{}",
            report.summary()
        );
        assert!(report.finish().is_ok());
    }

    #[test]
    fn an_interruption_ends_the_run() {
        let mut report = Report::begin("check");
        let outcome = report.step("first", || Err(Failure::Interrupted(15)));
        assert!(matches!(outcome, Err(Failure::Interrupted(15))));
    }

    #[test]
    fn times_are_readable() {
        assert_eq!(clock(Duration::from_secs(125)), "2:05");
        assert_eq!(seconds(Duration::from_millis(1_250)), "1.2 s");
    }
}
