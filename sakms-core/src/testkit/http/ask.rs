//! Asking about keys from elsewhere: for programs that have no guard, and as OAuth has it (RFC 7662, RFC 7009).

use std::time::Duration;

use serde_json::{Value, json};

use super::client::Request;
use super::world::{Key, key_format};
use super::{Answer, Stage, User, World};
use crate::secret::KeySecret;
use crate::store::StoreErrorKind;
use crate::testkit::faults::{Fault, StoreMethod};
use crate::testkit::fixtures;

/// A key that may ask.
async fn asker(world: &World) -> Key {
    let user = world.user().await;
    world
        .key_with(&user, &json!({"scopes": ["keys:verify"]}))
        .await
}

fn verify(world: &World, asker: &Key, question: &Value) -> Request {
    let request = world.client.post("/keys/verify").bearer(&asker.text);
    request.json(question)
}

fn introspect(world: &World, asker: &Key, token: &str) -> Request {
    let request = world.client.post("/oauth/introspect").bearer(&asker.text);
    request.form(&json!({"token": token}))
}

fn revoke(world: &World, token: &str) -> Request {
    world
        .client
        .post("/oauth/revoke")
        .form(&json!({"token": token}))
}

/// A text with a right tag that no key has.
fn stray() -> String {
    let secret = KeySecret::new([7; 32]);
    let environment = crate::key::Environment::live();
    let minted = key_format().mint(&environment, fixtures::secret_id(), &secret);
    minted.unwrap().text.expose().to_owned()
}

/// Keys that are not good, with the code a guard answers.
async fn bad_keys(world: &World, user: &User) -> Vec<(String, &'static str)> {
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

/// Introspection says what a token is good for, and of one that is not good nothing but that.
pub async fn introspection_says_no_more_than_it_must(stage: &Stage) {
    let world = stage.world().await;
    let (asker, user) = (asker(&world).await, world.user().await);
    let ask = async |token: &str| {
        introspect(&world, &asker, token)
            .send()
            .await
            .expect(200)
            .json()
    };
    let expires_at = world.later(Duration::from_hours(1));
    let description = json!({"scopes": ["reports:read", "users:*"], "expires_at": expires_at});
    let key = world.key_with(&user, &description).await;
    let said = ask(&key.text).await;
    let exp = said["exp"].as_i64().unwrap();
    assert_eq!(
        said,
        json!({
            "active": true, "scope": "reports:read users:*", "client_id": key.id, "sub": user.id, "token_type": "Bearer",
            "exp": exp, "environment": "live",
        })
    );
    let expiry = crate::clock::Timestamp::parse(&expires_at).unwrap();
    assert_eq!(exp, expiry.as_secs());

    let said = ask(&user.token).await;
    assert_eq!(
        (&said["active"], &said["sub"]),
        (&json!(true), &json!(user.id))
    );
    assert!(said["exp"].as_i64() > said["iat"].as_i64(), "{said}");
    for name in ["iss", "aud", "jti"] {
        assert!(said[name].is_string(), "{said}");
    }
    assert!(
        said["scope"].is_null() && said["client_id"].is_null(),
        "{said}"
    );

    let nothing = json!({"active": false});
    for (text, _) in bad_keys(&world, &user).await {
        if !text.is_empty() {
            assert_eq!(ask(&text).await, nothing);
        }
    }
    for token in ["a.b.c", &user.token[1..], "..", "."] {
        assert_eq!(ask(token).await, nothing, "{token}");
    }
    world
        .sakms
        .disable_owner(&user.owner(), crate::journal::Actor::SYSTEM)
        .await
        .unwrap();
    assert_eq!(ask(&user.token).await, nothing);
    assert_eq!(ask(&key.text).await, nothing);

    // A test key is active for whoever says that they want one.
    let other = world.user().await;
    let test = world
        .key_with(&other, &json!({"environment": "test"}))
        .await;
    let form = json!({"token": test.text, "environment": "test", "token_type_hint": "whatever", "extra": "1"});
    let request = world
        .client
        .post("/oauth/introspect")
        .bearer(&asker.text)
        .form(&form);
    assert_eq!(request.send().await.expect(200).json()["active"], true);
    let bare = world.key(&other).await;
    introspect(&world, &bare, &test.text)
        .send()
        .await
        .expect(403)
        .problem("insufficient_scope");
    let nobody = world.client.post("/oauth/introspect").form(&form);
    nobody
        .send()
        .await
        .expect(401)
        .problem("missing_credential");
}

/// Whoever presents a key puts an end to it, whatever else keeps it from being used; the answer is the same for a text
/// that is no key.
pub async fn whoever_presents_a_key_revokes_it(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world.key(&user).await;
    world.warm(&key.text).await;
    let revoked = revoke(&world, &key.text).send().await.expect(200);
    assert_eq!(revoked.json(), json!({}));
    world
        .guarded(&key.text)
        .await
        .expect(401)
        .problem("key_revoked");
    let target = format!("/keys/{}", key.id);
    let shown = world
        .client
        .get(&target)
        .bearer(&user.token)
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!(shown["revoked"], true);
    let rows = world
        .client
        .get(&format!("/audit?subject=key:{}&action=key.revoke", key.id));
    let rows = rows.bearer(&user.token).send().await.expect(200).items();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["actor"], format!("key:{}", key.id));

    for (text, code) in bad_keys(&world, &user).await {
        if text.is_empty() {
            continue;
        }
        let answer = revoke(&world, &text).send().await.expect(200);
        assert_eq!(answer.essence(), revoked.essence(), "{code}");
        let now = match code {
            "invalid_key" => "invalid_key",
            _ => "key_revoked",
        };
        world.guarded(&text).await.expect(401).problem(now);
    }
    // Once more, and by the text with another secret.
    assert_eq!(
        revoke(&world, &key.text).send().await.essence(),
        revoked.essence()
    );
    let other = world.key(&user).await;
    let format = key_format();
    let parsed = format.parse(&other.text).unwrap();
    let environment = crate::key::Environment::live();
    let forged = format
        .mint(&environment, parsed.id, &KeySecret::new([9; 32]))
        .unwrap();
    assert_eq!(
        revoke(&world, forged.text.expose()).send().await.essence(),
        revoked.essence()
    );
    world.guarded(&other.text).await.expect(200);
    // A token is none of them, and stays good.
    let token = revoke(&world, &user.token).send().await.expect(400);
    let problem = token.problem("unsupported_token_type");
    assert_eq!(problem["error"], "unsupported_token_type");
    assert_eq!(problem["error_description"], problem["detail"]);
    world
        .client
        .get("/keys")
        .bearer(&user.token)
        .send()
        .await
        .expect(200);
}

/// A secret that was replaced is no proof any more: who finds an old one cannot put an end to the new one.
pub async fn a_replaced_secret_revokes_nothing(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world.key(&user).await;
    let target = format!("/keys/{}/rotate", key.id);
    let rotate = world.client.post(&target).bearer(&user.token);
    let new = world
        .made(rotate.json(&json!({"overlap_seconds": 60})))
        .await;
    world.clock.advance(Duration::from_secs(61));
    revoke(&world, &key.text).send().await.expect(200);
    world.guarded(&new.text).await.expect(200);
    // While both work, either does.
    let again = world.client.post(&target).bearer(&user.token);
    let newest = world
        .made(again.json(&json!({"overlap_seconds": 60})))
        .await;
    revoke(&world, &new.text).send().await.expect(200);
    world
        .guarded(&newest.text)
        .await
        .expect(401)
        .problem("key_revoked");
}

/// A form says that it is one and has each parameter once. An error can be read both ways.
pub async fn forms_are_checked(stage: &Stage) {
    const FORM: &str = "application/x-www-form-urlencoded";
    let world = stage.world().await;
    let asker = asker(&world).await;
    for path in ["/oauth/introspect", "/oauth/revoke"] {
        let send = |kind: &str, body: &str| {
            let request = world.client.post(path).bearer(&asker.text);
            request.text(kind, body).send()
        };
        for body in [
            "",
            "token=",
            "token",
            "tok=a",
            "token=a&token=a",
            "token=a&x=1&x=2",
            "token=%ff",
            "&&",
        ] {
            let answer = send(FORM, body).await;
            assert_eq!(answer.status, 400, "{body}:\n{}", answer.whole());
            let problem = answer.problem("invalid_request");
            assert_eq!(problem["error"], "invalid_request", "{body}");
            assert_eq!(problem["error_description"], problem["detail"]);
        }
        for kind in ["application/json", "text/plain", "multipart/form-data"] {
            send(kind, "token=a")
                .await
                .expect(415)
                .problem("unsupported_media_type");
        }
        let bare = world.client.post(path).bearer(&asker.text).send().await;
        bare.expect(415).problem("unsupported_media_type");
        for body in [
            "token=a",
            "token=a&token_type_hint=access_token",
            "x=%2B+&token=a",
        ] {
            send(FORM, body).await.expect(200);
        }
        send(
            "Application/X-WWW-Form-Urlencoded; charset=UTF-8",
            "token=a",
        )
        .await
        .expect(200);
        let large = format!("token={}", "a".repeat(70_000));
        send(FORM, &large)
            .await
            .expect(413)
            .problem("body_too_large");
    }
    let bad = json!({"token": "a", "environment": "staging"});
    let request = world.client.post("/oauth/introspect").bearer(&asker.text);
    request.form(&bad).send().await.invalid(&["environment"]);
    let bad = json!({"token": "a", "address": "nowhere"});
    let request = world.client.post("/oauth/introspect").bearer(&asker.text);
    request
        .form(&bad)
        .send()
        .await
        .expect(400)
        .problem("invalid_request");
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
