//! What a run found: one line each, with what was to be reached.

use std::fmt;

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Figure {
    /// What was counted or measured, in words.
    pub what: String,
    /// What was found, with its unit.
    pub found: String,
    /// What was to be reached, or nothing.
    pub goal: String,
    /// Whether it was reached; `None` without a goal.
    pub met: Option<bool>,
}

impl Figure {
    /// A figure without a goal: how much was done.
    pub fn plain(what: impl Into<String>, found: impl fmt::Display) -> Self {
        Self {
            what: what.into(),
            found: found.to_string(),
            goal: String::new(),
            met: None,
        }
    }

    /// A figure with a goal, and whether it was reached.
    pub fn goal(
        what: impl Into<String>,
        found: impl fmt::Display,
        goal: impl fmt::Display,
        met: bool,
    ) -> Self {
        Self {
            goal: goal.to_string(),
            met: Some(met),
            ..Self::plain(what, found)
        }
    }

    /// Something that must not happen, and how often it did.
    pub fn never(what: impl Into<String>, count: u64) -> Self {
        Self::goal(what, count, "0", count == 0)
    }

    /// The line as it is written to a file: `scenario what found goal verdict`, separated by tabs.
    #[must_use]
    pub fn line(&self, scenario: &str) -> String {
        let verdict = match self.met {
            None => "",
            Some(true) => "met",
            Some(false) => "missed",
        };
        let fields = [scenario, &self.what, &self.found, &self.goal, verdict];
        fields
            .map(|field| field.replace(['\t', '\n'], " "))
            .join("\t")
    }
}

/// Fails a test that ran a scenario in small, naming every goal that was missed.
pub fn assert_met(figures: &[Figure]) {
    assert!(!figures.is_empty(), "a run that found nothing");
    let missed: Vec<_> = figures
        .iter()
        .filter(|figure| figure.met == Some(false))
        .map(|figure| format!("{}: {} (goal {})", figure.what, figure.found, figure.goal))
        .collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_five_fields() {
        let line = Figure::goal("a\tb", 3, "≤ 5", true).line("crash");
        assert_eq!(line, "crash\ta b\t3\t≤ 5\tmet");
        assert_eq!(
            Figure::never("x", 1).line("crash"),
            "crash\tx\t1\t0\tmissed"
        );
        assert_eq!(Figure::plain("x", "1 s").line("crash"), "crash\tx\t1 s\t\t");
    }

    #[test]
    #[should_panic(expected = "lost: 2 (goal 0)")]
    fn what_was_missed_is_named() {
        assert_met(&[Figure::never("kept", 0), Figure::never("lost", 2)]);
    }
}
