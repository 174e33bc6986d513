//! Asking about keys and revoking them as OAuth does (RFC 7662 and RFC 7009).

use std::time::Duration;

use serde_json::json;

use super::Stage;
use super::ask::{asker, bad_keys, introspect, revoke};
use super::stage::key_format;
use crate::secret::KeySecret;

/// Introspection says what a token is good for, and of one that is not good nothing but that.
pub async fn introspection_says_no_more_than_it_must(stage: &Stage) {
    let world = stage.world().await;
    let (asker, user) = (asker(&world).await, world.user().await);
    let ask = async |token: &str| {
        introspect(&world, &asker, token)
            .send()
            .await
            .expect(200)
            .json()
    };
    let expires_at = world.later(Duration::from_hours(1));
    let description = json!({"scopes": ["reports:read", "users:*"], "expires_at": expires_at});
    let key = world.key_with(&user, &description).await;
    let said = ask(&key.text).await;
    let exp = said["exp"].as_i64().unwrap();
    assert_eq!(
        said,
        json!({
            "active": true, "scope": "reports:read users:*", "client_id": key.id, "sub": user.id, "token_type": "Bearer",
            "exp": exp, "environment": "live",
        })
    );
    let expiry = crate::clock::Timestamp::parse(&expires_at).unwrap();
    assert_eq!(exp, expiry.as_secs());

    let said = ask(&user.token).await;
    assert_eq!(
        (&said["active"], &said["sub"]),
        (&json!(true), &json!(user.id))
    );
    assert!(said["exp"].as_i64() > said["iat"].as_i64(), "{said}");
    for name in ["iss", "aud", "jti"] {
        assert!(said[name].is_string(), "{said}");
    }
    assert!(
        said["scope"].is_null() && said["client_id"].is_null(),
        "{said}"
    );

    let nothing = json!({"active": false});
    for (text, _) in bad_keys(&world, &user).await {
        if !text.is_empty() {
            assert_eq!(ask(&text).await, nothing);
        }
    }
    for token in ["a.b.c", &user.token[1..], "..", "."] {
        assert_eq!(ask(token).await, nothing, "{token}");
    }
    world
        .sakms
        .disable_owner(&user.owner(), crate::journal::Actor::SYSTEM)
        .await
        .unwrap();
    assert_eq!(ask(&user.token).await, nothing);
    assert_eq!(ask(&key.text).await, nothing);

    // A test key is active for whoever says that they want one.
    let other = world.user().await;
    let test = world
        .key_with(&other, &json!({"environment": "test"}))
        .await;
    let form = json!({"token": test.text, "environment": "test", "token_type_hint": "whatever", "extra": "1"});
    let request = world
        .client
        .post("/oauth/introspect")
        .bearer(&asker.text)
        .form(&form);
    assert_eq!(request.send().await.expect(200).json()["active"], true);
    let bare = world.key(&other).await;
    introspect(&world, &bare, &test.text)
        .send()
        .await
        .expect(403)
        .problem("insufficient_scope");
    let nobody = world.client.post("/oauth/introspect").form(&form);
    nobody
        .send()
        .await
        .expect(401)
        .problem("missing_credential");
}

/// Whoever presents a key puts an end to it, whatever else keeps it from being used; the answer is the same for a text
/// that is no key.
pub async fn whoever_presents_a_key_revokes_it(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world.key(&user).await;
    world.warm(&key.text).await;
    let revoked = revoke(&world, &key.text).send().await.expect(200);
    assert_eq!(revoked.json(), json!({}));
    world
        .guarded(&key.text)
        .await
        .expect(401)
        .problem("key_revoked");
    let target = format!("/keys/{}", key.id);
    let shown = world
        .client
        .get(&target)
        .bearer(&user.token)
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!(shown["revoked"], true);
    let rows = world
        .client
        .get(&format!("/audit?subject=key:{}&action=key.revoke", key.id));
    let rows = rows.bearer(&user.token).send().await.expect(200).items();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["actor"], format!("key:{}", key.id));

    for (text, code) in bad_keys(&world, &user).await {
        if text.is_empty() {
            continue;
        }
        let answer = revoke(&world, &text).send().await.expect(200);
        assert_eq!(answer.essence(), revoked.essence(), "{code}");
        let now = match code {
            "invalid_key" => "invalid_key",
            _ => "key_revoked",
        };
        world.guarded(&text).await.expect(401).problem(now);
    }
    // Once more, and by the text with another secret.
    assert_eq!(
        revoke(&world, &key.text).send().await.essence(),
        revoked.essence()
    );
    let other = world.key(&user).await;
    let format = key_format();
    let parsed = format.parse(&other.text).unwrap();
    let environment = crate::key::Environment::live();
    let forged = format
        .mint(&environment, parsed.id, &KeySecret::new([9; 32]))
        .unwrap();
    assert_eq!(
        revoke(&world, forged.text.expose()).send().await.essence(),
        revoked.essence()
    );
    world.guarded(&other.text).await.expect(200);
    // A token is none of them, and stays good.
    let token = revoke(&world, &user.token).send().await.expect(400);
    let problem = token.problem("unsupported_token_type");
    assert_eq!(problem["error"], "unsupported_token_type");
    assert_eq!(problem["error_description"], problem["detail"]);
    world
        .client
        .get("/keys")
        .bearer(&user.token)
        .send()
        .await
        .expect(200);
}

/// A secret that was replaced is no proof any more: who finds an old one cannot put an end to the new one.
pub async fn a_replaced_secret_revokes_nothing(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world.key(&user).await;
    let target = format!("/keys/{}/rotate", key.id);
    let rotate = world.client.post(&target).bearer(&user.token);
    let new = world
        .made(rotate.json(&json!({"overlap_seconds": 60})))
        .await;
    world.clock.advance(Duration::from_secs(61));
    revoke(&world, &key.text).send().await.expect(200);
    world.guarded(&new.text).await.expect(200);
    // While both work, either does.
    let again = world.client.post(&target).bearer(&user.token);
    let newest = world
        .made(again.json(&json!({"overlap_seconds": 60})))
        .await;
    revoke(&world, &new.text).send().await.expect(200);
    world
        .guarded(&newest.text)
        .await
        .expect(401)
        .problem("key_revoked");
}

/// A form says that it is one and has each parameter once. An error can be read both ways.
pub async fn forms_are_checked(stage: &Stage) {
    const FORM: &str = "application/x-www-form-urlencoded";
    let world = stage.world().await;
    let asker = asker(&world).await;
    for path in ["/oauth/introspect", "/oauth/revoke"] {
        let send = |kind: &str, body: &str| {
            let request = world.client.post(path).bearer(&asker.text);
            request.text(kind, body).send()
        };
        for body in [
            "",
            "token=",
            "token",
            "tok=a",
            "token=a&token=a",
            "token=a&x=1&x=2",
            "token=%ff",
            "&&",
        ] {
            let answer = send(FORM, body).await;
            assert_eq!(answer.status, 400, "{body}:\n{}", answer.whole());
            let problem = answer.problem("invalid_request");
            assert_eq!(problem["error"], "invalid_request", "{body}");
            assert_eq!(problem["error_description"], problem["detail"]);
        }
        for kind in ["application/json", "text/plain", "multipart/form-data"] {
            send(kind, "token=a")
                .await
                .expect(415)
                .problem("unsupported_media_type");
        }
        let bare = world.client.post(path).bearer(&asker.text).send().await;
        bare.expect(415).problem("unsupported_media_type");
        for body in [
            "token=a",
            "token=a&token_type_hint=access_token",
            "x=%2B+&token=a",
        ] {
            send(FORM, body).await.expect(200);
        }
        send(
            "Application/X-WWW-Form-Urlencoded; charset=UTF-8",
            "token=a",
        )
        .await
        .expect(200);
        let large = format!("token={}", "a".repeat(70_000));
        send(FORM, &large)
            .await
            .expect(413)
            .problem("body_too_large");
    }
    let bad = json!({"token": "a", "environment": "staging"});
    let request = world.client.post("/oauth/introspect").bearer(&asker.text);
    request.form(&bad).send().await.invalid(&["environment"]);
    let bad = json!({"token": "a", "address": "nowhere"});
    let request = world.client.post("/oauth/introspect").bearer(&asker.text);
    request
        .form(&bad)
        .send()
        .await
        .expect(400)
        .problem("invalid_request");
}
