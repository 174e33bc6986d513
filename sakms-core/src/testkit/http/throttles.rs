//! Sign-ins and registrations that are slowed down.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::json;

use super::stage::PASSWORD;
use super::{Answer, Stage, World};
use crate::http::Api;
use crate::journal::{Action, Seq, Subject};
use crate::service::{Backoff, ThrottleConfig};
use crate::store::KeyStore as _;

const WRONG: &str = "violet tram kettle elm";

/// Tries to sign in from behind a proxy that says where.
async fn login_from(world: &World, email: &str, password: &str, from: &str) -> Answer {
    world.client.never_show(PASSWORD);
    let body = json!({"email": email, "password": password});
    let request = world.client.post("/auth/login").json(&body);
    let answer = request.header("X-Forwarded-For", from).send().await;
    if answer.status == 200 {
        world.client.never_show(&answer.text_of("access_token"));
    }
    answer
}

/// The answer is 429, and says when it is worth trying again.
fn waits(answer: Answer, seconds: &str) {
    let answer = answer.expect(429);
    answer.problem("throttled");
    assert_eq!(answer.header("retry-after"), Some(seconds));
}

fn believing(api: Api) -> Api {
    api.trusted_proxies("127.0.0.0/8".parse().unwrap())
}

/// After ten failures with an address there is a pause that doubles, for whoever is not known to the account, and all
/// spellings of the address are one. A right password after the pause ends it.
pub async fn failures_with_an_address_are_answered_with_a_pause(stage: &Stage) {
    let world = stage.world_with(believing).await;
    let email = "ada.throttled@example.com";
    world.register(email, PASSWORD).await.expect(201);
    for number in 0..10 {
        let spelling = if number % 2 == 0 {
            email
        } else {
            "ADA.Throttled@Example.COM"
        };
        let from = format!("10.0.0.{number}");
        let answer = login_from(&world, spelling, WRONG, &from).await;
        answer.expect(401).problem("invalid_login");
    }
    waits(login_from(&world, email, PASSWORD, "10.0.1.1").await, "1");
    world.clock.advance(Duration::from_secs(1));
    login_from(&world, email, WRONG, "10.0.1.2")
        .await
        .expect(401);
    waits(login_from(&world, email, PASSWORD, "10.0.1.3").await, "2");
    world.clock.advance(Duration::from_millis(500));
    waits(login_from(&world, email, PASSWORD, "10.0.1.3").await, "2");
    world.clock.advance(Duration::from_millis(1_500));
    login_from(&world, email, PASSWORD, "10.0.1.4")
        .await
        .expect(200);
    login_from(&world, email, WRONG, "10.0.1.5")
        .await
        .expect(401);
}

/// Nobody learns from a pause whether there is an account.
pub async fn an_address_without_an_account_is_slowed_down_alike(stage: &Stage) {
    let world = stage.world_with(believing).await;
    world
        .register("eve@example.com", PASSWORD)
        .await
        .expect(201);
    let mut heard = Vec::new();
    for email in [
        "eve@example.com",
        "nobody.throttled@example.com",
        "no address",
    ] {
        let mut of_this = Vec::new();
        for number in 0..12 {
            let from = format!("10.0.0.{number}");
            let answer = login_from(&world, email, WRONG, &from).await;
            let retry_after = answer.header("retry-after").map(str::to_owned);
            of_this.push((format!("{:?}", answer.essence()), retry_after));
        }
        heard.push(of_this);
    }
    assert_eq!(heard[0], heard[1]);
    assert_eq!(heard[0], heard[2]);
    assert_eq!(heard[0][11].1.as_deref(), Some("1"));
}

/// Who has signed in from somewhere before signs in from there, whatever others do elsewhere. A header that no proxy of ours
/// wrote makes nobody known, and nobody another.
pub async fn a_known_source_is_let_in_throughout_an_attack(stage: &Stage) {
    let world = stage.world_with(believing).await;
    let email = "grace.throttled@example.com";
    world.register(email, PASSWORD).await.expect(201);
    login_from(&world, email, PASSWORD, "192.0.2.7")
        .await
        .expect(200);
    for second in 0..20 {
        for number in 0..5 {
            // What stands left of the last entry was written by whoever asks.
            let from = format!("192.0.2.7, 10.0.{second}.{number}");
            let answer = login_from(&world, email, WRONG, &from).await;
            assert!([401, 429].contains(&answer.status), "{answer:?}");
        }
        login_from(&world, email, PASSWORD, "192.0.2.7")
            .await
            .expect(200);
        world.clock.advance(Duration::from_secs(1));
    }
    login_from(&world, email, PASSWORD, "192.0.2.7, 10.9.9.9")
        .await
        .expect(429);

    // Where no proxy is trusted the header says nothing.
    let world = stage.world().await;
    let email = "joan.throttled@example.com";
    world.register(email, PASSWORD).await.expect(201);
    for number in 0..10 {
        let from = format!("10.0.0.{number}");
        login_from(&world, email, WRONG, &from).await.expect(401);
    }
    waits(login_from(&world, email, PASSWORD, "192.0.2.7").await, "1");
}

/// A source waits that failed too often with however many addresses, before anything is asked of the store; others do not.
pub async fn a_source_that_fails_too_often_waits(stage: &Stage) {
    let throttles = ThrottleConfig::default().source(Backoff::after(8));
    let world = stage
        .world_set(|builder| builder.throttles(throttles), believing)
        .await;
    let spray = async |number: u32, from: &str| {
        let email = format!("sprayed{number}@example.com");
        login_from(&world, &email, WRONG, from).await
    };
    for number in 0..8 {
        let from = format!("2001:db8::{number}");
        spray(number, &from).await.expect(401);
    }
    for number in 8..20 {
        let from = format!("2001:db8::{number}");
        waits(spray(number, &from).await, "1");
    }
    spray(20, "2001:db8:0:1::1").await.expect(401);
    assert_eq!(world.sakms.statistics().throttled.source, 12);
}

/// That nothing was tried goes into the journal: about the account where it is known whose it is, which is where somebody who
/// has signed in changes the password, and about the service where it is not.
pub async fn a_refused_try_is_written_down(stage: &Stage) {
    let throttles = ThrottleConfig::default().account(Backoff::after(1));
    let world = stage.world_of(|builder| builder.throttles(throttles)).await;
    let user = world.user().await;
    let change = || {
        let body = json!({"old_password": WRONG, "new_password": "pewter violin harbour moss"});
        let request = world.client.post("/auth/password").json(&body);
        request.bearer(&user.token).send()
    };
    change().await.expect(401).problem("invalid_login");
    for _ in 0..2 {
        waits(change().await, "1");
    }
    waits(world.login(&user.email, PASSWORD).await, "1");
    world.sakms.flush().await.unwrap();

    let rows = world.faults.journal_after(Seq::START, 1_000).await.unwrap();
    let entries = rows.iter().map(|row| &row.entry);
    let refused = entries.filter(|entry| entry.action == Action::ACCOUNT_REFUSE);
    let refused: HashSet<_> = refused
        .map(|entry| {
            let what = entry.detail.split(" since=").next().unwrap();
            (entry.subject.to_string(), what.to_owned())
        })
        .collect();
    let account = Subject::account(user.id.parse().unwrap()).to_string();
    let service = Subject::SERVICE.to_string();
    let expected = [
        (account.clone(), "reason=wrong_password count=1".to_owned()),
        (account, "reason=throttled count=2".to_owned()),
        (service, "reason=throttled count=1".to_owned()),
    ];
    assert_eq!(refused, expected.into());
}

/// Registrations are slowed down by source.
pub async fn registrations_from_a_source_wait(stage: &Stage) {
    let backoff = Backoff::after(3).one_forgotten_each(Duration::from_secs(10));
    let throttles = ThrottleConfig::default().registrations(backoff);
    let world = stage.world_of(|builder| builder.throttles(throttles)).await;
    let register = async |number: u32| {
        let email = format!("throttled{number}@example.com");
        world.register(&email, PASSWORD).await
    };
    for number in 0..3 {
        register(number).await.expect(201);
    }
    waits(register(3).await, "1");
    world.clock.advance(Duration::from_secs(10));
    register(3).await.expect(201);
    assert_eq!(world.sakms.statistics().throttled.registration, 1);
}

/// A test suite on one address registers and signs in some hundreds of people, who mistype now and then.
pub async fn hundreds_on_one_address_are_let_in(stage: &Stage) {
    let world = stage.world().await;
    for number in 0..300 {
        let user = world.user().await;
        if number % 3 == 0 {
            world.login(&user.email, WRONG).await.expect(401);
        }
    }
}
