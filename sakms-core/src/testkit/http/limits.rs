//! How much a key may be used.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use serde_json::json;

use super::world::Key;
use super::{Answer, Stage, World};
use crate::clock::{Clock as _, Timestamp};
use crate::key::{Day, KeyPatch, Limits, Quota, RateLimit, Refill};
use crate::service::LimiterDown;
use crate::store::StoreErrorKind;
use crate::testkit::faults::{Fault, StoreMethod};
use crate::testkit::fixtures;

const AWAY: Fault = Fault::Before(StoreErrorKind::Unavailable);

fn rate(name: &str, requests: u32, seconds: u32) -> RateLimit {
    let number = |number| NonZeroU32::new(number).unwrap();
    RateLimit::new(name.parse().unwrap(), number(requests), number(seconds))
}

fn quota(amount: u64, refill: Refill) -> Quota {
    Quota::new(NonZeroU64::new(amount).unwrap(), refill)
}

async fn limited(world: &World, rates: Vec<RateLimit>, quota: Option<Quota>) -> Key {
    let user = world.user().await;
    let key = world.key_with(&user, &json!({"scopes": ["*"]})).await;
    let limits = Limits {
        rates,
        quota,
        ..Limits::default()
    };
    let patch = KeyPatch {
        limits: Some(limits),
        ..KeyPatch::default()
    };
    world.change(&key, &patch).await;
    key
}

async fn ask(world: &World, path: &str, key: &Key) -> Answer {
    world.client.get(path).bearer(&key.text).send().await
}

/// The fields of the IETF about rates: the policy, and how it stands.
fn fields(answer: &Answer) -> (&str, &str) {
    let field = |name| answer.header(name).unwrap_or("none");
    (field("ratelimit-policy"), field("ratelimit"))
}

/// A key opens nothing before it begins, to the microsecond; and 1970 is a beginning like any other.
pub async fn a_key_is_refused_until_it_begins(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world
        .key_with(&user, &json!({"scopes": ["keys:read"]}))
        .await;
    let begin = world
        .clock
        .now()
        .checked_add(Duration::from_mins(1))
        .unwrap();
    let mut patch = KeyPatch {
        not_before: Some(Some(begin)),
        ..KeyPatch::default()
    };
    world.change(&key, &patch).await;
    let just_before = Timestamp::from_micros(begin.as_micros() - 1).unwrap();
    for path in ["/guarded/any", "/keys"] {
        for early in [fixtures::START, just_before] {
            world.clock.set(early);
            let answer = ask(&world, path, &key).await;
            answer.expect(401).problem("key_not_yet_valid");
        }
        world.clock.set(begin);
        ask(&world, path, &key).await.expect(200);
    }
    patch.not_before = Some(Some(Timestamp::EPOCH));
    world.change(&key, &patch).await;
    world.guarded(&key.text).await.expect(200);
}

/// A rate is told with every answer, kept, and comes back; on every route that takes the key, for all of them together.
pub async fn a_rate_is_told_and_kept(stage: &Stage) {
    let world = stage.world().await;
    let key = limited(&world, vec![rate("minute", 3, 60)], None).await;
    let policy = "\"minute\";q=3;w=60";
    for (path, left) in [
        ("/guarded/any", "\"minute\";r=2;t=20"),
        ("/keys", "\"minute\";r=1;t=40"),
        ("/guarded/maybe", "\"minute\";r=0;t=60"),
    ] {
        let answer = ask(&world, path, &key).await.expect(200);
        assert_eq!(fields(&answer), (policy, left), "{path}");
    }
    for path in ["/guarded/any", "/keys", "/guarded/maybe"] {
        let answer = ask(&world, path, &key).await.expect(429);
        let problem = answer.problem("rate_limited");
        assert!(problem["detail"].as_str().unwrap().contains("minute"));
        assert_eq!(answer.header("retry-after"), Some("20"));
        assert_eq!(fields(&answer), (policy, "\"minute\";r=0;t=60"));
    }
    // A request that is refused for another reason takes nothing; nor does reading the record anew give anything back.
    ask(&world, "/guarded/test", &key).await.expect(401);
    world
        .change(&key, &KeyPatch::rename("another name".parse().unwrap()))
        .await;
    ask(&world, "/guarded/any", &key).await.expect(429);
    world.clock.advance(Duration::from_secs(20));
    ask(&world, "/guarded/any", &key).await.expect(200);
    ask(&world, "/guarded/any", &key).await.expect(429);
    // Another key has nothing to do with it, and no field says anything of one without limits.
    let user = world.user().await;
    let free = world.key(&user).await;
    let answer = ask(&world, "/guarded/any", &free).await.expect(200);
    assert_eq!(fields(&answer), ("none", "none"));
}

/// Each of several rates must be kept, and one that refuses takes nothing from the others.
pub async fn several_rates_are_kept_together(stage: &Stage) {
    let world = stage.world().await;
    let rates = vec![rate("second", 2, 1), rate("hour", 3, 3_600)];
    let key = limited(&world, rates, None).await;
    for left in [
        "\"second\";r=1;t=1, \"hour\";r=2;t=1200",
        "\"second\";r=0;t=1, \"hour\";r=1;t=2400",
    ] {
        let answer = ask(&world, "/guarded/any", &key).await.expect(200);
        let policy = "\"second\";q=2;w=1, \"hour\";q=3;w=3600";
        assert_eq!(fields(&answer), (policy, left));
    }
    for _ in 0..5 {
        let answer = ask(&world, "/guarded/any", &key).await.expect(429);
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    world.clock.advance(Duration::from_secs(1));
    ask(&world, "/guarded/any", &key).await.expect(200);
    let answer = ask(&world, "/guarded/any", &key).await.expect(429);
    let problem = answer.problem("rate_limited");
    assert!(problem["detail"].as_str().unwrap().contains("hour"));
}

/// A route may cost more than one. What costs more than a rate or a quota ever allows is told that it will never pass.
pub async fn what_costs_more_than_is_ever_there_is_refused(stage: &Stage) {
    let world = stage.world().await;
    let key = limited(&world, vec![rate("minute", 7, 60)], None).await;
    let answer = ask(&world, "/guarded/costly", &key).await.expect(200);
    assert_eq!(fields(&answer).1, "\"minute\";r=2;t=43");
    ask(&world, "/guarded/costly", &key).await.expect(429);
    ask(&world, "/guarded/any", &key).await.expect(200);
    let small = limited(&world, vec![rate("minute", 4, 60)], None).await;
    let poor = limited(&world, vec![], Some(quota(4, Refill::Daily))).await;
    for key in [small, poor] {
        let answer = ask(&world, "/guarded/costly", &key).await.expect(403);
        let problem = answer.problem("cost_too_high");
        assert!(
            problem["detail"].as_str().unwrap().contains('4'),
            "{problem}"
        );
        ask(&world, "/guarded/any", &key).await.expect(200);
    }
}

/// A quota is told with every answer and ends; a day later it is full again.
pub async fn a_quota_is_told_and_ends(stage: &Stage) {
    let world = stage.world().await;
    let key = limited(&world, vec![], Some(quota(7, Refill::Daily))).await;
    let now = world.clock.now();
    let tomorrow = Day::from_number(Day::of(now).number() + 1).unwrap().start();
    let left = tomorrow.since(now).as_secs() + 1;
    for (path, remaining) in [("/guarded/any", 6), ("/keys", 5), ("/guarded/costly", 0)] {
        let answer = ask(&world, path, &key).await.expect(200);
        let expected = format!("\"quota\";r={remaining};t={left}");
        assert_eq!(
            fields(&answer),
            ("\"quota\";q=7;w=86400", &*expected),
            "{path}"
        );
    }
    for path in ["/guarded/any", "/keys", "/guarded/costly"] {
        let answer = ask(&world, path, &key).await.expect(429);
        answer.problem("quota_exhausted");
        assert_eq!(answer.header("retry-after"), Some(&*left.to_string()));
    }
    // What is refused for another reason takes nothing.
    world.clock.set(tomorrow);
    world.sakms.catch_up().await.unwrap();
    ask(&world, "/guarded/test", &key).await.expect(401);
    let answer = ask(&world, "/guarded/any", &key).await.expect(200);
    assert_eq!(fields(&answer).1, "\"quota\";r=6;t=86400");
    // One that is never filled again has no time in it.
    let once = limited(&world, vec![], Some(quota(1, Refill::Never))).await;
    let answer = ask(&world, "/guarded/any", &once).await.expect(200);
    assert_eq!(fields(&answer), ("\"quota\";q=1", "\"quota\";r=0"));
    ask(&world, "/guarded/any", &once)
        .await
        .expect(429)
        .problem("quota_exhausted");
}

/// Of many requests at once with one left, one is let in.
pub async fn one_left_is_taken_once(stage: &Stage) {
    let world = stage.world().await;
    for _ in 0..10 {
        let key = limited(&world, vec![], Some(quota(1, Refill::Monthly))).await;
        let asking = (0..16).map(|_| {
            let request = world.client.get("/guarded/any").bearer(&key.text);
            tokio::spawn(request.send())
        });
        let mut let_in = 0;
        for answer in asking.collect::<Vec<_>>() {
            let answer = answer.await.unwrap();
            match answer.status {
                200 => let_in += 1,
                _ => drop(answer.expect(429).problem("quota_exhausted")),
            }
        }
        assert_eq!(let_in, 1);
    }
}

/// A quota is the store's. While that is away, a key that has one is neither good nor bad; a key without is served as ever.
pub async fn a_quota_that_cannot_be_asked_for_is_503(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let free = world.key(&user).await;
    let key = limited(&world, vec![], Some(quota(5, Refill::Daily))).await;
    world.warm(&free.text).await;
    world.warm(&key.text).await;
    world.faults.inject_into(StoreMethod::TakeQuota, AWAY);
    world.guarded(&free.text).await.expect(200);
    world
        .guarded(&key.text)
        .await
        .expect(503)
        .problem("unavailable");
    world.faults.heal();
    let answer = world.guarded(&key.text).await.expect(200);
    assert!(
        fields(&answer).1.starts_with("\"quota\";r=2;"),
        "nothing was taken meanwhile"
    );
    assert_eq!(world.sakms.statistics().quota_unchecked, 0);
}

/// Where that is set, it is let in; that shows in the answer and is counted.
pub async fn a_quota_that_cannot_be_asked_for_lets_in_where_that_is_set(stage: &Stage) {
    let world = stage.world_where_limiters_are(LimiterDown::Open).await;
    let key = limited(
        &world,
        vec![rate("minute", 4, 60)],
        Some(quota(2, Refill::Daily)),
    )
    .await;
    world.warm(&key.text).await;
    world
        .guarded(&key.text)
        .await
        .expect(429)
        .problem("quota_exhausted");
    world.faults.inject_into(StoreMethod::TakeQuota, AWAY);
    let answer = world.guarded(&key.text).await.expect(200);
    assert_eq!(answer.header("sakms-quota"), Some("unchecked"));
    assert_eq!(
        fields(&answer),
        ("\"minute\";q=4;w=60", "\"minute\";r=0;t=60")
    );
    assert_eq!(world.sakms.statistics().quota_unchecked, 1);
    // Rates need no store.
    world
        .guarded(&key.text)
        .await
        .expect(429)
        .problem("rate_limited");
    world.faults.heal();
    world.clock.advance(Duration::from_mins(1));
    world.sakms.catch_up().await.unwrap();
    let answer = world.guarded(&key.text).await.expect(429);
    answer.problem("quota_exhausted");
}
