//! Who is asking, and what they may not do.

use std::borrow::Cow;

use http::StatusCode;
use http::header::WWW_AUTHENTICATE;

use super::{Problem, REALM, sentence};
use crate::key::Scope;
use crate::service::{CallerDenial, CodeDenial, KeyDenial, LoginDenial, RefreshDenial};

impl Problem {
    pub(in crate::http) fn credential_missing() -> Self {
        let detail = "This needs a credential: an API key or a token in the Authorization header.";
        // RFC 6750, section 3.1: no error code when no credential was sent.
        Self::new(StatusCode::UNAUTHORIZED, "missing_credential", detail)
            .with(WWW_AUTHENTICATE, REALM)
    }

    pub(in crate::http) fn query_credential(detail: &'static str) -> Self {
        Self::unauthorized("credential_in_query", detail)
    }

    pub(in crate::http) fn key_denied(denial: &KeyDenial) -> Self {
        let code = match denial {
            KeyDenial::MissingScope(scope) => return Self::scope_missing(scope),
            KeyDenial::ForbiddenScope(scope) => return Self::scope_forbidden(scope),
            KeyDenial::WrongAddress => return Self::address_not_allowed(denial),
            KeyDenial::CostTooHigh { .. } => return Self::cost_too_high(denial),
            KeyDenial::RateLimited { retry_after, .. } => {
                return Self::used_up("rate_limited", denial, Some(*retry_after));
            }
            KeyDenial::QuotaExhausted { retry_after } => {
                return Self::used_up("quota_exhausted", denial, *retry_after);
            }
            KeyDenial::NotYetValid => "key_not_yet_valid",
            KeyDenial::Retired => "key_retired",
            KeyDenial::Revoked => "key_revoked",
            KeyDenial::Disabled | KeyDenial::OwnerDisabled => "key_disabled",
            KeyDenial::Expired => "key_expired",
            KeyDenial::WrongEnvironment => "wrong_environment",
            KeyDenial::Malformed | KeyDenial::Unknown => "invalid_key",
        };
        let detail = match denial {
            // Whether it was the key or its owner is between the owner and the service.
            KeyDenial::OwnerDisabled => KeyDenial::Disabled.to_string(),
            denial => denial.to_string(),
        };
        Self::unauthorized(code, sentence(&detail))
    }

    pub(in crate::http) fn token_denied(reason: CallerDenial) -> Self {
        tracing::debug!(%reason, "a token was refused");
        Self::invalid_token()
    }

    /// Every reason looks the same from outside.
    pub(in crate::http) fn invalid_token() -> Self {
        Self::unauthorized(
            "invalid_token",
            "The token is not valid, or not any more. Sign in again.",
        )
    }

    pub(in crate::http) fn login_denied(denial: LoginDenial) -> Self {
        Self::unauthorized("invalid_login", sentence(&denial.to_string()))
    }

    pub(in crate::http) fn refresh_denied(reason: RefreshDenial) -> Self {
        tracing::debug!(%reason, "a refresh token was refused");
        Self::invalid_grant()
    }

    /// RFC 6749, section 5.2. Every reason looks the same from outside.
    pub(in crate::http) fn invalid_grant() -> Self {
        let detail = "The refresh token is not valid, or not any more. Sign in again.";
        Self::of_oauth("invalid_grant", detail)
    }

    /// Every reason looks the same from outside.
    pub(in crate::http) fn code_denied(denial: CodeDenial) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid_code",
            sentence(&denial.to_string()),
        )
    }

    fn unauthorized(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        let challenge = format!(r#"{REALM}, error="invalid_token""#);
        Self::new(StatusCode::UNAUTHORIZED, code, detail).with(WWW_AUTHENTICATE, challenge)
    }

    pub(in crate::http) fn scope_missing(scope: &Scope) -> Self {
        let challenge = format!(r#"{REALM}, error="insufficient_scope", scope="{scope}""#);
        let detail = format!("The key does not hold the scope {scope}.");
        Self::new(StatusCode::FORBIDDEN, "insufficient_scope", detail)
            .with(WWW_AUTHENTICATE, challenge)
    }

    /// No other scope would help, so the challenge names none.
    pub(in crate::http) fn scope_forbidden(scope: &Scope) -> Self {
        let challenge = format!(r#"{REALM}, error="insufficient_scope""#);
        let detail = format!("The key holds the scope {scope}, which it must not here.");
        Self::new(StatusCode::FORBIDDEN, "insufficient_scope", detail)
            .with(WWW_AUTHENTICATE, challenge)
    }

    pub(in crate::http) fn beyond_caller(what: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "beyond_caller", sentence(what))
    }

    pub(in crate::http) fn admin_only() -> Self {
        let detail = "That is for admins.";
        Self::new(StatusCode::FORBIDDEN, "admin_only", detail)
    }

    pub(in crate::http) fn token_only() -> Self {
        let detail = "That is for whoever has signed in: send the access token.";
        Self::new(StatusCode::FORBIDDEN, "token_only", detail)
    }

    pub(in crate::http) fn key_only() -> Self {
        let detail = "That is for whoever holds an API key: send the key itself.";
        Self::new(StatusCode::FORBIDDEN, "key_only", detail)
    }
}
