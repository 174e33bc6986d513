//! The core's route table as an axum router.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter};
use sakms_core::http::{Api, Problem, Route, allowed_methods};

use crate::convert;

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
    let mut paths = BTreeMap::<&'static str, MethodRouter<S>>::new();
    for route in api.routes() {
        let Ok(method) = MethodFilter::try_from(route.method.clone()) else {
            continue;
        };
        let api = Arc::clone(&api);
        let handler = move |request: Request| serve(Arc::clone(&api), route, request);
        let methods = paths
            .remove(route.path)
            .unwrap_or_else(|| missing_method(route.path));
        paths.insert(route.path, methods.on(method, handler));
    }
    paths
        .into_iter()
        .fold(Router::new(), |router, (path, methods)| {
            router
                .route(path, methods.clone())
                .route(&format!("{path}/"), methods)
        })
}

async fn serve(api: Arc<Api>, route: &'static Route, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    convert::response(api.serve(route, parts, body.into_data_stream()).await)
}

fn missing_method<S>(path: &'static str) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    MethodRouter::new().fallback(move || async move {
        convert::response(Problem::method_not_allowed(&allowed_methods(path)).into_response())
    })
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
