//! The guard as an actix middleware.

use std::future::{Ready, ready};
use std::num::NonZeroU32;
use std::rc::Rc;

use actix_web::body::EitherBody;
use actix_web::dev::{Payload, Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::{Error, HttpMessage as _};
use futures_util::future::{Either, LocalBoxFuture, MapOk};
use futures_util::{StreamExt as _, TryFutureExt as _};
use sakms_core::http::{Admission, Check, Guard, Response, TrustedProxies};
use sakms_core::key::{Environment, InvalidScope};
use sakms_core::service::{Requirement, Sakms};

use crate::{convert, unread};

/// Lets requests with a good API key through to what it wraps (a resource, a scope, an app), and answers all others.
///
/// The handler takes [`Authenticated`](crate::Authenticated) or [`MaybeAuthenticated`](crate::MaybeAuthenticated).
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

impl<S, B> Transform<S, ServiceRequest> for RequireKey
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = RequireKeyService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(RequireKeyService {
            guard: self.0.clone(),
            inner: Rc::new(inner),
        }))
    }
}

/// The service that [`RequireKey`] makes.
#[derive(Debug)]
pub struct RequireKeyService<S> {
    guard: Guard,
    inner: Rc<S>,
}

type Outcome<B> = Result<ServiceResponse<EitherBody<B>>, Error>;
type IntoOutcome<B> = fn(ServiceResponse<B>) -> ServiceResponse<EitherBody<B>>;

impl<S, B> Service<ServiceRequest> for RequireKeyService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Either<
        MapOk<S::Future, IntoOutcome<B>>,
        Either<Ready<Outcome<B>>, LocalBoxFuture<'static, Outcome<B>>>,
    >;

    forward_ready!(inner);

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let admission = match convert::headers(request.headers(), self.guard.reads()) {
            Ok(headers) => self
                .guard
                .check(&headers, convert::peer(request.peer_addr())),
            Err(problem) => Check::Refused(problem.into_response()),
        };
        match admission {
            Check::Admitted(admission) if admission.headers().is_some() => {
                let inner = Rc::clone(&self.inner);
                Either::Right(Either::Right(Box::pin(let_in(inner, request, admission))))
            }
            Check::Admitted(admission) => {
                request.extensions_mut().insert(admission);
                let through: IntoOutcome<B> = ServiceResponse::map_into_left_body;
                Either::Left(self.inner.call(request).map_ok(through))
            }
            Check::Refused(refusal) => Either::Right(match request.parts_mut().1 {
                Payload::None => {
                    let response = request.into_response(convert::response(refusal));
                    Either::Left(ready(Ok(response.map_into_right_body())))
                }
                _ => Either::Right(Box::pin(refuse(request, refusal))),
            }),
            Check::Pending(check) => {
                let inner = Rc::clone(&self.inner);
                Either::Right(Either::Right(Box::pin(async move {
                    match check.await {
                        Ok(admission) => let_in(inner, request, admission).await,
                        Err(refusal) => refuse(request, refusal).await,
                    }
                })))
            }
        }
    }
}

async fn let_in<S, B>(inner: Rc<S>, request: ServiceRequest, admission: Admission) -> Outcome<B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    let added = admission.headers();
    request.extensions_mut().insert(admission);
    let mut response = inner.call(request).await?;
    if let Some(added) = added {
        convert::add(response.headers_mut(), &added);
    }
    Ok(response.map_into_left_body())
}

async fn refuse<B>(mut request: ServiceRequest, refusal: Response) -> Outcome<B> {
    let response = unread::answer(refusal, request.take_payload().fuse()).await;
    Ok(request.into_response(response).map_into_right_body())
}
