//! Sessions and passwords.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::SessionId;
use crate::secret::{Password, RefreshToken};
use crate::service::ListedSession;

/// A session that shall go on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::RefreshSession))]
pub(in crate::http) struct RefreshSession {
    /// The refresh token that was given last.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub(in crate::http) refresh_token: RefreshToken,
}

/// Another password.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::ChangePassword))]
pub(in crate::http) struct ChangePassword {
    /// The password until now.
    pub(in crate::http) old_password: Password,
    /// The password from now on.
    pub(in crate::http) new_password: Password,
}

/// A session: what somebody has who signed in.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::Session))]
pub(in crate::http) struct SessionShown<'a> {
    id: SessionId,
    /// When somebody signed in.
    created_at: Timestamp,
    /// When it was begun or refreshed last.
    last_used_at: Timestamp,
    /// When it ends, if it is not refreshed before.
    expires_at: Timestamp,
    /// Whether it is the one that asks.
    current: bool,
    /// The address it was begun or refreshed from last, when it is known.
    #[cfg_attr(feature = "openapi", schema(required, value_type = Option<String>))]
    address: Option<IpAddr>,
    /// What the client called itself then.
    #[cfg_attr(feature = "openapi", schema(required))]
    user_agent: Option<&'a str>,
}

impl<'a> From<&'a ListedSession> for SessionShown<'a> {
    fn from(session: &'a ListedSession) -> Self {
        Self {
            id: session.id,
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            expires_at: session.expires_at,
            current: session.current,
            address: session.origin.address,
            user_agent: session.origin.user_agent(),
        }
    }
}
