//! The words at the head of a key text: the prefix and the environment.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// What stands in front of every key of a service, for people and for secret scanners: `acme`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPrefix(String);

impl KeyPrefix {
    /// The longest prefix in bytes.
    pub const MAX_BYTES: usize = 32;

    /// The prefix as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for KeyPrefix {
    fn default() -> Self {
        Self("sakms".into())
    }
}

impl FromStr for KeyPrefix {
    type Err = InvalidWord;

    /// 1 to 32 characters `a-z`, `0-9` and, between two of those, `_`.
    fn from_str(text: &str) -> Result<Self, InvalidWord> {
        let edges = !text.starts_with('_') && !text.ends_with('_');
        if edges && is_word(text, Self::MAX_BYTES, true) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidWord::PREFIX)
        }
    }
}

/// Which world a key belongs to: `live` and `test`, unless the host names others.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Environment(
    /// Filled up with zeros, which sort before every character there may be. In place, because there is one in every key
    /// that is remembered.
    [u8; Environment::MAX_BYTES],
);

impl Environment {
    /// The longest name in bytes.
    pub const MAX_BYTES: usize = 16;

    /// `live`: the real thing.
    #[must_use]
    pub fn live() -> Self {
        Self::padded(b"live")
    }

    /// `test`: for trying things out.
    #[must_use]
    pub fn test() -> Self {
        Self::padded(b"test")
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|&byte| byte == 0);
        let (name, _) = self.0.split_at(end.unwrap_or(Self::MAX_BYTES));
        // Nothing but ASCII gets in.
        std::str::from_utf8(name).unwrap_or_default()
    }

    /// The first bytes of a name, as many as one may have.
    fn padded(name: &[u8]) -> Self {
        Self(std::array::from_fn(|place| {
            name.get(place).copied().unwrap_or(0)
        }))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Environment").field(&self.as_str()).finish()
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Environment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl FromStr for Environment {
    type Err = InvalidWord;

    /// 1 to 16 characters `a-z` and `0-9`.
    fn from_str(text: &str) -> Result<Self, InvalidWord> {
        if is_word(text, Self::MAX_BYTES, false) {
            Ok(Self::padded(text.as_bytes()))
        } else {
            Err(InvalidWord::ENVIRONMENT)
        }
    }
}

fn is_word(text: &str, longest: usize, underscore: bool) -> bool {
    let allowed = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || (underscore && byte == b'_')
    };
    !text.is_empty() && text.len() <= longest && text.bytes().all(allowed)
}

/// The text is no prefix or no environment; it says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidWord(&'static str);

impl InvalidWord {
    pub(super) const PREFIX: Self = Self("key prefix");
    pub(super) const ENVIRONMENT: Self = Self("environment");
}

impl fmt::Display for InvalidWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = match self.0 {
            "environment" => "1 to 16 characters a-z and 0-9",
            _ => "1 to 32 characters a-z, 0-9 and, between two of those, _",
        };
        write!(f, "not a valid {}: expected {rule}", self.0)
    }
}

impl std::error::Error for InvalidWord {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_checked() {
        for bad in ["", "_a", "a_", "A", "ä", "a-b", &"a".repeat(33)] {
            assert!(bad.parse::<KeyPrefix>().is_err(), "{bad}");
        }
        for bad in ["", "a_b", "Live", &"a".repeat(17)] {
            assert!(bad.parse::<Environment>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_environment_is_its_name() {
        for name in ["a", "live", "abcdefghijklmno9"] {
            let environment: Environment = name.parse().unwrap();
            assert_eq!(environment.as_str(), name);
            assert_eq!(
                format!("{environment} {environment:?}"),
                format!("{name} Environment({name:?})")
            );
            assert_eq!(serde_json::to_value(&environment).unwrap(), name);
        }
        let order = |text: &str| text.parse::<Environment>().unwrap();
        assert!(order("live") < order("live2") && order("live2") < order("test"));
        assert_eq!(order("live"), Environment::live());
        assert_eq!(order("test"), Environment::test());
    }
}
