//! A request as a handler sees it, and what it answers.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::body;
use super::dto::Status;
use super::form::Form;
use super::problem::Problem;
use super::response::{Response, private};
use crate::id::KeyId;
use crate::service::{Caller, FieldError, IdempotencyKey, Origin, Sakms};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A request, its framework taken off.
#[derive(Debug)]
#[non_exhaustive]
pub struct Call {
    /// The service it is for.
    pub sakms: Sakms,
    /// Who makes it; there for every route that is not for anyone.
    pub(super) caller: Option<Caller>,
    /// Where it came from, past the proxies that are trusted; `None` when that is not known.
    pub address: Option<IpAddr>,
    /// What stands in the path where the route has `{id}`, percent-decoded.
    pub(super) id: Option<String>,
    /// Whether the path ends with a slash: what a relative reference in the answer starts from.
    #[cfg(feature = "docs-ui")]
    pub(super) slashed: bool,
    /// What documents describe.
    #[cfg(feature = "docs-ui")]
    pub(super) api: super::Api,
    /// What stands after `?`.
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    /// The whole body; empty for routes that take none.
    pub(super) body: Bytes,
}

impl Call {
    pub(super) fn caller(&self) -> Result<&Caller, Problem> {
        self.caller.as_ref().ok_or_else(Problem::credential_missing)
    }

    /// The id in the path. A text that is no id names nothing, so it is "not found" like any other.
    pub(super) fn id<T: FromStr>(&self) -> Result<T, Problem> {
        self.id
            .as_deref()
            .and_then(|text| text.parse().ok())
            .ok_or_else(Problem::not_found)
    }

    /// The key that the path is about. `current` is the one that asks.
    pub(super) fn key_id(&self) -> Result<KeyId, Problem> {
        if self.id.as_deref() == Some("current") {
            return self.caller()?.key_id().ok_or_else(Problem::not_found);
        }
        self.id()
    }

    /// Where it came from, and what the client calls itself.
    pub(super) fn origin(&self) -> Origin {
        let agent = self.headers.get(USER_AGENT);
        Origin::new(self.address, agent.and_then(|value| value.to_str().ok()))
    }

    /// What the client sent to have a repeated request known.
    pub(super) fn idempotency_key(&self) -> Result<Option<IdempotencyKey>, Problem> {
        let mut values = self.headers.get_all(IDEMPOTENCY_KEY).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => match value.to_str().unwrap_or_default().parse() {
                Ok(key) => Ok(Some(key)),
                Err(_) => Err(Problem::bad_idempotency_key()),
            },
            (Some(_), Some(_)) => Err(Problem::bad_idempotency_key()),
        }
    }

    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        body::json(&self.headers, &self.body)
    }

    pub(super) fn form(&self) -> Result<Form, Problem> {
        Form::read(&self.headers, &self.body)
    }

    /// JSON where the body may be left out altogether.
    pub(super) fn json_or_default<T: DeserializeOwned + Default>(&self) -> Result<T, Problem> {
        if self.body.is_empty() {
            Ok(T::default())
        } else {
            self.json()
        }
    }

    /// A query parameter that may stand there once, read by `parse`.
    pub(super) fn parsed<T, E: fmt::Display>(
        &self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Problem> {
        let value = self.parameter(name)?.map(|text| parse(&text));
        value
            .transpose()
            .map_err(|error| Problem::invalid(vec![FieldError::new(name, error)]))
    }

    /// Refuses a query with other parameters than these. A token may stand there besides, where that is switched on.
    pub(super) fn refuse_parameters_but<'a>(
        &self,
        known: impl IntoIterator<Item = &'a &'a str>,
    ) -> Result<(), Problem> {
        let known: Vec<_> = known.into_iter().copied().chain(["token"]).collect();
        let names = self.query.split('&').map(|pair| {
            let (name, _) = pair.split_once('=').unwrap_or((pair, ""));
            name
        });
        let unknown = names
            .filter(|name| !name.is_empty() && !known.contains(name))
            .map(|name| {
                if body::is_repeatable(name) {
                    FieldError::new(name, "is no parameter of this route")
                } else {
                    FieldError::new("query", "has a parameter that this route does not know")
                }
            });
        match unknown.take(8).collect::<Vec<_>>() {
            unknown if unknown.is_empty() => Ok(()),
            unknown => Err(Problem::invalid(unknown)),
        }
    }

    /// The value of a query parameter that may stand there once.
    pub(super) fn parameter(&self, name: &'static str) -> Result<Option<Cow<'_, str>>, Problem> {
        let mut values = self.query.split('&').filter_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (key == name).then_some(value)
        });
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(Problem::invalid(vec![FieldError::new(
                name,
                "may stand in the query once",
            )])),
            (None, None) => Ok(None),
            (Some(value), None) => {
                match percent_encoding::percent_decode_str(value).decode_utf8() {
                    Ok(text) => Ok(Some(text)),
                    Err(_) => Err(Problem::invalid(vec![FieldError::new(
                        name,
                        "is not UTF-8",
                    )])),
                }
            }
        }
    }
}

/// What a handler answers when it went well.
#[derive(Debug)]
pub struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Reply {
    /// 200 with JSON.
    pub(super) fn ok(body: &impl Serialize) -> Self {
        Self::json(StatusCode::OK, body)
    }

    /// 201 with JSON.
    pub(super) fn created(body: &impl Serialize) -> Self {
        Self::json(StatusCode::CREATED, body)
    }

    /// 202, the same for whatever becomes of it.
    pub(super) fn accepted() -> Self {
        let status = "accepted";
        Self::json(StatusCode::ACCEPTED, &Status { status })
    }

    fn json(status: StatusCode, body: &impl Serialize) -> Self {
        // The bodies are structs of text and numbers, which cannot fail to serialise.
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self::text(status, "application/json", body)
    }

    /// The same reply, to a request that had been answered before.
    pub(super) fn replayed(self) -> Self {
        let name = HeaderName::from_static("idempotency-replayed");
        self.with(name, HeaderValue::from_static("true"))
    }

    /// Bytes of this content type.
    pub(super) fn text(
        status: StatusCode,
        content_type: &'static str,
        body: impl Into<Bytes>,
    ) -> Self {
        let content_type = HeaderValue::from_static(content_type);
        Self {
            status,
            headers: HeaderMap::from_iter([(CONTENT_TYPE, content_type)]),
            body: body.into(),
        }
    }

    /// The same reply with one more header. It takes the place of one that every reply has.
    pub(super) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// The response to send.
    #[must_use]
    pub fn into_response(self) -> Response {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        private(headers);
        headers.extend(self.headers);
        response
    }
}
