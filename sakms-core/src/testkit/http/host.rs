//! A host that has users of its own: it says who calls, and mounts the key routes where it likes.

use serde_json::json;

use super::client::Request;
use super::{HOST_USER, Stage, World};

/// Owners as hosts write them.
const OWNERS: [&str; 5] = [
    "42",
    "team/7",
    "user:ada@example.com",
    "O'Brien; DROP TABLE",
    "a b  c",
];

fn by(world: &World, owner: &str, method: &str, path: &str) -> Request {
    world
        .client
        .request(method, &format!("/host{path}"))
        .header(HOST_USER, owner)
}

/// Whoever the host names manages their keys, without an account and without a token.
pub async fn a_host_says_who_calls(stage: &Stage) {
    let world = stage.world_without_accounts().await;
    for owner in OWNERS {
        let key = world
            .made(by(&world, owner, "POST", "/keys").json(&json!({"scopes": ["reports:read"]})))
            .await;
        assert_eq!(
            world.guarded(&key.text).await.expect(200).text_of("owner"),
            owner
        );
        let target = format!("/keys/{}", key.id);
        let renamed = by(&world, owner, "PATCH", &target)
            .json(&json!({"name": "renamed"}))
            .send()
            .await;
        assert_eq!(renamed.expect(200).json()["name"], "renamed");
        let mut shown = by(&world, owner, "GET", &target)
            .send()
            .await
            .expect(200)
            .json();
        shown.as_object_mut().unwrap().remove("secrets");
        assert_eq!(
            by(&world, owner, "GET", "/keys")
                .send()
                .await
                .expect(200)
                .items(),
            [shown]
        );
        let revoked = by(&world, owner, "POST", &format!("{target}/revoke/"))
            .send()
            .await
            .expect(200);
        assert_eq!(revoked.json(), json!({"status": "revoked"}));
        world
            .guarded(&key.text)
            .await
            .expect(401)
            .problem("key_revoked");
    }
}

/// Owners that look alike are not the same, and none sees another's keys.
pub async fn hosts_owners_do_not_see_each_other(stage: &Stage) {
    let world = stage.world().await;
    let owners = ["ada", "Ada", "ADA", "ada.", "ad"];
    for owner in owners {
        world.host_key(owner).await;
    }
    for owner in owners {
        let listed = by(&world, owner, "GET", "/keys")
            .send()
            .await
            .expect(200)
            .items();
        assert_eq!(listed.len(), 1, "{owner}");
        let target = format!("/keys/{}", listed[0]["id"].as_str().unwrap());
        for other in owners.iter().filter(|other| **other != owner) {
            for (method, tail) in [("GET", ""), ("PATCH", ""), ("POST", "/revoke")] {
                let request = by(&world, other, method, &format!("{target}{tail}"));
                request
                    .json(&json!({}))
                    .send()
                    .await
                    .expect(404)
                    .problem("not_found");
            }
        }
    }
    let user = world.user().await;
    let list = world.client.get("/keys").bearer(&user.token).send().await;
    assert_eq!(list.expect(200).json(), json!([]));
}

/// Where the host names nobody, a credential is needed as everywhere.
pub async fn a_host_that_names_nobody_lets_nobody_in(stage: &Stage) {
    let world = stage.world().await;
    for path in ["/host/keys", "/host/keys/"] {
        world
            .client
            .get(path)
            .send()
            .await
            .expect(401)
            .problem("missing_credential");
        world
            .client
            .post(path)
            .send()
            .await
            .expect(401)
            .problem("missing_credential");
        let empty = world.client.get(path).header(HOST_USER, "");
        empty.send().await.expect(401).problem("missing_credential");
    }
    // Nor does the header say anything where the host's middleware is not.
    let elsewhere = world.client.get("/keys").header(HOST_USER, "ada");
    elsewhere
        .send()
        .await
        .expect(401)
        .problem("missing_credential");
    let guarded = world.client.get("/guarded/any").header(HOST_USER, "ada");
    guarded
        .send()
        .await
        .expect(401)
        .problem("missing_credential");
    // A key with the scope manages its owner's keys there as well.
    let user = world.user().await;
    let key = world
        .key_with(&user, &json!({"scopes": ["keys:read"]}))
        .await;
    let list = world
        .client
        .get("/host/keys")
        .bearer(&key.text)
        .send()
        .await
        .expect(200);
    assert_eq!(list.items()[0]["id"], key.id);
}

/// Links, errors and "method not allowed" are the same under the host's prefix.
pub async fn a_prefix_changes_nothing(stage: &Stage) {
    let world = stage.world().await;
    for _ in 0..3 {
        world.host_key("ada").await;
    }
    let first = by(&world, "ada", "GET", "/keys?limit=2")
        .send()
        .await
        .expect(200);
    let link = first.header("link").unwrap();
    let query = &link[1..link.find('>').unwrap()];
    let second = by(&world, "ada", "GET", &format!("/keys{query}"))
        .send()
        .await
        .expect(200);
    assert_eq!((first.items().len(), second.items().len()), (2, 1));

    let refused = by(&world, "ada", "DELETE", "/keys")
        .send()
        .await
        .expect(405);
    refused.problem("method_not_allowed");
    assert_eq!(refused.allowed(), ["GET", "HEAD", "POST"]);
    by(&world, "ada", "GET", "/nothing")
        .send()
        .await
        .expect(404)
        .problem("not_found");
    by(&world, "ada", "GET", "/health")
        .send()
        .await
        .expect(404)
        .problem("not_found");
    let bad = by(&world, "ada", "POST", "/keys")
        .text("application/json", "{")
        .send()
        .await;
    bad.expect(400).problem("malformed_request");
    let large = by(&world, "ada", "POST", "/keys")
        .text("application/json", vec![b' '; 1 << 20])
        .send()
        .await;
    large.expect(413).problem("body_too_large");
}
