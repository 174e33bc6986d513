//! What methods have in common.

use super::state::State;
use crate::journal::JournalEntry;
use crate::key::Revision;
use crate::secret::StoredHash;
use crate::store::{StateRecord, StoreError, StoreErrorKind};

/// One method at work: names it in its errors.
pub(super) struct Operation(pub(super) &'static str);

impl Operation {
    pub(super) fn fails(&self, kind: StoreErrorKind) -> StoreError {
        StoreError::new(kind, self.0)
    }

    /// What is to be added must not be there.
    pub(super) fn vacant(&self, taken: bool) -> Result<(), StoreError> {
        if taken {
            return Err(self.fails(StoreErrorKind::Conflict));
        }
        Ok(())
    }

    /// What is to be changed must be as it was seen.
    pub(super) fn fresh(&self, found: Revision, expected: Revision) -> Result<(), StoreError> {
        if found != expected {
            return Err(self.fails(StoreErrorKind::Stale));
        }
        Ok(())
    }

    /// An entry that goes with a change must not be in the journal yet.
    pub(super) fn new_entry(
        &self,
        state: &State,
        entry: Option<&JournalEntry>,
    ) -> Result<(), StoreError> {
        self.vacant(entry.is_some_and(|entry| state.entries.contains(&entry.id)))
    }

    /// A value must not be longer than a store keeps.
    pub(super) fn fits(&self, value: &[u8]) -> Result<(), StoreError> {
        if value.len() > StateRecord::MAX_BYTES {
            return Err(self.fails(StoreErrorKind::Internal));
        }
        Ok(())
    }

    /// The same for a hash.
    pub(super) fn unchanged(
        &self,
        found: &StoredHash,
        expected: &StoredHash,
    ) -> Result<(), StoreError> {
        if found != expected {
            return Err(self.fails(StoreErrorKind::Stale));
        }
        Ok(())
    }
}
