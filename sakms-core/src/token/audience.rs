//! For whom a token is meant.

use std::fmt;
use std::str::FromStr;

/// For whom a token is meant (`aud`): the name of a service, 1 to [`Audience::MAX_BYTES`] bytes without control characters,
/// compared to the letter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Audience(Box<str>);

impl Audience {
    /// The longest name, in bytes.
    pub const MAX_BYTES: usize = 256;

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Audience {
    type Err = InvalidAudience;

    fn from_str(text: &str) -> Result<Self, InvalidAudience> {
        let fits = (1..=Self::MAX_BYTES).contains(&text.len());
        if fits && !text.chars().any(char::is_control) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidAudience)
        }
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text names no audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidAudience;

impl fmt::Display for InvalidAudience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an audience is 1 to 256 bytes without control characters")
    }
}

impl std::error::Error for InvalidAudience {}
