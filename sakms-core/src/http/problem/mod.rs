//! Errors on the wire: RFC 9457 `application/problem+json`, everywhere.
//!
//! This folder decides which status, code and words each error has: `request.rs` what a request can get wrong,
//! `caller.rs` who is asking, `limit.rs` what is used up, `state.rs` what is in the way, `service.rs` what is wrong on our side, and `of_error.rs`
//! which of them each error of a use case is.

mod caller;
mod limit;
mod of_error;
mod request;
mod service;
mod state;

use std::borrow::Cow;

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde::Serialize;

use super::response::{Response, private};
use crate::service::FieldError;

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
    /// Whether it has members for readers of OAuth's errors too (RFC 6749, section 5.2).
    oauth: bool,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// An error (RFC 9457). Decide by `code`.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::Problem))]
pub(in crate::http) struct Body<'a> {
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
    /// The same as `code`, where RFC 6749 asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    /// The same as `detail`, where RFC 6749 asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_description: Option<&'a str>,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            oauth: false,
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

    /// What went wrong, for people.
    pub(in crate::http) fn detail(&self) -> &str {
        &self.detail
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
            error: self.oauth.then_some(self.code),
            error_description: self.oauth.then_some(&self.detail),
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
}

fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        format!("{}{}.", first.to_uppercase(), letters.as_str())
    })
}

#[cfg(test)]
mod tests;
