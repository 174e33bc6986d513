//! From where somebody has signed in before.
//!
//! Only a right password makes a source known, so a stranger adds nothing here. Kept in memory and, where there is a store for
//! it, there too: some 16 bytes for each source, of which there are few to an account.

use std::collections::HashMap;
use std::time::Duration;

use super::config::ThrottleConfig;
use super::table::Id;
use crate::clock::Timestamp;

/// The accounts whose sources are remembered in memory. Of others the store knows.
const MOST_ACCOUNTS: usize = 10_000;
/// A source that is known already is written down again only after so long.
const REFRESH: Duration = Duration::from_hours(24);
const VERSION: u8 = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KnownSource {
    pub(super) source: u64,
    pub(super) at: Timestamp,
}

#[derive(Debug)]
pub(super) struct Known {
    accounts: HashMap<Id, Vec<KnownSource>>,
    most: usize,
    time: Duration,
    /// What is to be written.
    dirty: Vec<(Id, KnownSource)>,
}

impl Known {
    pub(super) fn new(config: &ThrottleConfig) -> Self {
        Self {
            accounts: HashMap::new(),
            most: config.known_sources,
            time: config.known_for,
            dirty: Vec::new(),
        }
    }

    pub(super) fn has(&self, address: &Id, source: u64, now: Timestamp) -> bool {
        let known = self.accounts.get(address);
        known.is_some_and(|known| self.among(known, source, now))
    }

    pub(super) fn among(&self, known: &[KnownSource], source: u64, now: Timestamp) -> bool {
        let stands = |known: &KnownSource| now.since(known.at) < self.time;
        known
            .iter()
            .any(|known| known.source == source && stands(known))
    }

    /// Somebody signed in from there.
    pub(super) fn learn(&mut self, address: Id, source: u64, now: Timestamp) {
        let known = self.accounts.get(&address).map_or(&[][..], Vec::as_slice);
        let recent = |known: &KnownSource| known.source == source && now.since(known.at) < REFRESH;
        if known.iter().any(recent) {
            return;
        }
        let new = KnownSource { source, at: now };
        let sources = self.with(known.to_vec(), new);
        self.remember(address, sources);
        if self.dirty.len() < MOST_ACCOUNTS {
            self.dirty.push((address, new));
        }
    }

    /// What the store says.
    pub(super) fn remember(&mut self, address: Id, sources: Vec<KnownSource>) {
        if self.accounts.len() >= MOST_ACCOUNTS && !self.accounts.contains_key(&address) {
            // An eighth goes at once, so that this is seldom done. The store knows it still.
            let mut goes = MOST_ACCOUNTS / 8;
            self.accounts.retain(|_, _| {
                goes = goes.saturating_sub(1);
                goes == 0
            });
        }
        self.accounts.insert(address, sources);
    }

    /// These and one more; the oldest goes where there are too many.
    pub(super) fn with(&self, mut sources: Vec<KnownSource>, new: KnownSource) -> Vec<KnownSource> {
        sources.retain(|known| known.source != new.source && new.at.since(known.at) < self.time);
        sources.push(new);
        sources.sort_by_key(|known| std::cmp::Reverse(known.at));
        sources.truncate(self.most);
        sources
    }

    pub(super) fn time(&self) -> Duration {
        self.time
    }

    pub(super) fn take_dirty(&mut self) -> Vec<(Id, KnownSource)> {
        std::mem::take(&mut self.dirty)
    }

    pub(super) fn put_back(&mut self, unwritten: impl IntoIterator<Item = (Id, KnownSource)>) {
        let room = MOST_ACCOUNTS.saturating_sub(self.dirty.len());
        self.dirty.extend(unwritten.into_iter().take(room));
    }
}

/// As the store keeps them: a version, and for each source its digest and when it was.
pub(super) fn to_bytes(sources: &[KnownSource]) -> Vec<u8> {
    let each = |known: &KnownSource| {
        [
            known.source.to_be_bytes(),
            known.at.as_micros().to_be_bytes(),
        ]
        .concat()
    };
    std::iter::once(VERSION)
        .chain(sources.iter().flat_map(each))
        .collect()
}

/// `None` for what another version wrote.
pub(super) fn from_bytes(bytes: &[u8]) -> Option<Vec<KnownSource>> {
    let (&VERSION, rest) = bytes.split_first()? else {
        return None;
    };
    let (sources, []) = rest.as_chunks::<16>() else {
        return None;
    };
    let read = |bytes: &[u8; 16]| {
        let (source, at) = bytes.split_first_chunk::<8>()?;
        let at = i64::from_be_bytes(at.try_into().ok()?);
        let source = u64::from_be_bytes(*source);
        Some(KnownSource {
            source,
            at: Timestamp::from_micros(at)?,
        })
    };
    sources.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: Id = [1; 16];

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000).unwrap()
    }

    fn known(most: usize) -> Known {
        Known::new(&ThrottleConfig::default().known_sources(most, Duration::from_secs(100)))
    }

    #[test]
    fn a_source_is_known_for_its_time_and_the_oldest_makes_room() {
        let mut known = known(2);
        known.learn(ADA, 1, at(0));
        known.learn(ADA, 2, at(10));
        assert!(known.has(&ADA, 1, at(99)) && !known.has(&ADA, 1, at(100)));
        known.learn(ADA, 3, at(20));
        assert!(!known.has(&ADA, 1, at(20)));
        assert!(known.has(&ADA, 2, at(20)) && known.has(&ADA, 3, at(20)));
        assert!(!known.has(&[2; 16], 3, at(20)));
        assert_eq!(known.take_dirty().len(), 3);
    }

    #[test]
    fn memory_is_bounded() {
        let mut known = known(2);
        for number in 0..25_000_u32 {
            let mut address = ADA;
            address[..4].copy_from_slice(&number.to_be_bytes());
            known.learn(address, 1, at(0));
            assert!(known.has(&address, 1, at(0)));
        }
        assert!(known.accounts.len() <= MOST_ACCOUNTS && known.dirty.len() <= MOST_ACCOUNTS);
    }

    #[test]
    fn what_is_stored_comes_back_and_nothing_else_does() {
        let sources = vec![
            KnownSource {
                source: u64::MAX,
                at: at(7),
            },
            KnownSource {
                source: 1,
                at: Timestamp::MAX,
            },
        ];
        let bytes = to_bytes(&sources);
        assert_eq!(from_bytes(&bytes), Some(sources));
        for bad in [
            &[][..],
            &[2],
            &bytes[..bytes.len() - 1],
            &[&[1][..], &[255; 16]].concat(),
        ] {
            assert_eq!(from_bytes(bad), None, "{bad:?}");
        }
    }
}
