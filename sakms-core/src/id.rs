//! Identifiers: 128-bit UUIDs of version 7 (RFC 9562), in a type of their own for each thing they name.
//!
//! They are public and ordered by time of creation, which keeps an index dense. They are not secrets: whoever
//! knows one may do nothing with it.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::clock::Clock;
use crate::entropy::{self, Entropy, EntropyError};

/// The text is not a UUID in its canonical form: 36 characters, lower case, with hyphens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidId;

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an id: expected a UUID in lower case with hyphens")
    }
}

impl std::error::Error for InvalidId {}

fn version_7(clock: &dyn Clock, entropy: &dyn Entropy) -> Result<[u8; 16], EntropyError> {
    let random = entropy::draw::<10>(entropy)?;
    let millis = u64::try_from(clock.now().as_micros() / 1_000).unwrap_or(0);
    Ok(uuid::Builder::from_unix_timestamp_millis(millis, &random)
        .into_uuid()
        .into_bytes())
}

fn canonical(text: &str) -> Result<[u8; 16], InvalidId> {
    let parsed = uuid::Uuid::try_parse(text).map_err(|_| InvalidId)?;
    let mut buffer = uuid::Uuid::encode_buffer();
    // The library also reads upper case, braces and URNs. One thing has one spelling here.
    if parsed.hyphenated().encode_lower(&mut buffer) == text {
        Ok(parsed.into_bytes())
    } else {
        Err(InvalidId)
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// A new id: 48 bits of time in milliseconds, 74 random bits.
            ///
            /// # Errors
            /// [`EntropyError`] when no random bytes can be drawn.
            pub fn generate(clock: &dyn Clock, entropy: &dyn Entropy) -> Result<Self, EntropyError> {
                version_7(clock, entropy).map(Self)
            }

            /// The id with these 16 bytes, as a store keeps them.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The id's 16 bytes, big-endian.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                uuid::Uuid::from_bytes(self.0).hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                canonical(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

id! {
    /// Names a key for as long as it lives, through every rotation of its secret.
    KeyId
}
id! {
    /// Names one secret of a key; it stands in the key text and is what a check looks up.
    SecretId
}
id! {
    /// Names an account.
    AccountId
}
id! {
    /// Names a session: what somebody has who signed in, until they sign out.
    SessionId
}
id! {
    /// Names a mail, the same each time it is tried to send it.
    MessageId
}
id! {
    /// Names a journal entry before it has a place in the journal, so that a change whose outcome was lost
    /// with the connection can be looked up.
    EntryId
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{ManualClock, Timestamp};
    use crate::entropy::OsEntropy;

    #[test]
    fn ids_are_version_7_and_sort_by_time() {
        let clock = ManualClock::at(Timestamp::from_micros(1_795_000_000_000_000).unwrap());
        let first = KeyId::generate(&clock, &OsEntropy).unwrap();
        clock.advance(std::time::Duration::from_millis(1));
        let second = KeyId::generate(&clock, &OsEntropy).unwrap();
        assert!(first < second);
        assert_eq!(first.as_bytes()[6] >> 4, 7);
        assert_eq!(first.as_bytes()[8] >> 6, 0b10);
    }

    #[test]
    fn only_the_canonical_spelling_is_read() {
        let id = KeyId::from_bytes([0xAB; 16]);
        let text = id.to_string();
        assert_eq!(text.parse(), Ok(id));
        for other in [
            text.to_uppercase(),
            text.replace('-', ""),
            format!("{{{text}}}"),
            format!("urn:uuid:{text}"),
            format!("{text} "),
            format!("{text}\0"),
            String::new(),
        ] {
            assert_eq!(other.parse::<KeyId>(), Err(InvalidId), "{other:?}");
        }
    }
}
