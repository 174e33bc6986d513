//! Switching keys off and on, and revoking them.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Answer, Key, Stage, User, World};

async fn ask(world: &World, credential: &str, key: &Key, what: &str) -> Answer {
    let target = format!("/keys/{}/{what}", key.id);
    world.client.post(&target).bearer(credential).send().await
}

async fn shown(world: &World, user: &User, key: &Key) -> Value {
    let target = format!("/keys/{}", key.id);
    let get = world.client.get(&target).bearer(&user.token);
    get.send().await.expect(200).json()
}

/// A key that is off is refused at once, warm or not, and good again once it is on. Each twice is as good as once.
pub async fn a_key_is_switched_off_and_on(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world.key(&user).await;
    world.warm(&key.text).await;
    for (what, status, disabled) in [("disable", 401, true), ("enable", 200, false)] {
        for _ in 0..2 {
            let answer = ask(&world, &user.token, &key, what).await.expect(200);
            assert_eq!(answer.json(), json!({"status": format!("{what}d")}));
            let guarded = world.guarded(&key.text).await.expect(status);
            if disabled {
                guarded.problem("key_disabled");
            }
            assert_eq!(shown(&world, &user, &key).await["disabled"], disabled);
        }
    }
}

/// Revoked is for good: no key is switched on, rotated or given other rights after that.
pub async fn a_revoked_key_cannot_be_brought_back(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world.key(&user).await;
    ask(&world, &user.token, &key, "disable").await.expect(200);
    world.revoke(&user, &key).await.expect(200);
    for what in ["enable", "rotate"] {
        let answer = ask(&world, &user.token, &key, what).await;
        answer.expect(409).problem("key_is_revoked");
    }
    for body in [
        json!({"scopes": ["a:b"]}),
        json!({"limits": null}),
        json!({"roles": []}),
        json!({"expires_at": null}),
        json!({"not_before": null}),
    ] {
        let patch = world.client.patch(&format!("/keys/{}", key.id));
        let answer = patch.bearer(&user.token).json(&body).send().await;
        answer.expect(409).problem("key_is_revoked");
    }
    ask(&world, &user.token, &key, "disable").await.expect(200);
    world
        .guarded(&key.text)
        .await
        .expect(401)
        .problem("key_revoked");
}

/// A key that has expired has expired: its end cannot be moved any more.
pub async fn an_expired_key_cannot_be_brought_back(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let end = world.later(Duration::from_mins(1));
    let key = world.key_with(&user, &json!({"expires_at": end})).await;
    world.clock.advance(Duration::from_mins(1));
    for body in [
        json!({"expires_at": null}),
        json!({"expires_at": world.later(Duration::from_mins(1))}),
        json!({"scopes": []}),
    ] {
        let patch = world.client.patch(&format!("/keys/{}", key.id));
        let answer = patch.bearer(&user.token).json(&body).send().await;
        answer.expect(409).problem("key_is_expired");
    }
    let rotate = ask(&world, &user.token, &key, "rotate").await;
    rotate.expect(409).problem("key_is_expired");
    let rename = world.client.patch(&format!("/keys/{}", key.id));
    let rename = rename
        .bearer(&user.token)
        .json(&json!({"name": "old", "tags": ["old"]}));
    rename.send().await.expect(200);
    world
        .guarded(&key.text)
        .await
        .expect(401)
        .problem("key_expired");
}

/// Who holds a key can put an end to it, whatever its scopes are; who holds none has none to end.
pub async fn a_key_revokes_itself_without_a_scope(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let (key, other) = (world.key(&user).await, world.key(&user).await);
    let revoke = |credential: &str| {
        let request = world.client.post("/keys/current/revoke");
        request.bearer(credential).send()
    };
    revoke(&user.token).await.expect(403).problem("key_only");
    world.guarded(&key.text).await.expect(200);
    let answer = revoke(&key.text).await.expect(200);
    assert_eq!(answer.json(), json!({"status": "revoked"}));
    revoke(&key.text).await.expect(401).problem("key_revoked");
    world.guarded(&other.text).await.expect(200);
    let with_slash = world
        .client
        .post("/keys/current/revoke/")
        .api_key(&other.text);
    with_slash.send().await.expect(200);
    assert_eq!(shown(&world, &user, &other).await["revoked"], true);
}

/// `current` is the key that asks, and for whoever is no key it is nothing.
pub async fn current_is_the_key_that_asks(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world
        .key_with(&user, &json!({"scopes": ["keys:read"]}))
        .await;
    let current = |credential: &str| world.client.get("/keys/current").bearer(credential).send();
    assert_eq!(current(&key.text).await.expect(200).text_of("id"), key.id);
    current(&user.token).await.expect(404).problem("not_found");
    let bare = world.key(&user).await;
    let refused = current(&bare.text).await.expect(403);
    refused.problem("insufficient_scope");
}
