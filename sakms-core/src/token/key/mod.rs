//! The keys that tokens are signed and verified with, and how they are loaded.
//!
//! `file.rs` reads PKCS#8 and SubjectPublicKeyInfo, `jwk.rs` JSON, `der.rs` what both need to know of DER. What a key is
//! for follows from what it is of, so that one key has one algorithm whatever a file or a token says.

mod der;
mod error;
mod file;
mod jwk;
#[cfg(test)]
mod tests;

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
    Ed25519KeyPair, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
};
use jsonwebtoken::{DecodingKey, EncodingKey};
use zeroize::Zeroizing;

pub use error::InvalidTokenKey;

use super::jwks::{PublicJwk, PublicKey};
use super::{HmacSecret, TokenAlgorithm, TokenError, provider};
use crate::clock::Timestamp;
use crate::entropy::{self, Entropy, EntropyError};
use crate::secret::PrivateKeyPem;

/// A key that signs: the private half of a pair, or a secret.
///
/// Whoever has it can make tokens for anybody. `openssl genpkey -algorithm ed25519` makes one in a shell. Its name
/// (`kid`) is the thumbprint of its public half (RFC 7638), unless it brings one or is given one.
///
/// ```
/// # use sakms_core::entropy::OsEntropy;
/// # use sakms_core::token::{Keyring, SigningKey, TokenAlgorithm};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = SigningKey::generate_ed25519(&OsEntropy)?;
/// assert_eq!(key.algorithm(), TokenAlgorithm::EdDsa);
///
/// // To be kept where secrets are kept, and loaded again at the next start.
/// let Some(pem) = key.to_pkcs8_pem() else { return Ok(()) };
/// let again = SigningKey::from_pkcs8_pem(pem.expose())?;
/// assert_eq!(again.kid(), key.kid());
/// let keyring = Keyring::new(again);
/// # Ok(())
/// # }
/// ```
pub struct SigningKey {
    public_half: VerifyingKey,
    encoding: EncodingKey,
    pkcs8: Option<Zeroizing<Vec<u8>>>,
}

impl SigningKey {
    /// A new key for EdDSA, of 32 bytes from this source and no other. Ed25519 signs without randomness too.
    ///
    /// # Errors
    /// [`EntropyError`] when no random bytes can be drawn.
    pub fn generate_ed25519(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let seed = Zeroizing::new(entropy::draw::<32>(entropy)?);
        let pair = Ed25519KeyPair::from_seed_unchecked(&*seed)
            .map_err(|error| EntropyError::new(error.to_string()))?;
        let pkcs8 = pair
            .to_pkcs8v1()
            .map_err(|error| EntropyError::new(error.to_string()))?;
        file::signing(pkcs8.as_ref()).map_err(|error| EntropyError::new(error.to_string()))
    }

    /// A new key for an algorithm that has pairs. Only that for EdDSA is drawn from this source: aws-lc draws what it makes of
    /// the others itself. RSA keys have 2,048 bits.
    pub(super) fn generate(
        algorithm: TokenAlgorithm,
        entropy: &dyn Entropy,
    ) -> Result<Self, TokenError> {
        match algorithm {
            TokenAlgorithm::EdDsa => Self::generate_ed25519(entropy).map_err(TokenError::new),
            TokenAlgorithm::Es256 => {
                let random = SystemRandom::new();
                let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
                let der = der.map_err(TokenError::new)?;
                Self::from_pkcs8_der(der.as_ref()).map_err(TokenError::new)
            }
            TokenAlgorithm::Rs256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(TokenError::new)?;
                let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(TokenError::new)?;
                Self::from_pkcs8_der(der.as_ref()).map_err(TokenError::new)
            }
            TokenAlgorithm::Hs256 => Err(TokenError::new("HS256 has secrets and no pairs of keys")),
        }
    }

    /// The key in a PEM file of PKCS#8 (`-----BEGIN PRIVATE KEY-----`): Ed25519 for EdDSA, P-256 for ES256, RSA for RS256.
    ///
    /// # Errors
    /// [`InvalidTokenKey`] when it holds none, one of another kind, or one that is damaged or too short.
    pub fn from_pkcs8_pem(pem: &str) -> Result<Self, InvalidTokenKey> {
        file::signing_pem(pem)
    }

    /// The same as DER.
    ///
    /// # Errors
    /// As [`from_pkcs8_pem`](Self::from_pkcs8_pem).
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, InvalidTokenKey> {
        file::signing(der)
    }

    /// The private key or secret in a JWK (RFC 7517). A `kid` in it is kept; `alg`, `use` and `key_ops`, where they stand
    /// there, must agree.
    ///
    /// # Errors
    /// As [`from_pkcs8_pem`](Self::from_pkcs8_pem).
    pub fn from_jwk(json: &str) -> Result<Self, InvalidTokenKey> {
        jwk::signing(json)
    }

    /// The same key under another name.
    ///
    /// # Errors
    /// [`InvalidTokenKey::Kid`] unless it is 1 to 64 characters of `[A-Za-z0-9_-]`.
    pub fn with_kid(mut self, kid: &str) -> Result<Self, InvalidTokenKey> {
        self.public_half = self.public_half.with_kid(kid)?;
        Ok(self)
    }

    /// What tokens call it by.
    #[must_use]
    pub fn kid(&self) -> &str {
        self.public_half.kid()
    }

    /// How it signs.
    #[must_use]
    pub const fn algorithm(&self) -> TokenAlgorithm {
        self.public_half.algorithm()
    }

    /// Its public half; nothing for a secret, which has none.
    #[must_use]
    pub fn public_jwk(&self) -> Option<PublicJwk> {
        self.public_half.public_jwk()
    }

    /// The whole key as a PEM file of PKCS#8, to be kept; nothing for a secret, which is no such thing. Its name is not
    /// in it.
    #[must_use]
    pub fn to_pkcs8_pem(&self) -> Option<PrivateKeyPem> {
        self.pkcs8.as_ref().map(|der| file::pem(der))
    }

    pub(super) const fn public_half(&self) -> &VerifyingKey {
        &self.public_half
    }

    /// The whole key as DER; nothing for a secret.
    pub(super) fn pkcs8(&self) -> Option<&[u8]> {
        self.pkcs8.as_ref().map(|der| der.as_slice())
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, TokenError> {
        provider::sign(self.algorithm().library(), &self.encoding, message)
    }
}

impl From<HmacSecret> for SigningKey {
    fn from(secret: HmacSecret) -> Self {
        Self {
            encoding: EncodingKey::from_secret(&secret.bytes),
            public_half: secret.into(),
            pkcs8: None,
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid())
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}

/// A key whose tokens are good: the public half of a pair, or a secret.
pub struct VerifyingKey {
    kid: String,
    algorithm: TokenAlgorithm,
    decoding: DecodingKey,
    public: Option<PublicKey>,
    until: Option<Timestamp>,
}

impl VerifyingKey {
    /// The key in a PEM file of SubjectPublicKeyInfo (`-----BEGIN PUBLIC KEY-----`).
    ///
    /// # Errors
    /// [`InvalidTokenKey`] when it holds none, one of another kind, or one that is damaged or too short.
    pub fn from_spki_pem(pem: &str) -> Result<Self, InvalidTokenKey> {
        file::verifying_pem(pem)
    }

    /// The same as DER.
    ///
    /// # Errors
    /// As [`from_spki_pem`](Self::from_spki_pem).
    pub fn from_spki_der(der: &[u8]) -> Result<Self, InvalidTokenKey> {
        file::verifying(der)
    }

    /// The public key or secret in a JWK (RFC 7517), with its `kid` if it has one.
    ///
    /// # Errors
    /// As [`from_spki_pem`](Self::from_spki_pem).
    pub fn from_jwk(json: &str) -> Result<Self, InvalidTokenKey> {
        jwk::verifying(json)
    }

    /// The same key under another name.
    ///
    /// # Errors
    /// [`InvalidTokenKey::Kid`] unless it is 1 to 64 characters of `[A-Za-z0-9_-]`.
    pub fn with_kid(mut self, kid: &str) -> Result<Self, InvalidTokenKey> {
        check_kid(kid)?;
        kid.clone_into(&mut self.kid);
        Ok(self)
    }

    /// Retires it: from this moment on its tokens are denied, and it is published no more. Tokens that it signed before
    /// outlive it by nothing, so the moment should be at least a token's lifetime after it last signed.
    #[must_use]
    pub const fn until(mut self, end: Timestamp) -> Self {
        self.until = Some(end);
        self
    }

    /// What tokens call it by.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// What its tokens are signed with.
    #[must_use]
    pub const fn algorithm(&self) -> TokenAlgorithm {
        self.algorithm
    }

    /// From when on its tokens are denied.
    #[must_use]
    pub const fn ends_at(&self) -> Option<Timestamp> {
        self.until
    }

    /// The key as it is published; nothing for a secret.
    #[must_use]
    pub fn public_jwk(&self) -> Option<PublicJwk> {
        let key = self.public.clone()?;
        Some(PublicJwk::new(self.kid.clone(), key))
    }

    fn of_public(key: PublicKey) -> Result<Self, InvalidTokenKey> {
        let damaged = |_| InvalidTokenKey::Damaged;
        let decoding = match &key {
            PublicKey::Ed25519(x) => {
                ParsedPublicKey::new(&ED25519, x).map_err(damaged)?;
                DecodingKey::from_ed_der(x)
            }
            PublicKey::P256 { x, y } => {
                let point = PublicKey::point(x, y);
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point).map_err(damaged)?;
                DecodingKey::from_ec_der(&point)
            }
            PublicKey::Rsa { n, e } => {
                check_rsa_bits(n)?;
                RsaPublicKeyComponents { n, e }
                    .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
                    .map_err(damaged)?;
                DecodingKey::from_rsa_raw_components(n, e)
            }
        };
        Ok(Self {
            kid: key.thumbprint(),
            algorithm: key.algorithm(),
            decoding,
            public: Some(key),
            until: None,
        })
    }

    pub(super) fn has_ended(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|end| now >= end)
    }

    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> Result<bool, TokenError> {
        provider::verifies(self.algorithm.library(), &self.decoding, message, signature)
    }

    /// Whether one of the two is a secret that is the other one's public key.
    pub(super) fn gives_away(&self, other: &Self) -> bool {
        let spells = |secret: &Self, public: &Self| match (&secret.public, &public.public) {
            (None, Some(key)) => {
                let secret = secret.decoding.try_get_as_bytes().unwrap_or_default();
                key.is_spelled_by(secret)
            }
            _ => false,
        };
        spells(self, other) || spells(other, self)
    }
}

impl From<HmacSecret> for VerifyingKey {
    fn from(secret: HmacSecret) -> Self {
        Self {
            decoding: DecodingKey::from_secret(&secret.bytes),
            kid: secret.kid,
            algorithm: TokenAlgorithm::Hs256,
            public: None,
            until: None,
        }
    }
}

impl From<SigningKey> for VerifyingKey {
    /// What is left of a key that shall sign no more.
    fn from(key: SigningKey) -> Self {
        key.public_half
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

fn check_kid(kid: &str) -> Result<(), InvalidTokenKey> {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if (1..=64).contains(&kid.len()) && kid.bytes().all(letters) {
        Ok(())
    } else {
        Err(InvalidTokenKey::Kid)
    }
}

/// RFC 7518, section 3.3, and what the library verifies.
fn check_rsa_bits(modulus: &[u8]) -> Result<(), InvalidTokenKey> {
    let bits = der::bits(modulus);
    if (2_048..=8_192).contains(&bits) {
        Ok(())
    } else {
        Err(InvalidTokenKey::RsaBits(bits))
    }
}
