//! Roles.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::key::{Role, RoleName, ScopeSet};

/// What a role allows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::SetRole))]
pub(in crate::http) struct SetRole {
    pub(in crate::http) scopes: ScopeSet,
}

/// A named set of scopes that keys can hold.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::Role))]
pub(in crate::http) struct RoleShown<'a> {
    name: &'a RoleName,
    scopes: &'a ScopeSet,
    /// When its scopes were last set.
    changed_at: Timestamp,
}

impl<'a> From<&'a Role> for RoleShown<'a> {
    fn from(role: &'a Role) -> Self {
        Self {
            name: &role.name,
            scopes: &role.scopes,
            changed_at: role.changed_at,
        }
    }
}
