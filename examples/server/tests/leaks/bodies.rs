//! Bodies that are full of secrets.

use sakms_core::http::Route;
use serde_json::json;

use super::everywhere::{NEW_PASSWORD, PASSWORD, WRONG_PASSWORD};

/// Bodies, each with the path that it is for.
type Bodies = [(&'static str, String); 14];

/// A body that has a secret in every field that takes one. Those that do not take such a field refuse it.
pub(super) fn as_json(email: &str, key: &str, refresh: &str) -> Bodies {
    let credentials = |email: &str, password: &str| json!({"email": email, "password": password});
    [
        ("/auth/register", credentials(&format!("new-{email}"), PASSWORD).to_string()),
        ("/auth/login", credentials(email, PASSWORD).to_string()),
        ("/auth/password", json!({"old_password": PASSWORD, "new_password": NEW_PASSWORD}).to_string()),
        ("/auth/refresh", json!({"refresh_token": refresh}).to_string()),
        ("/keys", json!({"name": "another", "scopes": ["a:b"]}).to_string()),
        ("/keys/{id}", json!({"name": "renamed"}).to_string()),
        ("/keys/revoke", json!({"tag": "ci", "dry_run": true}).to_string()),
        ("/keys/{id}/rotate", "{}".to_owned()),
        ("/roles/{name}", json!({"scopes": ["a:b"]}).to_string()),
        ("/keys/{id}/explain", "{}".to_owned()),
        ("/keys/verify", json!({"key": key}).to_string()),
        ("/keys/verify/batch", json!({"keys": [key, "x"]}).to_string()),
        ("wrong password", credentials(email, WRONG_PASSWORD).to_string()),
        ("wrong type", json!({"email": [PASSWORD], "password": {"x": NEW_PASSWORD}, "key": {"y": key}, "refresh_token": [refresh], "old_password": [WRONG_PASSWORD]}).to_string()),
    ]
}

pub(super) fn as_form(key: &str) -> Bodies {
    let exchange = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange";
    let kind = "urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token";
    let token = format!(
        "grant_type={exchange}&subject_token={key}&subject_token_type={kind}&audience=https%3A%2F%2Freports.example"
    );
    std::array::from_fn(|place| match place {
        0 => ("/oauth/token", token.clone()),
        1 => ("/oauth/introspect", format!("token={key}")),
        2 => (
            "/oauth/revoke",
            format!("token={key}&token_type_hint=access_token"),
        ),
        3 => ("wrong", format!("token={key}&token={key}")),
        4 => (
            "wrong",
            format!(
                "grant_type=password&username=ada&password={}",
                PASSWORD.replace(' ', "+")
            ),
        ),
        _ => ("", String::new()),
    })
}

/// What is sent to a route: what it takes, and what it does not.
pub(super) fn bodies(route: &Route, all: &Bodies) -> Vec<String> {
    if !route.takes_body {
        return vec![String::new()];
    }
    let right = all.iter().find(|(path, _)| *path == route.path);
    let wrong = all.iter().filter(|(path, _)| path.starts_with("wrong"));
    let mut bodies: Vec<_> = wrong.map(|(_, body)| body.clone()).collect();
    if let Some((_, right)) = right {
        let unknown = right.replacen('{', &format!("{{\"is_admin\":\"{PASSWORD}\","), 1);
        let broken = right[..right.len() - 1].to_owned();
        bodies.extend([unknown, broken, right.clone()]);
    }
    bodies
}
