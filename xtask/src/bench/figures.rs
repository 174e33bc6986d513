//! Figures, as the benches write them: `id unit low middle high sign bound`, separated by tabs.

use std::fs;
use std::path::Path;

use super::unreadable;
use crate::failure::{Attempt, Outcome};

/// One number that was measured.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Figure {
    /// A path: the group, what was measured, and mostly a number that a plot is drawn over.
    pub(super) id: String,
    unit: String,
    low: f64,
    pub(super) middle: f64,
    high: f64,
    goal: Option<Goal>,
}

/// What was hoped for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Goal {
    AtMost(f64),
    AtLeast(f64),
    Between(f64, f64),
}

impl Goal {
    fn parse(sign: &str, bound: &str) -> Option<Self> {
        match sign {
            "<=" => Some(Self::AtMost(bound.parse().ok()?)),
            ">=" => Some(Self::AtLeast(bound.parse().ok()?)),
            ".." => {
                let (low, high) = bound.split_once("..")?;
                Some(Self::Between(low.parse().ok()?, high.parse().ok()?))
            }
            _ => None,
        }
    }
}

/// Reads what the benches wrote.
pub(super) fn read(path: &Path) -> Outcome<Vec<Figure>> {
    let text = fs::read_to_string(path).attempt(|| format!("cannot read {}", path.display()))?;
    text.lines()
        .map(|line| Figure::parse(line).ok_or_else(|| unreadable(line)))
        .collect()
}

impl Figure {
    fn parse(line: &str) -> Option<Self> {
        let fields: Vec<_> = line.split('\t').collect();
        let [id, unit, low, middle, high, sign, bound] = fields[..] else {
            return None;
        };
        let goal = match (sign, bound) {
            ("", "") => None,
            (sign, bound) => Some(Goal::parse(sign, bound)?),
        };
        Some(Self {
            id: id.to_owned(),
            unit: unit.to_owned(),
            low: low.parse().ok()?,
            middle: middle.parse().ok()?,
            high: high.parse().ok()?,
            goal,
        })
    }

    pub(super) fn group(&self) -> &str {
        self.id.split('/').next().unwrap_or_default()
    }

    /// What was measured, without its group.
    pub(super) fn name(&self) -> &str {
        self.id.split_once('/').map_or("", |(_, name)| name)
    }

    /// Whether its goal was met, if it has one.
    pub(super) fn is_met(&self) -> Option<bool> {
        Some(match self.goal? {
            Goal::AtMost(bound) => self.middle <= bound,
            Goal::AtLeast(bound) => self.middle >= bound,
            Goal::Between(low, high) => (low..=high).contains(&self.middle),
        })
    }

    pub(super) fn value(&self) -> String {
        amount(self.middle, &self.unit)
    }

    /// From where to where the measurements reach; nothing when there was one.
    pub(super) fn spread(&self) -> String {
        if self.low.total_cmp(&self.high).is_eq() {
            return String::new();
        }
        let [low, high] = [self.low, self.high].map(|bound| amount(bound, &self.unit));
        format!("{low} – {high}")
    }

    pub(super) fn goal(&self) -> String {
        let amount = |bound| amount(bound, &self.unit);
        match self.goal {
            None => String::new(),
            Some(Goal::AtMost(bound)) => format!("≤ {}", amount(bound)),
            Some(Goal::AtLeast(bound)) => format!("≥ {}", amount(bound)),
            Some(Goal::Between(low, high)) => format!("{} – {}", amount(low), amount(high)),
        }
    }
}

/// A value with the prefix that suits it, to three digits.
fn amount(value: f64, unit: &str) -> String {
    let prefixed = |steps: &[(f64, &str)]| {
        let fits = steps.iter().find(|(size, _)| value >= *size * 0.999_95);
        let (size, name) = fits.or(steps.last()).copied().unwrap_or((1.0, ""));
        format!("{} {name}", digits(value / size))
    };
    match unit {
        _ if value == 0.0 => "0".to_owned(),
        "s" => prefixed(&[(1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")]),
        "B" => prefixed(&[(1_048_576.0, "MiB"), (1024.0, "KiB"), (1.0, "B")]),
        "1/s" => prefixed(&[(1e6, "M/s"), (1e3, "k/s"), (1.0, "/s")]),
        _ => digits(value),
    }
}

fn digits(value: f64) -> String {
    match value.abs() {
        large if large >= 99.95 => format!("{value:.0}"),
        middling if middling >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let line = "verify/warm-1/10000\ts\t1e-7\t2.04e-7\t3e-7\t<=\t4e-7";
        let figure = Figure::parse(line).unwrap();
        assert_eq!((figure.group(), figure.name()), ("verify", "warm-1/10000"));
        assert_eq!(figure.value(), "204 ns");
        assert_eq!(figure.spread(), "100 ns – 300 ns");
        assert_eq!(figure.goal(), "≤ 400 ns");
        assert_eq!(figure.is_met(), Some(true));
    }

    #[test]
    fn a_goal_may_have_two_bounds() {
        for (value, met) in [("4.7e-1", false), ("4.9e-1", true), ("5.3e-1", false)] {
            let line = format!("enumeration/a\tx\t4e-1\t{value}\t6e-1\t..\t4.8e-1..5.2e-1");
            let figure = Figure::parse(&line).unwrap();
            assert_eq!(
                (figure.goal().as_str(), figure.is_met()),
                ("0.48 – 0.52", Some(met))
            );
        }
    }

    #[test]
    fn a_figure_without_a_goal_is_neither_met_nor_missed() {
        let figure = Figure::parse("http/bare/1\t1/s\t12345\t12345\t12345\t\t").unwrap();
        assert_eq!((figure.is_met(), figure.goal().as_str()), (None, ""));
        assert_eq!(
            (figure.value().as_str(), figure.spread().as_str()),
            ("12.3 k/s", "")
        );
    }

    #[test]
    fn what_no_bench_writes_is_refused() {
        for line in [
            "",
            "a\ts\t1\t2\t3",
            "a\ts\tx\t2\t3\t\t",
            "a\ts\t1\t2\t3\t=\t1",
            "a\ts\t1\t2\t3\t..\t1",
        ] {
            assert_eq!(Figure::parse(line), None, "{line:?}");
        }
    }

    #[test]
    fn amounts_have_the_prefix_that_suits_them() {
        assert_eq!(amount(0.0255, "s"), "25.5 ms");
        assert_eq!(amount(389.0, "B"), "389 B");
        assert_eq!(amount(40.0 * 1_048_576.0, "B"), "40.0 MiB");
        assert_eq!(amount(0.957, "x"), "0.96");
        assert_eq!(amount(0.0, "s"), "0");
    }
}
