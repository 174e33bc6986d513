//! Argon2id: its parameters, its stored form and the computation.

use std::fmt;

use ::argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::HashError;
use super::arena::Arena;
use crate::secret::StoredHash;

/// The length of the salts and hashes that are made, in bytes (RFC 9106, section 3.1).
pub(super) const SALT_BYTES: usize = 16;
pub(super) const HASH_BYTES: usize = 32;
/// What a stored string may bring. A shorter salt repeats, a shorter hash is met by chance.
const SALT_LENGTHS: std::ops::RangeInclusive<usize> = 8..=64;
const HASH_LENGTHS: std::ops::RangeInclusive<usize> = 16..=64;

/// How dear a hash is: memory in KiB, passes over it, and lanes.
///
/// The default is OWASP's: 19,456 KiB, 2 passes, 1 lane; some 20 to 30 milliseconds of one core. A single thread
/// computes all the lanes, so more of them make a hash no faster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Params {
    memory_kib: u32,
    iterations: u32,
    lanes: u32,
}

impl Argon2Params {
    /// The most lanes there may be.
    pub const MAX_LANES: u32 = 16;

    /// Parameters no weaker than the OWASP ASVS 5.0 allows (appendix C): at least 47,104 KiB with 1 pass,
    /// 19,456 KiB with 2, 12,288 KiB with 3 or more; 1 to 16 lanes.
    ///
    /// # Errors
    /// [`InvalidParams`] when they are weaker, or not Argon2's.
    pub const fn new(memory_kib: u32, iterations: u32, lanes: u32) -> Result<Self, InvalidParams> {
        let least = match iterations {
            0 => return Err(InvalidParams::Iterations),
            1 => 47_104,
            2 => 19_456,
            _ => 12_288,
        };
        if memory_kib < least {
            return Err(InvalidParams::Memory { least });
        }
        if lanes == 0 || lanes > Self::MAX_LANES {
            return Err(InvalidParams::Lanes);
        }
        Ok(Self {
            memory_kib,
            iterations,
            lanes,
        })
    }

    /// The cheapest that Argon2 knows, for tests that hash a lot. They protect nothing.
    #[cfg(any(test, feature = "testkit"))]
    #[must_use]
    pub const fn insecure_fast() -> Self {
        Self {
            memory_kib: 8,
            iterations: 1,
            lanes: 1,
        }
    }

    /// The memory of one hash in KiB.
    #[must_use]
    pub const fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// The passes over the memory.
    #[must_use]
    pub const fn iterations(self) -> u32 {
        self.iterations
    }

    /// The lanes the memory is divided into.
    #[must_use]
    pub const fn lanes(self) -> u32 {
        self.lanes
    }

    /// How many blocks of memory a hash takes.
    pub(super) fn block_count(self) -> Result<usize, HashError> {
        self.library().map(|params| params.block_count())
    }

    fn library(self) -> Result<Params, HashError> {
        Params::new(self.memory_kib, self.iterations, self.lanes, None).map_err(HashError::failed)
    }
}

impl Default for Argon2Params {
    fn default() -> Self {
        Self {
            memory_kib: 19_456,
            iterations: 2,
            lanes: 1,
        }
    }
}

/// Why these are no parameters to hash with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidParams {
    /// Less memory than is safe with so many passes.
    Memory {
        /// The least for that number of passes, in KiB.
        least: u32,
    },
    /// No pass at all.
    Iterations,
    /// Not 1 to 16 lanes.
    Lanes,
}

impl fmt::Display for InvalidParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory { least } => {
                write!(f, "with so few passes Argon2id needs at least {least} KiB")
            }
            Self::Iterations => f.write_str("Argon2id needs at least one pass"),
            Self::Lanes => write!(f, "Argon2id takes 1 to {} lanes", Argon2Params::MAX_LANES),
        }
    }
}

impl std::error::Error for InvalidParams {}

/// The most that a stored string may demand.
///
/// Argon2's own bounds are 4 TiB and four thousand million passes, and whoever can write one row of the database
/// would choose them. The default allows 262,144 KiB, 16 passes and 16 lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashLimits {
    memory_kib: u32,
    iterations: u32,
    lanes: u32,
}

impl HashLimits {
    /// Limits of one's own: memory in KiB, passes, lanes.
    #[must_use]
    pub const fn new(memory_kib: u32, iterations: u32, lanes: u32) -> Self {
        Self {
            memory_kib,
            iterations,
            lanes,
        }
    }

    /// Whether a hash with these parameters will be computed.
    #[must_use]
    pub const fn allow(self, params: Argon2Params) -> bool {
        params.memory_kib <= self.memory_kib
            && params.iterations <= self.iterations
            && params.lanes <= self.lanes
    }
}

impl Default for HashLimits {
    fn default() -> Self {
        Self::new(262_144, 16, 16)
    }
}

/// A stored string, read and found to be within the limits.
pub(super) struct Stored {
    params: Argon2Params,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Stored {
    /// What a new hash looks like once it is computed.
    pub(super) fn new(params: Argon2Params, salt: &[u8], hash: &[u8]) -> Self {
        Self {
            params,
            salt: salt.to_vec(),
            hash: hash.to_vec(),
        }
    }

    /// Reads `$argon2id$v=19$m=..,t=..,p=..$salt$hash`, in this one spelling.
    pub(super) fn parse(stored: &StoredHash, limits: HashLimits) -> Result<Self, HashError> {
        let text = stored.as_str();
        if text.len() > StoredHash::MAX_BYTES {
            return Err(HashError::Unreadable);
        }
        Self::fields(text)
            .filter(|read| limits.allow(read.params) && read.params.library().is_ok())
            .filter(|read| SALT_LENGTHS.contains(&read.salt.len()))
            .filter(|read| HASH_LENGTHS.contains(&read.hash.len()))
            .ok_or(HashError::Unreadable)
    }

    fn fields(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("$argon2id$v=19$m=")?;
        let mut fields = rest.split('$');
        let mut costs = fields.next()?.split(',');
        let params = Argon2Params {
            memory_kib: number(costs.next()?)?,
            iterations: number(costs.next()?.strip_prefix("t=")?)?,
            lanes: number(costs.next()?.strip_prefix("p=")?)?,
        };
        let salt = STANDARD_NO_PAD.decode(fields.next()?).ok()?;
        let hash = STANDARD_NO_PAD.decode(fields.next()?).ok()?;
        let finished = costs.next().is_none() && fields.next().is_none();
        finished.then_some(Self { params, salt, hash })
    }

    /// The PHC string.
    pub(super) fn write(&self) -> StoredHash {
        StoredHash::new(format!(
            "$argon2id$v=19$m={},t={},p={}${}${}",
            self.params.memory_kib,
            self.params.iterations,
            self.params.lanes,
            STANDARD_NO_PAD.encode(&self.salt),
            STANDARD_NO_PAD.encode(&self.hash),
        ))
    }

    /// Whether `secret` is what was hashed.
    pub(super) fn matches(&self, secret: &[u8], arena: &mut Arena) -> Result<bool, HashError> {
        let mut buffer = Zeroizing::new([0; *HASH_LENGTHS.end()]);
        let hash = &mut buffer[..self.hash.len()];
        compute(self.params, secret, &self.salt, hash, arena)?;
        Ok(hash.ct_eq(&self.hash).into())
    }

    /// Whether it was made as a new one would be.
    pub(super) fn is_current(&self, params: Argon2Params) -> bool {
        self.params == params && self.salt.len() >= SALT_BYTES && self.hash.len() == HASH_BYTES
    }
}

/// A decimal number in its one spelling: no sign, no leading zero.
fn number(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let plain = digits && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}

/// Argon2id, version 19, of `secret` into the whole of `hash`.
pub(super) fn compute(
    params: Argon2Params,
    secret: &[u8],
    salt: &[u8],
    hash: &mut [u8],
    arena: &mut Arena,
) -> Result<(), HashError> {
    let params = params.library()?;
    let blocks = arena.blocks(params.block_count())?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(secret, salt, hash, blocks)
        .map_err(HashError::failed)
}

#[cfg(test)]
mod tests;
