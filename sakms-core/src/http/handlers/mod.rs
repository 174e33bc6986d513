//! What each route does: JSON in, a use case, JSON out.

pub(super) mod auth;
pub(super) mod keys;
pub(super) mod meta;
