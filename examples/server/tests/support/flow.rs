//! The flow of the README, as a user would go through it.

use std::time::Duration;

use serde_json::json;

use super::server::Server;
use super::site::Site;

pub(crate) const PASSWORD: &str = "violet tram kettle oak";

/// How a client sends its token.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TokenIn {
    Query,
    Header,
}

/// What the flow used, to look for in places where it must not be.
#[derive(Debug)]
pub(crate) struct Secrets {
    pub(crate) token: String,
    pub(crate) api_key: String,
}

pub(crate) fn register(server: &Server, email: &str) -> String {
    let body = json!({"email": email, "password": PASSWORD}).to_string();
    let answer = server.send("POST", "/auth/register", &[], &body);
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.text("user_id")
}

pub(crate) fn login(server: &Server, email: &str) -> String {
    let body = json!({"email": email, "password": PASSWORD}).to_string();
    let answer = server.send("POST", "/auth/login", &[], &body);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.text("token_type"), "bearer");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.text("access_token")
}

/// Registers, signs in, makes a key, uses it, revokes it, and sees it refused.
pub(crate) fn whole(server: &Server, email: &str, token_in: TokenIn, slash: &str) -> Secrets {
    register(server, email);
    let token = login(server, email);
    let bearer = format!("Bearer {token}");
    let (query, headers) = match token_in {
        TokenIn::Query => (format!("?token={token}"), vec![]),
        TokenIn::Header => (String::new(), vec![("Authorization", bearer.as_str())]),
    };
    let send = |method: &str, path: &str| {
        server.send(method, &format!("{path}{slash}{query}"), &headers, "")
    };

    let created = send("POST", "/keys");
    assert_eq!(created.status, 201, "{}", created.body);
    let (id, api_key, prefix) = (
        created.text("id"),
        created.text("api_key"),
        created.text("prefix"),
    );
    assert!(api_key.starts_with(&prefix));

    let list = send("GET", "/keys").json();
    assert_eq!(
        (&list[0]["id"], &list[0]["prefix"], &list[0]["revoked"]),
        (&json!(id), &json!(prefix), &json!(false))
    );
    assert!(!list.to_string().contains(&api_key));

    let as_bearer = format!("Bearer {api_key}");
    let credentials = [
        ("Authorization", as_bearer.as_str()),
        ("X-API-Key", api_key.as_str()),
    ];
    let protected =
        |credential| server.send("GET", &format!("/demo/protected{slash}"), &[credential], "");
    for credential in credentials {
        assert_eq!(protected(credential).status, 200);
    }
    let revoked = send("POST", &format!("/keys/{id}/revoke"));
    assert_eq!(
        (revoked.status, revoked.body.as_str()),
        (200, r#"{"status":"revoked"}"#)
    );
    for credential in credentials {
        let refused = protected(credential);
        assert_eq!(
            (refused.status, refused.text("code")),
            (401, "key_revoked".to_owned())
        );
    }
    assert_eq!(send("GET", "/keys").json()[0]["revoked"], json!(true));
    Secrets { token, api_key }
}

/// Uses a key, ends the server, and looks with another whether the use is known.
pub(crate) fn last_use_outlives_the_server(site: &Site, settings: &[(&str, &str)]) {
    let mut server = site.start(settings);
    register(&server, "ada@example.com");
    let bearer = format!("Bearer {}", login(&server, "ada@example.com"));
    let asked = r#"{"scopes":["keys:read"]}"#;
    let key = server.send("POST", "/keys", &[("Authorization", &bearer)], asked);
    let key = key.text("api_key");
    let of_key = |server: &Server, path| server.send("GET", path, &[("X-API-Key", &key)], "");
    assert_eq!(of_key(&server, "/demo/protected").status, 200);
    server.signal("TERM");
    assert!(server.wait(Duration::from_secs(10)).success());

    let list = of_key(&site.start(settings), "/keys").json();
    assert!(list[0]["last_used_at"].is_string(), "{list}");
}
