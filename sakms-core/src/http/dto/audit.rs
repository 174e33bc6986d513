//! The journal as JSON.

use serde::Serialize;

use crate::clock::Timestamp;
use crate::id::EntryId;
use crate::journal::JournalRow;

/// A row of the journal: a change that was made, or an attempt that was refused.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::AuditRow))]
pub(in crate::http) struct AuditRow<'a> {
    /// Its place. The first row has 1, and there is no gap.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    seq: u64,
    /// Its name before it had a place.
    id: EntryId,
    /// When it was written.
    at: Timestamp,
    /// Who did it: `system`, `anonymous`, `owner:<owner>` or `key:<id>`.
    #[cfg_attr(feature = "openapi", schema(max_length = 160))]
    actor: &'a str,
    /// What was done: `key.revoke`.
    #[cfg_attr(feature = "openapi", schema(max_length = 32))]
    action: &'a str,
    /// To what: `key:<id>`, `owner:<owner>`, `account:<id>`, `role:<name>` or `service`.
    #[cfg_attr(feature = "openapi", schema(max_length = 160))]
    subject: &'a str,
    /// More about it.
    #[cfg_attr(feature = "openapi", schema(max_length = 4096))]
    detail: &'a str,
    /// The hash over the row before and this one: SHA-256, in hexadecimal digits.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[0-9a-f]{64}$"))]
    chain: String,
}

impl<'a> From<&'a JournalRow> for AuditRow<'a> {
    fn from(row: &'a JournalRow) -> Self {
        let entry = &row.entry;
        Self {
            seq: row.seq.get(),
            id: entry.id,
            at: entry.at,
            actor: entry.actor.as_str(),
            action: entry.action.as_str(),
            subject: entry.subject.as_str(),
            detail: &entry.detail,
            chain: row.chain.to_string(),
        }
    }
}
