//! Holding what a client knows against what the server says.

use std::collections::BTreeSet;

use super::{Books, HALF, Holder, MISSING, SURPLUS, UNDONE, WRONG};
use crate::harness::ledger::{Held, Truth};

impl Holder {
    /// Compares what changed since the last time with what the server says.
    pub fn compare(&mut self, books: Books<'_>) {
        for key in std::mem::take(&mut self.changed) {
            let held = self.truth.keys[&key].clone();
            self.compare_key(books, &key, &held);
        }
    }

    fn compare_key(&mut self, books: Books<'_>, key: &str, held: &Held) {
        for text in &held.good {
            let verdict = self.verdict(text).unwrap_or_else(|| "no answer".to_owned());
            match (&*verdict, held.revoked) {
                ("granted", false) | ("key_revoked", true) => {}
                ("granted", true) => books
                    .findings
                    .add(UNDONE, || format!("revoked key {key} works")),
                ("no answer" | "unavailable", _) => {
                    books
                        .findings
                        .add(WRONG, || format!("key {key}: {verdict}"));
                }
                _ => books
                    .findings
                    .add(MISSING, || format!("key {key}: {verdict}")),
            }
        }
        for text in &held.retired {
            if self.verdict(text).as_deref() == Some("granted") {
                books
                    .findings
                    .add(UNDONE, || format!("replaced secret of key {key} works"));
            }
        }
    }

    /// Compares everything that the ledger's file says of this client with what the server says: each text, and the list of keys.
    pub fn compare_all(&mut self, books: Books<'_>, truth: &Truth) {
        self.compare_all_but(books, truth, None);
    }

    /// The same, but for one key, of which nothing is said here.
    pub fn compare_all_but(&mut self, books: Books<'_>, truth: &Truth, but: Option<&str>) {
        for (key, held) in &truth.keys {
            self.compare_key(books, key, held);
        }
        let mut listed = BTreeSet::new();
        let mut target = "/keys?limit=100".to_owned();
        loop {
            let headers = [("Authorization", self.person.bearer.as_str())];
            let answer = self.link.read(&target, &headers).unwrap();
            if answer.status != 200 {
                books
                    .findings
                    .add(WRONG, || format!("GET {target}: {}", answer.body));
                return;
            }
            for key in answer.json().as_array().unwrap() {
                let id = key["id"].as_str().unwrap().to_owned();
                match truth.keys.get(&id) {
                    _ if but == Some(&*id) => {}
                    Some(held) if (key["revoked"] == true) == held.revoked => {}
                    Some(held) if held.revoked => {
                        books
                            .findings
                            .add(UNDONE, || format!("key {id} is listed as {key}"));
                    }
                    Some(_) => books
                        .findings
                        .add(HALF, || format!("key {id} is listed as {key}")),
                    None => books.findings.add(SURPLUS, || format!("key {id}: {key}")),
                }
                listed.insert(id);
            }
            let next = answer.header("link").and_then(|link| {
                let (reference, _) = link.strip_prefix('<')?.split_once('>')?;
                Some(format!("/keys{reference}"))
            });
            match next {
                Some(next) => target = next,
                None => break,
            }
        }
        for key in truth.keys.keys().filter(|key| !listed.contains(*key)) {
            books
                .findings
                .add(MISSING, || format!("key {key} is not listed"));
        }
    }

    /// Whether all that the server says of a key is this; `None`: that there is none.
    pub fn agrees(&mut self, key: &str, held: Option<&Held>) -> bool {
        let headers = [("Authorization", self.person.bearer.as_str())];
        let shown = self.link.read(&format!("/keys/{key}"), &headers).unwrap();
        let Some(held) = held else {
            return shown.status == 404;
        };
        let expected = if held.revoked {
            "key_revoked"
        } else {
            "granted"
        };
        shown.status == 200
            && (shown.json()["revoked"] == true) == held.revoked
            && held
                .good
                .iter()
                .all(|text| self.verdict(text).as_deref() == Some(expected))
            && held
                .retired
                .iter()
                .all(|text| self.verdict(text).as_deref() != Some("granted"))
    }
}
