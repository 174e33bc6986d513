//! The settings of one run.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::figure::Figure;

/// How a scenario is run: from which seed, and for how long at most.
#[derive(Debug)]
pub struct Run {
    seed: u64,
    begun: Instant,
    limit: Option<Duration>,
    said: Cell<Instant>,
    quiet: bool,
    tables: Option<PathBuf>,
}

/// How often a line of progress is printed.
const PROGRESS: Duration = Duration::from_secs(5);

impl Run {
    /// A run that ends when its counts are reached, or when the time is over.
    #[must_use]
    pub fn new(seed: u64, limit: Option<Duration>) -> Self {
        let now = Instant::now();
        Self {
            seed,
            begun: now,
            limit,
            said: Cell::new(now),
            quiet: false,
            tables: None,
        }
    }

    /// A run in small, for a test: the same every time, and it prints no progress.
    #[must_use]
    pub fn short() -> Self {
        Self {
            quiet: true,
            ..Self::new(1, None)
        }
    }

    /// The same run, which keeps tables of what it measured in this folder.
    #[must_use]
    pub fn keeping(self, folder: &Path) -> Self {
        Self {
            tables: Some(folder.to_owned()),
            ..self
        }
    }

    /// Keeps a table, as `NAME.tsv`, where the run was told where: lines of fields with tabs between, names first.
    pub fn keep(&self, name: &str, table: &str) {
        if let Some(folder) = &self.tables {
            fs::write(folder.join(format!("{name}.tsv")), table).unwrap();
        }
    }

    /// A source of numbers for one part of the run: the same for the same seed and name.
    #[must_use]
    pub fn random(&self, part: &str) -> fastrand::Rng {
        let named = part.bytes().fold(self.seed, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        fastrand::Rng::with_seed(named)
    }

    /// For how long the run may go on; `usual` when nothing was said.
    #[must_use]
    pub fn time(&self, usual: Duration) -> Duration {
        self.limit.unwrap_or(usual)
    }

    /// A run of one of so many parts, which has its share of the time, from now on.
    #[must_use]
    pub fn share(&self, parts: u32) -> Self {
        Self {
            quiet: self.quiet,
            tables: self.tables.clone(),
            ..Self::new(self.seed, self.limit.map(|limit| limit / parts))
        }
    }

    /// Whether the time that was given is over. Without one it never is.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.limit
            .is_some_and(|limit| self.begun.elapsed() >= limit)
    }

    /// How long the run has taken.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Says what a part of the run has found, as soon as it has: what follows may take an hour.
    pub fn tell(&self, figures: &[Figure]) {
        if !self.quiet {
            for figure in figures {
                let line = figure.line("").replace('\t', " | ");
                eprintln!("    [{:>4} s]{line}", self.begun.elapsed().as_secs());
            }
        }
    }

    /// Says how far the run is, every few seconds.
    pub fn progress(&self, what: impl FnOnce() -> String) {
        if !self.quiet && self.said.get().elapsed() >= PROGRESS {
            self.said.set(Instant::now());
            eprintln!("    [{:>4} s] {}", self.begun.elapsed().as_secs(), what());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let numbers = |seed, part| {
            let mut random = Run::new(seed, None).random(part);
            [random.u64(..), random.u64(..)]
        };
        assert_eq!(numbers(1, "a"), numbers(1, "a"));
        assert_ne!(numbers(1, "a"), numbers(2, "a"));
        assert_ne!(numbers(1, "a"), numbers(1, "b"));
    }
}
