//! Somebody who has an account at the server, and keys.

use std::net::SocketAddr;

use serde_json::json;

use super::client::{self, Answer};

/// Passes the server's rules for passwords.
pub const PASSWORD: &str = "violet tram kettle oak";

/// An account that has signed in. It talks to whichever server it is told.
#[derive(Debug, Clone)]
pub struct Person {
    /// The value of `Authorization`.
    pub bearer: String,
}

/// A key as it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its id.
    pub id: String,
    /// Its text.
    pub text: String,
}

impl Person {
    /// Registers and signs in.
    #[must_use]
    pub fn register(server: SocketAddr, email: &str) -> Self {
        let body = json!({ "email": email, "password": PASSWORD }).to_string();
        let registered = client::send(server, "POST", "/auth/register", &[], &body);
        assert_eq!(registered.status, 201, "{}", registered.body);
        Self::login(server, email)
    }

    /// Signs in.
    #[must_use]
    pub fn login(server: SocketAddr, email: &str) -> Self {
        let body = json!({ "email": email, "password": PASSWORD }).to_string();
        let answer = client::send(server, "POST", "/auth/login", &[], &body);
        assert_eq!(answer.status, 200, "{}", answer.body);
        let bearer = format!("Bearer {}", answer.text("access_token"));
        Self { bearer }
    }

    /// Sends a request in this person's name.
    ///
    /// # Errors
    /// See [`client::try_send`].
    pub fn ask(
        &self,
        server: SocketAddr,
        method: &str,
        target: &str,
        body: &str,
    ) -> std::io::Result<Answer> {
        let headers = [("Authorization", &*self.bearer)];
        client::try_send(server, method, target, &headers, body)
    }

    /// Makes a key; expects that it is made.
    #[must_use]
    pub fn key(&self, server: SocketAddr) -> Key {
        let made = self.ask(server, "POST", "/keys", "").unwrap();
        assert_eq!(made.status, 201, "{}", made.body);
        Key {
            id: made.text("id"),
            text: made.text("api_key"),
        }
    }
}

/// What a route that wants any key says to this one: `granted`, or the code of the problem.
///
/// # Errors
/// See [`client::try_send`].
pub fn verdict(server: SocketAddr, text: &str) -> std::io::Result<String> {
    let headers = [("X-API-Key", text)];
    let answer = client::try_send(server, "GET", "/demo/protected", &headers, "")?;
    Ok(match answer.status {
        200 => "granted".to_owned(),
        _ => answer.text("code"),
    })
}
