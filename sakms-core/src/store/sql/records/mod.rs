//! Records made of rows, and rows made of records.

mod accounts;
mod journal;
mod keys;
mod requests;
mod secrets;
mod states;

pub(super) use accounts::{email, read_account, write_account, write_account_role};
pub(super) use journal::{read_head, read_journal_row, write_journal_row};
pub(super) use keys::{
    environment, has_policy, owner, read_key, write_key, write_key_change, write_policy, write_tag,
};
pub(super) use requests::{read_request, read_role, role_name, write_request, write_role};
pub(super) use secrets::{
    hash, read_day, read_hash, read_shown_prefix, read_stored_secret, read_used_secret,
    write_secret, write_source,
};
pub(super) use states::{read_state, state_kind, state_place, state_value, write_state};

use super::row::{TooLong, Value};
use crate::key::ScopeSet;

const SCOPES: usize = 6500;
const SHOWN_PREFIX: usize = 128;

fn shown_prefix(text: &str) -> Result<Value, TooLong> {
    Value::text(text, SHOWN_PREFIX, "shown_prefix")
}

fn scopes(scopes: &ScopeSet, column: &'static str) -> Result<Value, TooLong> {
    // A set that was collected may hold more than can be read back.
    let longest = if scopes.iter().count() > ScopeSet::MAX_LEN {
        0
    } else {
        SCOPES
    };
    Value::text(&scopes.to_string(), longest, column)
}
