//! What is kept for a while.

use super::owner;
use crate::key::{Owner, Revision};
use crate::store::sql::row::{Columns, CorruptValue, Row, TooLong, Value};
use crate::store::{StateId, StateKind, StateRecord};

/// The longest name of a kind that there is room for.
const KIND: usize = 32;

/// Reads a row of `STATE` and its like.
pub(in crate::store::sql) fn read_state(row: Row) -> Result<StateRecord, CorruptValue> {
    let mut columns = Columns::of(row);
    let id = StateId::from_bytes(columns.bytes("sakms_states.id")?);
    let mut read = || {
        let kind = columns.with("sakms_states.kind", KIND, |name| {
            StateKind::from_stored(name).ok_or("no kind that this version knows")
        })?;
        let owner = columns.maybe_with("sakms_states.owner", Owner::MAX_BYTES, str::parse)?;
        let value = columns.blob("sakms_states.value", StateRecord::MAX_BYTES)?;
        let created_at = columns.time("sakms_states.created_at")?;
        let expires_at = columns.time("sakms_states.expires_at")?;
        let mut record = StateRecord::new(kind, id, owner, value, created_at, expires_at);
        record.revision = Revision::new(columns.number("sakms_states.revision")?);
        Ok(record)
    };
    read().map_err(|error: CorruptValue| error.of(format_args!("{id:?}")))
}

/// The values of `ADD_STATE`.
pub(in crate::store::sql) fn write_state(record: &StateRecord) -> Result<Vec<Value>, TooLong> {
    let [id, kind] = state_place(record.kind, record.id);
    Ok(vec![
        id,
        kind,
        record.owner.as_ref().map_or(Ok(Value::Null), owner)?,
        state_value(&record.value)?,
        record.created_at.into(),
        record.expires_at.into(),
        record.revision.get().into(),
    ])
}

/// What one is found by.
pub(in crate::store::sql) fn state_place(kind: StateKind, id: StateId) -> [Value; 2] {
    [id.as_bytes().into(), state_kind(kind)]
}

pub(in crate::store::sql) fn state_kind(kind: StateKind) -> Value {
    Value::Text(kind.as_str().to_owned())
}

pub(in crate::store::sql) fn state_value(value: &[u8]) -> Result<Value, TooLong> {
    Value::blob(value, StateRecord::MAX_BYTES, "sakms_states.value")
}
