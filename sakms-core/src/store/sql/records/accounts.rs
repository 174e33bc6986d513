//! Accounts.

use super::hash;
use crate::account::{AccountRecord, AccountRole, CanonicalEmail};
use crate::id::AccountId;
use crate::key::Revision;
use crate::secret::StoredHash;
use crate::store::sql::row::{Columns, CorruptValue, Row, TooLong, Value};

/// More than all roles take. A text that the database cut ends in no role, and is refused as every other.
const ROLES: usize = 1024;

pub(in crate::store::sql) fn read_account(row: Row) -> Result<AccountRecord, CorruptValue> {
    let mut columns = Columns::of(row);
    let id = AccountId::from_bytes(columns.bytes("sakms_accounts.id")?);
    let mut read = || {
        let email = columns.text("sakms_accounts.email", CanonicalEmail::MAX_BYTES)?;
        let canonical =
            columns.text("sakms_accounts.canonical_email", CanonicalEmail::MAX_BYTES)?;
        let hash = columns.text("sakms_accounts.password_hash", StoredHash::MAX_BYTES)?;
        let mut account = AccountRecord::from_parts(
            id,
            email,
            CanonicalEmail::from_stored(canonical),
            StoredHash::new(hash),
            columns.time("sakms_accounts.created_at")?,
            Revision::new(columns.number("sakms_accounts.revision")?),
        );
        let roles = columns.maybe_with("sakms_account_roles.role", ROLES, |text| {
            text.split(',')
                .map(str::parse)
                .collect::<Result<Vec<AccountRole>, _>>()
        })?;
        account.roles = roles.unwrap_or_default();
        account.roles.sort_unstable();
        Ok(account)
    };
    read().map_err(|error: CorruptValue| error.of(id))
}

/// The values of `ADD_ACCOUNT`.
pub(in crate::store::sql) fn write_account(account: &AccountRecord) -> Result<Vec<Value>, TooLong> {
    Ok(vec![
        account.id.as_bytes().into(),
        Value::text(
            &account.email,
            CanonicalEmail::MAX_BYTES,
            "sakms_accounts.email",
        )?,
        email(&account.canonical_email)?,
        hash(&account.password_hash)?,
        account.created_at.into(),
        account.revision.get().into(),
    ])
}

/// The values of `GIVE_ROLE` and `TAKE_ROLE`.
pub(in crate::store::sql) fn write_account_role(id: AccountId, role: AccountRole) -> [Value; 2] {
    [id.as_bytes().into(), Value::Text(role.as_str().to_owned())]
}

pub(in crate::store::sql) fn email(email: &CanonicalEmail) -> Result<Value, TooLong> {
    Value::text(
        email.as_str(),
        CanonicalEmail::MAX_BYTES,
        "sakms_accounts.canonical_email",
    )
}
