//! Somebody who uses keys, mostly, and now and then manages them.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use super::{FAILED, WRONG};
use crate::harness::canaries::Canaries;
use crate::harness::client::Answer;
use crate::harness::findings::Findings;
use crate::harness::link::Link;
use crate::harness::person::{Key, PASSWORD, Person};

/// How many keys a user has at least.
const KEYS: usize = 20;

/// How fast.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pace {
    /// As soon as there is an answer.
    Unbounded,
    /// One request in so much time.
    Each(Duration),
}

/// A client with a connection of its own.
#[derive(Debug)]
pub(super) struct User {
    person: Person,
    email: String,
    link: Link,
    random: fastrand::Rng,
    keys: Vec<Key>,
    /// Some that were revoked: the last of them is shown now and then.
    revoked: Vec<Key>,
}

impl User {
    pub(super) fn register(server: SocketAddr, number: usize, random: fastrand::Rng) -> Self {
        let email = format!("user{number}@example.com");
        let person = Person::register(server, &email);
        let keys = (0..KEYS).map(|_| person.key(server)).collect();
        Self {
            person,
            email,
            link: Link::to(server),
            random,
            keys,
            revoked: Vec::new(),
        }
    }

    pub(super) fn work(
        &mut self,
        pace: Pace,
        over: &AtomicBool,
        done: &AtomicU64,
        findings: &Findings,
    ) {
        let mut next = Instant::now();
        while !over.load(Ordering::Relaxed) {
            self.step(findings);
            done.fetch_add(1, Ordering::Relaxed);
            if let Pace::Each(time) = pace {
                // What is late is not caught up with: the load stays what it is.
                let now = Instant::now();
                next = (next + time).max(now);
                std::thread::sleep(next - now);
            }
        }
    }

    /// One request. Of 1,000: 900 use a key, 40 a text that is none or a revoked key, 29 look, 10 each make, rotate and revoke one,
    /// 1 signs in.
    fn step(&mut self, findings: &Findings) {
        if self.keys.is_empty() {
            return self.make(findings);
        }
        let at = self.random.usize(..self.keys.len());
        match self.random.u32(..1000) {
            0..900 => {
                let text = self.keys[at].text.clone();
                self.present(findings, &text, 200);
            }
            900..920 => {
                let mut text = self.keys[at].text.clone();
                let last = if text.ends_with('0') { "1" } else { "0" };
                text.replace_range(text.len() - 1.., last);
                self.present(findings, &text, 401);
            }
            920..940 => {
                if let Some(key) = self.revoked.last() {
                    let text = key.text.clone();
                    self.present(findings, &text, 401);
                }
            }
            940..955 => drop(self.ask(findings, "GET", "/keys?limit=20", "", 200)),
            955..969 => {
                let target = format!("/keys/{}", self.keys[at].id);
                self.ask(findings, "GET", &target, "", 200);
            }
            969..979 => self.make(findings),
            979..989 => {
                let mut key = self.keys.swap_remove(at);
                let target = format!("/keys/{}/rotate", key.id);
                let body = r#"{"overlap_seconds":0}"#;
                // Without an answer nobody knows which text works: the key is shown no more.
                if let Some(answer) = self.ask(findings, "POST", &target, body, 201) {
                    key.text = answer.text("api_key");
                    self.keys.push(key);
                }
            }
            989..999 => self.revoke(findings, at),
            _ => {
                let body = json!({ "email": self.email, "password": PASSWORD }).to_string();
                let answer = self.link.send("POST", "/auth/login", &[], &body);
                if let Some(answer) = judge(findings, "login", answer, 200) {
                    self.person.bearer = format!("Bearer {}", answer.text("access_token"));
                }
            }
        }
    }

    fn make(&mut self, findings: &Findings) {
        if let Some(answer) = self.ask(findings, "POST", "/keys", "", 201) {
            self.keys.push(Key {
                id: answer.text("id"),
                text: answer.text("api_key"),
            });
        }
    }

    fn revoke(&mut self, findings: &Findings, at: usize) {
        if self.keys.len() <= KEYS / 2 {
            return self.make(findings);
        }
        let key = self.keys.swap_remove(at);
        let target = format!("/keys/{}/revoke", key.id);
        if self.ask(findings, "POST", &target, "", 200).is_some() {
            self.revoked.truncate(KEYS);
            self.revoked.push(key);
        }
    }

    fn present(&mut self, findings: &Findings, text: &str, status: u16) {
        let answer = self.link.read("/demo/protected", &[("X-API-Key", text)]);
        judge(findings, "a key", answer, status);
    }

    fn ask(
        &mut self,
        findings: &Findings,
        method: &str,
        target: &str,
        body: &str,
        status: u16,
    ) -> Option<Answer> {
        let headers = [("Authorization", self.person.bearer.as_str())];
        let answer = self.link.send(method, target, &headers, body);
        judge(findings, target, answer, status)
    }

    /// Adds all that no log may have of this user.
    pub(super) fn watch(&self, canaries: &mut Canaries) {
        canaries.tail(&self.person.bearer);
        for key in self.keys.iter().chain(&self.revoked) {
            canaries.key(&key.text);
        }
    }
}

fn judge(
    findings: &Findings,
    what: &str,
    answer: std::io::Result<Answer>,
    status: u16,
) -> Option<Answer> {
    match answer {
        Ok(answer) if answer.status == status => return Some(answer),
        Ok(answer) if answer.status < 500 => {
            findings.add(WRONG, || {
                format!("{what}: {} {}", answer.status, answer.body)
            });
        }
        Ok(answer) => findings.add(FAILED, || {
            format!("{what}: {} {}", answer.status, answer.body)
        }),
        Err(error) => findings.add(FAILED, || format!("{what}: {error}")),
    }
    None
}
