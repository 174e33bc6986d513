//! Limits of a key: numbers past their bounds are refused by name, not bent.

use serde_json::{Value, json};

use super::Stage;
use super::answer::Answer;

/// A key's limits are numbers that can be kept; what cannot changes nothing.
pub async fn limits_past_their_bounds_are_refused(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world.key(&user).await;
    let target = format!("/keys/{}", key.id);
    let rate = |requests: u64, seconds: u64, burst: Option<u64>| json!({"rates": [{"name": "a", "requests": requests, "seconds": seconds, "burst": burst}]});
    let named = |name: &str| json!({"name": name, "requests": 1, "seconds": 1});
    let quota = |amount: Value| json!({"quota": {"amount": amount}});
    for limits in [
        rate(0, 1, None),
        rate(1, 0, None),
        rate(1, 1, Some(0)),
        rate(1_000_000_001, 1, None),
        rate(1, 31_622_401, None),
        rate(1, 1, Some(1_000_000_001)),
        rate(1, 31_622_400, Some(101)),
        rate(1 << 32, 1, None),
        rate(1, 1 << 32, None),
        json!({"rates": [named("a"), named("a")]}),
        json!({"rates": [named("A b")]}),
        json!({"rates": (0..9).map(|n| named(&format!("r{n}"))).collect::<Vec<_>>()}),
        json!({"rates": [{"name": "a", "requests": -1, "seconds": 1}]}),
        json!({"rates": [{"name": "a", "requests": 1.5, "seconds": 1}]}),
        json!({"rates": [{"name": "a", "requests": 1}]}),
        quota(json!(0)),
        quota(json!(-1)),
        quota(json!(1.5)),
        quota(json!("9")),
        json!({"quota": {"amount": 1, "refill": "hourly"}}),
        json!({"ip_ranges": ["10.0.0.1/8"]}),
        json!({"ip_ranges": ["10.0.0.0/33"]}),
        json!({"ip_ranges": ["localhost"]}),
        json!({"ip_ranges": vec!["192.0.2.0/24"; 65]}),
    ] {
        let body = json!({ "limits": limits });
        let refused = |answer: Answer| {
            assert_eq!(answer.status, 422, "{body}:\n{}", answer.whole());
            let field = answer.problem("invalid_input")["errors"][0]["field"].clone();
            let named = field.as_str().is_some_and(|at| at.starts_with("limits"));
            assert!(named, "{body}: {field}");
        };
        refused(world.create(&body).bearer(&user.token).send().await);
        let patch = world.client.patch(&target).bearer(&user.token);
        refused(patch.json(&body).send().await);
    }
    let get = world.client.get(&target).bearer(&user.token);
    let shown = get.send().await.expect(200);
    assert_eq!(
        shown.json()["limits"],
        json!({}),
        "a refusal changed the key"
    );

    for limits in [
        rate(1_000_000_000, 31_622_400, Some(1_000_000_000)),
        rate(1, 31_622_400, Some(100)),
        quota(json!(u64::MAX)),
    ] {
        world.key_with(&user, &json!({ "limits": limits })).await;
    }
}
