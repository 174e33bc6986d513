//! What each row of the table is, in words.

use std::time::Duration;

use serde_json::Value;
use utoipa::openapi::path::{HttpMethod, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{ArrayBuilder, Ref, RefOr, Required};
use utoipa::{PartialSchema, ToSchema};

use super::page::{Page, Schemas, parameter};
use super::{errors, examples, managing, sessions};
use crate::http::dto::{
    ChangeKey, CreateKey, Health, Key, Registered, ShownKey, SignIn, SignedIn, Status,
};
use crate::http::handlers::tokens::{JWK_SET, KEPT};
use crate::http::problem::Problem;
use crate::http::route::Route;
use crate::id::KeyId;
use crate::key::KeyQuery;
use crate::service::LoginDenial;
use crate::token::Jwks;

/// The path with this one operation. The schemas it refers to go to `schemas`.
pub(super) fn of(route: &Route, schemas: &mut Schemas) -> PathItem {
    let page = describe(route, Page::of(route, schemas));
    PathItem::new(method(route), page.finish(route))
}

fn method(route: &Route) -> HttpMethod {
    match route.method.as_str() {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

/// Every route has a line here; one that has none fails a test.
fn describe<'a>(route: &Route, page: Page<'a>) -> Page<'a> {
    match (route.method.as_str(), route.path) {
        ("POST", "/auth/register") => page
            .named("register", "Register", "Makes an account of an e-mail address and a password. Where the service confirms addresses, it mails a code instead, for `POST /auth/confirm`, and answers the same whether the address has an account or not.")
            .takes::<SignIn>(Required::True, examples::sign_in())
            .gives::<Registered>("201", "The account was made.", examples::registered())
            .gives::<Status>("202", "Where addresses are confirmed: the request was heard, and if it can be, a code is mailed.", examples::status("accepted"))
            .fails([
                Problem::email_taken(),
                errors::invalid("password", "must have at least 15 characters"),
                Problem::throttled(Duration::from_secs(8)),
                Problem::overloaded(),
            ])
            .writes(),
        ("POST", "/auth/login") => page
            .named(
                "sign_in",
                "Sign in",
                "Gives a token for an e-mail address and its password. An unknown address and a wrong password look the same. Where the \
                 service has sessions, one begins, and `refresh_token` goes on with it. Too many that fail, with one address or \
                 from one source, are answered with a pause.",
            )
            .takes::<SignIn>(Required::True, examples::sign_in())
            .gives::<SignedIn<'_>>("200", "A token, to be sent as `Authorization: Bearer`.", examples::signed_in())
            .fails([
                Problem::login_denied(LoginDenial),
                errors::invalid("password", "must be text"),
                Problem::throttled(Duration::from_secs(8)),
                Problem::overloaded(),
            ])
            .writes(),
        (_, path) if path.starts_with("/auth/") => sessions::describe(route, page),
        ("POST", "/keys") => create_key(page),
        ("GET", "/keys") => page
            .named(
                "list_keys",
                "List keys",
                "The caller's keys, the newest first, a page at a time. `Link` leads to the next page of the same list. Admins see \
                 those of others as well.",
            )
            .parameters(managing::filters())
            .parameter(limit())
            .parameter(cursor())
            .gives_as::<Key<'_>>("200", "A page of keys.", keys, Value::from(vec![examples::key()]))
            .header("Link", "Where the list goes on, when it does: a reference relative to this path.", examples::LINK)
            .fails([errors::invalid("limit", "must be between 1 and 100")])
            .stored(),
        ("GET", "/keys/{id}") => page
            .named(
                "get_key",
                "Show a key",
                "One of the caller's keys, with its secrets and who used them last. Another's key is not found, as if there were \
                 none. In this and the other paths of a key, `current` stands for the key that asks.",
            )
            .parameter(key_id())
            .gives::<ShownKey<'_>>("200", "The key.", examples::shown_key())
            .stored(),
        ("PATCH", "/keys/{id}") => page
            .named("update_key", "Change a key", "Changes what is named, and leaves the rest. A key that changes a key makes of it no more than itself. What a revoked or expired key may do is changed no more.")
            .parameter(key_id())
            .takes::<ChangeKey>(Required::True, examples::change_key())
            .gives::<Key<'_>>("200", "The key as it is now.", examples::changed_key())
            .fails([
                Problem::beyond_caller("a key makes no key that outlives it"),
                errors::invalid("name", "a name has at most 128 characters"),
                Problem::contended(),
                Problem::key_is_revoked(),
                Problem::key_is_expired(),
            ])
            .writes(),
        ("POST", "/keys/{id}/revoke") => page
            .named(
                "revoke_key",
                "Revoke a key",
                "Refuses a key from now on, for good. A key that is revoked already stays so: the answer is the same.",
            )
            .parameter(key_id())
            .gives::<Status>("200", "The key is revoked.", examples::revoked())
            .fails([Problem::contended()])
            .writes(),
        ("GET", "/.well-known/jwks.json") => page
            .named(
                "jwks",
                "Public keys",
                "The keys that tokens can be checked with elsewhere (RFC 7517): every public key whose tokens are good now. A \
                 service that signs with a secret alone gives an empty set.",
            )
            .gives_kept::<Jwks>("200", "The keys.", (JWK_SET, KEPT), examples::jwks())
            .header("ETag", "Which version of the set it is.", "\"7781c6b65c41eec1\"")
            .gives_text("304", "It is the version that `If-None-Match` names.", &[]),
        ("GET", "/health") => page
            .named("health", "Whether the process lives", "Answers without a look at the database, and says how far this process knows what others changed there.")
            .gives::<Health>("200", "It lives.", examples::health()),
        ("GET", "/ready") => page
            .named("ready", "Whether requests can be served", "Asks the database.")
            .gives::<Status>("200", "They can.", examples::ready())
            .stored(),
        ("GET", "/openapi.json" | "/docs" | "/docs/{file}" | "/redoc") => documents(route.path, page),
        _ => managing::describe(route, page),
    }
}

fn create_key(page: Page<'_>) -> Page<'_> {
    page
            .named(
                "create_key",
                "Make a key",
                "Makes a key for the caller. `api_key` is its text, shown this one time. The body may be left out. A key that \
                 makes a key hands on no more than it has: no scope that it lacks, those of roles included, no longer life and \
                 no earlier beginning, no other environment, no laxer limits.\n\n\
                 With an `Idempotency-Key`, the same request by the same caller makes no second key, also when the first answer \
                 was lost; it is known for a day, unless the service says otherwise. A repeated request is answered without \
                 `api_key`, which is kept nowhere: who lost it has the key rotated with `overlap_seconds` 0 and has another.",
            )
            .parameter(managing::idempotency_key())
            .takes::<CreateKey>(Required::False, examples::create_key())
            .gives_as::<Key<'_>>("201", "The key, with its text.", new_key, examples::new_key())
            .gives::<Key<'_>>("200", "The key that this request had made before, as it is now.", examples::key())
            .header("Idempotency-Replayed", "That it had.", "true")
            .fails([
                Problem::bad_idempotency_key(),
                Problem::beyond_caller("a key makes no key that outlives it"),
                Problem::too_many_keys(),
                errors::invalid("expires_at", "must be in the future"),
                Problem::idempotency_key_reused(),
            ])
            .writes()
}

fn documents<'a>(path: &str, page: Page<'a>) -> Page<'a> {
    match path {
        "/openapi.json" => page
            .named(
                "openapi",
                "This document",
                "OpenAPI 3.1, of the routes that this service has.",
            )
            .gives_any("200", "The document.", None),
        "/docs" => page
            .named(
                "docs",
                "This document in Swagger UI",
                "A page to read the document and to try it out.",
            )
            .gives_text("200", "The page.", &["text/html"]),
        "/redoc" => page
            .named(
                "redoc",
                "This document in ReDoc",
                "A page to read the document.",
            )
            .gives_text("200", "The page.", &["text/html"]),
        "/docs/{file}" => page
            .named(
                "docs_file",
                "A file of the two pages",
                "A script or a style sheet, compressed for whoever takes it so.",
            )
            .parameter(
                parameter("file", ParameterIn::Path, "The file's name.")
                    .schema(Some(String::schema())),
            )
            .gives_text("200", "The file.", &["text/javascript", "text/css"])
            .header(
                "ETag",
                "Which version of the file it is.",
                "W/\"4b5a9b35a1adf37f\"",
            )
            .gives_text("304", "It is the version that `If-None-Match` names.", &[]),
        _ => page,
    }
}

fn limit() -> ParameterBuilder {
    let schema = ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::Integer))
        .minimum(Some(1))
        .maximum(Some(KeyQuery::MAX_LIMIT))
        .default(Some(KeyQuery::DEFAULT_LIMIT.into()));
    parameter("limit", ParameterIn::Query, "How many keys a page has.").schema(Some(schema))
}

pub(super) fn cursor() -> ParameterBuilder {
    let what = "Where to go on: what `Link` of the page before says.";
    parameter("cursor", ParameterIn::Query, what).schema(Some(String::schema()))
}

pub(super) fn key_id() -> ParameterBuilder {
    parameter("id", ParameterIn::Path, "The key's id.")
        .schema(Some(Ref::from_schema_name(KeyId::name())))
        .example(Some(examples::key()["id"].take()))
}

fn keys(key: RefOr<Schema>) -> RefOr<Schema> {
    let keys = ArrayBuilder::new().items(key);
    keys.max_items(Some(KeyQuery::MAX_LIMIT as usize)).into()
}

/// A key, and its text.
pub(super) fn new_key(key: RefOr<Schema>) -> RefOr<Schema> {
    let text = ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::String))
        .description(Some("The key's text. It is shown here and never again."))
        .pattern(Some("^[a-z0-9_]+_[0-9A-Za-z]{76}$"))
        .read_only(true);
    let with_text = ObjectBuilder::new()
        .property("api_key", text)
        .required("api_key");
    AllOfBuilder::new().item(key).item(with_text).into()
}
