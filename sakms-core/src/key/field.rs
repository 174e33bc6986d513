//! The fields of a key, each with its rule.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use super::word::Environment;

/// Who holds keys: a name from the host's world (a user, a team, a service), opaque to SAKMS.
///
/// Compared byte by byte: owners that differ in case, accents or trailing spaces are different owners.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Owner(Box<str>);

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
        Self(id.to_string().into())
    }
}

/// What a key's owner calls it, kept to the letter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct KeyName(Box<str>);

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
}
