//! Randomness, injected.
//!
//! Every secret, id and salt is drawn through an [`Entropy`]. This file is the only one that may ask the
//! operating system (clippy holds the rest to it).

use std::fmt;

/// Where SAKMS gets its random bytes from.
///
/// An implementation must be fit for key material: unpredictable, and safe to call from many threads.
pub trait Entropy: fmt::Debug + Send + Sync + 'static {
    /// Fills all of `bytes`.
    ///
    /// # Errors
    /// [`EntropyError`] when not every byte could be drawn; `bytes` must then not be used.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

/// The operating system's generator (`getrandom(2)` and its kin).
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where randomness is drawn"
    )]
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        getrandom::fill(bytes).map_err(|error| EntropyError(error.to_string()))
    }
}

/// The source of randomness failed; nothing was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntropyError(String);

impl EntropyError {
    /// An error with the source's own words.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for EntropyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no random bytes could be drawn: {}", self.0)
    }
}

impl std::error::Error for EntropyError {}

/// `N` random bytes.
pub(crate) fn draw<const N: usize>(entropy: &dyn Entropy) -> Result<[u8; N], EntropyError> {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes)?;
    Ok(bytes)
}
