//! What others need to check tokens.

use bytes::Bytes;
use http::StatusCode;
use http::header::{CACHE_CONTROL, ETAG, HeaderValue};

use crate::http::call::{Call, Reply};
use crate::http::conditional::{has_version, version_of};
use crate::http::problem::Problem;

/// RFC 7517, section 8.5.
pub(in crate::http) const JWK_SET: &str = "application/jwk-set+json";
/// For how long the keys may be kept. A new key should be published for that long before it signs.
pub(in crate::http) const KEPT: &str = "public, max-age=300";

/// The public keys.
pub(in crate::http) async fn jwks(call: Call) -> Result<Reply, Problem> {
    let jwks = call.sakms.jwks().ok_or_else(Problem::not_found)?;
    // A struct of text cannot fail to serialise.
    let body = serde_json::to_vec(&jwks).unwrap_or_default();
    let version = version_of(&body);
    let reply = if has_version(&call.headers, &version) {
        Reply::text(StatusCode::NOT_MODIFIED, JWK_SET, Bytes::new())
    } else {
        Reply::text(StatusCode::OK, JWK_SET, body)
    };
    Ok(reply
        .with(ETAG, version)
        .with(CACHE_CONTROL, HeaderValue::from_static(KEPT)))
}
