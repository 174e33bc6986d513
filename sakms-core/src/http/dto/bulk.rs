//! Revoking many keys.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::read;
use crate::clock::Timestamp;
use crate::http::problem::Problem;
use crate::id::KeyId;
use crate::key::{Environment, KeyState, Owner, Tag};
use crate::service::{FieldError, KeySelection, Revoked, Whose};

/// Which keys to revoke: those that all of this is true of. At least one thing must be said, `all_owners` and `dry_run`
/// aside.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::RevokeKeys))]
pub(in crate::http) struct RevokeKeys {
    /// They are in this state.
    #[serde(deserialize_with = "read::parsed")]
    state: Option<KeyState>,
    /// They are of this environment.
    environment: Option<Environment>,
    /// They have this tag.
    tag: Option<Tag>,
    /// They were not used for so many seconds, and were made before that.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    unused_for: Option<u64>,
    /// They expire before this moment.
    expires_before: Option<Timestamp>,
    /// They are this owner's; others than the caller are for admins to name.
    #[serde(deserialize_with = "read::parsed")]
    owner: Option<Owner>,
    /// They are anybody's; for admins.
    all_owners: bool,
    /// Changes nothing, and says what would be.
    pub(in crate::http) dry_run: bool,
}

impl RevokeKeys {
    pub(in crate::http) fn selection(&self) -> Result<KeySelection, Problem> {
        Ok(KeySelection {
            whose: whose(self.owner.clone(), self.all_owners)?,
            state: self.state,
            environment: self.environment.clone(),
            tag: self.tag.clone(),
            unused_for: self.unused_for.map(Duration::from_secs),
            expires_before: self.expires_before,
        })
    }
}

/// Whose keys are meant.
pub(in crate::http) fn whose(owner: Option<Owner>, all_owners: bool) -> Result<Whose, Problem> {
    match (owner, all_owners) {
        (Some(_), true) => {
            let error = FieldError::new("all_owners", "cannot be asked for beside owner");
            Err(Problem::invalid(vec![error]))
        }
        (Some(owner), false) => Ok(Whose::Of(owner)),
        (None, true) => Ok(Whose::Everybody),
        (None, false) => Ok(Whose::Own),
    }
}

/// What was revoked.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::BulkRevocation))]
pub(in crate::http) struct BulkRevocation<'a> {
    /// How many keys were revoked; with `dry_run`, how many would be.
    #[cfg_attr(feature = "openapi", schema(maximum = 1000))]
    revoked: usize,
    /// Their ids.
    #[cfg_attr(feature = "openapi", schema(max_items = 1000))]
    keys: &'a [KeyId],
    /// Whether there are more: ask again.
    more: bool,
    /// Whether nothing was changed.
    dry_run: bool,
}

impl<'a> BulkRevocation<'a> {
    pub(in crate::http) const fn new(revoked: &'a Revoked, dry_run: bool) -> Self {
        Self {
            revoked: revoked.keys.len(),
            keys: revoked.keys.as_slice(),
            more: revoked.more,
            dry_run,
        }
    }
}
