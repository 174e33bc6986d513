//! Keys as JSON (RFC 7517; RFC 7518, section 6; RFC 8037, section 2).

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::{InvalidTokenKey, SigningKey, VerifyingKey, check_kid, file};
use crate::token::jwks::PublicKey;
use crate::token::{HmacSecret, TokenAlgorithm};

/// A member that may be secret: bytes in base64url without padding.
struct Bytes(Zeroizing<Vec<u8>>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let bytes = URL_SAFE_NO_PAD.decode(&*text);
        // The library's error would quote a part of the text.
        let bytes = bytes.map_err(|_| serde::de::Error::custom("not base64url"))?;
        Ok(Self(Zeroizing::new(bytes)))
    }
}

/// The members that are looked at. Others say nothing that matters here (`x5c`, `x5t`, `ext`, …).
#[derive(Deserialize)]
struct Members {
    kty: String,
    crv: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    kid: Option<String>,
    x: Option<Bytes>,
    y: Option<Bytes>,
    n: Option<Bytes>,
    e: Option<Bytes>,
    d: Option<Bytes>,
    p: Option<Bytes>,
    q: Option<Bytes>,
    dp: Option<Bytes>,
    dq: Option<Bytes>,
    qi: Option<Bytes>,
    /// More than two primes: no library here knows them.
    oth: Option<serde::de::IgnoredAny>,
    k: Option<Bytes>,
}

/// A key that signs.
pub(super) fn signing(text: &str) -> Result<SigningKey, InvalidTokenKey> {
    let members = read(text)?;
    let algorithm = members.algorithm("sign")?;
    let key = match algorithm {
        TokenAlgorithm::Hs256 => SigningKey::from(members.secret()?),
        _ if members.d.is_none() => return Err(InvalidTokenKey::PublicOnly),
        TokenAlgorithm::EdDsa => members.ed25519()?,
        TokenAlgorithm::Es256 => members.p256()?,
        TokenAlgorithm::Rs256 => members.rsa()?,
    };
    match members.kid {
        Some(kid) => key.with_kid(&kid),
        None => Ok(key),
    }
}

/// A key that verifies.
pub(super) fn verifying(text: &str) -> Result<VerifyingKey, InvalidTokenKey> {
    let members = read(text)?;
    let algorithm = members.algorithm("verify")?;
    if algorithm.is_asymmetric() && members.d.is_some() {
        return Err(InvalidTokenKey::PrivateGiven);
    }
    let key = match algorithm {
        TokenAlgorithm::Hs256 => VerifyingKey::from(members.secret()?),
        _ => VerifyingKey::of_public(members.public(algorithm)?)?,
    };
    match members.kid {
        Some(kid) => key.with_kid(&kid),
        None => Ok(key),
    }
}

fn read(text: &str) -> Result<Members, InvalidTokenKey> {
    if text.len() > file::MAX_BYTES {
        return Err(InvalidTokenKey::TooLong);
    }
    if !text.trim_start().starts_with('{') {
        return Err(InvalidTokenKey::NotAKey);
    }
    // serde's error names a place and a member; it might quote a value as well.
    let members: Members =
        serde_json::from_str(text).map_err(|_| InvalidTokenKey::Jwk("JSON or a member"))?;
    match &members.kid {
        Some(kid) => check_kid(kid).map(|()| members),
        None => Ok(members),
    }
}

impl Members {
    /// What the key is for: what it is of, unless a member says otherwise.
    fn algorithm(&self, operation: &str) -> Result<TokenAlgorithm, InvalidTokenKey> {
        let algorithm = match (self.kty.as_str(), self.crv.as_deref()) {
            ("OKP", Some("Ed25519")) => TokenAlgorithm::EdDsa,
            ("EC", Some("P-256")) => TokenAlgorithm::Es256,
            ("RSA", None) => TokenAlgorithm::Rs256,
            ("oct", None) => TokenAlgorithm::Hs256,
            _ => return Err(InvalidTokenKey::Algorithm),
        };
        let told = |alg: &str| {
            alg == algorithm.name() || algorithm == TokenAlgorithm::EdDsa && alg == "Ed25519"
        };
        if self.alg.as_deref().is_some_and(|alg| !told(alg)) {
            return Err(InvalidTokenKey::Jwk("`alg`"));
        }
        if self.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return Err(InvalidTokenKey::Jwk("`use`"));
        }
        let fits = |operations: &Vec<String>| operations.iter().any(|known| known == operation);
        if !self.key_ops.as_ref().is_none_or(fits) {
            return Err(InvalidTokenKey::Jwk("`key_ops`"));
        }
        Ok(algorithm)
    }

    fn secret(&self) -> Result<HmacSecret, InvalidTokenKey> {
        let bytes = bytes(self.k.as_ref(), "`k`")?;
        HmacSecret::from_bytes(bytes).map_err(InvalidTokenKey::Secret)
    }

    fn public(&self, algorithm: TokenAlgorithm) -> Result<PublicKey, InvalidTokenKey> {
        Ok(match algorithm {
            TokenAlgorithm::EdDsa => PublicKey::Ed25519(fixed(self.x.as_ref(), "`x`")?),
            TokenAlgorithm::Es256 => PublicKey::P256 {
                x: fixed(self.x.as_ref(), "`x`")?,
                y: fixed(self.y.as_ref(), "`y`")?,
            },
            _ => PublicKey::Rsa {
                n: number(self.n.as_ref(), "`n`")?.to_vec(),
                e: number(self.e.as_ref(), "`e`")?.to_vec(),
            },
        })
    }

    fn ed25519(&self) -> Result<SigningKey, InvalidTokenKey> {
        let seed = Zeroizing::new(fixed(self.d.as_ref(), "`d`")?);
        let x = fixed(self.x.as_ref(), "`x`")?;
        let pair = Ed25519KeyPair::from_seed_and_public_key(&*seed, &x);
        let pair = pair.map_err(|_| InvalidTokenKey::Damaged)?;
        let document = pair.to_pkcs8v1().map_err(|_| InvalidTokenKey::Damaged)?;
        file::signing(document.as_ref())
    }

    fn p256(&self) -> Result<SigningKey, InvalidTokenKey> {
        let scalar = Zeroizing::new(fixed(self.d.as_ref(), "`d`")?);
        let (x, y) = (
            fixed(self.x.as_ref(), "`x`")?,
            fixed(self.y.as_ref(), "`y`")?,
        );
        let pair = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            &*scalar,
            &PublicKey::point(&x, &y),
        );
        let pair = pair.map_err(|_| InvalidTokenKey::Damaged)?;
        let document = pair.to_pkcs8v1().map_err(|_| InvalidTokenKey::Damaged)?;
        file::signing(document.as_ref())
    }

    fn rsa(&self) -> Result<SigningKey, InvalidTokenKey> {
        if self.oth.is_some() {
            return Err(InvalidTokenKey::Jwk("`oth`"));
        }
        let public_key = PublicKeyComponents {
            n: number(self.n.as_ref(), "`n`")?,
            e: number(self.e.as_ref(), "`e`")?,
        };
        super::check_rsa_bits(public_key.n)?;
        let pair = RsaKeyPair::from_components(&KeyPairComponents {
            public_key,
            d: bytes(self.d.as_ref(), "`d`")?,
            p: bytes(self.p.as_ref(), "`p`")?,
            q: bytes(self.q.as_ref(), "`q`")?,
            dP: bytes(self.dp.as_ref(), "`dp`")?,
            dQ: bytes(self.dq.as_ref(), "`dq`")?,
            qInv: bytes(self.qi.as_ref(), "`qi`")?,
        });
        let pair = pair.map_err(|_| InvalidTokenKey::Damaged)?;
        let document: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| InvalidTokenKey::Damaged)?;
        file::signing(document.as_ref())
    }
}

fn bytes<'a>(member: Option<&'a Bytes>, name: &'static str) -> Result<&'a [u8], InvalidTokenKey> {
    member
        .map(|bytes| bytes.0.as_slice())
        .ok_or(InvalidTokenKey::Jwk(name))
}

/// A number in as many bytes as its curve has (RFC 7518, section 6.2.1).
fn fixed(member: Option<&Bytes>, name: &'static str) -> Result<[u8; 32], InvalidTokenKey> {
    bytes(member, name)?
        .try_into()
        .map_err(|_| InvalidTokenKey::Jwk(name))
}

/// A number in as few bytes as it takes (RFC 7518, section 6.3.1).
fn number<'a>(member: Option<&'a Bytes>, name: &'static str) -> Result<&'a [u8], InvalidTokenKey> {
    match bytes(member, name)? {
        [] | [0, ..] => Err(InvalidTokenKey::Jwk(name)),
        number => Ok(number),
    }
}
