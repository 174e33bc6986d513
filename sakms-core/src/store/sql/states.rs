//! What is kept for a while.

use async_trait::async_trait;

use super::SqlStore;
use super::backend::{Backend, Lane, Session};
use super::fault::Failure;
use super::records;
use super::retry::{self, Change};
use super::row::Value;
use super::texts;
use super::work::filter;
use crate::clock::Timestamp;
use crate::journal::JournalEntry;
use crate::key::{Owner, Revision};
use crate::store::{StateId, StateKind, StateRecord, StateStore, StoreError, StoreErrorKind};

/// How many the statement forgets at most, for the reason that requests are forgotten in portions.
const PORTION: u64 = 1000;

#[async_trait]
impl<B: Backend> StateStore for SqlStore<B> {
    async fn state(&self, kind: StateKind, id: StateId) -> Result<Option<StateRecord>, StoreError> {
        let (place, read) = (records::state_place(kind, id), records::read_state);
        self.row("state", Lane::Manage, texts::STATE, &place, read)
            .await
    }

    async fn states(
        &self,
        kind: StateKind,
        owner: Option<&Owner>,
        limit: u32,
    ) -> Result<Vec<StateRecord>, StoreError> {
        const OPERATION: &str = "states";
        let mut values = Vec::with_capacity(3);
        let text = match owner {
            Some(owner) => {
                values.push(Self::values(OPERATION, records::owner(owner))?);
                B::STATES_OF_OWNER
            }
            None => B::STATES,
        };
        values.push(records::state_kind(kind));
        values.push(limit.min(StateRecord::MAX_LIMIT).into());
        let read = records::read_state;
        self.rows(OPERATION, Lane::Manage, text, &values, read)
            .await
    }

    async fn insert_state(
        &self,
        record: &StateRecord,
        entry: Option<&JournalEntry>,
    ) -> Result<(), StoreError> {
        let change = AddState(record);
        retry::change(&self.backend, "insert_state", entry, &change).await
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
        let change = ChangeState {
            kind,
            id,
            expected,
            value,
            expires_at,
        };
        retry::change(&self.backend, "update_state", entry, &change).await
    }

    async fn remove_state(
        &self,
        kind: StateKind,
        id: StateId,
        expected: Revision,
        entry: Option<&JournalEntry>,
    ) -> Result<(), StoreError> {
        let change = RemoveState { kind, id, expected };
        retry::change(&self.backend, "remove_state", entry, &change).await
    }

    async fn remove_states(
        &self,
        kind: StateKind,
        owner: &Owner,
        except: Option<StateId>,
        entry: Option<&JournalEntry>,
    ) -> Result<u64, StoreError> {
        let change = RemoveStates {
            kind,
            owner,
            except,
            text: B::REMOVE_STATES,
        };
        retry::change(&self.backend, "remove_states", entry, &change).await
    }

    async fn forget_states(&self, before: Timestamp) -> Result<(), StoreError> {
        let change = ForgetStates {
            before,
            text: B::FORGET_STATES,
        };
        while retry::change(&self.backend, "forget_states", None, &change).await? {}
        Ok(())
    }
}

struct AddState<'a>(&'a StateRecord);

impl<S: Session> Change<S> for AddState<'_> {
    type Output = ();

    async fn apply(&self, session: &mut S) -> Result<(), Failure> {
        let values = records::write_state(self.0)?;
        session.execute(texts::ADD_STATE, &values).await?;
        Ok(())
    }
}

struct ChangeState<'a> {
    kind: StateKind,
    id: StateId,
    expected: Revision,
    value: &'a [u8],
    expires_at: Timestamp,
}

impl<S: Session> Change<S> for ChangeState<'_> {
    type Output = StateRecord;

    /// Changes first and reads then: whoever comes second waits for the row, and sees what became of it.
    async fn apply(&self, session: &mut S) -> Result<StateRecord, Failure> {
        let [id, kind] = records::state_place(self.kind, self.id);
        let values = [
            records::state_value(self.value)?,
            self.expires_at.into(),
            self.expected.next().get().into(),
            id.clone(),
            kind.clone(),
            self.expected.get().into(),
        ];
        if session.execute(texts::CHANGE_STATE, &values).await? == 0 {
            return Err(why_not(session, &[id, kind]).await?);
        }
        let row = session.fetch(texts::STATE, &[id, kind]).await?.pop();
        let row = row.ok_or(Failure::is(StoreErrorKind::Internal))?;
        Ok(records::read_state(row)?)
    }
}

struct RemoveState {
    kind: StateKind,
    id: StateId,
    expected: Revision,
}

impl<S: Session> Change<S> for RemoveState {
    type Output = ();

    async fn apply(&self, session: &mut S) -> Result<(), Failure> {
        let [id, kind] = records::state_place(self.kind, self.id);
        let values = [id.clone(), kind.clone(), self.expected.get().into()];
        if session.execute(texts::REMOVE_STATE, &values).await? == 0 {
            return Err(why_not(session, &[id, kind]).await?);
        }
        Ok(())
    }
}

/// Why there was none to change at the revision that was expected.
async fn why_not<S: Session>(session: &mut S, place: &[Value]) -> Result<Failure, Failure> {
    let gone = session.fetch(texts::STATE, place).await?.is_empty();
    Ok(Failure::is(if gone {
        StoreErrorKind::NotFound
    } else {
        StoreErrorKind::Stale
    }))
}

struct RemoveStates<'a> {
    kind: StateKind,
    owner: &'a Owner,
    except: Option<StateId>,
    text: &'static str,
}

impl<S: Session> Change<S> for RemoveStates<'_> {
    type Output = u64;

    async fn apply(&self, session: &mut S) -> Result<u64, Failure> {
        let mut values = vec![records::owner(self.owner)?, records::state_kind(self.kind)];
        values.extend(filter(self.except.map(|id| id.as_bytes().into())));
        Ok(session.execute(self.text, &values).await?)
    }
}

/// Forgets those that ended first; gives whether there may be more.
struct ForgetStates {
    before: Timestamp,
    text: &'static str,
}

impl<S: Session> Change<S> for ForgetStates {
    type Output = bool;

    async fn apply(&self, session: &mut S) -> Result<bool, Failure> {
        let forgotten = session.execute(self.text, &[self.before.into()]).await?;
        Ok(forgotten >= PORTION)
    }
}
