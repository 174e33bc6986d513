//! The records of keys and secrets, as a store keeps them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use super::format::Environment;
use super::scope::ScopeSet;
use crate::clock::Timestamp;
use crate::id::{KeyId, SecretId};
use crate::secret::StoredHash;

/// Who holds keys: a name from the host's world (a user, a team, a service), opaque to SAKMS.
///
/// Compared byte by byte: owners that differ in case, accents or trailing spaces are different owners.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Owner(String);

impl Owner {
    /// The longest owner in bytes.
    pub const MAX_BYTES: usize = 128;

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Owner {
    type Err = InvalidField;

    /// 1 to 128 bytes of any text.
    fn from_str(text: &str) -> Result<Self, InvalidField> {
        if text.is_empty() || text.len() > Self::MAX_BYTES {
            return Err(InvalidField("an owner is 1 to 128 bytes long"));
        }
        Ok(Self(text.into()))
    }
}

impl From<crate::id::AccountId> for Owner {
    /// An account owns keys under its id.
    fn from(id: crate::id::AccountId) -> Self {
        Self(id.to_string())
    }
}

/// What a key's owner calls it, kept to the letter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct KeyName(String);

impl KeyName {
    /// The longest name in characters (Unicode code points).
    pub const MAX_CHARS: usize = 128;

    /// The name as text; empty when the owner gave none.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = InvalidField;

    /// At most 128 characters of any text.
    fn from_str(text: &str) -> Result<Self, InvalidField> {
        // A character has at most four bytes: a megabyte of name is refused without counting it.
        if text.len() > Self::MAX_CHARS * 4 || text.chars().count() > Self::MAX_CHARS {
            return Err(InvalidField("a name has at most 128 characters"));
        }
        Ok(Self(text.into()))
    }
}

/// Text pairs that the host or the owner keeps with a key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Metadata(BTreeMap<String, String>);

impl Metadata {
    /// The most bytes that all names and values may have together, written as JSON.
    pub const MAX_BYTES: usize = 4096;

    /// Metadata of these pairs.
    ///
    /// # Errors
    /// [`InvalidField`] when they need more than [`Metadata::MAX_BYTES`] as JSON.
    pub fn new(pairs: BTreeMap<String, String>) -> Result<Self, InvalidField> {
        let metadata = Self(pairs);
        if metadata.to_json().len() > Self::MAX_BYTES {
            Err(InvalidField("metadata takes at most 4096 bytes as JSON"))
        } else {
            Ok(metadata)
        }
    }

    /// The value under `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The pairs in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The pairs as a JSON object, which is how a store keeps them.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::Value::from_iter(self.0.clone()).to_string()
    }

    /// Reads what [`Metadata::to_json`] wrote.
    ///
    /// # Errors
    /// [`InvalidField`] when the text is not a JSON object of text.
    pub fn from_json(text: &str) -> Result<Self, InvalidField> {
        serde_json::from_str(text)
            .map(Self)
            .map_err(|_| InvalidField("metadata is an object of text values"))
    }
}

macro_rules! deserialize_by_parsing {
    ($($name:ident)*) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}
deserialize_by_parsing! { KeyName Environment }

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(BTreeMap::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// A value breaks its field's rule; the text says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidField(pub(crate) &'static str);

impl fmt::Display for InvalidField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for InvalidField {}

/// How often a record was changed. An update names the revision it saw, and fails when there is a newer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revision(u32);

impl Revision {
    /// The revision of a record that was just made.
    pub const FIRST: Self = Self(1);

    /// A revision as a store keeps it.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number a store keeps.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The revision after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// A key: who holds it, what it may do and whether it still may.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyRecord {
    /// The key's name for ever.
    pub id: KeyId,
    /// Who holds it. Never changes.
    pub owner: Owner,
    /// What the owner calls it.
    pub name: KeyName,
    /// Which environment it opens. Never changes: it stands in the key text.
    pub environment: Environment,
    /// The newest secret's text up to the first characters of its id, for lists.
    pub shown_prefix: String,
    /// What it may do.
    pub scopes: ScopeSet,
    /// What the host or the owner keeps with it.
    pub metadata: Metadata,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused; never, when there is none.
    pub expires_at: Option<Timestamp>,
    /// Since when it is switched off; it can be switched on again.
    pub disabled_at: Option<Timestamp>,
    /// Since when it is revoked; that is final.
    pub revoked_at: Option<Timestamp>,
    /// When one of its secrets was last used, as far as the store knows. Lags behind by the flush interval.
    pub last_used_at: Option<Timestamp>,
    /// Which version of the record this is.
    pub revision: Revision,
}

impl KeyRecord {
    /// A new record with the fields that never change; the others start empty and can be set.
    #[must_use]
    pub fn new(id: KeyId, owner: Owner, environment: Environment, created_at: Timestamp) -> Self {
        Self {
            id,
            owner,
            environment,
            created_at,
            name: KeyName::default(),
            shown_prefix: String::new(),
            scopes: ScopeSet::default(),
            metadata: Metadata::default(),
            expires_at: None,
            disabled_at: None,
            revoked_at: None,
            last_used_at: None,
            revision: Revision::FIRST,
        }
    }
}

/// One printable credential of a key. Of the secret itself only the hash is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretRecord {
    /// The id in the key text.
    pub id: SecretId,
    /// Which key it belongs to.
    pub key: KeyId,
    /// The proof of the secret.
    pub hash: StoredHash,
    /// What lists show of its text.
    pub shown_prefix: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused because another took its place.
    pub retired_at: Option<Timestamp>,
}

impl SecretRecord {
    /// A secret that is not retired.
    #[must_use]
    pub const fn new(
        id: SecretId,
        key: KeyId,
        hash: StoredHash,
        shown_prefix: String,
        created_at: Timestamp,
    ) -> Self {
        Self {
            id,
            key,
            hash,
            shown_prefix,
            created_at,
            retired_at: None,
        }
    }
}

/// What a check finds under a secret's id.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredSecret {
    /// The key it belongs to.
    pub key: KeyRecord,
    /// The secret.
    pub secret: SecretRecord,
    /// Since when its owner is disabled, with everything they hold.
    pub owner_disabled_at: Option<Timestamp>,
}

impl StoredSecret {
    /// A secret with its key and the state of its owner.
    #[must_use]
    pub const fn new(
        key: KeyRecord,
        secret: SecretRecord,
        owner_disabled_at: Option<Timestamp>,
    ) -> Self {
        Self {
            key,
            secret,
            owner_disabled_at,
        }
    }
}

/// A change to a key. A field that is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyPatch {
    /// Another name.
    pub name: Option<KeyName>,
    /// Other scopes.
    pub scopes: Option<ScopeSet>,
    /// Other metadata.
    pub metadata: Option<Metadata>,
    /// Another expiry, or none any more.
    pub expires_at: Option<Option<Timestamp>>,
    /// Switched off since then, or on again.
    pub disabled_at: Option<Option<Timestamp>>,
    /// Revoked since then. There is no way back.
    pub revoked_at: Option<Timestamp>,
}

impl KeyPatch {
    /// The change that revokes a key.
    #[must_use]
    pub fn revoke(at: Timestamp) -> Self {
        Self {
            revoked_at: Some(at),
            ..Self::default()
        }
    }

    /// The change that gives a key another name.
    #[must_use]
    pub fn rename(name: KeyName) -> Self {
        Self {
            name: Some(name),
            ..Self::default()
        }
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Makes the change on `record` and counts its revision up.
    ///
    /// Every store applies a patch through this, so that they cannot differ. A key that is revoked keeps the
    /// moment it was first revoked.
    pub fn apply(&self, record: &mut KeyRecord) {
        if let Some(name) = &self.name {
            record.name = name.clone();
        }
        if let Some(scopes) = &self.scopes {
            record.scopes = scopes.clone();
        }
        if let Some(metadata) = &self.metadata {
            record.metadata = metadata.clone();
        }
        if let Some(expires_at) = self.expires_at {
            record.expires_at = expires_at;
        }
        if let Some(disabled_at) = self.disabled_at {
            record.disabled_at = disabled_at;
        }
        record.revoked_at = record.revoked_at.or(self.revoked_at);
        record.revision = record.revision.next();
    }
}

/// Which keys to list: those of one owner, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyQuery {
    /// Whose keys.
    pub owner: Owner,
    /// Only keys made before this one: the last of the page before.
    pub before: Option<KeyId>,
    /// How many at most; 1 to 100.
    pub limit: u32,
}

impl KeyQuery {
    /// How many keys a page has when nothing is said.
    pub const DEFAULT_LIMIT: u32 = 50;
    /// How many keys a page has at most.
    pub const MAX_LIMIT: u32 = 100;

    /// The first page of an owner's keys.
    #[must_use]
    pub const fn of(owner: Owner) -> Self {
        Self {
            owner,
            before: None,
            limit: Self::DEFAULT_LIMIT,
        }
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page<T> {
    /// What stands on it.
    pub items: Vec<T>,
    /// Whether there is more after it.
    pub more: bool,
}

impl<T> Page<T> {
    /// A page of `items`.
    #[must_use]
    pub const fn new(items: Vec<T>, more: bool) -> Self {
        Self { items, more }
    }

    /// Makes a page of rows that were read with one row more than the limit, to see whether there is more.
    #[must_use]
    pub fn from_one_more(mut items: Vec<T>, limit: u32) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        Self { items, more }
    }
}

/// That a secret was used, some number of times, the last time at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretUse {
    /// Which secret.
    pub secret: SecretId,
    /// How often since it was last written down.
    pub count: u64,
    /// When the last time.
    pub last_at: Timestamp,
}

impl SecretUse {
    /// `count` uses, the last one at `last_at`.
    #[must_use]
    pub const fn new(secret: SecretId, count: u64, last_at: Timestamp) -> Self {
        Self {
            secret,
            count,
            last_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_counted_in_characters() {
        assert!("🔑".repeat(128).parse::<KeyName>().is_ok());
        assert!("a".repeat(129).parse::<KeyName>().is_err());
        assert!("🔑".repeat(129).parse::<KeyName>().is_err());
    }

    #[test]
    fn owners_are_counted_in_bytes() {
        assert!("".parse::<Owner>().is_err());
        assert!("a".repeat(128).parse::<Owner>().is_ok());
        assert!("é".repeat(65).parse::<Owner>().is_err());
    }

    #[test]
    fn metadata_is_bounded_and_comes_back() {
        let pair = |value: &str| BTreeMap::from([("note".to_owned(), value.to_owned())]);
        let metadata = Metadata::new(pair("<b>\"🔑\"</b>\0")).unwrap();
        assert_eq!(Metadata::from_json(&metadata.to_json()), Ok(metadata));
        assert!(Metadata::new(pair(&"x".repeat(4096))).is_err());
        assert!(Metadata::from_json("[1]").is_err());
    }

    #[test]
    fn a_revocation_cannot_be_moved_or_taken_back() {
        let at = |micros| Timestamp::from_micros(micros).unwrap();
        let owner = "o".parse().unwrap();
        let mut record = KeyRecord::new(
            KeyId::from_bytes([1; 16]),
            owner,
            Environment::live(),
            at(1),
        );
        KeyPatch::revoke(at(5)).apply(&mut record);
        KeyPatch::revoke(at(9)).apply(&mut record);
        KeyPatch::rename(KeyName::default()).apply(&mut record);
        assert_eq!(record.revoked_at, Some(at(5)));
        assert_eq!(record.revision, Revision::new(4));
    }
}
