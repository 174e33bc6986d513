//! Bodies: what is not JSON, what is too much, what comes too late or not at all.

use std::time::Duration;

use serde_json::json;

use super::client::Request;
use super::stage::PASSWORD;
use super::{Stage, World};
use crate::testkit::fixtures;

/// The routes that read a body, with someone who may use them.
async fn readers(world: &World) -> Vec<Request> {
    let user = world.user().await;
    let key = world.key(&user).await;
    vec![
        world.client.post("/auth/register"),
        world.client.post("/auth/login"),
        world.client.post("/keys").bearer(&user.token),
        world
            .client
            .patch(&format!("/keys/{}", key.id))
            .bearer(&user.token),
    ]
}

const JSON: &str = "application/json";

/// What is not JSON is 400 on every route that reads a body.
pub async fn what_is_no_json_is_malformed(stage: &Stage) {
    let world = stage.world().await;
    for reader in readers(&world).await {
        for bad in [
            b"{".as_slice(),
            b"nonsense",
            b" ",
            b"{\"name\":\"x\"",
            b"{\"name\":\"x\"} trailing",
            b"{'name':'x'}",
            b"{\"name\":\"x\",}",
            b"{\"name\":NaN}",
            b"{\"name\":\"\xff\"}",
            b"{\"name\":\"\x00\"}",
            b"\xef\xbb\xbf{}",
            b"\xff\xfe{\x00}\x00",
            b"\x1f\x8b\x08\x00",
            b"email=ada@example.com&password=x",
        ] {
            let answer = reader.clone().text(JSON, bad).send().await;
            assert_eq!(
                answer.status,
                400,
                "{reader:?} {:?}:\n{}",
                String::from_utf8_lossy(bad),
                answer.whole()
            );
            answer.problem("malformed_request");
        }
    }
}

/// JSON that nests without end is refused before it is read.
pub async fn deep_nesting_is_malformed(stage: &Stage) {
    let world = stage.world().await;
    for reader in readers(&world).await {
        for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")] {
            let times = if open.len() > 1 { 5_000 } else { 20_000 };
            for deep in [
                format!("{}1{}", open.repeat(times), close.repeat(times)),
                format!(
                    "{{\"name\":{}1{}}}",
                    open.repeat(times),
                    close.repeat(times)
                ),
                open.repeat(times),
            ] {
                let answer = reader.clone().text(JSON, deep).send().await.expect(400);
                answer.problem("malformed_request");
            }
        }
    }
}

/// A body says that it is JSON, once and in UTF-8, or it is 415.
pub async fn other_content_types_are_not_supported(stage: &Stage) {
    let world = stage.world().await;
    let body = json!({"email": "ada@example.com", "password": PASSWORD}).to_string();
    for reader in readers(&world).await {
        let with = |types: &[&str]| {
            let request = reader.clone().body(body.clone());
            types.iter().fold(request, |request, value| {
                request.header("Content-Type", value)
            })
        };
        for types in [
            &[][..],
            &[""],
            &["text/plain"],
            &["text/json"],
            &["application/jsonp"],
            &["application/x-www-form-urlencoded"],
            &["multipart/form-data; boundary=x"],
            &["application/json; charset=utf-16"],
            &["application/json", "application/json"],
            &["application/json, text/plain"],
        ] {
            let answer = with(types).send().await;
            assert_eq!(
                answer.status,
                415,
                "{reader:?} {types:?}:\n{}",
                answer.whole()
            );
            answer.problem("unsupported_media_type");
        }
        for good in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
        ] {
            let answer = with(&[good]).send().await;
            assert!(
                ![400, 415].contains(&answer.status),
                "{good}:\n{}",
                answer.whole()
            );
        }
    }
}

/// More than 64 KiB is too much, and whoever sends all of it gets to read so.
pub async fn large_bodies_are_refused_after_they_were_sent(stage: &Stage) {
    let world = stage.world().await;
    for reader in readers(&world).await {
        for size in [64 * 1024 + 1, 4 * 1024 * 1024] {
            let body = format!("{{\"name\":\"{}\"}}", "x".repeat(size - 11));
            assert_eq!(body.len(), size);
            let plain = reader.clone().text(JSON, body.clone());
            let chunked = reader
                .clone()
                .header("Content-Type", JSON)
                .chunked(body.clone(), true);
            let nameless = reader.clone().body(body.clone());
            for request in [plain, chunked, nameless] {
                let answer = request.send().await.expect(413);
                answer.problem("body_too_large");
                assert!(
                    answer.request_was_sent,
                    "{size}: the connection broke before the body was sent"
                );
            }
        }
    }
    let user = world.user().await;
    let exactly = format!("{{\"name\":\"x\"}}{}", " ".repeat(64 * 1024 - 12));
    let create = || world.client.post("/keys").bearer(&user.token);
    world.made(create().text(JSON, exactly.clone())).await;
    world
        .made(create().header("Content-Type", JSON).chunked(exactly, true))
        .await;
}

/// A body that is larger than anybody would read is refused as well, by an answer or by hanging up.
pub async fn endless_bodies_are_refused(stage: &Stage) {
    let world = stage.world().await;
    for reader in readers(&world).await {
        let announced = reader
            .clone()
            .header("Content-Type", JSON)
            .unfinished("{}", 1 << 40);
        let answer = announced
            .within(Duration::from_secs(30))
            .send()
            .await
            .expect(413);
        answer.problem("body_too_large");
        let sent = reader.clone().text(JSON, vec![b' '; 20 * 1024 * 1024]);
        if let Some(answer) = sent.try_send().await {
            answer.expect(413).problem("body_too_large");
        }
    }
}

/// Bodies in chunks are read like others.
pub async fn chunked_bodies_are_read(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let create = world
        .client
        .post("/keys")
        .bearer(&user.token)
        .header("Content-Type", JSON);
    let key = world
        .made(create.chunked(json!({"name": "in chunks"}).to_string(), true))
        .await;
    assert_eq!(key.json["name"], "in chunks");
}

/// A body that does not arrive within the time for it is 408, whether its length is known or not.
pub async fn slow_bodies_time_out(stage: &Stage) {
    let world = stage
        .world_with(|api| api.body_time(Duration::from_millis(300)))
        .await;
    for reader in readers(&world).await {
        let typed = reader.clone().header("Content-Type", JSON);
        for request in [
            typed.clone().unfinished("{\"name\":", 1_000),
            typed.chunked("{\"name\":", false),
        ] {
            let answer = request
                .within(Duration::from_secs(10))
                .send()
                .await
                .expect(408);
            answer.problem("body_timeout");
        }
    }
    world.client.get("/health").send().await.expect(200);
}

/// A body that breaks off does nothing, whether there is still somebody to tell or not.
pub async fn bodies_that_break_off_do_nothing(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let whole = json!({"name": "half"}).to_string();
    for _ in 0..3 {
        let create = world
            .client
            .post("/keys")
            .bearer(&user.token)
            .header("Content-Type", JSON);
        if let Some(answer) = create
            .broken_off(whole.clone(), whole.len() + 1)
            .try_send()
            .await
        {
            answer.expect(400).problem("malformed_request");
        }
    }
    let list = world
        .client
        .get("/keys")
        .bearer(&user.token)
        .send()
        .await
        .expect(200);
    assert_eq!(list.items(), Vec::<serde_json::Value>::new());
}

/// A key can be made without a body, and then nothing else is asked of the request.
pub async fn a_key_needs_no_body(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let create = || world.client.post("/keys").bearer(&user.token);
    let made = [
        world.made(create()).await,
        world.made(create().body("")).await,
        world.made(create().text("text/plain", "")).await,
        world.made(create().text(JSON, "{}")).await,
        world.made(create().chunked("", true)).await,
    ];
    for key in made {
        assert_eq!(
            (&key.json["name"], &key.json["environment"]),
            (&json!(""), &json!("live"))
        );
        assert_eq!(
            (&key.json["scopes"], &key.json["metadata"]),
            (&json!([]), &json!({}))
        );
        assert_eq!(
            (&key.json["expires_at"], &key.json["last_used_at"]),
            (&json!(null), &json!(null))
        );
        assert_eq!(
            (&key.json["revoked"], &key.json["disabled"]),
            (&json!(false), &json!(false))
        );
        assert_eq!(
            key.json["created_at"],
            world_start_prefix(&key.json["created_at"])
        );
    }
    for other in [
        world.client.post("/auth/register"),
        world.client.post("/auth/login"),
    ] {
        other
            .text(JSON, "")
            .send()
            .await
            .expect(400)
            .problem("malformed_request");
    }
}

fn world_start_prefix(created_at: &serde_json::Value) -> String {
    let text = created_at.as_str().unwrap_or_default();
    assert!(
        text.starts_with("2026-11-18T11:06:4") && text.ends_with('Z'),
        "{text}"
    );
    text.to_owned()
}

/// Whoever may not call does not get to have a body read, however long it would be.
pub async fn a_strangers_body_is_not_read(stage: &Stage) {
    let world = stage.world().await;
    let id = fixtures::key_id();
    for request in [
        world.client.post("/keys"),
        world.client.patch(&format!("/keys/{id}")),
    ] {
        let typed = request
            .header("Content-Type", JSON)
            .within(Duration::from_secs(5));
        let unfinished = typed
            .clone()
            .unfinished("{", 1_000)
            .send()
            .await
            .expect(401);
        unfinished.problem("missing_credential");
        let nonsense = typed.text(JSON, "nonsense").send().await.expect(401);
        assert_eq!(nonsense.essence(), unfinished.essence());
    }
}

/// A body where none is wanted is passed over, and the next request on the connection is read from its start.
pub async fn a_connection_survives_every_answer(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    let key = world.key(&user).await;
    let smuggled = "GET /health HTTP/1.1\r\nHost: sakms.example\r\n\r\n";
    let requests = [
        world.client.get("/health").body(smuggled),
        world.client.post("/keys").body(smuggled),
        world.client.post("/auth/login").text(JSON, smuggled),
        world.client.request("DELETE", "/keys").body(smuggled),
        world.client.post("/nothing").chunked(smuggled, true),
        world.client.get("/guarded/any").body(smuggled),
        world
            .client
            .get("/guarded/any")
            .bearer(&key.text)
            .body(smuggled),
        world.client.request("HEAD", "/keys").bearer(&user.token),
        world.client.get("/keys").bearer(&user.token),
    ];
    let answers = world.client.on_one_connection(&requests).await;
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 401, 400, 405, 404, 401, 200, 200, 200]);
}
