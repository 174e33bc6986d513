//! Public keys, as those who check tokens elsewhere ask for them (RFC 7517).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use super::TokenAlgorithm;

/// The public keys of an issuer: a JWK set (RFC 7517, section 5).
///
/// It cannot hold a private key or a secret: there is no way to put one in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Jwks {
    keys: Vec<PublicJwk>,
}

impl Jwks {
    /// A set of these keys.
    #[must_use]
    pub const fn new(keys: Vec<PublicJwk>) -> Self {
        Self { keys }
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> &[PublicJwk] {
        &self.keys
    }
}

/// One public key, with the algorithm that it is for and the name that tokens call it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicJwk {
    kid: String,
    key: PublicKey,
}

impl PublicJwk {
    /// A key for EdDSA: the 32 bytes of RFC 8032.
    #[must_use]
    pub const fn ed25519(kid: String, x: [u8; 32]) -> Self {
        Self::new(kid, PublicKey::Ed25519(x))
    }

    /// A key for ES256: the coordinates of its point, big-endian.
    #[must_use]
    pub const fn es256(kid: String, x: [u8; 32], y: [u8; 32]) -> Self {
        Self::new(kid, PublicKey::P256 { x, y })
    }

    /// A key for RS256: its modulus and exponent, big-endian and without leading zeros.
    #[must_use]
    pub const fn rs256(kid: String, n: Vec<u8>, e: Vec<u8>) -> Self {
        Self::new(kid, PublicKey::Rsa { n, e })
    }

    pub(super) const fn new(kid: String, key: PublicKey) -> Self {
        Self { kid, key }
    }

    /// What tokens call it by.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// What it is for.
    #[must_use]
    pub const fn algorithm(&self) -> TokenAlgorithm {
        self.key.algorithm()
    }
}

/// The numbers of a public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PublicKey {
    Ed25519([u8; 32]),
    P256 { x: [u8; 32], y: [u8; 32] },
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

impl PublicKey {
    pub(super) const fn algorithm(&self) -> TokenAlgorithm {
        match self {
            Self::Ed25519(_) => TokenAlgorithm::EdDsa,
            Self::P256 { .. } => TokenAlgorithm::Es256,
            Self::Rsa { .. } => TokenAlgorithm::Rs256,
        }
    }

    /// The point as SEC 1 writes it, uncompressed.
    pub(super) fn point(x: &[u8; 32], y: &[u8; 32]) -> Vec<u8> {
        [&[4], &x[..], &y[..]].concat()
    }

    /// The digest that names the key, the same wherever it is computed (RFC 7638, RFC 8037 section 2).
    pub(super) fn thumbprint(&self) -> String {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let members = match self {
            Self::Ed25519(x) => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, text(x)),
            Self::P256 { x, y } => {
                let (x, y) = (text(x), text(y));
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#)
            }
            Self::Rsa { n, e } => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, text(e), text(n)),
        };
        text(&Sha256::digest(members))
    }

    /// Whether somebody has configured this key as a secret, in one of the forms in which keys are passed around. Files
    /// (PEM, DER, JWK) are refused as secrets anyway.
    pub(super) fn is_spelled_by(&self, secret: &[u8]) -> bool {
        let parts = match self {
            Self::Ed25519(x) => vec![x.to_vec()],
            Self::P256 { x, y } => {
                let point = Self::point(x, y);
                vec![x.to_vec(), y.to_vec(), point[1..].to_vec(), point]
            }
            Self::Rsa { n, .. } => vec![n.clone(), [&[0], n.as_slice()].concat()],
        };
        let plain = |text: &[u8]| -> Vec<u8> {
            let letters = text.iter().filter(|byte| byte.is_ascii_alphanumeric());
            letters.map(u8::to_ascii_lowercase).collect()
        };
        let shown = plain(secret);
        parts.iter().any(|part| {
            let hex: String = part.iter().map(|byte| format!("{byte:02x}")).collect();
            // Without punctuation and case, both alphabets of base64 and every padding look nearly the same; a secret
            // that is random agrees with none of them.
            let base64 = base64::engine::general_purpose::STANDARD.encode(part);
            secret == part
                || [hex, base64, URL_SAFE_NO_PAD.encode(part)]
                    .iter()
                    .any(|text| plain(text.as_bytes()) == shown)
        })
    }
}

#[derive(Serialize)]
struct Members<'a> {
    kty: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    crv: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<String>,
    #[serde(rename = "use")]
    usage: &'static str,
    alg: &'static str,
    kid: &'a str,
}

impl Serialize for PublicJwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = |bytes: &[u8]| Some(URL_SAFE_NO_PAD.encode(bytes));
        let mut members = Members {
            kty: "OKP",
            crv: None,
            x: None,
            y: None,
            n: None,
            e: None,
            usage: "sig",
            alg: self.algorithm().name(),
            kid: &self.kid,
        };
        match &self.key {
            PublicKey::Ed25519(x) => (members.crv, members.x) = (Some("Ed25519"), text(x)),
            PublicKey::P256 { x, y } => {
                (members.kty, members.crv) = ("EC", Some("P-256"));
                (members.x, members.y) = (text(x), text(y));
            }
            PublicKey::Rsa { n, e } => {
                members.kty = "RSA";
                (members.n, members.e) = (text(n), text(e));
            }
        }
        members.serialize(serializer)
    }
}
