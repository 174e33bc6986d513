//! Admins: who they are, whom they see and whom they shut out.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Answer, Stage, User, World};
use crate::account::AccountRole;
use crate::journal::Actor;

async fn accounts(world: &World, token: &str, query: &str) -> Answer {
    let target = format!("/accounts{query}");
    world.client.get(&target).bearer(token).send().await
}

async fn switch(world: &World, admin: &User, id: &str, how: &str) -> Answer {
    let target = format!("/accounts/{id}/{how}");
    world.client.post(&target).bearer(&admin.token).send().await
}

/// Nobody is an admin until they are made one, and then with the next request, by the token they have; and so it ends.
pub async fn a_role_is_in_force_at_once(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let set = async |held| {
        let role = AccountRole::Admin;
        world
            .sakms
            .set_account_role(&user.email, role, held, Actor::SYSTEM)
            .await
    };
    accounts(&world, &user.token, "")
        .await
        .expect(403)
        .problem("admin_only");
    set(true).await.unwrap();
    accounts(&world, &user.token, "").await.expect(200);
    set(true).await.unwrap();
    let rows = world
        .client
        .get("/audit?action=account.grant")
        .bearer(&user.token)
        .send()
        .await;
    let rows = rows.expect(200).items();
    assert_eq!(rows[0]["actor"], "system");
    assert_eq!(rows[0]["subject"], format!("account:{}", user.id));
    assert_eq!(rows[0]["detail"], "role=admin");
    // A key of an admin's is no admin.
    let key = world.key_with(&user, &json!({"scopes": ["*"]})).await;
    accounts(&world, &key.text, "")
        .await
        .expect(403)
        .problem("admin_only");
    set(false).await.unwrap();
    accounts(&world, &user.token, "")
        .await
        .expect(403)
        .problem("admin_only");
    let unknown = world.sakms.set_account_role(
        "nobody@example.com",
        AccountRole::Admin,
        true,
        Actor::SYSTEM,
    );
    assert!(unknown.await.is_err());
}

/// An admin sees every account, the newest first, a page at a time, and nothing of a password.
pub async fn accounts_are_listed(stage: &Stage) {
    let world = stage.world().await;
    let mut users = Vec::new();
    for _ in 0..5 {
        users.push(world.user().await);
        world.clock.advance(Duration::from_millis(1));
    }
    let admin = world.admin().await;
    users.push(admin.clone());
    users.reverse();
    let whole = accounts(&world, &admin.token, "").await.expect(200);
    let ids = |rows: &[Value]| {
        rows.iter()
            .map(|row| row["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let wanted: Vec<_> = users.iter().map(|user| user.id.clone()).collect();
    assert_eq!(ids(&whole.items()), wanted);
    assert_eq!(whole.header("link"), None);
    let first = &whole.items()[0];
    let names: Vec<_> = first
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        names,
        [
            "created_at",
            "disabled",
            "disabled_at",
            "email",
            "id",
            "roles"
        ]
    );
    assert_eq!(first["roles"], json!(["admin"]));
    assert_eq!(first["email"], admin.email);
    assert_eq!(whole.items()[1]["roles"], json!([]));

    let (mut seen, mut query) = (Vec::new(), Some("?limit=4".to_owned()));
    while let Some(here) = query {
        let page = accounts(&world, &admin.token, &here).await.expect(200);
        seen.extend(ids(&page.items()));
        let link = page.header("link").map(ToOwned::to_owned);
        query = link.map(|link| link[1..link.find('>').unwrap()].to_owned());
        if let Some(query) = &query {
            assert!(query.starts_with("?limit=4&cursor="), "{query}");
            // Another admin's place is none of theirs.
            let other = world.admin().await;
            accounts(&world, &other.token, query)
                .await
                .invalid(&["cursor"]);
        }
    }
    assert_eq!(seen, wanted);
    for (query, field) in [
        ("?limit=0", "limit"),
        ("?limit=101", "limit"),
        ("?cursor=abc", "cursor"),
        ("?email=a", "email"),
    ] {
        accounts(&world, &admin.token, query)
            .await
            .invalid(&[field]);
    }
    for other in &users[1..] {
        accounts(&world, &other.token, "")
            .await
            .expect(403)
            .problem("admin_only");
    }
}

/// A disabled account is shut out with its tokens and keys, at once, until it is enabled again.
pub async fn a_disabled_account_is_shut_out(stage: &Stage) {
    let world = stage.world().await;
    let (admin, user, other) = (world.admin().await, world.user().await, world.user().await);
    let (key, others) = (world.key(&user).await, world.key(&other).await);
    world.warm(&key.text).await;
    let disabled = switch(&world, &admin, &user.id, "disable")
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&disabled["id"], &disabled["disabled"]),
        (&json!(user.id), &json!(true))
    );
    world
        .guarded(&key.text)
        .await
        .expect(401)
        .problem("key_disabled");
    world
        .client
        .get("/keys")
        .bearer(&user.token)
        .send()
        .await
        .expect(401)
        .problem("invalid_token");
    world
        .login(&user.email, &user.password)
        .await
        .expect(401)
        .problem("invalid_login");
    world.guarded(&others.text).await.expect(200);
    let listed = accounts(&world, &admin.token, "").await.expect(200).items();
    let states: Vec<_> = listed
        .iter()
        .filter(|row| row["disabled"] == true)
        .collect();
    assert_eq!(states, [&disabled]);

    // A second time nothing happens, and nothing is written.
    world.clock.advance(Duration::from_secs(1));
    let again = switch(&world, &admin, &user.id, "disable")
        .await
        .expect(200)
        .json();
    assert_eq!(again, disabled);
    let enabled = switch(&world, &admin, &user.id, "enable")
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&enabled["disabled"], &enabled["disabled_at"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!(
        switch(&world, &admin, &user.id, "enable")
            .await
            .expect(200)
            .json(),
        enabled
    );
    world.guarded(&key.text).await.expect(200);
    world
        .client
        .get("/keys")
        .bearer(&user.token)
        .send()
        .await
        .expect(200);
    world.token(&user.email, &user.password).await;
    let rows = world
        .client
        .get(&format!("/audit?subject=owner:{}", user.id));
    let rows = rows.bearer(&admin.token).send().await.expect(200).items();
    let actions: Vec<_> = rows
        .iter()
        .map(|row| row["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["owner.enable", "owner.disable"]);
    assert_eq!(rows[0]["actor"], format!("owner:{}", admin.id));

    for how in ["disable", "enable"] {
        for id in [
            "nothing",
            &crate::testkit::fixtures::account_id().to_string(),
        ] {
            switch(&world, &admin, id, how)
                .await
                .expect(404)
                .problem("not_found");
        }
        switch(&world, &other, &user.id, how)
            .await
            .expect(403)
            .problem("admin_only");
    }
}

/// An admin cannot shut themself out; another one can.
pub async fn nobody_shuts_themself_out(stage: &Stage) {
    let world = stage.world().await;
    let (ada, eve) = (world.admin().await, world.admin().await);
    switch(&world, &ada, &ada.id, "disable")
        .await
        .expect(409)
        .problem("own_account");
    accounts(&world, &ada.token, "").await.expect(200);
    switch(&world, &eve, &ada.id, "disable").await.expect(200);
    accounts(&world, &ada.token, "")
        .await
        .expect(401)
        .problem("invalid_token");
    switch(&world, &eve, &eve.id, "disable")
        .await
        .expect(409)
        .problem("own_account");
    switch(&world, &eve, &eve.id, "enable").await.expect(200);
    switch(&world, &eve, &ada.id, "enable").await.expect(200);
    accounts(&world, &ada.token, "").await.expect(200);
}

/// An admin sees and changes keys of every owner, and the journal says who did it.
pub async fn an_admin_manages_every_key(stage: &Stage) {
    let world = stage.world().await;
    let (admin, user) = (world.admin().await, world.user().await);
    let keys = [world.key(&user).await, world.host_key("team/7").await];
    for key in &keys {
        let target = format!("/keys/{}", key.id);
        let shown = world
            .client
            .get(&target)
            .bearer(&admin.token)
            .send()
            .await
            .expect(200);
        assert_eq!(shown.json()["id"], key.id);
        let rename = world.client.patch(&target).bearer(&admin.token);
        rename
            .json(&json!({"name": "seen"}))
            .send()
            .await
            .expect(200);
        let usage = world
            .client
            .get(&format!("{target}/usage"))
            .bearer(&admin.token);
        usage.send().await.expect(200);
        let revoke = world
            .client
            .post(&format!("{target}/revoke"))
            .bearer(&admin.token);
        revoke.send().await.expect(200);
        world
            .guarded(&key.text)
            .await
            .expect(401)
            .problem("key_revoked");
        let rows = world
            .client
            .get(&format!("/audit?subject=key:{}&action=key.revoke", key.id));
        let rows = rows.bearer(&admin.token).send().await.expect(200).items();
        assert_eq!(rows[0]["actor"], format!("owner:{}", admin.id));
    }
}
