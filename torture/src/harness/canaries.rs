//! Secrets that no log may have in it.

use std::collections::HashSet;

use super::findings::Findings;
use super::person::PASSWORD;
use super::server::{JWT_SECRET, MASTER_KEY};

/// Something in a log that must not be there, for [`Findings::of`].
pub const SECRETS: &str = "secrets in logs";
/// How many bytes of a secret are looked for. Of a random text they are as telling as the whole.
const PART: usize = 16;
/// How many characters of a key's text are behind its secret: the tag.
const TAG: usize = 11;

/// What must not be found: any number of texts, looked for in one pass.
#[derive(Debug, Default)]
pub struct Canaries {
    parts: HashSet<[u8; PART]>,
    words: Vec<String>,
}

impl Canaries {
    /// The secrets that all scenarios share: the password of every person and of MariaDB, the master key, the JWT secret.
    #[must_use]
    pub fn usual() -> Self {
        let words = [PASSWORD, "hush-canary", MASTER_KEY, JWT_SECRET];
        Self {
            words: words.map(str::to_owned).into(),
            ..Self::default()
        }
    }

    /// Counts each place at which a log has one.
    pub fn look_through(&self, log: &str, findings: &Findings) {
        for _ in 0..self.found(log) {
            findings.add(SECRETS, || "in the server's log".to_owned());
        }
    }

    /// Adds a key's text: it is its secret that is looked for, for the beginning may be shown.
    pub fn key(&mut self, text: &str) {
        self.tail(&text[..text.len() - TAG]);
    }

    /// Adds a token: its last characters, which nothing but itself ends with.
    pub fn tail(&mut self, text: &str) {
        if let Some(part) = text.as_bytes().last_chunk() {
            self.parts.insert(*part);
        }
    }

    /// Adds a text that is looked for as a whole, such as a password.
    pub fn word(&mut self, text: &str) {
        self.words.push(text.to_owned());
    }

    /// How many of them are in a log. Each place counts.
    #[must_use]
    pub fn found(&self, log: &str) -> u64 {
        let parts = log.as_bytes().windows(PART);
        let parts = parts.filter(|part| self.parts.contains(*part)).count();
        let words: usize = self
            .words
            .iter()
            .map(|word| log.matches(word.as_str()).count())
            .sum();
        (parts + words) as u64
    }
}

/// How often any of these texts stands in a log.
#[must_use]
pub fn seen<'a>(log: &str, secrets: impl IntoIterator<Item = &'a str>) -> u64 {
    let mut canaries = Canaries::default();
    secrets.into_iter().for_each(|secret| canaries.word(secret));
    canaries.found(log)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_found_and_nothing_else() {
        let mut canaries = Canaries::default();
        canaries.key("sakms_live_0123456789abcdefghijklmnopqrstuvwxyz-secret-tttttttttt1");
        canaries.word("hush");
        assert_eq!(canaries.found("key sakms_live_012345 from 127.0.0.1"), 0);
        assert_eq!(
            canaries.found("jklmnopqrstuvwxyz-secret-tttttttttt1 hush hush"),
            3
        );
    }
}
