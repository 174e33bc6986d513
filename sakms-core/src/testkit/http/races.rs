//! Many at once: nobody gets what is somebody else's.

use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use super::client::Request;
use super::{Answer, Stage, User, World};

/// Sends a request until it is decided: a store under load may say "later", which promises that nothing was done.
async fn decided(request: Request) -> Answer {
    for _ in 0..100 {
        let answer = request.clone().send().await;
        if answer.status != 503 {
            return answer;
        }
        answer.problem("unavailable");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{request:?}: \"later\" a hundred times");
}

/// Two hundred keys are made, used and revoked at the same time by two users. Each opens for its own owner, under its
/// own id, and for nobody once it is revoked.
pub async fn identities_are_never_mixed(stage: &Stage) {
    let world = stage.world().await;
    let users = [world.user().await, world.user().await];
    let mut racing = JoinSet::new();
    for number in 0..200 {
        let (client, user) = (world.client.clone(), users[number % 2].clone());
        racing.spawn(async move {
            let name = format!("number {number}");
            let create = client.post("/keys").bearer(&user.token);
            let made = decided(create.json(&json!({"name": name, "metadata": {"n": name}})))
                .await
                .expect(201);
            let (id, text) = (made.text_of("id"), made.text_of("api_key"));
            assert_eq!(made.json()["name"], name);

            let guarded = || decided(client.get("/guarded/any").bearer(&text));
            let seen = guarded().await.expect(200).json();
            let wanted = (&json!(user.id), &json!(id), &json!(name));
            assert_eq!(
                (&seen["owner"], &seen["key_id"], &seen["metadata"]["n"]),
                wanted
            );

            let revoke = client
                .post(&format!("/keys/{id}/revoke"))
                .bearer(&user.token);
            decided(revoke).await.expect(200);
            guarded().await.expect(401).problem("key_revoked");
            (user.id.clone(), id)
        });
    }
    let made = racing.join_all().await;
    for user in &users {
        let mut mine: Vec<_> = made
            .iter()
            .filter(|(owner, _)| *owner == user.id)
            .map(|(_, id)| id.clone())
            .collect();
        mine.sort();
        let mut listed = all_ids(&world, user).await;
        listed.sort();
        assert_eq!(listed, mine);
    }
}

async fn all_ids(world: &World, user: &User) -> Vec<String> {
    let (mut ids, mut query) = (Vec::new(), "?limit=30".to_owned());
    loop {
        let list = world
            .client
            .get(&format!("/keys{query}"))
            .bearer(&user.token);
        let answer = decided(list).await.expect(200);
        ids.extend(
            answer
                .items()
                .iter()
                .map(|key| key["id"].as_str().unwrap_or_default().to_owned()),
        );
        let Some(link) = answer.header("link") else {
            return ids;
        };
        link[1..link.find('>').unwrap()].clone_into(&mut query);
    }
}

/// Sixteen who revoke the same key at once are all told that it is, and once one of them has been told, it is refused.
pub async fn sixteen_revocations_are_one(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world.key(&user).await;
    let mut racing = JoinSet::new();
    for _ in 0..16 {
        let (client, key, token) = (world.client.clone(), key.clone(), user.token.clone());
        racing.spawn(async move {
            let revoke = client
                .post(&format!("/keys/{}/revoke", key.id))
                .bearer(&token);
            let answer = decided(revoke).await.expect(200);
            assert_eq!(answer.json(), json!({"status": "revoked"}));
            let guarded = decided(client.get("/guarded/any").bearer(&key.text)).await;
            guarded.expect(401).problem("key_revoked");
        });
    }
    racing.join_all().await;
}

/// Sixteen who change the same key at once do so one after the other; what is answered is what was stored.
pub async fn sixteen_changes_follow_each_other(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world.key(&user).await;
    let target = format!("/keys/{}", key.id);
    let mut racing = JoinSet::new();
    for number in 0..16 {
        let patch = world.client.patch(&target).bearer(&user.token);
        let name = format!("name {number}");
        let request = patch.json(&json!({"name": name, "metadata": {"name": name}}));
        racing.spawn(async move {
            let answer = decided(request).await;
            if answer.status == 409 {
                answer.problem("contended");
                return None;
            }
            let json = answer.expect(200).json();
            assert_eq!(
                (&json["name"], &json["metadata"]["name"]),
                (&json!(name), &json!(name))
            );
            Some(name)
        });
    }
    let written: Vec<_> = racing.join_all().await.into_iter().flatten().collect();
    assert!(!written.is_empty(), "nobody got through");
    let last = world
        .client
        .get(&target)
        .bearer(&user.token)
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!(
        last["name"], last["metadata"]["name"],
        "one half of one change and one of another"
    );
    assert!(written.iter().any(|name| last["name"] == *name));
}
