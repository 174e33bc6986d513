//! The way every user goes, from registering to a key that is refused.

use serde_json::json;

use super::client::Request;
use super::stage::PASSWORD;
use super::{Stage, World};
use crate::http::QueryToken;
use crate::testkit::fixtures;

/// Where the token stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TokenIn {
    Query,
    Header,
}

/// Registering, signing in, making, listing, using and revoking. Every path ends in `slash`.
async fn walk(world: &World, token_in: TokenIn, slash: &str) {
    let email = format!("ada{}@example.com", fixtures::number());
    let sign_in = json!({"email": email, "password": PASSWORD});
    let post = |path: &str| world.client.post(&format!("{path}{slash}")).json(&sign_in);
    let registered = post("/auth/register").send().await.expect(201).json();
    assert!(registered["user_id"].is_string() && registered.as_object().unwrap().len() == 1);
    let login = post("/auth/login").send().await.expect(200);
    let token = login.text_of("access_token");
    assert_eq!(login.json()["token_type"], "bearer");
    assert_eq!(login.json()["expires_in"], 3_600);

    let send = |method: &str, path: &str| -> Request {
        let target = format!("{path}{slash}");
        match token_in {
            TokenIn::Query => world
                .client
                .request(method, &format!("{target}?token={token}")),
            TokenIn::Header => world.client.request(method, &target).bearer(&token),
        }
    };
    let key = world.made(send("POST", "/keys").json(&json!({}))).await;
    assert!(key.text.starts_with(key.json["prefix"].as_str().unwrap()));
    let listed = async || {
        let items = send("GET", "/keys").send().await.expect(200).items();
        assert_eq!(items.len(), 1);
        assert_eq!(
            (&items[0]["id"], &items[0]["prefix"]),
            (&key.json["id"], &key.json["prefix"])
        );
        items[0]["revoked"].clone()
    };
    assert_eq!(listed().await, false);

    let by_header = || world.client.get("/guarded/any").api_key(&key.text);
    world.guarded(&key.text).await.expect(200);
    by_header().send().await.expect(200);
    let revoked = send("POST", &format!("/keys/{}/revoke", key.id))
        .send()
        .await
        .expect(200);
    assert_eq!(revoked.json(), json!({"status": "revoked"}));
    world
        .guarded(&key.text)
        .await
        .expect(401)
        .problem("key_revoked");
    by_header().send().await.expect(401).problem("key_revoked");
    assert_eq!(listed().await, true);
}

/// The way of the first clients, who put the token into the query.
pub async fn the_flow_with_a_token_in_the_query(stage: &Stage) {
    walk(&stage.world().await, TokenIn::Query, "").await;
}

/// The way everybody else goes.
pub async fn the_flow_with_a_token_in_a_header(stage: &Stage) {
    let world = stage
        .world_with(|api| api.query_token(QueryToken::Deny))
        .await;
    walk(&world, TokenIn::Header, "").await;
}

/// A slash more or less at the end of a path makes no difference.
pub async fn paths_answer_with_a_trailing_slash(stage: &Stage) {
    let world = stage.world().await;
    walk(&world, TokenIn::Query, "/").await;
    walk(&world, TokenIn::Header, "/").await;
    let user = world.user().await;
    let key = world.key(&user).await;
    for path in ["/keys", "/health", "/ready", &format!("/keys/{}", key.id)] {
        let get = |path: &str| world.client.get(path).bearer(&user.token).send();
        let (without, with) = (get(path).await, get(&format!("{path}/")).await);
        assert_eq!(without.essence(), with.essence(), "{path}");
        assert_eq!(with.status, 200, "{path}");
    }
    let rename = world
        .client
        .patch(&format!("/keys/{}/", key.id))
        .bearer(&user.token);
    rename
        .json(&json!({"name": "slash"}))
        .send()
        .await
        .expect(200);
}

/// Whoever sends a token in the query is told that this will end (RFC 9745), whatever the answer; nobody else is.
pub async fn tokens_in_the_query_are_marked_as_deprecated(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let token = &user.token;
    let unknown = fixtures::key_id();
    for (path, status) in [("/keys".to_owned(), 200), (format!("/keys/{unknown}"), 404)] {
        let by_query = world
            .client
            .get(&format!("{path}?token={token}"))
            .send()
            .await
            .expect(status);
        let since = by_query.header("deprecation").unwrap_or_default();
        assert!(
            since
                .strip_prefix('@')
                .is_some_and(|at| at.parse::<u64>().is_ok()),
            "{since:?}"
        );
        let by_header = world
            .client
            .get(&path)
            .bearer(token)
            .send()
            .await
            .expect(status);
        assert_eq!(by_header.header("deprecation"), None);
    }
    let percent_encoded = token.replace('.', "%2E");
    world
        .client
        .get(&format!("/keys?limit=5&token={percent_encoded}"))
        .send()
        .await
        .expect(200);
    let forged = world
        .client
        .get("/keys?token=a.b.c")
        .send()
        .await
        .expect(401);
    forged.problem("invalid_token");
    world
        .client
        .get("/keys?token=")
        .send()
        .await
        .expect(401)
        .problem("credential_in_query");
}

/// A service that was not told to take tokens in the query does not.
pub async fn tokens_in_the_query_are_refused_unless_allowed(stage: &Stage) {
    let world = stage
        .world_with(|api| api.query_token(QueryToken::Deny))
        .await;
    let user = world.user().await;
    for method in ["GET", "POST"] {
        let request = world
            .client
            .request(method, &format!("/keys?token={}", user.token));
        request
            .send()
            .await
            .expect(401)
            .problem("credential_in_query");
    }
    let both = world
        .client
        .get(&format!("/keys?token={}", user.token))
        .bearer(&user.token);
    both.send().await.expect(400).problem("several_credentials");
    world
        .client
        .get("/keys")
        .bearer(&user.token)
        .send()
        .await
        .expect(200);
}

/// The second revocation is answered like the first, and the key stays as it was.
pub async fn revoking_twice_changes_nothing(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world.key(&user).await;
    let first = world.revoke(&user, &key).await.expect(200);
    let shown = async || {
        let get = world
            .client
            .get(&format!("/keys/{}", key.id))
            .bearer(&user.token);
        get.send().await.expect(200).json()
    };
    let after_first = shown().await;
    world.clock.advance(std::time::Duration::from_secs(1));
    let second = world.revoke(&user, &key).await.expect(200);
    assert_eq!(first.essence(), second.essence());
    assert_eq!(shown().await, after_first);
    world
        .guarded(&key.text)
        .await
        .expect(401)
        .problem("key_revoked");
}

/// What was revoked on one node is refused there at once, and on another that has the same store as soon as it has read
/// the journal, although the key is remembered on both.
pub async fn a_revocation_holds_on_every_node(stage: &Stage) {
    let (here, there) = (stage.world().await, stage.world().await);
    let user = here.user().await;
    let key = here.key(&user).await;
    for node in [&here, &there] {
        node.warm(&key.text).await;
    }
    here.revoke(&user, &key).await.expect(200);
    here.guarded(&key.text)
        .await
        .expect(401)
        .problem("key_revoked");
    // How long that takes is for a bench; that it comes to pass by itself is for here.
    while there.guarded(&key.text).await.status == 200 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    there
        .guarded(&key.text)
        .await
        .expect(401)
        .problem("key_revoked");
}
