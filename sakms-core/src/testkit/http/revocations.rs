//! What was revoked, for services that check tokens by themselves.

use std::time::Duration;

use serde_json::{Value, json};

use super::ask::asker;
use super::{Answer, Key, Stage, World};
use crate::journal::Actor;
use crate::testkit::faults::StoreMethod;

const PATH: &str = "/oauth/revocations";

pub(super) async fn read(world: &World, asker: &Key, query: &str) -> Answer {
    let target = format!("{PATH}{query}");
    world.client.get(&target).bearer(&asker.text).send().await
}

/// What was put an end to is told in its order, to whoever holds the scope, and nobody's name is.
pub async fn what_was_revoked_is_told(stage: &Stage) {
    let world = stage.world().await;
    let (user, asker) = (world.user().await, asker(&world).await);
    let first = read(&world, &asker, "").await.expect(200);
    assert_eq!(first.header("cache-control"), Some("no-store"));
    let first = first.json();
    assert_eq!(
        (&first["revocations"], &first["more"]),
        (&json!([]), &json!(false))
    );
    let position = |page: &Value| format!("?after={}", page["position"].as_str().unwrap());

    let key = world.key(&user).await;
    world.revoke(&user, &key).await.expect(200);
    let other = world.key(&user).await;
    for what in ["disable", "enable"] {
        let target = format!("/keys/{}/{what}", other.id);
        let switch = world.client.post(&target).bearer(&user.token);
        switch.send().await.expect(200);
    }
    // The former secret still works, and does not.
    for overlap in [3_600, 0] {
        let key = world.key(&user).await;
        let target = format!("/keys/{}/rotate", key.id);
        let rotate = world.client.post(&target).bearer(&user.token);
        world
            .made(rotate.json(&json!({"overlap_seconds": overlap})))
            .await;
    }
    let owner = user.owner();
    world
        .sakms
        .disable_owner(&owner, Actor::SYSTEM)
        .await
        .unwrap();
    world
        .sakms
        .enable_owner(&owner, Actor::SYSTEM)
        .await
        .unwrap();

    let page = read(&world, &asker, &position(&first)).await.expect(200);
    assert!(!page.whole().contains(&user.id) && !page.whole().contains(&key.id));
    let page = page.json();
    let rows = page["revocations"].as_array().unwrap();
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row["kind"].as_str().unwrap(), row["valid_from"].is_string()))
        .collect();
    let expected = [
        ("key", false),
        ("key", false),
        ("key", true),
        ("key", true),
        ("owner", false),
        ("owner", true),
    ];
    assert_eq!(told, expected);
    assert_eq!(rows[1]["subject"], rows[2]["subject"]);
    assert_ne!(rows[0]["subject"], rows[1]["subject"]);
    let places: Vec<_> = rows
        .iter()
        .map(|row| row["seq"].as_u64().unwrap())
        .collect();
    assert!(places.is_sorted());

    // A row at a time comes to the same.
    let (mut at, mut again) = (position(&first), Vec::new());
    loop {
        let page = read(&world, &asker, &format!("{at}&limit=1"))
            .await
            .expect(200)
            .json();
        again.extend(page["revocations"].as_array().unwrap().clone());
        at = position(&page);
        if page["more"] == false {
            break;
        }
    }
    assert_eq!(again, *rows);
    assert_eq!(at, position(&page));
    // From the beginning as well, and by the number alone.
    assert_eq!(
        read(&world, &asker, "").await.json()["revocations"],
        page["revocations"]
    );
    let number = first["position"]
        .as_str()
        .unwrap()
        .split(':')
        .next()
        .unwrap();
    let by_number = read(&world, &asker, &format!("?after={number}")).await;
    assert_eq!(by_number.json(), page);
}

/// When nothing is new, that costs one look at the journal.
pub async fn nothing_new_is_cheap(stage: &Stage) {
    let world = stage.world().await;
    let asker = asker(&world).await;
    world.warm(&asker.text).await;
    let page = read(&world, &asker, "").await.json();
    let after = format!("?after={}", page["position"].as_str().unwrap());
    world.faults.forget_calls();
    let again = read(&world, &asker, &after).await.expect(200).json();
    assert_eq!(
        again,
        json!({"position": page["position"], "more": false, "revocations": []})
    );
    let reads = world.faults.calls(StoreMethod::JournalAfter);
    assert!(reads >= 1 && world.faults.calls(StoreMethod::Journal) == 0);
}

/// A position that is none of this journal is told so, and what is no position is refused.
pub async fn a_position_of_another_journal_is_gone(stage: &Stage) {
    let world = stage.world().await;
    let asker = asker(&world).await;
    let page = read(&world, &asker, "").await.json();
    let position = page["position"].as_str().unwrap();
    let (number, hash) = position.split_once(':').unwrap();
    let next = number.parse::<u64>().unwrap() + 1;
    let flipped = if hash.starts_with('0') { "1" } else { "0" };
    for gone in [
        format!("{next}"),
        format!("{next}:{hash}"),
        format!("{number}:{flipped}{}", &hash[1..]),
        format!("0:{hash}"),
        u64::MAX.to_string(),
    ] {
        let answer = read(&world, &asker, &format!("?after={gone}")).await;
        answer.expect(410).problem("position_gone");
    }
    for (bad, field) in [
        ("?after=x", "after"),
        ("?after=-1", "after"),
        ("?after=", "after"),
        ("?after=1:ab", "after"),
        ("?limit=0", "limit"),
        ("?limit=501", "limit"),
        ("?limit=x", "limit"),
        ("?since=1", "since"),
        ("?after=1&after=1", "after"),
    ] {
        read(&world, &asker, bad).await.invalid(&[field]);
    }
}

/// Without a position it begins a day ago: no token is older.
pub async fn the_beginning_is_a_day_ago(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let old = world.key(&user).await;
    world.revoke(&user, &old).await.expect(200);
    world.clock.advance(Duration::from_hours(26));
    let user = world.again(user).await;
    let asker = asker(&world).await;
    let key = world.key(&user).await;
    world.revoke(&user, &key).await.expect(200);
    let page = read(&world, &asker, "").await.expect(200).json();
    assert_eq!(page["revocations"].as_array().unwrap().len(), 1, "{page}");
    let all = read(&world, &asker, "?after=0").await.expect(200).json();
    assert_eq!(all["revocations"].as_array().unwrap().len(), 2, "{all}");
}
