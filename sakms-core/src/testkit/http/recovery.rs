//! Resetting a password by a code that was mailed.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::stage::PASSWORD;
use super::{Answer, Request, Stage, User, World};
use crate::journal::JournalQuery;
use crate::mail::Purpose;
use crate::service::{Backoff, RecoveryConfig, SakmsBuilder, ThrottleConfig};
use crate::store::{KeyStore as _, StoreErrorKind};
use crate::testkit::faults::{Fault, StoreMethod};
use crate::testkit::fixtures;
use crate::testkit::mail::Failure;

const ANOTHER: &str = "pewter violin harbour moss";
const AWAY: Fault = Fault::Before(StoreErrorKind::Unavailable);

pub(super) fn request(world: &World, path: &str, body: &Value) -> Request {
    world.client.never_show(ANOTHER);
    world.client.post(path).json(body)
}

async fn ask(world: &World, email: &str) -> Answer {
    request(world, "/auth/reset", &json!({"email": email}))
        .send()
        .await
}

fn reset(world: &World, code: &str, password: &str) -> Request {
    let body = json!({"code": code, "new_password": password});
    request(world, "/auth/reset/confirm", &body)
}

/// What was mailed to an address with a purpose; all mail has gone out then.
pub(super) async fn mailed(world: &World, email: &str, purpose: Purpose) -> Vec<Option<String>> {
    world.sakms.flush().await.unwrap();
    let all = world.mail.sent_to(email).into_iter();
    let all = all.filter(|mail| mail.purpose == purpose);
    all.map(|mail| mail.code).collect()
}

/// The code that was mailed last, which no answer ever shows.
pub(super) async fn code(world: &World, email: &str, purpose: Purpose) -> String {
    let code = mailed(world, email, purpose).await.pop().flatten().unwrap();
    world.client.never_show(&code);
    code
}

async fn reset_code(world: &World, user: &User) -> String {
    ask(world, &user.email).await.expect(202);
    code(world, &user.email, Purpose::ResetPassword).await
}

pub(super) fn unthrottled(builder: SakmsBuilder) -> SakmsBuilder {
    builder.throttles(ThrottleConfig::off())
}

/// Who has the code has another password then, and whoever was signed in has to sign in with it. The journal says what was
/// done, and names neither the address nor the code.
pub async fn a_password_is_reset_by_a_code_that_was_mailed(stage: &Stage) {
    let link = "https://acme.example/reset#{code}".parse().unwrap();
    let config = RecoveryConfig::default().reset_link(link);
    let world = stage
        .world_with_mail(|builder| builder.recovery(config))
        .await;
    let user = world.user().await;
    let session = world.session(&user).await;
    let asked = ask(&world, &user.email.to_uppercase()).await.expect(202);
    assert_eq!(asked.json(), json!({"status": "accepted"}));
    assert_eq!(asked.header("cache-control"), Some("no-store"));
    let code = code(&world, &user.email, Purpose::ResetPassword).await;
    let mail = world.mail.sent_to(&user.email).pop().unwrap();
    assert!(
        mail.text
            .contains(&format!("https://acme.example/reset#{code}\n"))
    );

    let done = reset(&world, &code, ANOTHER).send().await.expect(200);
    assert_eq!(
        done.json(),
        json!({"status": "changed"}),
        "nobody is signed in by it"
    );
    world.login(&user.email, PASSWORD).await.expect(401);
    world.login(&user.email, ANOTHER).await.expect(200);
    let with_token = |token: &str| world.client.get("/keys").bearer(token).send();
    for token in [&user.token, &session.token] {
        with_token(token).await.expect(401).problem("invalid_token");
    }
    let refresh = json!({"refresh_token": session.refresh_token});
    let refresh = request(&world, "/auth/refresh", &refresh).send().await;
    refresh.expect(400).problem("invalid_grant");
    let told = mailed(&world, &user.email, Purpose::PasswordChanged).await;
    assert_eq!(told, [None]);

    let query = JournalQuery::everything();
    let rows = world.faults.journal(&query).await.unwrap().items;
    let entries: Vec<_> = rows.iter().map(|row| &row.entry).collect();
    for action in ["account.reset_request", "account.reset"] {
        let mut found = entries
            .iter()
            .filter(|entry| entry.action.as_str() == action);
        let entry = found.next().unwrap();
        assert_eq!(entry.subject.as_str(), format!("account:{}", user.id));
        assert!(found.next().is_none(), "{action} once");
    }
    let printed = format!("{entries:?}");
    assert!(!printed.contains(&user.email) && !printed.contains(&code));
}

/// Whoever asks is answered the same, whether there is such an account, whether it is disabled, and however often.
pub async fn asking_for_a_reset_tells_nothing(stage: &Stage) {
    let world = stage.world_with_sessions().await;
    let (user, disabled) = (world.user().await, world.user().await);
    let admin = world.admin().await;
    let target = format!("/accounts/{}/disable", disabled.id);
    let request = world.client.post(&target).bearer(&admin.token);
    request.send().await.expect(200);
    let known = ask(&world, &user.email).await.expect(202);
    for email in [&disabled.email, "nobody.at.all@example.com", &user.email] {
        for _ in 0..6 {
            let answer = ask(&world, email).await;
            assert_eq!(answer.essence(), known.essence(), "{email}");
        }
    }
    let reset = Purpose::ResetPassword;
    assert_eq!(mailed(&world, &user.email, reset).await.len(), 3);
    for email in [&disabled.email, "nobody.at.all@example.com"] {
        assert_eq!(mailed(&world, email, reset).await, [], "{email}");
    }
}

/// Forged, used, ended, of something else or of a password that is no more: the answer is the same.
pub async fn bad_codes_look_alike(stage: &Stage) {
    let world = stage.world_with_mail(unthrottled).await;
    let garbage = reset(&world, "garbage", ANOTHER).send().await.expect(400);
    garbage.problem("invalid_code");
    let is_refsecond = async |code: &str| {
        let refsecond = reset(&world, code, ANOTHER).send().await;
        assert_eq!(refsecond.essence(), garbage.essence());
    };
    let user = world.user().await;
    let (first, second) = (
        reset_code(&world, &user).await,
        reset_code(&world, &user).await,
    );
    let mut forged = second.clone();
    let last = if forged.pop() == Some('A') { 'B' } else { 'A' };
    forged.push(last);
    for bad in ["", &forged, &second[1..], &second.repeat(2), &user.token] {
        is_refsecond(bad).await;
    }
    let elsewhere = json!({"code": second});
    let elsewhere = request(&world, "/auth/confirm", &elsewhere).send().await;
    assert_eq!(
        elsewhere.essence(),
        garbage.essence(),
        "it is for another use"
    );
    reset(&world, &second, ANOTHER).send().await.expect(200);
    is_refsecond(&second).await;
    is_refsecond(&first).await;

    let user = world.user().await;
    let old = reset_code(&world, &user).await;
    let change = json!({"old_password": PASSWORD, "new_password": ANOTHER});
    let change = request(&world, "/auth/password", &change).bearer(&user.token);
    change.send().await.expect(200);
    is_refsecond(&old).await;

    let user = world.user().await;
    let ended = reset_code(&world, &user).await;
    world.clock.advance(Duration::from_mins(30));
    is_refsecond(&ended).await;
    world.login(&user.email, PASSWORD).await.expect(200);
}

/// A password that is too weak is refused with the reason, to who has a good code, and can be chosen anew.
pub async fn a_weak_password_costs_no_code(stage: &Stage) {
    let world = stage.world_with_sessions().await;
    let user = world.user().await;
    let code = reset_code(&world, &user).await;
    for weak in ["short", "passwordpassword", &user.email, &"x".repeat(1_025)] {
        let refused = reset(&world, &code, weak).send().await;
        refused.invalid(&["new_password"]);
    }
    let bad = reset(&world, "garbage", "short").send().await;
    bad.expect(400).problem("invalid_code");
    world.login(&user.email, PASSWORD).await.expect(200);
    reset(&world, &code, ANOTHER).send().await.expect(200);
}

/// Of many who send the same code at once, one gets through, and their password is the one that holds.
pub async fn a_code_counts_once(stage: &Stage) {
    let world = stage.world_with_mail(unthrottled).await;
    let user = world.user().await;
    for round in 0..100 {
        let code = reset_code(&world, &user).await;
        let mut racing = JoinSet::new();
        for number in 0..32 {
            let password = format!("{ANOTHER} {round} {number}");
            let sent = reset(&world, &code, &password).send();
            racing.spawn(async move { (sent.await, password) });
        }
        let mut won = Vec::new();
        for (answer, password) in racing.join_all().await {
            if answer.status == 200 {
                won.push(password);
            } else {
                answer.expect(400).problem("invalid_code");
            }
        }
        assert_eq!(won.len(), 1, "round {round}");
        if round % 10 == 0 {
            world.login(&user.email, &won[0]).await.expect(200);
        }
    }
    let told = mailed(&world, &user.email, Purpose::PasswordChanged).await;
    assert_eq!(told.len(), 100);
}

/// However often a reset is asked for, and from wherever, an address is written to a few times an hour. An account has few codes
/// at a time even where nothing is slowed down.
pub async fn one_address_gets_little_mail(stage: &Stage) {
    let world = stage.world_with_sessions().await;
    let user = world.user().await;
    let so_far = async || {
        mailed(&world, &user.email, Purpose::ResetPassword)
            .await
            .len()
    };
    for _ in 0..20 {
        ask(&world, &user.email).await.expect(202);
    }
    assert_eq!(so_far().await, 3);
    assert_eq!(world.sakms.statistics().throttled.mail, 17);
    for minute in [1, 2, 3] {
        world.clock.advance(Duration::from_mins(20));
        for _ in 0..5 {
            ask(&world, &user.email).await.expect(202);
        }
        assert!(so_far().await <= 3 + minute);
    }
    assert!(so_far().await >= 4, "it goes on when the codes have ended");

    let world = stage.world_with_mail(unthrottled).await;
    let user = world.user().await;
    for _ in 0..6 {
        ask(&world, &user.email).await.expect(202);
    }
    let mailed = mailed(&world, &user.email, Purpose::ResetPassword).await;
    assert_eq!(mailed.len(), 3);
    // The first is as good as the last.
    let first = mailed[0].clone().unwrap();
    reset(&world, &first, ANOTHER).send().await.expect(200);
}

/// A source waits that asks too often, or sends back too many codes that are none.
pub async fn a_source_that_asks_too_often_waits(stage: &Stage) {
    let backoff = Backoff::after(4).one_forgotten_each(Duration::from_secs(10));
    let throttles = ThrottleConfig::default().recovery(backoff);
    let world = stage
        .world_with_mail(|builder| builder.throttles(throttles))
        .await;
    let user = world.user().await;
    let code = reset_code(&world, &user).await;
    ask(&world, "nobody.at.all@example.com").await.expect(202);
    for path in ["/auth/reset/confirm", "/auth/confirm"] {
        let mut body = json!({"code": "garbage"});
        if path == "/auth/reset/confirm" {
            body["new_password"] = json!(ANOTHER);
        }
        request(&world, path, &body).send().await.expect(400);
    }
    for answer in [
        ask(&world, &user.email).await,
        reset(&world, &code, ANOTHER).send().await,
        request(&world, "/auth/confirm", &json!({"code": "garbage"}))
            .send()
            .await,
    ] {
        let answer = answer.expect(429);
        answer.problem("throttled");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    assert_eq!(world.sakms.statistics().throttled.recovery, 3);
    world.clock.advance(Duration::from_secs(10));
    reset(&world, &code, ANOTHER).send().await.expect(200);
}

/// A code that was mailed before an account was disabled changes nothing, and nobody is written to meanwhile.
pub async fn a_disabled_account_is_not_reset(stage: &Stage) {
    let world = stage.world_with_sessions().await;
    let (user, admin) = (world.user().await, world.admin().await);
    let code = reset_code(&world, &user).await;
    let switch = async |to: &str| {
        let target = format!("/accounts/{}/{to}", user.id);
        let request = world.client.post(&target).bearer(&admin.token);
        request.send().await.expect(200);
    };
    switch("disable").await;
    let refused = reset(&world, &code, ANOTHER).send().await.expect(400);
    refused.problem("invalid_code");
    ask(&world, &user.email).await.expect(202);
    let mailed = mailed(&world, &user.email, Purpose::ResetPassword).await;
    assert_eq!(mailed.len(), 1);
    switch("enable").await;
    world.login(&user.email, ANOTHER).await.expect(401);
    world.login(&user.email, PASSWORD).await.expect(200);
    reset(&world, &code, ANOTHER).send().await.expect(200);
}

/// Bodies have the fields they have, and no secret comes back in an error.
pub async fn bodies_about_codes_are_checked(stage: &Stage) {
    let world = stage.world_with_sessions().await;
    let good = [
        ("/auth/reset", json!({"email": "ada@example.com"})),
        (
            "/auth/reset/confirm",
            json!({"code": "x", "new_password": ANOTHER}),
        ),
        ("/auth/confirm", json!({"code": "x"})),
    ];
    for (path, body) in good {
        let send = |body: &Value| request(&world, path, body).send();
        for (field, _) in body.as_object().unwrap() {
            let mut without = body.clone();
            without.as_object_mut().unwrap().remove(field);
            send(&without).await.invalid(&[field]);
            let mut number = body.clone();
            number[field] = json!(424_242);
            let refused = send(&number).await;
            refused.invalid(&[field]);
            // An address is no secret.
            let shown = refused.whole().contains("424242");
            assert_eq!(shown, field == "email", "{}", refused.whole());
        }
        let mut more = body.clone();
        more["admin"] = json!(true);
        send(&more).await.invalid(&["admin"]);
    }
    for bad in [
        "",
        "no address",
        "a@b",
        "a@b.example\r\nBcc: eve@example.com",
    ] {
        ask(&world, bad).await.invalid(&["email"]);
    }
}

/// Whichever call of the store it is that fails: it is an error of ours, nothing is changed, and the code is as good as before.
pub async fn a_reset_without_a_store_is_503(stage: &Stage) {
    let world = stage.world_with_mail(unthrottled).await;
    let user = world.user().await;
    let code = reset_code(&world, &user).await;
    world.faults.inject_into(StoreMethod::AccountByEmail, AWAY);
    for email in [&user.email, "nobody.at.all@example.com"] {
        ask(&world, email).await.expect(503).problem("unavailable");
    }
    world.faults.heal();
    for method in [
        StoreMethod::State,
        StoreMethod::Account,
        StoreMethod::OwnerDisabledAt,
        StoreMethod::SetPassword,
    ] {
        world.faults.inject_into(method, AWAY);
        let answer = reset(&world, &code, ANOTHER).send().await;
        assert_eq!(answer.status, 503, "{method:?}:\n{}", answer.whole());
        answer.problem("unavailable");
        world.faults.heal();
    }
    world.login(&user.email, PASSWORD).await.expect(200);
    // What is over by the reset itself is taken away when it can be.
    for method in [StoreMethod::RemoveStates, StoreMethod::InsertState] {
        world.faults.inject_into(method, AWAY);
    }
    reset(&world, &code, ANOTHER).send().await.expect(200);
    world.faults.heal();
    let token = world.client.get("/keys").bearer(&user.token);
    token.send().await.expect(401);
    let again = reset(&world, &code, PASSWORD).send().await;
    again.expect(400).problem("invalid_code");
    world.login(&user.email, ANOTHER).await.expect(200);
}

/// A code that cannot be kept, and mail that cannot be sent, waits and is tried again; a request does not wait for it. What will
/// never be taken is given up.
pub async fn mail_waits_for_its_server(stage: &Stage) {
    let world = stage.world_with_mail(unthrottled).await;
    let user = world.user().await;
    let so_far = async || {
        mailed(&world, &user.email, Purpose::ResetPassword)
            .await
            .len()
    };
    for method in [
        StoreMethod::OwnerDisabledAt,
        StoreMethod::States,
        StoreMethod::InsertState,
    ] {
        let before = so_far().await;
        world.faults.inject_into(method, AWAY);
        ask(&world, &user.email).await.expect(202);
        assert_eq!(so_far().await, before, "{method:?}");
        assert_eq!(world.sakms.statistics().mail.waiting, 1, "{method:?}");
        world.faults.heal();
        assert_eq!(so_far().await, before + 1, "{method:?}");
        let code = code(&world, &user.email, Purpose::ResetPassword).await;
        let password = format!("{ANOTHER} {}", fixtures::number());
        reset(&world, &code, &password).send().await.expect(200);
    }
    // The answer to a commit is lost, and the code is there.
    let lost = Fault::After(StoreErrorKind::OutcomeUnknown);
    world.faults.inject_next(StoreMethod::InsertState, 1, lost);
    let kept = reset_code_after_a_retry(&world, &user).await;
    reset(&world, &kept, ANOTHER).send().await.expect(200);
    so_far().await;

    world.mail.fail_next([Failure::ForNow; 2]);
    let before = so_far().await;
    let retried = world.sakms.statistics().mail.retried;
    ask(&world, &user.email).await.expect(202);
    // By itself, as time goes by.
    for (times, pause) in [(1, 2), (2, 8)] {
        let waits = || {
            let mail = world.sakms.statistics().mail;
            mail.retried == retried + times && mail.waiting == 1
        };
        while !waits() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        world.clock.advance(Duration::from_secs(pause));
    }
    while so_far_without_a_flush(&world, &user) == before {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let failed = world.sakms.statistics().mail.failed;
    world.mail.fail_next([Failure::ForGood]);
    ask(&world, &user.email).await.expect(202);
    let before = so_far().await;
    assert_eq!(so_far().await, before);
    let mail = world.sakms.statistics().mail;
    assert_eq!((mail.failed, mail.waiting), (failed + 1, 0));
}

async fn reset_code_after_a_retry(world: &World, user: &User) -> String {
    ask(world, &user.email).await.expect(202);
    world.sakms.flush().await.unwrap();
    code(world, &user.email, Purpose::ResetPassword).await
}

fn so_far_without_a_flush(world: &World, user: &User) -> usize {
    let all = world.mail.sent_to(&user.email).into_iter();
    all.filter(|mail| mail.purpose == Purpose::ResetPassword)
        .count()
}

/// What is not offered is not there.
pub async fn a_service_without_mail_has_none_of_its_routes(stage: &Stage) {
    let world = stage.world().await;
    for path in ["/auth/reset", "/auth/reset/confirm", "/auth/confirm"] {
        let answer = request(&world, path, &json!({"email": "ada@example.com"}));
        answer.send().await.expect(404).problem("not_found");
    }
}
