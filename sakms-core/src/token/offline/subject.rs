//! Of what a token is that can be put an end to.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::id::{KeyId, SessionId};
use crate::key::Owner;

/// What a revocation is about, as a digest: who holds a token of it can make the digest, and nobody else learns anything from
/// it. Ids are random enough for that; of an owner whose name can be guessed, a guess can be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RevocationSubject([u8; 16]);

impl RevocationSubject {
    pub(crate) fn key(id: KeyId) -> Self {
        Self::of("key", &id.to_string())
    }

    /// An owner, with all that they hold.
    pub(crate) fn owner(owner: &Owner) -> Self {
        Self::of("owner", owner.as_str())
    }

    pub(crate) fn session(id: SessionId) -> Self {
        Self::of("session", &id.to_string())
    }

    /// Every session of an owner.
    pub(crate) fn sessions(owner: &Owner) -> Self {
        Self::of("sessions", owner.as_str())
    }

    /// The first 16 bytes of the SHA-256 of the kind, a colon and the id.
    fn of(kind: &str, id: &str) -> Self {
        let digest = Sha256::digest(format!("{kind}:{id}"));
        let mut head = [0; 16];
        head.copy_from_slice(&digest[..16]);
        Self(head)
    }
}

impl Serialize for RevocationSubject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for RevocationSubject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("not the digest of a subject"))
    }
}
