//! Owners.

use sakms_core::clock::Timestamp;
use sakms_core::journal::JournalEntry;
use sakms_core::key::Owner;
use sakms_core::store::{KeyStore as _, StoreError};

use super::Wrong;
use crate::flaw::Flaw;

impl Wrong {
    fn owner(&self, owner: &Owner) -> Owner {
        if self.has(Flaw::FoldsOwners) {
            owner.as_str().to_lowercase().parse().unwrap()
        } else {
            owner.clone()
        }
    }

    pub(crate) async fn owner_disabled_at(
        &self,
        owner: &Owner,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.store.owner_disabled_at(&self.owner(owner)).await
    }

    pub(crate) async fn set_owner_disabled(
        &self,
        owner: &Owner,
        disabled_at: Option<Timestamp>,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        self.store
            .set_owner_disabled(&self.owner(owner), disabled_at, entry)
            .await
    }
}
