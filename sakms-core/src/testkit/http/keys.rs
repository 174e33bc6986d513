//! One's own keys: how they are shown and changed, and that nobody else's are.

use std::time::Duration;

use serde_json::{Value, json};

use super::Stage;
use super::world::{Key, User, World};
use crate::testkit::fixtures;

/// Text that has gone wrong in databases, templates and terminals before.
const AWKWARD: [&str; 13] = [
    "",
    " leading and trailing ",
    "'; DROP TABLE sakms_keys; --",
    "<script>alert(\"1\")</script>",
    "100%_\\'\"`",
    "before\u{0}after",
    "line\r\nbreak\ttab",
    "\u{1f511}\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467}",
    "caf\u{e9} cafe\u{301}",
    "\u{202e}desrever \u{5e9}\u{5dc}\u{5d5}\u{5dd}",
    "\u{feff}\u{fffe}\u{10ffff}",
    "null",
    "{\"name\":\"x\"} ${x} {{x}} %s",
];

/// The key as lists show it: without its secrets, which only it by itself is shown with.
async fn shown(world: &World, user: &User, key: &Key) -> Value {
    let get = world
        .client
        .get(&format!("/keys/{}", key.id))
        .bearer(&user.token);
    let mut shown = get.send().await.expect(200).json();
    let secrets = shown.as_object_mut().unwrap().remove("secrets");
    assert!(secrets.is_some_and(|secrets| secrets.is_array()));
    shown
}

async fn listed(world: &World, user: &User) -> Vec<Value> {
    world
        .client
        .get("/keys")
        .bearer(&user.token)
        .send()
        .await
        .expect(200)
        .items()
}

/// A key looks the same wherever it is shown; its text is in the answer that made it and nowhere else.
pub async fn a_key_looks_the_same_everywhere(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let expires_at = world.later(Duration::from_hours(1));
    let description = json!({
        "name": "nightly export",
        "scopes": ["reports:read", "users:*"],
        "environment": "test",
        "expires_at": expires_at,
        "metadata": {"team": "blue", "ticket": "OPS-1"},
    });
    let key = world.key_with(&user, &description).await;
    for (field, value) in description.as_object().unwrap() {
        assert_eq!(&key.json[field], value, "{field}");
    }
    let mut made = key.json.clone();
    made.as_object_mut().unwrap().remove("api_key");
    assert_eq!(shown(&world, &user, &key).await, made);
    assert_eq!(listed(&world, &user).await, [made.clone()]);

    // The shown prefix is the text up to six characters of the public id: enough to tell keys apart.
    let prefix = made["prefix"].as_str().unwrap();
    assert!(
        key.text.starts_with(prefix) && prefix.len() == "acme_test_".len() + 6,
        "{prefix}"
    );
    let mut fields: Vec<_> = made
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    fields.retain(|field| field.contains("hash") || field.contains("secret"));
    assert_eq!(fields, [""; 0]);
    assert_eq!(
        made["owner"], user.id,
        "its holder, who is the one that looks"
    );
}

/// Names and metadata come back as they went in, to the letter.
pub async fn names_are_kept_to_the_letter(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let renamed = world.key(&user).await;
    for text in AWKWARD {
        let named = json!({"name": text, "metadata": {"note": text, text: "value"}});
        let key = world.key_with(&user, &named).await;
        let target = format!("/keys/{}", renamed.id);
        let patched = world
            .client
            .patch(&target)
            .bearer(&user.token)
            .json(&named)
            .send()
            .await;
        for json in [
            &key.json,
            &shown(&world, &user, &key).await,
            &patched.expect(200).json(),
        ] {
            assert_eq!(
                (&json["name"], &json["metadata"]),
                (&named["name"], &named["metadata"])
            );
        }
        let guarded = world.guarded(&key.text).await.expect(200).json();
        assert_eq!(guarded["metadata"], named["metadata"]);
    }
    let names: Vec<_> = listed(&world, &user)
        .await
        .iter()
        .map(|key| key["name"].clone())
        .collect();
    assert!(AWKWARD.iter().all(|text| names.contains(&json!(text))));
}

/// A change of one field leaves the others, and a change of none changes nothing.
pub async fn a_change_leaves_the_rest(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let description =
        json!({"name": "old", "scopes": ["reports:read"], "metadata": {"a": "1", "b": "2"}});
    let key = world.key_with(&user, &description).await;
    let patch = async |body: Value| {
        let target = format!("/keys/{}", key.id);
        let answer = world
            .client
            .patch(&target)
            .bearer(&user.token)
            .json(&body)
            .send()
            .await
            .expect(200);
        assert_eq!(
            answer.json(),
            shown(&world, &user, &key).await,
            "the answer is the key as it is now"
        );
        answer.json()
    };
    let mut expected = shown(&world, &user, &key).await;
    assert_eq!(patch(json!({})).await, expected);
    assert_eq!(
        patch(json!({"name": null, "metadata": null})).await,
        expected
    );
    expected["name"] = json!("new");
    assert_eq!(patch(json!({"name": "new"})).await, expected);
    expected["metadata"] = json!({"c": "3"});
    assert_eq!(patch(json!({"metadata": {"c": "3"}})).await, expected);
    expected["name"] = json!("");
    expected["metadata"] = json!({});
    assert_eq!(patch(json!({"name": "", "metadata": {}})).await, expected);
    // The key still opens what it did.
    world
        .client
        .get("/guarded/reports")
        .bearer(&key.text)
        .send()
        .await
        .expect(200);
}

/// Another owner's key is answered with the bytes of one that does not exist, and nothing happens to it.
pub async fn anothers_key_does_not_exist(stage: &Stage) {
    let world = stage.world().await;
    let (ada, eve) = (world.user().await, world.user().await);
    let key = world.key(&ada).await;
    let before = shown(&world, &ada, &key).await;
    let own = world.key_with(&eve, &json!({"scopes": ["keys:*"]})).await;
    for (method, tail) in [("GET", ""), ("PATCH", ""), ("POST", "/revoke")] {
        for credential in [&eve.token, &own.text] {
            let ask = |id: &str| {
                let request = world
                    .client
                    .request(method, &format!("/keys/{id}{tail}"))
                    .bearer(credential);
                request.json(&json!({"name": "mine now"})).send()
            };
            let unknown = ask(&fixtures::key_id().to_string()).await.expect(404);
            unknown.problem("not_found");
            assert_eq!(
                ask(&key.id).await.essence(),
                unknown.essence(),
                "{method} {tail}"
            );
        }
    }
    assert_eq!(shown(&world, &ada, &key).await, before);
    world.guarded(&key.text).await.expect(200);
    assert!(
        !listed(&world, &eve)
            .await
            .iter()
            .any(|listed| listed["id"] == before["id"])
    );
}

/// A text that is no id names nothing: the same bytes as for an id that does not exist.
pub async fn what_is_no_id_does_not_exist(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world.key(&user).await;
    let spellings = [
        key.id.to_uppercase(),
        key.id.replace('-', ""),
        format!("%7B{}%7D", key.id),
        format!("urn:uuid:{}", key.id),
        format!("{}%20", key.id),
        format!("%20{}", key.id),
        format!("{}%00", key.id),
        format!("{}%0A", key.id),
        format!("{}.json", key.id),
        format!("{}%2F", key.id),
        format!("{}%252D", key.id),
        "0".to_owned(),
        "-1".to_owned(),
        "null".to_owned(),
        "%00".to_owned(),
        "%ff%fe".to_owned(),
        "%".to_owned(),
        "%zz".to_owned(),
        "*".to_owned(),
        "..%2f..%2fetc%2fpasswd".to_owned(),
        "%2e%2e".to_owned(),
        "'%20OR%20'1'='1".to_owned(),
        "1;%20DROP%20TABLE%20sakms_keys".to_owned(),
        "00000000-0000-0000-0000-000000000000".to_owned(),
        "x".repeat(4_000),
    ];
    for (method, tail) in [("GET", ""), ("PATCH", ""), ("POST", "/revoke")] {
        let ask = |id: &str| {
            let request = world
                .client
                .request(method, &format!("/keys/{id}{tail}"))
                .bearer(&user.token);
            request.json(&json!({"name": "x"})).send()
        };
        let unknown = ask(&fixtures::key_id().to_string()).await.expect(404);
        for spelling in &spellings {
            assert_eq!(
                ask(spelling).await.essence(),
                unknown.essence(),
                "{method} {spelling}{tail}"
            );
        }
    }
    world.guarded(&key.text).await.expect(200);
    // What stands for the same text is the same id (RFC 3986, section 2.3).
    let encoded = key.id.replace('-', "%2D").replace('a', "%61");
    let get = world
        .client
        .get(&format!("/keys/{encoded}"))
        .bearer(&user.token);
    assert_eq!(get.send().await.expect(200).json()["id"], key.id);
}

/// Nothing that is answered may be kept by a cache or be taken for something else.
pub async fn answers_are_for_nobodys_cache(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world.key(&user).await;
    let client = &world.client;
    let sign_in = json!({"email": user.email, "password": user.password});
    let newcomer = json!({"email": format!("new{}@example.com", fixtures::number()), "password": user.password});
    let target = format!("/keys/{}", key.id);
    for request in [
        client.post("/auth/register").json(&newcomer),
        client.post("/auth/login").json(&sign_in),
        client.post("/keys").bearer(&user.token),
        client.get("/keys").bearer(&user.token),
        client.get(&target).bearer(&user.token),
        client
            .patch(&target)
            .bearer(&user.token)
            .json(&json!({"name": "x"})),
        client.post(&format!("{target}/revoke")).bearer(&user.token),
        client.get("/health"),
        client.get("/ready"),
    ] {
        let answer = request.send().await;
        assert!(answer.status < 300, "{}", answer.whole());
        let _ = answer.json();
        assert_eq!(
            answer.header("cache-control"),
            Some("no-store"),
            "{}",
            answer.whole()
        );
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{}",
            answer.whole()
        );
        assert_eq!(answer.header("set-cookie"), None);
    }
}

/// A use shows in the list once it was written down, to the microsecond.
pub async fn the_last_use_is_shown(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let (busy, idle) = (world.key(&user).await, world.key(&user).await);
    world.clock.advance(Duration::from_micros(1_234_567));
    world.guarded(&busy.text).await.expect(200);
    let at = world.later(Duration::ZERO);
    world.clock.advance(Duration::from_secs(1));
    world.sakms.flush().await.unwrap();
    assert_eq!(shown(&world, &user, &busy).await["last_used_at"], at);
    assert_eq!(
        shown(&world, &user, &idle).await["last_used_at"],
        Value::Null
    );
}

/// A revoked key shows since when, stays in the list, and can still be named.
pub async fn a_revoked_key_stays_in_the_list(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world.key_with(&user, &json!({"name": "old"})).await;
    assert_eq!(key.json["revoked_at"], Value::Null);
    world.clock.advance(Duration::from_millis(5));
    let at = world.later(Duration::ZERO);
    world.revoke(&user, &key).await.expect(200);
    let rename = world
        .client
        .patch(&format!("/keys/{}", key.id))
        .bearer(&user.token);
    rename
        .json(&json!({"name": "leaked in March"}))
        .send()
        .await
        .expect(200);
    let now = shown(&world, &user, &key).await;
    assert_eq!(
        (&now["revoked"], &now["revoked_at"]),
        (&json!(true), &json!(at))
    );
    assert_eq!(now["name"], "leaked in March");
    assert_eq!(listed(&world, &user).await, [now]);
    world
        .guarded(&key.text)
        .await
        .expect(401)
        .problem("key_revoked");
}
