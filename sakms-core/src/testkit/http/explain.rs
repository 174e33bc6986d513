//! Why a key would be refused: gate by gate, without a check.

use std::time::Duration;

use serde_json::{Value, json};

use super::world::Key;
use super::{Answer, Stage, User, World};

async fn explain(world: &World, admin: &User, key: &Key, request: &Value) -> Answer {
    let target = format!("/keys/{}/explain", key.id);
    world
        .client
        .post(&target)
        .bearer(&admin.token)
        .json(request)
        .send()
        .await
}

const GATES: [&str; 11] = [
    "revoked",
    "owner",
    "disabled",
    "expiry",
    "secret",
    "beginning",
    "environment",
    "address",
    "scopes",
    "rates",
    "quota",
];

/// Those that refuse, with their codes. All of them are there, in the order in which a check asks.
fn refusing(answer: &Value) -> Vec<(String, String)> {
    let gates = answer["gates"].as_array().unwrap();
    let names: Vec<_> = gates
        .iter()
        .map(|gate| gate["gate"].as_str().unwrap())
        .collect();
    assert_eq!(names, GATES);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let refuses: Vec<_> = gates
        .iter()
        .filter(|gate| gate["passes"] == false)
        .collect();
    for gate in gates {
        assert_eq!(gate["passes"] == false, gate["code"].is_string(), "{gate}");
        assert_eq!(
            gate["passes"] == false,
            gate["detail"].is_string(),
            "{gate}"
        );
    }
    assert_eq!(answer["allowed"], refuses.is_empty());
    let first = refuses.first().map_or(&Value::Null, |gate| &gate["gate"]);
    assert_eq!(answer["refused_by"], *first);
    refuses
        .iter()
        .map(|gate| (text(&gate["gate"]), text(&gate["code"])))
        .collect()
}

/// Each gate says by itself whether it would refuse the key.
pub async fn every_gate_is_named(stage: &Stage) {
    let world = stage.world().await;
    let (admin, user) = (world.admin().await, world.user().await);
    let ask = async |key: &Key, request: Value| {
        let answer = explain(&world, &admin, key, &request)
            .await
            .expect(200)
            .json();
        assert_eq!(answer["key_id"], key.id);
        let refusing = refusing(&answer);
        let pairs = refusing.iter().map(|(gate, code)| format!("{gate} {code}"));
        pairs.collect::<Vec<_>>().join(", ")
    };
    let good = world
        .key_with(&user, &json!({"scopes": ["reports:read"]}))
        .await;
    assert_eq!(ask(&good, json!({})).await, "");
    let target = format!("/keys/{}/explain", good.id);
    let bare = world
        .client
        .post(&target)
        .bearer(&admin.token)
        .send()
        .await
        .expect(200);
    assert_eq!(refusing(&bare.json()), []);
    assert_eq!(ask(&good, json!({"requirement": "reports:read"})).await, "");
    assert_eq!(
        ask(&good, json!({"requirement": "users:read"})).await,
        "scopes insufficient_scope"
    );
    assert_eq!(
        ask(&good, json!({"environment": "test"})).await,
        "environment wrong_environment"
    );

    let timed = json!({
        "not_before": world.later(Duration::from_secs(10)), "expires_at": world.later(Duration::from_secs(20)),
    });
    let timed = world.key_with(&user, &timed).await;
    assert_eq!(ask(&timed, json!({})).await, "beginning key_not_yet_valid");
    let at = |seconds| json!({"at": world.later(Duration::from_secs(seconds))});
    assert_eq!(ask(&timed, at(15)).await, "");
    assert_eq!(ask(&timed, at(25)).await, "expiry key_expired");

    let bound = json!({"limits": {
        "ip_ranges": ["192.0.2.0/24"],
        "rates": [{"name": "slow", "requests": 2, "seconds": 60}],
        "quota": {"amount": 5, "refill": "monthly"},
    }});
    let bound = world.key_with(&user, &bound).await;
    assert_eq!(ask(&bound, json!({})).await, "address address_not_allowed");
    assert_eq!(
        ask(&bound, json!({"address": "198.51.100.1"})).await,
        "address address_not_allowed"
    );
    assert_eq!(
        ask(&bound, json!({"address": "::ffff:192.0.2.9"})).await,
        ""
    );
    let dear = json!({"address": "192.0.2.9", "cost": 3});
    assert_eq!(ask(&bound, dear).await, "rates cost_too_high");
    let dearer = json!({"address": "192.0.2.9", "cost": 6});
    assert_eq!(
        ask(&bound, dearer).await,
        "rates cost_too_high, quota cost_too_high"
    );

    // Several at once: the first of them decides.
    let switch = format!("/keys/{}/disable", timed.id);
    world
        .client
        .post(&switch)
        .bearer(&user.token)
        .send()
        .await
        .expect(200);
    world.revoke(&user, &timed).await.expect(200);
    let all = json!({"requirement": "a:b", "environment": "test", "at": world.later(Duration::from_secs(25))});
    let wanted = "revoked key_revoked, disabled key_disabled, expiry key_expired, environment wrong_environment, \
                  scopes insufficient_scope";
    assert_eq!(ask(&timed, all).await, wanted);
    world
        .sakms
        .disable_owner(&user.owner(), crate::journal::Actor::SYSTEM)
        .await
        .unwrap();
    assert_eq!(ask(&good, json!({})).await, "owner key_disabled");
}

/// A question that is none names its field, and a key that is not there is not found.
pub async fn questions_are_checked(stage: &Stage) {
    let world = stage.world().await;
    let (admin, user) = (world.admin().await, world.user().await);
    let good = world.key(&user).await;
    for (request, field) in [
        (json!({"requirement": "a"}), "requirement"),
        (json!({"environment": "LIVE"}), "environment"),
        (json!({"address": "x"}), "address"),
        (json!({"cost": 0}), "cost"),
        (json!({"at": "now"}), "at"),
        (json!({"key": "x"}), "key"),
    ] {
        explain(&world, &admin, &good, &request)
            .await
            .invalid(&[field]);
    }
    let unknown = format!("/keys/{}/explain", crate::testkit::fixtures::key_id());
    let unknown = world
        .client
        .post(&unknown)
        .bearer(&admin.token)
        .send()
        .await;
    unknown.expect(404).problem("not_found");
}

/// Explaining counts no use and takes nothing from a limit, however often.
pub async fn explaining_takes_nothing(stage: &Stage) {
    let world = stage.world().await;
    let (admin, user) = (world.admin().await, world.user().await);
    let limits = json!({"limits": {
        "rates": [{"name": "slow", "requests": 2, "seconds": 60}], "quota": {"amount": 2},
    }});
    let key = world.key_with(&user, &limits).await;
    let refused = async || {
        let answer = explain(&world, &admin, &key, &json!({}))
            .await
            .expect(200)
            .json();
        refusing(&answer)
    };
    for _ in 0..10 {
        assert_eq!(refused().await, []);
    }
    world.guarded(&key.text).await.expect(200);
    for _ in 0..10 {
        assert_eq!(refused().await, []);
    }
    world.guarded(&key.text).await.expect(200);
    let used_up = [("rates", "rate_limited"), ("quota", "quota_exhausted")];
    let used_up = used_up.map(|(gate, code)| (gate.to_owned(), code.to_owned()));
    assert_eq!(refused().await, used_up);
    world
        .guarded(&key.text)
        .await
        .expect(429)
        .problem("rate_limited");
    world.clock.advance(Duration::from_mins(2));
    assert_eq!(refused().await, used_up[1..]);
    world.sakms.flush().await.unwrap();
    let target = format!("/keys/{}/usage", key.id);
    let usage = world
        .client
        .get(&target)
        .bearer(&user.token)
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&usage["allowed"], &usage["refused"]),
        (&json!(2), &json!(1))
    );
}

/// The gate that is named is the one by which a guard refuses the key.
pub async fn what_is_explained_is_what_happens(stage: &Stage) {
    let world = stage.world().await;
    let (admin, user) = (world.admin().await, world.user().await);
    let mut keys = vec![
        world
            .key_with(&user, &json!({"scopes": ["reports:read"]}))
            .await,
    ];
    for description in [
        json!({}),
        json!({"not_before": world.later(Duration::from_hours(1))}),
        json!({"limits": {"ip_ranges": ["192.0.2.0/24"]}, "scopes": ["reports:read"]}),
        json!({"environment": "test", "scopes": ["reports:read"]}),
        json!({"expires_at": world.later(Duration::from_millis(100)), "scopes": ["reports:read"]}),
    ] {
        keys.push(world.key_with(&user, &description).await);
    }
    world.clock.advance(Duration::from_secs(1));
    let revoked = world.key(&user).await;
    world.revoke(&user, &revoked).await.expect(200);
    keys.push(revoked);
    for key in &keys {
        let asked =
            json!({"requirement": "reports:read", "environment": "live", "address": "127.0.0.1"});
        let explained = explain(&world, &admin, key, &asked)
            .await
            .expect(200)
            .json();
        let guarded = world
            .client
            .get("/guarded/reports")
            .bearer(&key.text)
            .send()
            .await;
        match refusing(&explained).first() {
            None => drop(guarded.expect(200)),
            Some((_, code)) => drop(guarded.problem(code)),
        }
    }
}
