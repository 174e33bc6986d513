//! What stands for a key text in a cache.

use std::fmt;
use std::hash::{Hash, Hasher};

use siphasher::sip128::{Hasher128 as _, SipHasher24};

use crate::entropy::{self, Entropy, EntropyError};

/// The keyed digest of a whole key text: without the key nobody can find two texts with one digest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::service) struct Digest([u64; 2]);

impl Digest {
    /// Sixty-four bits of it, to find a place by.
    pub(super) const fn short(self) -> u64 {
        self.0[0]
    }

    #[cfg(test)]
    pub(super) const fn halves(self) -> [u64; 2] {
        self.0
    }
}

impl Hash for Digest {
    /// It is as good as random already; [`Unchanged`] takes it as it is.
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.short());
    }
}

/// A map is found by what is seen of it, so a digest is not shown.
impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(..)")
    }
}

/// The hash of what is a keyed digest: nobody outside can steer it, so nothing is gained by another one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Unchanged(u64);

impl Hasher for Unchanged {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// What tells one stored hash of a secret from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service) struct HashId(u64);

/// Makes digests under keys that are drawn when the process starts and never leave it (SipHash-2-4 with 128 bits).
pub(super) struct Digester {
    texts: SipHasher24,
    others: SipHasher24,
}

impl Digester {
    pub(super) fn new(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let keyed = || Ok(SipHasher24::new_with_key(&entropy::draw(entropy)?));
        Ok(Self {
            texts: keyed()?,
            others: keyed()?,
        })
    }

    /// Stands for all of `text`, to the last character.
    pub(super) fn text(&self, text: &str) -> Digest {
        let digest = self.texts.hash(text.as_bytes());
        Digest([digest.h1, digest.h2])
    }

    /// Stands for a stored hash.
    pub(super) fn hash(&self, stored: &str) -> HashId {
        HashId(self.short(stored.as_bytes()))
    }

    /// 64 bits that nobody outside can steer.
    pub(super) fn short(&self, bytes: &[u8]) -> u64 {
        let mut hasher = self.others;
        hasher.write(bytes);
        hasher.finish128().h1
    }
}

/// The keys stay unseen: with them, texts could be made that meet in one digest.
impl fmt::Debug for Digester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
