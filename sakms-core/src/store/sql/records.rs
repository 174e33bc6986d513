//! Records made of rows, and rows made of records.

use super::row::{Columns, CorruptValue, Row, TooLong, Value};
use crate::account::{AccountRecord, CanonicalEmail};
use crate::id::{AccountId, EntryId, KeyId, SecretId};
use crate::journal::{
    Action, Actor, ChainHash, JournalEntry, JournalHead, JournalRow, Seq, Subject,
};
use crate::key::{
    Environment, KeyName, KeyRecord, Metadata, Owner, Revision, ScopeSet, SecretRecord,
    StoredSecret,
};
use crate::secret::StoredHash;

const SCOPES: usize = 6500;
const SHOWN_PREFIX: usize = 128;
const NAME: usize = KeyName::MAX_CHARS * 4;
const ACTOR: usize = 160;
const ACTION: usize = 32;

pub(super) fn read_stored_secret(row: Row) -> Result<StoredSecret, CorruptValue> {
    let mut columns = Columns::of(row);
    let id = SecretId::from_bytes(columns.bytes("sakms_secrets.id")?);
    let mut read = || {
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
        let owner_disabled_at = columns.maybe_time("sakms_owners.disabled_at")?;
        let key = key_from(&mut columns)?;
        Ok(StoredSecret::new(key, secret, owner_disabled_at))
    };
    read().map_err(|error: CorruptValue| error.of(id))
}

pub(super) fn read_key(row: Row) -> Result<KeyRecord, CorruptValue> {
    key_from(&mut Columns::of(row))
}

fn key_from(columns: &mut Columns) -> Result<KeyRecord, CorruptValue> {
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
        key.last_used_at = columns.maybe_time("sakms_secret_uses.last_used_at")?;
        Ok(key)
    };
    read().map_err(|error: CorruptValue| error.of(id))
}

/// The values of `ADD_KEY`.
pub(super) fn write_key(key: &KeyRecord) -> Result<Vec<Value>, TooLong> {
    Ok(vec![
        key.id.as_bytes().into(),
        owner(&key.owner)?,
        name(&key.name)?,
        Value::text(
            key.environment.as_str(),
            Environment::MAX_BYTES,
            "sakms_keys.environment",
        )?,
        shown_prefix(&key.shown_prefix)?,
        scopes(&key.scopes)?,
        metadata(&key.metadata)?,
        key.created_at.into(),
        key.expires_at.into(),
        key.disabled_at.into(),
        key.revoked_at.into(),
        key.revision.get().into(),
    ])
}

/// The values of `CHANGE_KEY`.
pub(super) fn write_key_change(key: &KeyRecord, expected: Revision) -> Result<Vec<Value>, TooLong> {
    Ok(vec![
        name(&key.name)?,
        shown_prefix(&key.shown_prefix)?,
        scopes(&key.scopes)?,
        metadata(&key.metadata)?,
        key.expires_at.into(),
        key.disabled_at.into(),
        key.revoked_at.into(),
        key.revision.get().into(),
        key.id.as_bytes().into(),
        expected.get().into(),
    ])
}

/// The values of `ADD_SECRET`.
pub(super) fn write_secret(secret: &SecretRecord) -> Result<Vec<Value>, TooLong> {
    Ok(vec![
        secret.id.as_bytes().into(),
        secret.key.as_bytes().into(),
        hash(&secret.hash)?,
        shown_prefix(&secret.shown_prefix)?,
        secret.created_at.into(),
        secret.retired_at.into(),
    ])
}

/// Reads what `HASH` gives of a secret.
pub(super) fn read_hash(row: Row, id: SecretId) -> Result<StoredHash, CorruptValue> {
    let hash = Columns::of(row).text("sakms_secrets.hash", StoredHash::MAX_BYTES);
    hash.map(StoredHash::new).map_err(|error| error.of(id))
}

pub(super) fn read_account(row: Row) -> Result<AccountRecord, CorruptValue> {
    let mut columns = Columns::of(row);
    let id = AccountId::from_bytes(columns.bytes("sakms_accounts.id")?);
    let mut read = || {
        let email = columns.text("sakms_accounts.email", CanonicalEmail::MAX_BYTES)?;
        let canonical =
            columns.text("sakms_accounts.canonical_email", CanonicalEmail::MAX_BYTES)?;
        let hash = columns.text("sakms_accounts.password_hash", StoredHash::MAX_BYTES)?;
        Ok(AccountRecord::from_parts(
            id,
            email,
            CanonicalEmail::from_stored(canonical),
            StoredHash::new(hash),
            columns.time("sakms_accounts.created_at")?,
            Revision::new(columns.number("sakms_accounts.revision")?),
        ))
    };
    read().map_err(|error: CorruptValue| error.of(id))
}

/// The values of `ADD_ACCOUNT`.
pub(super) fn write_account(account: &AccountRecord) -> Result<Vec<Value>, TooLong> {
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

pub(super) fn read_journal_row(row: Row) -> Result<JournalRow, CorruptValue> {
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
pub(super) fn write_journal_row(row: &JournalRow) -> Result<Vec<Value>, TooLong> {
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

pub(super) fn read_head(row: Row) -> Result<JournalHead, CorruptValue> {
    let mut columns = Columns::of(row);
    Ok(JournalHead::new(
        Seq::new(columns.number("sakms_journal_head.seq")?),
        ChainHash::from_bytes(columns.bytes("sakms_journal_head.chain")?),
    ))
}

pub(super) fn owner(owner: &Owner) -> Result<Value, TooLong> {
    Value::text(owner.as_str(), Owner::MAX_BYTES, "sakms_keys.owner")
}

pub(super) fn email(email: &CanonicalEmail) -> Result<Value, TooLong> {
    Value::text(
        email.as_str(),
        CanonicalEmail::MAX_BYTES,
        "sakms_accounts.canonical_email",
    )
}

pub(super) fn hash(hash: &StoredHash) -> Result<Value, TooLong> {
    Value::text(hash.as_str(), StoredHash::MAX_BYTES, "sakms_secrets.hash")
}

fn name(name: &KeyName) -> Result<Value, TooLong> {
    Value::text(name.as_str(), NAME, "sakms_keys.name")
}

fn shown_prefix(text: &str) -> Result<Value, TooLong> {
    Value::text(text, SHOWN_PREFIX, "shown_prefix")
}

fn scopes(scopes: &ScopeSet) -> Result<Value, TooLong> {
    // A set that was collected may hold more than can be read back.
    let longest = if scopes.iter().count() > ScopeSet::MAX_LEN {
        0
    } else {
        SCOPES
    };
    Value::text(&scopes.to_string(), longest, "sakms_keys.scopes")
}

fn metadata(metadata: &Metadata) -> Result<Value, TooLong> {
    Value::text(
        &metadata.to_json(),
        Metadata::MAX_BYTES,
        "sakms_keys.metadata",
    )
}
