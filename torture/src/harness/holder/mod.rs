//! A client that makes, rotates and revokes keys, and knows at every moment what must be true of them.

mod compare;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;

use super::canaries::Canaries;
use super::client::Answer;
use super::findings::Findings;
use super::ledger::{Event, Ledger, Truth};
use super::link::Link;
use super::person::Person;

/// An acknowledged key that is not there, or does not work.
pub const MISSING: &str = "acknowledged keys and secrets that are not there or do not work";
/// A revoked key, or a replaced secret, that works.
pub const UNDONE: &str = "acknowledged revocations and replacements that are undone";
/// Something that was done in part.
pub const HALF: &str = "half states";
/// A key that nobody asked for.
pub const SURPLUS: &str = "keys that no request has made, or one request twice";
/// An answer that is neither "done" nor "nobody knows".
pub const WRONG: &str = "wrong answers";
/// All of them, for [`Findings::of`].
pub const KINDS: &[&str] = &[MISSING, UNDONE, HALF, SURPLUS, WRONG];

/// How long a client waits before it asks again.
const PAUSE: Duration = Duration::from_millis(20);

/// Something that was asked of the server, and under which idempotency key.
#[derive(Debug, Clone)]
struct Request {
    asked: Asked,
    once: String,
}

#[derive(Debug, Clone)]
enum Asked {
    Make,
    /// `ends`: the former secret at once, or much later.
    Rotate {
        key: String,
        ends: bool,
    },
    /// Ends a rotation whose text was lost: the former secret is the only one again.
    TakeBack {
        key: String,
    },
    Revoke {
        key: String,
    },
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was acknowledged.
    Done,
    /// The connection broke, or the server says that it could not: nobody knows.
    Unknown,
}

/// What the holder shares with all others.
#[derive(Debug, Clone, Copy)]
pub struct Books<'a> {
    /// Where it writes down what was acknowledged.
    pub ledger: &'a Ledger,
    /// Where it writes down what is wrong.
    pub findings: &'a Findings,
}

/// The client.
#[derive(Debug)]
pub struct Holder {
    number: usize,
    person: Person,
    link: Link,
    random: fastrand::Rng,
    truth: Truth,
    open: Option<Request>,
    /// Whether the open request, a rotation, seems to have been carried out.
    seen: Option<bool>,
    changed: BTreeSet<String>,
    active: Vec<String>,
}

impl Holder {
    /// Registers a person and holds no key yet.
    #[must_use]
    pub fn register(server: SocketAddr, number: usize, random: fastrand::Rng) -> Self {
        Self {
            number,
            person: Person::register(server, &format!("holder{number}@example.com")),
            link: Link::to(server),
            random,
            truth: Truth::default(),
            open: None,
            seen: None,
            changed: BTreeSet::new(),
            active: Vec::new(),
        }
    }

    /// Talks to this server from now on.
    pub fn turn_to(&mut self, server: SocketAddr) {
        self.link = Link::to(server);
    }

    /// Asks for one thing, drawn at random.
    pub fn step(&mut self, books: Books<'_>) -> Outcome {
        assert!(self.open.is_none(), "settle first");
        let asked = self.draw();
        let once = self.draw_once();
        self.open = Some(Request { asked, once });
        self.ask(books)
    }

    fn draw(&mut self) -> Asked {
        let chosen = self.random.u8(..10);
        if self.active.len() < 4 || (chosen < 4 && self.active.len() < 40) {
            return Asked::Make;
        }
        let at = self.random.usize(..self.active.len());
        let key = self.active[at].clone();
        // A key of which two secrets work is in a rotation, which the next would end.
        if chosen < 7 && self.truth.keys[&key].good.len() < 2 {
            let ends = self.random.bool();
            Asked::Rotate { key, ends }
        } else {
            Asked::Revoke { key }
        }
    }

    /// Asks what is open, once.
    fn ask(&mut self, books: Books<'_>) -> Outcome {
        let request = self.open.clone().unwrap();
        let (target, body) = match &request.asked {
            Asked::Make => ("/keys".to_owned(), json!({ "name": request.once })),
            Asked::Rotate { key, ends } => {
                let seconds = if *ends { 0 } else { 86400 };
                (
                    format!("/keys/{key}/rotate"),
                    json!({ "overlap_seconds": seconds }),
                )
            }
            Asked::TakeBack { key } => (format!("/keys/{key}/rotation/cancel"), json!(null)),
            Asked::Revoke { key } => (format!("/keys/{key}/revoke"), json!(null)),
        };
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let headers = [
            ("Authorization", self.person.bearer.as_str()),
            ("Idempotency-Key", &request.once),
        ];
        match self.link.send("POST", &target, &headers, &body) {
            Ok(answer) if answer.status < 300 => {
                self.open = None;
                self.acknowledged(books, request.asked, &answer)
            }
            // Asked again, it finds nothing to take back.
            Ok(answer)
                if matches!(request.asked, Asked::TakeBack { .. })
                    && answer.body.contains("no_rotation") =>
            {
                self.open = None;
                Outcome::Done
            }
            Ok(answer) if answer.status == 503 => Outcome::Unknown,
            Ok(answer) => {
                books.findings.add(WRONG, || {
                    format!("POST {target}: {} {}", answer.status, answer.body)
                });
                // A 500 may have done it or not; it is found out like the rest.
                Outcome::Unknown
            }
            Err(_) => Outcome::Unknown,
        }
    }

    fn acknowledged(&mut self, books: Books<'_>, asked: Asked, answer: &Answer) -> Outcome {
        let text = answer.json()["api_key"].as_str().map(ToOwned::to_owned);
        if let Some(seen) = self.seen.take()
            && seen != text.is_none()
        {
            books.findings.add(HALF, || {
                format!(
                    "{asked:?}: seemed to be done: {seen}, was answered {}",
                    answer.body
                )
            });
        }
        match (asked, text) {
            (Asked::Make, text) => {
                let id = answer.text("id");
                if self.truth.keys.contains_key(&id) {
                    books
                        .findings
                        .add(SURPLUS, || format!("key {id} was made twice"));
                }
                let lost = text.is_none();
                self.note(books, &id, &Event::Made(text));
                self.active.push(id.clone());
                if lost {
                    return self.follow_up(
                        books,
                        Asked::Rotate {
                            key: id,
                            ends: true,
                        },
                    );
                }
            }
            (Asked::Rotate { key, ends: true }, Some(text)) => {
                self.note(books, &key, &Event::Replaced(text));
            }
            (Asked::Rotate { key, ends: false }, Some(text)) => {
                self.note(books, &key, &Event::Joined(text));
            }
            // The answer that showed the text was lost.
            (Asked::Rotate { key, ends: true }, None) => {
                return self.follow_up(books, Asked::Rotate { key, ends: true });
            }
            (Asked::Rotate { key, ends: false }, None) => {
                return self.follow_up(books, Asked::TakeBack { key });
            }
            // What worked before works, and is all that is known.
            (Asked::TakeBack { key }, _) => {
                self.changed.insert(key);
            }
            (Asked::Revoke { key }, _) => {
                self.active.retain(|id| *id != key);
                self.note(books, &key, &Event::Revoked);
            }
        }
        Outcome::Done
    }

    /// Asks for what has to follow an answer that came without the text: the text itself was in the one that was lost.
    fn follow_up(&mut self, books: Books<'_>, asked: Asked) -> Outcome {
        let once = self.draw_once();
        self.open = Some(Request { asked, once });
        self.ask(books)
    }

    fn draw_once(&mut self) -> String {
        format!("{:032x}", self.random.u128(..))
    }

    fn note(&mut self, books: Books<'_>, key: &str, event: &Event) {
        books.ledger.record(self.number, key, event);
        self.truth.apply(key, event);
        self.changed.insert(key.to_owned());
    }

    /// Finds out about the request whose answer was lost: looks first, when `look`, whether it was done in part; then asks again
    /// until it is acknowledged, `tries` times at most.
    pub fn settle(&mut self, books: Books<'_>, look: bool, tries: u32) -> Outcome {
        let Some(request) = self.open.clone() else {
            return Outcome::Done;
        };
        if look {
            self.seen = self.look(books, &request.asked);
        }
        for _ in 0..tries {
            if self.ask(books) == Outcome::Done {
                self.seen = None;
                return Outcome::Done;
            }
            // What this one did, if it did anything, was not seen.
            self.seen = None;
            std::thread::sleep(PAUSE);
        }
        Outcome::Unknown
    }

    /// Whether a rotation whose answer was lost seems to be done. What the key's record, its secrets and its text say must agree.
    fn look(&mut self, books: Books<'_>, asked: &Asked) -> Option<bool> {
        let (Asked::Rotate { key, .. } | Asked::Revoke { key }) = asked else {
            return None;
        };
        let headers = [("Authorization", self.person.bearer.as_str())];
        let shown = self.link.read(&format!("/keys/{key}"), &headers).ok()?;
        if shown.status != 200 {
            books
                .findings
                .add(MISSING, || format!("key {key}: {}", shown.body));
            return None;
        }
        let shown = shown.json();
        let held = self.truth.keys[key].clone();
        let known = held.good.last()?;
        let verdict = self.verdict(known)?;
        let secrets = shown["secrets"].as_array().map_or(0, Vec::len);
        let known_to_be = held.good.len() + held.retired.len();
        let agrees = match asked {
            Asked::Make | Asked::TakeBack { .. } => true,
            Asked::Revoke { .. } => (shown["revoked"] == true) == (verdict == "key_revoked"),
            Asked::Rotate { ends: true, .. } => {
                (verdict == "granted") != (verdict == "key_retired") && secrets > 0
            }
            Asked::Rotate { ends: false, .. } => verdict == "granted" && secrets > 0,
        };
        if !agrees {
            books.findings.add(HALF, || {
                format!("{asked:?}: {verdict}, {known_to_be} secrets known, record {shown}")
            });
        }
        matches!(asked, Asked::Rotate { ends: true, .. }).then_some(verdict == "key_retired")
    }

    /// What a route that wants any key says to this text; nothing when there is no answer.
    pub fn verdict(&mut self, text: &str) -> Option<String> {
        let answer = self
            .link
            .read("/demo/protected", &[("X-API-Key", text)])
            .ok()?;
        Some(match answer.status {
            200 => "granted".to_owned(),
            _ => answer.text("code"),
        })
    }

    /// Texts that work now, the newest last.
    pub fn working(&self) -> impl Iterator<Item = &str> {
        let keys = self.active.iter().map(|key| &self.truth.keys[key]);
        keys.filter(|held| !held.revoked)
            .flat_map(|held| held.good.iter().map(String::as_str))
    }

    /// Adds all that no log may have of this client.
    pub fn watch(&self, canaries: &mut Canaries) {
        canaries.tail(&self.person.bearer);
        for held in self.truth.keys.values() {
            for text in held.good.iter().chain(&held.retired) {
                canaries.key(text);
            }
        }
    }
}
