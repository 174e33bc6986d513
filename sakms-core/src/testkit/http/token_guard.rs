//! A host's own routes for people who have signed in.

use std::time::Duration;

use serde_json::json;

use super::{Answer, Stage, World};
use crate::journal::Actor;
use crate::store::StoreErrorKind;
use crate::testkit::faults::Fault;

/// For people alone, and for people and keys.
const DOORS: [&str; 2] = ["/guarded/token", "/guarded/token-or-key"];

async fn ask(world: &World, door: &str, credential: &str) -> Answer {
    world.client.get(door).bearer(credential).send().await
}

/// The handler learns who has signed in.
pub async fn a_token_opens_what_is_for_people(stage: &Stage) {
    let world = stage.world().await;
    let (ada, eve) = (world.user().await, world.user().await);
    for user in [&ada, &eve] {
        let known = json!({"owner": user.id, "admin": false, "key_id": null, "token_of": user.id});
        for door in DOORS {
            assert_eq!(
                ask(&world, door, &user.token).await.expect(200).json(),
                known
            );
        }
    }
    // What is for keys alone stays so.
    let refused = ask(&world, "/guarded/any", &ada.token).await;
    refused.expect(401).problem("invalid_key");
}

/// A key opens what is for both, if it holds what is asked of keys, and never what is for people alone.
pub async fn a_key_opens_what_is_for_both(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world
        .key_with(&user, &json!({"scopes": ["reports:read"]}))
        .await;
    let bare = world.key(&user).await;
    let known = json!({"owner": user.id, "admin": false, "key_id": key.id, "token_of": null});
    for request in [
        world.client.get("/guarded/token-or-key").bearer(&key.text),
        world.client.get("/guarded/token-or-key").api_key(&key.text),
    ] {
        assert_eq!(request.send().await.expect(200).json(), known);
    }
    let scopeless = ask(&world, "/guarded/token-or-key", &bare.text).await;
    scopeless.expect(403).problem("insufficient_scope");
    let garbage = ask(&world, "/guarded/token-or-key", "garbage").await;
    garbage.expect(401).problem("invalid_key");
    world.faults.forget_calls();
    for text in [&key.text, &bare.text, "garbage", ""] {
        for request in [
            world.client.get("/guarded/token").bearer(text),
            world.client.get("/guarded/token").api_key(text),
        ] {
            request.send().await.expect(401).problem("invalid_token");
        }
    }
    assert_eq!(
        world.faults.all_calls(),
        0,
        "a key that opens nothing was looked up"
    );
    world.revoke(&user, &key).await.expect(200);
    let revoked = ask(&world, "/guarded/token-or-key", &key.text).await;
    revoked.expect(401).problem("key_revoked");
}

/// Every token that is not good gets the same answer, and none reaches the store.
pub async fn bad_tokens_look_alike_to_a_guard(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let (head, tail) = user.token.split_at(user.token.len() - 6);
    let other: String = tail.chars().rev().collect();
    let bad = [
        "a.b.c".to_owned(),
        "...".to_owned(),
        head.to_owned(),
        format!("{head}{other}"),
        format!("{}A", user.token),
        format!("{}.x", user.token),
    ];
    for door in DOORS {
        let nothing = world.client.get(door).send().await.expect(401);
        nothing.problem("missing_credential");
        let refused = ask(&world, door, "x.y.z").await.expect(401);
        refused.problem("invalid_token");
        world.faults.forget_calls();
        for token in &bad {
            assert_eq!(
                ask(&world, door, token).await.essence(),
                refused.essence(),
                "{token}"
            );
        }
        assert_eq!(world.faults.all_calls(), 0);
        let both = world.client.get(door).bearer(&user.token).api_key("x");
        both.send().await.expect(400).problem("several_credentials");
        // A token is no key, wherever it stands.
        let elsewhere = world.client.get(door).api_key(&user.token).send().await;
        assert_eq!(elsewhere.status, 401, "{}", elsewhere.whole());
    }
}

/// Where the service takes a token from the query, a host's routes still do not.
pub async fn a_guard_takes_no_token_from_the_query(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let target = |door: &str| format!("{door}?token={}", user.token);
    world.client.get(&target("/keys")).send().await.expect(200);
    for door in DOORS {
        let refused = world.client.get(&target(door)).send().await;
        refused.expect(401).problem("missing_credential");
    }
}

/// Whoever is disabled is shut out, and is back when enabled again.
pub async fn a_disabled_owners_token_opens_nothing(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    for door in DOORS {
        ask(&world, door, &user.token).await.expect(200);
        let owner = user.owner();
        let disabled = world.sakms.disable_owner(&owner, Actor::SYSTEM);
        disabled.await.unwrap();
        let refused = ask(&world, door, &user.token).await;
        refused.expect(401).problem("invalid_token");
        let enabled = world.sakms.enable_owner(&owner, Actor::SYSTEM);
        enabled.await.unwrap();
        ask(&world, door, &user.token).await.expect(200);
    }
}

/// A token opens until its time is over, and the leeway.
pub async fn a_token_ends_at_a_guard(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    world.clock.advance(Duration::from_mins(59));
    for door in DOORS {
        ask(&world, door, &user.token).await.expect(200);
    }
    world.clock.advance(Duration::from_mins(2));
    for door in DOORS {
        let ended = ask(&world, door, &user.token).await;
        ended.expect(401).problem("invalid_token");
    }
}

/// Whether somebody may come in cannot be decided without the store: 503, which is neither "come in" nor "bad token".
pub async fn a_token_guard_without_a_store_is_503(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let kinds = [
        (StoreErrorKind::Unavailable, 503, "unavailable"),
        (StoreErrorKind::Corrupt, 500, "internal_error"),
    ];
    for door in DOORS {
        for (kind, status, code) in kinds {
            world.faults.inject(Fault::Before(kind));
            let undecided = ask(&world, door, &user.token).await;
            undecided.expect(status).problem(code);
            // What no store has to decide is still decided.
            ask(&world, door, "a.b.c")
                .await
                .expect(401)
                .problem("invalid_token");
            let nothing = world.client.get(door).send().await;
            nothing.expect(401).problem("missing_credential");
            world.faults.heal();
            ask(&world, door, &user.token).await.expect(200);
        }
    }
}

/// A service that issues no tokens knows none.
pub async fn a_service_without_tokens_takes_none(stage: &Stage) {
    let world = stage.world_without_accounts().await;
    for door in DOORS {
        ask(&world, door, "a.b.c")
            .await
            .expect(401)
            .problem("invalid_token");
    }
    let key = world.host_key("ada").await;
    let bare = ask(&world, "/guarded/token-or-key", &key.text).await;
    bare.expect(403).problem("insufficient_scope");
}
