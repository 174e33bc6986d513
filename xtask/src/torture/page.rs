//! `docs/reliability.md`: a table for each scenario, of its last whole run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::failure::{Attempt, Outcome};
use crate::machine;
use crate::marks::Marks;
use crate::workspace::root;

const PAGE: Marks = Marks {
    begin: "<!-- found: written by `cargo xtask torture` -->",
    end: "<!-- /found -->",
};

/// What a scenario's part of the page begins with.
const TITLE: &str = "### `";

/// Puts the tables of the scenarios that were run in the place of their older ones.
pub(super) fn write(figures: &Path, seed: u64) -> Outcome {
    let lines =
        fs::read_to_string(figures).attempt(|| format!("cannot read {}", figures.display()))?;
    let page = root().join("docs/reliability.md");
    let mut parts = parts(&PAGE.read(&page)?);
    parts.extend(tables(&lines, seed, &machine::describe()));
    let parts: Vec<_> = parts.into_values().collect();
    PAGE.write(&page, &parts.join("\n"))
}

/// The parts of the page by their scenarios. What stands before the first belongs to none and is left out.
fn parts(text: &str) -> BTreeMap<String, String> {
    let parts = text.split(TITLE).skip(1);
    parts
        .filter_map(|part| {
            let (name, _) = part.split_once('`')?;
            Some((name.to_owned(), format!("{TITLE}{}\n", part.trim_end())))
        })
        .collect()
}

fn tables(lines: &str, seed: u64, machine: &str) -> BTreeMap<String, String> {
    let mut parts = BTreeMap::new();
    for line in lines.lines() {
        let (scenario, rest) = line.split_once('\t').unwrap_or((line, ""));
        let part = parts.entry(scenario.to_owned()).or_insert_with(|| {
            format!(
                "{TITLE}{scenario}`\n\n`cargo xtask torture {scenario} --seed {seed}` on: {machine}.\n\n\
                 | what | found | goal | |\n| --- | ---: | ---: | --- |\n"
            )
        });
        let cells = rest.replace('\t', " | ").replace("missed", "**missed**");
        let _ = writeln!(part, "| {cells} |");
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str =
        "crash\tkills\t300\t\t\ncrash\tlost\t1\t0\tmissed\nflood\tp99\t1 ms\t2 ms\tmet\n";

    #[test]
    fn a_scenario_has_a_table_of_its_own() {
        let parts = tables(LINES, 7, "a machine");
        assert_eq!(parts.len(), 2);
        assert!(parts["crash"].contains("| lost | 1 | 0 | **missed** |"));
        assert!(parts["flood"].contains("`cargo xtask torture flood --seed 7` on: a machine."));
    }

    #[test]
    fn only_what_was_run_again_is_replaced() {
        let old = tables(LINES, 7, "a machine");
        let old: Vec<_> = old.into_values().collect();
        let mut merged = parts(&format!("\nNothing yet.\n\n{}", old.join("\n")));
        assert_eq!(merged.values().cloned().collect::<Vec<_>>(), old);
        merged.extend(tables("flood\tp99\t3 ms\t2 ms\tmissed\n", 8, "another"));
        assert_eq!(merged["crash"], old[0]);
        assert!(!merged["flood"].contains("1 ms"));
    }
}
