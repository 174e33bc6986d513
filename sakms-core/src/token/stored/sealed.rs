//! A key as it is kept: sealed under a subkey of the master key (AES-256-GCM, SP 800-38D), to the id of its record.
//!
//! Sealed is: a byte for the form, two moments in microseconds, big-endian, and the key as PKCS#8. Before it stands the
//! nonce, of 12 random bytes. A service makes a few keys a year: that two nonces are the same is out of the question.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::entropy::{self, Entropy};
use crate::key::master::Purpose;
use crate::key::{MasterKey, MasterKeys};
use crate::store::{StateId, StateKind, StateRecord};
use crate::token::{SigningKey, TokenError};

const FORM: u8 = 1;

/// What is sealed.
#[derive(Debug)]
pub(super) struct KeyRecordBody {
    /// From when on it signs.
    pub(super) signs_from: Timestamp,
    /// When the keys before it end.
    pub(super) others_end_at: Timestamp,
    pub(super) key: SigningKey,
}

/// Seals with the current master key; opens with every one that is listed.
pub(super) struct KeySeal(Vec<LessSafeKey>);

impl fmt::Debug for KeySeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySeal([redacted])")
    }
}

/// The id of the record of the key with this number.
pub(super) fn id(number: u64) -> StateId {
    StateId::of(&u128::from(number).to_be_bytes())
}

/// The number of a record; `None` for one that nobody of this version has made.
pub(super) fn number(record: &StateRecord) -> Option<u64> {
    let bytes = record.id.as_bytes().first_chunk::<16>()?;
    let number = u64::try_from(u128::from_be_bytes(*bytes)).ok()?;
    (id(number) == record.id).then_some(number)
}

fn sealed_to(id: StateId) -> Aad<Vec<u8>> {
    let kind = StateKind::SigningKey.as_str().as_bytes();
    Aad::from([kind, b"\0", id.as_bytes()].concat())
}

impl KeySeal {
    pub(super) fn new(keys: &MasterKeys) -> Self {
        let seal = |key: &MasterKey| {
            let subkey = key.derive(Purpose::SigningKeySeal);
            UnboundKey::new(&AES_256_GCM, subkey.as_ref()).ok()
        };
        Self(keys.all().filter_map(seal).map(LessSafeKey::new).collect())
    }

    pub(super) fn seal(
        &self,
        id: StateId,
        body: &KeyRecordBody,
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, TokenError> {
        let pkcs8 = body.key.pkcs8();
        let pkcs8 = pkcs8.ok_or_else(|| TokenError::new("a secret is not kept in the store"))?;
        let nonce = entropy::draw::<NONCE_LEN>(entropy).map_err(TokenError::new)?;
        let mut sealed = Zeroizing::new(vec![FORM]);
        for moment in [body.signs_from, body.others_end_at] {
            sealed.extend(moment.as_micros().to_be_bytes());
        }
        sealed.extend(pkcs8);
        let current = self.0.first();
        let current = current.ok_or_else(|| TokenError::new("there is no key to seal with"))?;
        let tag = current
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                sealed_to(id),
                sealed.as_mut_slice(),
            )
            .map_err(TokenError::new)?;
        Ok([&nonce[..], &sealed, tag.as_ref()].concat())
    }

    /// What was sealed; `None` when it was not sealed under one of the master keys, or to another id.
    pub(super) fn open(&self, id: StateId, value: &[u8]) -> Option<KeyRecordBody> {
        let (nonce, sealed) = value.split_first_chunk::<NONCE_LEN>()?;
        self.0.iter().find_map(|key| {
            let mut room = Zeroizing::new(sealed.to_vec());
            let nonce = Nonce::assume_unique_for_key(*nonce);
            let opened = key
                .open_in_place(nonce, sealed_to(id), room.as_mut_slice())
                .ok()?;
            parse(opened)
        })
    }
}

fn parse(opened: &[u8]) -> Option<KeyRecordBody> {
    let (&FORM, rest) = opened.split_first()? else {
        return None;
    };
    let (signs_from, rest) = rest.split_first_chunk()?;
    let (others_end_at, pkcs8) = rest.split_first_chunk()?;
    let moment = |bytes: &[u8; 8]| Timestamp::from_micros(i64::from_be_bytes(*bytes));
    Some(KeyRecordBody {
        signs_from: moment(signs_from)?,
        others_end_at: moment(others_end_at)?,
        key: SigningKey::from_pkcs8_der(pkcs8).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::OsEntropy;

    fn body() -> KeyRecordBody {
        KeyRecordBody {
            signs_from: Timestamp::EPOCH,
            others_end_at: Timestamp::MAX,
            key: SigningKey::generate_ed25519(&OsEntropy).unwrap(),
        }
    }

    fn master() -> MasterKey {
        MasterKey::generate(&OsEntropy).unwrap()
    }

    #[test]
    fn a_key_opens_at_its_place_alone_and_not_when_a_bit_is_another() {
        let (seal, body) = (KeySeal::new(&master().into()), body());
        let value = seal.seal(id(3), &body, &OsEntropy).unwrap();
        let opened = seal.open(id(3), &value).unwrap();
        assert_eq!(opened.key.kid(), body.key.kid());
        assert_eq!(opened.signs_from, body.signs_from);
        assert_eq!(opened.others_end_at, body.others_end_at);
        assert!(seal.open(id(4), &value).is_none());
        for bit in 0..value.len() * 8 {
            let mut other = value.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(seal.open(id(3), &other).is_none(), "bit {bit}");
        }
        for length in 0..value.len() {
            assert!(seal.open(id(3), &value[..length]).is_none(), "{length}");
        }
    }

    #[test]
    fn the_private_key_is_not_in_what_is_kept() {
        let (seal, body) = (KeySeal::new(&master().into()), body());
        let value = seal.seal(id(1), &body, &OsEntropy).unwrap();
        let pkcs8 = body.key.pkcs8().unwrap();
        for part in pkcs8.windows(8) {
            assert!(!value.windows(8).any(|kept| kept == part));
        }
        let again = seal.seal(id(1), &body, &OsEntropy).unwrap();
        assert_ne!(value, again, "each has a nonce of its own");
    }

    #[test]
    fn a_retired_master_key_opens_and_another_does_not() {
        let text = || master().expose_text().to_string();
        let (old, new, other) = (text(), text(), text());
        let seal = |texts: &str| KeySeal::new(&texts.parse().unwrap());
        let value = seal(&old).seal(id(1), &body(), &OsEntropy).unwrap();
        assert!(seal(&format!("{new},{old}")).open(id(1), &value).is_some());
        assert!(
            seal(&format!("{new},{other}"))
                .open(id(1), &value)
                .is_none()
        );
    }
}
