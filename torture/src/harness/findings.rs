//! What clients found wrong, from all threads.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::figure::Figure;

/// How many of each kind are told in words.
const TOLD: u64 = 3;

/// Counts of things that must not happen, by what they are called.
#[derive(Debug, Default)]
pub struct Findings {
    counts: Mutex<BTreeMap<&'static str, u64>>,
}

impl Findings {
    /// Names what will be counted, so that each has a figure though it never happened.
    #[must_use]
    pub fn of(kinds: &[&'static str]) -> Self {
        let counts = kinds.iter().map(|kind| (*kind, 0)).collect();
        Self {
            counts: Mutex::new(counts),
        }
    }

    /// Counts one. The first few are told.
    pub fn add(&self, kind: &'static str, what: impl FnOnce() -> String) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(kind).or_default();
        *count += 1;
        if *count <= TOLD {
            eprintln!("    {kind}: {}", what());
        }
    }

    /// A figure for each, with the goal that it never happened.
    #[must_use]
    pub fn figures(&self, place: &str) -> Vec<Figure> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = counts.iter();
        lines
            .map(|(kind, count)| Figure::never(format!("{place}: {kind}"), *count))
            .collect()
    }
}
