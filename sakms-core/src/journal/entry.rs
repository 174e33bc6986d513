//! An entry, and its place.

use std::fmt;

use super::word::{Action, Actor, Subject};
use crate::clock::{Clock, Timestamp};
use crate::entropy::{Entropy, EntropyError};
use crate::id::EntryId;

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
