//! Public keys, as they are read.

use serde::Deserialize;

use crate::token::{TokenDenial, TokenError, VerifyingKey};

/// The keys of a JWK set that tokens can be checked with.
#[derive(Debug, Default)]
pub(super) struct KeySet(Vec<VerifyingKey>);

/// A JWK set (RFC 7517, section 5).
#[derive(Deserialize)]
struct Wire {
    keys: Vec<serde_json::Value>,
}

impl KeySet {
    /// How many keys are kept of a set.
    const MOST: usize = 64;

    /// Reads a set. A key that is of no use here is passed over (RFC 7517, section 5), and a secret is none for others.
    pub(super) fn read(json: &[u8]) -> Result<Self, TokenError> {
        let wire: Wire = serde_json::from_slice(json).map_err(TokenError::new)?;
        let mut keys: Vec<VerifyingKey> = Vec::new();
        for key in wire.keys.iter().take(Self::MOST) {
            let Ok(key) = VerifyingKey::from_jwk(&key.to_string()) else {
                continue;
            };
            let is_named = keys.iter().any(|known| known.kid() == key.kid());
            if key.algorithm().is_asymmetric() && !is_named {
                keys.push(key);
            }
        }
        Ok(Self(keys))
    }

    pub(super) fn find(&self, kid: &str) -> Result<&VerifyingKey, TokenDenial> {
        let named = self.0.iter().find(|key| key.kid() == kid);
        named.ok_or(TokenDenial::UnknownKey)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
