//! Why a key cannot be loaded.

use std::fmt;

use crate::token::InvalidSecret;

/// Why a text is no key to sign or verify tokens with. It never holds a part of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidTokenKey {
    /// There is no key in it that can be read.
    NotAKey,
    /// There is more than one key in it, or something beside the key.
    Several,
    /// More than 16 KiB: some other file.
    TooLong,
    /// A public key or a certificate, where a private key is needed to sign.
    PublicOnly,
    /// A private key, where the public one is enough to verify.
    PrivateGiven,
    /// A private key under a passphrase.
    Encrypted,
    /// A key in another form than the one expected: PKCS#1, SEC 1, OpenSSH, a certificate.
    OtherForm,
    /// A key of an algorithm that no token is signed with here.
    Algorithm,
    /// An RSA key of so many bits.
    RsaBits(usize),
    /// The key is damaged, or its two halves do not belong together.
    Damaged,
    /// This part of a JWK is missing, malformed, or says that the key is for something else.
    Jwk(&'static str),
    /// The name is not 1 to 64 characters of `[A-Za-z0-9_-]`.
    Kid,
    /// The secret in a JWK is none.
    Secret(InvalidSecret),
}

impl fmt::Display for InvalidTokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAKey => {
                "no key can be read in it; a private key is PKCS#8 (`openssl genpkey -algorithm ed25519`), a public one \
                 SubjectPublicKeyInfo (`openssl pkey -pubout`), both as PEM or DER, or a JWK"
            }
            Self::Several => "there is more than one key in it, or something beside the key",
            Self::TooLong => "it is longer than 16 KiB, which no key is",
            Self::PublicOnly => "it is a public key; signing needs the private one",
            Self::PrivateGiven => "it is a private key; give the public one (`openssl pkey -pubout`)",
            Self::Encrypted => "it is under a passphrase; take it off with `openssl pkcs8 -topk8 -nocrypt`",
            Self::OtherForm => {
                "it is a key in another form; convert it with `openssl pkcs8 -topk8 -nocrypt`, a public one or a \
                 certificate with `openssl pkey -pubout` or `openssl x509 -pubkey -noout`"
            }
            Self::Algorithm => "it is neither an Ed25519, nor a P-256, nor a plain RSA key",
            Self::RsaBits(bits) => {
                return write!(f, "an RSA key has 2,048 to 8,192 bits, and this one {bits}");
            }
            Self::Damaged => "it is damaged, or its two halves do not belong together",
            Self::Jwk(part) => {
                return write!(
                    f,
                    "{part} of the JWK is missing, malformed, or says that the key is for something else"
                );
            }
            Self::Kid => "a kid is 1 to 64 characters of A-Z, a-z, 0-9, _ and -",
            Self::Secret(reason) => return reason.fmt(f),
        })
    }
}

impl std::error::Error for InvalidTokenKey {}
