//! How much the server held, over time.

use std::fmt::Write as _;

use super::{DESCRIPTORS, GROWTH};
use crate::figure::Figure;

/// One look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) seconds: f64,
    pub(super) kibibytes: u64,
    pub(super) descriptors: u64,
    /// Requests since the look before.
    pub(super) answered: u64,
}

/// All looks, in order.
#[derive(Debug, Default)]
pub(super) struct Samples(Vec<Sample>);

impl Samples {
    pub(super) fn add(&mut self, sample: Sample) {
        self.0.push(sample);
    }

    /// A line for each, with tabs between, under the names of the columns.
    pub(super) fn table(&self) -> String {
        let mut text = "seconds\tresident_mib\tdescriptors\tanswered\n".to_owned();
        for sample in &self.0 {
            let mebibytes = mebibytes(sample);
            let _ = writeln!(
                text,
                "{:.1}\t{mebibytes:.2}\t{}\t{}",
                sample.seconds, sample.descriptors, sample.answered
            );
        }
        text
    }

    pub(super) fn figures(&self, judged: bool) -> Vec<Figure> {
        // The first third is the warm-up.
        let warm = &self.0[self.0.len() / 3..];
        let [first, .., last] = warm else {
            return vec![Figure::plain("memory and descriptors", "are not told here")];
        };
        let growth_of = |what: fn(&Sample) -> f64| {
            let points = warm
                .iter()
                .map(|sample| (sample.seconds / 3600.0, what(sample)));
            slope(&points.collect::<Vec<_>>())
        };
        let growth = growth_of(mebibytes);
        let descriptors = growth_of(|sample| sample.descriptors as f64);
        let most = warm
            .iter()
            .map(|sample| sample.descriptors)
            .max()
            .unwrap_or_default();
        let figure = |what: &str, found: String, goal: String, met| {
            if judged {
                Figure::goal(what, found, goal, met)
            } else {
                Figure::plain(what, found)
            }
        };
        vec![
            Figure::plain(
                "resident memory after the warm-up",
                format!("{:.1} MiB", mebibytes(first)),
            ),
            Figure::plain(
                "resident memory at the end",
                format!("{:.1} MiB", mebibytes(last)),
            ),
            figure(
                "growth of resident memory",
                format!("{growth:.2} MiB/h"),
                format!("< {GROWTH} MiB/h"),
                growth < GROWTH,
            ),
            Figure::plain("most descriptors", most),
            figure(
                "growth of descriptors",
                format!("{descriptors:.2} /h"),
                format!("< {DESCRIPTORS} /h"),
                descriptors < DESCRIPTORS,
            ),
        ]
    }
}

fn mebibytes(sample: &Sample) -> f64 {
    sample.kibibytes as f64 / 1024.0
}

/// The slope of the line that is nearest to these points, by the sum of squares.
fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let sum = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>();
    let (across, up) = (sum(|point| point.0), sum(|point| point.1));
    let above = count * sum(|(x, y)| x * y) - across * up;
    let below = count * sum(|(x, _)| x * x) - across * across;
    if below == 0.0 { 0.0 } else { above / below }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_told_by_the_hour() {
        let mut samples = Samples::default();
        for minute in 0..60_u32 {
            samples.add(Sample {
                seconds: f64::from(minute) * 60.0,
                kibibytes: 50_000 + 1024 * u64::from(minute / 6),
                descriptors: 30,
                answered: 1,
            });
        }
        let figures = samples.figures(true);
        assert_eq!(figures[2].met, Some(false), "{figures:?}");
        assert_eq!(figures[4].met, Some(true), "{figures:?}");
        assert!((slope(&[(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)]) - 2.0).abs() < 1e-9);
    }
}
