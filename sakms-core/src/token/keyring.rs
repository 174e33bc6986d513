//! The keys that tokens are signed with.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::provider;
use super::secret_check::{self, InvalidSecret};
use super::{TokenDenial, TokenError};
use crate::entropy::{self, Entropy, EntropyError};

/// A secret for HS256: at least 32 bytes that nobody can guess.
///
/// Whoever has it can make tokens for anybody. Make one with [`HmacSecret::generate`], or in a shell with
/// `openssl rand -base64 32`; it should be used for nothing else.
pub struct HmacSecret {
    bytes: Zeroizing<Vec<u8>>,
    kid: String,
}

impl HmacSecret {
    /// The fewest bytes: as many as SHA-256 gives (RFC 7518, section 3.2).
    pub const MIN_BYTES: usize = 32;
    /// The most bytes.
    pub const MAX_BYTES: usize = 1024;

    /// A secret with these bytes.
    ///
    /// # Errors
    /// [`InvalidSecret`] when it is plainly not a secret. What only looks random cannot be told from what is.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidSecret> {
        secret_check::check(bytes)?;
        Self::unchecked(Zeroizing::new(bytes.to_vec()))
    }

    /// A new random secret of 32 bytes, good until the process ends: nobody else knows it.
    ///
    /// # Errors
    /// [`EntropyError`] when no random bytes can be drawn.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let drawn = Zeroizing::new(entropy::draw::<32>(entropy)?);
        Self::unchecked(Zeroizing::new(drawn.to_vec()))
            .map_err(|error| EntropyError::new(error.to_string()))
    }

    fn unchecked(bytes: Zeroizing<Vec<u8>>) -> Result<Self, InvalidSecret> {
        // Two secrets have two names, and one keeps its name over a restart without anybody having to choose one.
        // No token is signed over this label (they all have a dot), so it is no part of any signature.
        let mac = Hmac::<Sha256>::new_from_slice(&bytes)
            // A key for HMAC may have any length.
            .map_err(|_| InvalidSecret::TooShort)?
            .chain_update(b"sakms jwt kid v1")
            .finalize()
            .into_bytes();
        let kid = URL_SAFE_NO_PAD.encode(&mac[..8]);
        Ok(Self { bytes, kid })
    }

    /// The name tokens call it by: 11 characters of `[A-Za-z0-9_-]`, derived from it by a one-way function.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }
}

impl FromStr for HmacSecret {
    type Err = InvalidSecret;

    /// The bytes of the text are the secret, as other programs that share it take them: base64 and hexadecimal are
    /// not decoded. White space around it, such as the end of a line, is no part of it.
    fn from_str(text: &str) -> Result<Self, InvalidSecret> {
        Self::from_bytes(text.trim().as_bytes())
    }
}

impl fmt::Debug for HmacSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HmacSecret")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

/// How a key signs. A key has one, and a token of it that names another is denied (RFC 8725, section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenAlgorithm {
    /// HMAC with SHA-256 (RFC 7518, section 3.2): whoever can check a token can make one.
    Hs256,
}

impl TokenAlgorithm {
    /// The name in the header, to the letter.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
        }
    }

    const fn library(self) -> Algorithm {
        match self {
            Self::Hs256 => Algorithm::HS256,
        }
    }
}

/// One key of the ring: its name, its one algorithm and both its halves, which for HMAC are the same.
pub(super) struct TokenKey {
    kid: String,
    algorithm: TokenAlgorithm,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl TokenKey {
    fn hs256(secret: HmacSecret) -> Self {
        Self {
            encoding: EncodingKey::from_secret(&secret.bytes),
            decoding: DecodingKey::from_secret(&secret.bytes),
            kid: secret.kid,
            algorithm: TokenAlgorithm::Hs256,
        }
    }

    pub(super) fn kid(&self) -> &str {
        &self.kid
    }

    pub(super) const fn algorithm(&self) -> TokenAlgorithm {
        self.algorithm
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, TokenError> {
        provider::sign(self.algorithm.library(), &self.encoding, message)
    }

    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> Result<bool, TokenError> {
        provider::verifies(self.algorithm.library(), &self.decoding, message, signature)
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// One key that signs, and those that signed before it.
///
/// To change the secret without anybody having to sign in again: put the new one first and the old one behind it,
/// and take the old one off after a token's lifetime. To void every token at once, take it off at once. Where
/// several nodes serve, each must know the new secret ([`Keyring::also_verify`]) before any signs with it.
#[derive(Debug)]
pub struct Keyring {
    signing: TokenKey,
    verifying: Vec<TokenKey>,
}

impl Keyring {
    /// How many keys may verify besides the one that signs.
    pub const MAX_VERIFYING: usize = 8;

    /// A ring with one key, that signs and verifies with HS256.
    #[must_use]
    pub fn hs256(secret: HmacSecret) -> Self {
        Self {
            signing: TokenKey::hs256(secret),
            verifying: Vec::new(),
        }
    }

    /// Adds a key that signs nothing, but whose tokens are still good.
    ///
    /// # Errors
    /// [`InvalidKeyring`] when the ring has that key already, or is full.
    pub fn also_verify(mut self, secret: HmacSecret) -> Result<Self, InvalidKeyring> {
        if self.verifying.len() == Self::MAX_VERIFYING {
            return Err(InvalidKeyring::TooMany);
        }
        let key = TokenKey::hs256(secret);
        if self.find(&key.kid).is_ok() {
            return Err(InvalidKeyring::Twice);
        }
        self.verifying.push(key);
        Ok(self)
    }

    /// The names of the keys, the signing one first.
    pub fn kids(&self) -> impl Iterator<Item = &str> {
        self.keys().map(TokenKey::kid)
    }

    pub(super) const fn signing(&self) -> &TokenKey {
        &self.signing
    }

    /// The key with this name. The name comes from a stranger: it is compared, and used for nothing else.
    pub(super) fn find(&self, kid: &str) -> Result<&TokenKey, TokenDenial> {
        self.keys()
            .find(|key| key.kid == kid)
            .ok_or(TokenDenial::UnknownKey)
    }

    fn keys(&self) -> impl Iterator<Item = &TokenKey> {
        std::iter::once(&self.signing).chain(&self.verifying)
    }
}

/// Why a key cannot be added to a ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidKeyring {
    /// The ring has it already.
    Twice,
    /// More than [`Keyring::MAX_VERIFYING`].
    TooMany,
}

impl fmt::Display for InvalidKeyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Twice => "the same token secret is listed twice",
            Self::TooMany => "more than 8 retired token secrets",
        })
    }
}

impl std::error::Error for InvalidKeyring {}
