//! Values that must not leak: they cannot be cloned, compared, printed or serialised, and are wiped when dropped.
//!
//! The compiler holds the rule. A password, a key text and a token cannot be printed:
//!
//! ```compile_fail,E0277
//! # use sakms_core::secret::Password;
//! println!("{}", Password::new("correct horse battery".into()));
//! ```
//!
//! nor cloned:
//!
//! ```compile_fail,E0599
//! # use sakms_core::secret::PresentedKey;
//! fn copy(key: &PresentedKey) -> PresentedKey { key.clone() }
//! ```
//!
//! nor compared with `==`, which would stop at the first byte that differs:
//!
//! ```compile_fail,E0369
//! # use sakms_core::secret::BearerToken;
//! fn same(a: &BearerToken, b: &BearerToken) -> bool { a == b }
//! ```
//!
//! nor serialised:
//!
//! ```compile_fail,E0277
//! # use sakms_core::secret::NewKeyText;
//! fn leak(key: &NewKeyText) -> String { serde_json::to_string(key).unwrap() }
//! ```
//!
//! `Debug` shows that there is one, and no part of it:
//!
//! ```
//! # use sakms_core::secret::Password;
//! assert_eq!(format!("{:?}", Password::new("correct horse battery".into())), "Password([redacted])");
//! ```

use std::fmt;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

macro_rules! secret_text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name(Zeroizing<String>);

        impl $name {
            /// Takes the text over; the caller keeps no copy.
            #[must_use]
            pub fn new(text: String) -> Self {
                Self(Zeroizing::new(text))
            }

            /// The text itself. Search for this name to find every place that handles it.
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }
    };
}

secret_text! {
    /// What somebody typed as their password, exactly as received.
    Password
}
secret_text! {
    /// What a request presents as an API key, before anything is known about it.
    PresentedKey
}
secret_text! {
    /// The text of a key or secret that was just made: shown to its owner once.
    NewKeyText
}
secret_text! {
    /// What a request presents as a JWT, or a JWT that was just issued.
    BearerToken
}
secret_text! {
    /// What a request presents as a refresh token, or one that was just issued.
    RefreshToken
}
secret_text! {
    /// A code that was mailed to somebody, or what a request presents as one.
    MailedCode
}
secret_text! {
    /// A link with such a code in it.
    MailedLink
}
secret_text! {
    /// A private key that tokens are signed with, as a PEM file of PKCS#8.
    PrivateKeyPem
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl<'de> Deserialize<'de> for PresentedKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl<'de> Deserialize<'de> for MailedCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl<'de> Deserialize<'de> for RefreshToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// The 32 random bytes of a key's secret.
pub struct KeySecret(Zeroizing<[u8; 32]>);

impl KeySecret {
    /// Takes the bytes over.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes themselves.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for KeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySecret([redacted])")
    }
}

/// A stored, self-describing hash (a PHC string). Not a secret that opens anything, but nothing to show either.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredHash(String);

impl StoredHash {
    /// The longest stored hash in bytes; anything longer is not one of ours.
    pub const MAX_BYTES: usize = 512;

    /// A hash as a store keeps it.
    #[must_use]
    pub fn new(phc: String) -> Self {
        Self(phc)
    }

    /// The PHC string, for a store to write.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for StoredHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredHash([redacted])")
    }
}
