//! Credentials: where they may stand, how many there may be, and what a bad one learns.

use serde_json::json;

use super::client::Request;
use super::world::{Key, User};
use super::{Stage, World};
use crate::testkit::fixtures;

/// Every kind of door there is: the management routes and each guard.
fn doors(world: &World) -> Vec<Request> {
    let paths = [
        "/keys",
        "/guarded/any",
        "/guarded/reports",
        "/guarded/live",
        "/guarded/maybe",
    ];
    let mut doors: Vec<_> = paths.iter().map(|path| world.client.get(path)).collect();
    doors.push(world.client.post("/keys"));
    doors.push(
        world
            .client
            .patch(&format!("/keys/{}", fixtures::key_id()))
            .json(&json!({})),
    );
    doors.push(
        world
            .client
            .post(&format!("/keys/{}/revoke", fixtures::key_id())),
    );
    doors
}

/// A user, and a key of theirs that opens every door.
pub(super) async fn holder(world: &World) -> (User, Key) {
    let user = world.user().await;
    let scopes = json!({"scopes": ["keys:*", "reports:read"]});
    let key = world.key_with(&user, &scopes).await;
    (user, key)
}

/// Two credentials are one too many, even when both are good or both are the same: two readers could pick
/// different ones.
pub async fn two_credentials_are_refused(stage: &Stage) {
    let world = stage.world().await;
    let (user, key) = holder(&world).await;
    let (key, token) = (&key.text, &user.token);
    for door in doors(&world) {
        for request in [
            door.clone().bearer(key).api_key(key),
            door.clone().bearer(token).api_key(key),
            door.clone().bearer("garbage").api_key(key),
            door.clone().bearer(key).api_key("garbage"),
            door.clone().bearer(key).api_key(""),
            door.clone().bearer("").api_key(key),
            door.clone().bearer(key).bearer(key),
            door.clone().bearer(token).bearer(key),
            door.clone().api_key(key).api_key(key),
            door.clone().api_key(key).header("x-api-key", "garbage"),
            door.clone()
                .header("Authorization", "Basic YTpi")
                .bearer(key),
            door.clone().header("authorization", "").bearer(key),
        ] {
            let answer = request.clone().send().await;
            assert_eq!(answer.status, 400, "{request:?}:\n{}", answer.whole());
            answer.problem("several_credentials");
        }
    }
    for target in [
        format!("/keys?token={token}&token={token}"),
        format!("/keys?token={token}&limit=1&token="),
    ] {
        world
            .client
            .get(&target)
            .send()
            .await
            .expect(400)
            .problem("several_credentials");
    }
    let query = world.client.get(&format!("/keys?token={token}"));
    query
        .clone()
        .bearer(token)
        .send()
        .await
        .expect(400)
        .problem("several_credentials");
    query
        .api_key(key)
        .send()
        .await
        .expect(400)
        .problem("several_credentials");
}

/// A key opens its doors as `Authorization: Bearer` in any case of the scheme, and as `X-API-Key`.
pub async fn a_key_comes_in_two_headers(stage: &Stage) {
    let world = stage.world().await;
    let (user, key) = holder(&world).await;
    for path in [
        "/keys",
        "/guarded/any",
        "/guarded/reports",
        "/guarded/live",
        "/guarded/maybe",
    ] {
        for (name, value) in [
            ("Authorization", format!("Bearer {}", key.text)),
            ("authorization", format!("bearer {}", key.text)),
            ("AUTHORIZATION", format!("BEARER   {}  ", key.text)),
            ("Authorization", format!("bEaReR\t{}", key.text)),
            ("X-API-Key", key.text.clone()),
            ("x-api-key", format!("  {} ", key.text)),
        ] {
            world
                .client
                .get(path)
                .header(name, value)
                .send()
                .await
                .expect(200);
        }
        // The other schemes are somebody else's.
        let basic = world.client.get(path).header("Authorization", "Basic YTpi");
        basic.api_key(&key.text).send().await.expect(200);
    }
    for scheme in ["Bearer", "bearer", "BEARER  "] {
        let list = world
            .client
            .get("/keys")
            .header("Authorization", format!("{scheme} {}", user.token));
        list.send().await.expect(200);
    }
}

/// What is no credential of ours is not one: another scheme, no text, not ASCII, far too long.
pub async fn what_is_no_credential_opens_nothing(stage: &Stage) {
    let world = stage.world().await;
    let (_, key) = holder(&world).await;
    for path in ["/keys", "/guarded/any", "/guarded/reports", "/guarded/live"] {
        for (scheme, code) in [
            ("Basic YTpi", "missing_credential"),
            ("Digest username=\"a\"", "missing_credential"),
            ("Token", "missing_credential"),
            ("ApiKey", "missing_credential"),
            ("", "missing_credential"),
        ] {
            let value = format!("{scheme} {}", key.text);
            let request = world
                .client
                .get(path)
                .header("Authorization", value.trim_start());
            // A key on its own is no scheme either.
            request.send().await.expect(401).problem(code);
        }
        let glued = world
            .client
            .get(path)
            .header("Authorization", format!("Bearer{}", key.text));
        glued.send().await.expect(401).problem("missing_credential");
        world
            .client
            .get(path)
            .send()
            .await
            .expect(401)
            .problem("missing_credential");
    }
    let long = "a".repeat(7_000);
    let long_token = format!("{long}.b.c");
    let (accented, broken) = (
        format!("{}\u{e9}", key.text),
        [key.text.as_bytes(), b"\xff\xfe"].concat(),
    );
    let values: [&[u8]; 10] = [
        b"",
        b"garbage",
        b"acme_live_",
        long.as_bytes(),
        accented.as_bytes(),
        &broken,
        b"\xff",
        b"' OR 1=1 --",
        b"${jndi:ldap://localhost}",
        b"a, Bearer b",
    ];
    for path in [
        "/keys",
        "/guarded/any",
        "/guarded/reports",
        "/guarded/live",
        "/guarded/maybe",
    ] {
        for value in values {
            let bearer = [b"Bearer ".as_slice(), value].concat();
            for request in [
                world.client.get(path).header("Authorization", bearer),
                world.client.get(path).header("X-API-Key", value),
            ] {
                let answer = request.clone().send().await;
                assert_eq!(
                    answer.status,
                    401,
                    "{request:?} {value:?}:\n{}",
                    answer.whole()
                );
                answer.problem("invalid_key");
            }
        }
        let token = world
            .client
            .get(path)
            .bearer(&long_token)
            .send()
            .await
            .expect(401);
        token.problem(if path == "/keys" {
            "invalid_token"
        } else {
            "invalid_key"
        });
    }
}

/// A key in the query opens nothing, under whatever name: it would end up in logs.
pub async fn a_key_in_the_query_opens_nothing(stage: &Stage) {
    let world = stage.world().await;
    let (user, key) = holder(&world).await;
    for name in [
        "token",
        "api_key",
        "apikey",
        "key",
        "x-api-key",
        "access_token",
        "authorization",
    ] {
        for path in ["/keys", "/guarded/any", "/guarded/reports", "/guarded/live"] {
            let answer = world
                .client
                .get(&format!("{path}?{name}={}", key.text))
                .send()
                .await
                .expect(401);
            let code = if (name, path) == ("token", "/keys") {
                "credential_in_query"
            } else {
                "missing_credential"
            };
            answer.problem(code);
        }
        let maybe = world
            .client
            .get(&format!("/guarded/maybe?{name}={}", key.text))
            .send()
            .await;
        assert_eq!(maybe.expect(200).json(), json!({"owner": null}));
    }
    // Nor does a token open a guard by its query.
    let token = world
        .client
        .get(&format!("/guarded/any?token={}", user.token))
        .send()
        .await;
    token.expect(401).problem("missing_credential");
}

/// A token signs people in and opens no guard; a key is no token.
pub async fn tokens_and_keys_are_not_each_other(stage: &Stage) {
    let world = stage.world().await;
    let (user, key) = holder(&world).await;
    for path in [
        "/guarded/any",
        "/guarded/reports",
        "/guarded/live",
        "/guarded/maybe",
    ] {
        world
            .client
            .get(path)
            .bearer(&user.token)
            .send()
            .await
            .expect(401)
            .problem("invalid_key");
        world
            .client
            .get(path)
            .api_key(&user.token)
            .send()
            .await
            .expect(401)
            .problem("invalid_key");
    }
    world
        .client
        .get("/keys")
        .api_key(&user.token)
        .send()
        .await
        .expect(401)
        .problem("invalid_key");
    for text in [
        format!("{}.b.c", key.text),
        format!("a.{}.c", key.text),
        format!("a.b.{}", key.text),
    ] {
        world
            .client
            .get("/keys")
            .bearer(&text)
            .send()
            .await
            .expect(401)
            .problem("invalid_token");
    }
}
