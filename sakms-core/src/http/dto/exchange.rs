//! A key exchanged for a token.

use serde::Serialize;

use crate::service::ExchangedToken;

/// A token that an API key was exchanged for (RFC 8693, section 2.2.1).
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::Exchanged))]
pub(in crate::http) struct Exchanged<'a> {
    /// The token, a JWT: to be sent to the service that it is meant for as `Authorization: Bearer`.
    access_token: &'a str,
    /// `urn:ietf:params:oauth:token-type:access_token`.
    issued_token_type: &'static str,
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds for which it is good.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    expires_in: u64,
    /// What it may do, separated by spaces; left out when that is nothing.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[cfg_attr(feature = "openapi", schema(required = false))]
    scope: String,
}

impl Exchanged<'_> {
    /// RFC 8693, section 3.
    pub(in crate::http) const ACCESS_TOKEN: &'static str =
        "urn:ietf:params:oauth:token-type:access_token";
}

impl<'a> From<&'a ExchangedToken> for Exchanged<'a> {
    fn from(made: &'a ExchangedToken) -> Self {
        Self {
            access_token: made.token.token().expose(),
            issued_token_type: Self::ACCESS_TOKEN,
            token_type: "Bearer",
            expires_in: made.token.expires_in().as_secs(),
            scope: made.scopes.to_string(),
        }
    }
}

/// An API key that is exchanged, as a form (RFC 8693, section 2.1).
#[cfg(feature = "openapi")]
#[derive(utoipa::ToSchema)]
#[schema(as = sakms::ExchangeKey)]
#[expect(dead_code, reason = "describes a form, which is read field by field")]
pub(in crate::http) struct ExchangeKey {
    /// `urn:ietf:params:oauth:grant-type:token-exchange`.
    grant_type: String,
    /// The API key.
    #[schema(format = Password)]
    subject_token: String,
    /// `urn:sakms:params:oauth:token-type:api-key`.
    subject_token_type: String,
    /// For whom the token shall be: one of the audiences that the service knows.
    audience: String,
    /// What the token may do, separated by spaces: nothing that the key may not. All that the key may, when nothing is said.
    scope: Option<String>,
    /// `urn:ietf:params:oauth:token-type:access_token` or `urn:ietf:params:oauth:token-type:jwt`; it is both.
    requested_token_type: Option<String>,
}
