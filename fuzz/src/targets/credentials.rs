//! Credentials in headers: one, none, or a refusal; never one of two.

use http::{HeaderMap, HeaderName, HeaderValue};
use sakms_core::http::{Credential, credential};

use crate::draw::Draw;

const NAMES: [&str; 3] = ["authorization", "x-api-key", "cookie"];

/// What is expected: a token or a key with its text, nothing, or a refusal.
#[derive(Debug, PartialEq, Eq)]
enum Expected<'a> {
    Token(&'a str),
    Key(&'a str),
    None,
    Refused,
}

/// Runs the target.
pub fn run(data: &[u8]) {
    let mut draw = Draw::new(data);
    let mut headers = HeaderMap::new();
    while !draw.is_empty() {
        let name = *draw.pick(&NAMES);
        if let Ok(value) = HeaderValue::from_bytes(draw.until(b'\n')) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    let found = credential(&headers);
    let found = match &found {
        Ok(None) => Expected::None,
        Ok(Some(Credential::Token(token))) => Expected::Token(token.expose()),
        Ok(Some(Credential::Key(key))) => Expected::Key(key.expose()),
        Ok(Some(other)) => panic!("a credential of a new kind: {other:?}"),
        Err(problem) => {
            assert_eq!(problem.status(), 400);
            Expected::Refused
        }
    };
    assert_eq!(found, expected(&headers));
}

fn expected(headers: &HeaderMap) -> Expected<'_> {
    let all = |name: &str| {
        headers
            .get_all(name)
            .iter()
            .map(HeaderValue::as_bytes)
            .collect::<Vec<_>>()
    };
    let (authorization, key) = (all("authorization"), all("x-api-key"));
    if authorization.len() > 1 || key.len() > 1 {
        return Expected::Refused;
    }
    let text = |bytes| std::str::from_utf8(<[u8]>::trim_ascii(bytes)).unwrap_or("");
    let bearer = authorization.first().filter(|value| {
        let value = value.to_ascii_lowercase();
        value == b"bearer" || value.starts_with(b"bearer ") || value.starts_with(b"bearer\t")
    });
    match (bearer, key.first()) {
        (Some(_), Some(_)) => Expected::Refused,
        (Some(value), None) => match text(&value[6..]) {
            token if token.contains('.') => Expected::Token(token),
            key => Expected::Key(key),
        },
        (None, Some(value)) => Expected::Key(text(value)),
        (None, None) => Expected::None,
    }
}
