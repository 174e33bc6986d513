//! The keys of an issuer together: one that signs, and those whose tokens are still good.

use std::fmt;

use super::jwks::Jwks;
use super::key::{SigningKey, VerifyingKey};
use super::{HmacSecret, TokenDenial};
use crate::clock::Timestamp;

/// One key that signs, and others whose tokens are good too. Each has one algorithm and a name; they need not be of the
/// same algorithm.
///
/// To change the key without a single good token being refused:
///
/// 1. give every node the new key as one that verifies ([`Keyring::also_verify`]), and wait until whoever checks tokens
///    elsewhere has asked for the JWKS again (it may be kept for five minutes);
/// 2. let it sign, with the old one behind it, retired at the end of a token's lifetime ([`VerifyingKey::until`]);
/// 3. take the old one off when there is time.
///
/// To void every token of a key at once, take it off at once.
#[derive(Debug)]
pub struct Keyring {
    signing: SigningKey,
    verifying: Vec<VerifyingKey>,
}

impl Keyring {
    /// How many keys may verify besides the one that signs.
    pub const MAX_VERIFYING: usize = 8;

    /// A ring with one key, that signs and verifies.
    #[must_use]
    pub fn new(signing: impl Into<SigningKey>) -> Self {
        Self {
            signing: signing.into(),
            verifying: Vec::new(),
        }
    }

    /// A ring with one secret, that signs and verifies with HS256.
    #[must_use]
    pub fn hs256(secret: HmacSecret) -> Self {
        Self::new(secret)
    }

    /// Adds a key that signs nothing, but whose tokens are good.
    ///
    /// # Errors
    /// [`InvalidKeyring`] when the ring has a key of that name already, is full, or has a secret that is the public key
    /// of another.
    pub fn also_verify(mut self, key: impl Into<VerifyingKey>) -> Result<Self, InvalidKeyring> {
        if self.verifying.len() == Self::MAX_VERIFYING {
            return Err(InvalidKeyring::TooMany);
        }
        let key = key.into();
        if self.keys().any(|known| known.kid() == key.kid()) {
            return Err(InvalidKeyring::Twice);
        }
        if self.keys().any(|known| known.gives_away(&key)) {
            return Err(InvalidKeyring::PublicSecret);
        }
        self.verifying.push(key);
        Ok(self)
    }

    /// The names of the keys, the signing one first.
    pub fn kids(&self) -> impl Iterator<Item = &str> {
        self.keys().map(VerifyingKey::kid)
    }

    /// The public keys whose tokens are good at `now`, the signing one first. A secret is not among them.
    #[must_use]
    pub fn jwks(&self, now: Timestamp) -> Jwks {
        let standing = self.keys().filter(|key| !key.has_ended(now));
        Jwks::new(standing.filter_map(VerifyingKey::public_jwk).collect())
    }

    pub(super) const fn signing(&self) -> &SigningKey {
        &self.signing
    }

    /// The key with this name. The name comes from a stranger: it is compared, and used for nothing else.
    pub(super) fn find(&self, kid: &str, now: Timestamp) -> Result<&VerifyingKey, TokenDenial> {
        let named = self.keys().find(|key| key.kid() == kid);
        let key = named.ok_or(TokenDenial::UnknownKey)?;
        if key.has_ended(now) {
            return Err(TokenDenial::RetiredKey);
        }
        Ok(key)
    }

    fn keys(&self) -> impl Iterator<Item = &VerifyingKey> {
        std::iter::once(self.signing.public_half()).chain(&self.verifying)
    }
}

/// Why a key cannot be added to a ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidKeyring {
    /// The ring has one of that name already.
    Twice,
    /// More than [`Keyring::MAX_VERIFYING`].
    TooMany,
    /// A secret is the public key of another key of the ring: everybody knows it.
    PublicSecret,
}

impl fmt::Display for InvalidKeyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Twice => "two token keys have the same name, or one is listed twice",
            Self::TooMany => "more than 8 token keys besides the one that signs",
            Self::PublicSecret => "a token secret is the public key of another token key",
        })
    }
}

impl std::error::Error for InvalidKeyring {}
