//! Keys that manage keys: they may do what their scopes say, and hand on no more than they have.

use std::time::Duration;

use serde_json::{Value, json};

use super::world::{Key, User};
use super::{Answer, Stage, World};

async fn manager(world: &World, user: &User, scopes: Value) -> Key {
    world.key_with(user, &json!({"scopes": scopes})).await
}

async fn create(world: &World, manager: &Key, description: &Value) -> Answer {
    let answer = world.create(description).bearer(&manager.text).send().await;
    world.clock.advance(Duration::from_millis(1));
    answer
}

/// Reading needs `keys:read` and changing needs `keys:write`; neither gives the other.
pub async fn reading_and_writing_are_two_scopes(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let target = world.key(&user).await;
    let key_path = format!("/keys/{}", target.id);
    let routes = [
        ("GET", "/keys".to_owned(), "keys:read"),
        ("GET", key_path.clone(), "keys:read"),
        ("POST", "/keys".to_owned(), "keys:write"),
        ("PATCH", key_path.clone(), "keys:write"),
        ("POST", format!("{key_path}/revoke"), "keys:write"),
    ];
    for held in [
        "keys:read",
        "keys:write",
        "keys:*",
        "*",
        "reports:read",
        "keysx:*",
    ] {
        let key = manager(&world, &user, json!([held])).await;
        for (method, path, needed) in &routes {
            let request = world.client.request(method, path).bearer(&key.text);
            let answer = request.json(&json!({"name": "x"})).send().await;
            if held == *needed || held == "keys:*" || held == "*" {
                assert!(
                    answer.status < 300,
                    "{held} {method} {path}:\n{}",
                    answer.whole()
                );
            } else {
                answer.expect(403).problem("insufficient_scope");
            }
        }
    }
    let refused = world.client.get("/keys").bearer(&target.text).send().await;
    let refused = if refused.status == 401 {
        world
            .client
            .get("/keys")
            .bearer(&world.key(&user).await.text)
            .send()
            .await
    } else {
        refused
    };
    let challenge = refused
        .expect(403)
        .header("www-authenticate")
        .unwrap_or_default()
        .to_owned();
    assert!(challenge.contains("scope=\"keys:read\""), "{challenge}");
}

/// A key makes keys with scopes it has, and with no others.
pub async fn a_key_hands_on_no_scope_it_lacks(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = manager(&world, &user, json!(["keys:write", "reports:*"])).await;
    for scopes in [
        json!(["reports:read"]),
        json!(["reports:*", "keys:write"]),
        json!([]),
    ] {
        let made = create(&world, &key, &json!({"scopes": scopes}))
            .await
            .expect(201);
        assert!(
            made.json()["scopes"].as_array().unwrap().len() == scopes.as_array().unwrap().len()
        );
    }
    for scopes in [
        json!(["*"]),
        json!(["keys:*"]),
        json!(["keys:read"]),
        json!(["reports:read", "users:read"]),
        json!(["reportsx:read"]),
    ] {
        create(&world, &key, &json!({"scopes": scopes}))
            .await
            .expect(403)
            .problem("insufficient_scope");
    }
    // Nothing said means nothing given, never "as the caller".
    let empty = create(&world, &key, &json!({})).await.expect(201);
    assert_eq!(empty.json()["scopes"], json!([]));
    world
        .client
        .get("/keys")
        .bearer(&empty.text_of("api_key"))
        .send()
        .await
        .expect(403)
        .problem("insufficient_scope");
}

/// A key makes no key that outlives it, and none of another environment.
pub async fn a_key_makes_no_key_beyond_itself(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let (sooner, end, later) = (
        world.later(Duration::from_mins(10)),
        world.later(Duration::from_mins(20)),
        world.later(Duration::from_mins(21)),
    );
    let description = json!({"scopes": ["keys:write"], "environment": "test", "expires_at": end});
    let key = world.key_with(&user, &description).await;
    for expires_at in [&sooner, &end] {
        let made = create(&world, &key, &json!({"expires_at": expires_at}))
            .await
            .expect(201);
        assert_eq!(&made.json()["expires_at"], expires_at);
    }
    create(&world, &key, &json!({"expires_at": later}))
        .await
        .expect(403)
        .problem("beyond_caller");
    for said_nothing in [
        json!({}),
        json!({"expires_at": null}),
        json!({"environment": "test"}),
    ] {
        let made = create(&world, &key, &said_nothing).await.expect(201).json();
        assert_eq!(
            (&made["expires_at"], &made["environment"]),
            (&json!(end), &json!("test"))
        );
    }
    create(&world, &key, &json!({"environment": "live"}))
        .await
        .expect(403)
        .problem("beyond_caller");

    // A key without an end may give one.
    let endless = manager(&world, &user, json!(["keys:write"])).await;
    let made = create(&world, &endless, &json!({"expires_at": later}))
        .await
        .expect(201);
    assert_eq!(made.json()["expires_at"], later);
    assert_eq!(
        create(&world, &endless, &json!({}))
            .await
            .expect(201)
            .json()["expires_at"],
        Value::Null
    );
}

/// What a key makes belongs to its owner, who sees it; another owner's keys are out of its reach.
pub async fn a_key_manages_its_owners_keys(stage: &Stage) {
    let world = stage.world().await;
    let (ada, eve) = (world.user().await, world.user().await);
    let adas = manager(&world, &ada, json!(["keys:*"])).await;
    let eves = manager(&world, &eve, json!(["keys:*"])).await;
    let made = create(&world, &adas, &json!({"name": "by a key"}))
        .await
        .expect(201);
    let owner = world
        .guarded(&made.text_of("api_key"))
        .await
        .expect(200)
        .text_of("owner");
    assert_eq!(owner, ada.id);
    let list = async |credential: &str| {
        let answer = world
            .client
            .get("/keys")
            .bearer(credential)
            .send()
            .await
            .expect(200);
        answer
            .items()
            .iter()
            .map(|key| key["id"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(list(&adas.text).await, list(&ada.token).await);
    assert!(list(&ada.token).await.contains(&made.json()["id"]));
    assert!(!list(&eves.text).await.contains(&made.json()["id"]));

    let revoke = |credential: &str| {
        let target = format!("/keys/{}/revoke", made.text_of("id"));
        world.client.post(&target).bearer(credential).send()
    };
    revoke(&eves.text).await.expect(404).problem("not_found");
    world.guarded(&made.text_of("api_key")).await.expect(200);
    revoke(&adas.text).await.expect(200);
    world
        .guarded(&made.text_of("api_key"))
        .await
        .expect(401)
        .problem("key_revoked");
}

/// A key may revoke itself, and manages nothing from then on.
pub async fn a_key_may_revoke_itself(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = manager(&world, &user, json!(["keys:*"])).await;
    let revoke = || {
        world
            .client
            .post(&format!("/keys/{}/revoke", key.id))
            .bearer(&key.text)
            .send()
    };
    revoke().await.expect(200);
    revoke().await.expect(401).problem("key_revoked");
    create(&world, &key, &json!({}))
        .await
        .expect(401)
        .problem("key_revoked");
    world
        .client
        .get("/keys")
        .bearer(&key.text)
        .send()
        .await
        .expect(401)
        .problem("key_revoked");
}
