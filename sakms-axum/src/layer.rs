//! The guard as a tower layer.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::response::Response;
use http::Request;
use pin_project_lite::pin_project;
use sakms_core::http::{Admission, Check, CheckFuture, Guard};
use sakms_core::key::{Environment, InvalidScope};
use sakms_core::service::Sakms;
use tower_layer::Layer;
use tower_service::Service;

use crate::convert;
use crate::per_thread::PerThread;

/// Lets requests with a good API key through to the routes under it, and answers all others.
///
/// The handler takes [`Authenticated`](crate::Authenticated) or [`MaybeAuthenticated`](crate::MaybeAuthenticated).
/// With [`Router::route_layer`](axum::Router::route_layer) it guards the routes that were added before it.
#[derive(Debug, Clone)]
pub struct RequireKey(Guard);

impl RequireKey {
    /// Any key of the service that stands.
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

    /// The key must be of this environment.
    #[must_use]
    pub fn environment(self, environment: Environment) -> Self {
        Self(self.0.environment(environment))
    }

    /// A request that presents nothing is let through; one that presents something is still checked.
    #[must_use]
    pub fn or_anonymous(self) -> Self {
        Self(self.0.or_anonymous())
    }
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
        let state = match self.guard.get().check(request.headers()) {
            Check::Admitted(admission) => {
                request.extensions_mut().insert(admission);
                State::Calling {
                    future: self.inner.call(request),
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
        Calling { #[pin] future: S::Future },
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
            let future = match state.as_mut().project() {
                StateProjection::Calling { future } => return future.poll(context),
                StateProjection::Refused { refusal } => match refusal.take() {
                    Some(refusal) => return Poll::Ready(Ok(refusal)),
                    None => return Poll::Pending,
                },
                StateProjection::Checking { check, next } => {
                    let admission: Admission = match ready!(check.as_mut().poll(context)) {
                        Ok(admission) => admission,
                        Err(refusal) => return Poll::Ready(Ok(convert::response(refusal))),
                    };
                    let Some((mut service, mut request)) = next.take() else {
                        return Poll::Pending;
                    };
                    request.extensions_mut().insert(admission);
                    service.call(request)
                }
            };
            state.set(State::Calling { future });
        }
    }
}
