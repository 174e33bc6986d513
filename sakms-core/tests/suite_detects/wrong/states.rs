//! What is kept for a while.

use sakms_core::clock::Timestamp;
use sakms_core::journal::JournalEntry;
use sakms_core::key::{Owner, Revision};
use sakms_core::store::{
    KeyStore as _, StateId, StateKind, StateRecord, StateStore as _, StoreError,
};

use super::{Wrong, just_after, meanwhile};
use crate::flaw::Flaw;

impl Wrong {
    /// Which revision is taken for the one that was seen.
    async fn state_revision(
        &self,
        kind: StateKind,
        id: StateId,
        expected: Revision,
    ) -> Result<Revision, StoreError> {
        let now = async || {
            let found = self.store.state(kind, id).await;
            found.map(|found| found.map(|record| record.revision))
        };
        let found = now().await?;
        if self.has(Flaw::IgnoresTheRevision) {
            return Ok(found.unwrap_or(expected));
        }
        if self.has(Flaw::ComparesBeforeItChanges) && found == Some(expected) {
            meanwhile().await;
            return Ok(now().await?.unwrap_or(expected));
        }
        Ok(expected)
    }

    /// The entry that is left to write with the change.
    async fn left_to_write<'a>(
        &self,
        entry: Option<&'a JournalEntry>,
    ) -> Result<Option<&'a JournalEntry>, StoreError> {
        match entry {
            Some(entry) if self.has(Flaw::JournalsWhatItRefuses) => {
                self.store.note(entry).await.map(|()| None)
            }
            entry => Ok(entry),
        }
    }

    fn state_value<'a>(&self, value: &'a [u8]) -> &'a [u8] {
        if self.has(Flaw::CutsValues) {
            &value[..value.len().min(StateRecord::MAX_BYTES)]
        } else {
            value
        }
    }

    fn state_owner(&self, owner: &Owner) -> Owner {
        if self.has(Flaw::FoldsOwners) {
            let folded = owner.as_str().trim_end_matches(' ').to_lowercase();
            folded.parse().unwrap()
        } else {
            owner.clone()
        }
    }

    pub(crate) async fn states(
        &self,
        kind: StateKind,
        owner: Option<&Owner>,
        limit: u32,
    ) -> Result<Vec<StateRecord>, StoreError> {
        if self.has(Flaw::FoldsOwners)
            && let Some(owner) = owner
        {
            let mut all = self.store.states(kind, None, u32::MAX).await?;
            let same = |other: &Owner| self.state_owner(other) == self.state_owner(owner);
            all.retain(|record| record.owner.as_ref().is_some_and(same));
            return Ok(all);
        }
        if self.has(Flaw::ListsWhatEndsLast) {
            let mut all = self.store.states(kind, owner, u32::MAX).await?;
            all.sort_by_key(|record| std::cmp::Reverse((record.expires_at, record.id)));
            all.truncate(usize::try_from(limit).unwrap());
            return Ok(all);
        }
        self.store.states(kind, owner, limit).await
    }

    pub(crate) async fn insert_state(
        &self,
        record: &StateRecord,
        entry: Option<&JournalEntry>,
    ) -> Result<(), StoreError> {
        let mut record = record.clone();
        record.value = self.state_value(&record.value).to_vec();
        let entry = self.left_to_write(entry).await?;
        self.store.insert_state(&record, entry).await
    }

    pub(crate) async fn update_state(
        &self,
        kind: StateKind,
        id: StateId,
        expected: Revision,
        value: &[u8],
        expires_at: Timestamp,
        entry: Option<&JournalEntry>,
    ) -> Result<StateRecord, StoreError> {
        let expected = self.state_revision(kind, id, expected).await?;
        let value = self.state_value(value);
        let entry = self.left_to_write(entry).await?;
        self.store
            .update_state(kind, id, expected, value, expires_at, entry)
            .await
    }

    pub(crate) async fn remove_state(
        &self,
        kind: StateKind,
        id: StateId,
        expected: Revision,
        entry: Option<&JournalEntry>,
    ) -> Result<(), StoreError> {
        let expected = self.state_revision(kind, id, expected).await?;
        let outcome = self.store.remove_state(kind, id, expected, entry).await;
        self.unless_nothing_was_there(outcome)
    }

    pub(crate) async fn remove_states(
        &self,
        kind: StateKind,
        owner: &Owner,
        except: Option<StateId>,
        entry: Option<&JournalEntry>,
    ) -> Result<u64, StoreError> {
        if self.has(Flaw::RemovesOtherKinds) {
            for other in StateKind::ALL.into_iter().filter(|other| *other != kind) {
                self.store.remove_states(other, owner, except, None).await?;
            }
        }
        let except = except.filter(|_| !self.has(Flaw::SparesNothing));
        self.store.remove_states(kind, owner, except, entry).await
    }

    pub(crate) async fn forget_states(&self, before: Timestamp) -> Result<(), StoreError> {
        let before = if self.has(Flaw::ForgetsTooMuch) {
            just_after(before)
        } else {
            before
        };
        self.store.forget_states(before).await
    }
}
