//! Short names in sets: tags and roles.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::field::InvalidField;

/// What a set of names needs to know of one.
pub trait Name: Ord + Clone + fmt::Display + FromStr<Err = InvalidField> {
    /// What is said of a set that is too large.
    const TOO_MANY: &'static str;
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $bad:literal, $too_many:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The longest one in bytes.
            pub const MAX_BYTES: usize = 64;

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Name for $name {
            const TOO_MANY: &'static str = $too_many;
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidField;

            /// 1 to 64 characters `a-z`, `0-9`, `_`, `.`, `:` and `-`.
            fn from_str(text: &str) -> Result<Self, InvalidField> {
                let allowed =
                    |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.:-".contains(&b);
                let right = (1..=Self::MAX_BYTES).contains(&text.len());
                if right && text.bytes().all(allowed) {
                    Ok(Self(text.into()))
                } else {
                    Err(InvalidField($bad))
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

name! {
    /// A word by which keys are found again: `ci`, `team:billing`.
    Tag,
    "a tag is 1 to 64 characters of a-z, 0-9, _ . : and -",
    "a key has at most 16 tags"
}
name! {
    /// What a role is called: `reader`.
    RoleName,
    "a role's name is 1 to 64 characters of a-z, 0-9, _ . : and -",
    "a key has at most 16 roles"
}

/// The tags of a key.
pub type TagSet = Names<Tag>;
/// The roles of a key.
pub type RoleSet = Names<RoleName>;

/// A set of at most 16 names, in order, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names<N>(Box<[N]>);

impl<N: Name> Names<N> {
    /// How many there may be.
    pub const MAX_LEN: usize = 16;
    /// How many bytes the text of a set has at most, with a space before and after each name.
    pub const MAX_TEXT: usize = Self::MAX_LEN * 65 + 1;

    /// A set of these names, each once.
    ///
    /// # Errors
    /// [`InvalidField`] when there are more than [`Names::MAX_LEN`].
    pub fn new(names: impl IntoIterator<Item = N>) -> Result<Self, InvalidField> {
        let names: BTreeSet<_> = names.into_iter().collect();
        if names.len() > Self::MAX_LEN {
            return Err(InvalidField(N::TOO_MANY));
        }
        Ok(Self(names.into_iter().collect()))
    }

    /// The names in order.
    pub fn iter(&self) -> impl Iterator<Item = &N> {
        self.0.iter()
    }

    /// Whether the set has this name.
    #[must_use]
    pub fn contains(&self, name: &N) -> bool {
        self.0.binary_search(name).is_ok()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N> Default for Names<N> {
    fn default() -> Self {
        Self(Box::default())
    }
}

impl<N: Name> fmt::Display for Names<N> {
    /// The names with a space between, before and after them, so that a name can be searched for as ` name `; nothing
    /// for the empty set.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for name in &self.0 {
            write!(f, " {name}")?;
        }
        f.write_str(if self.0.is_empty() { "" } else { " " })
    }
}

impl<N: Name> FromStr for Names<N> {
    type Err = InvalidField;

    fn from_str(text: &str) -> Result<Self, InvalidField> {
        let names = text.split(' ').filter(|part| !part.is_empty());
        Self::new(names.map(str::parse).collect::<Result<Vec<_>, _>>()?)
    }
}

impl<N: Name> Serialize for Names<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(ToString::to_string))
    }
}

impl<'de, N: Name> Deserialize<'de> for Names<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        let names = texts.iter().map(|text| text.parse());
        names
            .collect::<Result<Vec<_>, _>>()
            .and_then(Self::new)
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_comes_back_from_its_text() {
        let tags: TagSet = "b a a".parse().unwrap();
        assert_eq!(tags.to_string(), " a b ");
        assert_eq!(tags.to_string().parse(), Ok(tags));
        assert_eq!(TagSet::default().to_string(), "");
        assert_eq!("".parse(), Ok(TagSet::default()));
    }

    #[test]
    fn what_breaks_the_rules_is_refused() {
        for bad in ["", "A", "a b", "ä", &"x".repeat(65)] {
            assert!(bad.parse::<Tag>().is_err(), "{bad}");
        }
        let many = |count: usize| (0..count).map(|n| format!("t{n}").parse::<Tag>().unwrap());
        assert!(TagSet::new(many(16)).is_ok());
        assert!(TagSet::new(many(17)).is_err());
        let longest = TagSet::new((0..16).map(|n| format!("{n:064}").parse().unwrap())).unwrap();
        assert_eq!(longest.to_string().len(), TagSet::MAX_TEXT);
    }
}
