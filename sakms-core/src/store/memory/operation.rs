//! What methods have in common.

use crate::key::Revision;
use crate::secret::StoredHash;
use crate::store::{StoreError, StoreErrorKind};

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
