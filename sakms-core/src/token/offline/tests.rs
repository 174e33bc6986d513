use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use super::*;
use crate::clock::{ManualClock, Timestamp};
use crate::entropy::OsEntropy;
use crate::id::KeyId;
use crate::key::ScopeSet;
use crate::token::{
    JwtIssuer, KeyGrant, Keyring, SigningKey, TokenIssuer as _, TokenRequest, VerifyingKey,
};

const AUDIENCE: &str = "reports";

/// Gives what it was told to give, and counts.
#[derive(Debug, Clone, Default)]
struct Script(Arc<Mutex<Said>>);

#[derive(Debug, Default)]
struct Said {
    jwks: String,
    keys_asked: usize,
    pages: VecDeque<(u16, String)>,
    asked: Vec<String>,
}

#[async_trait]
impl OfflineSource for Script {
    async fn get(&self, target: &str) -> Result<Fetched, TokenError> {
        let mut said = self.0.lock().unwrap();
        if target == "/.well-known/jwks.json" {
            said.keys_asked += 1;
            return Ok(Fetched::new(200, said.jwks.clone()));
        }
        said.asked.push(target.to_owned());
        let (status, page) = said
            .pages
            .pop_front()
            .unwrap_or_else(|| (200, page(1, false, "")));
        Ok(Fetched::new(status, page))
    }
}

fn page(seq: u64, more: bool, revocations: &str) -> String {
    let hash = "0".repeat(64);
    format!(
        r#"{{"position":"{seq}:{hash}","more":{more},"revocations":[{revocations}],"later":1}}"#
    )
}

struct Scene {
    clock: Arc<ManualClock>,
    script: Script,
    verifier: OfflineVerifier,
}

fn scene(settings: impl FnOnce(OfflineVerifierBuilder) -> OfflineVerifierBuilder) -> Scene {
    let start = Timestamp::from_micros(1_795_000_000_000_000).unwrap();
    let (clock, script) = (Arc::new(ManualClock::at(start)), Script::default());
    script.0.lock().unwrap().jwks = r#"{"keys":[]}"#.to_owned();
    let builder = OfflineVerifier::builder("sakms", AUDIENCE.parse().unwrap())
        .source(script.clone())
        .clock(Arc::clone(&clock) as _);
    let verifier = settings(builder).build().unwrap();
    Scene {
        clock,
        script,
        verifier,
    }
}

impl Scene {
    fn issuer(&self, key: SigningKey) -> JwtIssuer {
        JwtIssuer::builder(Keyring::new(key))
            .audience("service")
            .clock(Arc::clone(&self.clock) as _)
            .build()
            .unwrap()
    }

    fn publish(&self, issuers: &[&JwtIssuer]) {
        let keys = issuers
            .iter()
            .flat_map(|issuer| issuer.jwks().unwrap().keys().to_vec());
        let set = crate::token::Jwks::new(keys.collect());
        self.script.0.lock().unwrap().jwks = serde_json::to_string(&set).unwrap();
    }

    fn keys_asked(&self) -> usize {
        self.script.0.lock().unwrap().keys_asked
    }

    fn verdict(&self, token: &str) -> Result<(), TokenDenial> {
        let token = BearerToken::new(token.to_owned());
        let verdict = self.verifier.verify(&token).unwrap();
        verdict.into_result().map(drop)
    }
}

fn key() -> SigningKey {
    SigningKey::generate_ed25519(&OsEntropy).unwrap()
}

async fn token(issuer: &JwtIssuer, audience: &str) -> String {
    let mut request = TokenRequest::new("ada".parse().unwrap());
    request.audience = Some(audience.parse().unwrap());
    request.grant = Some(KeyGrant::new(
        KeyId::from_bytes([7; 16]),
        ScopeSet::default(),
    ));
    let made = issuer.issue(&request).await.unwrap();
    made.into_token().expose().to_owned()
}

#[tokio::test]
async fn a_key_that_is_not_known_is_asked_for_once_a_second() {
    let scene = scene(|builder| builder.max_staleness(Duration::from_mins(10)));
    let (old, new) = (scene.issuer(key()), scene.issuer(key()));
    scene.publish(&[&old]);
    scene.verifier.read().await.unwrap();
    let (first, second) = (token(&old, AUDIENCE).await, token(&new, AUDIENCE).await);
    assert_eq!(scene.verdict(&first), Ok(()));
    assert_eq!(scene.verdict(&second), Err(TokenDenial::UnknownKey));
    assert_eq!(
        scene.verdict(&token(&old, "other").await),
        Err(TokenDenial::WrongAudience)
    );

    scene.publish(&[&old, &new]);
    for _ in 0..100 {
        assert_eq!(scene.verdict(&second), Err(TokenDenial::UnknownKey));
        scene.verifier.read().await.unwrap();
    }
    assert_eq!(scene.keys_asked(), 1, "within a second");
    scene.clock.advance(Duration::from_secs(1));
    scene.verifier.read().await.unwrap();
    assert_eq!(scene.keys_asked(), 2);
    assert_eq!(scene.verdict(&second), Ok(()));
    assert_eq!(scene.verdict(&first), Ok(()));

    // Nobody misses one: every five minutes.
    for _ in 0..299 {
        scene.clock.advance(Duration::from_secs(1));
        scene.verifier.read().await.unwrap();
    }
    assert_eq!(scene.keys_asked(), 2);
    scene.clock.advance(Duration::from_secs(1));
    scene.verifier.read().await.unwrap();
    assert_eq!(scene.keys_asked(), 3);
}

#[tokio::test]
async fn a_journal_that_is_another_is_read_anew() {
    let scene = scene(|builder| builder);
    let issuer = scene.issuer(key());
    scene.publish(&[&issuer]);
    let revoked = serde_json::json!({
        "seq": 1, "at": scene.clock.now(), "kind": "key", "valid_from": null, "unknown": [],
        "subject": RevocationSubject::key(KeyId::from_bytes([7; 16])),
    });
    let said = |pages: &[(u16, String)]| {
        scene
            .script
            .0
            .lock()
            .unwrap()
            .pages
            .extend(pages.iter().cloned());
    };
    let good = token(&issuer, AUDIENCE).await;
    said(&[
        (200, page(1, true, &revoked.to_string())),
        (200, page(2, false, "")),
    ]);
    scene.verifier.read().await.unwrap();
    assert_eq!(scene.verdict(&good), Err(TokenDenial::Revoked));
    // It is told from a failure, which changes nothing.
    said(&[
        (503, String::new()),
        (200, "nonsense".to_owned()),
        (200, page(3, false, "1")),
    ]);
    for _ in 0..3 {
        assert!(scene.verifier.read().await.is_err());
        assert_eq!(scene.verdict(&good), Err(TokenDenial::Revoked));
    }
    // What was known counts until all is read.
    said(&[
        (410, String::new()),
        (200, page(1, true, "")),
        (503, String::new()),
    ]);
    assert!(scene.verifier.read().await.is_err());
    assert_eq!(scene.verdict(&good), Err(TokenDenial::Revoked));
    said(&[(200, page(1, true, "")), (200, page(2, false, ""))]);
    scene.verifier.read().await.unwrap();
    assert_eq!(scene.verdict(&good), Ok(()));
    let asked = scene.script.0.lock().unwrap().asked.clone();
    let after: Vec<_> = asked
        .iter()
        .map(|target| target.contains("after="))
        .collect();
    // Two pages; three failures; gone, a page from the beginning, a failure; two pages from the beginning.
    let expected = [
        false, true, true, true, true, true, false, true, false, true,
    ];
    assert_eq!(after, expected, "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn following_reads_again_and_again() {
    let scene = scene(|builder| builder);
    let pages = |scene: &Scene| scene.script.0.lock().unwrap().asked.len();
    let followed = scene.verifier.follow();
    assert!(
        tokio::time::timeout(Duration::from_millis(10_500), followed)
            .await
            .is_err()
    );
    assert_eq!(pages(&scene), 11);
}

#[tokio::test]
async fn given_keys_do_without_a_source() {
    let scene = scene(|builder| builder);
    let issuer = scene.issuer(key());
    let jwks = serde_json::to_string(&issuer.jwks().unwrap()).unwrap();
    let builder = || OfflineVerifier::builder("sakms", AUDIENCE.parse().unwrap());
    let verifier = builder()
        .jwks(jwks.clone())
        .clock(Arc::clone(&scene.clock) as _)
        .build()
        .unwrap();
    let good = BearerToken::new(token(&issuer, AUDIENCE).await);
    assert!(verifier.verify(&good).unwrap().is_granted());
    verifier.read().await.unwrap();
    assert!(verifier.verify(&good).unwrap().is_granted());

    for (wrong, why) in [
        (builder().build(), InvalidOfflineConfig::Keys),
        (builder().jwks("{}").build(), InvalidOfflineConfig::Keys),
        (
            builder().jwks(r#"{"keys":[]}"#).build(),
            InvalidOfflineConfig::Keys,
        ),
        // A secret is no key for others.
        (
            builder()
                .jwks(
                    r#"{"keys":[{"kty":"oct","k":"a1QzdlE5eFpyN0x3Mk5mWWI4SGNKNW1HZDRTcEFlNlU"}]}"#,
                )
                .build(),
            InvalidOfflineConfig::Keys,
        ),
        (
            builder()
                .jwks(jwks.clone())
                .leeway(Duration::from_secs(31))
                .build(),
            InvalidOfflineConfig::Leeway,
        ),
        (
            builder()
                .jwks(jwks.clone())
                .read_every(Duration::ZERO)
                .build(),
            InvalidOfflineConfig::Staleness,
        ),
        (
            builder()
                .jwks(jwks)
                .max_staleness(Duration::from_hours(2))
                .build(),
            InvalidOfflineConfig::Staleness,
        ),
    ] {
        assert_eq!(wrong.unwrap_err(), why);
    }
    // What is of no use here is passed over.
    let other = VerifyingKey::from(key()).public_jwk().unwrap();
    let other = serde_json::to_string(&other).unwrap();
    let mixed = format!(r#"{{"keys":[{{"kty":"EC","crv":"P-521"}},{{}},1,{other}],"x":1}}"#);
    assert!(builder().jwks(mixed).build().is_ok());
}
