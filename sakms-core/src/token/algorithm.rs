//! How a token is signed.

use std::fmt;

use jsonwebtoken::Algorithm;

/// How a key signs. A key has one, and a token of it that names another is denied (RFC 8725, section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenAlgorithm {
    /// Ed25519 (RFC 8037): short, fast, and without randomness that could be bad. The one to choose.
    EdDsa,
    /// ECDSA on P-256 with SHA-256 (RFC 7518, section 3.4).
    Es256,
    /// RSA (PKCS#1 v1.5) with SHA-256 (RFC 7518, section 3.3), for who can check nothing else. A key has 2,048 to
    /// 8,192 bits. Signing takes some fifty times as long as with Ed25519.
    Rs256,
    /// HMAC with SHA-256 (RFC 7518, section 3.2): whoever can check a token can make one.
    Hs256,
}

impl TokenAlgorithm {
    /// The name in the header, to the letter.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::Hs256 => "HS256",
        }
    }

    /// Whether tokens are checked with a public key, which can be published.
    #[must_use]
    pub const fn is_asymmetric(self) -> bool {
        !matches!(self, Self::Hs256)
    }

    pub(super) const fn library(self) -> Algorithm {
        match self {
            Self::EdDsa => Algorithm::EdDSA,
            Self::Es256 => Algorithm::ES256,
            Self::Rs256 => Algorithm::RS256,
            Self::Hs256 => Algorithm::HS256,
        }
    }
}

impl fmt::Display for TokenAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
