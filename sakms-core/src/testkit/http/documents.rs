//! The OpenAPI document and its pages, where they are built in (the feature `docs-ui`).

use std::collections::BTreeSet;

use super::{Answer, Stage};
use crate::http::{Group, routes};

fn built_in() -> bool {
    routes().iter().any(|route| route.group == Group::Documents)
}

/// The document lists the groups of routes that are there and no other, and says where they are.
pub async fn the_document_has_the_routes_there_are(stage: &Stage) {
    if !built_in() {
        return;
    }
    for groups in [
        vec![Group::Accounts, Group::Keys, Group::Meta, Group::Documents],
        vec![Group::Keys, Group::Documents],
        vec![Group::Documents],
    ] {
        let world = stage.world_with(|api| api.groups(groups.clone())).await;
        let there: BTreeSet<_> = routes()
            .iter()
            .filter(|route| groups.contains(&route.group))
            .map(|route| route.path)
            .collect();
        for (target, here) in [("/openapi.json", "."), ("/openapi.json/", "..")] {
            let document = world.client.get(target).send().await.expect(200).json();
            assert_eq!(document["openapi"], "3.1.0");
            assert_eq!(document["servers"][0]["url"], here);
            let listed: BTreeSet<_> = document["paths"].as_object().unwrap().keys().collect();
            assert!(listed.iter().eq(there.iter()), "{listed:?}");
            let tags = document["tags"].as_array().unwrap();
            assert_eq!(tags.len(), groups.len(), "{tags:?}");
        }
    }
}

/// What a page refers to is there, whether the page was asked for with a slash or without.
pub async fn pages_find_their_files_from_anywhere(stage: &Stage) {
    if !built_in() {
        return;
    }
    let world = stage.world().await;
    for target in ["/docs", "/docs/", "/redoc", "/redoc/"] {
        let page = world.client.get(target).send().await.expect(200);
        assert_eq!(
            page.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'self'; "), "{policy}");
        assert!(
            !policy.contains("http") && !policy.contains('*'),
            "{policy}"
        );
        let html = String::from_utf8(page.body.clone()).unwrap();
        assert!(!html.contains("http") && !html.contains("onload"), "{html}");
        let references: Vec<_> = ["src=\"", "href=\""]
            .iter()
            .flat_map(|start| html.split(start).skip(1))
            .map(|rest| rest.split('"').next().unwrap())
            .filter(|reference| !reference.starts_with("data:"))
            .collect();
        assert_eq!(references.len(), 4, "{references:?}");
        for reference in references {
            let file = world.client.get(&resolved(target, reference)).send().await;
            assert!(
                file.expect(200).body.len() > 20,
                "{target} refers to {reference}"
            );
        }
    }
}

/// Where a reference leads (RFC 3986, section 5.2, as far as these pages need it).
fn resolved(from: &str, reference: &str) -> String {
    let mut segments: Vec<_> = from.split('/').collect();
    segments.pop();
    for segment in reference.split('/') {
        if segment == ".." {
            segments.pop();
        } else {
            segments.push(segment);
        }
    }
    segments.join("/")
}

/// A file comes compressed to whoever takes it so, whole to others, and not at all to those who have it.
pub async fn files_are_sent_as_they_are_taken(stage: &Stage) {
    if !built_in() {
        return;
    }
    let world = stage.world().await;
    let target = "/docs/swagger-ui.css";
    let get = async |name: &str, value: &str| -> Answer {
        world.client.get(target).header(name, value).send().await
    };
    let plain = world.client.get(target).send().await.expect(200);
    assert_eq!(plain.header("content-encoding"), None);
    assert_eq!(
        plain.header("content-type"),
        Some("text/css; charset=utf-8")
    );
    let small = get("accept-encoding", "br, gzip").await.expect(200);
    assert_eq!(small.header("content-encoding"), Some("gzip"));
    assert!(small.body.starts_with(b"\x1f\x8b"));
    assert!(small.body.len() * 4 < plain.body.len());
    for answer in [&plain, &small] {
        assert_eq!(answer.header("vary"), Some("accept-encoding"));
        assert_eq!(answer.header("cache-control"), Some("no-cache"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
    let version = plain.header("etag").unwrap();
    assert_eq!(small.header("etag"), Some(version));
    let known = get("if-none-match", version).await.expect(304);
    assert_eq!(known.body, b"");
    for name in [
        "nothing.js",
        "..%2fopenapi.json",
        "%2e%2e",
        "swagger-ui.css.gz",
    ] {
        let target = format!("/docs/{name}");
        let answer = world.client.get(&target).send().await;
        answer.expect(404).problem("not_found");
    }
}
