//! Exchanging keys for tokens (RFC 8693).

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::ask::{asker, bad_keys, introspect};
use super::client::Request;
use super::stage::{ELSEWHERE, TRIAL, token_secret};
use super::{Answer, Key, Stage, User, World};
use crate::clock::Clock as _;
use crate::secret::BearerToken;
use crate::store::StoreErrorKind;
use crate::testkit::faults::Fault;
use crate::token::{Claims, JwtIssuer, Keyring, TokenDenial, TokenIssuer as _};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const API_KEY: &str = "urn:sakms:params:oauth:token-type:api-key";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// A good form.
pub(super) fn form(key: &str) -> Value {
    json!({
        "grant_type": GRANT, "subject_token": key, "subject_token_type": API_KEY, "audience": ELSEWHERE,
    })
}

fn request(world: &World, form: &Value) -> Request {
    world.client.post("/oauth/token").form(form)
}

/// Exchanges a key, with these parameters besides or instead.
pub(super) async fn ask(world: &World, key: &str, other: &Value) -> Answer {
    let mut asked = form(key);
    for (name, value) in other.as_object().unwrap() {
        asked[name] = value.clone();
    }
    let answer = request(world, &asked).send().await;
    if answer.status == 200 {
        world.client.never_show(&answer.text_of("access_token"));
    }
    answer
}

/// Exchanges a key for a token.
pub(super) async fn token(world: &World, key: &str) -> String {
    let answer = ask(world, key, &json!({})).await.expect(200);
    answer.text_of("access_token")
}

/// What the service elsewhere makes of a token.
async fn elsewhere(world: &World, audience: &str, token: &str) -> Result<Claims, TokenDenial> {
    let issuer = JwtIssuer::builder(Keyring::hs256(token_secret()))
        .audience(audience)
        .clock(Arc::clone(&world.clock) as _)
        .build()
        .unwrap();
    let token = BearerToken::new(token.to_owned());
    issuer.verify(&token).await.unwrap().into_result()
}

/// An error that readers of OAuth understand too.
fn refused(answer: Answer, status: u16, code: &str) -> Value {
    let problem = answer.expect(status).problem(code);
    assert_eq!(problem["error"], code);
    assert_eq!(problem["error_description"], problem["detail"]);
    problem
}

async fn reader(world: &World) -> (User, Key) {
    let user = world.user().await;
    let scopes = json!({"scopes": ["reports:read", "users:*"]});
    let key = world.key_with(&user, &scopes).await;
    (user, key)
}

/// The token says whose it is, of which key, for whom, and what it may do; and it is good there for five minutes.
pub async fn a_key_is_exchanged_for_a_token(stage: &Stage) {
    let world = stage.world().await;
    let (user, key) = reader(&world).await;
    let answer = ask(&world, &key.text, &json!({})).await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let mut said = answer.json();
    let token = said["access_token"].take().as_str().unwrap().to_owned();
    assert_eq!(
        said,
        json!({
            "access_token": null, "issued_token_type": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 300,
            "scope": "reports:read users:*",
        })
    );
    let claims = elsewhere(&world, ELSEWHERE, &token).await.unwrap();
    assert_eq!(claims.subject().as_str(), user.id);
    assert_eq!(claims.audience(), ELSEWHERE);
    assert_eq!(claims.key().unwrap().to_string(), key.id);
    let scopes = claims.scopes().unwrap().to_string();
    assert_eq!(scopes, "reports:read users:*");
    assert_eq!(claims.session(), None);
    assert!(claims.extra().is_empty());
    let lifetime = claims.expires_at().since(claims.issued_at());
    assert_eq!(lifetime, Duration::from_mins(5));
    assert_eq!(claims.issued_at().as_secs(), world.clock.now().as_secs());

    let again = super::exchange::token(&world, &key.text).await;
    let again = elsewhere(&world, ELSEWHERE, &again).await.unwrap();
    assert_ne!(again.id(), claims.id());
    world.clock.advance(Duration::from_secs(306));
    let late = elsewhere(&world, ELSEWHERE, &token).await;
    assert_eq!(late, Err(TokenDenial::Expired));
}

/// It is for somebody else: no route here takes it, and nobody here says that it is good.
pub async fn an_exchanged_token_opens_nothing_here(stage: &Stage) {
    let world = stage.world().await;
    let user = world.admin().await;
    let key = world.key_with(&user, &json!({"scopes": ["*"]})).await;
    let token = token(&world, &key.text).await;
    for (method, path) in [
        ("GET", "/keys"),
        ("POST", "/keys"),
        ("GET", "/accounts"),
        ("GET", "/audit"),
        ("GET", "/guarded/token"),
        ("GET", "/guarded/token-or-key"),
    ] {
        let request = world.client.request(method, path).bearer(&token);
        let answer = request.send().await.expect(401);
        answer.problem("invalid_token");
    }
    let guarded = world.guarded(&token).await.expect(401);
    guarded.problem("invalid_key");
    let asker = asker(&world).await;
    let said = introspect(&world, &asker, &token).send().await.expect(200);
    assert_eq!(said.json(), json!({"active": false}));
    // Nor is a token of somebody who signed in exchanged for another, or good elsewhere.
    refused(
        ask(&world, &user.token, &json!({})).await,
        400,
        "invalid_request",
    );
    refused(
        ask(&world, &token, &json!({})).await,
        400,
        "invalid_request",
    );
    let signed_in = elsewhere(&world, ELSEWHERE, &user.token).await;
    assert_eq!(signed_in, Err(TokenDenial::WrongAudience));
}

/// Scopes are those that were asked for, when the key holds them, by itself or by a role; all of them when none was.
pub async fn a_token_may_do_no_more_than_its_key(stage: &Stage) {
    let world = stage.world().await;
    let admin = world.admin().await;
    let role = json!({"scopes": ["bills:read"]});
    let set = world.client.request("PUT", "/roles/clerk").json(&role);
    set.bearer(&admin.token).send().await.expect(200);
    let user = world.user().await;
    let description = json!({"scopes": ["reports:read", "users:*"], "roles": ["clerk"]});
    let key = world.key_with(&user, &description).await;
    for (asked, given) in [
        ("reports:read", "reports:read"),
        ("users:write", "users:write"),
        ("users:write bills:read", "bills:read users:write"),
        ("users:*  reports:read users:*", "reports:read users:*"),
        (" ", "bills:read reports:read users:*"),
        ("", "bills:read reports:read users:*"),
    ] {
        let answer = ask(&world, &key.text, &json!({"scope": asked})).await;
        let answer = answer.expect(200);
        assert_eq!(answer.text_of("scope"), given, "{asked:?}");
        let token = answer.text_of("access_token");
        let claims = elsewhere(&world, ELSEWHERE, &token).await.unwrap();
        assert_eq!(claims.scopes().unwrap().to_string(), given);
    }
    for bad in [
        "reports:write",
        "reports:*",
        "*",
        "users:write reports:write",
        "nonsense",
        "reports:read\nusers:write",
    ] {
        let answer = ask(&world, &key.text, &json!({"scope": bad})).await;
        refused(answer, 400, "invalid_scope");
    }
    // One that may do nothing is somebody all the same.
    let bare = world.key(&user).await;
    let answer = ask(&world, &bare.text, &json!({})).await.expect(200);
    assert_eq!(answer.json().get("scope"), None);
    let token = answer.text_of("access_token");
    let claims = elsewhere(&world, ELSEWHERE, &token).await.unwrap();
    assert!(claims.scopes().unwrap().is_empty());
}

/// A token is good for no longer than its key, and a key that is revoked gets no other.
pub async fn a_token_ends_with_its_key(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    for (life, left) in [(61, 61), (299, 299), (301, 300)] {
        let soon = json!({"expires_at": world.later(Duration::from_secs(life))});
        let key = world.key_with(&user, &soon).await;
        let answer = ask(&world, &key.text, &json!({})).await.expect(200);
        let said = answer.json()["expires_in"].as_u64().unwrap();
        // The key may have been made at the end of a second.
        assert!(said == left || said + 1 == left, "{said} of {life}");
        let claims = elsewhere(&world, ELSEWHERE, &answer.text_of("access_token")).await;
        let end = key.json["expires_at"].as_str().unwrap();
        let end = crate::clock::Timestamp::parse(end).unwrap();
        assert!(claims.unwrap().expires_at() <= end);
    }
    let soon = json!({"expires_at": world.later(Duration::from_secs(2))});
    let short = world.key_with(&user, &soon).await;
    world.clock.advance(Duration::from_secs(3));
    let late = ask(&world, &short.text, &json!({})).await;
    refused(late, 400, "invalid_request");

    let key = world.key(&user).await;
    let token = token(&world, &key.text).await;
    world.revoke(&user, &key).await.expect(200);
    let problem = refused(
        ask(&world, &key.text, &json!({})).await,
        400,
        "invalid_request",
    );
    assert_eq!(problem["detail"], "The key was revoked.");
    // Who reads of no revocations takes it until its end.
    assert!(elsewhere(&world, ELSEWHERE, &token).await.is_ok());
}

/// What a guard refuses is not exchanged; what was wrong is told to whom a guard would tell it.
pub async fn a_bad_key_is_not_exchanged(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    for (text, _) in bad_keys(&world, &user).await {
        let answer = ask(&world, &text, &json!({})).await;
        refused(answer, 400, "invalid_request");
    }
    let test = world.key_with(&user, &json!({"environment": "test"})).await;
    let live = world.key(&user).await;
    for (key, audience, status) in [
        (&live, ELSEWHERE, 200),
        (&live, TRIAL, 400),
        (&test, ELSEWHERE, 400),
        (&test, TRIAL, 200),
    ] {
        let answer = ask(&world, &key.text, &json!({"audience": audience})).await;
        let answer = answer.expect(status);
        if status == 200 {
            let token = answer.text_of("access_token");
            assert!(elsewhere(&world, audience, &token).await.is_ok());
        }
    }
    let (owner, system) = (user.owner(), crate::journal::Actor::SYSTEM);
    let disabled = world.sakms.disable_owner(&owner, system);
    disabled.await.unwrap();
    refused(
        ask(&world, &live.text, &json!({})).await,
        400,
        "invalid_request",
    );
}

/// It is a use of the key, and takes from its limits.
pub async fn exchanging_is_a_use(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let limits = json!({"limits": {"rates": [{"name": "minute", "requests": 2, "seconds": 60}]}});
    let key = world.key_with(&user, &limits).await;
    for left in ["r=1", "r=0"] {
        let answer = ask(&world, &key.text, &json!({})).await.expect(200);
        assert!(answer.header("ratelimit").unwrap().contains(left));
    }
    let answer = ask(&world, &key.text, &json!({})).await.expect(429);
    assert!(answer.header("retry-after").is_some());
    refused(answer, 429, "rate_limited");
    // What names no audience that there is takes nothing.
    let other = world.key_with(&user, &limits).await;
    for _ in 0..3 {
        let answer = ask(&world, &other.text, &json!({"audience": "testkit"})).await;
        refused(answer, 400, "invalid_target");
    }
    ask(&world, &other.text, &json!({})).await.expect(200);
    world.sakms.flush().await.unwrap();
    let usage = world.client.get(&format!("/keys/{}", key.id));
    let shown = usage.bearer(&user.token).send().await.expect(200).json();
    assert!(shown["last_used_at"].is_string(), "{shown}");
}

/// Every parameter is the one it should be.
pub async fn what_is_exchanged_is_checked(stage: &Stage) {
    let world = stage.world().await;
    let (_, key) = reader(&world).await;
    for (name, value, code) in [
        ("grant_type", "", "invalid_request"),
        ("grant_type", "password", "unsupported_grant_type"),
        ("grant_type", "refresh_token", "unsupported_grant_type"),
        ("subject_token", "", "invalid_request"),
        ("subject_token", "a.b.c", "invalid_request"),
        ("subject_token_type", "", "invalid_request"),
        ("subject_token_type", ACCESS_TOKEN, "invalid_request"),
        ("audience", "", "invalid_request"),
        ("audience", "https://reports.example/", "invalid_target"),
        ("audience", "HTTPS://reports.example", "invalid_target"),
        // The service's own.
        ("audience", "testkit", "invalid_target"),
        ("resource", ELSEWHERE, "invalid_target"),
        ("actor_token", "x", "invalid_request"),
        ("actor_token_type", ACCESS_TOKEN, "invalid_request"),
        (
            "requested_token_type",
            "urn:ietf:params:oauth:token-type:refresh_token",
            "invalid_request",
        ),
    ] {
        let answer = ask(&world, &key.text, &json!({name: value})).await;
        refused(answer, 400, code);
    }
    for kind in [ACCESS_TOKEN, "urn:ietf:params:oauth:token-type:jwt", ""] {
        let other = json!({"requested_token_type": kind, "client_id": "whoever"});
        ask(&world, &key.text, &other).await.expect(200);
    }
    let twice = world.client.post("/oauth/token");
    let twice = twice.text("application/x-www-form-urlencoded", "audience=a&audience=b");
    refused(twice.send().await, 400, "invalid_request");
    let json = world.client.post("/oauth/token").json(&form(&key.text));
    let answer = json.send().await.expect(415);
    answer.problem("unsupported_media_type");
    // The form alone counts.
    for credential in ["garbage", &key.text] {
        let good = request(&world, &form(&key.text)).bearer(credential);
        good.send().await.expect(200);
        let bad = request(&world, &form("nonsense")).bearer(credential);
        refused(bad.send().await, 400, "invalid_request");
    }
}

/// What could not be decided is no denial.
pub async fn an_exchange_without_a_store_is_no_denial(stage: &Stage) {
    let world = stage.world_that_reads().await;
    let user = world.user().await;
    let key = world.key(&user).await;
    world
        .faults
        .inject(Fault::Before(StoreErrorKind::Unavailable));
    let answer = ask(&world, &key.text, &json!({})).await.expect(503);
    answer.problem("unavailable");
    // What nobody has made reaches no store.
    refused(
        ask(&world, "nonsense", &json!({})).await,
        400,
        "invalid_request",
    );
    world.faults.heal();
    ask(&world, &key.text, &json!({})).await.expect(200);
}

/// Where nobody has said for whom, there is no such route.
pub async fn nothing_is_exchanged_unless_set_up(stage: &Stage) {
    let world = stage.world_without_accounts().await;
    let answer = request(&world, &form("nonsense")).send().await;
    answer.expect(404).problem("not_found");
}
