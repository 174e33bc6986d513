//! What an adapter serves: the settings of the HTTP side, and one function that serves any row of the table.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::header::{HeaderMap, HeaderValue};
use http::request::Parts;

use super::answer::{self, DEPRECATION};
use super::body;
use super::call::Call;
use super::client_address::TrustedProxies;
use super::credentials::{Credential, credential_or_query};
use super::problem::Problem;
use super::resource::{Resource, stands_at};
use super::response::Response;
use super::route::{Access, Group, Route, routes};
use crate::key::Scope;
use crate::service::{Caller, Circumstances, Requirement, Sakms};
use crate::verdict::Verdict;

/// Since when `?token=` is deprecated (RFC 9745): the first release, 2026-11-22T00:00:00Z.
pub(super) const QUERY_TOKEN_DEPRECATED: &str = "@1795305600";

/// Whether a token may stand in the query (`?token=`). It ends up in logs and histories there, so a library that is
/// asked nothing says no.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum QueryToken {
    /// It is taken, and the answer is marked as deprecated.
    Allow,
    /// It is refused.
    #[default]
    Deny,
}

/// The HTTP side of a service: [`Sakms`] and how it answers.
#[derive(Debug, Clone)]
pub struct Api {
    sakms: Sakms,
    query_token: QueryToken,
    proxies: TrustedProxies,
    body_limit: usize,
    body_time: Duration,
    pub(super) groups: Arc<HashSet<Group>>,
    #[cfg(feature = "openapi")]
    pub(super) description: super::openapi::Description,
}

impl From<Sakms> for Api {
    /// The defaults: every group the service has parts for, no token in the query, bodies of at most 64 KiB that
    /// arrive within 10 seconds.
    fn from(sakms: Sakms) -> Self {
        let mut groups = HashSet::from([
            Group::Keys,
            Group::Roles,
            Group::OAuth,
            Group::Audit,
            Group::Meta,
            Group::Documents,
        ]);
        if sakms.has_accounts() {
            groups.insert(Group::Accounts);
        }
        if sakms.has_sessions() {
            groups.insert(Group::Sessions);
        }
        if sakms.has_mailer() {
            groups.insert(Group::Recovery);
        }
        if sakms.has_tokens() {
            groups.insert(Group::Tokens);
        }
        if sakms.exchanges_keys() {
            groups.insert(Group::Exchange);
        }
        let (body_limit, body_time) = (64 * 1024, Duration::from_secs(10));
        Self {
            sakms,
            query_token: QueryToken::default(),
            proxies: TrustedProxies::none(),
            body_limit,
            body_time,
            groups: Arc::new(groups),
            #[cfg(feature = "openapi")]
            description: super::openapi::Description::default(),
        }
    }
}

impl Api {
    /// Whether a token may stand in the query.
    #[must_use]
    pub const fn query_token(mut self, setting: QueryToken) -> Self {
        self.query_token = setting;
        self
    }

    /// Which proxies are believed when they say where a request came from; none when nothing is said. A host's own guards are
    /// told apart ([`Guard::trusted_proxies`](super::Guard::trusted_proxies)).
    #[must_use]
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// How many bytes a body may have; 64 KiB when nothing is said.
    #[must_use]
    pub const fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// How long a body may take to arrive; 10 seconds when nothing is said.
    #[must_use]
    pub const fn body_time(mut self, time: Duration) -> Self {
        self.body_time = time;
        self
    }

    /// Which groups of routes are there.
    #[must_use]
    pub fn groups(mut self, groups: impl IntoIterator<Item = Group>) -> Self {
        self.groups = Arc::new(groups.into_iter().collect());
        #[cfg(feature = "openapi")]
        self.description.forget();
        self
    }

    /// Which proxies are believed.
    #[must_use]
    pub const fn proxies(&self) -> &TrustedProxies {
        &self.proxies
    }

    /// The service.
    #[must_use]
    pub const fn sakms(&self) -> &Sakms {
        &self.sakms
    }

    /// The rows an adapter registers.
    pub fn routes(&self) -> impl Iterator<Item = &'static Route> {
        routes()
            .iter()
            .filter(|route| self.groups.contains(&route.group))
    }

    /// The same rows by path, for routers that want the methods of a path together.
    #[must_use]
    pub fn resources(&self) -> Vec<Resource> {
        Resource::of(self.routes())
    }

    /// Serves one row: finds out who calls, reads the body, runs the handler, and turns whatever comes of it into a
    /// response. `peer` is the address of the connection's other end, where it is known.
    pub async fn serve<B, E>(
        &self,
        route: &'static Route,
        parts: Parts,
        peer: Option<IpAddr>,
        body: B,
    ) -> Response
    where
        B: Stream<Item = Result<Bytes, E>>,
    {
        let mut added = HeaderMap::new();
        let address = self.proxies.client(peer, &parts.headers);
        let answer = self.answer(route, parts, address, body, &mut added);
        let mut response = match answer.await {
            Ok(response) => response,
            Err(problem) => problem.into_response(),
        };
        response.headers_mut().extend(added);
        response
    }

    async fn answer<B, E>(
        &self,
        route: &'static Route,
        parts: Parts,
        address: Option<IpAddr>,
        body: B,
        added: &mut HeaderMap,
    ) -> Result<Response, Problem>
    where
        B: Stream<Item = Result<Bytes, E>>,
    {
        if !stands_at(route.path, parts.uri.path()) {
            return Err(Problem::not_found());
        }
        let id = route.id_in(parts.uri.path());
        let query = parts.uri.query().unwrap_or_default().to_owned();
        // Who calls comes before the body: a stranger does not get to have their body read.
        let caller = match &route.access {
            Access::Anyone => None,
            Access::Caller(scope) => {
                let scope = Some(scope);
                Some(self.caller(&parts, &query, address, scope, added).await?)
            }
            Access::KeyHolder => {
                let caller = self.caller(&parts, &query, address, None, added).await?;
                caller.require_key()?;
                Some(caller)
            }
            Access::SignedIn => {
                let caller = self.caller(&parts, &query, address, None, added).await?;
                caller.require_token()?;
                Some(caller)
            }
            Access::Admin => {
                let caller = self.caller(&parts, &query, address, None, added).await?;
                caller.require_admin()?;
                Some(caller)
            }
        };
        let body = if route.takes_body {
            body::read(&parts.headers, body, self.body_limit, self.body_time).await?
        } else {
            Bytes::new()
        };
        let call = Call {
            sakms: self.sakms.clone(),
            caller,
            address,
            id,
            #[cfg(feature = "docs-ui")]
            slashed: parts.uri.path().ends_with('/'),
            #[cfg(feature = "docs-ui")]
            api: self.clone(),
            query,
            headers: parts.headers,
            body,
        };
        Ok((route.handler)(call).await?.into_response())
    }

    /// Who calls: whom the host put there, a key with the scope (if one is asked for), or an account by its token, in
    /// this order. `added` gets what the answer is to say of the credential, whatever else it says.
    async fn caller(
        &self,
        parts: &Parts,
        query: &str,
        address: Option<IpAddr>,
        scope: Option<&Scope>,
        added: &mut HeaderMap,
    ) -> Result<Caller, Problem> {
        if let Some(caller) = parts.extensions.get::<Caller>() {
            scope.map_or(Ok(()), |scope| caller.require(scope))?;
            return Ok(caller.clone());
        }
        let query_token = self.query_token == QueryToken::Allow;
        let (credential, from_query) = credential_or_query(&parts.headers, query, query_token)?;
        if from_query {
            let deprecated = HeaderValue::from_static(QUERY_TOKEN_DEPRECATED);
            added.insert(DEPRECATION, deprecated);
        }
        match credential.ok_or_else(Problem::credential_missing)? {
            Credential::Token(token) => match self.sakms.authenticate(&token).await? {
                Verdict::Granted(caller) => Ok(caller),
                Verdict::Denied(denial) => Err(Problem::token_denied(denial)),
            },
            Credential::Key(key) => {
                // Of any environment: an owner's keys are managed together.
                let requirement = scope.map_or_else(Requirement::any_key, Requirement::from);
                let circumstances = Circumstances {
                    address,
                    ..Circumstances::default()
                };
                let verdict = self.sakms.verify_with(&key, &requirement, &circumstances);
                match verdict.await? {
                    Verdict::Granted(key) => {
                        added.extend(
                            answer::fields(key.standing())
                                .map(|fields| *fields)
                                .unwrap_or_default(),
                        );
                        Ok(Caller::key(key))
                    }
                    Verdict::Denied(denial) => Err(Problem::key_denied(&denial)),
                }
            }
        }
    }
}
