//! Randomness that can be drawn again.
//!
//! ```
//! use sakms_core::entropy::Entropy;
//! use sakms_core::testkit::entropy::SeededEntropy;
//!
//! let (entropy, mut first, mut second) = (SeededEntropy::new("a case"), [0; 16], [0; 16]);
//! entropy.fill(&mut first).unwrap();
//! entropy.begin("a case");
//! entropy.fill(&mut second).unwrap();
//! assert_eq!(first, second);
//! ```

use std::fmt;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use crate::entropy::{Entropy, EntropyError};

/// Bytes that follow from a label and from nothing else. They protect nothing.
pub struct SeededEntropy(Mutex<State>);

struct State {
    seed: [u8; 32],
    drawn: u64,
}

impl State {
    fn of(label: &str) -> Self {
        let seed = Sha256::digest(label).into();
        Self { seed, drawn: 0 }
    }

    fn block(&mut self) -> [u8; 32] {
        self.drawn += 1;
        let block = Sha256::new()
            .chain_update(self.seed)
            .chain_update(self.drawn.to_be_bytes());
        block.finalize().into()
    }
}

impl SeededEntropy {
    /// The bytes of `label`.
    #[must_use]
    pub fn new(label: &str) -> Self {
        Self(Mutex::new(State::of(label)))
    }

    /// From now on the bytes of `label`, from their beginning.
    pub fn begin(&self, label: &str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State::of(label);
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for part in bytes.chunks_mut(32) {
            part.copy_from_slice(&state.block()[..part.len()]);
        }
        Ok(())
    }
}

impl fmt::Debug for SeededEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeededEntropy").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(entropy: &SeededEntropy) -> [u8; 70] {
        let mut bytes = [0; 70];
        entropy.fill(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn bytes_follow_from_the_label_and_do_not_repeat() {
        let entropy = SeededEntropy::new("a");
        let (first, second) = (drawn(&entropy), drawn(&entropy));
        assert_ne!(first, second);
        assert_ne!(first[..32], first[32..64]);
        entropy.begin("b");
        assert_ne!(drawn(&entropy), first);
        entropy.begin("a");
        assert_eq!((drawn(&entropy), drawn(&entropy)), (first, second));
    }
}
