//! Requests that may be repeated, and roles.

use super::{SCOPES, scopes};
use crate::id::{KeyId, SecretId};
use crate::key::{Role, RoleName};
use crate::store::sql::row::{Columns, CorruptValue, Row, TooLong, Value};
use crate::store::{IdempotencyId, IdempotencyRecord, RequestDigest};

/// Reads a row of `REQUEST`.
pub(in crate::store::sql) fn read_request(row: Row) -> Result<IdempotencyRecord, CorruptValue> {
    let mut columns = Columns::of(row);
    Ok(IdempotencyRecord::new(
        IdempotencyId::from_bytes(columns.bytes("sakms_idempotency.id")?),
        RequestDigest::from_bytes(columns.bytes("sakms_idempotency.request")?),
        KeyId::from_bytes(columns.bytes("sakms_idempotency.key_id")?),
        SecretId::from_bytes(columns.bytes("sakms_idempotency.secret_id")?),
        columns.time("sakms_idempotency.at")?,
    ))
}

/// The values of `ADD_REQUEST`.
pub(in crate::store::sql) fn write_request(record: &IdempotencyRecord) -> [Value; 5] {
    [
        record.id.as_bytes().into(),
        record.request.as_bytes().into(),
        record.key.as_bytes().into(),
        record.secret.as_bytes().into(),
        record.at.into(),
    ]
}

/// Reads a row of `ROLES`.
pub(in crate::store::sql) fn read_role(row: Row) -> Result<Role, CorruptValue> {
    let mut columns = Columns::of(row);
    let name: RoleName = columns.parsed("sakms_roles.name", RoleName::MAX_BYTES)?;
    let mut read = || {
        let scopes = columns.parsed("sakms_roles.scopes", SCOPES)?;
        Ok((scopes, columns.time("sakms_roles.changed_at")?))
    };
    let (scopes, changed_at) = read().map_err(|error: CorruptValue| error.of(&name))?;
    Ok(Role::new(name, scopes, changed_at))
}

/// The values of `SET_ROLE`.
pub(in crate::store::sql) fn write_role(role: &Role) -> Result<[Value; 3], TooLong> {
    Ok([
        role_name(&role.name)?,
        scopes(&role.scopes, "sakms_roles.scopes")?,
        role.changed_at.into(),
    ])
}

pub(in crate::store::sql) fn role_name(name: &RoleName) -> Result<Value, TooLong> {
    Value::text(name.as_str(), RoleName::MAX_BYTES, "sakms_roles.name")
}
