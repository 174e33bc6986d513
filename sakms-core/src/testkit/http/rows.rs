//! What each row of the route table answers to whom: written by hand, beside the table it is held against.

use serde_json::{Value, json};

use super::World;
use super::client::Request;
use super::stage::PASSWORD;
use super::world::{Key, Session, User};
use crate::http::{Route, routes};
use crate::testkit::fixtures;

/// What a request presents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presented {
    Nothing,
    Garbage,
    Token,
    KeyWithoutScope,
    KeyWithScope,
    /// With every scope, but another owner's.
    AnothersKey,
    /// Of an account that has the role.
    AdminsToken,
}

impl Presented {
    /// In the order of the columns of [`ROWS`].
    pub(super) const ALL: [Self; 7] = [
        Self::Nothing,
        Self::Garbage,
        Self::Token,
        Self::KeyWithoutScope,
        Self::KeyWithScope,
        Self::AnothersKey,
        Self::AdminsToken,
    ];
}

/// One row, and what it answers.
#[derive(Debug)]
pub(super) struct Row {
    route: &'static str,
    /// Whether it can answer while the store is away.
    pub(super) needs_store: bool,
    /// A body that is right.
    body: Option<fn(&Cast) -> Value>,
    /// In the order of [`Presented::ALL`].
    statuses: [u16; 7],
}

const STORE: bool = true;
const NO_STORE: bool = false;

/// Every route has a line here: its body, and what it answers to whom.
#[rustfmt::skip]
const ROWS: &[Row] = &[
    // ------------------------------------------------  nothing, garbage, token, key without scope, key with scope, another's key, admin's token
    row("POST /auth/register",    STORE, Some(a_newcomer),   [201, 201, 201, 201, 201, 201, 201]),
    row("POST /auth/login",       STORE, Some(the_user),     [200, 200, 200, 200, 200, 200, 200]),
    row("POST /auth/password",    STORE, Some(a_new_password), [401, 401, 200, 403, 403, 403, 200]),
    row("POST /auth/reset",       STORE, Some(an_address),   [202, 202, 202, 202, 202, 202, 202]),
    row("POST /auth/reset/confirm", NO_STORE, Some(no_code_for_a_password), [400, 400, 400, 400, 400, 400, 400]),
    row("POST /auth/confirm",     NO_STORE, Some(no_code),   [400, 400, 400, 400, 400, 400, 400]),
    row("POST /auth/refresh",     STORE, Some(a_refresh),    [200, 200, 200, 200, 200, 200, 200]),
    row("POST /auth/logout",      STORE, None,               [401, 401, 200, 403, 403, 403, 200]),
    row("POST /auth/logout-all",  STORE, None,               [401, 401, 200, 403, 403, 403, 200]),
    row("GET /auth/sessions",     STORE, None,               [401, 401, 200, 403, 403, 403, 200]),
    row("DELETE /auth/sessions/{id}", STORE, None,           [401, 401, 200, 403, 403, 403, 404]),
    row("POST /keys",             STORE, None,               [401, 401, 201, 403, 201, 201, 201]),
    row("GET /keys",              STORE, None,               [401, 401, 200, 403, 200, 200, 200]),
    row("GET /keys/{id}",         STORE, None,               [401, 401, 200, 403, 200, 404, 200]),
    row("PATCH /keys/{id}",       STORE, Some(another_name), [401, 401, 200, 403, 200, 404, 200]),
    row("POST /keys/revoke",      STORE, Some(a_tag),        [401, 401, 200, 403, 200, 200, 200]),
    row("POST /keys/{id}/disable", STORE, None,              [401, 401, 200, 403, 200, 404, 200]),
    row("POST /keys/{id}/enable", STORE, None,               [401, 401, 200, 403, 200, 404, 200]),
    row("POST /keys/{id}/rotate", STORE, Some(at_once),      [401, 401, 201, 403, 201, 404, 201]),
    row("POST /keys/{id}/rotation/finish", STORE, None,      [401, 401, 409, 403, 409, 404, 409]),
    row("POST /keys/{id}/rotation/cancel", STORE, None,      [401, 401, 409, 403, 409, 404, 409]),
    row("POST /keys/{id}/revoke", STORE, None,               [401, 401, 200, 403, 200, 404, 200]),
    row("POST /keys/current/revoke", STORE, None,            [401, 401, 403, 200, 200, 200, 403]),
    row("GET /roles",             STORE, None,               [401, 401, 200, 403, 200, 200, 200]),
    row("PUT /roles/{name}",      STORE, Some(some_scopes),  [401, 401, 403, 403, 403, 403, 200]),
    row("DELETE /roles/{name}",   STORE, None,               [401, 401, 403, 403, 403, 403, 200]),
    row("GET /keys/{id}/usage",   STORE, None,               [401, 401, 200, 403, 200, 404, 200]),
    row("POST /keys/{id}/explain", STORE, None,              [401, 401, 403, 403, 403, 403, 200]),
    row("POST /keys/verify",      STORE, Some(a_key),        [401, 401, 200, 403, 200, 200, 200]),
    row("POST /keys/verify/batch", STORE, Some(some_keys),   [401, 401, 200, 403, 200, 200, 200]),
    row("POST /oauth/introspect", STORE, Some(a_token),      [401, 401, 200, 403, 200, 200, 200]),
    row("POST /oauth/revoke",     NO_STORE, Some(no_token),  [200, 200, 200, 200, 200, 200, 200]),
    row("GET /oauth/revocations", STORE, None,               [401, 401, 200, 403, 200, 200, 200]),
    row("POST /oauth/token",      STORE, Some(an_exchange),  [200, 200, 200, 200, 200, 200, 200]),
    row("GET /accounts",          STORE, None,               [401, 401, 403, 403, 403, 403, 200]),
    row("POST /accounts/{id}/disable", STORE, None,          [401, 401, 403, 403, 403, 403, 200]),
    row("POST /accounts/{id}/enable", STORE, None,           [401, 401, 403, 403, 403, 403, 200]),
    row("GET /audit",             STORE, None,               [401, 401, 200, 403, 200, 200, 200]),
    row("GET /.well-known/jwks.json", NO_STORE, None,        [200, 200, 200, 200, 200, 200, 200]),
    row("GET /health",            NO_STORE, None,            [200, 200, 200, 200, 200, 200, 200]),
    row("GET /ready",             STORE, None,               [200, 200, 200, 200, 200, 200, 200]),
    #[cfg(feature = "docs-ui")]
    row("GET /openapi.json",      NO_STORE, None,            [200, 200, 200, 200, 200, 200, 200]),
    #[cfg(feature = "docs-ui")]
    row("GET /docs",              NO_STORE, None,            [200, 200, 200, 200, 200, 200, 200]),
    #[cfg(feature = "docs-ui")]
    row("GET /docs/{file}",       NO_STORE, None,            [200, 200, 200, 200, 200, 200, 200]),
    #[cfg(feature = "docs-ui")]
    row("GET /redoc",             NO_STORE, None,            [200, 200, 200, 200, 200, 200, 200]),
];

const fn row(
    route: &'static str,
    needs_store: bool,
    body: Option<fn(&Cast) -> Value>,
    statuses: [u16; 7],
) -> Row {
    Row {
        route,
        needs_store,
        body,
        statuses,
    }
}

fn a_newcomer(_: &Cast) -> Value {
    let email = format!("newcomer{}@example.com", fixtures::number());
    json!({"email": email, "password": PASSWORD})
}

fn the_user(cast: &Cast) -> Value {
    json!({"email": cast.user.email, "password": PASSWORD})
}

fn a_new_password(_: &Cast) -> Value {
    // The same again, so that whoever asks twice gets the same.
    json!({"old_password": PASSWORD, "new_password": PASSWORD})
}

/// Another each time: to one address little mail is sent.
fn an_address(_: &Cast) -> Value {
    json!({"email": format!("forgetful{}@example.com", fixtures::number())})
}

fn no_code(_: &Cast) -> Value {
    json!({"code": "nonsense"})
}

fn no_code_for_a_password(_: &Cast) -> Value {
    json!({"code": "nonsense", "new_password": PASSWORD})
}

fn a_refresh(cast: &Cast) -> Value {
    json!({"refresh_token": cast.session.refresh_token})
}

fn another_name(_: &Cast) -> Value {
    json!({"name": format!("name {}", fixtures::number())})
}

fn a_tag(_: &Cast) -> Value {
    json!({"tag": "nobody-has-it"})
}

fn at_once(_: &Cast) -> Value {
    json!({"overlap_seconds": 0})
}

fn some_scopes(_: &Cast) -> Value {
    json!({"scopes": ["reports:read"]})
}

fn a_key(cast: &Cast) -> Value {
    json!({"key": cast.target.text})
}

fn some_keys(cast: &Cast) -> Value {
    json!({"keys": [cast.target.text, "nonsense"]})
}

fn a_token(cast: &Cast) -> Value {
    json!({"token": cast.target.text})
}

/// Of a key that no other row revokes.
fn an_exchange(cast: &Cast) -> Value {
    super::exchange::form(&cast.scoped.text)
}

fn no_token(_: &Cast) -> Value {
    json!({"token": "nonsense"})
}

/// A path of the table with something in place of what is left open: this id, the name of a role or of a file there is.
pub(super) fn target(path: &str, id: &str) -> String {
    path.replace("{id}", id)
        .replace("{name}", "reader")
        .replace("{file}", "redoc-start.css")
}

/// Every route with its row. A route that was added to the table and not to the suite fails here.
pub(super) fn rows() -> Vec<(&'static Route, &'static Row)> {
    let row_of = |route: &'static Route| {
        let name = format!("{} {}", route.method, route.path);
        let row = ROWS.iter().find(|row| row.route == name);
        let row = row.unwrap_or_else(|| panic!("{name} has no row in testkit/http/rows.rs"));
        (route, row)
    };
    assert_eq!(ROWS.len(), routes().len(), "a row without a route");
    routes().iter().map(row_of).collect()
}

impl Row {
    /// What it answers to whom.
    pub(super) fn status(&self, presented: Presented) -> u16 {
        let column = Presented::ALL.iter().position(|other| *other == presented);
        self.statuses[column.unwrap()]
    }

    /// What it answers when all is well, and to whom.
    pub(super) fn good(&self) -> (Presented, u16) {
        let who = match self.status(Presented::Token) {
            403 => Presented::AdminsToken,
            _ => Presented::Token,
        };
        (who, self.status(who))
    }
}

/// Those who make the requests.
#[derive(Debug)]
pub(super) struct Cast {
    pub(super) user: User,
    admin: User,
    /// The key the requests are about.
    target: Key,
    bare: Key,
    scoped: Key,
    anothers: Key,
    /// Whom requests about an account are about.
    bystander: User,
    /// Another session of the user's, which requests about a session are about.
    session: Session,
}

/// Of a key that may call every route that is not for admins.
fn all_scopes() -> Value {
    json!({"scopes": ["keys:*", "audit:read"]})
}

impl Cast {
    pub(super) async fn of(world: &World) -> Self {
        let (user, another) = (world.user().await, world.user().await);
        let admin = world.admin().await;
        let all = all_scopes();
        let session = if world.sakms.has_sessions() {
            world.session(&user).await
        } else {
            Session::default()
        };
        Self {
            target: world.key(&user).await,
            bare: world.key(&user).await,
            scoped: world.key_with(&user, &all).await,
            anothers: world.key_with(&another, &all).await,
            bystander: world.user().await,
            session,
            admin,
            user,
        }
    }

    /// With the keys that requests have changed made anew.
    pub(super) async fn again(&mut self, world: &World) {
        let all = all_scopes();
        self.target = world.key(&self.user).await;
        self.scoped = world.key_with(&self.user, &all).await;
    }

    /// A good request to a route, but for what it presents.
    pub(super) fn request(&self, world: &World, (route, row): (&Route, &Row)) -> Request {
        let id = if route.path.starts_with("/accounts/") {
            &self.bystander.id
        } else if route.path.starts_with("/auth/") {
            &self.session.id
        } else {
            &self.target.id
        };
        let target = target(route.path, id);
        let request = world.client.request(route.method.as_str(), &target);
        match row.body {
            // OAuth has forms.
            Some(body) if route.path.starts_with("/oauth/") => request.form(&body(self)),
            Some(body) => request.json(&body(self)),
            None => request,
        }
    }

    /// The same with a credential.
    pub(super) fn present(&self, request: Request, presented: Presented) -> Request {
        match presented {
            Presented::Nothing => request,
            Presented::Garbage => request.bearer("garbage"),
            Presented::Token => request.bearer(&self.user.token),
            Presented::KeyWithoutScope => request.bearer(&self.bare.text),
            Presented::KeyWithScope => request.api_key(&self.scoped.text),
            Presented::AnothersKey => request.bearer(&self.anothers.text),
            Presented::AdminsToken => request.bearer(&self.admin.token),
        }
    }
}
