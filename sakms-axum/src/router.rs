//! The core's route table as an axum router.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter};
use http::Uri;
use sakms_core::http::{Api, Problem, Resource, Route};

use crate::{convert, layer};

/// The routes of a service, to merge into or nest in a host's router, whatever its state.
///
/// Takes a [`Sakms`](sakms_core::service::Sakms) for the defaults, or an [`Api`] with settings of its own. Every path
/// answers with and without a trailing slash. Paths that are not in the table are the host's; [`not_found`] is there for
/// a host whose own paths shall answer alike.
///
/// # Panics
/// axum panics when a host's router has a route of the same path; leave the group out with [`Api::groups`].
pub fn router<S>(api: impl Into<Api>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let api = Arc::new(api.into());
    let mut router = Router::new();
    for resource in api.resources() {
        let methods = methods(&api, &resource);
        for pattern in resource.patterns() {
            router = router.route(&pattern, methods.clone());
        }
    }
    router
}

fn methods<S>(api: &Arc<Api>, resource: &Resource) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    let refusing = resource.clone();
    let refuse = async move |uri: Uri| convert::response(refusing.refuse(uri.path()));
    let mut methods = MethodRouter::new().fallback(refuse);
    for route in resource.routes() {
        let Ok(method) = MethodFilter::try_from(route.method.clone()) else {
            continue;
        };
        let api = Arc::clone(api);
        let handler = move |request: Request| serve(Arc::clone(&api), route, request);
        methods = methods.on(method, handler);
    }
    methods
}

async fn serve(api: Arc<Api>, route: &'static Route, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let peer = layer::peer(&parts.extensions);
    let body = body.into_data_stream();
    convert::response(api.serve(route, parts, peer, body).await)
}

/// Answers "method not allowed" as the routes of a service do: for [`Router::method_not_allowed_fallback`]. axum adds the
/// `Allow` header.
pub async fn method_not_allowed() -> Response {
    convert::response(Problem::method_not_allowed(&[]).into_response())
}

/// Answers "not found" as the routes of a service do: for [`Router::fallback`].
pub async fn not_found() -> Response {
    convert::response(Problem::not_found().into_response())
}
