//! How the methods of the stores do their work.

use super::SqlStore;
use super::backend::{Backend, Lane};
use super::fault::Failure;
use super::retry::{self, Change};
use super::row::{CorruptValue, Row, TooLong, Value};
use crate::journal::JournalEntry;
use crate::store::StoreError;

impl<B: Backend> SqlStore<B> {
    /// Reads rows with one statement and makes something of each.
    pub(super) async fn rows<T>(
        &self,
        operation: &'static str,
        lane: Lane,
        text: &'static str,
        values: &[Value],
        read: impl Fn(Row) -> Result<T, CorruptValue> + Send,
    ) -> Result<Vec<T>, StoreError> {
        let rows = retry::read(&self.backend, operation, lane, text, values).await?;
        rows.into_iter()
            .map(|row| {
                read(row).map_err(|error| Failure::from(error).into_store_error::<B>(operation))
            })
            .collect()
    }

    /// The same of at most one row.
    pub(super) async fn row<T>(
        &self,
        operation: &'static str,
        lane: Lane,
        text: &'static str,
        values: &[Value],
        read: impl Fn(Row) -> Result<T, CorruptValue> + Send,
    ) -> Result<Option<T>, StoreError> {
        let mut rows = self.rows(operation, lane, text, values, read).await?;
        Ok(rows.pop())
    }

    /// Makes a change and writes `entry` with it.
    pub(super) async fn change<C: Change<B::Session>>(
        &self,
        operation: &'static str,
        entry: &JournalEntry,
        change: C,
    ) -> Result<C::Output, StoreError> {
        retry::change(&self.backend, operation, Some(entry), &change).await
    }

    /// Values for a statement, where they fit their columns.
    pub(super) fn values<T>(
        operation: &'static str,
        written: Result<T, TooLong>,
    ) -> Result<T, StoreError> {
        written.map_err(|error| Failure::from(error).into_store_error::<B>(operation))
    }
}

/// The greatest id before another: "before this one" as "up to the one before it", so that the first page is the same
/// statement. `None` when there is none.
pub(super) fn last_before(id: Option<&[u8; 16]>) -> Option<[u8; 16]> {
    let last = match id {
        Some(id) => u128::from_be_bytes(*id).checked_sub(1)?,
        None => u128::MAX,
    };
    Some(last.to_be_bytes())
}

/// The two values of a filter.
pub(super) fn filter(wanted: Option<Value>) -> [Value; 2] {
    let asked = Value::Int(wanted.is_some().into());
    [asked, wanted.unwrap_or(Value::Null)]
}
