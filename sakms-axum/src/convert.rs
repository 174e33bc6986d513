//! Between the core's responses and axum's.

use axum::body::Body;
use axum::response::Response;

pub(crate) fn response(response: sakms_core::http::Response) -> Response {
    response.map(Body::from)
}
