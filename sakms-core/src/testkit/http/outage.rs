//! A store that is away, slow, full or broken: "could not decide" is an error of ours, and never a verdict.

use std::time::Duration;

use serde_json::json;

use super::rows::{Cast, Presented, Row, rows};
use super::{Answer, Stage, World};
use crate::http::{Access, Group, Route};
use crate::store::{KeyStore as _, StoreErrorKind};
use crate::testkit::faults::{Fault, StoreMethod};

const AWAY: Fault = Fault::Before(StoreErrorKind::Unavailable);

/// While the store is away, every route that needs it is 503 for everybody who presents something that might be good,
/// and what needs no store answers as ever.
pub async fn an_outage_is_503_everywhere(stage: &Stage) {
    let world = stage.world_with_sessions_that_reads().await;
    let mut cast = Cast::of(&world).await;
    world.faults.inject(AWAY);
    for (route, row) in rows() {
        for presented in Presented::ALL {
            let answer = cast
                .present(cast.request(&world, (route, row)), presented)
                .send()
                .await;
            if !row.needs_store || row.status(presented) == 401 {
                // Nothing had to be looked up to know this.
                assert_eq!(
                    answer.status,
                    row.status(presented),
                    "{route:?} {presented:?}:\n{}",
                    answer.whole()
                );
            } else {
                assert_eq!(
                    answer.status,
                    503,
                    "{route:?} {presented:?}:\n{}",
                    answer.whole()
                );
                answer.problem("unavailable");
            }
        }
    }
    world.faults.heal();
    for (route, row) in rows() {
        let (presented, good) = row.good();
        let answer = cast
            .present(cast.request(&world, (route, row)), presented)
            .send()
            .await;
        assert_eq!(
            answer.status,
            good,
            "{route:?} after the outage:\n{}",
            answer.whole()
        );
        if route.access == Access::SignedIn {
            // Whoever asked may be signed out.
            cast = Cast::of(&world).await;
        }
    }
}

/// A guard cannot decide without the store: 503, which is neither "come in" nor "bad key" nor "nobody".
pub async fn a_guard_without_a_store_is_503(stage: &Stage) {
    let world = stage.world_that_reads().await;
    let user = world.user().await;
    let key = world
        .key_with(&user, &json!({"scopes": ["reports:read"]}))
        .await;
    let revoked = world.key(&user).await;
    world.revoke(&user, &revoked).await.expect(200);
    world.guarded(&key.text).await.expect(200);
    world.faults.inject(AWAY);
    for path in [
        "/guarded/any",
        "/guarded/reports",
        "/guarded/live",
        "/guarded/maybe",
    ] {
        for text in [&key.text, &revoked.text] {
            let ask = world.client.get(path).bearer(text).send().await;
            ask.expect(503).problem("unavailable");
        }
        // What no store has to decide is still decided.
        world
            .client
            .get(path)
            .bearer("garbage")
            .send()
            .await
            .expect(401)
            .problem("invalid_key");
    }
    assert_eq!(
        world
            .client
            .get("/guarded/maybe")
            .send()
            .await
            .expect(200)
            .json(),
        json!({"owner": null})
    );
    world.client.get("/open").send().await.expect(200);
    world.faults.heal();
    world.guarded(&key.text).await.expect(200);
    world
        .guarded(&revoked.text)
        .await
        .expect(401)
        .problem("key_revoked");
}

/// The process lives while the database does not; whether it can work is another question.
pub async fn health_is_not_readiness(stage: &Stage) {
    let world = stage.world().await;
    let health = async || world.client.get("/health").send().await.expect(200).json();
    let well = health().await;
    assert_eq!(well["status"], "ok");
    world.faults.forget_calls();
    world.faults.inject(AWAY);
    assert_eq!(health().await["status"], "ok");
    assert_eq!(world.faults.all_calls(), 0, "/health touched the store");
    assert_eq!(
        well["journal"],
        json!({"position": null, "lag_ms": null, "trusted": false})
    );
    world
        .client
        .get("/ready")
        .send()
        .await
        .expect(503)
        .problem("unavailable");
    world.faults.heal();
    world.client.get("/ready").send().await.expect(200);

    world.sakms.catch_up().await.unwrap();
    let followed = health().await;
    let head = world.faults.journal_head().await.unwrap();
    let known = json!({"position": head.seq.get(), "lag_ms": 0, "trusted": true});
    assert_eq!(followed["journal"], known);
    world.clock.advance(Duration::from_millis(5_500));
    let distrusted = json!({"position": head.seq.get(), "lag_ms": 5_500, "trusted": false});
    assert_eq!(health().await["journal"], distrusted);
}

/// What is called beside the routes, to follow the journal.
const FOLLOWING: [StoreMethod; 2] = [StoreMethod::JournalAfter, StoreMethod::JournalHead];

/// Whether a method is called beside this route, and not by it: one route reads the journal itself.
fn is_beside(route: &Route, method: StoreMethod) -> bool {
    let reads_itself = route.path == "/oauth/revocations" && method == StoreMethod::JournalAfter;
    FOLLOWING.contains(&method) && !reads_itself
}

/// Whichever call of a route it is that fails, and however: the answer is the good one, when that call was not made,
/// or an error of ours. It is never a verdict.
pub async fn no_single_failure_is_a_verdict(stage: &Stage) {
    let world = stage.world_that_reads().await;
    let mut cast = Cast::of(&world).await;
    let presenting = [
        Presented::Token,
        Presented::KeyWithScope,
        Presented::AdminsToken,
    ];
    // A call that a request does not make cannot fail in it.
    let mut makes = Vec::new();
    for (route, row) in offered() {
        for presented in presenting {
            world.faults.forget_calls();
            let request = cast.present(cast.request(&world, (route, row)), presented);
            request.send().await;
            let made = |method: &&StoreMethod| {
                world.faults.calls(**method) > 0 || FOLLOWING.contains(*method)
            };
            makes.push(StoreMethod::ALL.iter().filter(made).collect::<Vec<_>>());
            if route.access == Access::KeyHolder {
                cast.again(&world).await;
            }
        }
    }
    let kinds = [
        (StoreErrorKind::Unavailable, 503, "unavailable"),
        (StoreErrorKind::OutcomeUnknown, 503, "outcome_unknown"),
        (StoreErrorKind::ReadOnly, 503, "read_only"),
        (StoreErrorKind::Corrupt, 500, "internal_error"),
        (StoreErrorKind::Internal, 500, "internal_error"),
    ];
    for (kind, status, code) in kinds {
        for &method in StoreMethod::ALL {
            let fault = Fault::Before(kind);
            renew_under(&world, &mut cast, method, fault).await;
            let mut makes = makes.iter();
            for (route, row) in offered() {
                for presented in presenting {
                    if !makes.next().unwrap().contains(&&method) {
                        continue;
                    }
                    world.faults.forget_calls();
                    let answer = cast
                        .present(cast.request(&world, (route, row)), presented)
                        .send()
                        .await;
                    if is_beside(route, method) || world.faults.calls(method) == 0 {
                        assert_eq!(
                            answer.status,
                            row.status(presented),
                            "{route:?}:\n{}",
                            answer.whole()
                        );
                        if route.access == Access::KeyHolder {
                            // Whoever asked has revoked themselves.
                            renew_under(&world, &mut cast, method, fault).await;
                        }
                        continue;
                    }
                    assert_eq!(
                        answer.status,
                        status,
                        "{route:?} {method:?} {kind:?}:\n{}",
                        answer.whole()
                    );
                    no_inside_word(&answer, code);
                }
            }
        }
    }
}

/// The rows of a service without sessions and mail: theirs have cases of their own.
fn offered() -> impl Iterator<Item = (&'static Route, &'static Row)> {
    let rows = rows().into_iter();
    rows.filter(|(route, _)| ![Group::Sessions, Group::Recovery].contains(&route.group))
}

/// Makes anew what the requests have changed, and has it go wrong from then on.
async fn renew_under(world: &World, cast: &mut Cast, method: StoreMethod, fault: Fault) {
    world.faults.heal();
    cast.again(world).await;
    world.faults.inject_into(method, fault);
}

/// An error of ours says nothing about what is inside: that is for the log.
fn no_inside_word(answer: &Answer, code: &str) {
    answer.problem(code);
    let text = String::from_utf8_lossy(&answer.body).to_lowercase();
    for word in [
        "sakms_keys",
        "db.internal",
        "injected",
        "sql",
        "store",
        "panicked",
        ".rs:",
        "owner_disabled_at",
    ] {
        assert!(!text.contains(word), "{word} is inside:\n{text}");
    }
}

/// When a commit's answer is lost the client is told so, and finds out by looking.
pub async fn a_lost_commit_is_said_to_be_unknown(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let answer_lost = Fault::After(StoreErrorKind::OutcomeUnknown);
    let key = world.key(&user).await;

    world
        .faults
        .inject_next(StoreMethod::Insert, 1, answer_lost);
    // Ids of the same millisecond have no order.
    world.clock.advance(Duration::from_millis(1));
    let create = world.create(&json!({"name": "lost"})).bearer(&user.token);
    create.send().await.expect(503).problem("outcome_unknown");
    let list = world
        .client
        .get("/keys")
        .bearer(&user.token)
        .send()
        .await
        .expect(200);
    assert_eq!(list.items()[0]["name"], "lost");

    world
        .faults
        .inject_next(StoreMethod::Update, 1, answer_lost);
    world
        .revoke(&user, &key)
        .await
        .expect(503)
        .problem("outcome_unknown");
    world
        .guarded(&key.text)
        .await
        .expect(401)
        .problem("key_revoked");
    world.revoke(&user, &key).await.expect(200);

    world
        .faults
        .inject_next(StoreMethod::InsertAccount, 1, answer_lost);
    let email = format!("lost{}@example.com", crate::testkit::fixtures::number());
    world
        .register(&email, &user.password)
        .await
        .expect(503)
        .problem("outcome_unknown");
    world
        .register(&email, &user.password)
        .await
        .expect(409)
        .problem("email_taken");
    world.login(&email, &user.password).await.expect(200);
}

/// A revocation that failed has not happened, and the key goes on until one succeeds.
pub async fn a_failed_revocation_can_be_tried_again(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world.key(&user).await;
    world.faults.inject_next(StoreMethod::Update, 1, AWAY);
    world
        .revoke(&user, &key)
        .await
        .expect(503)
        .problem("unavailable");
    world.guarded(&key.text).await.expect(200);
    world.revoke(&user, &key).await.expect(200);
    world
        .guarded(&key.text)
        .await
        .expect(401)
        .problem("key_revoked");
}

/// Losing a race to others is no error, unless it never ends: then it is 409, and may be tried again.
pub async fn a_lost_race_is_run_again(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world.key(&user).await;
    let raced = Fault::Before(StoreErrorKind::Stale);
    let rename = || {
        let patch = world
            .client
            .patch(&format!("/keys/{}", key.id))
            .bearer(&user.token);
        patch.json(&json!({"name": "renamed"})).send()
    };
    world.faults.inject_next(StoreMethod::Update, 3, raced);
    assert_eq!(rename().await.expect(200).json()["name"], "renamed");
    world.faults.inject_into(StoreMethod::Update, raced);
    let contended = rename().await.expect(409);
    contended.problem("contended");
    assert!(
        contended.header("retry-after").is_some(),
        "{}",
        contended.whole()
    );
    world.faults.heal();
    rename().await.expect(200);
}

/// A store that hangs keeps those waiting who need it, and nobody else.
pub async fn a_store_that_hangs_holds_up_nobody_else(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let mut keys = Vec::new();
    for _ in 0..20 {
        keys.push(world.key(&user).await);
    }
    world.faults.forget_calls();
    world.faults.inject(Fault::Stall);
    let waiting: Vec<_> = keys
        .iter()
        .map(|key| tokio::spawn(world.client.get("/guarded/any").bearer(&key.text).send()))
        .collect();
    while world.faults.calls(StoreMethod::Find) < 20 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    quick(&world).await;
    assert!(
        waiting.iter().all(|waiting| !waiting.is_finished()),
        "somebody was answered without the store"
    );
    world.faults.heal();
    for waiting in waiting {
        waiting.await.unwrap().expect(200);
    }
}

/// A key that is remembered is served while the store is away, up to the bound; after that it cannot be decided.
pub async fn a_warm_key_is_served_without_the_store_up_to_the_bound(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world.key(&user).await;
    world.warm(&key.text).await;
    world
        .faults
        .inject(Fault::Before(StoreErrorKind::Unavailable));
    for _ in 0..5 {
        world.guarded(&key.text).await.expect(200);
    }
    world.clock.advance(Duration::from_secs(6));
    world
        .guarded(&key.text)
        .await
        .expect(503)
        .problem("unavailable");
    world.faults.heal();
    world.guarded(&key.text).await.expect(200);
}

/// What needs no store.
async fn quick(world: &World) {
    let soon = Duration::from_secs(10);
    world
        .client
        .get("/health")
        .within(soon)
        .send()
        .await
        .expect(200);
    world
        .client
        .get("/open")
        .within(soon)
        .send()
        .await
        .expect(200);
    world
        .client
        .get("/guarded/any")
        .bearer("garbage")
        .within(soon)
        .send()
        .await
        .expect(401);
    world
        .client
        .get("/nothing")
        .within(soon)
        .send()
        .await
        .expect(404);
}
