//! What went wrong in comparable systems, and which tests show that it does not here.
//!
//! `table.txt` is where that stands. `docs/advisories.md` is made of it; a test that is named and not there fails the check.
//! `lock.rs` holds the versions of dependencies against what is known of them.

pub(crate) mod lock;
mod table;
mod tests_there_are;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::failure::{Attempt, Failure, Outcome};
use table::{Entry, Part};
use tests_there_are::has_test;

const TABLE: &str = include_str!("table.txt");
const PAGE: &str = "docs/advisories.md";

/// Writes the page.
pub(crate) fn write(root: &Path) -> Outcome {
    let parts = checked(root)?;
    let page = root.join(PAGE);
    fs::write(&page, text(&parts)).attempt(|| format!("cannot write {}", page.display()))
}

/// Checks that every test that is named is there, and that the page is what would be written.
pub(crate) fn check(root: &Path) -> Outcome {
    let parts = checked(root)?;
    let page = root.join(PAGE);
    let there = fs::read_to_string(&page).attempt(|| format!("cannot read {}", page.display()))?;
    if there == text(&parts) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{PAGE} is not what `cargo xtask advisories` writes"
    )))
}

fn checked(root: &Path) -> Outcome<Vec<Part>> {
    let parts = table::read(TABLE).map_err(Failure::new)?;
    let mut missing = Vec::new();
    for entry in parts.iter().flat_map(|part| &part.entries) {
        for test in &entry.tests {
            if !has_test(root, &test.file, &test.name)? {
                let number = entry.number;
                missing.push(format!("T{number}: no test {} in {}", test.name, test.file));
            }
        }
    }
    if missing.is_empty() {
        return Ok(parts);
    }
    Err(Failure::new(missing.join("\n    ")))
}

fn text(parts: &[Part]) -> String {
    let mut text = String::from(
        "# What went wrong elsewhere\n\n\
         Flaws that were published of comparable systems and of libraries, what has to hold so that they are none here, and the\n\
         tests that show it. Written by `cargo xtask advisories`; `cargo xtask check` fails when a test that is named here is gone.\n\
         Cases of the suites run on every store and in both frameworks.\n",
    );
    for Part { title, entries } in parts {
        let _ = writeln!(text, "\n## {title}");
        for entry in entries {
            text.push_str(&section(entry));
        }
    }
    text
}

fn section(entry: &Entry) -> String {
    let Entry {
        number,
        published,
        rule,
        tests,
        note,
    } = entry;
    let mut text = format!("\n### T{number}\n\n{rule}\n\n*{published}*\n");
    if !tests.is_empty() {
        text.push('\n');
    }
    for test in tests {
        let _ = writeln!(
            text,
            "- `{}` in [{}](../{})",
            test.name, test.file, test.file
        );
    }
    if let Some(note) = note {
        let _ = writeln!(text, "\n{note}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_fifty_and_each_is_shown_or_explained() {
        let parts = table::read(TABLE).unwrap();
        let entries: Vec<_> = parts.iter().flat_map(|part| &part.entries).collect();
        let numbers: Vec<_> = entries.iter().map(|entry| entry.number).collect();
        assert_eq!(numbers, (1..=50).collect::<Vec<_>>());
        for entry in entries {
            assert!(
                !entry.tests.is_empty() || entry.note.is_some(),
                "T{}",
                entry.number
            );
        }
    }

    #[test]
    fn a_page_has_the_rule_the_tests_and_the_note() {
        let parts =
            table::read("= One\n\nT1 Acme CVE-1\nrule It holds.\ntest a/b.rs it_holds\nnote So.\n")
                .unwrap();
        let text = text(&parts);
        let expected = "## One\n\n### T1\n\nIt holds.\n\n*Acme CVE-1*\n\n- `it_holds` in [a/b.rs](../a/b.rs)\n\nSo.\n";
        assert!(text.ends_with(expected), "{text}");
    }
}
