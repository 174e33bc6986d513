//! Rotation: the same key with another secret, and both for a while.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Answer, Key, Stage, User, World};

async fn rotate(world: &World, user: &User, key: &Key, body: &Value) -> Answer {
    let target = format!("/keys/{}/rotate", key.id);
    let request = world.client.post(&target).bearer(&user.token);
    let answer = request.json(body).send().await;
    world.clock.advance(Duration::from_millis(1));
    answer
}

/// Rotates, and gives the key with its new text.
pub(super) async fn rotated(world: &World, user: &User, key: &Key, overlap: u64) -> Key {
    let body = json!({"overlap_seconds": overlap});
    let answer = rotate(world, user, key, &body).await.expect(201);
    let key = Key {
        id: answer.text_of("id"),
        text: answer.text_of("api_key"),
        json: answer.json(),
    };
    world.client.never_show(&key.text);
    key
}

pub(super) async fn settle(world: &World, user: &User, key: &Key, how: &str) -> Answer {
    let target = format!("/keys/{}/rotation/{how}", key.id);
    let request = world.client.post(&target).bearer(&user.token);
    request.send().await
}

async fn secrets(world: &World, user: &User, key: &Key) -> Vec<Value> {
    let target = format!("/keys/{}", key.id);
    let get = world.client.get(&target).bearer(&user.token);
    let shown = get.send().await.expect(200).json();
    shown["secrets"].as_array().unwrap().clone()
}

async fn retired(world: &World, text: &str) {
    let guarded = world.guarded(text).await.expect(401);
    guarded.problem("key_retired");
}

/// The key stays the same and gets another text. Both work until the overlap ends, to the microsecond.
pub async fn two_secrets_work_while_they_overlap(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world
        .key_with(
            &user,
            &json!({"name": "laptop", "scopes": ["reports:read"]}),
        )
        .await;
    world.warm(&key.text).await;
    let end = world.later(Duration::from_mins(1));
    let new = rotated(&world, &user, &key, 60).await;
    assert_eq!(new.id, key.id);
    assert_ne!(new.text, key.text);
    for field in ["name", "scopes", "created_at"] {
        assert_eq!(new.json[field], key.json[field], "{field}");
    }
    assert!(new.text.starts_with(new.json["prefix"].as_str().unwrap()));
    let [former, newest] = &secrets(&world, &user, &key).await[..] else {
        panic!("not two secrets")
    };
    assert_eq!(former["prefix"], key.json["prefix"]);
    assert_eq!(
        (&former["retires_at"], &newest["retires_at"]),
        (&json!(end), &Value::Null)
    );
    for text in [&key.text, &new.text] {
        world.warm(text).await;
        let seen = world.guarded(text).await.expect(200).json();
        assert_eq!(seen["key_id"], key.json["id"]);
    }
    // Rotating moved the clock by a millisecond.
    world
        .clock
        .advance(Duration::from_micros(60_000_000 - 1_001));
    world.guarded(&key.text).await.expect(200);
    world.clock.advance(Duration::from_micros(1));
    retired(&world, &key.text).await;
    world.guarded(&new.text).await.expect(200);
    // What is over is over: another rotation may follow.
    let third = rotated(&world, &user, &key, 60).await;
    world.guarded(&new.text).await.expect(200);
    world.guarded(&third.text).await.expect(200);
    retired(&world, &key.text).await;
}

/// Without an overlap the former secret is refused at once, also where it was remembered.
pub async fn without_an_overlap_the_former_secret_ends_at_once(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let mut key = world.key(&user).await;
    for _ in 0..3 {
        world.warm(&key.text).await;
        let new = rotated(&world, &user, &key, 0).await;
        retired(&world, &key.text).await;
        world.guarded(&new.text).await.expect(200);
        key = new;
    }
}

/// The owner sees who still uses the former secret: how often, when and which.
pub async fn the_owner_sees_which_secret_is_used(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world.key(&user).await;
    let new = rotated(&world, &user, &key, 3_600).await;
    world.clock.advance(Duration::from_secs(5));
    for text in [&key.text, &key.text, &new.text] {
        world.guarded(text).await.expect(200);
    }
    let at = world.later(Duration::ZERO);
    world.sakms.flush().await.unwrap();
    let secrets = secrets(&world, &user, &key).await;
    let counts: Vec<_> = secrets.iter().map(|secret| &secret["uses"]).collect();
    assert_eq!(counts, [&json!(2), &json!(1)]);
    for secret in &secrets {
        assert_eq!(secret["last_used_at"], at);
        let fields = secret.as_object().unwrap();
        assert!(fields.contains_key("last_used_from"));
        assert!(!fields.contains_key("hash"));
    }
}

/// The overlap can be ended early: the new secret stays.
pub async fn a_rotation_can_be_ended(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world.key(&user).await;
    let new = rotated(&world, &user, &key, 3_600).await;
    world.warm(&key.text).await;
    let answer = settle(&world, &user, &key, "finish").await.expect(200);
    assert_eq!(answer.json()["prefix"], new.json["prefix"]);
    retired(&world, &key.text).await;
    world.guarded(&new.text).await.expect(200);
    for how in ["finish", "cancel"] {
        let answer = settle(&world, &user, &key, how).await;
        answer.expect(409).problem("no_rotation");
    }
}

/// A rotation can be taken back: the former secret stays, and works past the overlap.
pub async fn a_rotation_can_be_taken_back(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world.key(&user).await;
    let new = rotated(&world, &user, &key, 60).await;
    world.warm(&new.text).await;
    let answer = settle(&world, &user, &key, "cancel").await.expect(200);
    assert_eq!(answer.json()["prefix"], key.json["prefix"]);
    retired(&world, &new.text).await;
    world.clock.advance(Duration::from_mins(2));
    world.guarded(&key.text).await.expect(200);
    let answer = settle(&world, &user, &key, "cancel").await;
    answer.expect(409).problem("no_rotation");
    let again = rotated(&world, &user, &key, 60).await;
    world.guarded(&key.text).await.expect(200);
    world.guarded(&again.text).await.expect(200);
    retired(&world, &new.text).await;
}

/// While two secrets work there is no third; after the overlap there is no way back.
pub async fn one_rotation_at_a_time(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world.key(&user).await;
    let new = rotated(&world, &user, &key, 60).await;
    for body in [json!({}), json!({"overlap_seconds": 0})] {
        let answer = rotate(&world, &user, &key, &body).await;
        answer.expect(409).problem("rotation_in_progress");
    }
    world.guarded(&key.text).await.expect(200);
    world.guarded(&new.text).await.expect(200);
    world.clock.advance(Duration::from_mins(1));
    for how in ["finish", "cancel"] {
        let answer = settle(&world, &user, &key, how).await;
        answer.expect(409).problem("no_rotation");
    }
    rotated(&world, &user, &key, 0).await;
}

/// The former secret never outlives the key.
pub async fn an_overlap_ends_with_the_key(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let end = world.later(Duration::from_mins(1));
    let key = world.key_with(&user, &json!({"expires_at": end})).await;
    rotated(&world, &user, &key, 3_600).await;
    let secrets = secrets(&world, &user, &key).await;
    assert_eq!(secrets[0]["retires_at"], end);
}

/// An overlap is a number of seconds up to the service's maximum, and a day when nothing is said.
pub async fn overlaps_are_checked(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world.key(&user).await;
    for overlap in [
        json!(-1),
        json!(1.5),
        json!("60"),
        json!(30 * 24 * 3_600 + 1),
        json!(u64::MAX),
        json!(1e300),
        json!([]),
    ] {
        let answer = rotate(&world, &user, &key, &json!({"overlap_seconds": overlap})).await;
        assert_eq!(answer.status, 422, "{overlap}:\n{}", answer.whole());
        answer.invalid(&["overlap_seconds"]);
    }
    let answer = rotate(&world, &user, &key, &json!({"overlap": 5})).await;
    answer.invalid(&["overlap"]);
    world.guarded(&key.text).await.expect(200);
    let target = format!("/keys/{}/rotate", key.id);
    let end = world.later(Duration::from_hours(24));
    let bare = world.client.post(&target).bearer(&user.token);
    let answer = bare.send().await.expect(201);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    world.client.never_show(&answer.text_of("api_key"));
    assert_eq!(secrets(&world, &user, &key).await[0]["retires_at"], end);
}

/// Another owner's key is not there to be rotated.
pub async fn anothers_key_cannot_be_rotated(stage: &Stage) {
    let world = stage.world().await;
    let (ada, eve) = (world.user().await, world.user().await);
    let key = world.key(&ada).await;
    rotate(&world, &eve, &key, &json!({})).await.expect(404);
    let new = rotated(&world, &ada, &key, 60).await;
    for how in ["finish", "cancel"] {
        let answer = settle(&world, &eve, &key, how).await;
        answer.expect(404).problem("not_found");
    }
    world.guarded(&key.text).await.expect(200);
    world.guarded(&new.text).await.expect(200);
}
