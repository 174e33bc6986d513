//! A key that manages keys makes of none of them more than itself: not when it makes one, and not when it changes one.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Answer, Key, Stage, User, World};

/// Asks for a key of this description, made by a key; and for a key of nothing to be changed to it by the same key.
async fn both_ways(world: &World, user: &User, by: &Key, description: &Value) -> [Answer; 2] {
    let made = world.create(description).bearer(&by.text).send().await;
    let target = world.key_with(user, &narrow(by)).await;
    let patch = world.client.patch(&format!("/keys/{}", target.id));
    let changed = patch.bearer(&by.text).json(description).send().await;
    world.clock.advance(Duration::from_millis(1));
    [made, changed]
}

/// A key that is limited like another, and may do nothing.
fn narrow(by: &Key) -> Value {
    let mut description = json!({});
    for field in ["limits", "expires_at", "not_before", "environment"] {
        description[field] = by.json[field].clone();
    }
    description
}

async fn refused(world: &World, user: &User, by: &Key, description: Value, code: &str) {
    for answer in both_ways(world, user, by, &description).await {
        assert_eq!(answer.status, 403, "{description}:\n{}", answer.whole());
        answer.problem(code);
    }
}

async fn allowed(world: &World, user: &User, by: &Key, description: Value) {
    for answer in both_ways(world, user, by, &description).await {
        assert!(answer.status < 300, "{description}:\n{}", answer.whole());
    }
}

async fn role(world: &World, name: &str, scopes: Value) {
    let admin = world.admin().await;
    let put = world.client.request("PUT", &format!("/roles/{name}"));
    let put = put.bearer(&admin.token).json(&json!({"scopes": scopes}));
    put.send().await.expect(200);
}

/// Scopes, with wildcards, and those of roles on both sides.
pub async fn no_key_gives_wider_scopes(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    role(&world, "reader", json!(["reports:read"])).await;
    role(&world, "writer", json!(["reports:*"])).await;
    role(&world, "nothing", json!([])).await;
    let by = world
        .key_with(
            &user,
            &json!({"scopes": ["keys:write", "a:*"], "roles": ["reader"]}),
        )
        .await;
    for good in [
        json!({"scopes": []}),
        json!({"scopes": ["keys:write", "a:*", "a:b"]}),
        json!({"scopes": ["reports:read"]}),
        json!({"roles": ["reader"]}),
        json!({"roles": ["nothing"]}),
        json!({"roles": ["reader", "nothing"], "scopes": ["a:b"]}),
    ] {
        allowed(&world, &user, &by, good).await;
    }
    for bad in [
        json!({"scopes": ["*"]}),
        json!({"scopes": ["keys:*"]}),
        json!({"scopes": ["keys:read"]}),
        json!({"scopes": ["reports:*"]}),
        json!({"roles": ["writer"]}),
        json!({"roles": ["reader", "writer"], "scopes": []}),
        json!({"scopes": ["a:b", "b:c"]}),
    ] {
        refused(&world, &user, &by, bad, "insufficient_scope").await;
    }
    // A role is what it is now.
    role(&world, "reader", json!([])).await;
    refused(
        &world,
        &user,
        &by,
        json!({"scopes": ["reports:read"]}),
        "insufficient_scope",
    )
    .await;
    role(&world, "writer", json!(["a:b"])).await;
    allowed(&world, &user, &by, json!({"roles": ["writer"]})).await;
}

/// No longer life, and no earlier beginning.
pub async fn no_key_gives_more_time(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let (start, end) = (
        world.later(Duration::from_secs(1)),
        world.later(Duration::from_mins(10)),
    );
    let by = world
        .key_with(
            &user,
            &json!({"scopes": ["keys:write"], "not_before": start, "expires_at": end}),
        )
        .await;
    world.clock.advance(Duration::from_secs(2));
    let (soon, later) = (
        world.later(Duration::from_mins(5)),
        world.later(Duration::from_mins(11)),
    );
    for good in [
        json!({"expires_at": end}),
        json!({"expires_at": soon}),
        json!({"not_before": start}),
        json!({"not_before": soon}),
    ] {
        allowed(&world, &user, &by, good).await;
    }
    refused(
        &world,
        &user,
        &by,
        json!({"expires_at": later}),
        "beyond_caller",
    )
    .await;
    // To make nothing of it is to make it as the caller; to change it to nothing is to ask for more.
    let target = world.key_with(&user, &narrow(&by)).await;
    let patch = |id: &str, body: Value| {
        let request = world.client.patch(&format!("/keys/{id}"));
        request.bearer(&by.text).json(&body).send()
    };
    let answer = patch(&target.id, json!({"expires_at": null})).await;
    answer.expect(403).problem("beyond_caller");
    let made = world.create(&json!({"expires_at": null})).bearer(&by.text);
    assert_eq!(made.send().await.expect(201).json()["expires_at"], end);
    // Nor its own.
    for body in [json!({"expires_at": null}), json!({"expires_at": later})] {
        let answer = patch(&by.id, body).await;
        answer.expect(403).problem("beyond_caller");
    }
    patch(&by.id, json!({"expires_at": soon})).await.expect(200);
}

/// No laxer limits, where its own key has some; without a word about it, its own.
pub async fn no_key_gives_laxer_limits(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    // From where the suite's client is, whether that is looked at or not.
    let limits = json!({
        "rates": [{"name": "hour", "requests": 100_000, "seconds": 3_600}],
        "ip_ranges": ["127.0.0.0/8"],
        "quota": {"amount": 100_000, "refill": "monthly"},
    });
    let by = world
        .key_with(&user, &json!({"scopes": ["keys:write"], "limits": limits}))
        .await;
    allowed(&world, &user, &by, json!({"limits": limits})).await;
    let with = |field: &str, value: Value| {
        let mut limits = limits.clone();
        limits[field] = value;
        json!({"limits": limits})
    };
    for good in [
        with("ip_ranges", json!(["127.0.0.1"])),
        with("quota", json!({"amount": 1})),
        with(
            "rates",
            json!([{"name": "x", "requests": 1, "seconds": 60}]),
        ),
    ] {
        allowed(&world, &user, &by, good).await;
    }
    for bad in [
        json!({"limits": {}}),
        with("ip_ranges", json!([])),
        with("ip_ranges", json!(["127.0.0.1", "10.0.0.1"])),
        with("ip_ranges", json!(["0.0.0.0/0"])),
        with("quota", json!(null)),
        with("quota", json!({"amount": 100_001, "refill": "monthly"})),
        with("quota", json!({"amount": 1, "refill": "daily"})),
        with("rates", json!([])),
        with(
            "rates",
            json!([{"name": "hour", "requests": 100_001, "seconds": 3_600}]),
        ),
    ] {
        refused(&world, &user, &by, bad, "beyond_caller").await;
    }
    let made = world.create(&json!({})).bearer(&by.text).send().await;
    assert_eq!(made.expect(201).json()["limits"], limits);
    let target = world.key_with(&user, &narrow(&by)).await;
    let patch = world.client.patch(&format!("/keys/{}", target.id));
    let patch = patch.bearer(&by.text).json(&json!({"limits": null}));
    patch.send().await.expect(403).problem("beyond_caller");
}

/// A key that is more than the caller is out of its reach: its rights are not changed, it is not switched on, and above all
/// it is not rotated, for the text would be in the caller's hands. Putting an end to it is allowed.
pub async fn a_wider_key_is_not_taken_over(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let by = world
        .key_with(&user, &json!({"scopes": ["keys:write"]}))
        .await;
    let wide = world.key_with(&user, &json!({"scopes": ["*"]})).await;
    let ask = |credential: &str, tail: &str| {
        let target = format!("/keys/{}{tail}", wide.id);
        world.client.post(&target).bearer(credential).send()
    };
    let patch = |body: Value| {
        let request = world.client.patch(&format!("/keys/{}", wide.id));
        request.bearer(&by.text).json(&body).send()
    };
    ask(&by.text, "/rotate")
        .await
        .expect(403)
        .problem("insufficient_scope");
    let end = world.later(Duration::from_hours(1));
    patch(json!({"expires_at": end}))
        .await
        .expect(403)
        .problem("insufficient_scope");
    patch(json!({"name": "wide", "tags": ["wide"]}))
        .await
        .expect(200);
    patch(json!({"scopes": []})).await.expect(200);
    let restored = world.client.patch(&format!("/keys/{}", wide.id));
    let restored = restored.bearer(&user.token).json(&json!({"scopes": ["*"]}));
    restored.send().await.expect(200);

    ask(&user.token, "/rotate").await.expect(201);
    ask(&by.text, "/rotation/cancel")
        .await
        .expect(403)
        .problem("insufficient_scope");
    ask(&by.text, "/rotation/finish").await.expect(200);
    ask(&by.text, "/disable").await.expect(200);
    ask(&by.text, "/enable")
        .await
        .expect(403)
        .problem("insufficient_scope");
    ask(&by.text, "/revoke").await.expect(200);
}

/// A right that was taken from a key is not handed on by it, however lately it was remembered.
pub async fn a_right_that_was_taken_is_not_handed_on(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let by = world
        .key_with(&user, &json!({"scopes": ["keys:write", "a:b"]}))
        .await;
    world.warm(&by.text).await;
    allowed(&world, &user, &by, json!({"scopes": ["a:b"]})).await;
    let patch = world.client.patch(&format!("/keys/{}", by.id));
    let patch = patch
        .bearer(&user.token)
        .json(&json!({"scopes": ["keys:write"]}));
    patch.send().await.expect(200);
    refused(
        &world,
        &user,
        &by,
        json!({"scopes": ["a:b"]}),
        "insufficient_scope",
    )
    .await;
}
