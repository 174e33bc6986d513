//! Fields: what is missing, unknown, given twice or out of bounds is 422, by name.

use serde_json::{Value, json};

use super::Stage;
use super::stage::PASSWORD;
use crate::key::Metadata;
use crate::testkit::fixtures;

/// Registering and signing in take an address and a password, and nothing else: nobody makes themselves an
/// administrator.
pub async fn signing_in_takes_two_fields(stage: &Stage) {
    let world = stage.world().await;
    let (email, password) = (
        "\"email\":\"ada@example.com\"",
        format!("\"password\":\"{PASSWORD}\""),
    );
    for path in ["/auth/register", "/auth/login"] {
        for (body, field) in [
            (
                format!("{{{email},{password},\"is_admin\":true}}"),
                "is_admin",
            ),
            (
                format!("{{{email},{password},\"user_id\":\"x\"}}"),
                "user_id",
            ),
            (format!("{{{email},{password},\"owner\":\"x\"}}"), "owner"),
            (format!("{{{email},{password},\"Email\":\"x\"}}"), "Email"),
            (format!("{{{email},{email},{password}}}"), "email"),
            (format!("{{{email},{password},{password}}}"), "password"),
            (format!("{{{email},\"password\":null}}"), "password"),
            (format!("{{{email},\"password\":424242}}"), "password"),
            (
                format!("{{\"email\":[\"ada@example.com\"],{password}}}"),
                "email",
            ),
            (format!("{{\"email\":7,{password}}}"), "email"),
            ("[]".to_owned(), "body"),
            (format!("[\"ada@example.com\",\"{PASSWORD}\"]"), "body"),
            (format!("{{{email},\"password\":\"\\ud800\"}}"), "password"),
            ("null".to_owned(), "body"),
            ("\"text\"".to_owned(), "body"),
            ("17".to_owned(), "body"),
        ] {
            let answer = world
                .client
                .post(path)
                .text("application/json", body.clone())
                .send()
                .await;
            assert_eq!(answer.status, 422, "{body}:\n{}", answer.whole());
            let problem = answer.problem("invalid_input");
            assert_eq!(problem["errors"][0]["field"], field, "{body}: {problem}");
            assert!(!answer.whole().contains("424242"), "a password comes back");
        }
    }
    for (body, missing) in [
        (format!("{{{email}}}"), "password"),
        (format!("{{{password}}}"), "email"),
        ("{}".to_owned(), "email"),
    ] {
        let answer = world
            .client
            .post("/auth/register")
            .text("application/json", body);
        answer.send().await.invalid(&[missing]);
    }
    world
        .register("ada@example.com", PASSWORD)
        .await
        .expect(201);
}

/// A key is made of what the caller may decide, and of nothing else.
pub async fn a_key_takes_no_other_fields(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    for field in [
        "id",
        "owner_id",
        "user_id",
        "api_key",
        "prefix",
        "revoked",
        "revoked_at",
        "disabled",
        "disabled_at",
        "created_at",
        "last_used_at",
        "hash",
        "is_admin",
        "Name",
        "scope",
        "__proto__",
    ] {
        let body = json!({"name": "x", field: null});
        let answer = world.create(&body).bearer(&user.token).send().await;
        answer.invalid(&[field]);
    }
    // What is no misspelt field may be a secret in the wrong place, and does not come back.
    for (field, word) in [("", "``"), ("violet tram kettle oak", "violet")] {
        let body = json!({"name": "x", field: null});
        let answer = world.create(&body).bearer(&user.token).send().await;
        answer.invalid(&["body"]);
        let text = answer.whole();
        assert!(!text.contains(word), "{text}");
    }
    for body in ["[]", "[\"x\"]", "null", "\"x\"", "17", "true"] {
        let create = world.client.post("/keys").bearer(&user.token);
        create
            .text("application/json", body)
            .send()
            .await
            .invalid(&["body"]);
    }
    let twice = world.client.post("/keys").bearer(&user.token);
    twice
        .text("application/json", r#"{"name":"a","name":"b"}"#)
        .send()
        .await
        .invalid(&["name"]);
    let list = world.client.get("/keys").bearer(&user.token).send().await;
    assert_eq!(
        list.items(),
        Vec::<Value>::new(),
        "a refused request made a key"
    );
}

/// What a key is called and may do can be changed, and not what it is.
pub async fn a_change_takes_no_other_fields(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world.key(&user).await;
    let target = format!("/keys/{}", key.id);
    let patch = |body: &Value| {
        world
            .client
            .patch(&target)
            .bearer(&user.token)
            .json(body)
            .send()
    };
    for (field, value) in [
        ("environment", json!("test")),
        ("revoked", json!(false)),
        ("revoked_at", json!(null)),
        ("disabled", json!(true)),
        ("owner", json!("somebody")),
        ("id", json!(fixtures::key_id())),
        ("prefix", json!("acme_live_")),
        ("api_key", json!("x")),
        ("created_at", json!("2026-01-01T00:00:00Z")),
    ] {
        patch(&json!({"name": "changed", field: value}))
            .await
            .invalid(&[field]);
    }
    for body in [json!([]), json!(["x", {}]), json!(null), json!("x")] {
        patch(&body).await.invalid(&["body"]);
    }
    for (field, value) in [
        ("name", json!(7)),
        ("name", json!({})),
        ("metadata", json!("x")),
        ("metadata", json!([])),
        ("scopes", json!(null)),
        ("roles", json!(null)),
        ("tags", json!(null)),
        ("tags", json!("x")),
        ("limits", json!([])),
        ("expires_at", json!(0)),
        ("not_before", json!("tomorrow")),
    ] {
        patch(&json!({field: value})).await.invalid(&[field]);
    }
    patch(&json!({"limits": {"rate": 5}}))
        .await
        .invalid(&["limits.rate"]);
    let shown = world
        .client
        .get(&target)
        .bearer(&user.token)
        .send()
        .await
        .expect(200);
    assert_eq!(
        shown.json()["name"],
        "",
        "a refused request changed the key"
    );
}

/// A name has at most 128 characters, however many bytes they take.
pub async fn names_have_an_end(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world.key(&user).await;
    let target = format!("/keys/{}", key.id);
    for name in ["x".repeat(128), "\u{1f511}".repeat(128)] {
        let made = world.key_with(&user, &json!({"name": name})).await;
        assert_eq!(made.json["name"], name);
        let patch = world
            .client
            .patch(&target)
            .bearer(&user.token)
            .json(&json!({"name": name}));
        assert_eq!(patch.send().await.expect(200).json()["name"], name);
    }
    for name in ["x".repeat(129), "x".repeat(5_000), "\u{1f511}".repeat(129)] {
        let body = json!({"name": name});
        world
            .create(&body)
            .bearer(&user.token)
            .send()
            .await
            .invalid(&["name"]);
        world
            .client
            .patch(&target)
            .bearer(&user.token)
            .json(&body)
            .send()
            .await
            .invalid(&["name"]);
    }
}

/// Metadata are pairs of text that take 4,096 bytes at most.
pub async fn metadata_are_pairs_of_text_with_an_end(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world.key(&user).await;
    let target = format!("/keys/{}", key.id);
    let fitting = "x".repeat(Metadata::MAX_BYTES - r#"{"note":""}"#.len());
    let made = world
        .key_with(&user, &json!({"metadata": {"note": fitting}}))
        .await;
    assert_eq!(made.json["metadata"]["note"], fitting);
    for (metadata, field) in [
        (json!({"note": format!("{fitting}x")}), "metadata"),
        (json!({"x".repeat(Metadata::MAX_BYTES): ""}), "metadata"),
        (json!({"note": 7}), "metadata.note"),
        (json!({"note": null}), "metadata.note"),
        (json!({"note": {"deeper": "x"}}), "metadata.note"),
        (json!({"note": ["x"]}), "metadata.note"),
        (json!(["x"]), "metadata"),
        (json!("x"), "metadata"),
    ] {
        let body = json!({"metadata": metadata});
        world
            .create(&body)
            .bearer(&user.token)
            .send()
            .await
            .invalid(&[field]);
        world
            .client
            .patch(&target)
            .bearer(&user.token)
            .json(&body)
            .send()
            .await
            .invalid(&[field]);
    }
}

/// A scope is `resource:action`, `resource:*` or `*`, and a key has at most 64.
pub async fn scopes_are_checked(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let made = world
        .key_with(
            &user,
            &json!({"scopes": ["b:write", "a:read", "c:*", "a:read"]}),
        )
        .await;
    assert_eq!(made.json["scopes"], json!(["a:read", "b:write", "c:*"]));
    world.key_with(&user, &json!({"scopes": ["*"]})).await;
    let many = |count: u32| {
        (0..count)
            .map(|number| format!("r{number}:read"))
            .collect::<Vec<_>>()
    };
    world.key_with(&user, &json!({"scopes": many(64)})).await;
    for scopes in [
        json!([""]),
        json!(["read"]),
        json!(["a:"]),
        json!([":read"]),
        json!(["a:b:c"]),
        json!(["Reports:read"]),
        json!(["reports:read "]),
        json!(["reports:read reports:write"]),
        json!(["*:read"]),
        json!(["**"]),
        json!(["a:r\u{e9}ad"]),
        json!(["a:\0"]),
        json!(["a:\"b"]),
        json!([format!("a:{}", "b".repeat(99))]),
        json!(["a:read", 7]),
        json!([null]),
        json!("a:read"),
        json!({"a": "read"}),
        json!(many(65)),
    ] {
        let answer = world
            .create(&json!({"scopes": scopes}))
            .bearer(&user.token)
            .send()
            .await;
        assert_eq!(answer.status, 422, "{scopes}:\n{}", answer.whole());
        let field = answer.problem("invalid_input")["errors"][0]["field"].clone();
        assert!(
            field
                .as_str()
                .is_some_and(|field| field.starts_with("scopes")),
            "{scopes}: {field}"
        );
    }
}

/// A key belongs to an environment that there is.
pub async fn environments_are_checked(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    for environment in ["live", "test"] {
        let made = world
            .key_with(&user, &json!({"environment": environment}))
            .await;
        assert_eq!(made.json["environment"], environment);
        assert!(
            made.text.starts_with(&format!("acme_{environment}_")),
            "{environment}"
        );
    }
    for environment in [
        json!("staging"),
        json!("LIVE"),
        json!("live "),
        json!(""),
        json!("li_ve"),
        json!(7),
        json!(["live"]),
    ] {
        let answer = world
            .create(&json!({"environment": environment}))
            .bearer(&user.token)
            .send()
            .await;
        answer.invalid(&["environment"]);
    }
}

/// An expiry is a moment to come, in RFC 3339.
pub async fn expiries_are_checked(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let now = world.later(std::time::Duration::ZERO);
    for expires_at in [
        json!("2020-01-01T00:00:00Z"),
        json!("1970-01-01T00:00:00Z"),
        json!("1969-12-31T23:59:59Z"),
        json!(now),
        json!(""),
        json!("0"),
        json!("tomorrow"),
        json!("2030-01-01"),
        json!("2030-01-01T00:00:00"),
        json!("2030-02-30T00:00:00Z"),
        json!("10000-01-01T00:00:00Z"),
        json!("99999999999999999999"),
        json!(0),
        json!(-1),
        json!(1_900_000_000),
        json!(1e300),
        json!(true),
        json!({}),
    ] {
        let answer = world
            .create(&json!({"expires_at": expires_at}))
            .bearer(&user.token)
            .send()
            .await;
        assert_eq!(answer.status, 422, "{expires_at}:\n{}", answer.whole());
        answer.invalid(&["expires_at"]);
    }
    for (given, shown) in [
        ("2030-01-01T00:00:00Z", "2030-01-01T00:00:00Z"),
        (
            "2030-01-01T02:00:00.123456+02:00",
            "2030-01-01T00:00:00.123456Z",
        ),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
    ] {
        let made = world.key_with(&user, &json!({"expires_at": given})).await;
        assert_eq!(made.json["expires_at"], shown);
    }
}
