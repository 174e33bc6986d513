//! What others need to check tokens: the public keys, and word of what was revoked.

use bytes::Bytes;
use http::StatusCode;
use http::header::{CACHE_CONTROL, ETAG, HeaderValue};

use crate::http::call::{Call, Reply};
use crate::http::conditional::{has_version, version_of};
use crate::http::dto::Feed;
use crate::http::problem::Problem;
use crate::service::Sakms;
use crate::verdict::Verdict;

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

/// What was put an end to since the reader last asked.
pub(in crate::http) async fn revocations(call: Call) -> Result<Reply, Problem> {
    call.refuse_parameters_but(&["after", "limit"])?;
    let after = call.parsed("after", str::parse)?;
    let number = |text: &str| {
        text.parse()
            .map_err(|_| "must be a whole number between 1 and 500")
    };
    let limit = call.parsed("limit", number)?;
    let page = call
        .sakms
        .revocations(after, limit.unwrap_or(Sakms::MAX_FEED_ROWS));
    match page.await? {
        Verdict::Granted(page) => Ok(Reply::ok(&Feed::from(&page))),
        Verdict::Denied(_) => Err(Problem::position_gone()),
    }
}
