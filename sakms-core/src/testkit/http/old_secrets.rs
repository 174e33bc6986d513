//! A secret that another took the place of, while both are good.

use std::time::Duration;

use serde_json::json;

use super::Stage;
use crate::clock::{Clock as _, Timestamp};
use crate::store::KeyStore as _;
use crate::testkit::fixtures;

/// Answers to an old secret say since when it is replaced and until when it works (RFC 9745, RFC 8594), whoever answers.
pub async fn an_old_secret_says_until_when(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world
        .key_with(&user, &json!({"scopes": ["keys:read"]}))
        .await;
    let told = |answer: &super::Answer| {
        let header = |name| answer.header(name).map(str::to_owned);
        (header("deprecation"), header("sunset"))
    };
    assert_eq!(
        told(&world.guarded(&key.text).await.expect(200)),
        (None, None)
    );

    let since = Timestamp::parse("2026-11-18T12:00:00.5Z").unwrap();
    let end = Timestamp::parse("2026-11-19T12:00:00Z").unwrap();
    world.clock.set(since);
    let record = world
        .faults
        .get(key.id.parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    let mut secret = fixtures::secret(&record);
    secret.created_at = since;
    let entry = fixtures::rotated(record.id);
    let added = world
        .faults
        .add_secret(record.id, record.revision, &secret, end, None, &entry);
    added.await.unwrap();
    world.sakms.catch_up().await.unwrap();

    let deprecation = Some(format!("@{}", since.as_secs()));
    let sunset = Some("Thu, 19 Nov 2026 12:00:00 GMT".to_owned());
    for path in ["/guarded/any", "/guarded/any", "/guarded/maybe", "/keys"] {
        let answer = world
            .client
            .get(path)
            .bearer(&key.text)
            .send()
            .await
            .expect(200);
        assert_eq!(
            told(&answer),
            (deprecation.clone(), sunset.clone()),
            "{path}"
        );
    }
    // On what a handler of the table refuses as well.
    let other = format!("/keys/{}", fixtures::key_id());
    let answer = world
        .client
        .get(&other)
        .bearer(&key.text)
        .send()
        .await
        .expect(404);
    assert_eq!(told(&answer), (deprecation, sunset));

    let just_before = Timestamp::from_micros(end.as_micros() - 1).unwrap();
    world.clock.set(just_before);
    world.guarded(&key.text).await.expect(200);
    world.clock.set(end);
    let answer = world.guarded(&key.text).await.expect(401);
    answer.problem("key_retired");
    assert_eq!(told(&answer), (None, None));
    world.clock.advance(Duration::from_secs(1));
    assert!(world.clock.now() > end);
    world
        .guarded(&key.text)
        .await
        .expect(401)
        .problem("key_retired");
}
