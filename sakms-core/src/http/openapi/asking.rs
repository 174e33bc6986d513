//! The words of the routes by which other programs ask about keys.

use serde_json::{Value, json};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{ArrayBuilder, RefOr, Required};

use super::errors;
use super::examples::{ACCOUNT, KEY, TEXT};
use super::page::Page;
use crate::http::dto::{
    IntrospectToken, Introspection, RevokeToken, Verification, VerifyKey, VerifyKeys,
};
use crate::http::problem::Problem;
use crate::http::route::Route;
use crate::service::{KeyDenial, Question};

pub(super) fn describe<'a>(route: &Route, page: Page<'a>) -> Page<'a> {
    match (route.method.as_str(), route.path) {
        ("POST", "/keys/verify") => page
            .named(
                "verify_key",
                "Check a key",
                "Says whether a key is good, as a guard would: it is a use of the key and takes from its limits. Any key of the \
                 service may be asked about, because whoever asks has to show it. 200 with `valid: false` for a key that is not \
                 good; what could not be decided is an error, never `valid: false`.",
            )
            .takes::<VerifyKey>(Required::True, verify_key())
            .gives::<Verification<'_>>("200", "What came of it.", verification())
            .fails([
                errors::invalid("requirement", "not a requirement: expected scopes, and, or, not, and parentheses"),
                Problem::overloaded(),
            ])
            .writes(),
        ("POST", "/keys/verify/batch") => page
            .named(
                "verify_keys",
                "Check many keys",
                "The same for up to 100 keys, each with the same question. The answers are in the order of the keys. When one of \
                 them could not be decided, none is answered; some may have been counted.",
            )
            .takes::<VerifyKeys>(Required::True, verify_keys())
            .gives_as::<Verification<'_>>("200", "What came of each.", each, verifications())
            .fails([errors::invalid("keys", "has at most 100 keys"), Problem::overloaded()])
            .writes(),
        ("POST", "/oauth/introspect") => page
            .named(
                "introspect_token",
                "Check a token (RFC 7662)",
                "Says whether an API key or a JWT of this service is good, for readers of OAuth. `{\"active\":false}` for \
                 anything that is not, whatever the reason. It is a use of a key, at a cost of 1. A key of another environment \
                 than `environment` is not active.",
            )
            .takes_form::<IntrospectToken>(introspect_token())
            .gives::<Introspection>("200", "What came of it.", introspection())
            .fails([Problem::invalid_request("The form has no parameter `token`."), Problem::overloaded()])
            .writes(),
        ("POST", "/oauth/revoke") => page
            .named(
                "revoke_token",
                "Revoke a key by its text (RFC 7009)",
                "Revokes the API key that is presented, for good: its text is the proof, and no other credential is needed. The \
                 answer is the same for a text that is no key, or none any more. JWTs cannot be revoked.",
            )
            .takes_form::<RevokeToken>(revoke_token())
            .gives_any("200", "It is good for nothing any more, if it ever was. The body is an empty object.", Some(json!({})))
            .fails([
                Problem::invalid_request("The form has no parameter `token`."),
                Problem::unsupported_token_type(),
                Problem::contended(),
                Problem::overloaded(),
            ])
            .writes(),
        _ => page,
    }
}

fn each(answer: RefOr<Schema>) -> RefOr<Schema> {
    let answers = ArrayBuilder::new().items(answer);
    answers.max_items(Some(Question::MOST_KEYS)).into()
}

pub(super) fn verify_key() -> Value {
    json!({
        "key": TEXT,
        "requirement": "reports:read and not admin:all",
        "environment": "live",
        "address": "192.0.2.7",
        "cost": 1,
    })
}

pub(super) fn verify_keys() -> Value {
    json!({"keys": [TEXT, "nonsense"], "requirement": "reports:read", "environment": "live"})
}

fn verification() -> Value {
    let mut answer = good_key();
    answer["valid"] = true.into();
    answer["code"] = "valid".into();
    answer
}

fn good_key() -> Value {
    json!({
        "key_id": KEY,
        "owner": ACCOUNT,
        "name": "laptop",
        "environment": "live",
        "scopes": ["reports:read"],
        "metadata": {"team": "research"},
        "expires_at": "2099-12-31T23:59:59Z",
    })
}

pub(super) fn verifications() -> Value {
    let refused = Verification::refused(&KeyDenial::Malformed);
    // A struct of text and numbers cannot fail to serialise.
    let refused = serde_json::to_value(refused).unwrap_or_default();
    Value::from(vec![verification(), refused])
}

fn introspect_token() -> Value {
    json!({"token": TEXT, "token_type_hint": "access_token"})
}

fn revoke_token() -> Value {
    json!({"token": TEXT})
}

fn introspection() -> Value {
    json!({
        "active": true,
        "scope": "reports:read",
        "client_id": KEY,
        "sub": ACCOUNT,
        "token_type": "Bearer",
        "exp": 4_102_444_799_u64,
        "environment": "live",
    })
}
