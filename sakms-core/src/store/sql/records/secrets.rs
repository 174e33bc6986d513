//! Secrets and their uses.

use super::keys::key_from;
use super::{SHOWN_PREFIX, shown_prefix};
use crate::id::{KeyId, SecretId};
use crate::key::{Day, DayUse, SecretRecord, SecretUse, StoredSecret, UsedSecret};
use crate::secret::StoredHash;
use crate::store::sql::row::{Columns, CorruptValue, Row, TooLong, Value};

/// The longest text of an address: `0000:0000:0000:0000:0000:ffff:255.255.255.255`.
const ADDRESS: usize = 45;

pub(in crate::store::sql) fn read_stored_secret(row: Row) -> Result<StoredSecret, CorruptValue> {
    let mut columns = Columns::of(row);
    let id = SecretId::from_bytes(columns.bytes("sakms_secrets.id")?);
    let mut read = || {
        let secret = secret_from(&mut columns, id)?;
        let owner_disabled_at = columns.maybe_time("sakms_owners.disabled_at")?;
        let key = key_from(&mut columns)?;
        Ok(StoredSecret::new(key, secret, owner_disabled_at))
    };
    read().map_err(|error: CorruptValue| error.of(id))
}

/// Reads a row of `SECRETS`.
pub(in crate::store::sql) fn read_used_secret(row: Row) -> Result<UsedSecret, CorruptValue> {
    let mut columns = Columns::of(row);
    let id = SecretId::from_bytes(columns.bytes("sakms_secrets.id")?);
    let mut read = || {
        let mut secret = UsedSecret::unused(secret_from(&mut columns, id)?);
        secret.uses = columns.number_or("sakms_secret_uses.uses", 0)?;
        secret.last_used_at = columns.maybe_time("sakms_secret_uses.last_used_at")?;
        secret.last_used_from =
            columns.maybe_with("sakms_secret_sources.last_used_from", ADDRESS, str::parse)?;
        Ok(secret)
    };
    read().map_err(|error: CorruptValue| error.of(id))
}

fn secret_from(columns: &mut Columns, id: SecretId) -> Result<SecretRecord, CorruptValue> {
    let key = KeyId::from_bytes(columns.bytes("sakms_secrets.key_id")?);
    let hash = columns.text("sakms_secrets.hash", StoredHash::MAX_BYTES)?;
    let mut secret = SecretRecord::new(
        id,
        key,
        StoredHash::new(hash),
        columns.text("sakms_secrets.shown_prefix", SHOWN_PREFIX)?,
        columns.time("sakms_secrets.created_at")?,
    );
    secret.retired_at = columns.maybe_time("sakms_secrets.retired_at")?;
    Ok(secret)
}

/// The values of `ADD_SECRET`.
pub(in crate::store::sql) fn write_secret(secret: &SecretRecord) -> Result<Vec<Value>, TooLong> {
    Ok(vec![
        secret.id.as_bytes().into(),
        secret.key.as_bytes().into(),
        hash(&secret.hash)?,
        shown_prefix(&secret.shown_prefix)?,
        secret.created_at.into(),
        secret.retired_at.into(),
    ])
}

/// Reads what `SHOWN_PREFIX` gives of a secret.
pub(in crate::store::sql) fn read_shown_prefix(
    row: Row,
    id: SecretId,
) -> Result<String, CorruptValue> {
    let prefix = Columns::of(row).text("sakms_secrets.shown_prefix", SHOWN_PREFIX);
    prefix.map_err(|error| error.of(id))
}

/// Reads what `HASH` gives of a secret.
pub(in crate::store::sql) fn read_hash(row: Row, id: SecretId) -> Result<StoredHash, CorruptValue> {
    let hash = Columns::of(row).text("sakms_secrets.hash", StoredHash::MAX_BYTES);
    hash.map(StoredHash::new).map_err(|error| error.of(id))
}

pub(in crate::store::sql) fn hash(hash: &StoredHash) -> Result<Value, TooLong> {
    Value::text(hash.as_str(), StoredHash::MAX_BYTES, "sakms_secrets.hash")
}

/// Where a use came from.
pub(in crate::store::sql) fn write_source(used: &SecretUse) -> Value {
    used.last_from
        .map_or(Value::Null, |address| Value::Text(address.to_string()))
}

/// Reads a row of `DAYS`.
pub(in crate::store::sql) fn read_day(row: Row) -> Result<DayUse, CorruptValue> {
    let mut columns = Columns::of(row);
    let day = columns.number("sakms_key_days.day")?;
    let day = Day::from_number(day)
        .ok_or_else(|| CorruptValue::new("sakms_key_days.day", "past the year 9999"))?;
    let mut read = || {
        let allowed = columns.number("sakms_key_days.allowed")?;
        Ok(DayUse::new(
            day,
            allowed,
            columns.number("sakms_key_days.refused")?,
        ))
    };
    read().map_err(|error: CorruptValue| error.of(day))
}
