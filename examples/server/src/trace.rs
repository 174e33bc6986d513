//! A log line and an id for each request, and an answer even when a handler panics.
//!
//! What is logged of a path is the route it matched, never its text nor its query: both may hold a secret.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt as _;
use http::{HeaderName, HeaderValue};
use sakms_core::http::Problem;
use tracing::Instrument as _;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Runs around every request.
pub(crate) async fn request(request: Request, next: Next) -> Response {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    // Unique within a process, which is what a log needs; it is no secret.
    let id = format!(
        "{:x}-{:x}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    );
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("-", MatchedPath::as_str)
        .to_owned();
    let span = tracing::info_span!(
        "sakms.http.request",
        id,
        method = method(request.method()),
        route
    );
    let start = now();
    let answer = async {
        let response = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        let mut response =
            response.unwrap_or_else(|_| Problem::panicked().into_response().map(Into::into));
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        tracing::info!(
            status = response.status().as_u16(),
            micros = start.elapsed().as_micros(),
            "answered"
        );
        response
    };
    answer.instrument(span).await
}

/// A method that is none of the usual is a stranger's text.
fn method(method: &http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PATCH" => "PATCH",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a duration for the log, on which nothing depends"
)]
fn now() -> Instant {
    Instant::now()
}
