//! The route table.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::LazyLock;

use http::Method;

use super::call::{Call, Reply};
#[cfg(feature = "docs-ui")]
use super::handlers::documents;
use super::handlers::{
    ask, audit, auth, bulk, exchange, keys, meta, oversight, recovery, roles, rotation, sessions,
    state, tokens,
};
use super::problem::Problem;
use crate::key::Scope;

pub(super) type HandlerFuture = Pin<Box<dyn Future<Output = Result<Reply, Problem>> + Send>>;

/// One row of the table.
pub struct Route {
    /// The method it answers to. A GET answers to HEAD as well.
    pub method: Method,
    /// The path, without a trailing slash; it answers with one too. `{id}` stands for one segment, and so does any
    /// other name; a path has at most one.
    pub path: &'static str,
    /// Which part of the service it belongs to.
    pub group: Group,
    /// Who may call.
    pub access: Access,
    /// Whether it reads a body.
    pub takes_body: bool,
    pub(super) handler: fn(Call) -> HandlerFuture,
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// A part of the service that a host mounts or leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Group {
    /// Registering, signing in, and changing a password.
    Accounts,
    /// Resetting a password and confirming an address by a code that is mailed; there by default where somebody sends mail.
    Recovery,
    /// Refreshing and ending sessions; there by default where those who sign in have any.
    Sessions,
    /// What others need to check tokens; there by default where somebody issues any.
    Tokens,
    /// Managing keys.
    Keys,
    /// Defining roles.
    Roles,
    /// Asking about keys and revoking them as OAuth does (RFC 7662 and RFC 7009).
    OAuth,
    /// Exchanging keys for tokens (RFC 8693); there by default where that is set up.
    Exchange,
    /// Reading the journal.
    Audit,
    /// Health.
    Meta,
    /// The OpenAPI document and the pages that show it; there with the feature `docs-ui`.
    Documents,
}

/// Who may call a route.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// Anyone.
    Anyone,
    /// Whoever the host says, an account by its token, or a key that holds this scope.
    Caller(Scope),
    /// An account by its token. No key, and nobody of whom the host says who they are.
    SignedIn,
    /// Whoever holds a key, whatever its scopes are.
    KeyHolder,
    /// An admin: whom the host says, or an account that holds that role. No key.
    Admin,
}

macro_rules! row {
    ($method:ident $path:literal, $group:ident, $access:expr, $body:literal, $handler:path) => {
        Route {
            method: Method::$method,
            path: $path,
            group: Group::$group,
            access: $access,
            takes_body: $body,
            handler: |call| Box::pin($handler(call)),
        }
    };
}

const ANYONE: Access = Access::Anyone;

/// A row whose scope is misspelt would be open to nobody: `*` is the narrowest door there is.
fn holding(scope: &str) -> Access {
    Access::Caller(scope.parse().unwrap_or_else(|_| Scope::everything()))
}

/// Every route there is.
#[must_use]
pub fn routes() -> &'static [Route] {
    static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| {
        let rows = vec![
            row!(POST "/auth/register", Accounts, ANYONE, true, auth::register),
            row!(POST "/auth/login", Accounts, ANYONE, true, auth::login),
            row!(POST "/auth/password", Accounts, Access::SignedIn, true, auth::change_password),
            row!(POST "/auth/reset", Recovery, ANYONE, true, recovery::request_reset),
            row!(POST "/auth/reset/confirm", Recovery, ANYONE, true, recovery::reset),
            row!(POST "/auth/confirm", Recovery, ANYONE, true, recovery::confirm),
            row!(POST "/auth/refresh", Sessions, ANYONE, true, sessions::refresh),
            row!(POST "/auth/logout", Sessions, Access::SignedIn, false, sessions::logout),
            row!(POST "/auth/logout-all", Sessions, Access::SignedIn, false, sessions::logout_all),
            row!(GET "/auth/sessions", Sessions, Access::SignedIn, false, sessions::list),
            row!(DELETE "/auth/sessions/{id}", Sessions, Access::SignedIn, false, sessions::end),
            row!(POST "/keys", Keys, holding("keys:write"), true, keys::create),
            row!(GET "/keys", Keys, holding("keys:read"), false, keys::list),
            row!(GET "/keys/{id}", Keys, holding("keys:read"), false, keys::get),
            row!(PATCH "/keys/{id}", Keys, holding("keys:write"), true, keys::update),
            row!(POST "/keys/revoke", Keys, holding("keys:write"), true, bulk::revoke),
            row!(POST "/keys/{id}/disable", Keys, holding("keys:write"), false, state::disable),
            row!(POST "/keys/{id}/enable", Keys, holding("keys:write"), false, state::enable),
            row!(POST "/keys/{id}/rotate", Keys, holding("keys:write"), true, rotation::rotate),
            row!(POST "/keys/{id}/rotation/finish", Keys, holding("keys:write"), false, rotation::finish),
            row!(POST "/keys/{id}/rotation/cancel", Keys, holding("keys:write"), false, rotation::cancel),
            row!(POST "/keys/{id}/revoke", Keys, holding("keys:write"), false, state::revoke),
            row!(POST "/keys/current/revoke", Keys, Access::KeyHolder, false, state::revoke_current),
            row!(GET "/roles", Roles, holding("keys:read"), false, roles::list),
            row!(PUT "/roles/{name}", Roles, Access::Admin, true, roles::set),
            row!(DELETE "/roles/{name}", Roles, Access::Admin, false, roles::remove),
            row!(GET "/keys/{id}/usage", Keys, holding("keys:read"), false, oversight::usage),
            row!(POST "/keys/{id}/explain", Keys, Access::Admin, true, oversight::explain),
            row!(POST "/keys/verify", Keys, holding("keys:verify"), true, ask::verify),
            row!(POST "/keys/verify/batch", Keys, holding("keys:verify"), true, ask::verify_each),
            row!(POST "/oauth/introspect", OAuth, holding("keys:verify"), true, ask::introspect),
            row!(POST "/oauth/revoke", OAuth, ANYONE, true, ask::revoke),
            row!(GET "/oauth/revocations", Tokens, holding("keys:verify"), false, tokens::revocations),
            row!(POST "/oauth/token", Exchange, ANYONE, true, exchange::exchange),
            row!(GET "/accounts", Accounts, Access::Admin, false, oversight::accounts),
            row!(POST "/accounts/{id}/disable", Accounts, Access::Admin, false, oversight::disable),
            row!(POST "/accounts/{id}/enable", Accounts, Access::Admin, false, oversight::enable),
            row!(GET "/audit", Audit, holding("audit:read"), false, audit::list),
            row!(GET "/.well-known/jwks.json", Tokens, ANYONE, false, tokens::jwks),
            row!(GET "/health", Meta, ANYONE, false, meta::health),
            row!(GET "/ready", Meta, ANYONE, false, meta::ready),
        ];
        #[cfg(feature = "docs-ui")]
        let rows = rows.into_iter().chain([
            row!(GET "/openapi.json", Documents, ANYONE, false, documents::openapi),
            row!(GET "/docs", Documents, ANYONE, false, documents::docs),
            row!(GET "/docs/{file}", Documents, ANYONE, false, documents::file),
            row!(GET "/redoc", Documents, ANYONE, false, documents::redoc),
        ]);
        rows.into_iter().collect()
    });
    &ROUTES
}

/// The methods that some route answers to at `path` (a path of the table), HEAD included.
#[must_use]
pub fn allowed_methods(path: &str) -> Vec<Method> {
    let mut methods = Vec::new();
    for route in routes().iter().filter(|route| route.path == path) {
        methods.extend(route.methods());
    }
    methods
}

impl Route {
    /// The methods it answers to: its own, and HEAD when that is GET.
    #[must_use]
    pub fn methods(&self) -> Vec<Method> {
        let mut methods = vec![self.method.clone()];
        if self.method == Method::GET {
            methods.push(Method::HEAD);
        }
        methods
    }

    /// What stands in `path` where this route has `{id}` or the like, percent-decoded.
    ///
    /// The path is read from the right, so that it does not matter under which prefix a host mounted the route.
    pub(super) fn id_in(&self, path: &str) -> Option<String> {
        let path = path.strip_suffix('/').unwrap_or(path);
        let mut found = path.rsplit('/');
        self.path
            .rsplit('/')
            .find_map(|wanted| found.next().filter(|_| wanted.starts_with('{')))
            .and_then(|text| {
                percent_encoding::percent_decode_str(text)
                    .decode_utf8()
                    .ok()
                    .map(std::borrow::Cow::into_owned)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &Method, path: &str) -> &'static Route {
        routes()
            .iter()
            .find(|route| route.method == *method && route.path == path)
            .unwrap()
    }

    #[test]
    fn every_row_is_there_once_and_every_scope_is_one() {
        for (place, row) in routes().iter().enumerate() {
            let same = |other: &Route| other.method == row.method && other.path == row.path;
            assert!(!routes()[place + 1..].iter().any(same), "{row:?}");
            assert!(
                row.path.starts_with('/') && !row.path.ends_with('/'),
                "{row:?}"
            );
            assert_ne!(row.access, Access::Caller(Scope::everything()), "{row:?}");
        }
    }

    #[test]
    fn an_id_is_found_under_any_prefix() {
        let revoke = route(&Method::POST, "/keys/{id}/revoke");
        for path in [
            "/keys/a%62c/revoke",
            "/keys/abc/revoke/",
            "/account/keys/abc/revoke",
        ] {
            assert_eq!(revoke.id_in(path).as_deref(), Some("abc"), "{path}");
        }
        assert_eq!(
            route(&Method::GET, "/keys/{id}")
                .id_in("/keys/abc/")
                .as_deref(),
            Some("abc")
        );
        assert_eq!(route(&Method::GET, "/keys/{id}").id_in("/keys/%FF"), None);
        assert_eq!(route(&Method::GET, "/keys").id_in("/keys"), None);
    }

    #[test]
    fn a_get_answers_to_head() {
        assert_eq!(
            allowed_methods("/keys"),
            [Method::POST, Method::GET, Method::HEAD]
        );
        assert_eq!(allowed_methods("/nothing"), [] as [Method; 0]);
    }
}
