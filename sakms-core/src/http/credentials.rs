//! Which credential a request carries.
//!
//! A key comes as `Authorization: Bearer` or as `X-API-Key`, a token as `Authorization: Bearer` (RFC 6750). Two
//! credentials in one request, or a header twice, is an error: two readers could pick different ones.

use http::header::{AUTHORIZATION, HeaderMap, HeaderName};

use super::problem::Problem;
use crate::secret::{BearerToken, PresentedKey};

pub(super) const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// What a request presents to say who it is from. Nothing is known about it yet.
#[derive(Debug)]
#[non_exhaustive]
pub enum Credential {
    /// An API key.
    Key(PresentedKey),
    /// A JWT.
    Token(BearerToken),
}

/// A credential where it stands in the headers. Nothing of it was copied.
#[derive(Clone, Copy)]
pub(super) enum Shown<'a> {
    Key(&'a str),
    Token(&'a str),
}

impl<'a> Shown<'a> {
    /// A token has dots, a key has none: the two alphabets tell them apart.
    fn bearer(text: &'a str) -> Self {
        if text.contains('.') {
            Self::Token(text)
        } else {
            Self::Key(text)
        }
    }

    fn taken(self) -> Credential {
        match self {
            Self::Key(text) => Credential::Key(PresentedKey::new(text.to_owned())),
            Self::Token(text) => Credential::Token(BearerToken::new(text.to_owned())),
        }
    }
}

/// The credential in the headers, if there is one.
///
/// An `Authorization` of another scheme is the host's or a proxy's business and is passed over.
///
/// # Errors
/// A [`Problem`] when there are two, or a header that holds one stands there twice.
pub fn credential(headers: &HeaderMap) -> Result<Option<Credential>, Problem> {
    Ok(shown(headers)?.map(Shown::taken))
}

/// As [`credential`], without a copy.
pub(super) fn shown(headers: &HeaderMap) -> Result<Option<Shown<'_>>, Problem> {
    let bearer = match only(headers, &AUTHORIZATION)? {
        None => None,
        Some(value) => bearer_of(value),
    };
    let key = only(headers, &X_API_KEY)?;
    match (bearer, key) {
        (Some(_), Some(_)) => Err(Problem::several_credentials()),
        (Some(text), None) => Ok(Some(Shown::bearer(text))),
        (None, Some(value)) => Ok(Some(Shown::Key(text_of(value)))),
        (None, None) => Ok(None),
    }
}

fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a [u8]>, Problem> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(Problem::several_credentials()),
        (first, None) => Ok(first.map(http::HeaderValue::as_bytes)),
    }
}

/// What stands after `Bearer`; the scheme's case does not matter (RFC 9110, section 11.1).
fn bearer_of(value: &[u8]) -> Option<&str> {
    let (scheme, rest) = value.split_at_checked(6)?;
    let separated = rest.is_empty() || rest[0] == b' ' || rest[0] == b'\t';
    (scheme.eq_ignore_ascii_case(b"bearer") && separated).then(|| text_of(rest))
}

/// The value as text. What is not ASCII is no credential of ours; an empty text is refused further on.
fn text_of(value: &[u8]) -> &str {
    std::str::from_utf8(value.trim_ascii()).unwrap_or_default()
}

/// The credential in the headers or, where that is switched on, the token in the query.
///
/// Gives the credential and whether it came by the query.
pub(super) fn credential_or_query(
    headers: &HeaderMap,
    query: &str,
    query_token: bool,
) -> Result<(Option<Credential>, bool), Problem> {
    let in_headers = credential(headers)?;
    let mut in_query = query
        .split('&')
        .filter_map(|pair| pair.strip_prefix("token="));
    let (first, second) = (in_query.next(), in_query.next());
    let Some(text) = first else {
        return Ok((in_headers, false));
    };
    if in_headers.is_some() || second.is_some() {
        return Err(Problem::several_credentials());
    }
    if !query_token {
        return Err(Problem::query_credential(
            "A token in the query is not accepted here. Send it as Authorization: Bearer.",
        ));
    }
    let text = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
    match Shown::bearer(&text).taken() {
        token @ Credential::Token(_) => Ok((Some(token), true)),
        Credential::Key(_) => Err(Problem::query_credential(
            "An API key in the query is never accepted. Send it as Authorization: Bearer or X-API-Key.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(pairs: &[(&'static str, &[u8])]) -> HeaderMap {
        let pair = |&(name, value): &(&'static str, &[u8])| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_bytes(value).unwrap(),
            )
        };
        pairs.iter().map(pair).collect()
    }

    fn read(pairs: &[(&'static str, &[u8])]) -> String {
        match credential(&headers(pairs)) {
            Ok(Some(Credential::Key(key))) => format!("key {}", key.expose()),
            Ok(Some(Credential::Token(token))) => format!("token {}", token.expose()),
            Ok(None) => "none".into(),
            Err(problem) => problem.code().into(),
        }
    }

    #[test]
    fn where_a_credential_is_read() {
        assert_eq!(read(&[]), "none");
        assert_eq!(read(&[("authorization", b"Bearer abc")]), "key abc");
        assert_eq!(
            read(&[("authorization", b"bEARER   a.b.c ")]),
            "token a.b.c"
        );
        assert_eq!(read(&[("x-api-key", b" abc ")]), "key abc");
        assert_eq!(read(&[("x-api-key", b"a.b.c")]), "key a.b.c");
        assert_eq!(read(&[("authorization", b"Bearer")]), "key ");
        assert_eq!(read(&[("authorization", b"Bearerabc")]), "none");
        assert_eq!(
            read(&[("authorization", b"Basic YTpi"), ("x-api-key", b"abc")]),
            "key abc"
        );
        assert_eq!(read(&[("authorization", b"Bearer \xFF\xFE")]), "key ");
    }

    #[test]
    fn two_credentials_are_one_too_many() {
        for pairs in [
            &[
                ("authorization", b"Bearer abc".as_slice()),
                ("x-api-key", b"abc"),
            ][..],
            &[
                ("authorization", b"Bearer abc"),
                ("authorization", b"Bearer abc"),
            ],
            &[
                ("authorization", b"Basic YTpi"),
                ("authorization", b"Bearer abc"),
            ],
            &[("x-api-key", b"abc"), ("x-api-key", b"def")],
        ] {
            assert_eq!(read(pairs), "several_credentials", "{pairs:?}");
        }
    }

    #[test]
    fn the_query_takes_one_token_where_it_is_switched_on() {
        let code = |query: &str, on| match credential_or_query(&HeaderMap::new(), query, on) {
            Ok((Some(_), by_query)) => format!("credential {by_query}"),
            Ok((None, _)) => "none".into(),
            Err(problem) => problem.code().into(),
        };
        assert_eq!(code("token=a.b.c", true), "credential true");
        assert_eq!(code("token=a%2Eb.c&limit=1", true), "credential true");
        assert_eq!(code("token=a.b.c", false), "credential_in_query");
        assert_eq!(code("token=acme_live_abc", true), "credential_in_query");
        assert_eq!(code("token=a.b.c&token=a.b.c", true), "several_credentials");
        assert_eq!(code("api_key=abc&limit=1", true), "none");
        let both = headers(&[("authorization", b"Bearer a.b.c")]);
        assert!(credential_or_query(&both, "token=a.b.c", true).is_err());
    }
}
