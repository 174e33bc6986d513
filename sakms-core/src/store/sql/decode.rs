//! Rows by hand, for tests of what a SQL store makes of a row that it cannot have written.

use std::fmt;

use super::records::{
    read_account, read_day, read_head, read_journal_row, read_key, read_request, read_role,
    read_state, read_stored_secret, read_used_secret, write_account, write_journal_row, write_key,
    write_policy, write_request, write_role, write_secret, write_state,
};
use super::row::{CorruptValue, Row, TooLong};
use crate::journal::JournalHead;
use crate::key::{Day, KeyRecord};
use crate::store::StateKind;
use crate::testkit::fixtures;

pub use super::row::Value;

/// What a row is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RowOf {
    /// A key.
    Key,
    /// A secret and its key.
    StoredSecret,
    /// A secret and its uses.
    UsedSecret,
    /// A day of a key.
    Day,
    /// An account.
    Account,
    /// A row of the journal.
    Journal,
    /// The head of the journal.
    Head,
    /// A role.
    Role,
    /// A request that may be repeated.
    Request,
    /// What is kept for a while.
    State,
}

/// What came of reading a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// It is none that was written; the text says which column is wrong, and how.
    Corrupt(String),
    /// It was read and, where records of its kind are written as a whole, written and read again as the same.
    Kept,
    /// What was read cannot be written again, or reads as something else then.
    Lost(String),
}

impl RowOf {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Key,
        Self::StoredSecret,
        Self::UsedSecret,
        Self::Day,
        Self::Account,
        Self::Journal,
        Self::Head,
        Self::Role,
        Self::Request,
        Self::State,
    ];

    /// The values of a row that reads well, in the order of the columns.
    #[must_use]
    pub fn good(self) -> Row {
        let key = fixtures::full_key(&fixtures::owner());
        let secret = fixtures::secret(&key);
        let row = match self {
            Self::Key => key_row(&key),
            Self::StoredSecret => (|| {
                let mut row = write_secret(&secret)?;
                row.push(Value::Null);
                row.extend(key_row(&key)?);
                Ok(row)
            })(),
            Self::UsedSecret => write_secret(&secret).map(|mut row| {
                let address = Value::Text("192.0.2.7".to_owned());
                row.extend([Value::Int(3), fixtures::START.into(), address]);
                row
            }),
            Self::Day => {
                let day = Day::of(fixtures::START).number();
                Ok(vec![day.into(), Value::Int(7), Value::Int(1)])
            }
            Self::Account => write_account(&fixtures::account()).map(|mut row| {
                row.push(Value::Text("admin".to_owned()));
                row
            }),
            Self::Journal => write_journal_row(&JournalHead::START.append(fixtures::created(&key))),
            Self::Head => {
                let row = JournalHead::START.append(fixtures::created(&key));
                Ok(vec![row.seq.get().into(), row.chain.as_bytes().into()])
            }
            Self::Role => write_role(&fixtures::role("a:b c:*")).map(Vec::from),
            Self::Request => Ok(write_request(&fixtures::idempotency(&secret)).into()),
            Self::State => {
                let owner = Some(fixtures::owner());
                write_state(&fixtures::state(StateKind::Session, owner))
            }
        };
        // What the fixtures hold fits its columns.
        row.unwrap_or_default()
    }

    /// Reads a row of these values. There may be too many of them or too few.
    #[must_use]
    pub fn read(self, row: Row) -> Reading {
        match self {
            Self::Key => again(row, read_key, |key| {
                let mut row = key_row(key)?;
                row.push(key.last_used_at.into());
                Ok(row)
            }),
            Self::StoredSecret => once(row, read_stored_secret),
            Self::UsedSecret => once(row, read_used_secret),
            Self::Day => once(row, read_day),
            Self::Account => again(row, read_account, |account| {
                let mut row = write_account(account)?;
                let roles: Vec<_> = account.roles.iter().map(|role| role.as_str()).collect();
                row.push(match roles[..] {
                    [] => Value::Null,
                    _ => Value::Text(roles.join(",")),
                });
                Ok(row)
            }),
            Self::Journal => again(row, read_journal_row, write_journal_row),
            Self::Head => once(row, read_head),
            Self::Role => again(row, read_role, |role| write_role(role).map(Vec::from)),
            Self::Request => again(row, read_request, |record| Ok(write_request(record).into())),
            Self::State => again(row, read_state, write_state),
        }
    }
}

/// The values of a key as `read_key` takes them, but for its last use.
fn key_row(key: &KeyRecord) -> Result<Row, TooLong> {
    let mut row = write_key(key)?;
    row.extend(write_policy(key)?.into_iter().skip(1));
    Ok(row)
}

fn once<T>(row: Row, read: impl Fn(Row) -> Result<T, CorruptValue>) -> Reading {
    match read(row) {
        Ok(_) => Reading::Kept,
        Err(error) => Reading::Corrupt(error.to_string()),
    }
}

fn again<T: PartialEq + fmt::Debug>(
    row: Row,
    read: impl Fn(Row) -> Result<T, CorruptValue>,
    write: impl Fn(&T) -> Result<Row, TooLong>,
) -> Reading {
    let record = match read(row) {
        Ok(record) => record,
        Err(error) => return Reading::Corrupt(error.to_string()),
    };
    match write(&record).map(read) {
        Err(error) => Reading::Lost(error.to_string()),
        Ok(Err(error)) => Reading::Lost(error.to_string()),
        Ok(Ok(other)) if other != record => Reading::Lost(format!("{record:?} became {other:?}")),
        Ok(Ok(_)) => Reading::Kept,
    }
}
