//! What came back from a server, beside what is on record.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::scenario::Scenario;
use super::text::{agrees, shown};
use super::wire::Exchange;
use crate::testkit::http::Answer;

/// Longer bodies are on record by their digest.
const LONG_BODY: usize = 4 * 1024;

/// What a server answered to a scenario.
#[derive(Debug)]
pub struct Replay {
    pub(super) scenario: Scenario,
    pub(super) steps: Vec<Played>,
}

#[derive(Debug)]
pub(super) struct Played {
    /// The lines on record, their placeholders filled.
    pub(super) wanted: Vec<String>,
    pub(super) came: Vec<String>,
}

impl Replay {
    /// How many requests were sent.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.scenario.requests()
    }

    /// The scenario that was played.
    #[must_use]
    pub const fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// What is not as it is on record, a text for each step.
    #[must_use]
    pub fn differences(&self) -> Vec<String> {
        let wanted = self.steps.iter().map(|played| &played.wanted);
        self.differing(wanted, agrees)
    }

    /// What another server answered differently to the same scenario, a text for each step.
    #[must_use]
    pub fn differences_from(&self, other: &Self) -> Vec<String> {
        let came = other.steps.iter().map(|played| &played.came);
        self.differing(came, |wanted, line| wanted == line)
    }

    fn differing<'a>(
        &self,
        wanted: impl Iterator<Item = &'a Vec<String>>,
        agree: impl Fn(&str, &str) -> bool,
    ) -> Vec<String> {
        let mut differences = Vec::new();
        for ((step, played), wanted) in self.scenario.steps.iter().zip(&self.steps).zip(wanted) {
            let came = &played.came;
            let same = wanted.len() == came.len()
                && wanted
                    .iter()
                    .zip(came)
                    .all(|(wanted, came)| agree(wanted, came));
            if same {
                continue;
            }
            let mut text = format!("{}: {}\n", self.scenario.name, step.title);
            let pairs = || wanted.iter().zip(came);
            let head = pairs()
                .take_while(|(wanted, came)| agree(wanted, came))
                .count();
            let (wanted, came) = (&wanted[head..], &came[head..]);
            let ends = wanted.iter().rev().zip(came.iter().rev());
            let tail = ends
                .take_while(|(wanted, came)| agree(wanted, came))
                .count();
            for line in &wanted[..wanted.len() - tail] {
                let _ = writeln!(text, "    - {line}");
            }
            for line in &came[..came.len() - tail] {
                let _ = writeln!(text, "    + {line}");
            }
            differences.push(text);
        }
        differences
    }

    /// Whether another server answered every step differently; if not, the titles of the others.
    ///
    /// # Errors
    /// Those titles.
    pub fn differs_throughout(&self, other: &Self) -> Result<(), Vec<String>> {
        let steps = self.scenario.steps.iter().zip(&self.steps);
        let same: Vec<_> = steps
            .zip(&other.steps)
            .filter(|((_, played), other)| played.came == other.came)
            .map(|((step, _), _)| step.title.clone())
            .collect();
        if same.is_empty() { Ok(()) } else { Err(same) }
    }

    /// The file with these answers on record. What was on record and agrees stays as it was written.
    #[must_use]
    pub fn recorded(&self) -> String {
        let lines: Vec<_> = self.scenario.text.lines().collect();
        let (mut text, mut place) = (String::new(), 0);
        for (step, played) in self.scenario.steps.iter().zip(&self.steps) {
            let kept = &lines[step.answers.clone()];
            push(&mut text, &lines[place..step.answers.start]);
            for (number, came) in played.came.iter().enumerate() {
                let same_place = played.wanted.len() == played.came.len();
                let agreed = same_place && agrees(&played.wanted[number], came);
                // A new version alone is no change.
                let version = concat!("\"version\":\"", env!("CARGO_PKG_VERSION"), "\"");
                let came = came.replace(version, "\"version\":\"{{version}}\"");
                push(&mut text, &[if agreed { kept[number] } else { &came }]);
            }
            place = step.answers.end;
        }
        push(&mut text, &lines[place..]);
        text
    }
}

fn push(text: &mut String, lines: &[&str]) {
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
}

/// What came back as it stands on record.
pub(super) fn written(came: &Exchange) -> Vec<String> {
    let mut lines = Vec::new();
    for answer in &came.answers {
        write_answer(answer, &mut lines);
    }
    if came.answers.is_empty() && came.rest.is_empty() {
        lines.push("<! closed without an answer".to_owned());
    }
    if !came.rest.is_empty() {
        // What follows may hold a date, and headers in any order.
        let line = came.rest.split(|byte| *byte == b'\r').next();
        let (line, bytes) = (shown(line.unwrap_or_default()), came.rest.len());
        lines.push(format!("<! no whole answer, {bytes} bytes: {line}"));
    }
    lines
}

fn write_answer(answer: &Answer, lines: &mut Vec<String>) {
    lines.push(format!("< {}", answer.status_line));
    let mut headers: Vec<_> = answer.headers.iter().collect();
    // The order of different headers says nothing (RFC 9110, section 5.3).
    headers.sort_by(|(one, _), (other, _)| one.cmp(other));
    let dates = headers.iter().filter(|(name, _)| name == "date").count();
    if dates != usize::from(answer.status >= 200) {
        lines.push(format!("<! {dates} dates"));
    }
    for (name, value) in headers.iter().filter(|(name, _)| name != "date") {
        let line = format!("< {}: {}", shown(name.as_bytes()), shown(value));
        lines.push(line.trim_end().to_owned());
    }
    lines.push("<".to_owned());
    if answer.body.len() > LONG_BODY {
        let digest: String = Sha256::digest(&answer.body)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        lines.push(format!("<# {} bytes, SHA-256 {digest}", answer.body.len()));
        return;
    }
    for line in answer.body.split_inclusive(|byte| *byte == b'\n') {
        lines.push(format!("<< {}", shown(line)));
    }
}
