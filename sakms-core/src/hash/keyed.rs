//! HMAC-SHA-256 (RFC 2104) under a pepper: the quick proof of a 256-bit secret.
//!
//! What is stored is `$hmac-sha256$k=<pepper id>$<tag>`: which pepper, in 16 hexadecimal digits, and 32 bytes of
//! base64. There is no salt. It would make two hashes of one secret differ, and no two keys have one secret.
//!
//! The pepper is a subkey of a master key, and so is its id, which gives away neither.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::HashError;
use crate::key::master::{MasterKey, MasterKeys, Purpose};
use crate::secret::StoredHash;

const NAME: &str = "$hmac-sha256$";
const TAG_BYTES: usize = 32;
const ID_BYTES: usize = 8;

/// Whether a stored string says that it is one of these.
pub(super) fn is_keyed(stored: &StoredHash) -> bool {
    stored.as_str().starts_with(NAME)
}

/// The peppers of a service: the current master key's first, then those of the retired ones. There may be none.
#[derive(Default)]
pub(super) struct Peppers(Vec<Pepper>);

struct Pepper {
    id: String,
    /// The state after the key was taken in.
    mac: Hmac<Sha256>,
}

impl Peppers {
    pub(super) fn of(keys: &MasterKeys) -> Self {
        Self(keys.all().filter_map(Pepper::of).collect())
    }

    /// The hash of `secret` under the current pepper.
    pub(super) fn hash(&self, secret: &[u8]) -> Result<StoredHash, HashError> {
        let pepper = self.0.first();
        let pepper = pepper.ok_or_else(|| HashError::failed("there is no master key"))?;
        Ok(pepper.write(&pepper.tag(secret)))
    }

    /// A hash under the current pepper that no secret has: `tag` is not made of one.
    pub(super) fn write(&self, tag: &[u8; TAG_BYTES]) -> Option<StoredHash> {
        self.0.first().map(|pepper| pepper.write(tag))
    }

    /// Whether `secret` is what `stored` was made from. It is unreadable when its pepper is not one of these.
    pub(super) fn verify(&self, secret: &[u8], stored: &StoredHash) -> Result<bool, HashError> {
        let (pepper, tag) = self.read(stored).ok_or(HashError::Unreadable)?;
        Ok(pepper.tag(secret).ct_eq(&tag).into())
    }

    /// Whether `stored` was made as a new one would be.
    pub(super) fn is_current(&self, stored: &StoredHash) -> bool {
        let current = self.0.first().map(|pepper| &pepper.id);
        self.read(stored)
            .is_some_and(|(pepper, _)| Some(&pepper.id) == current)
    }

    fn read(&self, stored: &StoredHash) -> Option<(&Pepper, [u8; TAG_BYTES])> {
        let fields = stored.as_str().strip_prefix(NAME)?.strip_prefix("k=")?;
        let (id, tag) = fields.split_once('$')?;
        let pepper = self.0.iter().find(|pepper| pepper.id == id)?;
        // A longer text does not fit, and the decoder takes no second spelling of the same bytes.
        let mut bytes = [0; TAG_BYTES];
        let written = STANDARD_NO_PAD.decode_slice(tag, &mut bytes).ok()?;
        (written == TAG_BYTES).then_some((pepper, bytes))
    }
}

impl Pepper {
    fn of(key: &MasterKey) -> Option<Self> {
        let name = key.derive(Purpose::KeyPepperId);
        let id = name[..ID_BYTES].iter().map(|byte| format!("{byte:02x}"));
        Some(Self {
            id: id.collect(),
            mac: key.mac(Purpose::KeyPepper)?,
        })
    }

    fn tag(&self, secret: &[u8]) -> [u8; TAG_BYTES] {
        let mut mac = self.mac.clone();
        mac.update(secret);
        mac.finalize().into_bytes().into()
    }

    fn write(&self, tag: &[u8; TAG_BYTES]) -> StoredHash {
        let (id, tag) = (&self.id, STANDARD_NO_PAD.encode(tag));
        StoredHash::new(format!("{NAME}k={id}${tag}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn master(first: u8) -> MasterKey {
        let bytes = std::array::from_fn(|i| first + u8::try_from(i).unwrap());
        MasterKey::from_bytes(bytes).unwrap()
    }

    fn peppers() -> Peppers {
        Peppers::of(&MasterKeys::from(master(0)))
    }

    #[test]
    fn the_hash_is_what_another_program_computes() {
        let stored = peppers().hash(&[7; 32]).unwrap();
        // Computed with Python's hmac and hashlib: a change would void every stored hash.
        assert_eq!(
            stored.as_str(),
            include_str!("../../tests/golden/keyed_hash.txt").trim()
        );
        assert_eq!(peppers().verify(&[7; 32], &stored), Ok(true));
        assert_eq!(peppers().verify(&[8; 32], &stored), Ok(false));
        assert_eq!(peppers().verify(b"", &stored), Ok(false));
        assert!(is_keyed(&stored) && peppers().is_current(&stored));
    }

    #[test]
    fn a_retired_pepper_verifies_and_is_not_current() {
        let stored = peppers().hash(b"secret").unwrap();
        let rotated = MasterKeys::new(master(100)).retire(master(0)).unwrap();
        let rotated = Peppers::of(&rotated);
        assert_eq!(rotated.verify(b"secret", &stored), Ok(true));
        assert_eq!(rotated.verify(b"another", &stored), Ok(false));
        assert!(!rotated.is_current(&stored));
        assert_ne!(rotated.hash(b"secret").unwrap(), stored);

        for stranger in [
            Peppers::of(&MasterKeys::from(master(100))),
            Peppers::default(),
        ] {
            let answer = stranger.verify(b"secret", &stored);
            assert_eq!(answer, Err(HashError::Unreadable));
            assert!(!stranger.is_current(&stored));
        }
        assert!(Peppers::default().hash(b"secret").is_err());
    }

    #[test]
    fn what_is_not_understood_is_never_an_answer() {
        let good = peppers().hash(b"secret").unwrap();
        let good = good.as_str();
        let (head, tag) = good.rsplit_once('$').unwrap();
        let id = &head[NAME.len() + 2..];
        let bad = [
            String::new(),
            NAME.to_owned(),
            format!("{NAME}k={id}"),
            format!("{NAME}k={id}$"),
            format!("{NAME}k=$"),
            format!("{NAME}k=${tag}"),
            format!("{NAME}{id}${tag}"),
            format!("{NAME}k={}${tag}", id.to_uppercase()),
            format!("{NAME}k={}${tag}", &id[1..]),
            format!("{NAME}k={id},k={id}${tag}"),
            format!("{good}="),
            format!("{good}$"),
            format!("{good}A"),
            format!("{good}\n"),
            format!(" {good}"),
            good[..good.len() - 1].to_owned(),
            format!("{head}${}", &tag[..22]),
            format!("{head}${tag}{tag}"),
            good.replace("sha256", "sha512"),
            good.replace("hmac", "HMAC"),
        ];
        for stored in bad {
            let answer = peppers().verify(b"secret", &StoredHash::new(stored.clone()));
            assert_eq!(answer, Err(HashError::Unreadable), "{stored:?}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics_and_never_says_yes(text in any::<String>(), tail in "[0-9A-Za-z+/=$]{0,90}") {
            let id = peppers().0[0].id.clone();
            for text in [text, format!("{NAME}k={id}${tail}")] {
                prop_assert_ne!(peppers().verify(b"secret", &StoredHash::new(text)), Ok(true));
            }
        }

        #[test]
        fn no_other_secret_matches(secret in any::<[u8; 32]>(), other in any::<[u8; 32]>()) {
            let stored = peppers().hash(&secret).unwrap();
            prop_assert_eq!(peppers().verify(&other, &stored), Ok(secret == other));
        }
    }
}
