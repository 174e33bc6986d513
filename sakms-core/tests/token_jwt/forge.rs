//! Makes tokens by hand, rightly signed or not, without any of the code under test.

use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sakms_core::clock::{ManualClock, Timestamp};
use sakms_core::secret::BearerToken;
use sakms_core::token::{
    Claims, HmacSecret, JwtIssuer, JwtIssuerBuilder, Keyring, SigningKey, TokenAlgorithm,
    TokenDenial, TokenIssuer, TokenRequest,
};
use sakms_core::verdict::Verdict;
use sha2::Sha256;

pub(crate) const SECRET: &str = "kT3vQ9xZr7Lw2NfYb8HcJ5mGd4SpAe6U";
pub(crate) const OTHER: &str = "W8yPz4BqVn6Tf1RjXs5KuDh3MgCe7LaQ";
/// 2026-11-18T11:06:40Z.
pub(crate) const NOW: i64 = 1_795_000_000;

/// The keys in `tests/keys`, private and public.
pub(crate) const PEMS: [(TokenAlgorithm, &str, &str); 3] = [
    (
        TokenAlgorithm::EdDsa,
        include_str!("../keys/eddsa.pem"),
        include_str!("../keys/eddsa.pub.pem"),
    ),
    (
        TokenAlgorithm::Es256,
        include_str!("../keys/es256.pem"),
        include_str!("../keys/es256.pub.pem"),
    ),
    (
        TokenAlgorithm::Rs256,
        include_str!("../keys/rs256.pem"),
        include_str!("../keys/rs256.pub.pem"),
    ),
];

pub(crate) fn secret(text: &str) -> HmacSecret {
    text.parse().unwrap()
}

pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(
        Timestamp::from_micros(NOW * 1_000_000).unwrap(),
    ))
}

/// What is between the lines of a PEM file.
pub(crate) fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(body).unwrap()
}

/// A key of each algorithm, to sign by hand with.
pub(crate) struct Signer {
    pub(crate) algorithm: TokenAlgorithm,
    pub(crate) kid: String,
    pair: Pair,
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    Rsa(RsaKeyPair),
    Secret,
}

impl Signer {
    pub(crate) fn all() -> [Self; 4] {
        let [ed25519, p256, rsa] = PEMS.map(|(_, pem, _)| der(pem));
        let pairs = [
            Pair::Ed25519(Ed25519KeyPair::from_pkcs8(&ed25519).unwrap()),
            Pair::P256(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &p256).unwrap()),
            Pair::Rsa(RsaKeyPair::from_pkcs8(&rsa).unwrap()),
            Pair::Secret,
        ];
        pairs.map(|pair| {
            let key = pair.key();
            Self {
                algorithm: key.algorithm(),
                kid: key.kid().to_owned(),
                pair,
            }
        })
    }

    /// The same key, as the code under test loads it.
    pub(crate) fn key(&self) -> SigningKey {
        self.pair.key()
    }

    /// An issuer with this key and no other.
    pub(crate) fn issuer(&self) -> JwtIssuer {
        builder(Keyring::new(self.key())).build().unwrap()
    }

    pub(crate) fn header(&self) -> Object {
        Object::header()
            .with("alg", format!("\"{}\"", self.algorithm))
            .with("kid", format!("\"{}\"", self.kid))
    }

    /// A token with this header and these claims, signed with the key whatever they say.
    pub(crate) fn forge(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature = self.sign(signed.as_bytes());
        format!("{signed}.{}", encode(signature))
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::P256(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .unwrap();
                signature
            }
            Pair::Secret => hmac(message, SECRET.as_bytes()),
        }
    }
}

impl Pair {
    fn key(&self) -> SigningKey {
        let of = |index: usize| SigningKey::from_pkcs8_pem(PEMS[index].1).unwrap();
        match self {
            Self::Ed25519(_) => of(0),
            Self::P256(_) => of(1),
            Self::Rsa(_) => of(2),
            Self::Secret => secret(SECRET).into(),
        }
    }
}

/// An issuer at [`NOW`] whose tokens `forge` imitates.
pub(crate) fn builder(keyring: Keyring) -> JwtIssuerBuilder {
    JwtIssuer::builder(keyring).audience("acme").clock(clock())
}

pub(crate) fn issuer() -> JwtIssuer {
    builder(Keyring::hs256(secret(SECRET))).build().unwrap()
}

pub(crate) async fn issue(issuer: &JwtIssuer) -> String {
    let request = TokenRequest::new("ada".parse().unwrap());
    let made = issuer.issue(&request).await.unwrap();
    made.into_token().expose().to_owned()
}

/// The answer to a text. "Could not decide" would be a failure of the test: a text cannot cause it.
pub(crate) async fn verify(
    issuer: &JwtIssuer,
    text: impl Into<String>,
) -> Result<Claims, TokenDenial> {
    let token = BearerToken::new(text.into());
    let verdict: Verdict<_, _> = issuer.verify(&token).await.unwrap();
    verdict.into_result()
}

/// The members of a JSON object, each with its value as JSON text; so it may hold what no library would write.
#[derive(Clone)]
pub(crate) struct Object(pub(crate) Vec<(String, String)>);

impl Object {
    pub(crate) fn header() -> Self {
        Self::of(&[
            ("alg", "\"HS256\""),
            ("typ", "\"at+jwt\""),
            ("kid", &format!("\"{}\"", secret(SECRET).kid())),
        ])
    }

    pub(crate) fn claims() -> Self {
        Self::of(&[
            ("iss", "\"sakms\""),
            ("aud", "\"acme\""),
            ("sub", "\"ada\""),
            ("iat", &NOW.to_string()),
            ("nbf", &NOW.to_string()),
            ("exp", &(NOW + 3_600).to_string()),
            ("jti", "\"3q2-7w\""),
        ])
    }

    fn of(members: &[(&str, &str)]) -> Self {
        let owned = members
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self(owned.collect())
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(member, _)| member != name);
        self
    }

    /// With this value in the member's place, or at the end when there is none.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        match self.0.iter_mut().find(|(member, _)| member == name) {
            Some(member) => member.1 = value.into(),
            None => self.0.push((name.to_owned(), value.into())),
        }
        self
    }

    /// With a second member of this name.
    pub(crate) fn doubled(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn json(&self) -> String {
        let members = self
            .0
            .iter()
            .map(|(name, value)| format!("\"{name}\":{value}"));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }
}

/// A token with this header and these claims, signed with HMAC-SHA-256 under this secret.
pub(crate) fn forge(header: &str, claims: &str, secret: &[u8]) -> String {
    let signed = format!("{}.{}", encode(header), encode(claims));
    let mac = hmac(signed.as_bytes(), secret);
    format!("{signed}.{}", encode(mac))
}

fn hmac(message: &[u8], secret: &[u8]) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(secret)
        .unwrap()
        .chain_update(message)
        .finalize()
        .into_bytes()
        .to_vec()
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
