//! What each route does: JSON in, a use case, JSON out.

pub(super) mod ask;
pub(super) mod audit;
pub(super) mod auth;
pub(super) mod bulk;
#[cfg(feature = "docs-ui")]
pub(super) mod documents;
pub(super) mod exchange;
mod filters;
pub(super) mod keys;
mod listing;
pub(super) mod meta;
pub(super) mod oversight;
pub(super) mod recovery;
pub(super) mod roles;
pub(super) mod rotation;
pub(super) mod sessions;
pub(super) mod state;
pub(super) mod tokens;
