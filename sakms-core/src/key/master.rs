//! The service's master key, and what is derived from it.
//!
//! One 32-byte key per service. Nothing uses it directly: each purpose has a subkey of its own, derived with
//! HKDF-SHA-256 (RFC 5869), so that what one purpose gives away helps with no other.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::entropy::{self, Entropy, EntropyError};

const SALT: &[u8] = b"sakms master key v1";

/// 32 secret bytes from which the service derives the keys of its own.
///
/// Whoever has it can make key texts that pass the first filter, though not the proof behind it. Keep it out of
/// the database: its use is that the two are in different hands.
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    /// A master key with these bytes.
    ///
    /// # Errors
    /// [`InvalidMasterKey`] when the bytes are plainly no random key: fewer than 8 different values among 32.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, InvalidMasterKey> {
        let mut seen = [false; 256];
        for byte in bytes {
            seen[usize::from(byte)] = true;
        }
        if seen.iter().filter(|&&hit| hit).count() < 8 {
            return Err(InvalidMasterKey::Weak);
        }
        Ok(Self(Zeroizing::new(bytes)))
    }

    /// A new random master key.
    ///
    /// # Errors
    /// [`EntropyError`] when no random bytes can be drawn.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        Ok(Self(Zeroizing::new(entropy::draw(entropy)?)))
    }

    /// The key as text: 43 characters of base64url. For writing it to the file it is kept in, and nowhere else.
    #[must_use]
    pub fn expose_text(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(*self.0))
    }

    /// What makes a MAC under the subkey for one purpose. HMAC takes a key of any length, so there always is one.
    pub(crate) fn mac(&self, purpose: Purpose) -> Option<Hmac<Sha256>> {
        Hmac::new_from_slice(self.derive(purpose).as_ref()).ok()
    }

    /// The subkey for one purpose.
    pub(crate) fn derive(&self, purpose: Purpose) -> Zeroizing<[u8; 32]> {
        let mut subkey = Zeroizing::new([0; 32]);
        let expanded = Hkdf::<Sha256>::new(Some(SALT), self.0.as_ref())
            .expand(purpose.label(), subkey.as_mut());
        // HKDF can only fail for outputs longer than 255 hashes; 32 bytes are one.
        debug_assert!(expanded.is_ok());
        subkey
    }
}

impl FromStr for MasterKey {
    type Err = InvalidMasterKey;

    /// Reads 32 bytes as 43 characters of base64url or 64 hexadecimal digits; white space around it is ignored.
    fn from_str(text: &str) -> Result<Self, InvalidMasterKey> {
        let text = text.trim();
        let mut bytes = Zeroizing::new([0_u8; 32]);
        let decoded = Zeroizing::new(match text.len() {
            64 => hexadecimal(text).ok_or(InvalidMasterKey::Encoding)?,
            43 | 44 => URL_SAFE_NO_PAD
                .decode(text.trim_end_matches('='))
                .map_err(|_| InvalidMasterKey::Encoding)?,
            0 => return Err(InvalidMasterKey::Empty),
            _ => return Err(InvalidMasterKey::Length),
        });
        if decoded.len() != bytes.len() {
            return Err(InvalidMasterKey::Length);
        }
        bytes.copy_from_slice(&decoded);
        Self::from_bytes(*bytes)
    }
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pairs = text.as_bytes().chunks_exact(2);
    pairs
        .map(|pair| u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok())
        .collect()
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey([redacted])")
    }
}

/// What a subkey is for. A label is never changed or used twice: it is part of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The tag at the end of a key text.
    KeyTag,
    /// The seal on a page cursor.
    Cursor,
    /// The seal on the place where a list other than that of keys goes on.
    ListPlace,
    /// What the secrets of keys are hashed with, where that is not Argon2.
    KeyPepper,
    /// The name under which a stored hash refers to its pepper.
    KeyPepperId,
    /// What stands for a request that may be repeated.
    Idempotency,
    /// The tag at the end of a refresh token.
    RefreshTag,
    /// What the successor of a refresh token is computed with.
    RefreshSuccessor,
    /// What failed sign-ins are counted under.
    Throttle,
    /// The tag at the end of a code that is mailed.
    MailedCodeTag,
    /// What such a code is found by.
    MailedCodeId,
    /// What keys that sign tokens are sealed with in the store.
    SigningKeySeal,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::KeyTag => b"sakms key tag v1",
            Self::Cursor => b"sakms cursor v1",
            Self::ListPlace => b"sakms list place v1",
            Self::KeyPepper => b"sakms key pepper v1",
            Self::KeyPepperId => b"sakms key pepper id v1",
            Self::Idempotency => b"sakms idempotency v1",
            Self::RefreshTag => b"sakms refresh tag v1",
            Self::RefreshSuccessor => b"sakms refresh successor v1",
            Self::Throttle => b"sakms throttle v1",
            Self::MailedCodeTag => b"sakms mailed code tag v1",
            Self::MailedCodeId => b"sakms mailed code id v1",
            Self::SigningKeySeal => b"sakms signing key seal v1",
        }
    }
}

/// The master key in use and those before it.
///
/// The current one makes new key texts. A retired one still recognises the texts it made, for as long as it is
/// listed; taking it off the list refuses them all.
#[derive(Debug)]
pub struct MasterKeys {
    current: MasterKey,
    retired: Vec<MasterKey>,
}

impl MasterKeys {
    /// How many retired keys may be listed: each one makes the refusal of a forged key a little dearer.
    pub const MAX_RETIRED: usize = 8;

    /// What makes a MAC for one purpose under each of the keys, the current one first.
    pub(crate) fn macs(&self, purpose: Purpose) -> Vec<Hmac<Sha256>> {
        self.all().filter_map(|key| key.mac(purpose)).collect()
    }

    /// A ring with one key.
    #[must_use]
    pub const fn new(current: MasterKey) -> Self {
        Self {
            current,
            retired: Vec::new(),
        }
    }

    /// Adds a key that makes no new texts but still recognises its own.
    ///
    /// # Errors
    /// [`InvalidMasterKey::TooMany`] past [`MasterKeys::MAX_RETIRED`].
    pub fn retire(mut self, key: MasterKey) -> Result<Self, InvalidMasterKey> {
        if self.retired.len() == Self::MAX_RETIRED {
            return Err(InvalidMasterKey::TooMany);
        }
        self.retired.push(key);
        Ok(self)
    }

    /// The key that makes new texts.
    #[must_use]
    pub const fn current(&self) -> &MasterKey {
        &self.current
    }

    /// Every key, the current one first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.current).chain(&self.retired)
    }
}

impl From<MasterKey> for MasterKeys {
    fn from(current: MasterKey) -> Self {
        Self::new(current)
    }
}

impl FromStr for MasterKeys {
    type Err = InvalidMasterKey;

    /// Reads one or more master keys, separated by commas or white space; the first is the current one.
    fn from_str(text: &str) -> Result<Self, InvalidMasterKey> {
        let mut texts = text
            .split(|c: char| c == ',' || c.is_whitespace())
            .filter(|part| !part.is_empty());
        let current = texts.next().ok_or(InvalidMasterKey::Empty)?.parse()?;
        texts.try_fold(Self::new(current), |ring, retired| {
            ring.retire(retired.parse()?)
        })
    }
}

/// Why a text or some bytes are no master key. It never holds a part of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidMasterKey {
    /// Nothing there.
    Empty,
    /// Not 32 bytes.
    Length,
    /// Neither base64url nor hexadecimal.
    Encoding,
    /// Not random: hardly any two bytes differ.
    Weak,
    /// More retired keys than [`MasterKeys::MAX_RETIRED`].
    TooMany,
}

impl fmt::Display for InvalidMasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the master key is empty",
            Self::Length => {
                "a master key is 32 random bytes, written as 43 characters of base64url or 64 hexadecimal digits"
            }
            Self::Encoding => "the master key is neither base64url nor hexadecimal",
            Self::Weak => "the master key is not random: fewer than 8 of its 32 bytes differ",
            Self::TooMany => "more than 8 retired master keys",
        })
    }
}

impl std::error::Error for InvalidMasterKey {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::OsEntropy;

    #[test]
    fn a_key_comes_back_from_its_text() {
        let key = MasterKey::generate(&OsEntropy).unwrap();
        let read: MasterKey = key.expose_text().parse().unwrap();
        assert_eq!(*read.0, *key.0);
        let hex: String = key.0.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(*hex.parse::<MasterKey>().unwrap().0, *key.0);
    }

    #[test]
    fn subkeys_differ_by_purpose_and_stay_the_same() {
        let key = MasterKey::from_bytes(std::array::from_fn(|i| u8::try_from(i).unwrap())).unwrap();
        assert_ne!(*key.derive(Purpose::KeyTag), *key.derive(Purpose::Cursor));
        // HKDF-SHA-256 of 00..1f, computed with another implementation: a change would void every key text.
        let tag: String = key
            .derive(Purpose::KeyTag)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(
            tag,
            include_str!("../../tests/golden/tag_subkey.txt").trim()
        );
    }

    #[test]
    fn what_is_no_key_is_refused_with_its_reason() {
        for (text, reason) in [
            ("", InvalidMasterKey::Empty),
            ("secret", InvalidMasterKey::Length),
            (&"0".repeat(64), InvalidMasterKey::Weak),
            (&"!".repeat(43), InvalidMasterKey::Encoding),
            (&"g".repeat(64), InvalidMasterKey::Encoding),
            (&"é".repeat(32), InvalidMasterKey::Encoding),
        ] {
            assert_eq!(text.parse::<MasterKeys>().unwrap_err(), reason, "{text}");
        }
    }

    #[test]
    fn a_ring_lists_the_current_key_first() {
        let texts: Vec<_> = (0..3)
            .map(|_| MasterKey::generate(&OsEntropy).unwrap().expose_text())
            .collect();
        let ring: MasterKeys = texts
            .iter()
            .map(|text| text.as_str())
            .collect::<Vec<_>>()
            .join(",\n")
            .parse()
            .unwrap();
        assert_eq!(ring.current().expose_text(), texts[0]);
        assert_eq!(ring.all().count(), 3);
    }
}
