//! Answers that may be kept: which version an answer is, and whether the client has it (RFC 9110, section 13.1.2).

use http::header::{HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH};
use sha2::{Digest as _, Sha256};

/// The members of a header that holds a list (RFC 9110, section 5.6.1).
pub(super) fn members(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

/// Whether the request says that the client has this version. Weak and strong versions are compared alike, as is right
/// for `If-None-Match`.
pub(super) fn has_version(request: &HeaderMap, version: &HeaderValue) -> bool {
    let opaque = |tag: &[u8]| tag.strip_prefix(b"W/").unwrap_or(tag).to_vec();
    members(request, IF_NONE_MATCH)
        .any(|tag| tag == "*" || opaque(tag.as_bytes()) == opaque(version.as_bytes()))
}

/// The version of these bytes: the head of a digest.
pub(super) fn version_of(bytes: &[u8]) -> HeaderValue {
    HeaderValue::try_from(format!("\"{}\"", digest(bytes))).unwrap_or(NO_VERSION)
}

/// The version of what is sent in more than one encoding, and so is not the same to the byte.
#[cfg(feature = "docs-ui")]
pub(super) fn weak_version_of(bytes: &[u8]) -> HeaderValue {
    HeaderValue::try_from(format!("W/\"{}\"", digest(bytes))).unwrap_or(NO_VERSION)
}

const NO_VERSION: HeaderValue = HeaderValue::from_static("W/\"\"");

fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let head = digest.iter().take(8);
    head.map(|byte| format!("{byte:02x}")).collect()
}
