//! Requests that are repeated because their answer was lost.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::client::Request;
use super::{Answer, Stage, User, World};
use crate::store::StoreErrorKind;
use crate::testkit::faults::{Fault, StoreMethod};

fn create(world: &World, user: &User, key: &str, body: &Value) -> Request {
    let request = world.client.post("/keys").bearer(&user.token);
    request.header("Idempotency-Key", key).json(body)
}

async fn count(world: &World, user: &User) -> usize {
    let list = world.client.get("/keys").bearer(&user.token);
    list.send().await.expect(200).items().len()
}

/// Holds an answer to "that had been done", for this key.
fn replayed(answer: Answer, id: &Value) {
    let answer = answer.expect(200);
    assert_eq!(answer.header("idempotency-replayed"), Some("true"));
    let json = answer.json();
    assert_eq!(json["id"], *id);
    assert!(json.get("api_key").is_none(), "{json}");
}

/// The same request makes one key. The repeated one is answered without the text.
pub async fn a_repeated_creation_makes_one_key(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let body = json!({"name": "x", "scopes": ["b:c", "a:b"], "metadata": {"a": "1", "b": "2"}});
    let first = create(&world, &user, "one", &body).send().await.expect(201);
    assert_eq!(first.header("idempotency-replayed"), None);
    let id = &first.json()["id"];
    for _ in 0..3 {
        replayed(create(&world, &user, "one", &body).send().await, id);
    }
    // The same thing in other words is the same request.
    let same = json!({"metadata": {"b": "2", "a": "1"}, "scopes": ["a:b", "b:c"], "name": "x"});
    replayed(create(&world, &user, "one", &same).send().await, id);
    assert_eq!(count(&world, &user).await, 1);
    create(&world, &user, "two", &body).send().await.expect(201);
    // Another caller's key is another's.
    let other = world.user().await;
    create(&world, &other, "one", &body)
        .send()
        .await
        .expect(201);
    assert_eq!(count(&world, &user).await, 2);
    // The key that is shown is the key as it is now.
    let target = format!("/keys/{}/revoke", id.as_str().unwrap());
    let revoke = world.client.post(&target).bearer(&user.token);
    revoke.send().await.expect(200);
    let again = create(&world, &user, "one", &body).send().await.expect(200);
    assert_eq!(again.json()["revoked"], true);
}

/// Something else under the same idempotency key is refused, and changes nothing.
pub async fn an_idempotency_key_is_for_one_request(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let send = |body: Value| create(&world, &user, "one", &body).send();
    send(json!({})).await.expect(201);
    for body in [
        json!({"name": "x"}),
        json!({"scopes": ["a:b"]}),
        json!({"limits": {}}),
        json!({"tags": ["a"]}),
        json!({"environment": "live"}),
        json!({"expires_at": "2030-01-01T00:00:00Z"}),
        json!({"not_before": "2026-01-01T00:00:00Z"}),
        json!({"owner": user.id}),
    ] {
        let answer = send(body).await.expect(422);
        answer.problem("idempotency_key_reused");
    }
    assert_eq!(count(&world, &user).await, 1);
}

/// A lost answer is found again: nothing is made twice, whether the change was made or not.
pub async fn a_lost_answer_makes_no_second_key(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let body = json!({"name": "x"});
    for (fault, made) in [
        (Fault::After(StoreErrorKind::OutcomeUnknown), true),
        (Fault::Before(StoreErrorKind::Unavailable), false),
    ] {
        let before = count(&world, &user).await;
        let key = format!("{made}");
        world.faults.inject_next(StoreMethod::Insert, 1, fault);
        create(&world, &user, &key, &body).send().await.expect(503);
        assert_eq!(count(&world, &user).await - before, usize::from(made));
        let status = if made { 200 } else { 201 };
        create(&world, &user, &key, &body)
            .send()
            .await
            .expect(status);
        assert_eq!(count(&world, &user).await - before, 1);
    }

    // The secret of a rotation likewise: the way out is to take it back and to rotate anew.
    let key = world.key(&user).await;
    let rotate = |key_of_request: &str| {
        let request = world.client.post(&format!("/keys/{}/rotate", key.id));
        let request = request.bearer(&user.token);
        request.header("Idempotency-Key", key_of_request).send()
    };
    let lost = Fault::After(StoreErrorKind::OutcomeUnknown);
    world.faults.inject_next(StoreMethod::AddSecret, 1, lost);
    rotate("r").await.expect(503).problem("outcome_unknown");
    replayed(rotate("r").await, &key.json["id"]);
    rotate("s")
        .await
        .expect(409)
        .problem("rotation_in_progress");
    let cancel = world
        .client
        .post(&format!("/keys/{}/rotation/cancel", key.id));
    cancel.bearer(&user.token).send().await.expect(200);
    let new = rotate("s").await.expect(201).text_of("api_key");
    world.guarded(&key.text).await.expect(200);
    world.guarded(&new).await.expect(200);
}

/// A rotation is known by its key and its overlap.
pub async fn a_repeated_rotation_makes_one_secret(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let (key, other) = (world.key(&user).await, world.key(&user).await);
    let rotate = |id: &str, body: Value| {
        let request = world.client.post(&format!("/keys/{id}/rotate"));
        let request = request.bearer(&user.token).header("Idempotency-Key", "one");
        request.json(&body).send()
    };
    let body = json!({"overlap_seconds": 60});
    let first = rotate(&key.id, body.clone()).await.expect(201);
    replayed(rotate(&key.id, body.clone()).await, &key.json["id"]);
    let another = rotate(&key.id, json!({"overlap_seconds": 61})).await;
    another.expect(422).problem("idempotency_key_reused");
    rotate(&other.id, body).await.expect(201);
    world.guarded(&key.text).await.expect(200);
    world.guarded(&first.text_of("api_key")).await.expect(200);
}

/// Sixteen at once with the same idempotency key: one makes the key, the others are told of it.
pub async fn of_sixteen_repeats_one_makes_the_key(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let mut racing = JoinSet::new();
    for _ in 0..16 {
        let request = create(&world, &user, "one", &json!({"name": "x"}));
        racing.spawn(async move { request.send().await });
    }
    let answers: Vec<_> = racing.join_all().await;
    let made: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status == 201)
        .collect();
    assert_eq!(made.len(), 1);
    let id = made[0].json()["id"].clone();
    for answer in answers {
        if answer.status != 201 {
            replayed(answer, &id);
        }
    }
    assert_eq!(count(&world, &user).await, 1);
}

/// A request is known for a day.
pub async fn requests_are_forgotten_after_a_day(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let body = json!({"name": "x"});
    let first = create(&world, &user, "one", &body).send().await.expect(201);
    world.clock.advance(Duration::from_hours(24));
    world.sakms.flush().await.unwrap();
    let user = User {
        token: world.token(&user.email, &user.password).await,
        ..user
    };
    replayed(
        create(&world, &user, "one", &body).send().await,
        &first.json()["id"],
    );
    world.clock.advance(Duration::from_millis(1));
    create(&world, &user, "one", &body).send().await.expect(201);
    assert_eq!(count(&world, &user).await, 2);
}

/// One header of 1 to 255 printable ASCII characters.
pub async fn idempotency_keys_are_checked(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let request = || world.client.post("/keys").bearer(&user.token);
    for bad in ["", "\u{e9}", &"x".repeat(256)] {
        let answer = request().header("Idempotency-Key", bad).send().await;
        answer.expect(400).problem("malformed_request");
    }
    let twice = request().header("Idempotency-Key", "a");
    let twice = twice.header("Idempotency-Key", "a").send().await;
    twice.expect(400).problem("malformed_request");
    assert_eq!(count(&world, &user).await, 0);
    for good in [
        "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"",
        "a b",
        &"~".repeat(255),
    ] {
        let answer = request().header("Idempotency-Key", good).send().await;
        answer.expect(201);
    }
}
