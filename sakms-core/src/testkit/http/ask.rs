//! Asking about keys from elsewhere: for programs that have no guard, and as OAuth has it (RFC 7662, RFC 7009).

use std::time::Duration;

use serde_json::{Value, json};

use super::client::Request;
use super::stage::key_format;
use super::world::Key;
use super::{Answer, Stage, User, World};
use crate::secret::KeySecret;
use crate::store::StoreErrorKind;
use crate::testkit::faults::{Fault, StoreMethod};
use crate::testkit::fixtures;

/// A key that may ask.
pub(super) async fn asker(world: &World) -> Key {
    let user = world.user().await;
    world
        .key_with(&user, &json!({"scopes": ["keys:verify"]}))
        .await
}

pub(super) fn verify(world: &World, asker: &Key, question: &Value) -> Request {
    let request = world.client.post("/keys/verify").bearer(&asker.text);
    request.json(question)
}

pub(super) fn introspect(world: &World, asker: &Key, token: &str) -> Request {
    let request = world.client.post("/oauth/introspect").bearer(&asker.text);
    request.form(&json!({"token": token}))
}

pub(super) fn revoke(world: &World, token: &str) -> Request {
    world
        .client
        .post("/oauth/revoke")
        .form(&json!({"token": token}))
}

/// A text with a right tag that no key has.
pub(super) fn stray() -> String {
    let secret = KeySecret::new([7; 32]);
    let environment = crate::key::Environment::live();
    let minted = key_format().mint(&environment, fixtures::secret_id(), &secret);
    minted.unwrap().text.expose().to_owned()
}

/// Keys that are not good, with the code a guard answers.
pub(super) async fn bad_keys(world: &World, user: &User) -> Vec<(String, &'static str)> {
    let revoked = world.key(user).await;
    world.revoke(user, &revoked).await.expect(200);
    let disabled = world.key(user).await;
    let switch = format!("/keys/{}/disable", disabled.id);
    world
        .client
        .post(&switch)
        .bearer(&user.token)
        .send()
        .await
        .expect(200);
    let soon = json!({"expires_at": world.later(Duration::from_secs(1))});
    let expired = world.key_with(user, &soon).await;
    world.clock.advance(Duration::from_secs(2));
    let test = world.key_with(user, &json!({"environment": "test"})).await;
    let from_some = json!({"limits": {"ip_ranges": ["192.0.2.0/24"]}});
    let bound = world.key_with(user, &from_some).await;
    vec![
        ("nonsense".to_owned(), "invalid_key"),
        (String::new(), "invalid_key"),
        (stray(), "invalid_key"),
        (revoked.text, "key_revoked"),
        (disabled.text, "key_disabled"),
        (expired.text, "key_expired"),
        (test.text, "wrong_environment"),
        (bound.text, "address_not_allowed"),
    ]
}

/// Of a key that is good, whoever holds `keys:verify` learns what a handler behind a guard learns.
pub async fn a_good_key_is_valid_and_says_what_it_is(stage: &Stage) {
    let world = stage.world().await;
    let (asker, user) = (asker(&world).await, world.user().await);
    let expires_at = world.later(Duration::from_hours(1));
    let description = json!({
        "name": "laptop", "scopes": ["reports:read", "users:*"], "expires_at": expires_at, "metadata": {"a": "b"},
    });
    let key = world.key_with(&user, &description).await;
    let good = json!({
        "valid": true, "code": "valid", "key_id": key.id, "owner": user.id, "name": "laptop", "environment": "live",
        "scopes": ["reports:read", "users:*"], "metadata": {"a": "b"}, "expires_at": expires_at,
    });
    for question in [
        json!({"key": key.text}),
        json!({"key": key.text, "requirement": "reports:read"}),
        json!({"key": key.text, "requirement": "users:write and not admin:all", "environment": "live"}),
        json!({"key": key.text, "requirement": null, "environment": null, "address": null, "cost": null}),
        json!({"key": key.text, "address": "203.0.113.9", "cost": 3}),
    ] {
        assert_eq!(
            verify(&world, &asker, &question)
                .send()
                .await
                .expect(200)
                .json(),
            good
        );
    }
    // By a token, and as the owner of the key.
    for token in [&world.user().await.token, &user.token] {
        let request = world.client.post("/keys/verify").bearer(token);
        assert_eq!(
            request
                .json(&json!({"key": key.text}))
                .send()
                .await
                .expect(200)
                .json(),
            good
        );
    }
    let bare = world.key(&user).await;
    let refused = verify(&world, &bare, &json!({"key": key.text}))
        .send()
        .await
        .expect(403);
    refused.problem("insufficient_scope");
    let test = world.key_with(&user, &json!({"environment": "test"})).await;
    let question = json!({"key": test.text, "environment": "test"});
    assert_eq!(
        verify(&world, &asker, &question)
            .send()
            .await
            .expect(200)
            .json()["valid"],
        true
    );
}

/// A key that is not good is no error: the answer says so, with the code a guard has, and nothing of the key.
pub async fn a_bad_key_is_not_valid_and_says_why(stage: &Stage) {
    let world = stage.world().await;
    let (asker, user) = (asker(&world).await, world.user().await);
    for (text, code) in bad_keys(&world, &user).await {
        let answer = verify(&world, &asker, &json!({"key": text}))
            .send()
            .await
            .expect(200)
            .json();
        assert_eq!(
            (&answer["valid"], &answer["code"]),
            (&json!(false), &json!(code)),
            "{answer}"
        );
        let names: Vec<_> = answer
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(names, ["code", "detail", "valid"], "{answer}");
        // The same words as a guard's.
        if code != "wrong_environment" && !text.is_empty() {
            let guard = world.guarded(&text).await.problem(code);
            assert_eq!(guard["detail"], answer["detail"]);
        }
    }
    let narrow = world
        .key_with(&user, &json!({"scopes": ["reports:read"]}))
        .await;
    for requirement in [
        "reports:write",
        "not reports:read",
        "reports:read and users:read",
    ] {
        let question = json!({"key": narrow.text, "requirement": requirement});
        let answer = verify(&world, &asker, &question)
            .send()
            .await
            .expect(200)
            .json();
        assert_eq!(answer["valid"], false, "{requirement}");
        assert!(
            answer["detail"].as_str().unwrap().contains("scope"),
            "{answer}"
        );
    }
    let once = json!({"limits": {"quota": {"amount": 1, "refill": "daily"}}});
    let once = world.key_with(&user, &once).await;
    let question = json!({"key": once.text});
    assert_eq!(
        verify(&world, &asker, &question)
            .send()
            .await
            .expect(200)
            .json()["valid"],
        true
    );
    let answer = verify(&world, &asker, &question)
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!(answer["code"], "quota_exhausted");
    assert!(
        (1..=86_400).contains(&answer["retry_after"].as_u64().unwrap()),
        "{answer}"
    );
    world
        .client
        .post("/keys/verify")
        .json(&question)
        .send()
        .await
        .expect(401)
        .problem("missing_credential");
}

/// What is wrong in the question is named, and a key that is no text does not come back.
pub async fn what_is_asked_is_checked(stage: &Stage) {
    let world = stage.world().await;
    let (asker, user) = (asker(&world).await, world.user().await);
    let key = world.key(&user).await;
    for (question, field) in [
        (json!({}), "key"),
        (json!({"key": 4_242_424}), "key"),
        (json!({"key": {"a": key.text}}), "key"),
        (json!({"key": null}), "key"),
        (
            json!({"key": key.text, "requirement": "reports"}),
            "requirement",
        ),
        (
            json!({"key": key.text, "requirement": "a:b and"}),
            "requirement",
        ),
        (json!({"key": key.text, "requirement": ""}), "requirement"),
        (
            json!({"key": key.text, "environment": "staging"}),
            "environment",
        ),
        (
            json!({"key": key.text, "environment": "LIVE"}),
            "environment",
        ),
        (json!({"key": key.text, "address": "nowhere"}), "address"),
        (json!({"key": key.text, "address": "10.0.0.0/8"}), "address"),
        (json!({"key": key.text, "cost": 0}), "cost"),
        (json!({"key": key.text, "cost": -1}), "cost"),
        (json!({"key": key.text, "scope": "a:b"}), "scope"),
    ] {
        let answer = verify(&world, &asker, &question).send().await;
        answer.invalid(&[field]);
        assert!(!answer.whole().contains("4242424"), "{}", answer.whole());
    }
    let long = json!({"key": "a".repeat(60_000)});
    assert_eq!(
        verify(&world, &asker, &long)
            .send()
            .await
            .expect(200)
            .json()["valid"],
        false
    );
}

/// Asking is a use: it is counted, and takes what it costs out of the key's limits.
pub async fn asking_is_a_use_with_its_cost(stage: &Stage) {
    let world = stage.world().await;
    let (asker, user) = (asker(&world).await, world.user().await);
    let ten = json!({"limits": {"quota": {"amount": 10}}});
    let key = world.key_with(&user, &ten).await;
    let ask = async |cost: u32| {
        let question = json!({"key": key.text, "cost": cost});
        verify(&world, &asker, &question)
            .send()
            .await
            .expect(200)
            .json()["code"]
            .clone()
    };
    assert_eq!(ask(6).await, "valid");
    assert_eq!(ask(5).await, "quota_exhausted");
    assert_eq!(ask(11).await, "cost_too_high");
    assert_eq!(ask(4).await, "valid");
    assert_eq!(ask(1).await, "quota_exhausted");
    world.sakms.flush().await.unwrap();
    let target = format!("/keys/{}/usage", key.id);
    let usage = world
        .client
        .get(&target)
        .bearer(&user.token)
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&usage["allowed"], &usage["refused"]),
        (&json!(2), &json!(3))
    );
}

/// Many keys are answered in their order, and none when one of them could not be decided.
pub async fn a_batch_is_answered_in_order(stage: &Stage) {
    let world = stage.world_that_reads().await;
    let (asker, user) = (asker(&world).await, world.user().await);
    let batch = |question: &Value| {
        let request = world.client.post("/keys/verify/batch").bearer(&asker.text);
        request.json(question).send()
    };
    let good = [world.key(&user).await, world.key(&user).await];
    let bad = bad_keys(&world, &user).await;
    let (mut keys, mut wanted) = (Vec::new(), Vec::new());
    for number in 0..100 {
        let key = &good[number % 2];
        match bad.get(number % 13) {
            Some((text, code)) => (keys.push(text.clone()), wanted.push(json!(code))),
            None => (keys.push(key.text.clone()), wanted.push(json!(key.id))),
        };
    }
    let answer = batch(&json!({"keys": keys})).await.expect(200).json();
    let answers = answer.as_array().unwrap().iter();
    let found: Vec<_> = answers
        .map(|one| {
            let valid = one["valid"].as_bool().unwrap();
            one[if valid { "key_id" } else { "code" }].clone()
        })
        .collect();
    assert_eq!(found, wanted);
    assert_eq!(
        batch(&json!({"keys": []})).await.expect(200).json(),
        json!([])
    );
    keys.push("nonsense".to_owned());
    for (question, field) in [
        (json!({"keys": keys}), "keys"),
        (json!({"keys": "nonsense"}), "keys"),
        (json!({"keys": [good[0].text, 7]}), "keys[1]"),
        (json!({}), "keys"),
        (json!({"key": good[0].text}), "key"),
        (json!({"keys": [], "environment": "staging"}), "environment"),
    ] {
        batch(&question).await.invalid(&[field]);
    }
    // The second reading of the store fails: who asks is the first.
    let keys = json!({"keys": [good[0].text, good[1].text]});
    let held = Fault::Before(StoreErrorKind::Unavailable);
    world.faults.inject_into(StoreMethod::OwnerDisabledAt, held);
    batch(&keys).await.expect(200);
    world.faults.heal();
    batch(&keys).await.expect(200);
}

/// What could not be decided is 503 on every one of these routes, never "not valid", "not active" or "revoked".
pub async fn an_outage_is_no_answer(stage: &Stage) {
    let world = stage.world().await;
    let (asker, user) = (asker(&world).await, world.user().await);
    let (warm, cold) = (world.key(&user).await, world.key(&user).await);
    world.warm(&asker.text).await;
    world.warm(&warm.text).await;
    world
        .faults
        .inject(Fault::Before(StoreErrorKind::Unavailable));
    let unavailable = |answer: Answer| answer.expect(503).problem("unavailable");
    unavailable(
        verify(&world, &asker, &json!({"key": cold.text}))
            .send()
            .await,
    );
    unavailable(introspect(&world, &asker, &cold.text).send().await);
    unavailable(introspect(&world, &asker, &user.token).send().await);
    unavailable(revoke(&world, &cold.text).send().await);
    unavailable(revoke(&world, &warm.text).send().await);
    let both = json!({"keys": [warm.text, cold.text, "nonsense"]});
    let batch = world.client.post("/keys/verify/batch").bearer(&asker.text);
    unavailable(batch.json(&both).send().await);
    // What is remembered is believed, as at a guard.
    let known = verify(&world, &asker, &json!({"key": warm.text}))
        .send()
        .await;
    assert_eq!(known.expect(200).json()["valid"], true);
    world.faults.heal();
    // A revocation that failed half-way says so, and can be tried again.
    let lost = Fault::After(StoreErrorKind::OutcomeUnknown);
    world.faults.inject_next(StoreMethod::Update, 1, lost);
    revoke(&world, &cold.text)
        .send()
        .await
        .expect(503)
        .problem("outcome_unknown");
    revoke(&world, &cold.text).send().await.expect(200);
    world
        .guarded(&cold.text)
        .await
        .expect(401)
        .problem("key_revoked");
    world.guarded(&warm.text).await.expect(200);
}
