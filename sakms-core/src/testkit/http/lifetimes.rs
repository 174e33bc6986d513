//! What a host has settled: how long keys live, how long secrets overlap, and how many keys an owner has.

use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::Stage;
use crate::service::{KeyLifetimes, RotationOverlap};

const HOUR: Duration = Duration::from_hours(1);

/// A default, a minimum and a maximum hold for what is made and for what is changed.
pub async fn lifetimes_are_kept(stage: &Stage) {
    let lifetimes = KeyLifetimes::new(Some(2 * HOUR), Some(HOUR), Some(3 * HOUR)).unwrap();
    let world = stage
        .world_of(|builder| builder.key_lifetimes(lifetimes))
        .await;
    let user = world.user().await;
    for body in [json!({}), json!({"expires_at": null})] {
        let end = world.later(2 * HOUR + Duration::from_millis(1));
        assert_eq!(world.key_with(&user, &body).await.json["expires_at"], end);
    }
    for (span, good) in [
        (Duration::from_micros(3_600_000_000 - 1), false),
        (HOUR, true),
        (3 * HOUR, true),
        (3 * HOUR + Duration::from_micros(1), false),
    ] {
        let body = json!({"expires_at": world.later(span)});
        let answer = world.create(&body).bearer(&user.token).send().await;
        if good {
            answer.expect(201);
        } else {
            answer.invalid(&["expires_at"]);
        }
    }
    let key = world.key(&user).await;
    let patch = |expires_at: Value| {
        let request = world.client.patch(&format!("/keys/{}", key.id));
        let request = request.bearer(&user.token);
        request.json(&json!({"expires_at": expires_at})).send()
    };
    let last = world.later(3 * HOUR);
    world.clock.advance(HOUR);
    // The maximum counts from when it was made, however often it is changed.
    patch(json!(world.later(3 * HOUR)))
        .await
        .invalid(&["expires_at"]);
    patch(json!(null)).await.invalid(&["expires_at"]);
    patch(json!(last)).await.expect(200);
}

/// Times fit together, and no number is "never".
pub async fn times_fit_together(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let (soon, later) = (world.later(HOUR), world.later(2 * HOUR));
    for (not_before, expires_at) in [(&later, &soon), (&soon, &soon)] {
        let body = json!({"not_before": not_before, "expires_at": expires_at});
        let create = world.create(&body).bearer(&user.token);
        create.send().await.invalid(&["not_before"]);
    }
    let key = world
        .key_with(&user, &json!({"not_before": soon, "expires_at": later}))
        .await;
    assert_eq!(
        (&key.json["not_before"], &key.json["expires_at"]),
        (&json!(soon), &json!(later))
    );
    let patch = |body: Value| {
        let request = world.client.patch(&format!("/keys/{}", key.id));
        request.bearer(&user.token).json(&body).send()
    };
    patch(json!({"expires_at": soon}))
        .await
        .invalid(&["not_before"]);
    patch(json!({"not_before": later}))
        .await
        .invalid(&["not_before"]);
    let now = world.later(Duration::ZERO);
    for expires_at in [
        json!(now),
        json!("2020-01-01T00:00:00Z"),
        json!(0),
        json!("0"),
        json!(false),
    ] {
        patch(json!({"expires_at": expires_at}))
            .await
            .invalid(&["expires_at"]);
    }
    // Left out is unchanged; null is none.
    let changed = patch(json!({"not_before": null})).await.expect(200).json();
    assert_eq!(
        (&changed["not_before"], &changed["expires_at"]),
        (&Value::Null, &json!(later))
    );
    let changed = patch(json!({"expires_at": null})).await.expect(200).json();
    assert_eq!(changed["expires_at"], Value::Null);
}

/// A default past the end of time makes no key, rather than one that never ends.
pub async fn a_default_past_the_end_of_time_is_refused(stage: &Stage) {
    let long = KeyLifetimes::new(Some(Duration::MAX), None, None).unwrap();
    let world = stage.world_of(|builder| builder.key_lifetimes(long)).await;
    let user = world.user().await;
    let create = world.create(&json!({})).bearer(&user.token);
    create.send().await.invalid(&["expires_at"]);
    world
        .key_with(&user, &json!({"expires_at": "2030-01-01T00:00:00Z"}))
        .await;
}

/// The default and the maximum of an overlap are the host's.
pub async fn overlaps_are_the_hosts(stage: &Stage) {
    let overlap = RotationOverlap::new(Duration::from_secs(5), Duration::from_mins(1)).unwrap();
    let world = stage
        .world_of(|builder| builder.rotation_overlap(overlap))
        .await;
    let user = world.user().await;
    let key = world.key(&user).await;
    let rotate = |body: Value| {
        let request = world.client.post(&format!("/keys/{}/rotate", key.id));
        request.bearer(&user.token).json(&body).send()
    };
    rotate(json!({"overlap_seconds": 61}))
        .await
        .invalid(&["overlap_seconds"]);
    rotate(json!({})).await.expect(201);
    world.clock.advance(Duration::from_secs(4));
    world.guarded(&key.text).await.expect(200);
    world.clock.advance(Duration::from_secs(1));
    world.guarded(&key.text).await.expect(401);
}

/// Thirty-two at once make as many keys as the owner may have, and no more. One that is revoked or expired makes room.
pub async fn an_owner_has_so_many_keys(stage: &Stage) {
    let most = NonZeroU32::new(5).unwrap();
    let world = stage.world_of(|builder| builder.keys_per_owner(most)).await;
    let user = world.user().await;
    let end = world.later(HOUR);
    let mut racing = JoinSet::new();
    for number in 0..32 {
        let body = json!({"name": format!("{number}"), "expires_at": end});
        let request = world.create(&body).bearer(&user.token);
        racing.spawn(async move { request.send().await });
    }
    let mut made = Vec::new();
    for answer in racing.join_all().await {
        if answer.status == 201 {
            made.push(answer.text_of("id"));
        } else {
            answer.expect(409).problem("too_many_keys");
        }
    }
    assert_eq!(made.len(), 5);
    let create = || world.create(&json!({})).bearer(&user.token).send();
    create().await.expect(409);
    let revoke = world.client.post(&format!("/keys/{}/revoke", made[0]));
    revoke.bearer(&user.token).send().await.expect(200);
    create().await.expect(201);
    create().await.expect(409);
    world.key(&world.user().await).await;
    world.clock.advance(HOUR);
    let token = world.token(&user.email, &user.password).await;
    world
        .create(&json!({}))
        .bearer(&token)
        .send()
        .await
        .expect(201);
}
