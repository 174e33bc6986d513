//! Which rows of the journal to show.

use super::chain::JournalRow;
use super::entry::Seq;
use crate::clock::Timestamp;
use crate::key::Owner;

/// Which rows to show, the newest first. What is `None` does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JournalQuery {
    /// They are about this owner or what they hold
    /// ([`KeyStore::journal`](crate::store::KeyStore::journal) says what that is).
    pub owner: Option<Owner>,
    /// They were done by this actor, to the letter.
    pub actor: Option<String>,
    /// This was done, to the letter.
    pub action: Option<String>,
    /// It was done to this, to the letter.
    pub subject: Option<String>,
    /// At this moment or later.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// Only rows before this one: the last of the page before.
    pub before: Option<Seq>,
    /// How many at most; 1 to 100.
    pub limit: u32,
}

impl JournalQuery {
    /// How many rows a page has at most.
    pub const MAX_LIMIT: u32 = 100;

    /// The newest rows of all.
    #[must_use]
    pub const fn everything() -> Self {
        Self {
            owner: None,
            actor: None,
            action: None,
            subject: None,
            from: None,
            until: None,
            before: None,
            limit: 50,
        }
    }

    /// Whether a row is one of them, whoever's it is: what a store that has no better way asks of every row.
    #[must_use]
    pub fn matches(&self, row: &JournalRow) -> bool {
        let entry = &row.entry;
        let is =
            |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|one| one == found);
        is(&self.actor, entry.actor.as_str())
            && is(&self.action, entry.action.as_str())
            && is(&self.subject, entry.subject.as_str())
            && self.from.is_none_or(|from| from <= entry.at)
            && self.until.is_none_or(|until| entry.at < until)
            && self.before.is_none_or(|before| row.seq < before)
    }
}
