//! A number that was measured, with what was hoped for.

use std::fs::OpenOptions;
use std::io::Write as _;

use crate::run::Run;
use crate::timing::Spread;

/// What a figure counts. Figures are kept in base units; who shows them chooses the prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Times a second.
    PerSecond,
    /// Bytes.
    Bytes,
    /// One over another.
    Ratio,
    /// How many.
    Count,
}

impl Unit {
    const fn word(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::PerSecond => "1/s",
            Self::Bytes => "B",
            Self::Ratio => "x",
            Self::Count => "n",
        }
    }
}

/// What is hoped for.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Goal {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
    /// No less than the first, and no more than the second.
    Between(f64, f64),
}

impl Goal {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtMost(bound) => value <= bound,
            Self::AtLeast(bound) => value >= bound,
            Self::Between(low, high) => (low..=high).contains(&value),
        }
    }

    /// A sign, and what it is about.
    fn words(self) -> (&'static str, String) {
        match self {
            Self::AtMost(bound) => ("<=", format!("{bound:e}")),
            Self::AtLeast(bound) => (">=", format!("{bound:e}")),
            Self::Between(low, high) => ("..", format!("{low:e}..{high:e}")),
        }
    }
}

impl Run {
    /// Tells a figure. `id` is a path whose last parts are what a plot is drawn over: `verify/warm/1000000/2`.
    pub fn tell(&self, id: &str, unit: Unit, value: Spread, goal: Option<Goal>) {
        let Spread { low, middle, high } = value;
        let unit = unit.word();
        let judged = goal.map_or(String::new(), |goal| {
            let (sign, bound) = goal.words();
            let verdict = if goal.is_met(middle) {
                "met"
            } else {
                "NOT met"
            };
            format!("  goal {sign} {bound}: {verdict}")
        });
        println!("{id:<44} {middle:>10.4e} {unit:<4} [{low:.4e} {high:.4e}]{judged}");
        let (sign, bound) = goal.map_or(("", String::new()), Goal::words);
        self.write(&format!(
            "{id}\t{unit}\t{low:e}\t{middle:e}\t{high:e}\t{sign}\t{bound}\n"
        ));
    }

    /// Tells what criterion measured under `id` (`group/function/value`): the median, with its confidence interval at
    /// 95 %, in seconds. Criterion has shown it already, so without a file to write to there is nothing to do.
    pub fn tell_criterion(&self, id: &str, goal: Option<Goal>) {
        let (Some(home), Some(_)) = (&self.criterion_home, &self.figures) else {
            return;
        };
        // Not there when a filter left it out.
        let Ok(text) = std::fs::read(home.join(id).join("new/estimates.json")) else {
            return;
        };
        let estimates: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let median = &estimates["median"];
        let seconds = |value: &serde_json::Value| value.as_f64().unwrap() / 1e9;
        let value = Spread {
            low: seconds(&median["confidence_interval"]["lower_bound"]),
            middle: seconds(&median["point_estimate"]),
            high: seconds(&median["confidence_interval"]["upper_bound"]),
        };
        self.tell(id, Unit::Seconds, value, goal);
    }

    fn write(&self, line: &str) {
        if let Some(path) = &self.figures {
            let file = OpenOptions::new().create(true).append(true).open(path);
            file.unwrap().write_all(line.as_bytes()).unwrap();
        }
    }
}
