//! A library of other people checks our tokens by what we publish, and we check its: `jwt-compact`, on ed25519-dalek, p256 and
//! ring. It shares no code for tokens or signatures with ours, which stands on aws-lc.
//!
//! `token_interop.rs` does the same with PyJWT, where a Python has it.
#![cfg(feature = "testkit")]
#![allow(clippy::unwrap_used, reason = "a test says what it expects by failing")]

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jwt_compact::alg::{Ed25519, Es256};
use jwt_compact::jwk::JsonWebKey;
use jwt_compact::prelude::*;
use jwt_compact::{Algorithm, AlgorithmSignature};
use ring::rand::SystemRandom;
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents,
};
use sakms_core::clock::{Clock as _, ManualClock, Timestamp};
use sakms_core::id::KeyId;
use sakms_core::secret::BearerToken;
use sakms_core::token::{
    JwtIssuer, KeyGrant, Keyring, OfflineVerifier, SigningKey, TokenDenial, TokenIssuer as _,
    TokenRequest, VerifyingKey,
};
use serde_json::{Value, json};

const EDDSA: &str = include_str!("keys/eddsa.jwk.json");
const ES256: &str = include_str!("keys/es256.jwk.json");
const RS256: &str = include_str!("keys/rs256.jwk.json");

fn clock() -> Arc<ManualClock> {
    let start = Timestamp::from_micros(1_600_000_000_000_000).unwrap();
    Arc::new(ManualClock::at(start))
}

fn signing(jwk: &str) -> SigningKey {
    SigningKey::from_jwk(jwk).unwrap()
}

/// Signs with one of the three keys, and knows all of them.
fn issuer(jwk: &str, clock: &Arc<ManualClock>) -> JwtIssuer {
    let mut ring = Keyring::new(signing(jwk));
    for other in [EDDSA, ES256, RS256]
        .into_iter()
        .filter(|other| *other != jwk)
    {
        ring = ring
            .also_verify(VerifyingKey::from(signing(other)))
            .unwrap();
    }
    JwtIssuer::builder(ring)
        .audience("acme")
        .clock(Arc::clone(clock) as _)
        .build()
        .unwrap()
}

fn jwks(issuer: &JwtIssuer) -> String {
    serde_json::to_string(&issuer.jwks().unwrap()).unwrap()
}

async fn token(issuer: &JwtIssuer) -> String {
    let mut request = TokenRequest::new("ada".parse().unwrap());
    let scopes = "reports:read users:*".parse().unwrap();
    request.grant = Some(KeyGrant::new(KeyId::from_bytes([7; 16]), scopes));
    let made = issuer.issue(&request).await.unwrap();
    made.into_token().expose().to_owned()
}

/// With another character in the middle of the signature, and in the middle of the claims.
fn bent(token: &str) -> [String; 2] {
    let parts: Vec<_> = token.split('.').collect();
    [1, 2].map(|part| {
        let mut parts: Vec<_> = parts.iter().map(|part| (*part).to_owned()).collect();
        let middle = parts[part].len() / 2;
        let other = if parts[part].as_bytes()[middle] == b'A' {
            "B"
        } else {
            "A"
        };
        parts[part].replace_range(middle..=middle, other);
        parts.join(".")
    })
}

/// What a token of ours says, however it was read.
fn says_what_we_say(claims: &Value, now: i64) {
    let key = KeyId::from_bytes([7; 16]).to_string();
    for (name, value) in [
        ("iss", json!("sakms")),
        ("aud", json!("acme")),
        ("sub", json!("ada")),
        ("iat", json!(now)),
        ("nbf", json!(now)),
        ("exp", json!(now + 3_600)),
        ("key_id", json!(key)),
        ("client_id", json!(key)),
        ("scope", json!("reports:read users:*")),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    assert!(claims["jti"].is_string());
}

/// Claims of somebody else's making that are good to us.
fn theirs(now: i64) -> Value {
    json!({
        "iss": "sakms", "aud": "acme", "sub": "ada", "jti": "of-another",
        "iat": now, "nbf": now, "exp": now + 300, "plan": "gold",
    })
}

/// Both ways in which tokens are checked here.
async fn is_good_here(issuer: &JwtIssuer, clock: &Arc<ManualClock>, token: &str) {
    let verifier = OfflineVerifier::builder("sakms", "acme".parse().unwrap())
        .jwks(jwks(issuer))
        .clock(Arc::clone(clock) as _)
        .build()
        .unwrap();
    let good = BearerToken::new(token.to_owned());
    for verdict in [
        issuer.verify(&good).await.unwrap(),
        verifier.verify(&good).unwrap(),
    ] {
        let claims = verdict.into_result().unwrap();
        assert_eq!(claims.subject().as_str(), "ada");
        assert_eq!(claims.id(), "of-another");
        let plan = claims.extra().get::<String>("plan").unwrap();
        assert_eq!(plan.as_deref(), Some("gold"));
    }
    for bad in bent(token) {
        let bad = BearerToken::new(bad);
        let verdict = issuer.verify(&bad).await.unwrap().into_result();
        assert_eq!(verdict, Err(TokenDenial::Signature));
        let verdict = verifier.verify(&bad).unwrap().into_result();
        assert_eq!(verdict, Err(TokenDenial::Signature));
    }
}

/// RS256 (RFC 7518, section 3.3) on ring, for a library that has it on the crate `rsa` alone.
struct Rs256;

struct Signature(Vec<u8>);

impl AlgorithmSignature for Signature {
    fn try_from_slice(slice: &[u8]) -> anyhow::Result<Self> {
        Ok(Self(slice.to_vec()))
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }
}

impl Algorithm for Rs256 {
    type SigningKey = RsaKeyPair;
    type VerifyingKey = RsaKey;
    type Signature = Signature;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed("RS256")
    }

    fn sign(&self, key: &RsaKeyPair, message: &[u8]) -> Signature {
        let mut signature = vec![0; key.public().modulus_len()];
        let random = SystemRandom::new();
        key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
            .unwrap();
        Signature(signature)
    }

    fn verify_signature(&self, signature: &Signature, key: &RsaKey, message: &[u8]) -> bool {
        let RsaKey { n, e } = key;
        RsaPublicKeyComponents { n, e }
            .verify(&RSA_PKCS1_2048_8192_SHA256, message, &signature.0)
            .is_ok()
    }
}

/// The numbers of a public key.
struct RsaKey {
    n: Vec<u8>,
    e: Vec<u8>,
}

impl TryFrom<&JsonWebKey<'_>> for RsaKey {
    type Error = ();

    fn try_from(jwk: &JsonWebKey<'_>) -> Result<Self, ()> {
        let JsonWebKey::Rsa {
            modulus,
            public_exponent,
            ..
        } = jwk
        else {
            return Err(());
        };
        Ok(Self {
            n: modulus.to_vec(),
            e: public_exponent.to_vec(),
        })
    }
}

/// The key of this algorithm, of our set.
fn published(issuer: &JwtIssuer, algorithm: &str) -> String {
    let set: Value = serde_json::from_str(&jwks(issuer)).unwrap();
    let keys = set["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["alg"] == algorithm).unwrap();
    key.to_string()
}

/// The claims of a token that `jwt-compact` finds to be right.
fn checked<A>(algorithm: &A, jwk: &str, token: &str) -> Option<Value>
where
    A: Algorithm,
    A::VerifyingKey: for<'a> TryFrom<&'a JsonWebKey<'a>>,
{
    let jwk: JsonWebKey<'_> = serde_json::from_str(jwk).unwrap();
    let key = A::VerifyingKey::try_from(&jwk).ok().unwrap();
    let token = UntrustedToken::new(token).unwrap();
    assert_eq!(token.header().token_type.as_deref(), Some("at+jwt"));
    let read = algorithm.validator::<Value>(&key).validate(&token).ok()?;
    Some(serde_json::to_value(read.claims()).unwrap())
}

#[tokio::test]
async fn jwt_compact_checks_our_tokens() {
    let clock = clock();
    let now = clock.now().as_secs();
    let with_edwards = issuer(EDDSA, &clock);
    let first = token(&with_edwards).await;
    let key = published(&with_edwards, "EdDSA");
    says_what_we_say(&checked(&Ed25519, &key, &first).unwrap(), now);
    for bad in &bent(&first)[1..] {
        assert_eq!(checked(&Ed25519, &key, bad), None);
    }
    let with_ecdsa = issuer(ES256, &clock);
    let second = token(&with_ecdsa).await;
    let key = published(&with_ecdsa, "ES256");
    says_what_we_say(&checked(&Es256, &key, &second).unwrap(), now);
    for bad in &bent(&second)[1..] {
        assert_eq!(checked(&Es256, &key, bad), None);
    }
    let with_rsa = issuer(RS256, &clock);
    let third = token(&with_rsa).await;
    let key = published(&with_rsa, "RS256");
    says_what_we_say(&checked(&Rs256, &key, &third).unwrap(), now);
    for bad in &bent(&third)[1..] {
        assert_eq!(checked(&Rs256, &key, bad), None);
    }
}

/// The private key in a JWK, as `jwt-compact` reads it.
fn private<K>(jwk: &str) -> K
where
    K: for<'a> TryFrom<&'a JsonWebKey<'a>>,
{
    let jwk: JsonWebKey<'_> = serde_json::from_str(jwk).unwrap();
    K::try_from(&jwk).ok().unwrap()
}

/// A token of `jwt-compact`'s.
fn made<A: Algorithm>(algorithm: &A, key: &A::SigningKey, jwk: &str, now: i64) -> String {
    let kid = signing(jwk).kid().to_owned();
    let header = Header::empty().with_key_id(kid).with_token_type("at+jwt");
    let claims: Claims<Value> = serde_json::from_value(theirs(now)).unwrap();
    algorithm.token(&header, &claims, key).unwrap()
}

#[tokio::test]
async fn we_check_jwt_compacts_tokens() {
    let clock = clock();
    let now = clock.now().as_secs();
    let token = made(&Ed25519, &private(EDDSA), EDDSA, now);
    is_good_here(&issuer(EDDSA, &clock), &clock, &token).await;
    let pem = include_str!("keys/rs256.pem");
    let der: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let rsa = RsaKeyPair::from_pkcs8(&STANDARD.decode(der).unwrap()).unwrap();
    let token = made(&Rs256, &rsa, RS256, now);
    is_good_here(&issuer(RS256, &clock), &clock, &token).await;
    let token = made(&Es256, &private(ES256), ES256, now);
    is_good_here(&issuer(ES256, &clock), &clock, &token).await;
    // A token of one key that says it is of another.
    let [header, rest] = {
        let (header, rest) = token.split_once('.').unwrap();
        [header, rest]
    };
    let header = URL_SAFE_NO_PAD.decode(header).unwrap();
    let mut header: Value = serde_json::from_slice(&header).unwrap();
    header["kid"] = signing(EDDSA).kid().into();
    let header = URL_SAFE_NO_PAD.encode(header.to_string());
    let mixed = BearerToken::new(format!("{header}.{rest}"));
    let verdict = issuer(EDDSA, &clock).verify(&mixed).await.unwrap();
    assert_eq!(verdict.into_result(), Err(TokenDenial::WrongAlgorithm));
    clock.advance(Duration::from_secs(306));
    let late = BearerToken::new(token);
    let verdict = issuer(ES256, &clock).verify(&late).await.unwrap();
    assert_eq!(verdict.into_result(), Err(TokenDenial::Expired));
}
