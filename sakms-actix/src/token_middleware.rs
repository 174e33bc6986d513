//! The guard for people who have signed in, as an actix middleware.

use actix_web::dev::{ServiceRequest, Transform};
use sakms_core::http::Guard;
use sakms_core::service::Sakms;

use crate::middleware::RequireKey;

/// Lets people through to what it wraps who show a good token, and answers all others; keys too.
///
/// The handler takes [`AuthenticatedCaller`](crate::AuthenticatedCaller). For routes that are for people and for keys,
/// see [`RequireKey::or_token`].
#[derive(Debug, Clone)]
pub struct RequireToken(RequireKey);

impl RequireToken {
    /// Whoever has signed in.
    #[must_use]
    pub fn new(sakms: &Sakms) -> Self {
        Self(RequireKey(Guard::token(sakms)))
    }
}

impl<S> Transform<S, ServiceRequest> for RequireToken
where
    RequireKey: Transform<S, ServiceRequest>,
{
    type Response = <RequireKey as Transform<S, ServiceRequest>>::Response;
    type Error = <RequireKey as Transform<S, ServiceRequest>>::Error;
    type Transform = <RequireKey as Transform<S, ServiceRequest>>::Transform;
    type InitError = <RequireKey as Transform<S, ServiceRequest>>::InitError;
    type Future = <RequireKey as Transform<S, ServiceRequest>>::Future;

    fn new_transform(&self, inner: S) -> Self::Future {
        self.0.new_transform(inner)
    }
}
