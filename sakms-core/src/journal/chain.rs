//! Rows in their places, chained by a hash.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use super::entry::{JournalEntry, Seq};

/// A change that was made, in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JournalRow {
    /// Its place.
    pub seq: Seq,
    /// The change.
    pub entry: JournalEntry,
    /// The hash over the row before and this one.
    pub chain: ChainHash,
}

impl JournalRow {
    /// A row with all its parts.
    #[must_use]
    pub const fn new(seq: Seq, entry: JournalEntry, chain: ChainHash) -> Self {
        Self { seq, entry, chain }
    }
}

/// The last place of the journal and the hash over everything up to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct JournalHead {
    /// The last place.
    pub seq: Seq,
    /// The hash at that place.
    pub chain: ChainHash,
}

impl JournalHead {
    /// The head of an empty journal.
    pub const START: Self = Self {
        seq: Seq::START,
        chain: ChainHash::GENESIS,
    };

    /// A head with its parts.
    #[must_use]
    pub const fn new(seq: Seq, chain: ChainHash) -> Self {
        Self { seq, chain }
    }

    /// The row that `entry` becomes when it is written after this head.
    #[must_use]
    pub fn append(&self, entry: JournalEntry) -> JournalRow {
        let seq = self.seq.next();
        JournalRow {
            seq,
            chain: self.chain.next(seq, &entry),
            entry,
        }
    }
}

impl fmt::Display for JournalHead {
    /// The place and the hash, as people note them: `1204:9f86d081…`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.chain)
    }
}

impl FromStr for JournalHead {
    type Err = InvalidHead;

    fn from_str(text: &str) -> Result<Self, InvalidHead> {
        let (seq, chain) = text.split_once(':').ok_or(InvalidHead)?;
        // A sign in front of a number is taken by its parser.
        let digits = !seq.is_empty() && seq.bytes().all(|byte| byte.is_ascii_digit());
        let seq = seq.parse().ok().filter(|_| digits).ok_or(InvalidHead)?;
        Ok(Self::new(Seq::new(seq), chain.parse()?))
    }
}

/// The text is no head of a journal, or no hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidHead;

impl fmt::Display for InvalidHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the head of a journal: expected its last number, a colon and 64 hexadecimal digits")
    }
}

impl std::error::Error for InvalidHead {}

impl From<&JournalRow> for JournalHead {
    /// The head of a journal that ends with this row.
    fn from(row: &JournalRow) -> Self {
        Self::new(row.seq, row.chain)
    }
}

/// SHA-256 over the hash before and a row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ChainHash([u8; 32]);

impl ChainHash {
    /// What the first row follows.
    pub const GENESIS: Self = Self([0; 32]);

    /// A hash as a store keeps it.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes a store keeps.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The hash of the row with `entry` at `seq` after this one.
    ///
    /// Every part goes in with its length, so that no two rows give the same input.
    #[must_use]
    pub fn next(&self, seq: Seq, entry: &JournalEntry) -> Self {
        let mut hash = Sha256::new_with_prefix(b"sakms journal v1");
        hash.update(self.0);
        hash.update(seq.get().to_be_bytes());
        hash.update(entry.id.as_bytes());
        hash.update(entry.at.as_micros().to_be_bytes());
        for part in [
            entry.actor.as_str(),
            entry.action.as_str(),
            entry.subject.as_str(),
            &entry.detail,
        ] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }
}

impl fmt::Display for ChainHash {
    /// 64 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for ChainHash {
    type Err = InvalidHead;

    fn from_str(text: &str) -> Result<Self, InvalidHead> {
        let mut bytes = [0; 32];
        if text.len() != 2 * bytes.len() || !text.is_ascii() {
            return Err(InvalidHead);
        }
        let digit = |place: usize| char::from(text.as_bytes()[place]).to_digit(16);
        for (place, byte) in bytes.iter_mut().enumerate() {
            let (Some(high), Some(low)) = (digit(2 * place), digit(2 * place + 1)) else {
                return Err(InvalidHead);
            };
            *byte = u8::try_from(high * 16 + low).map_err(|_| InvalidHead)?;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Debug for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChainHash({self})")
    }
}

/// The place of the first row that does not follow from what is before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokenChain {
    /// The place that was expected to hold a row that follows.
    pub at: Seq,
}

impl fmt::Display for BrokenChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the journal is broken at {}", self.at)
    }
}

impl std::error::Error for BrokenChain {}

/// Checks that `rows` follow `head` without a gap, and gives the head after them.
///
/// # Errors
/// [`BrokenChain`] with the first place where a row is missing, moved or changed.
pub fn verify(head: JournalHead, rows: &[JournalRow]) -> Result<JournalHead, BrokenChain> {
    rows.iter().try_fold(head, |head, row| {
        let at = head.seq.next();
        let follows = row.seq == at && row.chain == head.chain.next(at, &row.entry);
        if follows {
            Ok(JournalHead::new(row.seq, row.chain))
        } else {
            Err(BrokenChain { at })
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::id::{EntryId, KeyId};
    use crate::journal::{Action, Actor, Subject};

    fn rows(count: u8) -> Vec<JournalRow> {
        let mut head = JournalHead::START;
        (0..count)
            .map(|i| {
                let subject = Subject::key(KeyId::from_bytes([i; 16]));
                let at = Timestamp::from_micros(i64::from(i)).unwrap();
                let entry = JournalEntry::from_parts(
                    EntryId::from_bytes([i; 16]),
                    at,
                    Actor::SYSTEM,
                    Action::KEY_CREATE,
                    subject,
                    format!("n={i}"),
                );
                let row = head.append(entry);
                head = JournalHead::new(row.seq, row.chain);
                row
            })
            .collect()
    }

    #[test]
    fn an_untouched_journal_verifies() {
        let rows = rows(10);
        let head = verify(JournalHead::START, &rows).unwrap();
        assert_eq!(head.seq, Seq::new(10));
        assert_eq!(
            verify(JournalHead::new(rows[3].seq, rows[3].chain), &rows[4..]),
            Ok(head)
        );
    }

    #[test]
    fn a_row_that_was_changed_taken_out_or_moved_shows() {
        let broken_at =
            |rows: &[JournalRow]| verify(JournalHead::START, rows).unwrap_err().at.get();
        let mut changed = rows(10);
        changed[4].entry.detail.push('!');
        assert_eq!(broken_at(&changed), 5);
        let mut shorter = rows(10);
        shorter.remove(6);
        assert_eq!(broken_at(&shorter), 7);
        let mut moved = rows(10);
        moved.swap(1, 2);
        assert_eq!(broken_at(&moved), 2);
    }

    #[test]
    fn text_cannot_move_between_the_parts() {
        let entry = |actor: &str, detail: &str| {
            let (actor, subject) = (
                Actor::from_stored(actor.into()),
                Subject::from_stored(String::new()),
            );
            JournalEntry::from_parts(
                EntryId::from_bytes([0; 16]),
                Timestamp::EPOCH,
                actor,
                Action::KEY_CREATE,
                subject,
                detail.into(),
            )
        };
        let hash = |entry| ChainHash::GENESIS.next(Seq::new(1), &entry);
        assert_ne!(hash(entry("a", "b")), hash(entry("ab", "")));
    }

    #[test]
    fn a_head_comes_back_from_its_text() {
        let head = JournalHead::from(&rows(3)[2]);
        assert_eq!(head.to_string().parse(), Ok(head));
        assert!(head.to_string().starts_with("3:"));
        let hash = head.chain.to_string();
        for bad in [
            "",
            ":",
            "3",
            &hash,
            &format!("+3:{hash}"),
            &format!("3:{}", &hash[1..]),
            &format!("3:{hash}0"),
            &format!("3:{}g", &hash[1..]),
            &format!("3:é{}", &hash[2..]),
            &format!("99999999999999999999:{hash}"),
        ] {
            assert_eq!(bad.parse::<JournalHead>(), Err(InvalidHead), "{bad}");
        }
    }
}
