//! What a host says in a token beside what SAKMS says.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// A host's own claims, by their names.
///
/// They are signed, not secret: whoever holds the token can read them. They say what was true when the token was issued.
///
/// ```
/// # use sakms_core::token::{ExtraClaims, InvalidClaim};
/// # fn main() -> Result<(), InvalidClaim> {
/// let claims = ExtraClaims::new().with("plan", "gold")?.with("https://acme.example/seats", 12)?;
/// assert_eq!(claims.get::<String>("plan")?.as_deref(), Some("gold"));
/// assert_eq!(claims.get::<u32>("team")?, None);
/// assert_eq!(claims.get::<u32>("plan"), Err(InvalidClaim::Type));
/// assert_eq!(ExtraClaims::new().with("sub", "eve"), Err(InvalidClaim::Reserved));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ExtraClaims(BTreeMap<String, Value>);

impl ExtraClaims {
    /// Names that a host cannot use: what SAKMS itself says, or may come to say (RFC 7519, section 4.1; RFC 8693; RFC 9068;
    /// RFC 7800).
    pub const RESERVED: &[&str] = &[
        "iss",
        "sub",
        "aud",
        "exp",
        "nbf",
        "iat",
        "jti",
        "sid",
        "scope",
        "client_id",
        "act",
        "may_act",
        "cnf",
        "key_id",
    ];
    /// The longest name, in bytes.
    pub const MAX_NAME_BYTES: usize = 256;
    /// How many bytes all of them may have together, as JSON. A token is carried by every request.
    pub const MAX_BYTES: usize = 4 * 1024;

    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// The same with one more.
    ///
    /// # Errors
    /// [`InvalidClaim`] for a name that is reserved, taken, empty, too long or holds a control character, a value that is
    /// not to be written as JSON, and when they are too large together.
    pub fn with(mut self, name: &str, value: impl Serialize) -> Result<Self, InvalidClaim> {
        let is_name =
            (1..=Self::MAX_NAME_BYTES).contains(&name.len()) && !name.chars().any(char::is_control);
        if !is_name {
            return Err(InvalidClaim::Name);
        }
        if Self::RESERVED.contains(&name) {
            return Err(InvalidClaim::Reserved);
        }
        let value = serde_json::to_value(value).map_err(|_| InvalidClaim::Value)?;
        if self.0.insert(name.to_owned(), value).is_some() {
            return Err(InvalidClaim::Twice);
        }
        let size = serde_json::to_vec(&self.0).map_or(usize::MAX, |json| json.len());
        if size > Self::MAX_BYTES {
            return Err(InvalidClaim::TooLarge);
        }
        Ok(self)
    }

    /// The value of this name, if there is one.
    ///
    /// # Errors
    /// [`InvalidClaim::Type`] when it is of another type.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, InvalidClaim> {
        let Some(value) = self.0.get(name) else {
            return Ok(None);
        };
        T::deserialize(value)
            .map(Some)
            .map_err(|_| InvalidClaim::Type)
    }

    /// Their names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// One of the names that are reserved, said by SAKMS itself.
    pub(super) fn put(&mut self, name: &str, value: String) {
        self.0.insert(name.to_owned(), Value::String(value));
    }

    /// Takes one out.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Reads what is left of a token's claims; a name that occurs twice is refused, for two readers could pick different
/// values.
impl<'de> Deserialize<'de> for ExtraClaims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = ExtraClaims;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ExtraClaims, A::Error> {
                let mut claims = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if claims.insert(name, value).is_some() {
                        return Err(A::Error::custom("a claim occurs twice"));
                    }
                }
                Ok(ExtraClaims(claims))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// What cannot be a claim of a host's, or be read as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidClaim {
    /// The name is empty, too long, or holds a control character.
    Name,
    /// The name is one of [`ExtraClaims::RESERVED`].
    Reserved,
    /// The name is there already.
    Twice,
    /// The value cannot be written as JSON.
    Value,
    /// All of them together have more than [`ExtraClaims::MAX_BYTES`].
    TooLarge,
    /// The value is of another type than the one asked for.
    Type,
}

impl fmt::Display for InvalidClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "the name of a claim is 1 to 256 bytes without control characters",
            Self::Reserved => "the name of the claim is reserved",
            Self::Twice => "the claim is there already",
            Self::Value => "the value of the claim cannot be written as JSON",
            Self::TooLarge => "a host's claims have at most 4,096 bytes together",
            Self::Type => "the claim is of another type",
        })
    }
}

impl std::error::Error for InvalidClaim {}
