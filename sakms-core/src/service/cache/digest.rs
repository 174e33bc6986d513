//! What stands for a key text in a cache.

use crate::entropy::{self, Entropy, EntropyError};

/// The keyed digest of a whole key text, cut to 128 bits: without the key nobody can find two texts with one digest.
pub(in crate::service) type Digest = u128;

/// What tells one stored hash of a secret from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service) struct HashId(u64);

/// Makes digests under a key that is drawn when the process starts and never leaves it (BLAKE3, keyed mode).
pub(super) struct Digester {
    key: [u8; 32],
}

impl Digester {
    pub(super) fn new(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        Ok(Self {
            key: entropy::draw(entropy)?,
        })
    }

    /// Stands for all of `text`, to the last character.
    pub(super) fn text(&self, text: &str) -> Digest {
        let digest = blake3::keyed_hash(&self.key, text.as_bytes());
        let (half, _) = digest.as_bytes().split_at(16);
        u128::from_le_bytes(std::array::from_fn(|i| half[i]))
    }

    /// Stands for a stored hash.
    pub(super) fn hash(&self, stored: &str) -> HashId {
        HashId(self.short(stored.as_bytes()))
    }

    /// 64 bits that nobody outside can steer.
    pub(super) fn short(&self, bytes: &[u8]) -> u64 {
        let digest = blake3::keyed_hash(&self.key, bytes);
        u64::from_le_bytes(std::array::from_fn(|i| digest.as_bytes()[i]))
    }
}

/// The key stays unseen: with it, texts could be made that meet in one digest.
impl std::fmt::Debug for Digester {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Digester").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::OsEntropy;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn texts_that_differ_in_one_character_share_nothing(text in "[0-9A-Za-z_]{1,200}", place in any::<prop::sample::Index>(), other in "[0-9A-Za-z_]") {
            let digester = Digester::new(&OsEntropy).unwrap();
            let place = place.index(text.len());
            let changed = format!("{}{other}{}", &text[..place], &text[place + 1..]);
            prop_assert_eq!(digester.text(&text) == digester.text(&changed), text == changed);
            let last = format!("{}{other}", &text[..text.len() - 1]);
            prop_assert_eq!(digester.text(&text) == digester.text(&last), text == last);
        }
    }

    #[test]
    fn another_process_has_other_digests() {
        let [one, other] = [(); 2].map(|()| Digester::new(&OsEntropy).unwrap());
        assert_ne!(one.text("acme"), other.text("acme"));
        assert_eq!(one.text("acme"), one.text("acme"));
    }
}
