//! Keys as files: PKCS#8 for those that sign (RFC 5208), SubjectPublicKeyInfo for those that verify (RFC 5280), as DER
//! or as PEM (RFC 7468).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair,
    RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::EncodingKey;
use rustls_pki_types::pem::{PemObject as _, SectionKind};
use zeroize::Zeroizing;

use super::der::{self, Kind};
use super::{InvalidTokenKey, SigningKey, VerifyingKey};
use crate::secret::PrivateKeyPem;
use crate::token::jwks::PublicKey;

/// The longest file that is looked at, in bytes. An RSA key of 8,192 bits has about 6,400 as PEM.
pub(super) const MAX_BYTES: usize = 16 * 1024;

/// The key in a PEM file, as DER, and what the file says it is.
fn section(pem: &str) -> Result<(SectionKind, Zeroizing<Vec<u8>>), InvalidTokenKey> {
    if pem.len() > MAX_BYTES {
        return Err(InvalidTokenKey::TooLong);
    }
    // The parser passes over what it does not know.
    if pem.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") {
        return Err(InvalidTokenKey::Encrypted);
    }
    if pem.contains("-----BEGIN OPENSSH PRIVATE KEY-----") {
        return Err(InvalidTokenKey::OtherForm);
    }
    let mut sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(pem.as_bytes());
    let first = sections.next().ok_or(InvalidTokenKey::NotAKey)?;
    let (kind, der) = first.map_err(|_| InvalidTokenKey::NotAKey)?;
    let der = Zeroizing::new(der);
    if sections.next().is_some() {
        return Err(InvalidTokenKey::Several);
    }
    Ok((kind, der))
}

pub(super) fn signing_pem(pem: &str) -> Result<SigningKey, InvalidTokenKey> {
    match section(pem)? {
        (SectionKind::PrivateKey, der) => signing(&der),
        (SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey, _) => {
            Err(InvalidTokenKey::OtherForm)
        }
        (SectionKind::PublicKey | SectionKind::Certificate, _) => Err(InvalidTokenKey::PublicOnly),
        _ => Err(InvalidTokenKey::NotAKey),
    }
}

pub(super) fn verifying_pem(pem: &str) -> Result<VerifyingKey, InvalidTokenKey> {
    match section(pem)? {
        (SectionKind::PublicKey, der) => verifying(&der),
        (SectionKind::Certificate, _) => Err(InvalidTokenKey::OtherForm),
        (SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey, _) => {
            Err(InvalidTokenKey::PrivateGiven)
        }
        _ => Err(InvalidTokenKey::NotAKey),
    }
}

pub(super) fn signing(pkcs8: &[u8]) -> Result<SigningKey, InvalidTokenKey> {
    if pkcs8.len() > MAX_BYTES {
        return Err(InvalidTokenKey::TooLong);
    }
    let Some((kind, inner)) = der::private_key(pkcs8) else {
        return Err(match der::public_key(pkcs8) {
            Some(_) => InvalidTokenKey::PublicOnly,
            None => InvalidTokenKey::NotAKey,
        });
    };
    let damaged = |_| InvalidTokenKey::Damaged;
    let (public, encoding) = match kind {
        Kind::Ed25519 => {
            let pair = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(damaged)?;
            let public = ed25519(pair.public_key().as_ref())?;
            (public, EncodingKey::from_ed_der(pkcs8))
        }
        Kind::P256 => {
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8);
            let public = p256(pair.map_err(damaged)?.public_key().as_ref())?;
            (public, EncodingKey::from_ec_der(pkcs8))
        }
        Kind::Rsa => {
            let modulus = der::rsa_private_modulus(inner).ok_or(InvalidTokenKey::Damaged)?;
            super::check_rsa_bits(modulus)?;
            let pair = RsaKeyPair::from_pkcs8(pkcs8).map_err(damaged)?;
            let RsaPublicKeyComponents { n, e } = pair.public_key().into();
            // The library takes what stands inside (RFC 8017).
            (PublicKey::Rsa { n, e }, EncodingKey::from_rsa_der(inner))
        }
        Kind::Other => return Err(InvalidTokenKey::Algorithm),
    };
    Ok(SigningKey {
        public_half: VerifyingKey::of_public(public)?,
        encoding,
        pkcs8: Some(Zeroizing::new(pkcs8.to_vec())),
    })
}

pub(super) fn verifying(spki: &[u8]) -> Result<VerifyingKey, InvalidTokenKey> {
    if spki.len() > MAX_BYTES {
        return Err(InvalidTokenKey::TooLong);
    }
    let Some((kind, inner)) = der::public_key(spki) else {
        return Err(match der::private_key(spki) {
            Some(_) => InvalidTokenKey::PrivateGiven,
            None => InvalidTokenKey::NotAKey,
        });
    };
    VerifyingKey::of_public(match kind {
        Kind::Ed25519 => ed25519(inner)?,
        Kind::P256 => p256(inner)?,
        Kind::Rsa => {
            let (n, e) = der::rsa_public(inner).ok_or(InvalidTokenKey::Damaged)?;
            let (n, e) = (n.to_vec(), e.to_vec());
            PublicKey::Rsa { n, e }
        }
        Kind::Other => return Err(InvalidTokenKey::Algorithm),
    })
}

fn ed25519(bytes: &[u8]) -> Result<PublicKey, InvalidTokenKey> {
    let x = bytes.try_into().map_err(|_| InvalidTokenKey::Damaged)?;
    Ok(PublicKey::Ed25519(x))
}

/// The uncompressed form alone: the other one is rare, and two spellings would be two thumbprints.
fn p256(bytes: &[u8]) -> Result<PublicKey, InvalidTokenKey> {
    let point = bytes.strip_prefix(&[4]).unwrap_or_default();
    match point.split_at_checked(32) {
        Some((x, y)) => Ok(PublicKey::P256 {
            x: x.try_into().map_err(|_| InvalidTokenKey::Damaged)?,
            y: y.try_into().map_err(|_| InvalidTokenKey::Damaged)?,
        }),
        None => Err(InvalidTokenKey::Damaged),
    }
}

/// PKCS#8 as text.
pub(super) fn pem(pkcs8: &[u8]) -> PrivateKeyPem {
    let body = Zeroizing::new(STANDARD.encode(pkcs8));
    let mut text = String::with_capacity(body.len() + body.len() / 64 + 64);
    text.push_str("-----BEGIN PRIVATE KEY-----\n");
    for (place, letter) in body.chars().enumerate() {
        if place > 0 && place % 64 == 0 {
            text.push('\n');
        }
        text.push(letter);
    }
    text.push_str("\n-----END PRIVATE KEY-----\n");
    PrivateKeyPem::new(text)
}
