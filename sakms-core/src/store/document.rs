//! Records as bytes, for stores that keep each as a whole.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::account::{AccountRecord, AccountRole, CanonicalEmail};
use crate::clock::Timestamp;
use crate::id::{AccountId, EntryId, KeyId, SecretId};
use crate::journal::{Action, Actor, ChainHash, JournalEntry, JournalRow, Seq, Subject};
use crate::key::{
    Environment, KeyName, KeyRecord, KeyWithSecrets, Limits, Metadata, Owner, Revision, Role,
    RoleName, RoleSet, ScopeSet, SecretRecord, TagSet, UsedSecret,
};
use crate::secret::StoredHash;
use crate::store::{IdempotencyId, IdempotencyRecord, RequestDigest};

/// A record as a JSON object in UTF-8: a key ([`KeyRecord`], or [`KeyWithSecrets`]), a [`SecretRecord`], a
/// [`Role`], an [`IdempotencyRecord`], an [`AccountRecord`] or a [`JournalRow`].
///
/// For databases that know keys and values or documents. Whoever keeps records in this form keeps every field, those of
/// later versions too, without knowing them. A later version reads what an earlier one wrote. An earlier one refuses
/// what it does not know, because it would lose it when it wrote the record back: replace every program that shares a
/// store before the first of them writes something new.
///
/// The objects of a secret and of an account hold a hash: they are for the store, and for nobody to be shown.
///
/// ```
/// # use sakms_core::{clock::Timestamp, id::KeyId, key::{Environment, KeyRecord}};
/// use sakms_core::store::Document as _;
///
/// let id = KeyId::from_bytes([7; 16]);
/// let key = KeyRecord::new(id, "ada".parse()?, Environment::live(), Timestamp::EPOCH);
/// assert_eq!(KeyRecord::from_document(&key.to_document())?, key);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Document: sealed::Sealed + Sized {
    /// The record as bytes.
    fn to_document(&self) -> Vec<u8>;

    /// The record that [`to_document`](Self::to_document) made these bytes of.
    ///
    /// # Errors
    /// [`InvalidDocument`] when they were not made by this version or an earlier one.
    fn from_document(document: &[u8]) -> Result<Self, InvalidDocument>;
}

/// The bytes are no record of this version or an earlier one; the text says why, and holds nothing of them.
#[derive(Debug)]
pub struct InvalidDocument {
    record: &'static str,
    line: usize,
    column: usize,
}

impl fmt::Display for InvalidDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            record,
            line,
            column,
        } = self;
        write!(
            f,
            "a stored {record} cannot be read (line {line}, column {column})"
        )
    }
}

impl std::error::Error for InvalidDocument {}

mod sealed {
    /// Which records there are is decided here.
    pub trait Sealed {}
}

macro_rules! document {
    ($($record:ty, $name:literal, $fields:ident;)*) => {$(
        impl sealed::Sealed for $record {}

        impl Document for $record {
            fn to_document(&self) -> Vec<u8> {
                let mut document = Vec::new();
                // Text and numbers cannot fail to serialise, and a vector takes them.
                let mut serializer = serde_json::Serializer::new(&mut document);
                let _ = $fields::serialize(self, &mut serializer);
                document
            }

            fn from_document(document: &[u8]) -> Result<Self, InvalidDocument> {
                let mut deserializer = serde_json::Deserializer::from_slice(document);
                let read = $fields::deserialize(&mut deserializer);
                let read = read.and_then(|record| deserializer.end().map(|()| record));
                // What serde says of it may quote a value.
                read.map_err(|error| InvalidDocument {
                    record: $name,
                    line: error.line(),
                    column: error.column(),
                })
            }
        }
    )*};
}

document! {
    KeyRecord, "key", KeyFields;
    SecretRecord, "secret", SecretFields;
    KeyWithSecrets, "key with its secrets", KeyWithSecretsFields;
    AccountRecord, "account", AccountFields;
    JournalRow, "journal row", RowFields;
    Role, "role", RoleFields;
    IdempotencyRecord, "idempotency record", IdempotencyFields;
}

// Each of these has the fields of the record whose name it bears, or does not compile. A field that is added gets a
// `#[serde(default)]`, so that documents without it can be read.

#[derive(Serialize, Deserialize)]
#[serde(remote = "KeyRecord", deny_unknown_fields)]
struct KeyFields {
    #[serde(with = "text")]
    id: KeyId,
    #[serde(with = "text")]
    owner: Owner,
    name: KeyName,
    environment: Environment,
    shown_prefix: String,
    scopes: ScopeSet,
    #[serde(default)]
    roles: RoleSet,
    #[serde(default)]
    limits: Limits,
    #[serde(default)]
    tags: TagSet,
    metadata: Metadata,
    created_at: Timestamp,
    #[serde(default)]
    not_before: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    disabled_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    #[serde(with = "revision")]
    revision: Revision,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "SecretRecord", deny_unknown_fields)]
struct SecretFields {
    #[serde(with = "text")]
    id: SecretId,
    #[serde(with = "text")]
    key: KeyId,
    #[serde(with = "hash")]
    hash: StoredHash,
    shown_prefix: String,
    created_at: Timestamp,
    retired_at: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "KeyWithSecrets", deny_unknown_fields)]
struct KeyWithSecretsFields {
    #[serde(with = "KeyFields")]
    key: KeyRecord,
    #[serde(with = "used_secrets")]
    secrets: Vec<UsedSecret>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "UsedSecret", deny_unknown_fields)]
struct UsedSecretFields {
    #[serde(with = "SecretFields")]
    record: SecretRecord,
    uses: u64,
    #[serde(default)]
    last_used_at: Option<Timestamp>,
    #[serde(default)]
    last_used_from: Option<IpAddr>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "AccountRecord", deny_unknown_fields)]
struct AccountFields {
    #[serde(with = "text")]
    id: AccountId,
    email: String,
    #[serde(with = "canonical_email")]
    canonical_email: CanonicalEmail,
    #[serde(with = "hash")]
    password_hash: StoredHash,
    #[serde(default)]
    roles: Vec<AccountRole>,
    created_at: Timestamp,
    #[serde(with = "revision")]
    revision: Revision,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "JournalRow", deny_unknown_fields)]
struct RowFields {
    #[serde(with = "seq")]
    seq: Seq,
    #[serde(with = "EntryFields")]
    entry: JournalEntry,
    #[serde(with = "chain")]
    chain: ChainHash,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "JournalEntry", deny_unknown_fields)]
struct EntryFields {
    #[serde(with = "text")]
    id: EntryId,
    at: Timestamp,
    #[serde(with = "actor")]
    actor: Actor,
    #[serde(with = "action")]
    action: Action,
    #[serde(with = "subject")]
    subject: Subject,
    detail: String,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Role", deny_unknown_fields)]
struct RoleFields {
    name: RoleName,
    scopes: ScopeSet,
    changed_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "IdempotencyRecord", deny_unknown_fields)]
struct IdempotencyFields {
    #[serde(with = "idempotency_id")]
    id: IdempotencyId,
    #[serde(with = "request_digest")]
    request: RequestDigest,
    #[serde(with = "text")]
    key: KeyId,
    #[serde(with = "text")]
    secret: SecretId,
    at: Timestamp,
}

/// serde's `with` is for the list as a whole.
mod used_secrets {
    use super::{Deserialize, Deserializer, Serialize, Serializer, UsedSecret, UsedSecretFields};

    #[derive(Serialize, Deserialize)]
    struct One(#[serde(with = "UsedSecretFields")] UsedSecret);

    pub(super) fn serialize<S>(secrets: &[UsedSecret], serializer: S) -> Result<S::Ok, S::Error>
    where
        S: Serializer,
    {
        serializer.collect_seq(secrets.iter().cloned().map(One))
    }

    pub(super) fn deserialize<'de, D>(deserializer: D) -> Result<Vec<UsedSecret>, D::Error>
    where
        D: Deserializer<'de>,
    {
        let secrets = Vec::<One>::deserialize(deserializer)?;
        Ok(secrets.into_iter().map(|One(secret)| secret).collect())
    }
}

/// A value as the text that it is parsed from.
mod text {
    use super::{Deserialize, Deserializer, FromStr, Serializer, fmt};

    pub(super) fn serialize<T, S>(value: &T, serializer: S) -> Result<S::Ok, S::Error>
    where
        T: fmt::Display,
        S: Serializer,
    {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: fmt::Display>,
        D: Deserializer<'de>,
    {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A value as what it is made of.
macro_rules! as_its_content {
    ($($module:ident: $value:ident as $content:ty, $get:ident, $make:ident;)*) => {$(
        mod $module {
            use super::{Deserialize as _, Deserializer, Serialize as _, Serializer, $value};

            pub(super) fn serialize<S>(value: &$value, serializer: S) -> Result<S::Ok, S::Error>
            where
                S: Serializer,
            {
                value.$get().serialize(serializer)
            }

            pub(super) fn deserialize<'de, D>(deserializer: D) -> Result<$value, D::Error>
            where
                D: Deserializer<'de>,
            {
                <$content>::deserialize(deserializer).map($value::$make)
            }
        }
    )*};
}

as_its_content! {
    hash: StoredHash as String, as_str, new;
    canonical_email: CanonicalEmail as String, as_str, from_stored;
    revision: Revision as u32, get, new;
    seq: Seq as u64, get, new;
    chain: ChainHash as [u8; 32], as_bytes, from_bytes;
    idempotency_id: IdempotencyId as [u8; 32], as_bytes, from_bytes;
    request_digest: RequestDigest as [u8; 32], as_bytes, from_bytes;
    actor: Actor as String, as_str, from_stored;
    action: Action as String, as_str, from_stored;
    subject: Subject as String, as_str, from_stored;
}

#[cfg(test)]
mod tests;
