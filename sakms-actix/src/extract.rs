//! What a guarded handler learns about the key.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::error::InternalError;
use actix_web::{Error, FromRequest, HttpMessage as _, HttpRequest};
use sakms_core::http::{Admission, Problem};
use sakms_core::service::{Caller, VerifiedKey};

use crate::convert;

/// The key that [`RequireKey`](crate::RequireKey) let through.
///
/// Not to be taken as `Option<Authenticated>`: actix makes `None` of every error, so that a forgotten guard would look like
/// somebody anonymous. [`MaybeAuthenticated`] is for that.
#[derive(Debug, Clone)]
pub struct Authenticated(pub VerifiedKey);

/// The key that [`RequireKey`](crate::RequireKey) let through, or nothing for a request that presented none, where the
/// guard allows that. A bad key and an outage never come this far.
#[derive(Debug, Clone)]
pub struct MaybeAuthenticated(pub Option<VerifiedKey>);

/// Whoever was let through by [`RequireToken`](crate::RequireToken) or [`RequireKey`](crate::RequireKey): what they may do, and
/// the claims of their token or their key.
#[derive(Debug, Clone)]
pub struct AuthenticatedCaller(pub Caller);

fn reject(problem: Problem) -> Error {
    let code = problem.code();
    InternalError::from_response(code, convert::response(problem.into_response())).into()
}

impl FromRequest for Authenticated {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let key = Admission::key(request.extensions().get());
        ready(key.map(Self).map_err(reject))
    }
}

impl FromRequest for MaybeAuthenticated {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let key = Admission::key_if_any(request.extensions().get());
        ready(key.map(Self).map_err(reject))
    }
}

impl FromRequest for AuthenticatedCaller {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let caller = Admission::caller(request.extensions().get());
        ready(caller.map(Self).map_err(reject))
    }
}
