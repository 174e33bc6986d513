//! The log line of a request, as an axum middleware.

use std::panic::AssertUnwindSafe;

use axum::extract::{MatchedPath, Request};
use axum::http::header::{CONNECTION, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt as _;
use sakms_core::http::Problem;
use tracing::Instrument as _;

use super::{Entry, REQUEST_ID};
use crate::listen;

/// Runs around every request.
pub(crate) async fn request(request: Request, next: Next) -> Response {
    let route = request.extensions().get().map(MatchedPath::as_str);
    let entry = Entry::begin(request.method().as_str(), route);
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    let answer = answer.instrument(entry.span()).await;
    let mut response =
        answer.unwrap_or_else(|_| Problem::panicked().into_response().map(Into::into));
    if let Ok(id) = entry.id().parse() {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    if listen::is_stopping() {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    entry.end(response.status().as_u16());
    response
}
