//! What is kept for a while.

use async_trait::async_trait;

use super::MemoryStore;
use super::operation::Operation;
use crate::clock::Timestamp;
use crate::journal::JournalEntry;
use crate::key::{Owner, Revision};
use crate::store::{StateId, StateKind, StateRecord, StateStore, StoreError, StoreErrorKind};

#[async_trait]
impl StateStore for MemoryStore {
    async fn state(&self, kind: StateKind, id: StateId) -> Result<Option<StateRecord>, StoreError> {
        Ok(self.lock().states.get(&(kind, id)).cloned())
    }

    async fn states(
        &self,
        kind: StateKind,
        owner: Option<&Owner>,
        limit: u32,
    ) -> Result<Vec<StateRecord>, StoreError> {
        let state = self.lock();
        let wanted = |record: &&StateRecord| {
            record.kind == kind && owner.is_none_or(|owner| record.owner.as_ref() == Some(owner))
        };
        let mut found: Vec<_> = state.states.values().filter(wanted).collect();
        found.sort_unstable_by_key(|record| (record.created_at, record.id));
        let most = usize::try_from(limit.min(StateRecord::MAX_LIMIT)).unwrap_or(usize::MAX);
        Ok(found.into_iter().rev().take(most).cloned().collect())
    }

    async fn insert_state(
        &self,
        record: &StateRecord,
        entry: Option<&JournalEntry>,
    ) -> Result<(), StoreError> {
        let operation = Operation("insert_state");
        let mut state = self.lock();
        let place = (record.kind, record.id);
        operation.vacant(state.states.contains_key(&place))?;
        operation.fits(&record.value)?;
        operation.new_entry(&state, entry)?;
        state.states.insert(place, record.clone());
        state.append_any(entry);
        Ok(())
    }

    async fn update_state(
        &self,
        kind: StateKind,
        id: StateId,
        expected: Revision,
        value: &[u8],
        expires_at: Timestamp,
        entry: Option<&JournalEntry>,
    ) -> Result<StateRecord, StoreError> {
        let operation = Operation("update_state");
        let mut state = self.lock();
        let found = state.states.get(&(kind, id)).cloned();
        let mut record = found.ok_or_else(|| operation.fails(StoreErrorKind::NotFound))?;
        operation.fresh(record.revision, expected)?;
        operation.fits(value)?;
        operation.new_entry(&state, entry)?;
        record.value = value.to_vec();
        record.expires_at = expires_at;
        record.revision = record.revision.next();
        state.states.insert((kind, id), record.clone());
        state.append_any(entry);
        Ok(record)
    }

    async fn remove_state(
        &self,
        kind: StateKind,
        id: StateId,
        expected: Revision,
        entry: Option<&JournalEntry>,
    ) -> Result<(), StoreError> {
        let operation = Operation("remove_state");
        let mut state = self.lock();
        let found = state.states.get(&(kind, id)).map(|record| record.revision);
        let revision = found.ok_or_else(|| operation.fails(StoreErrorKind::NotFound))?;
        operation.fresh(revision, expected)?;
        operation.new_entry(&state, entry)?;
        state.states.remove(&(kind, id));
        state.append_any(entry);
        Ok(())
    }

    async fn remove_states(
        &self,
        kind: StateKind,
        owner: &Owner,
        except: Option<StateId>,
        entry: Option<&JournalEntry>,
    ) -> Result<u64, StoreError> {
        let operation = Operation("remove_states");
        let mut state = self.lock();
        operation.new_entry(&state, entry)?;
        let before = state.states.len();
        state.states.retain(|(of, id), record| {
            *of != kind || record.owner.as_ref() != Some(owner) || Some(*id) == except
        });
        let removed = before - state.states.len();
        state.append_any(entry);
        Ok(u64::try_from(removed).unwrap_or(u64::MAX))
    }

    async fn forget_states(&self, before: Timestamp) -> Result<(), StoreError> {
        let mut state = self.lock();
        state.states.retain(|_, record| record.expires_at >= before);
        Ok(())
    }
}
