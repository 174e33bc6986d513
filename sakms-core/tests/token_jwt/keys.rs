//! Keys that change, and keys that are not the right ones.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use sakms_core::clock::Clock as _;
use sakms_core::entropy::{Entropy, EntropyError, OsEntropy};
use sakms_core::token::{
    HmacSecret, InvalidKeyring, Keyring, SigningKey, TokenDenial, TokenIssuer as _, TokenRequest,
    VerifyingKey,
};

use crate::forge::{
    OTHER, Object, PEMS, SECRET, Signer, builder, clock, der, encode, forge, issue, issuer, secret,
    verify,
};

#[tokio::test]
async fn a_token_of_another_secret_issuer_or_audience_is_denied() {
    let issuer = issuer();
    let other = builder(Keyring::hs256(secret(OTHER))).build().unwrap();
    assert_eq!(
        verify(&issuer, issue(&other).await).await,
        Err(TokenDenial::UnknownKey)
    );
    let other = builder(Keyring::hs256(secret(SECRET)))
        .issuer("elsewhere")
        .build()
        .unwrap();
    assert_eq!(
        verify(&issuer, issue(&other).await).await,
        Err(TokenDenial::WrongIssuer)
    );
    let other = builder(Keyring::hs256(secret(SECRET)))
        .audience("emca")
        .build()
        .unwrap();
    assert_eq!(
        verify(&issuer, issue(&other).await).await,
        Err(TokenDenial::WrongAudience)
    );
    // The name of one key on a token of another.
    let forged = forge(
        &Object::header().json(),
        &Object::claims().json(),
        OTHER.as_bytes(),
    );
    assert_eq!(verify(&issuer, forged).await, Err(TokenDenial::Signature));
}

#[tokio::test]
async fn a_changed_secret_voids_no_token_until_it_is_taken_off() {
    let before = builder(Keyring::hs256(secret(SECRET))).build().unwrap();
    let old = issue(&before).await;

    let ring = Keyring::hs256(secret(OTHER))
        .also_verify(secret(SECRET))
        .unwrap();
    let during = builder(ring).build().unwrap();
    let new = issue(&during).await;
    assert!(verify(&during, old.clone()).await.is_ok());
    assert!(verify(&during, new.clone()).await.is_ok());
    assert_eq!(
        verify(&before, new.clone()).await,
        Err(TokenDenial::UnknownKey),
        "signed with the new one"
    );

    let after = builder(Keyring::hs256(secret(OTHER))).build().unwrap();
    assert_eq!(verify(&after, old).await, Err(TokenDenial::UnknownKey));
    assert!(verify(&after, new).await.is_ok());
}

#[tokio::test]
async fn a_restart_voids_no_token() {
    let token = issue(&issuer()).await;
    assert!(verify(&issuer(), token).await.is_ok());
}

#[test]
fn a_name_is_the_secrets_own_and_no_part_of_it() {
    let kid = secret(SECRET).kid().to_owned();
    assert_eq!(kid, secret(SECRET).kid());
    // HMAC-SHA-256 of the label, computed with another implementation: a change would void every token.
    assert_eq!(kid, "Pnyp3JyrPWY");
    assert_ne!(kid, secret(OTHER).kid());
    assert!(
        kid.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    );
    assert!(!SECRET.contains(&kid[..4]));
}

#[test]
fn a_ring_has_a_key_once_and_a_bounded_number_of_them() {
    let ring = Keyring::hs256(secret(SECRET));
    assert_eq!(
        ring.also_verify(secret(SECRET)).unwrap_err(),
        InvalidKeyring::Twice
    );
    let ring = Keyring::hs256(secret(SECRET))
        .also_verify(secret(OTHER))
        .unwrap();
    assert_eq!(
        ring.kids().collect::<Vec<_>>(),
        [secret(SECRET).kid(), secret(OTHER).kid()]
    );
    assert_eq!(
        ring.also_verify(secret(OTHER)).unwrap_err(),
        InvalidKeyring::Twice
    );
    let fresh = || HmacSecret::generate(&OsEntropy).unwrap();
    let full = (0..Keyring::MAX_VERIFYING)
        .try_fold(Keyring::hs256(fresh()), |ring, _| ring.also_verify(fresh()))
        .unwrap();
    assert_eq!(
        full.also_verify(fresh()).unwrap_err(),
        InvalidKeyring::TooMany
    );
}

/// From each algorithm to each other, one after the other as a host would do it.
#[tokio::test]
async fn keys_of_different_algorithms_follow_each_other() {
    for old in Signer::all() {
        for new in Signer::all() {
            if old.kid == new.kid {
                continue;
            }
            let ring = |ring: Keyring, other: Option<SigningKey>| match other {
                Some(other) => builder(ring.also_verify(other).unwrap()).build().unwrap(),
                None => builder(ring).build().unwrap(),
            };
            let stages = [
                ring(Keyring::new(old.key()), None),
                ring(Keyring::new(old.key()), Some(new.key())),
                ring(Keyring::new(new.key()), Some(old.key())),
                ring(Keyring::new(new.key()), None),
            ];
            let tokens = [
                issue(&stages[0]).await,
                issue(&stages[1]).await,
                issue(&stages[2]).await,
                issue(&stages[3]).await,
            ];
            for (stage, issuer) in stages.iter().enumerate() {
                for (made, token) in tokens.iter().enumerate() {
                    let known = stage == 1 || stage == 2 || (stage == 0) == (made < 2);
                    let answer = verify(issuer, token.clone()).await.map(drop);
                    let expected = if known {
                        Ok(())
                    } else {
                        Err(TokenDenial::UnknownKey)
                    };
                    assert_eq!(answer, expected, "stage {stage}, token of {made}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_retired_key_verifies_until_its_end_and_is_published_so_long() {
    for signer in Signer::all() {
        let clock = clock();
        let end = clock.now().checked_add(Duration::from_mins(30)).unwrap();
        let old = issue(&signer.issuer()).await;
        let ring = Keyring::hs256(secret(OTHER))
            .also_verify(VerifyingKey::from(signer.key()).until(end))
            .unwrap();
        let issuer = builder(ring)
            .clock(Arc::clone(&clock) as _)
            .build()
            .unwrap();
        let published = || issuer.jwks().unwrap().keys().len();
        let public = usize::from(signer.algorithm.is_asymmetric());
        let just_before = Duration::from_micros(30 * 60 * 1_000_000 - 1);
        for (moment, stands) in [
            (clock.now(), true),
            (clock.now().checked_add(just_before).unwrap(), true),
            (end, false),
            (end.checked_add(Duration::from_secs(1)).unwrap(), false),
        ] {
            clock.set(moment);
            let answer = verify(&issuer, old.clone()).await.map(drop);
            let expected = if stands {
                Ok(())
            } else {
                Err(TokenDenial::RetiredKey)
            };
            assert_eq!(answer, expected, "{} at {moment}", signer.algorithm);
            assert_eq!(published(), if stands { public } else { 0 });
            assert!(verify(&issuer, issue(&issuer).await).await.is_ok());
        }
    }
}

#[test]
fn a_ring_publishes_its_public_keys_and_nothing_else() {
    let [ed25519, p256, rsa, _] = Signer::all();
    let ring = Keyring::new(ed25519.key())
        .also_verify(p256.key())
        .unwrap()
        .also_verify(VerifyingKey::from_spki_pem(PEMS[2].2).unwrap())
        .unwrap()
        .also_verify(secret(SECRET))
        .unwrap();
    let jwks = ring.jwks(clock().now());
    let kids: Vec<_> = jwks
        .keys()
        .iter()
        .map(|key| (key.kid(), key.algorithm()))
        .collect();
    let expected = [&ed25519, &p256, &rsa].map(|key| (key.kid.as_str(), key.algorithm));
    assert_eq!(kids, expected);
    let json = serde_json::to_value(&jwks).unwrap();
    let members = |key: &serde_json::Value| -> Vec<String> {
        key.as_object().unwrap().keys().cloned().collect()
    };
    let keys = json["keys"].as_array().unwrap();
    assert_eq!(members(&keys[0]), ["alg", "crv", "kid", "kty", "use", "x"]);
    assert_eq!(
        members(&keys[1]),
        ["alg", "crv", "kid", "kty", "use", "x", "y"]
    );
    assert_eq!(members(&keys[2]), ["alg", "e", "kid", "kty", "n", "use"]);
    assert!(keys.iter().all(|key| key["use"] == "sig"));
    // What is published can be loaded again, and is the same key.
    for (published, key) in keys.iter().zip(jwks.keys()) {
        let loaded = VerifyingKey::from_jwk(&published.to_string()).unwrap();
        assert_eq!(loaded.public_jwk().as_ref(), Some(key));
    }
    let secrets_alone = Keyring::hs256(secret(SECRET))
        .also_verify(secret(OTHER))
        .unwrap();
    let json = serde_json::to_string(&secrets_alone.jwks(clock().now())).unwrap();
    assert_eq!(json, r#"{"keys":[]}"#);
}

/// The raw bytes of a public key look as random as a secret. Beside the key itself they are found.
#[test]
fn a_ring_takes_no_secret_that_is_one_of_its_public_keys() {
    for (_, private, _) in PEMS {
        let key = || SigningKey::from_pkcs8_pem(private).unwrap();
        let json = serde_json::to_value(key().public_jwk().unwrap()).unwrap();
        let part = json["x"].as_str().or(json["n"].as_str()).unwrap();
        let bytes = URL_SAFE
            .decode(format!("{part}{}", "=".repeat((4 - part.len() % 4) % 4)))
            .unwrap();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        for spelling in [
            bytes.clone(),
            part.into(),
            encode(&bytes).into(),
            STANDARD.encode(&bytes).into(),
            URL_SAFE.encode(&bytes).into(),
            hex.to_uppercase().into(),
            hex.into(),
        ] {
            let Ok(secret) = HmacSecret::from_bytes(&spelling) else {
                continue;
            };
            let refused = Keyring::new(key()).also_verify(secret).unwrap_err();
            assert_eq!(refused, InvalidKeyring::PublicSecret);
            let secret = HmacSecret::from_bytes(&spelling).unwrap();
            let refused = Keyring::hs256(secret).also_verify(key()).unwrap_err();
            assert_eq!(refused, InvalidKeyring::PublicSecret);
        }
        assert!(Keyring::new(key()).also_verify(secret(SECRET)).is_ok());
        for file in [der(private), private.as_bytes().to_vec()] {
            assert!(HmacSecret::from_bytes(&file).is_err());
        }
    }
}

#[tokio::test]
async fn a_key_may_have_a_name_of_its_own() {
    for signer in Signer::all() {
        let named = |name: &str| signer.key().with_kid(name);
        let issuer = builder(Keyring::new(named("2026-11").unwrap()))
            .build()
            .unwrap();
        assert!(verify(&issuer, issue(&issuer).await).await.is_ok());
        let elsewhere = verify(&signer.issuer(), issue(&issuer).await).await;
        assert_eq!(elsewhere, Err(TokenDenial::UnknownKey));
        for name in ["", "a b", "a.b", "a/b", "ü", &"a".repeat(65)] {
            assert!(named(name).is_err(), "{name}");
        }
        let same = Keyring::new(named("2026-11").unwrap()).also_verify(
            SigningKey::generate_ed25519(&OsEntropy)
                .unwrap()
                .with_kid("2026-11")
                .unwrap(),
        );
        assert_eq!(same.unwrap_err(), InvalidKeyring::Twice);
    }
}

#[test]
fn nothing_printed_holds_a_secret() {
    let ring = Keyring::hs256(secret(SECRET))
        .also_verify(secret(OTHER))
        .unwrap();
    let builder = builder(ring);
    let before = format!("{:?} {builder:?}", secret(SECRET));
    let printed = format!("{before} {:?}", builder.build().unwrap());
    for part in [SECRET, OTHER, &SECRET[..8], &OTHER[..8], "107, 84, 51"] {
        assert!(!printed.contains(part), "{printed}");
    }
    assert!(printed.contains(secret(SECRET).kid()));
}

#[derive(Debug)]
struct Dry;

impl Entropy for Dry {
    fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
        Err(EntropyError::new("dry"))
    }
}

#[tokio::test]
async fn without_randomness_no_token_is_made() {
    let issuer = builder(Keyring::hs256(secret(SECRET)))
        .entropy(Arc::new(Dry))
        .build()
        .unwrap();
    let request = TokenRequest::new("ada".parse().unwrap());
    assert!(issuer.issue(&request).await.is_err());
    assert!(HmacSecret::generate(&Dry).is_err());
}

#[tokio::test]
async fn no_two_tokens_are_alike() {
    let issuer = issuer();
    let mut names = std::collections::BTreeSet::new();
    for _ in 0..1_000 {
        let claims = verify(&issuer, issue(&issuer).await).await.unwrap();
        assert_eq!(claims.id().len(), 22);
        names.insert(claims.id().to_owned());
    }
    assert_eq!(names.len(), 1_000);
}
