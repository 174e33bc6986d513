//! The guard for people who have signed in, as a tower layer.

use sakms_core::http::Guard;
use sakms_core::service::Sakms;
use tower_layer::Layer;

use crate::layer::{RequireKey, RequireKeyService};

/// Lets people through to the routes under it who show a good token, and answers all others; keys too.
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

impl<S> Layer<S> for RequireToken {
    type Service = RequireKeyService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        self.0.layer(inner)
    }
}
