//! Admins, who see and change everybody's keys, and everybody else, who does not.

use serde_json::{Value, json};

use super::{Answer, Stage, User, World};
use crate::testkit::fixtures;

async fn list(world: &World, user: &User, query: &str) -> Answer {
    let request = world.client.get(&format!("/keys?limit=100&{query}"));
    request.bearer(&user.token).send().await
}

fn ids(answer: &Answer) -> Vec<Value> {
    answer.items().iter().map(|key| key["id"].clone()).collect()
}

/// An admin sees everybody's keys when they ask for them, and their own when they do not.
pub async fn an_admin_sees_everybodys_keys(stage: &Stage) {
    let world = stage.world().await;
    let (admin, ada, eve) = (world.admin().await, world.user().await, world.user().await);
    let adas = world.key(&ada).await.json["id"].clone();
    let eves = world.key(&eve).await.json["id"].clone();
    let own = world.key(&admin).await.json["id"].clone();
    assert_eq!(
        ids(&list(&world, &admin, "").await),
        std::slice::from_ref(&own)
    );
    let of_ada = format!("owner={}", ada.id);
    let listed = list(&world, &admin, &of_ada).await;
    assert_eq!(ids(&listed), std::slice::from_ref(&adas));
    assert_eq!(listed.items()[0]["owner"], ada.id);
    let everybodys = ids(&list(&world, &admin, "all_owners=true").await);
    assert!(
        [&adas, &eves, &own]
            .iter()
            .all(|id| everybodys.contains(id))
    );

    for query in [&of_ada, "all_owners=true"] {
        let refused = list(&world, &eve, query).await;
        refused.expect(403).problem("admin_only");
    }
    let nobody = format!("owner={}", fixtures::account_id());
    list(&world, &eve, &nobody).await.expect(403);
    assert_eq!(ids(&list(&world, &admin, &nobody).await), [] as [Value; 0]);
    // A key of an admin is no admin.
    let key = world.key_with(&admin, &json!({"scopes": ["*"]})).await;
    let by_key = world.client.get("/keys?all_owners=true").bearer(&key.text);
    by_key.send().await.expect(403).problem("admin_only");
}

/// An admin changes everybody's keys like their own.
pub async fn an_admin_changes_everybodys_keys(stage: &Stage) {
    let world = stage.world().await;
    let (admin, ada) = (world.admin().await, world.user().await);
    let key = world.key(&ada).await;
    let by = |method: &str, tail: &str| {
        let target = format!("/keys/{}{tail}", key.id);
        world.client.request(method, &target).bearer(&admin.token)
    };
    by("GET", "").send().await.expect(200);
    let patch = by("PATCH", "").json(&json!({"name": "by an admin", "scopes": ["a:b"]}));
    assert_eq!(patch.send().await.expect(200).json()["owner"], ada.id);
    by("POST", "/rotate").send().await.expect(201);
    for tail in ["/rotation/cancel", "/disable", "/enable", "/revoke"] {
        by("POST", tail).send().await.expect(200);
    }
    let guarded = world.guarded(&key.text).await;
    guarded.expect(401).problem("key_revoked");
}

/// An admin makes keys for others; whoever else names another owner is refused.
pub async fn an_admin_makes_keys_for_others(stage: &Stage) {
    let world = stage.world().await;
    let (admin, ada, eve) = (world.admin().await, world.user().await, world.user().await);
    let body = json!({"owner": ada.id});
    let key = world.made(world.create(&body).bearer(&admin.token)).await;
    assert_eq!(key.json["owner"], ada.id);
    assert_eq!(
        world.guarded(&key.text).await.expect(200).json()["owner"],
        ada.id
    );
    assert_eq!(ids(&list(&world, &ada, "").await), [key.json["id"].clone()]);

    let refused = world.create(&body).bearer(&eve.token).send().await;
    refused.expect(403).problem("admin_only");
    let by_key = world.key_with(&eve, &json!({"scopes": ["*"]})).await;
    let refused = world.create(&body).bearer(&by_key.text).send().await;
    refused.expect(403).problem("admin_only");
    // Naming oneself changes nothing.
    world.made(world.create(&body).bearer(&ada.token)).await;
    for owner in [json!(""), json!("x".repeat(129)), json!(7)] {
        let answer = world.create(&json!({"owner": owner})).bearer(&admin.token);
        answer.send().await.invalid(&["owner"]);
    }
}

/// Roles are for admins to define, and for everybody to read.
pub async fn roles_are_defined_by_admins(stage: &Stage) {
    let world = stage.world().await;
    let (admin, ada) = (world.admin().await, world.user().await);
    let put = |user: &User, name: &str, scopes: Value| {
        let request = world.client.request("PUT", &format!("/roles/{name}"));
        request
            .bearer(&user.token)
            .json(&json!({"scopes": scopes}))
            .send()
    };
    let roles = async |user: &User| {
        let list = world.client.get("/roles").bearer(&user.token);
        list.send().await.expect(200).json()
    };
    assert_eq!(roles(&ada).await, json!([]));
    let refused = put(&ada, "reader", json!(["*"])).await;
    refused.expect(403).problem("admin_only");
    for (name, scopes) in [("writer", json!([])), ("reader", json!(["b:c", "a:b"]))] {
        put(&admin, name, scopes).await.expect(200);
    }
    let made = put(&admin, "writer", json!(["a:*"]))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&made["name"], &made["scopes"]),
        (&json!("writer"), &json!(["a:*"]))
    );
    let listed = roles(&ada).await;
    assert_eq!(listed[0]["scopes"], json!(["a:b", "b:c"]));
    assert_eq!(listed[1], made);
    assert_eq!(listed.as_array().unwrap().len(), 2);

    for name in ["A", "a%20b", &"x".repeat(65)] {
        put(&admin, name, json!([])).await.invalid(&["name"]);
    }
    put(&admin, "reader", json!(null))
        .await
        .invalid(&["scopes"]);
    put(&admin, "reader", json!(["a"]))
        .await
        .invalid(&["scopes"]);
    let remove = |user: &User, name: &str| {
        let request = world.client.request("DELETE", &format!("/roles/{name}"));
        request.bearer(&user.token).send()
    };
    remove(&ada, "writer")
        .await
        .expect(403)
        .problem("admin_only");
    let removed = remove(&admin, "writer").await.expect(200);
    assert_eq!(removed.json(), json!({"status": "removed"}));
    for name in ["writer", "A"] {
        remove(&admin, name).await.expect(404).problem("not_found");
    }
    assert_eq!(roles(&ada).await.as_array().unwrap().len(), 1);
}

/// A key holds roles that there are.
pub async fn a_key_holds_roles_that_there_are(stage: &Stage) {
    let world = stage.world().await;
    let (admin, ada) = (world.admin().await, world.user().await);
    let role = world
        .client
        .request("PUT", "/roles/reader")
        .bearer(&admin.token);
    role.json(&json!({"scopes": ["a:b"]}))
        .send()
        .await
        .expect(200);
    let key = world.key_with(&ada, &json!({"roles": ["reader"]})).await;
    assert_eq!(key.json["roles"], json!(["reader"]));
    for roles in [json!(["reader", "nobody"]), json!(["nobody"])] {
        let body = json!({"roles": roles});
        let create = world.create(&body).bearer(&ada.token);
        create.send().await.invalid(&["roles"]);
        let patch = world.client.patch(&format!("/keys/{}", key.id));
        let patch = patch.bearer(&ada.token).json(&body);
        patch.send().await.invalid(&["roles"]);
    }
    let patch = world.client.patch(&format!("/keys/{}", key.id));
    let patch = patch.bearer(&ada.token).json(&json!({"roles": []}));
    assert_eq!(patch.send().await.expect(200).json()["roles"], json!([]));
}
