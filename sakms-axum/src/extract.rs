//! What a guarded handler learns about the key.

use axum::extract::FromRequestParts;
use axum::response::Response;
use http::request::Parts;
use sakms_core::http::{Admission, Problem};
use sakms_core::service::{Caller, VerifiedKey};

use crate::convert;

/// The key that [`RequireKey`](crate::RequireKey) let through.
#[derive(Debug, Clone)]
pub struct Authenticated(pub VerifiedKey);

/// The key that [`RequireKey`](crate::RequireKey) let through, or nothing for a request that presented none, where the
/// layer allows that. A bad key and an outage never come this far.
#[derive(Debug, Clone)]
pub struct MaybeAuthenticated(pub Option<VerifiedKey>);

/// Whoever was let through by [`RequireToken`](crate::RequireToken) or [`RequireKey`](crate::RequireKey): what they may do, and
/// the claims of their token or their key.
#[derive(Debug, Clone)]
pub struct AuthenticatedCaller(pub Caller);

fn reject(problem: Problem) -> Response {
    convert::response(problem.into_response())
}

impl<S: Sync> FromRequestParts<S> for Authenticated {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Response> {
        Admission::key(parts.extensions.get())
            .map(Self)
            .map_err(reject)
    }
}

impl<S: Sync> FromRequestParts<S> for MaybeAuthenticated {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Response> {
        Admission::key_if_any(parts.extensions.get())
            .map(Self)
            .map_err(reject)
    }
}

impl<S: Sync> FromRequestParts<S> for AuthenticatedCaller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Response> {
        Admission::caller(parts.extensions.get())
            .map(Self)
            .map_err(reject)
    }
}
