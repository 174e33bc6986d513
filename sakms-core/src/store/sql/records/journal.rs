//! The journal.

use crate::id::EntryId;
use crate::journal::{
    Action, Actor, ChainHash, JournalEntry, JournalHead, JournalRow, Seq, Subject,
};
use crate::store::sql::row::{Columns, CorruptValue, Row, TooLong, Value};

const ACTOR: usize = 160;
const ACTION: usize = 32;

pub(in crate::store::sql) fn read_journal_row(row: Row) -> Result<JournalRow, CorruptValue> {
    let mut columns = Columns::of(row);
    let seq = Seq::new(columns.number("sakms_journal.seq")?);
    let mut read = || {
        let entry = JournalEntry::from_parts(
            EntryId::from_bytes(columns.bytes("sakms_journal.id")?),
            columns.time("sakms_journal.at")?,
            Actor::from_stored(columns.text("sakms_journal.actor", ACTOR)?),
            Action::from_stored(columns.text("sakms_journal.action", ACTION)?),
            Subject::from_stored(columns.text("sakms_journal.subject", ACTOR)?),
            columns.text("sakms_journal.detail", JournalEntry::MAX_DETAIL)?,
        );
        let chain = ChainHash::from_bytes(columns.bytes("sakms_journal.chain")?);
        Ok(JournalRow::new(seq, entry, chain))
    };
    read().map_err(|error: CorruptValue| error.of(seq))
}

/// The values of `ADD_TO_JOURNAL`.
pub(in crate::store::sql) fn write_journal_row(row: &JournalRow) -> Result<Vec<Value>, TooLong> {
    let entry = &row.entry;
    Ok(vec![
        row.seq.get().into(),
        entry.id.as_bytes().into(),
        entry.at.into(),
        Value::text(entry.actor.as_str(), ACTOR, "sakms_journal.actor")?,
        Value::text(entry.action.as_str(), ACTION, "sakms_journal.action")?,
        Value::text(entry.subject.as_str(), ACTOR, "sakms_journal.subject")?,
        Value::text(
            &entry.detail,
            JournalEntry::MAX_DETAIL,
            "sakms_journal.detail",
        )?,
        row.chain.as_bytes().into(),
    ])
}

pub(in crate::store::sql) fn read_head(row: Row) -> Result<JournalHead, CorruptValue> {
    let mut columns = Columns::of(row);
    Ok(JournalHead::new(
        Seq::new(columns.number("sakms_journal_head.seq")?),
        ChainHash::from_bytes(columns.bytes("sakms_journal_head.chain")?),
    ))
}
