//! What is in the way.

use http::StatusCode;
use http::header::RETRY_AFTER;

use super::{Problem, RETRY_SECONDS};

impl Problem {
    pub(in crate::http) fn no_session() -> Self {
        let detail = "This token belongs to no session. It ends by itself.";
        Self::new(StatusCode::CONFLICT, "no_session", detail)
    }

    pub(in crate::http) fn position_gone() -> Self {
        let detail = "The position is none of this journal: the database is another, or was put back from a backup. \
                      Forget what was read, and begin anew without `after`.";
        Self::new(StatusCode::GONE, "position_gone", detail)
    }

    pub(in crate::http) fn email_taken() -> Self {
        let detail = "An account with this e-mail address exists.";
        Self::new(StatusCode::CONFLICT, "email_taken", detail)
    }

    pub(in crate::http) fn own_account() -> Self {
        let detail = "Nobody disables their own account. Another admin can do it.";
        Self::new(StatusCode::CONFLICT, "own_account", detail)
    }

    pub(in crate::http) fn contended() -> Self {
        let detail = "It is being changed by others at the same time. Try again.";
        Self::new(StatusCode::CONFLICT, "contended", detail)
            .with(RETRY_AFTER, RETRY_SECONDS.to_string())
    }

    pub(in crate::http) fn too_many_keys() -> Self {
        let detail =
            "There are as many keys as this owner may have. Revoke one that is not needed.";
        Self::new(StatusCode::CONFLICT, "too_many_keys", detail)
    }

    pub(in crate::http) fn too_many_roles() -> Self {
        let detail = "There are as many roles as there may be. Remove one that is not needed.";
        Self::new(StatusCode::CONFLICT, "too_many_roles", detail)
    }

    pub(in crate::http) fn key_is_revoked() -> Self {
        let detail = "The key is revoked, for good. Make another one.";
        Self::new(StatusCode::CONFLICT, "key_is_revoked", detail)
    }

    pub(in crate::http) fn key_is_expired() -> Self {
        let detail = "The key has expired, for good. Make another one.";
        Self::new(StatusCode::CONFLICT, "key_is_expired", detail)
    }

    pub(in crate::http) fn rotation_in_progress() -> Self {
        let detail = "The key is being rotated: its former secret still works. End the rotation or take it back first.";
        Self::new(StatusCode::CONFLICT, "rotation_in_progress", detail)
    }

    pub(in crate::http) fn no_rotation() -> Self {
        let detail = "The key is not being rotated: only one of its secrets works.";
        Self::new(StatusCode::CONFLICT, "no_rotation", detail)
    }
}
