//! The public keys that others check tokens with.

use std::time::Duration;

use serde_json::{Value, json};

use super::stage::token_secret;
use super::{Answer, Stage, World};
use crate::entropy::OsEntropy;
use crate::testkit::fixtures;
use crate::token::{HmacSecret, Keyring, SigningKey, VerifyingKey};

const PATH: &str = "/.well-known/jwks.json";

async fn get(world: &World) -> Answer {
    world.client.get(PATH).send().await.expect(200)
}

#[track_caller]
fn keys(answer: &Answer) -> Vec<Value> {
    let whole = answer.whole();
    assert_eq!(
        answer.header("content-type"),
        Some("application/jwk-set+json"),
        "{whole}"
    );
    assert_eq!(
        answer.header("cache-control"),
        Some("public, max-age=300"),
        "{whole}"
    );
    assert_eq!(
        answer.header("x-content-type-options"),
        Some("nosniff"),
        "{whole}"
    );
    let set: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(set.as_object().unwrap().len(), 1, "{whole}");
    set["keys"].as_array().unwrap().clone()
}

fn key() -> SigningKey {
    SigningKey::generate_ed25519(&OsEntropy).unwrap()
}

/// Every public key whose tokens are good is there, the one that signs first, and no secret ever is.
pub async fn public_keys_are_published_while_they_verify(stage: &Stage) {
    let (signing, coming, retired) = (key(), key(), key());
    let end = fixtures::START
        .checked_add(Duration::from_mins(10))
        .unwrap();
    let kids = [&signing, &coming, &retired].map(|key| key.kid().to_owned());
    let secret = HmacSecret::generate(&OsEntropy).unwrap();
    let ring = Keyring::new(signing)
        .also_verify(coming)
        .unwrap()
        .also_verify(secret)
        .unwrap()
        .also_verify(VerifyingKey::from(retired).until(end))
        .unwrap();
    let world = stage.world_signing(ring).await;
    let first = get(&world).await;
    let found = keys(&first);
    let named: Vec<_> = found
        .iter()
        .map(|key| key["kid"].as_str().unwrap())
        .collect();
    assert_eq!(named, kids);
    for key in &found {
        let members: Vec<_> = key
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x"]);
        assert_eq!(
            (&key["alg"], &key["crv"], &key["kty"], &key["use"]),
            (
                &json!("EdDSA"),
                &json!("Ed25519"),
                &json!("OKP"),
                &json!("sig")
            )
        );
    }
    // What is signed here is signed with the first of them.
    let user = world.user().await;
    world
        .client
        .get("/keys")
        .bearer(&user.token)
        .send()
        .await
        .expect(200);

    world.clock.set(end);
    let second = get(&world).await;
    assert_eq!(keys(&second), found[..2]);
    assert_ne!(first.header("etag"), second.header("etag"));
}

/// A service that signs with a secret has nothing to publish, and says so.
pub async fn a_secret_is_never_published(stage: &Stage) {
    let other = HmacSecret::generate(&OsEntropy).unwrap();
    let ring = Keyring::hs256(token_secret()).also_verify(other).unwrap();
    for world in [stage.world().await, stage.world_signing(ring).await] {
        let answer = get(&world).await;
        assert_eq!(answer.body, br#"{"keys":[]}"#);
        assert!(keys(&answer).is_empty());
    }
}

/// Whoever has the set is not sent it again.
pub async fn a_known_set_is_not_sent_again(stage: &Stage) {
    let world = stage.world_signing(Keyring::new(key())).await;
    let whole = get(&world).await;
    let version = whole.header("etag").unwrap();
    assert!(
        version.starts_with('"') && version.ends_with('"'),
        "{version}"
    );
    let ask = async |tags: &str| {
        let request = world.client.get(PATH).header("if-none-match", tags);
        request.send().await
    };
    for tags in [
        version,
        &format!("\"x\", {version}"),
        &format!("W/{version}"),
        "*",
    ] {
        let known = ask(tags).await.expect(304);
        assert_eq!(known.body, b"", "{tags}");
        for name in ["etag", "cache-control", "x-content-type-options"] {
            assert_eq!(known.header(name), whole.header(name), "{name} for {tags}");
        }
    }
    for tags in ["\"0000000000000000\"", version.trim_matches('"'), ""] {
        assert_eq!(ask(tags).await.expect(200).body, whole.body, "{tags}");
    }
}

/// The set is for anybody, whatever they show, and no store is asked.
pub async fn the_set_is_for_anybody(stage: &Stage) {
    let world = stage.world_signing(Keyring::new(key())).await;
    let user = world.user().await;
    let own = world.key(&user).await;
    let plain = get(&world).await;
    world.faults.forget_calls();
    for request in [
        world.client.get(PATH).bearer("garbage"),
        world.client.get(PATH).bearer(&user.token),
        world
            .client
            .get(PATH)
            .bearer(&user.token)
            .api_key(&own.text),
        world.client.get(&format!("{PATH}/?token=a.b.c&x=y")),
    ] {
        assert_eq!(request.send().await.essence(), plain.essence());
    }
    assert_eq!(world.faults.all_calls(), 0);
}

/// Where nobody issues tokens there is no such set.
pub async fn a_service_without_tokens_has_no_set(stage: &Stage) {
    let world = stage.world_without_accounts().await;
    for target in [PATH, "/.well-known/jwks.json/"] {
        let answer = world.client.get(target).send().await;
        answer.expect(404).problem("not_found");
    }
}
