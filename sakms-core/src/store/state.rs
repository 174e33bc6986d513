//! What is kept for a while: sessions, codes that count once, counts of failures, keys that sign.
//!
//! They are alike to a store. Each is found by an id that whoever made it knows, may belong to somebody, ends by itself
//! at a moment, and holds bytes that the service alone understands. A plain secret is never among them: what a bearer
//! has to prove is kept as a digest, and what has to be used again is sealed under the master key.

use std::fmt;

use async_trait::async_trait;

use super::StoreError;
use crate::clock::Timestamp;
use crate::journal::JournalEntry;
use crate::key::{Owner, Revision};

/// What something that is kept for a while is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum StateKind {
    /// Somebody's session, from their signing in on.
    Session,
    /// A code that was sent to somebody, and counts once.
    Code,
    /// How often something failed.
    Throttle,
    /// A key that signs tokens, sealed.
    SigningKey,
}

impl StateKind {
    /// Every one there is.
    pub const ALL: [Self; 4] = [Self::Session, Self::Code, Self::Throttle, Self::SigningKey];

    /// Its name, as stores keep it; at most 32 bytes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Code => "code",
            Self::Throttle => "throttle",
            Self::SigningKey => "signing_key",
        }
    }

    /// The one with this name; `None` for a name of a later version.
    #[must_use]
    pub fn from_stored(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for StateKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What something that is kept for a while is found by: a digest, or an id with zeros behind it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StateId([u8; 32]);

impl StateId {
    /// A digest.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The id of a thing that has one.
    #[must_use]
    pub fn of(id: &[u8; 16]) -> Self {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(id);
        Self(bytes)
    }

    /// The bytes a store keeps.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for StateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StateId({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

/// Something that is kept for a while.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StateRecord {
    /// What it is.
    pub kind: StateKind,
    /// What it is found by among its kind.
    pub id: StateId,
    /// Whose it is, if it is somebody's.
    pub owner: Option<Owner>,
    /// What the service keeps there; at most [`StateRecord::MAX_BYTES`].
    pub value: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends. A store may still have it then: whoever reads it looks at this.
    pub expires_at: Timestamp,
    /// Counts its changes.
    pub revision: Revision,
}

impl StateRecord {
    /// The most bytes of a value.
    pub const MAX_BYTES: usize = 4096;
    /// The most that is read of one kind at once.
    pub const MAX_LIMIT: u32 = 1_000;

    /// A new one, at its first revision.
    #[must_use]
    pub const fn new(
        kind: StateKind,
        id: StateId,
        owner: Option<Owner>,
        value: Vec<u8>,
        created_at: Timestamp,
        expires_at: Timestamp,
    ) -> Self {
        Self {
            kind,
            id,
            owner,
            value,
            created_at,
            expires_at,
            revision: Revision::FIRST,
        }
    }
}

/// The value is left out: it may be sealed, and is nobody's to read.
impl fmt::Debug for StateRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateRecord")
            .field("kind", &self.kind)
            .field("id", &self.id)
            .field("owner", &self.owner)
            .field("bytes", &self.value.len())
            .field("created_at", &self.created_at)
            .field("expires_at", &self.expires_at)
            .field("revision", &self.revision)
            .finish()
    }
}

/// Where what is kept for a while is kept.
///
/// `Ok` from a method that changes something means that the change is durable, as for a
/// [`KeyStore`](super::KeyStore). Where a method takes a journal entry, it is written in the same transaction; counts of
/// failures have none, because a stranger makes them.
#[async_trait]
pub trait StateStore: fmt::Debug + Send + Sync + 'static {
    /// One by its kind and id; `None` when there is none. One that has ended may still be there.
    ///
    /// # Errors
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) and its like; never to say that there is none.
    async fn state(&self, kind: StateKind, id: StateId) -> Result<Option<StateRecord>, StoreError>;

    /// Those of a kind that are an owner's, or everybody's and nobody's with `None`, the newest first; of those made at the
    /// same moment, the greatest id first. At most `limit`, and at most [`StateRecord::MAX_LIMIT`].
    ///
    /// # Errors
    /// As for [`StateStore::state`].
    async fn states(
        &self,
        kind: StateKind,
        owner: Option<&Owner>,
        limit: u32,
    ) -> Result<Vec<StateRecord>, StoreError>;

    /// Adds one.
    ///
    /// # Errors
    /// [`StoreErrorKind::Conflict`](super::StoreErrorKind::Conflict) when there is one of its kind with its id, ended or
    /// not; as for [`StateStore::state`].
    async fn insert_state(
        &self,
        record: &StateRecord,
        entry: Option<&JournalEntry>,
    ) -> Result<(), StoreError>;

    /// Gives one another value and end, if its revision is still `expected`, counts that up, and gives it as it is now.
    ///
    /// # Errors
    /// [`StoreErrorKind::NotFound`](super::StoreErrorKind::NotFound) when there is none,
    /// [`StoreErrorKind::Stale`](super::StoreErrorKind::Stale) when its revision is another; as for [`StateStore::state`].
    async fn update_state(
        &self,
        kind: StateKind,
        id: StateId,
        expected: Revision,
        value: &[u8],
        expires_at: Timestamp,
        entry: Option<&JournalEntry>,
    ) -> Result<StateRecord, StoreError>;

    /// Takes one away, if its revision is still `expected`. Of many who try, one succeeds.
    ///
    /// # Errors
    /// As for [`StateStore::update_state`].
    async fn remove_state(
        &self,
        kind: StateKind,
        id: StateId,
        expected: Revision,
        entry: Option<&JournalEntry>,
    ) -> Result<(), StoreError>;

    /// Takes all of a kind away that are an owner's, but for one, and gives how many there were. With none the entry is
    /// written all the same.
    ///
    /// # Errors
    /// As for [`StateStore::state`].
    async fn remove_states(
        &self,
        kind: StateKind,
        owner: &Owner,
        except: Option<StateId>,
        entry: Option<&JournalEntry>,
    ) -> Result<u64, StoreError>;

    /// Forgets what ended before a moment, of every kind; not all of it at once where there is much. Writes no journal.
    ///
    /// # Errors
    /// As for [`StateStore::state`].
    async fn forget_states(&self, before: Timestamp) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_comes_back_by_its_name() {
        for kind in StateKind::ALL {
            assert_eq!(StateKind::from_stored(kind.as_str()), Some(kind));
            assert!(kind.as_str().len() <= 32);
        }
        assert_eq!(StateKind::from_stored("of a later version"), None);
    }

    #[test]
    fn a_value_is_not_printed() {
        let (at, id) = (Timestamp::EPOCH, StateId::of(&[7; 16]));
        let value = b"canary".to_vec();
        let record = StateRecord::new(StateKind::Session, id, None, value, at, at);
        let printed = format!("{record:?}");
        assert!(printed.contains("bytes: 6"), "{printed}");
        assert!(
            !printed.contains("canary") && !printed.contains("99, 97"),
            "{printed}"
        );
    }
}
