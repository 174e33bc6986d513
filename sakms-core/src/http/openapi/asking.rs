//! The words of the routes by which other programs ask about keys.

use serde_json::{Value, json};
use utoipa::PartialSchema;
use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{ArrayBuilder, RefOr, Required};

use super::examples::{ACCOUNT, KEY, TEXT};
use super::page::{Page, parameter};
use super::{errors, examples};
use crate::http::dto::{
    ExchangeKey, Exchanged, Feed, IntrospectToken, Introspection, RevokeToken, Verification,
    VerifyKey, VerifyKeys,
};
use crate::http::problem::Problem;
use crate::http::route::Route;
use crate::service::{KeyDenial, Question, Sakms, TokenExchange};

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
        ("GET", "/oauth/revocations") => page
            .named(
                "revocations",
                "What was revoked",
                "For services that check tokens by themselves: which keys, owners and sessions were put an end to, or are good \
                 anew, since the last time. A token is refused when it was issued before the `valid_from` of the last word on \
                 its key, its owner, its session or its owner's sessions, and always when that is null. Without `after` it \
                 begins where the oldest token was issued that may still be good. 410 says that what was read before may not \
                 hold: begin anew.",
            )
            .parameter(after())
            .parameter(rows())
            .gives::<Feed>("200", "What there is, up to a point.", revocations())
            .fails([errors::invalid("after", "must be the `position` of an earlier answer"), Problem::position_gone()]),
        ("POST", "/oauth/token") => page
            .named(
                "exchange_key",
                "Exchange a key for a token (RFC 8693)",
                "Gives a short token for an API key, that the service named by `audience` checks by itself with the public keys. \
                 The key is checked as at a guard, and it is a use of the key; it needs no other credential. The token is never \
                 good for longer than the key. Revoking the key ends the token where the service reads of revocations, and \
                 anywhere else when it is to be exchanged again. It opens no route of this service. `key_id` in it is the key, \
                 `sub` its owner.",
            )
            .takes_form::<ExchangeKey>(exchange_key())
            .gives::<Exchanged<'_>>("200", "The token.", exchanged())
            .fails([
                Problem::invalid_request("The form has no parameter `audience`."),
                Problem::unsupported_grant_type(),
                Problem::invalid_target("Keys are not exchanged for this audience."),
                Problem::invalid_scope("The key does not hold the scope reports:write."),
                Problem::tokens_unavailable(),
                Problem::overloaded(),
            ])
            .fails(errors::used_up())
            .stored(),
        _ => page,
    }
}

fn after() -> ParameterBuilder {
    let what = "Where to go on: the `position` of an earlier answer. The number alone is taken too, but then another database \
                is not told from this one.";
    parameter("after", ParameterIn::Query, what).schema(Some(String::schema()))
}

fn rows() -> ParameterBuilder {
    let schema = ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::Integer))
        .minimum(Some(1))
        .maximum(Some(Sakms::MAX_FEED_ROWS))
        .default(Some(Sakms::MAX_FEED_ROWS.into()));
    let what = "How many rows of the journal are looked at.";
    parameter("limit", ParameterIn::Query, what).schema(Some(schema))
}

fn revocations() -> Value {
    let row = examples::audit_row();
    let position = format!(
        "{}:{}",
        row["seq"],
        row["chain"].as_str().unwrap_or_default()
    );
    json!({
        "position": position,
        "more": false,
        "revocations": [{
            "seq": row["seq"], "at": row["at"], "kind": "key", "subject": "Wb8qGJfZ0q4mJkYq3X1z9A", "valid_from": null,
        }],
    })
}

fn exchange_key() -> Value {
    json!({
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": TEXT,
        "subject_token_type": TokenExchange::API_KEY_TYPE,
        "audience": "https://reports.example",
        "scope": "reports:read",
    })
}

fn exchanged() -> Value {
    let mut answer = examples::signed_in();
    let token = answer["access_token"].take();
    json!({
        "access_token": token,
        "issued_token_type": Exchanged::ACCESS_TOKEN,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "reports:read",
    })
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
