//! What each route does: JSON in, a use case, JSON out.

pub(super) mod auth;
#[cfg(feature = "docs-ui")]
pub(super) mod documents;
pub(super) mod keys;
pub(super) mod meta;
pub(super) mod tokens;
