//! Roles: named sets of scopes that an admin defines.

use super::names::RoleName;
use super::scope::ScopeSet;
use crate::clock::Timestamp;

/// A named set of scopes. A key that holds the role may do what the scopes say, as they are now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Role {
    /// What it is called, for ever.
    pub name: RoleName,
    /// What it allows.
    pub scopes: ScopeSet,
    /// When its scopes were last set.
    pub changed_at: Timestamp,
}

impl Role {
    /// The most roles there may be.
    pub const MOST: u32 = 1_000;

    /// A role with its parts.
    #[must_use]
    pub const fn new(name: RoleName, scopes: ScopeSet, changed_at: Timestamp) -> Self {
        Self {
            name,
            scopes,
            changed_at,
        }
    }
}
