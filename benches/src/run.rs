//! What is to be measured, and how thoroughly.

use std::path::PathBuf;
use std::time::Duration;

use criterion::Criterion;

/// The settings of one run, from its arguments and environment.
#[derive(Debug)]
pub struct Run {
    /// Short measurements, for a look: `SAKMS_BENCH_QUICK`.
    pub quick: bool,
    /// Tables of a million keys: not when `SAKMS_BENCH_TABLE` says how many.
    pub table: u32,
    /// Rounds of the group `revoke`: `SAKMS_BENCH_ROUNDS`, 50 when nothing is said.
    pub rounds: usize,
    /// Where figures are written to, a line each: `SAKMS_BENCH_FIGURES`.
    pub figures: Option<PathBuf>,
    /// Where criterion writes what it measured: `CRITERION_HOME`.
    pub criterion_home: Option<PathBuf>,
    wanted: Vec<String>,
}

impl Run {
    /// The settings, or `None` when this is not a run of `cargo bench`: a test runner that starts every binary there is
    /// shall not wait for a measurement.
    #[must_use]
    pub fn from_surroundings() -> Option<Self> {
        let arguments: Vec<_> = std::env::args().skip(1).collect();
        if !arguments.iter().any(|argument| argument == "--bench") {
            println!("nothing to do: the benches are run by `cargo bench -p sakms-benches`");
            return None;
        }
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let number = |name, usual| variable(name).map_or(usual, |text| text.parse().unwrap());
        Some(Self {
            quick: variable("SAKMS_BENCH_QUICK").is_some(),
            table: number("SAKMS_BENCH_TABLE", 1_000_000),
            rounds: number("SAKMS_BENCH_ROUNDS", 50) as usize,
            figures: variable("SAKMS_BENCH_FIGURES").map(PathBuf::from),
            criterion_home: variable("CRITERION_HOME").map(PathBuf::from),
            wanted: arguments
                .into_iter()
                .filter(|argument| !argument.starts_with('-'))
                .collect(),
        })
    }

    /// Whether a group is to be measured: all are unless the arguments name some, or a part of one (`verify/warm`).
    #[must_use]
    pub fn wants(&self, group: &str) -> bool {
        let named = |wanted: &String| wanted.split('/').next() == Some(group);
        self.wanted.is_empty() || self.wanted.iter().any(named)
    }

    /// Criterion, set up for this run.
    #[must_use]
    pub fn criterion(&self) -> Criterion {
        let (samples, warm_up, time) = if self.quick {
            (10, 200, 600)
        } else {
            (30, 500, 2_000)
        };
        Criterion::default()
            .without_plots()
            .sample_size(samples)
            .warm_up_time(Duration::from_millis(warm_up))
            .measurement_time(Duration::from_millis(time))
            .configure_from_args()
    }

    /// One of two numbers: for a quick run, and for a thorough one.
    #[must_use]
    pub const fn either<T: Copy>(&self, quick: T, thorough: T) -> T {
        if self.quick { quick } else { thorough }
    }
}
