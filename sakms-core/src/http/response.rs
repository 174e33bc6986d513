//! Responses, before a framework takes them.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, HeaderMap, HeaderValue, X_CONTENT_TYPE_OPTIONS};

/// A response whose body is whole.
pub type Response = http::Response<Bytes>;

/// What every answer carries: it is for whoever asked and for nobody's cache.
pub(super) fn private(headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}
