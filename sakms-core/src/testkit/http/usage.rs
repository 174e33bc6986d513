//! How a key is used, by day.

use std::time::Duration;

use serde_json::{Value, json};

use super::world::Key;
use super::{Answer, Stage, World};

async fn usage(world: &World, token: &str, key: &Key, query: &str) -> Answer {
    let target = format!("/keys/{}/usage{query}", key.id);
    world.client.get(&target).bearer(token).send().await
}

fn days(usage: &Value) -> Vec<(String, u64, u64)> {
    let days = usage["days"].as_array().unwrap().iter();
    days.map(|day| {
        let text = day["day"].as_str().unwrap().to_owned();
        (
            text,
            day["allowed"].as_u64().unwrap(),
            day["refused"].as_u64().unwrap(),
        )
    })
    .collect()
}

/// What was let in and what was refused is counted by day, for the key's owner and for admins.
pub async fn uses_are_shown_by_day(stage: &Stage) {
    let world = stage.world().await;
    let (user, admin, other) = (world.user().await, world.admin().await, world.user().await);
    let key = world.key(&user).await;
    let empty = usage(&world, &user.token, &key, "")
        .await
        .expect(200)
        .json();
    // The suite's world begins on 2026-11-18.
    let wanted = json!({
        "key_id": key.id, "from": "2026-10-20", "to": "2026-11-18", "allowed": 0, "refused": 0, "days": [],
    });
    assert_eq!(empty, wanted);

    for _ in 0..3 {
        world.guarded(&key.text).await.expect(200);
    }
    let reports = || {
        world
            .client
            .get("/guarded/reports")
            .bearer(&key.text)
            .send()
    };
    reports().await.expect(403);
    world.sakms.flush().await.unwrap();
    world.clock.advance(Duration::from_hours(48));
    let (user, admin, other) = (
        world.again(user).await,
        world.again(admin).await,
        world.again(other).await,
    );
    world.guarded(&key.text).await.expect(200);
    reports().await.expect(403);
    reports().await.expect(403);
    world.sakms.flush().await.unwrap();
    let shown = usage(&world, &user.token, &key, "")
        .await
        .expect(200)
        .json();
    let (first, last) = ("2026-11-18".to_owned(), "2026-11-20".to_owned());
    assert_eq!(days(&shown), [(first.clone(), 3, 1), (last.clone(), 1, 2)]);
    assert_eq!(
        (&shown["allowed"], &shown["refused"]),
        (&json!(4), &json!(3))
    );
    assert_eq!(
        (&shown["from"], &shown["to"]),
        (&json!("2026-10-22"), &json!("2026-11-20"))
    );

    for (query, wanted) in [
        (
            "?from=2026-11-18&to=2026-11-18",
            vec![(first.clone(), 3, 1)],
        ),
        ("?from=2026-11-19", vec![(last.clone(), 1, 2)]),
        ("?to=2026-11-19", vec![(first.clone(), 3, 1)]),
        ("?from=2026-11-19&to=2026-11-19", vec![]),
        (
            "?from=2025-10-17&to=2026-11-20",
            vec![(first, 3, 1), (last, 1, 2)],
        ),
        ("?from=2027-01-01&to=2027-01-02", vec![]),
    ] {
        let shown = usage(&world, &user.token, &key, query)
            .await
            .expect(200)
            .json();
        assert_eq!(days(&shown), wanted, "{query}");
    }
    assert_eq!(
        usage(&world, &admin.token, &key, "")
            .await
            .expect(200)
            .json(),
        shown
    );
    usage(&world, &other.token, &key, "")
        .await
        .expect(404)
        .problem("not_found");
    let reader = world
        .key_with(&user, &json!({"scopes": ["keys:read"]}))
        .await;
    assert_eq!(
        usage(&world, &reader.text, &key, "")
            .await
            .expect(200)
            .json(),
        shown
    );
    // A key that is revoked is still to be asked about.
    world.revoke(&user, &key).await.expect(200);
    assert_eq!(
        usage(&world, &user.token, &key, "")
            .await
            .expect(200)
            .json(),
        shown
    );
}

/// A day is a day, the last one is not before the first, and there are at most 400.
pub async fn days_are_checked(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world.key(&user).await;
    for (query, field) in [
        ("?from=yesterday", "from"),
        ("?from=", "from"),
        ("?to=2026-11-31", "to"),
        ("?to=2026-11-20T00:00:00Z", "to"),
        ("?from=2026-11-19&to=2026-11-18", "to"),
        ("?from=2026-12-01", "to"),
        ("?from=2025-10-14&to=2026-11-18", "from"),
        ("?from=1970-01-01", "from"),
        ("?from=2026-11-18&from=2026-11-18", "from"),
        ("?since=2026-11-18", "since"),
    ] {
        usage(&world, &user.token, &key, query)
            .await
            .invalid(&[field]);
    }
    for query in [
        "?from=2025-10-15&to=2026-11-18",
        "?to=9999-12-31",
        "?to=1970-01-01",
        "?",
    ] {
        usage(&world, &user.token, &key, query).await.expect(200);
    }
}
