//! Between the core's responses and axum's.

use axum::body::Body;
use axum::response::Response;
use http::HeaderMap;

pub(crate) fn response(response: sakms_core::http::Response) -> Response {
    response.map(|body| {
        if body.is_empty() {
            // Of unknown length: axum would announce a length of 0 to HEAD, which is untrue of what was not modified
            // (RFC 9110, section 8.6).
            Body::from_stream(Body::empty().into_data_stream())
        } else {
            Body::from(body)
        }
    })
}

/// Appends headers to what a handler answered.
pub(crate) fn add(response: &mut Response, added: &HeaderMap) {
    for (name, value) in added {
        response.headers_mut().append(name, value.clone());
    }
}
