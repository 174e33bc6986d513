//! Sessions: going on with them, ending them, and changing the password they hang on.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::stage::PASSWORD;
use super::world::Session;
use super::{Answer, Request, Stage, User, World};
use crate::store::StoreErrorKind;
use crate::testkit::faults::{Fault, StoreMethod};

const ANOTHER: &str = "pewter violin harbour moss";
/// Longer than a lost answer is given again.
const LATER: Duration = Duration::from_secs(11);

fn refresh(world: &World, token: &str) -> Request {
    let body = json!({"refresh_token": token});
    world.client.post("/auth/refresh").json(&body)
}

async fn refreshed(world: &World, token: &str) -> String {
    let answer = refresh(world, token).send().await.expect(200);
    world.client.never_show(&answer.text_of("access_token"));
    answer.text_of("refresh_token")
}

async fn with_token(world: &World, method: &str, target: &str, token: &str) -> Answer {
    let request = world.client.request(method, target);
    request.bearer(token).send().await
}

async fn is_refused(world: &World, session: &Session) {
    let token = with_token(world, "GET", "/auth/sessions", &session.token).await;
    token.expect(401).problem("invalid_token");
    let refused = refresh(world, &session.refresh_token).send().await;
    refused.expect(400).problem("invalid_grant");
}

async fn two(world: &World) -> (User, Session, Session) {
    let user = world.user().await;
    let one = world.session(&user).await;
    let other = world.session(&user).await;
    (user, one, other)
}

/// The token is of a session and short, and what goes on with it comes along, for nobody's cache.
pub async fn signing_in_begins_a_session(stage: &Stage) {
    let world = stage.world_with_sessions().await;
    let user = world.user().await;
    let answer = world.login(&user.email, PASSWORD).await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.json()["expires_in"], 900);
    let token = answer.text_of("refresh_token");
    assert!(token.starts_with("acme_refresh_"), "it says what it is");
    // It is no credential of a request.
    for request in [
        world.client.get("/auth/sessions").bearer(&token),
        world.client.get("/guarded/any").bearer(&token),
        world.client.get("/guarded/token").bearer(&token),
    ] {
        request.send().await.expect(401);
    }
}

/// Each refresh gives another refresh token, and an access token of the same session.
pub async fn a_refresh_token_counts_once(stage: &Stage) {
    let world = stage.world_with_sessions().await;
    let user = world.user().await;
    let session = world.session(&user).await;
    let mut seen = HashSet::from([session.refresh_token.clone()]);
    let mut current = session.refresh_token;
    for _ in 0..5 {
        world.clock.advance(LATER);
        let answer = refresh(&world, &current).send().await.expect(200);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let fields: HashSet<_> = answer.json().as_object().unwrap().keys().cloned().collect();
        let wanted = ["access_token", "token_type", "expires_in", "refresh_token"];
        assert_eq!(fields, wanted.map(str::to_owned).into());
        let token = answer.text_of("access_token");
        let listed = with_token(&world, "GET", "/auth/sessions", &token).await;
        let listed = listed.expect(200).json();
        let current_one = listed.as_array().unwrap().iter();
        let mut current_one = current_one.filter(|session| session["current"] == true);
        assert_eq!(current_one.next().unwrap()["id"], session.id.as_str());
        current = answer.text_of("refresh_token");
        assert!(seen.insert(current.clone()));
    }
}

/// Many who refresh at once all get the one successor.
pub async fn of_many_refreshes_at_once_one_successor_comes(stage: &Stage) {
    let world = stage.world_with_sessions().await;
    let user = world.user().await;
    let mut current = world.session(&user).await.refresh_token;
    for _ in 0..5 {
        let mut racing = JoinSet::new();
        for _ in 0..32 {
            racing.spawn(refresh(&world, &current).send());
        }
        let answers = racing.join_all().await;
        let successors = answers
            .into_iter()
            .map(|answer| answer.expect(200).text_of("refresh_token"));
        let successors: HashSet<_> = successors.collect();
        assert_eq!(successors.len(), 1);
        let next = successors.into_iter().next().unwrap();
        assert_ne!(next, current);
        current = next;
    }
    refreshed(&world, &current).await;
}

/// Again at once is a lost answer; later it is a theft, and nobody goes on.
pub async fn a_replay_ends_the_session(stage: &Stage) {
    let world = stage.world_with_sessions().await;
    let user = world.user().await;
    let (first, other) = (world.session(&user).await, world.session(&user).await);
    let second = refreshed(&world, &first.refresh_token).await;
    assert_eq!(refreshed(&world, &first.refresh_token).await, second);
    world.clock.advance(LATER);
    is_refused_as_replayed(&world, &first.refresh_token).await;
    is_refused_as_replayed(&world, &second).await;
    let token = with_token(&world, "GET", "/auth/sessions", &first.token).await;
    token.expect(401).problem("invalid_token");
    refreshed(&world, &other.refresh_token).await;
}

async fn is_refused_as_replayed(world: &World, token: &str) {
    let refused = refresh(world, token).send().await;
    refused.expect(400).problem("invalid_grant");
}

/// Whatever the reason is, the answer is the same.
pub async fn refused_refresh_tokens_look_alike(stage: &Stage) {
    let world = stage.world_with_sessions().await;
    let garbage = refresh(&world, "garbage").send().await.expect(400);
    let problem = garbage.problem("invalid_grant");
    assert_eq!(problem["error"], "invalid_grant", "RFC 6749, section 5.2");
    let (user, ended, replayed) = two(&world).await;
    let expired = world.session(&user).await;
    let out = with_token(&world, "POST", "/auth/logout", &ended.token).await;
    out.expect(200);
    refreshed(&world, &replayed.refresh_token).await;
    world.clock.advance(LATER);
    for token in [
        &ended.refresh_token,
        &replayed.refresh_token,
        "",
        &user.token,
    ] {
        let refused = refresh(&world, token).send().await;
        assert_eq!(refused.essence(), garbage.essence(), "{token}");
    }
    world.clock.advance(Duration::from_hours(30 * 24));
    let refused = refresh(&world, &expired.refresh_token).send().await;
    assert_eq!(refused.essence(), garbage.essence());
}

/// Signing out ends the session of the token, at once, and no other.
pub async fn signing_out_ends_one_session(stage: &Stage) {
    let world = stage.world_with_sessions().await;
    let (_, one, other) = two(&world).await;
    let out = with_token(&world, "POST", "/auth/logout", &one.token).await;
    assert_eq!(out.expect(200).json(), json!({"status": "ended"}));
    is_refused(&world, &one).await;
    for door in ["/guarded/token", "/keys"] {
        let refused = with_token(&world, "GET", door, &one.token).await;
        refused.expect(401).problem("invalid_token");
        with_token(&world, "GET", door, &other.token)
            .await
            .expect(200);
    }
    refreshed(&world, &other.refresh_token).await;
}

/// Signing out everywhere ends all sessions of the account, and nobody else's.
pub async fn signing_out_everywhere_ends_all(stage: &Stage) {
    let world = stage.world_with_sessions().await;
    let (_, one, other) = two(&world).await;
    let eve = world.user().await;
    let eves = world.session(&eve).await;
    let out = with_token(&world, "POST", "/auth/logout-all", &one.token).await;
    out.expect(200);
    is_refused(&world, &one).await;
    is_refused(&world, &other).await;
    refreshed(&world, &eves.refresh_token).await;
}

/// Each session is listed with what is known of it and nothing that opens anything; another's is not there.
pub async fn sessions_are_listed_and_ended(stage: &Stage) {
    let world = stage.world_with_sessions().await;
    let user = world.user().await;
    world.clock.advance(Duration::from_millis(1));
    let one = world.session(&user).await;
    world.clock.advance(Duration::from_millis(1));
    let body = json!({"email": user.email, "password": PASSWORD});
    let login = world.client.post("/auth/login").json(&body);
    let login = login
        .header("user-agent", "suite/1")
        .send()
        .await
        .expect(200);
    let token = login.text_of("access_token");
    let listed = with_token(&world, "GET", "/auth/sessions", &token).await;
    let listed = listed.expect(200).json();
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), 3);
    let fields: Vec<_> = listed[0].as_object().unwrap().keys().collect();
    let wanted = [
        "address",
        "created_at",
        "current",
        "expires_at",
        "id",
        "last_used_at",
        "user_agent",
    ];
    assert_eq!(fields, wanted);
    assert_eq!(listed[0]["current"], true);
    assert_eq!(listed[0]["user_agent"], "suite/1");
    assert_eq!(listed[0]["address"], "127.0.0.1");
    assert_eq!(
        (&listed[1]["id"], &listed[1]["current"]),
        (&json!(one.id), &json!(false))
    );

    let eve = world.user().await;
    let end = |id: &str, token: &str| {
        let request = world
            .client
            .request("DELETE", &format!("/auth/sessions/{id}"));
        request.bearer(token).send()
    };
    let unknown = end("01a204dd-2f4d-75f1-974d-5a3498e116d8", &eve.token).await;
    unknown.expect(404).problem("not_found");
    for id in [one.id.as_str(), "nonsense"] {
        let refused = end(id, &eve.token).await;
        assert_eq!(refused.status, 404);
        assert_eq!(
            refused.problem("not_found")["detail"],
            "There is nothing here."
        );
    }
    let ended = end(&one.id, &token).await.expect(200);
    assert_eq!(ended.json(), json!({"status": "ended"}));
    is_refused(&world, &one).await;
    end(&one.id, &token).await.expect(404);
}

/// On the node that was told at once, on another when it has read the journal.
pub async fn an_ended_session_is_refused_on_every_node(stage: &Stage) {
    let (here, there) = (
        stage.world_with_sessions().await,
        stage.world_with_sessions().await,
    );
    let (_, one, other) = two(&here).await;
    for world in [&here, &there] {
        world.sakms.catch_up().await.unwrap();
        for session in [&one, &other] {
            with_token(world, "GET", "/guarded/token", &session.token)
                .await
                .expect(200);
        }
    }
    let out = with_token(&here, "POST", "/auth/logout", &one.token).await;
    out.expect(200);
    is_refused(&here, &one).await;
    there.sakms.catch_up().await.unwrap();
    is_refused(&there, &one).await;
    with_token(&there, "GET", "/guarded/token", &other.token)
        .await
        .expect(200);
}

/// What a session is was read once.
pub async fn a_token_of_a_session_asks_the_store_nothing(stage: &Stage) {
    let world = stage.world_with_sessions().await;
    let user = world.user().await;
    let session = world.session(&user).await;
    world.sakms.catch_up().await.unwrap();
    with_token(&world, "GET", "/guarded/token", &session.token)
        .await
        .expect(200);
    let asked = [
        StoreMethod::State,
        StoreMethod::Account,
        StoreMethod::OwnerDisabledAt,
    ];
    world.faults.forget_calls();
    for _ in 0..10 {
        with_token(&world, "GET", "/guarded/token", &session.token)
            .await
            .expect(200);
    }
    for method in asked {
        assert_eq!(world.faults.calls(method), 0, "{method:?}");
    }
}

/// The old password is needed, the new one has to be good, and the other sessions end.
pub async fn a_password_is_changed_by_who_knows_it(stage: &Stage) {
    for sessions in [true, false] {
        let world = if sessions {
            stage.world_with_sessions().await
        } else {
            stage.world().await
        };
        let user = world.user().await;
        let change = |old: &str, new: &str| {
            let body = json!({"old_password": old, "new_password": new});
            let request = world.client.post("/auth/password").json(&body);
            request.bearer(&user.token).send()
        };
        let wrong_sign_in = world.login(&user.email, ANOTHER).await.expect(401);
        let wrong = change(ANOTHER, ANOTHER).await;
        assert_eq!(wrong.essence(), wrong_sign_in.essence());
        for weak in ["short", "passwordpassword", user.email.as_str()] {
            change(PASSWORD, weak).await.invalid(&["new_password"]);
        }
        change(&"x".repeat(1_025), ANOTHER)
            .await
            .invalid(&["old_password"]);
        let other = world.token(&user.email, PASSWORD).await;
        let changed = change(PASSWORD, ANOTHER).await.expect(200);
        assert_eq!(changed.json(), json!({"status": "changed"}));
        world.login(&user.email, PASSWORD).await.expect(401);
        world.login(&user.email, ANOTHER).await.expect(200);
        with_token(&world, "GET", "/keys", &user.token)
            .await
            .expect(200);
        let others = with_token(&world, "GET", "/keys", &other).await;
        others.expect(if sessions { 401 } else { 200 });
    }
}

/// Bodies have the fields they have, and no secret comes back in an error.
pub async fn bodies_about_sessions_are_checked(stage: &Stage) {
    let world = stage.world_with_sessions().await;
    let user = world.user().await;
    let refresh = |body: Value| world.client.post("/auth/refresh").json(&body).send();
    refresh(json!({})).await.invalid(&["refresh_token"]);
    refresh(json!({"refresh_token": "x", "all": true}))
        .await
        .invalid(&["all"]);
    let number = refresh(json!({"refresh_token": 424_242})).await;
    number.invalid(&["refresh_token"]);
    assert!(!number.whole().contains("424242"), "{}", number.whole());
    let change = |body: Value| {
        let request = world.client.post("/auth/password").json(&body);
        request.bearer(&user.token).send()
    };
    change(json!({"old_password": PASSWORD}))
        .await
        .invalid(&["new_password"]);
    change(json!({"new_password": ANOTHER}))
        .await
        .invalid(&["old_password"]);
    for field in ["old_password", "new_password"] {
        let mut body = json!({"old_password": PASSWORD, "new_password": ANOTHER});
        body[field] = json!(424_242);
        let number = change(body).await;
        number.invalid(&[field]);
        assert!(!number.whole().contains("424242"), "{}", number.whole());
    }
}

/// Whichever call of the store it is that fails: it is an error of ours, and the session goes on.
pub async fn sessions_without_a_store_are_503(stage: &Stage) {
    let world = stage.world_with_sessions().await;
    let (user, one, other) = two(&world).await;
    let ended = format!("/auth/sessions/{}", other.id);
    let reading = StoreMethod::State;
    for (method, target, calls) in [
        (
            "POST",
            "/auth/refresh",
            [reading, StoreMethod::UpdateState].as_slice(),
        ),
        ("POST", "/auth/logout", &[reading, StoreMethod::RemoveState]),
        ("POST", "/auth/logout-all", &[StoreMethod::RemoveStates]),
        (
            "GET",
            "/auth/sessions",
            &[StoreMethod::Account, StoreMethod::States],
        ),
        ("DELETE", &ended, &[reading, StoreMethod::RemoveState]),
        (
            "POST",
            "/auth/password",
            &[StoreMethod::Account, StoreMethod::SetPassword],
        ),
    ] {
        for call in calls {
            world
                .faults
                .inject_into(*call, Fault::Before(StoreErrorKind::Unavailable));
            let request = match target {
                "/auth/refresh" => refresh(&world, &one.refresh_token),
                "/auth/password" => {
                    let body = json!({"old_password": PASSWORD, "new_password": ANOTHER});
                    world.client.post(target).json(&body).bearer(&one.token)
                }
                _ => world.client.request(method, target).bearer(&one.token),
            };
            let answer = request.send().await;
            assert_eq!(
                answer.status,
                503,
                "{method} {target} {call:?}:\n{}",
                answer.whole()
            );
            answer.problem("unavailable");
            world.faults.heal();
        }
    }
    world.login(&user.email, PASSWORD).await.expect(200);
    for session in [&one, &other] {
        with_token(&world, "GET", "/keys", &session.token)
            .await
            .expect(200);
        refreshed(&world, &session.refresh_token).await;
    }
}

/// What is not offered is not there; a token is then as long as ever, and alone.
pub async fn a_service_without_sessions_has_none_of_their_routes(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let answer = world.login(&user.email, PASSWORD).await.expect(200);
    assert_eq!(answer.json()["expires_in"], 3_600);
    assert_eq!(answer.json()["refresh_token"], Value::Null);
    for (method, target) in [
        ("POST", "/auth/refresh"),
        ("POST", "/auth/logout"),
        ("POST", "/auth/logout-all"),
        ("GET", "/auth/sessions"),
    ] {
        let answer = with_token(&world, method, target, &user.token).await;
        answer.expect(404).problem("not_found");
    }
}
