//! A service with its server, its people and their keys.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::answer::Answer;
use super::client::{Client, Request};
use super::stage::PASSWORD;
use super::{HOST_USER, Server};
use crate::account::AccountRole;
use crate::clock::{Clock as _, ManualClock};
use crate::journal::{Action, Subject};
use crate::key::{KeyPatch, Owner};
use crate::service::Sakms;
use crate::store::{AccountStore as _, KeyStore as _};
use crate::testkit::faults::Faults;
use crate::testkit::fixtures;
use crate::testkit::mail::Mailbox;

/// A service that is being served, and what stands behind it.
#[derive(Debug)]
pub struct World {
    /// Talks to it.
    pub client: Client,
    /// The service itself, for what no route offers.
    pub sakms: Sakms,
    /// Its clock. It stands still unless it is moved; making a key moves it by a millisecond.
    pub clock: Arc<ManualClock>,
    /// Its store.
    pub faults: Faults,
    /// Where its mail goes, if it sends any: one box for all services on a stage.
    pub mail: Mailbox,
    /// Its server.
    pub server: Server,
}

/// Somebody who has registered and signed in.
#[derive(Debug, Clone)]
pub struct User {
    /// The account's id, under which they hold keys.
    pub id: String,
    /// The address, as it was given.
    pub email: String,
    /// The password.
    pub password: String,
    /// A token.
    pub token: String,
}

/// A session of somebody's.
#[derive(Debug, Clone, Default)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// Its access token.
    pub token: String,
    /// Its refresh token.
    pub refresh_token: String,
}

/// A key that was made, with its text.
#[derive(Debug, Clone)]
pub struct Key {
    /// Its id.
    pub id: String,
    /// Its text.
    pub text: String,
    /// The whole answer.
    pub json: Value,
}

impl User {
    /// Who they are to the service.
    #[must_use]
    pub fn owner(&self) -> Owner {
        self.id.parse().unwrap()
    }
}

impl World {
    /// Somebody new who has registered and signed in.
    pub async fn user(&self) -> User {
        let email = format!("user{}@example.com", fixtures::number());
        let answer = self.register(&email, PASSWORD).await.expect(201);
        let id = answer.text_of("user_id");
        let token = self.token(&email, PASSWORD).await;
        let password = PASSWORD.to_owned();
        User {
            id,
            email,
            password,
            token,
        }
    }

    /// Somebody new who has registered and signed in, and has the role of an admin.
    pub async fn admin(&self) -> User {
        let user = self.user().await;
        self.make_admin(&user.id).await;
        user
    }

    /// The same person, signed in anew: tokens end.
    pub async fn again(&self, user: User) -> User {
        let token = self.token(&user.email, &user.password).await;
        User { token, ..user }
    }

    /// Gives an account the role of an admin.
    pub async fn make_admin(&self, account: &str) {
        let id = account.parse().unwrap();
        let entry = fixtures::entry(Action::ACCOUNT_GRANT, Subject::account(id));
        let granted = self
            .faults
            .set_account_role(id, AccountRole::Admin, true, &entry);
        granted.await.unwrap();
    }

    /// Tries to register.
    pub async fn register(&self, email: &str, password: &str) -> Answer {
        self.client.never_show(PASSWORD);
        let body = json!({"email": email, "password": password});
        self.client.post("/auth/register").json(&body).send().await
    }

    /// Tries to sign in.
    pub async fn login(&self, email: &str, password: &str) -> Answer {
        let body = json!({"email": email, "password": password});
        let answer = self.client.post("/auth/login").json(&body).send().await;
        if answer.status == 200 {
            self.client.never_show(&answer.text_of("access_token"));
            if let Some(token) = answer.json()["refresh_token"].as_str() {
                self.client.never_show(token);
            }
        }
        answer
    }

    /// Signs in.
    pub async fn token(&self, email: &str, password: &str) -> String {
        self.login(email, password)
            .await
            .expect(200)
            .text_of("access_token")
    }

    /// Signs in, where there are sessions.
    pub async fn session(&self, user: &User) -> Session {
        let answer = self.login(&user.email, &user.password).await.expect(200);
        let token = answer.text_of("access_token");
        let listed = self.client.get("/auth/sessions").bearer(&token).send();
        let listed = listed.await.expect(200).json();
        let current = listed.as_array().unwrap().iter();
        let mut current = current.filter(|session| session["current"] == true);
        let id = current.next().unwrap()["id"].as_str().unwrap().to_owned();
        Session {
            id,
            token,
            refresh_token: answer.text_of("refresh_token"),
        }
    }

    /// Makes a key of which nothing is said.
    pub async fn key(&self, user: &User) -> Key {
        self.key_with(user, &json!({})).await
    }

    /// Makes a key of this description.
    pub async fn key_with(&self, user: &User, description: &Value) -> Key {
        self.made(self.create(description).bearer(&user.token))
            .await
    }

    /// Makes a key for an owner of the host's.
    pub async fn host_key(&self, owner: &str) -> Key {
        self.made(self.client.post("/host/keys").header(HOST_USER, owner))
            .await
    }

    /// A request that makes a key, without a credential yet.
    #[must_use]
    pub fn create(&self, description: &Value) -> Request {
        self.client.post("/keys").json(description)
    }

    /// Sends a request that makes a key.
    pub async fn made(&self, request: Request) -> Key {
        // Ids of the same millisecond have no order.
        self.clock.advance(Duration::from_millis(1));
        let answer = request.send().await.expect(201);
        let key = Key {
            id: answer.text_of("id"),
            text: answer.text_of("api_key"),
            json: answer.json(),
        };
        self.client.never_show(&key.text);
        key
    }

    /// Changes a key in the store, as another node does, and has the service hear of it.
    pub async fn change(&self, key: &Key, patch: &KeyPatch) {
        let id = key.id.parse().unwrap();
        let record = self.faults.get(id).await.unwrap().unwrap();
        let entry = fixtures::updated(id);
        let changed = self.faults.update(id, record.revision, patch, &entry);
        changed.await.unwrap();
        self.sakms.catch_up().await.unwrap();
    }

    /// Revokes a key as its owner.
    pub async fn revoke(&self, user: &User, key: &Key) -> Answer {
        let target = format!("/keys/{}/revoke", key.id);
        self.client.post(&target).bearer(&user.token).send().await
    }

    /// Asks the guard that wants any key.
    pub async fn guarded(&self, key: &str) -> Answer {
        self.client.get("/guarded/any").bearer(key).send().await
    }

    /// Has a key checked until it is remembered, and the journal followed.
    pub async fn warm(&self, key: &str) {
        self.sakms.catch_up().await.unwrap();
        for _ in 0..2 {
            self.guarded(key).await.expect(200);
        }
    }

    /// The time `span` from now, as requests write it.
    #[must_use]
    pub fn later(&self, span: Duration) -> String {
        self.clock.now().checked_add(span).unwrap().to_string()
    }
}
