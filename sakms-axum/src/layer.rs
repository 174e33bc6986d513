//! The guard as a tower layer.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::extract::ConnectInfo;
use axum::response::Response;
use http::{Extensions, HeaderMap, Request};
use pin_project_lite::pin_project;
use sakms_core::http::{Check, CheckFuture, Guard, TrustedProxies};
use sakms_core::key::{Environment, InvalidScope};
use sakms_core::service::{Requirement, Sakms};
use tower_layer::Layer;
use tower_service::Service;

use crate::convert;
use crate::per_thread::PerThread;

/// Lets requests with a good API key through to the routes under it, and answers all others.
///
/// The handler takes [`Authenticated`](crate::Authenticated) or [`MaybeAuthenticated`](crate::MaybeAuthenticated).
/// With [`Router::route_layer`](axum::Router::route_layer) it guards the routes that were added before it.
///
/// To know where a request comes from, for keys that may be used from some addresses only, it needs the host to serve with
/// [`Router::into_make_service_with_connect_info`](axum::Router::into_make_service_with_connect_info) of a
/// [`SocketAddr`]. Without that such keys are refused.
#[derive(Debug, Clone)]
pub struct RequireKey(pub(crate) Guard);

impl RequireKey {
    /// Any key that stands, of the service's first environment.
    #[must_use]
    pub fn new(sakms: &Sakms) -> Self {
        Self(Guard::any_key(sakms))
    }

    /// The key must hold this scope as well.
    ///
    /// # Errors
    /// [`InvalidScope`] when the text is no scope, so that a typo fails at start.
    pub fn scope(self, scope: &str) -> Result<Self, InvalidScope> {
        self.0.scope(scope).map(Self)
    }

    /// The key must be of this environment, instead of the service's first one.
    #[must_use]
    pub fn environment(self, environment: Environment) -> Self {
        Self(self.0.environment(environment))
    }

    /// The key may be of any environment.
    #[must_use]
    pub fn any_environment(self) -> Self {
        Self(self.0.any_environment())
    }

    /// Changes what the key must meet altogether: `"(a:b or c:d) and not e:f".parse()?`.
    #[must_use]
    pub fn requirement(self, requirement: Requirement) -> Self {
        Self(self.0.requirement(requirement))
    }

    /// How much each request takes out of a key's rates and quota; 1 when nothing is said.
    #[must_use]
    pub fn cost(self, cost: NonZeroU32) -> Self {
        Self(self.0.cost(cost))
    }

    /// Which proxies are believed when they say where a request came from; none when nothing is said.
    #[must_use]
    pub fn trusted_proxies(self, proxies: TrustedProxies) -> Self {
        Self(self.0.trusted_proxies(proxies))
    }

    /// A request that presents nothing is let through; one that presents something is still checked.
    #[must_use]
    pub fn or_anonymous(self) -> Self {
        Self(self.0.or_anonymous())
    }

    /// People who have signed in are let through as well; the handler then takes
    /// [`AuthenticatedCaller`](crate::AuthenticatedCaller). Scopes, environments and limits are asked of keys alone.
    #[must_use]
    pub fn or_token(self) -> Self {
        Self(self.0.or_token())
    }
}

/// The other end of the connection, where the host lets axum tell it.
pub(crate) fn peer(extensions: &Extensions) -> Option<IpAddr> {
    let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
    Some(peer.ip())
}

impl<S> Layer<S> for RequireKey {
    type Service = RequireKeyService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        let guard = PerThread::new(|| self.0.clone());
        RequireKeyService { guard, inner }
    }
}

/// The service that [`RequireKey`] makes.
#[derive(Debug, Clone)]
pub struct RequireKeyService<S> {
    guard: PerThread<Guard>,
    inner: S,
}

impl<S, B> Service<Request<B>> for RequireKeyService<S>
where
    S: Service<Request<B>, Response = Response> + Clone,
{
    type Response = Response;
    type Error = S::Error;
    type Future = GuardFuture<S, B>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let peer = peer(request.extensions());
        let state = match self.guard.get().check(request.headers(), peer) {
            Check::Admitted(admission) => {
                let added = admission.headers();
                request.extensions_mut().insert(admission);
                State::Calling {
                    future: self.inner.call(request),
                    added,
                }
            }
            Check::Refused(refusal) => State::Refused {
                refusal: Some(convert::response(refusal)),
            },
            Check::Pending(check) => {
                // The service that was found ready is the one to call; its clone waits for the next request.
                let clone = self.inner.clone();
                let service = std::mem::replace(&mut self.inner, clone);
                State::Checking {
                    check,
                    next: Some((service, request)),
                }
            }
        };
        GuardFuture { state }
    }
}

pin_project! {
    /// The future of [`RequireKeyService`].
    pub struct GuardFuture<S: Service<Request<B>>, B> {
        #[pin]
        state: State<S, B>,
    }
}

impl<S: Service<Request<B>>, B> std::fmt::Debug for GuardFuture<S, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GuardFuture").finish_non_exhaustive()
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S: Service<Request<B>>, B> {
        Refused { refusal: Option<Response> },
        Checking { check: CheckFuture, next: Option<(S, Request<B>)> },
        Calling { #[pin] future: S::Future, added: Option<Box<HeaderMap>> },
    }
}

impl<S, B> Future for GuardFuture<S, B>
where
    S: Service<Request<B>, Response = Response>,
{
    type Output = Result<Response, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let (future, added) = match state.as_mut().project() {
                StateProjection::Calling { future, added } => {
                    let mut answered = ready!(future.poll(context));
                    if let (Ok(response), Some(added)) = (&mut answered, added.take()) {
                        convert::add(response, &added);
                    }
                    return Poll::Ready(answered);
                }
                StateProjection::Refused { refusal } => match refusal.take() {
                    Some(refusal) => return Poll::Ready(Ok(refusal)),
                    None => return Poll::Pending,
                },
                StateProjection::Checking { check, next } => {
                    let admission = match ready!(check.as_mut().poll(context)) {
                        Ok(admission) => admission,
                        Err(refusal) => return Poll::Ready(Ok(convert::response(refusal))),
                    };
                    let Some((mut service, mut request)) = next.take() else {
                        return Poll::Pending;
                    };
                    let added = admission.headers();
                    request.extensions_mut().insert(admission);
                    (service.call(request), added)
                }
            };
            state.set(State::Calling { future, added });
        }
    }
}
