//! Registering where addresses are confirmed.

use std::collections::HashSet;

use serde_json::json;
use tokio::task::JoinSet;

use super::recovery::{code, mailed, request, unthrottled};
use super::stage::PASSWORD;
use super::{Answer, Request, Stage, World};
use crate::account::AccountQuery;
use crate::mail::Purpose;
use crate::service::RecoveryConfig;
use crate::store::{AccountStore as _, StoreErrorKind};
use crate::testkit::faults::{Fault, StoreMethod};
use crate::testkit::fixtures;

async fn confirming(stage: &Stage) -> World {
    let config = RecoveryConfig::default().confirm_addresses(true);
    let settings = |builder| unthrottled(builder).recovery(config);
    stage.world_with_mail(settings).await
}

fn newcomer() -> String {
    format!("Newcomer{}@example.com", fixtures::number())
}

fn confirm(world: &World, code: &str) -> Request {
    request(world, "/auth/confirm", &json!({"code": code}))
}

async fn registered(world: &World, email: &str) -> (Answer, String) {
    let answer = world.register(email, PASSWORD).await.expect(202);
    let code = code(world, email, Purpose::ConfirmAddress).await;
    (answer, code)
}

/// There is no account until the code is sent back, and then there is one, however often.
pub async fn an_account_is_made_when_its_address_is_confirmed(stage: &Stage) {
    let world = confirming(stage).await;
    let email = newcomer();
    let (answer, code) = registered(&world, &email).await;
    assert_eq!(answer.json(), json!({"status": "accepted"}));
    world.login(&email, PASSWORD).await.expect(401);
    let asked = request(&world, "/auth/reset", &json!({"email": email}));
    asked.send().await.expect(202);
    assert_eq!(mailed(&world, &email, Purpose::ResetPassword).await, []);

    let elsewhere = json!({"code": code, "new_password": PASSWORD});
    let elsewhere = request(&world, "/auth/reset/confirm", &elsewhere);
    elsewhere.send().await.expect(400).problem("invalid_code");
    let made = confirm(&world, &code).send().await.expect(201);
    let again = confirm(&world, &code).send().await.expect(201);
    assert_eq!(
        made.essence(),
        again.essence(),
        "the answer may have been lost"
    );
    world.login(&email, PASSWORD).await.expect(200);
    let id = made.text_of("user_id").parse().unwrap();
    let account = world.faults.account(id).await.unwrap().unwrap();
    assert_eq!(account.email, email, "as it was given");

    // The code ends like any other.
    world.clock.advance(std::time::Duration::from_mins(30));
    let ended = confirm(&world, &code).send().await.expect(400);
    ended.problem("invalid_code");
    let garbage = confirm(&world, "garbage").send().await;
    assert_eq!(garbage.essence(), ended.essence());
}

/// Who registers is answered the same with an address that has an account and with one that has none; only its owner is told.
pub async fn registering_tells_nothing_where_addresses_are_confirmed(stage: &Stage) {
    let world = confirming(stage).await;
    let email = newcomer();
    let (unknown, code) = registered(&world, &email).await;
    confirm(&world, &code).send().await.expect(201);
    let known = world.register(&email.to_uppercase(), PASSWORD).await;
    assert_eq!(known.essence(), unknown.essence());
    let told = mailed(&world, &email, Purpose::AlreadyRegistered).await;
    assert_eq!(told, [None]);
    assert_eq!(
        mailed(&world, &email, Purpose::ConfirmAddress).await.len(),
        1
    );
    world.register(&email, "short").await.invalid(&["password"]);
    world
        .register("no address", PASSWORD)
        .await
        .invalid(&["email"]);

    // Two registered before either confirmed: the first to confirm has the account.
    let email = newcomer();
    let (_, first) = registered(&world, &email).await;
    let (_, second) = registered(&world, &email).await;
    assert_ne!(first, second);
    confirm(&world, &second).send().await.expect(201);
    let late = confirm(&world, &first).send().await.expect(400);
    late.problem("invalid_code");
}

/// However many send the same code at once, there is one account, and all are told the same.
pub async fn of_many_confirmations_one_account_comes(stage: &Stage) {
    let world = confirming(stage).await;
    let rounds = 20;
    for _ in 0..rounds {
        let (_, code) = registered(&world, &newcomer()).await;
        let mut racing = JoinSet::new();
        for _ in 0..32 {
            racing.spawn(confirm(&world, &code).send());
        }
        let answers = racing.join_all().await.into_iter();
        let ids: HashSet<_> = answers
            .map(|answer| answer.expect(201).text_of("user_id"))
            .collect();
        assert_eq!(ids.len(), 1);
    }
    let accounts = world.faults.accounts(&AccountQuery::default()).await;
    assert_eq!(accounts.unwrap().items.len(), rounds);
}

/// Whichever call of the store it is that fails: it is an error of ours, and the code is as good as before.
pub async fn confirming_without_a_store_is_503(stage: &Stage) {
    let world = confirming(stage).await;
    let away = Fault::Before(StoreErrorKind::Unavailable);
    let email = newcomer();
    world.faults.inject_into(StoreMethod::AccountByEmail, away);
    let answer = world.register(&email, PASSWORD).await;
    answer.expect(503).problem("unavailable");
    world.faults.heal();
    let (_, code) = registered(&world, &email).await;
    for method in [StoreMethod::State, StoreMethod::InsertAccount] {
        world.faults.inject_into(method, away);
        let answer = confirm(&world, &code).send().await;
        assert_eq!(answer.status, 503, "{method:?}");
        answer.problem("unavailable");
        world.faults.heal();
    }
    world.login(&email, PASSWORD).await.expect(401);
    // The answer is lost, and the account is there.
    let lost = Fault::After(StoreErrorKind::OutcomeUnknown);
    world
        .faults
        .inject_next(StoreMethod::InsertAccount, 1, lost);
    let answer = confirm(&world, &code).send().await.expect(503);
    answer.problem("outcome_unknown");
    world.login(&email, PASSWORD).await.expect(200);
    world.faults.inject_into(StoreMethod::UpdateState, away);
    confirm(&world, &code).send().await.expect(201);
    world.faults.heal();
    confirm(&world, &code).send().await.expect(201);
}
