//! The journal: every change, in order, written in the transaction that makes it.
//!
//! It is the audit log, the feed that other nodes follow, and the outbox in one. Its numbers have no gap and
//! their order is the order of commits, because the row that holds the last number is locked while a change is
//! written. Each row carries a hash over the one before, so that a row that was changed, taken out or moved
//! shows.

use std::borrow::Cow;
use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::clock::{Clock, Timestamp};
use crate::entropy::{Entropy, EntropyError};
use crate::id::{AccountId, EntryId, KeyId};
use crate::key::Owner;

/// A place in the journal. The first entry has 1; 0 is before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(u64);

impl Seq {
    /// Before the first entry.
    pub const START: Self = Self(0);

    /// A place as a store keeps it.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number a store keeps.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The place after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! bounded_text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(Cow<'static, str>);

        impl $name {
            /// The text a store keeps.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// What a store read back.
            #[must_use]
            pub fn from_stored(text: String) -> Self {
                Self(Cow::Owned(text))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

bounded_text! {
    /// Who made a change, at most 160 bytes: `system`, `anonymous`, `owner:<owner>` or `key:<id>`.
    Actor
}
bounded_text! {
    /// What was done, at most 32 bytes: `key.revoke`.
    Action
}
bounded_text! {
    /// What it was done to, at most 160 bytes: `key:<id>`, `owner:<owner>` or `account:<id>`.
    Subject
}

impl Actor {
    /// SAKMS itself, or whoever runs it.
    pub const SYSTEM: Self = Self(Cow::Borrowed("system"));
    /// Somebody who is not signed in.
    pub const ANONYMOUS: Self = Self(Cow::Borrowed("anonymous"));

    /// An owner who is signed in, or on whose behalf the host calls.
    #[must_use]
    pub fn owner(owner: &Owner) -> Self {
        Self(format!("owner:{owner}").into())
    }

    /// Whoever holds this key.
    #[must_use]
    pub fn key(id: KeyId) -> Self {
        Self(format!("key:{id}").into())
    }
}

impl Action {
    /// A key was made.
    pub const KEY_CREATE: Self = Self(Cow::Borrowed("key.create"));
    /// A key's name or policy was changed.
    pub const KEY_UPDATE: Self = Self(Cow::Borrowed("key.update"));
    /// A key was revoked.
    pub const KEY_REVOKE: Self = Self(Cow::Borrowed("key.revoke"));
    /// A key got another secret.
    pub const KEY_ROTATE: Self = Self(Cow::Borrowed("key.rotate"));
    /// An owner was disabled, with everything they hold.
    pub const OWNER_DISABLE: Self = Self(Cow::Borrowed("owner.disable"));
    /// An owner was enabled again.
    pub const OWNER_ENABLE: Self = Self(Cow::Borrowed("owner.enable"));
    /// An account was made.
    pub const ACCOUNT_REGISTER: Self = Self(Cow::Borrowed("account.register"));
    /// An account's password was changed.
    pub const ACCOUNT_PASSWORD: Self = Self(Cow::Borrowed("account.password"));
}

impl Subject {
    /// A key.
    #[must_use]
    pub fn key(id: KeyId) -> Self {
        Self(format!("key:{id}").into())
    }

    /// An owner.
    #[must_use]
    pub fn owner(owner: &Owner) -> Self {
        Self(format!("owner:{owner}").into())
    }

    /// An account.
    #[must_use]
    pub fn account(id: AccountId) -> Self {
        Self(format!("account:{id}").into())
    }

    /// The key this is about, if it is about one.
    #[must_use]
    pub fn as_key(&self) -> Option<KeyId> {
        self.0.strip_prefix("key:")?.parse().ok()
    }

    /// The owner this is about, if it is about one.
    #[must_use]
    pub fn as_owner(&self) -> Option<Owner> {
        self.0.strip_prefix("owner:")?.parse().ok()
    }
}

/// A change that is about to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JournalEntry {
    /// Names this entry before it has a place, so that it can be looked for after a lost connection.
    pub id: EntryId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What.
    pub action: Action,
    /// To what.
    pub subject: Subject,
    /// More about it, at most 4096 bytes. Never a secret.
    pub detail: String,
}

impl JournalEntry {
    /// The most bytes of detail.
    pub const MAX_DETAIL: usize = 4096;

    /// An entry made now.
    ///
    /// # Errors
    /// [`EntropyError`] when no id can be drawn.
    pub fn now(
        clock: &dyn Clock,
        entropy: &dyn Entropy,
        actor: Actor,
        action: Action,
        subject: Subject,
    ) -> Result<Self, EntropyError> {
        let id = EntryId::generate(clock, entropy)?;
        Ok(Self {
            id,
            at: clock.now(),
            actor,
            action,
            subject,
            detail: String::new(),
        })
    }

    /// An entry with all its parts, for a store that reads one back.
    #[must_use]
    pub const fn from_parts(
        id: EntryId,
        at: Timestamp,
        actor: Actor,
        action: Action,
        subject: Subject,
        detail: String,
    ) -> Self {
        Self {
            id,
            at,
            actor,
            action,
            subject,
            detail,
        }
    }

    /// The same entry with something more said about it; cut at [`JournalEntry::MAX_DETAIL`] bytes.
    #[must_use]
    pub fn with_detail(mut self, mut detail: String) -> Self {
        if detail.len() > Self::MAX_DETAIL {
            detail.truncate(detail.floor_char_boundary(Self::MAX_DETAIL));
        }
        self.detail = detail;
        self
    }
}

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

impl fmt::Debug for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChainHash(")?;
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(")")
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
    fn a_subject_names_its_key() {
        let id = KeyId::from_bytes([3; 16]);
        assert_eq!(Subject::key(id).as_key(), Some(id));
        assert_eq!(Subject::owner(&"key:x".parse().unwrap()).as_key(), None);
    }
}
