//! The secret behind HS256.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::secret_check::{self, InvalidSecret};
use crate::entropy::{self, Entropy, EntropyError};

/// A secret for HS256: at least 32 bytes that nobody can guess.
///
/// Whoever has it can make tokens for anybody. Make one with [`HmacSecret::generate`], or in a shell with
/// `openssl rand -base64 32`; it should be used for nothing else.
pub struct HmacSecret {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) kid: String,
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

    pub(super) fn unchecked(bytes: Zeroizing<Vec<u8>>) -> Result<Self, InvalidSecret> {
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
