//! The guard in front of a host's own routes.

use std::time::Duration;

use serde_json::json;

use super::Stage;

/// The handler learns who holds the key, and what they may do.
pub async fn a_handler_learns_who_holds_the_key(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let description =
        json!({"scopes": ["b:read", "a:*"], "environment": "test", "metadata": {"team": "blue"}});
    let key = world.key_with(&user, &description).await;
    let everywhere = world.client.get("/guarded/everywhere").bearer(&key.text);
    let seen = everywhere.send().await.expect(200);
    assert_eq!(
        seen.json(),
        json!({
            "owner": user.id,
            "key_id": key.id,
            "scopes": ["a:*", "b:read"],
            "environment": "test",
            "metadata": {"team": "blue"},
        })
    );
    let key = world.key(&user).await;
    let maybe = world
        .client
        .get("/guarded/maybe")
        .bearer(&key.text)
        .send()
        .await
        .expect(200);
    assert_eq!(maybe.json(), json!({"owner": user.id}));
}

/// A route can ask for a scope; who lacks it is told which.
pub async fn a_guard_asks_for_a_scope(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    for (scopes, status) in [
        (json!(["reports:read"]), 200),
        (json!(["reports:*"]), 200),
        (json!(["*"]), 200),
        (json!(["a:read", "reports:read"]), 200),
        (json!([]), 403),
        (json!(["reports:write"]), 403),
        (json!(["reports:readx", "reportsx:*", "xreports:read"]), 403),
    ] {
        let key = world.key_with(&user, &json!({"scopes": scopes})).await;
        let answer = world
            .client
            .get("/guarded/reports")
            .bearer(&key.text)
            .send()
            .await;
        assert_eq!(answer.status, status, "{scopes}:\n{}", answer.whole());
        if status == 403 {
            answer.problem("insufficient_scope");
            let challenge = answer.header("www-authenticate").unwrap_or_default();
            assert!(challenge.starts_with("Bearer "), "{challenge}");
            assert!(
                challenge.contains("error=\"insufficient_scope\""),
                "{challenge}"
            );
            assert!(challenge.contains("scope=\"reports:read\""), "{challenge}");
        }
        world.guarded(&key.text).await.expect(200);
    }
}

/// A route can ask for an environment.
pub async fn a_guard_asks_for_an_environment(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let live = world.key_with(&user, &json!({"environment": "live"})).await;
    let test = world
        .key_with(&user, &json!({"environment": "test", "scopes": ["*"]}))
        .await;
    let ask = |text: &str| world.client.get("/guarded/live").bearer(text).send();
    ask(&live.text).await.expect(200);
    ask(&test.text)
        .await
        .expect(401)
        .problem("wrong_environment");
}

/// A route can ask for a scope or another, and for none of a third.
pub async fn a_guard_asks_for_one_scope_or_another(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    for (scopes, named) in [
        (json!(["reports:read"]), None),
        (json!(["reports:audit"]), None),
        (json!(["reports:read", "reports:write"]), None),
        (json!([]), Some("reports:read")),
        (json!(["reports:write"]), Some("reports:read")),
        (
            json!(["reports:read", "reports:delete"]),
            Some("reports:delete"),
        ),
        (json!(["reports:*"]), Some("reports:delete")),
        (json!(["*"]), Some("reports:delete")),
    ] {
        let key = world.key_with(&user, &json!({"scopes": scopes})).await;
        let answer = world.client.get("/guarded/either").bearer(&key.text);
        let answer = answer.send().await;
        let Some(named) = named else {
            answer.expect(200);
            continue;
        };
        let problem = answer.expect(403).problem("insufficient_scope");
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(named), "{scopes}: {detail}");
    }
}

/// Where nobody need present anything, a bad key is still a bad key: it is never "anonymous".
pub async fn a_bad_key_is_never_anonymous(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world.key(&user).await;
    let maybe = || world.client.get("/guarded/maybe");
    for request in [maybe(), maybe().header("Authorization", "Basic YTpi")] {
        assert_eq!(
            request.send().await.expect(200).json(),
            json!({"owner": null})
        );
    }
    world.revoke(&user, &key).await.expect(200);
    maybe()
        .bearer(&key.text)
        .send()
        .await
        .expect(401)
        .problem("key_revoked");
    for text in ["", "garbage", "a.b.c"] {
        maybe()
            .bearer(text)
            .send()
            .await
            .expect(401)
            .problem("invalid_key");
        maybe()
            .api_key(text)
            .send()
            .await
            .expect(401)
            .problem("invalid_key");
    }
    maybe()
        .bearer("x")
        .api_key("x")
        .send()
        .await
        .expect(400)
        .problem("several_credentials");
}

/// A handler that wants a verified key on a route without a guard is a mistake of the host's: 500, and never an open
/// door.
pub async fn a_forgotten_guard_is_no_open_door(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world.key(&user).await;
    for request in [
        world.client.get("/unguarded"),
        world.client.get("/unguarded").bearer(&key.text),
        world.client.get("/unguarded").bearer("garbage"),
    ] {
        request.send().await.expect(500).problem("internal_error");
    }
    world.client.get("/open").send().await.expect(200);
}

/// A key opens until the microsecond of its expiry.
pub async fn a_key_ends_to_the_microsecond(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let life = Duration::from_mins(10);
    let just_before = Duration::from_micros(10 * 60 * 1_000_000 - 1);
    let expires_at = world.later(life);
    let start = crate::clock::Clock::now(&*world.clock);
    let description = json!({"expires_at": expires_at, "scopes": ["keys:read"]});
    let key = world.key_with(&user, &description).await;
    assert_eq!(key.json["expires_at"], expires_at);
    let end = start.checked_add(life).unwrap();
    let doors = || {
        [world.client.get("/guarded/any"), world.client.get("/keys")]
            .map(|door| door.bearer(&key.text))
    };

    world.clock.set(start.checked_add(just_before).unwrap());
    for door in doors() {
        door.send().await.expect(200);
    }
    for late in [0, 1, 1_000_000] {
        world
            .clock
            .set(end.checked_add(Duration::from_micros(late)).unwrap());
        for door in doors() {
            door.send().await.expect(401).problem("key_expired");
        }
    }
    // It is time that refuses it, not something that was remembered.
    world.clock.set(start);
    for door in doors() {
        door.send().await.expect(200);
    }
    let list = world
        .client
        .get("/keys")
        .bearer(&user.token)
        .send()
        .await
        .expect(200);
    assert_eq!(list.items()[0]["revoked"], false);
}

/// A guard lets through what its route answers to; other methods get nothing from behind it.
pub async fn other_methods_do_not_pass_a_guard(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world.key(&user).await;
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"] {
        let request = || world.client.request(method, "/guarded/any");
        let stranger = request().send().await;
        assert!(
            [401, 405].contains(&stranger.status),
            "{method}:\n{}",
            stranger.whole()
        );
        request()
            .bearer(&key.text)
            .send()
            .await
            .expect(405)
            .problem("method_not_allowed");
    }
}
