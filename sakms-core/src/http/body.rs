//! Reading a request's body within bounds, and JSON out of it.

use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use serde::de::{DeserializeOwned, IgnoredAny};

use super::problem::Problem;
use crate::service::FieldError;

/// How deep JSON may nest. Nothing here needs more than three.
const DEPTH: usize = 32;
/// How much of a body that is too large is still read, so that a client that sends all of it first gets to see the
/// answer instead of a broken connection.
const DRAINED: usize = 8 * 1024 * 1024;

/// Reads a body of at most `limit` bytes within `time`.
pub(super) async fn read<B, E>(
    headers: &HeaderMap,
    body: B,
    limit: usize,
    time: Duration,
) -> Result<Bytes, Problem>
where
    B: Stream<Item = Result<Bytes, E>>,
{
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit + DRAINED) {
        return Err(Problem::body_too_large(limit));
    }
    let whole = async {
        let mut body = pin!(body);
        let (mut kept, mut seen) = (BytesMut::new(), 0_usize);
        while let Some(part) = poll_fn(|context| body.as_mut().poll_next(context)).await {
            let part = part.map_err(|_| Problem::malformed("The body broke off."))?;
            seen = seen.saturating_add(part.len());
            if seen <= limit {
                kept.extend_from_slice(&part);
            } else if seen > limit + DRAINED {
                break;
            }
        }
        if seen > limit {
            Err(Problem::body_too_large(limit))
        } else {
            Ok(kept.freeze())
        }
    };
    tokio::time::timeout(time, whole)
        .await
        .unwrap_or_else(|_| Err(Problem::body_too_slow()))
}

/// Reads JSON. Text that is not JSON is 400, JSON that is not what was asked for is 422 and names the field.
pub(super) fn json<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, Problem> {
    if !is_json(headers) {
        return Err(Problem::wrong_content_type());
    }
    if nests_deeper_than(body, DEPTH) {
        return Err(Problem::malformed(format!(
            "The JSON nests deeper than {DEPTH} levels."
        )));
    }
    let Ok(text) = std::str::from_utf8(body) else {
        return Err(Problem::malformed("The body is not UTF-8."));
    };
    // The shape first: an unknown field must not hide that what follows is not JSON at all.
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        return Err(Problem::malformed(format!(
            "The body is not JSON: {error}."
        )));
    }
    // A struct would also be read from an array, field by field.
    if !text.trim_ascii_start().starts_with('{') {
        let error = FieldError::new("body", "must be an object");
        return Err(Problem::invalid(vec![error]));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let message = without_position(&error.into_inner().to_string());
        if let Some((name, expected)) = unknown_in(&message)
            && !is_repeatable(name)
        {
            let message = format!("has an unknown field{expected}");
            return Problem::invalid(vec![FieldError::new("body", message)]);
        }
        let field = match (path.as_str(), named_in(&message)) {
            (".", Some(name)) => name.to_owned(),
            (".", None) => "body".to_owned(),
            _ => path,
        };
        // A secret that is no text must not come back in an error message.
        let message = match field.split('[').next() {
            Some(
                "password" | "old_password" | "new_password" | "refresh_token" | "code" | "key",
            ) if named_in(&message).is_none() => "must be text".to_owned(),
            Some("keys") if named_in(&message).is_none() => {
                "must be a list of at most 100 texts".to_owned()
            }
            _ => message,
        };
        Problem::invalid(vec![FieldError::new(field, message)])
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(only), None) = (types.next(), types.next()) else {
        return false;
    };
    let Ok(text) = only.to_str() else {
        return false;
    };
    let mut parts = text.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let utf8 = |parameter: &str| match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    };
    essence.eq_ignore_ascii_case("application/json") && parts.all(utf8)
}

fn nests_deeper_than(json: &[u8], most: usize) -> bool {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => depth += 1,
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > most {
            return true;
        }
    }
    false
}

/// The field that is missing or stands there twice: the parser reports it at the object it belongs to.
fn named_in(message: &str) -> Option<&str> {
    let rest = message
        .strip_prefix("missing field `")
        .or_else(|| message.strip_prefix("duplicate field `"))?;
    rest.strip_suffix('`')
}

/// The field that nobody knows, and what the parser says after it. The name may hold anything, a quotation mark too.
fn unknown_in(message: &str) -> Option<(&str, &str)> {
    let rest = message.strip_prefix("unknown field `")?;
    let end = rest
        .rfind("`, expected ")
        .or_else(|| rest.rfind("`, there are no fields"))?;
    Some((&rest[..end], &rest[end + 1..]))
}

/// Whether an unknown name that a request brings may stand in the answer: one that could be a misspelt field. What
/// slipped in there by mistake, a sentence or a key's text, is not handed on.
pub(super) fn is_repeatable(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// The parser ends its messages with the place in the text, which says nothing to whoever sent the fields.
fn without_position(message: &str) -> String {
    message
        .rsplit_once(" at line ")
        .map_or(message, |(words, _)| words)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[expect(dead_code, reason = "read by nobody but the test's parser")]
        password: String,
    }

    fn status(body: &[u8]) -> (u16, &'static str) {
        let headers =
            HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        match json::<Sample>(&headers, body) {
            Ok(_) => (200, ""),
            Err(problem) => (problem.status().as_u16(), problem.code()),
        }
    }

    #[test]
    fn what_is_not_json_is_400_and_what_does_not_fit_is_422() {
        assert_eq!(status(br#"{"password":"x"}"#).0, 200);
        for bad in [
            "",
            "{",
            "nonsense",
            "{\"password\":\"x\"} x",
            "{'a':1}",
            "\u{feff}{}",
            "{\"z\":[1,}",
            "{\"password\":\"\u{0}\"}",
        ] {
            assert_eq!(
                status(bad.as_bytes()),
                (400, "malformed_request"),
                "{bad:?}"
            );
        }
        assert_eq!(status(b"{\"password\":\"\xff\"}").0, 400);
        for unfit in [
            "[]",
            r#"["x"]"#,
            "null",
            "{}",
            r#"{"password":1}"#,
            r#"{"password":"x","is_admin":true}"#,
            r#"{"password":"x","password":"y"}"#,
        ] {
            assert_eq!(status(unfit.as_bytes()), (422, "invalid_input"), "{unfit}");
        }
    }

    #[test]
    fn a_field_that_is_missing_or_stands_twice_is_named() {
        let headers =
            HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        for body in ["{}", r#"{"password":"x","password":"y"}"#] {
            let problem = json::<Sample>(&headers, body.as_bytes()).unwrap_err();
            let body = problem.into_response().into_body();
            let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(problem["errors"][0]["field"], "password", "{problem}");
        }
    }

    #[test]
    fn deep_nesting_is_400_wherever_it_stands() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let deep = format!("{}1{}", open.repeat(20_000), close.repeat(20_000));
            assert_eq!(status(deep.as_bytes()).0, 400);
            assert_eq!(status(format!("{{\"password\":{deep}}}").as_bytes()).0, 400);
        }
        assert_eq!(
            status(format!("{{\"password\":\"{}\"}}", "[".repeat(20_000)).as_bytes()).0,
            200,
            "brackets in text"
        );
    }

    #[test]
    fn a_password_never_comes_back_in_a_message() {
        let headers =
            HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        let problem = json::<Sample>(&headers, br#"{"password":424242}"#).unwrap_err();
        let body = String::from_utf8(problem.into_response().into_body().to_vec()).unwrap();
        assert!(!body.contains("424242"), "{body}");
    }

    #[test]
    fn an_unknown_field_is_named_only_where_it_could_be_a_misspelt_one() {
        let headers =
            HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        let first = |name: &str| {
            let body = serde_json::json!({"password": "x", name: 1}).to_string();
            let problem = json::<Sample>(&headers, body.as_bytes()).unwrap_err();
            let body = problem.into_response().into_body();
            let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
            (
                problem["errors"][0]["field"].as_str().unwrap().to_owned(),
                String::from_utf8(body.to_vec()).unwrap(),
            )
        };
        for named in ["is_admin", "passwort", "Name-2", "\u{5f}"] {
            let (field, text) = first(named);
            assert_eq!(field, named, "{text}");
            assert!(text.contains("expected `password`"), "{text}");
        }
        let key = format!("acme_live_{}", "7".repeat(60));
        for kept_quiet in [
            "violet tram kettle oak",
            "",
            "`, expected ",
            "a`, expected `b`, expected ",
            "caf\u{e9}",
            "x\ny",
            "a.b",
            &key,
        ] {
            let (field, text) = first(kept_quiet);
            assert_eq!(field, "body", "{kept_quiet:?}: {text}");
            assert!(text.contains("has an unknown field"), "{text}");
            assert!(text.contains("expected `password`"), "{text}");
            for word in ["violet", "caf", "777"] {
                assert!(!text.contains(word), "{text}");
            }
        }
    }

    #[test]
    fn only_json_in_utf_8_is_taken() {
        let types = |values: &[&'static str]| {
            values
                .iter()
                .map(|value| (CONTENT_TYPE, HeaderValue::from_static(value)))
                .collect()
        };
        for good in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/json;charset=\"utf-8\"",
        ] {
            assert!(is_json(&types(&[good])), "{good}");
        }
        for bad in [
            "text/plain",
            "application/jsonp",
            "application/json; charset=utf-16",
            "application/x-www-form-urlencoded",
            "",
        ] {
            assert!(!is_json(&types(&[bad])), "{bad}");
        }
        assert!(!is_json(&types(&[])));
        assert!(!is_json(&types(&["application/json", "application/json"])));
    }
}
