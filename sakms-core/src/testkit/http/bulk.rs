//! Revoking many keys at once.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Answer, Stage, User, World};
use crate::journal::{Action, Seq};
use crate::store::KeyStore as _;

async fn revoke(world: &World, user: &User, body: &Value) -> Answer {
    let request = world.client.post("/keys/revoke").bearer(&user.token);
    request.json(body).send().await
}

async fn revoked_in_journal(world: &World) -> usize {
    let rows = world
        .faults
        .journal_after(Seq::START, 100_000)
        .await
        .unwrap();
    let revoked = |row: &&crate::journal::JournalRow| row.entry.action == Action::KEY_REVOKE;
    rows.iter().filter(revoked).count()
}

/// Those that are meant are revoked at once and each written down; a dry run says which and changes nothing.
pub async fn many_keys_are_revoked_by_what_they_have_in_common(stage: &Stage) {
    let world = stage.world().await;
    let (user, other) = (world.user().await, world.user().await);
    let tagged = json!({"tags": ["leaked"]});
    let mut meant = Vec::new();
    for _ in 0..3 {
        meant.push(world.key_with(&user, &tagged).await);
    }
    let spared = [
        world.key(&user).await,
        world.key_with(&other, &tagged).await,
    ];
    let mut ids: Vec<_> = meant.iter().map(|key| json!(key.id)).collect();
    ids.reverse();
    for key in &meant {
        world.warm(&key.text).await;
    }
    let dry = revoke(&world, &user, &json!({"tag": "leaked", "dry_run": true})).await;
    let wanted = json!({"revoked": 3, "keys": ids, "more": false, "dry_run": true});
    assert_eq!(dry.expect(200).json(), wanted);
    for key in &meant {
        world.guarded(&key.text).await.expect(200);
    }
    assert_eq!(revoked_in_journal(&world).await, 0);

    let done = revoke(&world, &user, &json!({"tag": "leaked"})).await;
    let wanted = json!({"revoked": 3, "keys": ids, "more": false, "dry_run": false});
    assert_eq!(done.expect(200).json(), wanted);
    for key in &meant {
        let guarded = world.guarded(&key.text).await;
        guarded.expect(401).problem("key_revoked");
    }
    for key in &spared {
        world.guarded(&key.text).await.expect(200);
    }
    assert_eq!(revoked_in_journal(&world).await, 3);
    let again = revoke(&world, &user, &json!({"tag": "leaked"})).await;
    assert_eq!(again.expect(200).json()["revoked"], 0);
    assert_eq!(revoked_in_journal(&world).await, 3);
}

/// A key that is off, expired or still to begin is revoked like any other; one that is unused, by its last use.
pub async fn every_state_can_be_revoked(stage: &Stage) {
    let world = stage
        .world_of(|builder| builder.usage_interval(Duration::from_secs(10)))
        .await;
    let user = world.user().await;
    let soon = world.later(Duration::from_mins(1));
    let later = world.later(Duration::from_hours(1));
    for body in [
        json!({}),
        json!({"expires_at": soon}),
        json!({"not_before": later}),
        json!({}),
    ] {
        world.key_with(&user, &body).await;
    }
    let busy = world.key(&user).await;
    let off = world
        .client
        .get("/keys")
        .bearer(&user.token)
        .send()
        .await
        .items();
    let off = format!("/keys/{}/disable", off[1]["id"].as_str().unwrap());
    world
        .client
        .post(&off)
        .bearer(&user.token)
        .send()
        .await
        .expect(200);
    world.clock.advance(Duration::from_mins(2));
    world.guarded(&busy.text).await.expect(200);
    world.clock.advance(Duration::from_secs(1));

    for (state, count) in [
        ("active", 2),
        ("disabled", 1),
        ("expired", 1),
        ("pending", 1),
        ("revoked", 0),
    ] {
        let answer = revoke(&world, &user, &json!({"state": state, "dry_run": true})).await;
        assert_eq!(answer.expect(200).json()["revoked"], count, "{state}");
    }
    // What was counted here and was not written down is known all the same; what others may have counted is allowed for.
    let unused = |seconds: u64| json!({"unused_for": seconds, "dry_run": true});
    let answer = revoke(&world, &user, &unused(112)).await;
    assert_eq!(
        answer.expect(200).json()["revoked"],
        0,
        "a flush may be under way elsewhere"
    );
    let answer = revoke(&world, &user, &json!({"unused_for": 60})).await;
    assert_eq!(answer.expect(200).json()["revoked"], 4);
    world.guarded(&busy.text).await.expect(200);
}

/// A bulk revocation says which keys it means; what it says is checked.
pub async fn a_bulk_revocation_has_a_criterion(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world.key(&user).await;
    for body in [
        json!({}),
        json!({"dry_run": false}),
        json!({"all_owners": false}),
    ] {
        revoke(&world, &user, &body).await.invalid(&["body"]);
    }
    for (field, value) in [
        ("state", json!("dead")),
        ("environment", json!("LIVE")),
        ("tag", json!("")),
        ("unused_for", json!(0)),
        ("unused_for", json!("30d")),
        ("unused_for", json!(-1)),
        ("expires_before", json!(0)),
        ("owner", json!("")),
        ("all_owners", json!("yes")),
        ("dry_run", json!(1)),
        ("tags", json!(["a"])),
    ] {
        let body = json!({"environment": "live", field: value});
        revoke(&world, &user, &body).await.invalid(&[field]);
    }
    let everybodys = json!({"environment": "live", "all_owners": true});
    let refused = revoke(&world, &user, &everybodys).await;
    refused.expect(403).problem("admin_only");
    let empty = world.client.post("/keys/revoke").bearer(&user.token);
    empty.send().await.expect(415);
    world.guarded(&key.text).await.expect(200);
    let own = revoke(&world, &user, &json!({"owner": user.id})).await;
    assert_eq!(own.expect(200).json()["keys"], json!([key.id]));
}

/// An admin revokes the keys of somebody who has left, and nobody else's.
pub async fn an_admin_revokes_the_keys_of_another(stage: &Stage) {
    let world = stage.world().await;
    let (admin, ada, eve) = (world.admin().await, world.user().await, world.user().await);
    let (adas, eves) = (world.key(&ada).await, world.key(&eve).await);
    let body = json!({"owner": ada.id});
    let refused = revoke(&world, &eve, &body).await;
    refused.expect(403).problem("admin_only");
    let answer = revoke(&world, &admin, &body).await;
    assert_eq!(answer.expect(200).json()["keys"], json!([adas.id]));
    world.guarded(&adas.text).await.expect(401);
    world.guarded(&eves.text).await.expect(200);
}
