//! What each route does: JSON in, a use case, JSON out.

pub(super) mod audit;
pub(super) mod auth;
#[cfg(feature = "docs-ui")]
pub(super) mod documents;
pub(super) mod keys;
mod listing;
pub(super) mod meta;
