//! What a request can get wrong.

use std::borrow::Cow;

use http::header::{ALLOW, WWW_AUTHENTICATE};
use http::{Method, StatusCode};

use super::{Problem, REALM, sentence};
use crate::service::{ExchangeDenial, FieldError, KeyDenial};

impl Problem {
    /// Nothing under this path.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here.")
    }

    /// The path is there, for other methods. An empty list leaves it to the framework to name them.
    #[must_use]
    pub fn method_not_allowed(allowed: &[Method]) -> Self {
        let detail =
            "This path does not answer to this method; the Allow header names those it does.";
        let problem = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
        if allowed.is_empty() {
            return problem;
        }
        problem.with(
            ALLOW,
            allowed
                .iter()
                .map(Method::as_str)
                .collect::<Vec<_>>()
                .join(","),
        )
    }

    /// A framework took a request's head for HTTP which is none to the `http` crate. For adapters that convert it.
    #[must_use]
    pub fn unreadable_head() -> Self {
        Self::malformed("The request's target or one of its headers is not valid HTTP.")
    }

    /// A handler panicked. For a host's last line of defence.
    #[must_use]
    pub fn panicked() -> Self {
        tracing::error!("a handler panicked");
        Self::internal()
    }

    /// A handler asked for a guard's verdict on a route that has no guard. A mistake of the host's, said in its log.
    #[must_use]
    pub fn guard_missing() -> Self {
        tracing::error!("a handler takes a verified key, but its route has no `RequireKey` layer");
        Self::internal()
    }

    pub(in crate::http) fn malformed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed_request", detail)
    }

    pub(in crate::http) fn several_credentials() -> Self {
        let detail = "The request carries more than one credential. Send exactly one.";
        let challenge = format!(r#"{REALM}, error="invalid_request""#);
        Self::new(StatusCode::BAD_REQUEST, "several_credentials", detail)
            .with(WWW_AUTHENTICATE, challenge)
    }

    pub(in crate::http) fn wrong_content_type() -> Self {
        let detail = "The body must be JSON and say so: Content-Type: application/json.";
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            detail,
        )
    }

    pub(in crate::http) fn wrong_form_type() -> Self {
        let detail =
            "The body must be a form and say so: Content-Type: application/x-www-form-urlencoded.";
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            detail,
        )
    }

    /// RFC 6749, section 5.2.
    pub(in crate::http) fn invalid_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::of_oauth("invalid_request", detail)
    }

    /// RFC 7009, section 2.2.1.
    pub(in crate::http) fn unsupported_token_type() -> Self {
        let detail = "A JWT ends by itself and cannot be revoked. An API key can.";
        Self::of_oauth("unsupported_token_type", detail)
    }

    /// RFC 6749, section 5.2.
    pub(in crate::http) fn unsupported_grant_type() -> Self {
        let detail = "The only grant_type here is urn:ietf:params:oauth:grant-type:token-exchange.";
        Self::of_oauth("unsupported_grant_type", detail)
    }

    /// RFC 8693, section 2.2.2.
    pub(in crate::http) fn invalid_target(detail: &'static str) -> Self {
        Self::of_oauth("invalid_target", detail)
    }

    /// RFC 6749, section 5.2.
    pub(in crate::http) fn invalid_scope(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::of_oauth("invalid_scope", detail)
    }

    /// Why a key was not exchanged. A key that is not good makes the request a bad one (RFC 8693, section 2.2.2): the route
    /// itself asks for no credential, so there is no challenge.
    pub(in crate::http) fn not_exchanged(denial: &ExchangeDenial) -> Self {
        match denial {
            ExchangeDenial::Audience => {
                Self::invalid_target("Keys are not exchanged for this audience.")
            }
            ExchangeDenial::TooManyScopes => {
                Self::invalid_scope(sentence(&format!("{denial}: ask for fewer")))
            }
            ExchangeDenial::Key(denial) => match denial {
                KeyDenial::MissingScope(_) => Self::invalid_scope(sentence(&denial.to_string())),
                KeyDenial::RateLimited { .. } | KeyDenial::QuotaExhausted { .. } => Self {
                    oauth: true,
                    ..Self::key_denied(denial)
                },
                denial => Self::invalid_request(Self::key_denied(denial).detail),
            },
        }
    }

    pub(super) fn of_oauth(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            oauth: true,
            ..Self::new(StatusCode::BAD_REQUEST, code, detail)
        }
    }

    pub(in crate::http) fn body_too_large(limit: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            format!("A body has at most {limit} bytes."),
        )
    }

    pub(in crate::http) fn body_too_slow() -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "body_timeout",
            "The body did not arrive in time.",
        )
    }

    pub(in crate::http) fn invalid(errors: Vec<FieldError>) -> Self {
        let detail: Vec<_> = errors
            .iter()
            .map(|error| format!("{}: {}", error.field, error.message))
            .collect();
        let problem = Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_input",
            detail.join("; "),
        );
        Self { errors, ..problem }
    }

    pub(in crate::http) fn bad_idempotency_key() -> Self {
        Self::malformed("There may be one Idempotency-Key, of 1 to 255 printable ASCII characters.")
    }

    pub(in crate::http) fn idempotency_key_reused() -> Self {
        let detail =
            "Something else was asked with this Idempotency-Key. Draw a new one for each request.";
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_key_reused",
            detail,
        )
    }
}
