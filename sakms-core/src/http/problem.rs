//! Errors on the wire: RFC 9457 `application/problem+json`, everywhere.
//!
//! This file decides which status, code and words each error has.

use std::borrow::Cow;
use std::error::Error as _;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Method, StatusCode};
use serde::Serialize;

use super::response::{Response, private};
use crate::hash::HashError;
use crate::key::Scope;
use crate::service::{CallerDenial, Error, FieldError, KeyDenial, LoginDenial};
use crate::store::StoreErrorKind;

const REALM: &str = r#"Bearer realm="sakms""#;
/// Seconds after which trying again is worth it. An outage or a full queue is mostly over by then.
const RETRY_SECONDS: u32 = 1;

/// An error as a client sees it. It says what the client can do about it and nothing about what is inside.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// An error (RFC 9457). Decide by `code`.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::Problem))]
pub(super) struct Body<'a> {
    /// `urn:sakms:problem:` and the code.
    #[serde(rename = "type")]
    #[cfg_attr(feature = "openapi", schema(format = "uri"))]
    kind: String,
    /// The status in words.
    title: &'a str,
    /// The status.
    #[cfg_attr(feature = "openapi", schema(minimum = 400, maximum = 599))]
    status: u16,
    /// What went wrong, for people.
    detail: &'a str,
    /// What went wrong, for programs.
    code: &'a str,
    /// The fields that are wrong, where it is about fields.
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    errors: &'a [FieldError],
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            headers: Vec::new(),
        }
    }

    fn with(mut self, name: HeaderName, value: impl Into<Cow<'static, str>>) -> Self {
        // Values are made here, of scopes and constants; one that is no header value would be a bug, not an attack.
        if let Ok(value) = HeaderValue::from_str(&value.into()) {
            self.headers.push((name, value));
        }
        self
    }

    /// The status that will be answered.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// What code decides by: `invalid_key`, `key_revoked`, `insufficient_scope`, …
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// The response to send.
    #[must_use]
    pub fn into_response(self) -> Response {
        let body = Body {
            kind: format!("urn:sakms:problem:{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code,
            errors: &self.errors,
        };
        // A struct of text cannot fail to serialise.
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        private(headers);
        headers.extend(self.headers);
        response
    }

    // ---- what a request can get wrong ----

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

    pub(super) fn malformed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed_request", detail)
    }

    pub(super) fn several_credentials() -> Self {
        let detail = "The request carries more than one credential. Send exactly one.";
        let challenge = format!(r#"{REALM}, error="invalid_request""#);
        Self::new(StatusCode::BAD_REQUEST, "several_credentials", detail)
            .with(WWW_AUTHENTICATE, challenge)
    }

    pub(super) fn wrong_content_type() -> Self {
        let detail = "The body must be JSON and say so: Content-Type: application/json.";
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            detail,
        )
    }

    pub(super) fn body_too_large(limit: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            format!("A body has at most {limit} bytes."),
        )
    }

    pub(super) fn body_too_slow() -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "body_timeout",
            "The body did not arrive in time.",
        )
    }

    pub(super) fn invalid(errors: Vec<FieldError>) -> Self {
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

    // ---- who is asking ----

    pub(super) fn credential_missing() -> Self {
        let detail = "This needs a credential: an API key or a token in the Authorization header.";
        // RFC 6750, section 3.1: no error code when no credential was sent.
        Self::new(StatusCode::UNAUTHORIZED, "missing_credential", detail)
            .with(WWW_AUTHENTICATE, REALM)
    }

    pub(super) fn query_credential(detail: &'static str) -> Self {
        Self::unauthorized("credential_in_query", detail)
    }

    pub(super) fn key_denied(denial: &KeyDenial) -> Self {
        let code = match denial {
            KeyDenial::MissingScope(scope) => return Self::scope_missing(scope),
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

    pub(super) fn token_denied(reason: CallerDenial) -> Self {
        tracing::debug!(%reason, "a token was refused");
        Self::invalid_token()
    }

    /// Every reason looks the same from outside.
    pub(super) fn invalid_token() -> Self {
        Self::unauthorized(
            "invalid_token",
            "The token is not valid, or not any more. Sign in again.",
        )
    }

    pub(super) fn login_denied(denial: LoginDenial) -> Self {
        Self::unauthorized("invalid_login", sentence(&denial.to_string()))
    }

    fn unauthorized(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        let challenge = format!(r#"{REALM}, error="invalid_token""#);
        Self::new(StatusCode::UNAUTHORIZED, code, detail).with(WWW_AUTHENTICATE, challenge)
    }

    pub(super) fn scope_missing(scope: &Scope) -> Self {
        let challenge = format!(r#"{REALM}, error="insufficient_scope", scope="{scope}""#);
        let detail = format!("The key does not hold the scope {scope}.");
        Self::new(StatusCode::FORBIDDEN, "insufficient_scope", detail)
            .with(WWW_AUTHENTICATE, challenge)
    }

    pub(super) fn beyond_caller(what: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "beyond_caller", sentence(what))
    }

    // ---- what is in the way ----

    pub(super) fn email_taken() -> Self {
        let detail = "An account with this e-mail address exists.";
        Self::new(StatusCode::CONFLICT, "email_taken", detail)
    }

    pub(super) fn contended() -> Self {
        let detail = "It is being changed by others at the same time. Try again.";
        Self::new(StatusCode::CONFLICT, "contended", detail)
            .with(RETRY_AFTER, RETRY_SECONDS.to_string())
    }

    // ---- what is wrong on our side ----

    fn later(code: &'static str, detail: &'static str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail)
            .with(RETRY_AFTER, RETRY_SECONDS.to_string())
    }

    pub(super) fn overloaded() -> Self {
        let detail = "Too many requests are waiting. Try again shortly.";
        Self::later("overloaded", detail)
    }

    pub(super) fn unavailable() -> Self {
        let detail = "The database cannot be reached. Try again shortly.";
        Self::later("unavailable", detail)
    }

    pub(super) fn outcome_unknown() -> Self {
        let detail = "The connection to the database broke while the change was being written. \
                      It may or may not have been made: look before you try again.";
        Self::later("outcome_unknown", detail)
    }

    pub(super) fn read_only() -> Self {
        let detail = "The database cannot be written to at the moment. Nothing was changed.";
        Self::later("read_only", detail)
    }

    pub(super) fn internal() -> Self {
        let detail = "Something went wrong on our side. It has been logged.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", detail)
    }
}

fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        format!("{}{}.", first.to_uppercase(), letters.as_str())
    })
}

impl From<Error> for Problem {
    /// What a client is told. The cause is logged here, once, and nowhere else.
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(errors) => Self::invalid(errors),
            // What is not offered is not there.
            Error::NotFound | Error::NotOffered => Self::not_found(),
            Error::EmailTaken => Self::email_taken(),
            Error::MissingScope(scope) => Self::scope_missing(&scope),
            Error::BeyondCaller(what) => Self::beyond_caller(what),
            Error::Contended => Self::contended(),
            Error::Hash(HashError::Overloaded) => Self::overloaded(),
            Error::Store(ref store) => {
                log(&error);
                match store.kind() {
                    StoreErrorKind::OutcomeUnknown => Self::outcome_unknown(),
                    StoreErrorKind::Unavailable => Self::unavailable(),
                    StoreErrorKind::ReadOnly => Self::read_only(),
                    _ => Self::internal(),
                }
            }
            Error::Hash(_) | Error::Token(_) | Error::Entropy(_) => {
                log(&error);
                Self::internal()
            }
        }
    }
}

fn log(error: &Error) {
    let mut causes = String::new();
    let mut cause = error.source();
    while let Some(inner) = cause {
        causes.push_str(": ");
        causes.push_str(&inner.to_string());
        cause = inner.source();
    }
    // `escape_debug` keeps a line a line, whatever a database puts into its messages.
    tracing::error!(error = %format!("{error}{causes}").escape_debug(), "the request could not be served");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreError;

    fn of(error: Error) -> (u16, String) {
        let response = Problem::from(error).into_response();
        let retry = response.headers().contains_key(RETRY_AFTER);
        let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(body["status"], response.status().as_u16());
        assert_eq!(response.status() == 503, retry && response.status() != 409);
        (
            response.status().as_u16(),
            body["code"].as_str().unwrap().to_owned(),
        )
    }

    #[test]
    fn an_outage_is_503_and_never_a_denial() {
        for (kind, status) in [
            (StoreErrorKind::Unavailable, 503),
            (StoreErrorKind::OutcomeUnknown, 503),
            (StoreErrorKind::ReadOnly, 503),
            (StoreErrorKind::Corrupt, 500),
            (StoreErrorKind::Internal, 500),
            (StoreErrorKind::Conflict, 500),
        ] {
            assert_eq!(
                of(StoreError::new(kind, "find").into()).0,
                status,
                "{kind:?}"
            );
        }
        assert_eq!(of(HashError::Overloaded.into()), (503, "overloaded".into()));
    }

    #[test]
    fn a_cause_is_never_shown() {
        let cause = StoreError::new(StoreErrorKind::Internal, "find")
            .because("host db.internal, table sakms_keys");
        let response = Problem::from(Error::from(cause)).into_response();
        let text = String::from_utf8(response.body().to_vec()).unwrap();
        assert!(
            !text.contains("db.internal") && !text.contains("find"),
            "{text}"
        );
    }

    #[test]
    fn a_401_carries_a_challenge() {
        for problem in [
            Problem::credential_missing(),
            Problem::key_denied(&KeyDenial::Revoked),
            Problem::login_denied(LoginDenial),
        ] {
            let response = problem.into_response();
            assert_eq!(response.status(), 401);
            assert!(
                response.headers()[WWW_AUTHENTICATE]
                    .to_str()
                    .unwrap()
                    .starts_with("Bearer realm=")
            );
        }
    }

    #[test]
    fn unknown_and_malformed_keys_look_the_same() {
        let bytes = |denial| Problem::key_denied(&denial).into_response().into_body();
        assert_eq!(bytes(KeyDenial::Malformed), bytes(KeyDenial::Unknown));
        assert_eq!(bytes(KeyDenial::Disabled), bytes(KeyDenial::OwnerDisabled));
    }

    #[test]
    fn an_absent_method_names_the_ones_there_are() {
        let response = Problem::method_not_allowed(&[Method::GET, Method::HEAD]).into_response();
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()[ALLOW], "GET,HEAD");
    }
}
