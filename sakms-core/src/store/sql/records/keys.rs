//! Keys.

use super::{SCOPES, SHOWN_PREFIX, scopes, shown_prefix};
use crate::id::KeyId;
use crate::key::{
    Environment, KeyName, KeyRecord, Limits, Metadata, Owner, Revision, RoleSet, Tag, TagSet,
};
use crate::store::sql::row::{Columns, CorruptValue, Row, TooLong, Value};

const NAME: usize = KeyName::MAX_CHARS * 4;

pub(in crate::store::sql) fn read_key(row: Row) -> Result<KeyRecord, CorruptValue> {
    key_from(&mut Columns::of(row))
}

pub(super) fn key_from(columns: &mut Columns) -> Result<KeyRecord, CorruptValue> {
    let id = KeyId::from_bytes(columns.bytes("sakms_keys.id")?);
    let mut read = || {
        let owner = columns.parsed("sakms_keys.owner", Owner::MAX_BYTES)?;
        let name = columns.parsed("sakms_keys.name", NAME)?;
        let environment = columns.parsed("sakms_keys.environment", Environment::MAX_BYTES)?;
        let shown_prefix = columns.text("sakms_keys.shown_prefix", SHOWN_PREFIX)?;
        let scopes = columns.parsed("sakms_keys.scopes", SCOPES)?;
        let metadata = columns.with(
            "sakms_keys.metadata",
            Metadata::MAX_BYTES,
            Metadata::from_json,
        )?;
        let created_at = columns.time("sakms_keys.created_at")?;
        let mut key = KeyRecord::new(id, owner, environment, created_at);
        key.name = name;
        key.shown_prefix = shown_prefix;
        key.scopes = scopes;
        key.metadata = metadata;
        key.expires_at = columns.maybe_time("sakms_keys.expires_at")?;
        key.disabled_at = columns.maybe_time("sakms_keys.disabled_at")?;
        key.revoked_at = columns.maybe_time("sakms_keys.revoked_at")?;
        key.revision = Revision::new(columns.number("sakms_keys.revision")?);
        read_policy(columns, &mut key)?;
        key.last_used_at = columns.maybe_time("sakms_secret_uses.last_used_at")?;
        Ok(key)
    };
    read().map_err(|error: CorruptValue| error.of(id))
}

/// Reads what stands in a row of its own. Most keys have none; every column is `NULL` then.
fn read_policy(columns: &mut Columns, key: &mut KeyRecord) -> Result<(), CorruptValue> {
    key.not_before = columns.maybe_time("sakms_key_policies.not_before")?;
    key.roles = columns
        .maybe_with("sakms_key_policies.roles", RoleSet::MAX_TEXT, str::parse)?
        .unwrap_or_default();
    key.tags = columns
        .maybe_with("sakms_key_policies.tags", TagSet::MAX_TEXT, str::parse)?
        .unwrap_or_default();
    key.limits = columns
        .maybe_with(
            "sakms_key_policies.limits",
            Limits::MAX_BYTES,
            Limits::from_json,
        )?
        .unwrap_or_default();
    Ok(())
}

/// The values of `ADD_KEY`.
pub(in crate::store::sql) fn write_key(key: &KeyRecord) -> Result<Vec<Value>, TooLong> {
    Ok(vec![
        key.id.as_bytes().into(),
        owner(&key.owner)?,
        name(&key.name)?,
        environment(&key.environment)?,
        shown_prefix(&key.shown_prefix)?,
        scopes(&key.scopes, "sakms_keys.scopes")?,
        metadata(&key.metadata)?,
        key.created_at.into(),
        key.expires_at.into(),
        key.disabled_at.into(),
        key.revoked_at.into(),
        key.revision.get().into(),
    ])
}

/// The values of `CHANGE_KEY`.
pub(in crate::store::sql) fn write_key_change(
    key: &KeyRecord,
    expected: Revision,
) -> Result<Vec<Value>, TooLong> {
    Ok(vec![
        name(&key.name)?,
        shown_prefix(&key.shown_prefix)?,
        scopes(&key.scopes, "sakms_keys.scopes")?,
        metadata(&key.metadata)?,
        key.expires_at.into(),
        key.disabled_at.into(),
        key.revoked_at.into(),
        key.revision.get().into(),
        key.id.as_bytes().into(),
        expected.get().into(),
    ])
}

/// Whether a key has anything that stands in a row of its own.
pub(in crate::store::sql) fn has_policy(key: &KeyRecord) -> bool {
    key.not_before.is_some()
        || !key.roles.is_empty()
        || !key.tags.is_empty()
        || !key.limits.is_empty()
}

/// The values of `SET_POLICY`.
pub(in crate::store::sql) fn write_policy(key: &KeyRecord) -> Result<Vec<Value>, TooLong> {
    Ok(vec![
        key.id.as_bytes().into(),
        key.not_before.into(),
        Value::text(
            &key.roles.to_string(),
            RoleSet::MAX_TEXT,
            "sakms_key_policies.roles",
        )?,
        Value::text(
            &key.tags.to_string(),
            TagSet::MAX_TEXT,
            "sakms_key_policies.tags",
        )?,
        limits(&key.limits)?,
    ])
}

/// A tag as it stands among others.
pub(in crate::store::sql) fn write_tag(tag: &Tag) -> Value {
    Value::Text(format!(" {tag} "))
}

pub(in crate::store::sql) fn owner(owner: &Owner) -> Result<Value, TooLong> {
    Value::text(owner.as_str(), Owner::MAX_BYTES, "sakms_keys.owner")
}

fn name(name: &KeyName) -> Result<Value, TooLong> {
    Value::text(name.as_str(), NAME, "sakms_keys.name")
}

pub(in crate::store::sql) fn environment(environment: &Environment) -> Result<Value, TooLong> {
    Value::text(
        environment.as_str(),
        Environment::MAX_BYTES,
        "sakms_keys.environment",
    )
}

fn metadata(metadata: &Metadata) -> Result<Value, TooLong> {
    Value::text(
        &metadata.to_json(),
        Metadata::MAX_BYTES,
        "sakms_keys.metadata",
    )
}

fn limits(limits: &Limits) -> Result<Value, TooLong> {
    // Limits that break their rules could not be read back.
    let longest = if limits.check().is_err() {
        0
    } else {
        Limits::MAX_BYTES
    };
    Value::text(&limits.to_json(), longest, "sakms_key_policies.limits")
}
