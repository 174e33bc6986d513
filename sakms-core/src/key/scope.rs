//! What a key may do: scopes of the form `resource:action`, `resource:*` or `*`.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One scope: `reports:read`, `reports:*` for every action on reports, or `*` for everything.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(Box<str>);

impl Scope {
    /// The longest scope in bytes.
    pub const MAX_BYTES: usize = 100;

    /// `*`: everything.
    #[must_use]
    pub fn everything() -> Self {
        Self("*".into())
    }

    /// The scope as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether who holds this scope holds `other` as well.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        if &*self.0 == "*" || self == other {
            return true;
        }
        match (self.0.strip_suffix(":*"), other.0.split_once(':')) {
            (Some(resource), Some((wanted, _))) => resource == wanted,
            _ => false,
        }
    }
}

impl FromStr for Scope {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        let word = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.-".contains(&b))
        };
        let valid = match text.split_once(':') {
            None => text == "*",
            Some((resource, action)) => word(resource) && (action == "*" || word(action)),
        };
        if valid && text.len() <= Self::MAX_BYTES {
            Ok(Self(text.into()))
        } else {
            Err(InvalidScope)
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is no scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidScope;

impl fmt::Display for InvalidScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a scope: expected resource:action, resource:* or *, of a-z, 0-9, _ . and -, at most 100 bytes")
    }
}

impl std::error::Error for InvalidScope {}

/// A set of scopes. The empty set grants nothing; it never means "everything".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopeSet(
    /// In order, each once. Not a tree: a set of one scope would take 300 bytes, and there is one in every key that is
    /// remembered.
    Box<[Scope]>,
);

impl ScopeSet {
    /// The most scopes a set may hold.
    pub const MAX_LEN: usize = 64;

    /// The set that grants everything.
    #[must_use]
    pub fn everything() -> Self {
        Self([Scope::everything()].into())
    }

    /// Whether some scope of this set covers `wanted`.
    #[must_use]
    pub fn grants(&self, wanted: &Scope) -> bool {
        self.0.iter().any(|held| held.covers(wanted))
    }

    /// The first scope of `wanted` that this set does not cover.
    #[must_use]
    pub fn missing<'a>(&self, wanted: &'a Self) -> Option<&'a Scope> {
        wanted.0.iter().find(|scope| !self.grants(scope))
    }

    /// The scopes in order.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Scope> for ScopeSet {
    /// Collects scopes; those past [`ScopeSet::MAX_LEN`] are for [`FromStr`] and JSON to refuse.
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(
            scopes
                .into_iter()
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect(),
        )
    }
}

impl fmt::Display for ScopeSet {
    /// The scopes in order, separated by spaces, as OAuth writes them (RFC 6749, section 3.3).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, scope) in self.0.iter().enumerate() {
            let gap = if place == 0 { "" } else { " " };
            write!(f, "{gap}{scope}")?;
        }
        Ok(())
    }
}

impl FromStr for ScopeSet {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        let scopes: BTreeSet<_> = text
            .split(' ')
            .filter(|part| !part.is_empty())
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        if scopes.len() > Self::MAX_LEN {
            Err(InvalidScope)
        } else {
            Ok(Self::from_iter(scopes))
        }
    }
}

impl Serialize for ScopeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Scope::as_str))
    }
}

impl<'de> Deserialize<'de> for ScopeSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        let scopes: BTreeSet<_> = texts
            .iter()
            .map(|text| text.parse())
            .collect::<Result<_, _>>()
            .map_err(serde::de::Error::custom)?;
        if scopes.len() > Self::MAX_LEN {
            return Err(serde::de::Error::custom("more than 64 scopes"));
        }
        Ok(Self::from_iter(scopes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> ScopeSet {
        text.parse().unwrap()
    }

    #[test]
    fn a_wildcard_covers_its_resource_and_no_other() {
        assert!(set("reports:*").grants(&"reports:read".parse().unwrap()));
        assert!(set("reports:*").grants(&"reports:*".parse().unwrap()));
        assert!(!set("reports:*").grants(&"reportsx:read".parse().unwrap()));
        assert!(!set("reports:*").grants(&"*".parse().unwrap()));
        assert!(set("*").grants(&"reports:read".parse().unwrap()));
        assert!(!set("reports:read").grants(&"reports:*".parse().unwrap()));
        assert!(!set("").grants(&"reports:read".parse().unwrap()));
    }

    #[test]
    fn the_first_missing_scope_is_named() {
        let wanted = set("a:read b:write");
        assert_eq!(set("a:*").missing(&wanted), wanted.iter().nth(1));
        assert_eq!(ScopeSet::everything().missing(&wanted), None);
    }

    #[test]
    fn what_is_no_scope_is_refused() {
        for bad in [
            "",
            "a",
            ":",
            "a:",
            ":b",
            "a:b:c",
            "A:b",
            "a:ä",
            "**",
            "*:read",
            &format!("a:{}", "b".repeat(99)),
        ] {
            assert!(bad.parse::<Scope>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_set_comes_back_from_its_text() {
        let scopes = set("b:write a:read  a:read");
        assert_eq!(scopes.to_string(), "a:read b:write");
        assert_eq!(set(&scopes.to_string()), scopes);
    }
}
