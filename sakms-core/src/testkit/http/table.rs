//! The route table: every route, to everybody, by every method.

use std::collections::BTreeSet;

use super::Stage;
use super::rows::{Cast, Presented, rows, target};
use crate::http::{Access, Group, allowed_methods, routes};
use crate::testkit::fixtures;

/// Each route answers each kind of credential as the suite's table says, and every refusal is a problem.
pub async fn every_route_answers_each_credential(stage: &Stage) {
    let world = stage.world_with_sessions().await;
    let mut cast = Cast::of(&world).await;
    for (route, row) in rows() {
        for presented in Presented::ALL {
            let request = cast.present(cast.request(&world, (route, row)), presented);
            let answer = request.send().await;
            let wanted = row.status(presented);
            assert_eq!(
                answer.status,
                wanted,
                "{route:?} {presented:?}:\n{}",
                answer.whole()
            );
            if matches!(route.access, Access::KeyHolder | Access::SignedIn) {
                // Whoever asked is not who they were.
                cast = Cast::of(&world).await;
            }
            let code = match (wanted, presented) {
                (401, Presented::Nothing) => "missing_credential",
                (401, _) => "invalid_key",
                (403, _) => match route.access {
                    Access::Admin => "admin_only",
                    Access::KeyHolder => "key_only",
                    Access::SignedIn => "token_only",
                    _ => "insufficient_scope",
                },
                (400, _) => "invalid_code",
                (409, _) => "no_rotation",
                (404, _) => "not_found",
                _ if matches!(route.group, Group::Documents | Group::Tokens) => continue,
                _ => {
                    let _ = answer.json();
                    continue;
                }
            };
            answer.problem(code);
        }
    }
}

/// A method that a path does not answer to is 405, and `Allow` names exactly those it does.
pub async fn other_methods_are_not_allowed(stage: &Stage) {
    let world = stage.world_with_sessions().await;
    let user = world.user().await;
    let paths: BTreeSet<_> = routes().iter().map(|route| route.path).collect();
    let id = fixtures::key_id().to_string();
    for path in paths {
        let allowed: BTreeSet<_> = allowed_methods(path)
            .iter()
            .map(ToString::to_string)
            .collect();
        for slash in ["", "/"] {
            let target = format!("{}{slash}", target(path, &id));
            for method in [
                "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW",
            ] {
                if allowed.contains(method) {
                    continue;
                }
                for request in [
                    world.client.request(method, &target),
                    world.client.request(method, &target).bearer(&user.token),
                ] {
                    let answer = request.send().await.expect(405);
                    assert_eq!(
                        answer.allowed(),
                        allowed.iter().cloned().collect::<Vec<_>>(),
                        "{method} {target}"
                    );
                    if method != "HEAD" {
                        answer.problem("method_not_allowed");
                    }
                }
            }
        }
    }
}

/// HEAD is GET without the body: the same status and the same headers.
pub async fn head_is_get_without_a_body(stage: &Stage) {
    let world = stage.world_with_sessions().await;
    let cast = Cast::of(&world).await;
    for (route, row) in rows()
        .into_iter()
        .filter(|(route, _)| route.method == "GET")
    {
        for presented in Presented::ALL {
            let request = |method| {
                let mut request = cast.present(cast.request(&world, (route, row)), presented);
                request.method = method;
                request
            };
            let get = request("GET".to_owned()).send().await;
            let head = request("HEAD".to_owned()).send().await;
            assert_eq!(head.body, b"", "{route:?}");
            let [get, head] = [&get, &head].map(|answer| {
                let (status, mut headers, _) = answer.essence();
                if route.path == "/health" {
                    // It says how long ago the journal was read, in milliseconds: with one digit or with more.
                    let length = headers.remove("content-length");
                    assert!(length.is_some(), "{route:?}");
                }
                (status, headers)
            });
            assert_eq!(get, head, "{route:?}");
        }
    }
    for path in ["/guarded/any", "/nothing/here"] {
        let get = world.client.get(path).send().await;
        let head = world.client.request("HEAD", path).send().await;
        assert_eq!((get.status, head.body.len()), (head.status, 0), "{path}");
    }
}

/// What is not there is a problem like any other, whoever asks.
pub async fn unknown_paths_are_not_found(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    for target in [
        "/",
        "/key",
        "/keysx",
        "/KEYS",
        "/Health",
        "/auth",
        "/auth/",
        "/auth/register/now",
        "/keys/../health",
        "/keys/%2e%2e/health",
        "//keys",
        "//evil.example/keys",
        "/health//",
        "/health/x",
        "/%6eothing",
        // One path has one spelling.
        "/%6beys",
        "/ke%79s/",
        "/%68ealth",
        "/host/%6beys",
        "/%00",
        "/%ff",
        "/host",
        "/host/auth/login",
        "/host/health",
        "/.env",
        "/keys;a=b",
    ] {
        for method in ["GET", "POST", "DELETE"] {
            let anonymous = world.client.request(method, target).send().await;
            assert_eq!(
                anonymous.status,
                404,
                "{method} {target}:\n{}",
                anonymous.whole()
            );
            anonymous.problem("not_found");
            let signed_in = world
                .client
                .request(method, target)
                .bearer(&user.token)
                .send()
                .await;
            assert_eq!(
                anonymous.essence(),
                signed_in.essence(),
                "{method} {target}"
            );
        }
    }
}

/// An id of no letters is none. Whether the router takes it for one is the framework's business.
pub async fn an_empty_id_is_not_found(stage: &Stage) {
    let world = stage.world().await;
    let user = world.user().await;
    for (method, target) in [
        ("GET", "/keys//"),
        ("PATCH", "/keys//"),
        ("POST", "/keys//revoke"),
        ("POST", "/keys//revoke/"),
    ] {
        for request in [
            world.client.request(method, target),
            world.client.request(method, target).bearer(&user.token),
        ] {
            request.send().await.expect(404).problem("not_found");
        }
    }
}

/// A host that leaves out a group of routes has none of its paths.
pub async fn groups_can_be_left_out(stage: &Stage) {
    let world = stage.world_with(|api| api.groups([Group::Keys])).await;
    for route in routes() {
        let target = target(route.path, &fixtures::key_id().to_string());
        let answer = world
            .client
            .request(route.method.as_str(), &target)
            .send()
            .await;
        if route.group == Group::Keys {
            answer.expect(401).problem("missing_credential");
        } else {
            answer.expect(404).problem("not_found");
        }
    }
}

/// A service without accounts has no routes for them, and a token means nothing to it.
pub async fn a_service_without_accounts_has_none_of_their_routes(stage: &Stage) {
    let world = stage.world_without_accounts().await;
    for path in ["/auth/register", "/auth/login"] {
        world
            .client
            .post(path)
            .send()
            .await
            .expect(404)
            .problem("not_found");
    }
    let with_token = world.client.get("/keys").bearer("a.b.c");
    with_token.send().await.expect(401).problem("invalid_token");
    world.client.get("/health").send().await.expect(200);
    let key = world.host_key("ada").await;
    world.guarded(&key.text).await.expect(200);
}
