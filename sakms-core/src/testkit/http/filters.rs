//! Lists by what their keys have in common.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Answer, Stage, User, World};

async fn list(world: &World, user: &User, query: &str) -> Answer {
    let request = world.client.get(&format!("/keys?{query}"));
    request.bearer(&user.token).send().await
}

/// The names of the keys of a list, sorted.
async fn names(world: &World, user: &User, query: &str) -> Vec<String> {
    let items = list(world, user, query).await.expect(200).items();
    let name = |key: &Value| key["name"].as_str().unwrap().to_owned();
    let mut names: Vec<_> = items.iter().map(name).collect();
    names.sort();
    names
}

/// A list is narrowed by state, environment, tag, expiry and use, one at a time and together.
pub async fn a_list_is_narrowed(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let soon = world.later(Duration::from_mins(5));
    let later = world.later(Duration::from_hours(5));
    let mut keys = Vec::new();
    for body in [
        json!({"name": "plain"}),
        json!({"name": "ends", "expires_at": soon, "tags": ["ci"]}),
        json!({"name": "begins", "not_before": later}),
        json!({"name": "off", "tags": ["ci", "blue"]}),
        json!({"name": "revoked", "environment": "test", "tags": ["ci"]}),
        json!({"name": "used", "environment": "test"}),
    ] {
        keys.push(world.key_with(&user, &body).await);
    }
    let off = format!("/keys/{}/disable", keys[3].id);
    let off = world.client.post(&off).bearer(&user.token);
    off.send().await.expect(200);
    world.revoke(&user, &keys[4]).await.expect(200);
    world.clock.advance(Duration::from_mins(10));
    let of_test = world.client.get("/guarded/test").api_key(&keys[5].text);
    of_test.send().await.expect(200);
    world.sakms.flush().await.unwrap();

    let after = world.later(Duration::from_hours(1)).replace(':', "%3A");
    let before_any = "1970-01-01T00:00:00Z";
    for (query, wanted) in [
        (
            "",
            &["begins", "ends", "off", "plain", "revoked", "used"][..],
        ),
        ("state=active", &["plain", "used"]),
        ("state=pending", &["begins"]),
        ("state=expired", &["ends"]),
        ("state=disabled", &["off"]),
        ("state=revoked", &["revoked"]),
        ("environment=test", &["revoked", "used"]),
        ("environment=nowhere", &[]),
        ("tag=ci", &["ends", "off", "revoked"]),
        ("tag=nobody", &[]),
        (
            "unused_for=300",
            &["begins", "ends", "off", "plain", "revoked"],
        ),
        (
            "unused_for=600",
            &["begins", "ends", "off", "plain", "revoked"],
        ),
        ("unused_for=601", &[]),
        ("unused_for=99999999999999", &[]),
        (&format!("expires_before={after}"), &["ends"]),
        (&format!("expires_before={before_any}"), &[]),
        ("state=disabled&tag=ci", &["off"]),
        ("state=active&tag=ci", &[]),
        ("environment=test&state=active&unused_for=1", &[]),
        (
            "all_owners=false",
            &["begins", "ends", "off", "plain", "revoked", "used"],
        ),
        (
            &format!("owner={}", user.id),
            &["begins", "ends", "off", "plain", "revoked", "used"],
        ),
    ] {
        assert_eq!(names(&world, &user, query).await, wanted, "{query}");
    }
}

/// What is no value of a filter is named, and nothing is listed.
pub async fn filters_are_checked(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    for (field, values) in [
        (
            "state",
            &["", "Active", "dead", "active%20", "active,revoked", "%ff"][..],
        ),
        ("environment", &["", "LIVE", "li_ve", "%00"]),
        ("tag", &["", "A", "a%20b", "a,b"]),
        (
            "unused_for",
            &["", "0", "-1", "1.5", "30d", "99999999999999999999999"],
        ),
        (
            "expires_before",
            &["", "0", "tomorrow", "2030-01-01", "10000-01-01T00:00:00Z"],
        ),
        ("owner", &["", "%ff"]),
        ("all_owners", &["", "1", "yes", "TRUE"]),
    ] {
        for value in values {
            let answer = list(&world, &user, &format!("{field}={value}")).await;
            assert_eq!(answer.status, 422, "{field}={value}:\n{}", answer.whole());
            answer.invalid(&[field]);
        }
        let twice = list(&world, &user, &format!("{field}=a&{field}=a")).await;
        twice.invalid(&[field]);
    }
    let both = format!("owner={}&all_owners=true", user.id);
    list(&world, &user, &both).await.invalid(&["all_owners"]);
}

/// The link to the next page keeps the filters and nothing else, and its cursor is good for them alone.
pub async fn links_keep_the_filters(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    for number in 0..5 {
        let tags = if number % 2 == 0 {
            json!(["team:a"])
        } else {
            json!([])
        };
        world
            .key_with(&user, &json!({"name": format!("{number}"), "tags": tags}))
            .await;
    }
    let target = format!(
        "/keys?token={}&limit=1&tag=team%3aa&state=active&x=y",
        user.token
    );
    let first = world.client.get(&target).send().await.expect(200);
    let link = first.header("link").unwrap();
    let query = link
        .strip_prefix("<?")
        .and_then(|link| link.strip_suffix(">; rel=\"next\""));
    let query = query.unwrap();
    let kept = "limit=1&state=active&tag=team%3Aa&cursor=";
    assert!(query.starts_with(kept), "{query}");
    assert_eq!(query.matches('&').count(), 3, "{query}");
    assert_eq!(names(&world, &user, query).await, ["2"]);

    let cursor = query.strip_prefix(kept).unwrap();
    for other in [
        "",
        "tag=team:a&",
        "state=active&",
        "state=active&tag=team:b&",
        "state=revoked&tag=team:a&",
        "state=active&tag=team:a&unused_for=1&",
        "state=active&tag=team:a&environment=live&",
        "state=active&tag=team:a&expires_before=2030-01-01T00:00:00Z&",
    ] {
        let answer = list(&world, &user, &format!("{other}cursor={cursor}")).await;
        answer.invalid(&["cursor"]);
    }
}
