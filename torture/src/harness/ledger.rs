//! What a server has acknowledged, on the disk before it counts.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use sakms_core::clock::{Clock as _, SystemClock};

/// Something that a server has acknowledged to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A key was made. The text is not known when the answer that showed it was lost.
    Made(Option<String>),
    /// A key got another secret, and what worked before it works no more.
    Replaced(String),
    /// A key got another secret, and what worked before it goes on working.
    Joined(String),
    /// A key was revoked.
    Revoked,
}

/// A file of events. Each one is on the disk when [`record`](Self::record) returns; clients that wait at once wait for one sync.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    file: Mutex<(File, u64)>,
    synced: Mutex<u64>,
    events: AtomicU64,
}

impl Ledger {
    /// A new, empty file.
    #[must_use]
    pub fn create(path: &Path) -> Self {
        let file = OpenOptions::new().create_new(true).append(true).open(path);
        Self {
            path: path.to_owned(),
            file: Mutex::new((file.unwrap(), 0)),
            synced: Mutex::new(0),
            events: AtomicU64::new(0),
        }
    }

    /// Writes down what was acknowledged to a client about a key, and waits until the disk has it.
    pub fn record(&self, client: usize, key: &str, event: &Event) {
        let at = SystemClock.now().as_micros();
        let (kind, text) = match event {
            Event::Made(text) => ("made", text.as_deref().unwrap_or("")),
            Event::Replaced(text) => ("replaced", text.as_str()),
            Event::Joined(text) => ("joined", text.as_str()),
            Event::Revoked => ("revoked", ""),
        };
        let number = {
            let (file, written) = &mut *self.file.lock().unwrap();
            writeln!(file, "{at}\t{client}\t{key}\t{kind}\t{text}").unwrap();
            *written += 1;
            *written
        };
        let mut synced = self.synced.lock().unwrap();
        if *synced < number {
            let (file, written) = {
                let open = self.file.lock().unwrap();
                (open.0.try_clone().unwrap(), open.1)
            };
            file.sync_data().unwrap();
            *synced = written;
        }
        drop(synced);
        self.events.fetch_add(1, Ordering::Relaxed);
    }

    /// How many events it holds.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }

    /// What the file says must be true, for each client.
    #[must_use]
    pub fn read(&self) -> BTreeMap<usize, Truth> {
        let mut truths = BTreeMap::<usize, Truth>::new();
        for entry in self.entries() {
            let truth = truths.entry(entry.client).or_default();
            truth.apply(&entry.key, &entry.event);
        }
        truths
    }

    /// The lines of the file.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let text = fs::read_to_string(&self.path).unwrap();
        text.lines().map(Entry::of).collect()
    }
}

/// A line of a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When the answer had come, in microseconds since 1970.
    pub at: i64,
    /// To whom.
    pub client: usize,
    /// About which key.
    pub key: String,
    /// What was acknowledged.
    pub event: Event,
}

impl Entry {
    fn of(line: &str) -> Self {
        let fields: Vec<_> = line.split('\t').collect();
        let &[at, client, key, kind, text] = &fields[..] else {
            panic!("not a line of a ledger: {line}");
        };
        let text = text.to_owned();
        Self {
            at: at.parse().unwrap(),
            client: client.parse().unwrap(),
            key: key.to_owned(),
            event: match kind {
                "made" => Event::Made((!text.is_empty()).then_some(text)),
                "replaced" => Event::Replaced(text),
                "joined" => Event::Joined(text),
                _ => Event::Revoked,
            },
        }
    }
}

/// One key as a client must find it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// Texts that work unless the key is revoked, the newest last.
    pub good: Vec<String>,
    /// Texts that work no more.
    pub retired: Vec<String>,
    /// Whether it was revoked.
    pub revoked: bool,
}

/// A client's keys, by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Truth {
    /// The keys.
    pub keys: BTreeMap<String, Held>,
}

impl Truth {
    /// What is true after an event.
    pub fn apply(&mut self, key: &str, event: &Event) {
        let held = self.keys.entry(key.to_owned()).or_default();
        match event {
            Event::Made(text) => held.good.extend(text.clone()),
            Event::Replaced(text) => {
                held.retired.append(&mut held.good);
                held.good.push(text.clone());
            }
            Event::Joined(text) => held.good.push(text.clone()),
            Event::Revoked => held.revoked = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_was_recorded() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::create(&folder.path().join("ledger"));
        let mut truth = Truth::default();
        let events = [
            ("a", Event::Made(Some("a1".to_owned()))),
            ("b", Event::Made(None)),
            ("b", Event::Replaced("b2".to_owned())),
            ("a", Event::Replaced("a2".to_owned())),
            ("a", Event::Joined("a3".to_owned())),
            ("a", Event::Revoked),
        ];
        for (key, event) in &events {
            ledger.record(7, key, event);
            truth.apply(key, event);
        }
        assert_eq!(ledger.events(), 6);
        assert_eq!(ledger.read(), BTreeMap::from([(7, truth.clone())]));
        assert_eq!(truth.keys["a"].retired, ["a1"]);
        assert_eq!(truth.keys["a"].good, ["a2", "a3"]);
        assert!(truth.keys["a"].revoked && !truth.keys["b"].revoked);
        assert_eq!(truth.keys["b"].good, ["b2"]);
    }
}
