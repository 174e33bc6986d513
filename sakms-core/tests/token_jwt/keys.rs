//! Keys that change, and keys that are not the right ones.

use std::sync::Arc;

use sakms_core::entropy::{Entropy, EntropyError, OsEntropy};
use sakms_core::token::{
    HmacSecret, InvalidKeyring, Keyring, TokenDenial, TokenIssuer as _, TokenRequest,
};

use crate::forge::{OTHER, Object, SECRET, builder, forge, issue, issuer, secret, verify};

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
