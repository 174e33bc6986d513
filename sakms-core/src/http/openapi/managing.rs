//! What the routes for changing keys and roles are, in words.

use serde_json::Value;
use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{ArrayBuilder, Ref, RefOr, Required};
use utoipa::{PartialSchema, ToSchema};

use super::operations::{key_id, new_key};
use super::page::{Page, parameter};
use super::{errors, examples, oversight};
use crate::clock::Timestamp;
use crate::http::dto::{BulkRevocation, Key, RevokeKeys, RoleShown, Rotate, SetRole, Status};
use crate::http::problem::Problem;
use crate::http::route::Route;
use crate::key::{Environment, KeyState, Owner, RoleName, Tag};
use crate::service::IdempotencyKey;

/// A route that is about more than one key's name; one that has no line here fails a test.
pub(super) fn describe<'a>(route: &Route, page: Page<'a>) -> Page<'a> {
    match (route.method.as_str(), route.path) {
        ("POST", "/keys/revoke") => page
            .named(
                "revoke_keys",
                "Revoke many keys",
                "Revokes those of the caller's keys that all of the body is true of, at most 1,000 at a time; for admins those of \
                 others too. Each is revoked by itself; after an error on the way, those that were revoked are, and the request can \
                 be made again. Of uses, those of the last seconds are not known: the interval in which they are written down is \
                 added to `unused_for`.",
            )
            .takes::<RevokeKeys>(Required::True, examples::revoke_keys())
            .gives::<BulkRevocation<'_>>("200", "What was revoked, or would be.", examples::bulk_revocation())
            .fails([
                Problem::admin_only(),
                errors::invalid("unused_for", "must be at least 1 second"),
                Problem::contended(),
            ])
            .writes(),
        ("POST", "/keys/current/revoke") => page
            .named(
                "revoke_current_key",
                "Revoke the key that asks",
                "Refuses the key that this request is made with from now on, for good. It needs no scope: who holds a key can put an \
                 end to it.",
            )
            .gives::<Status>("200", "The key is revoked.", examples::revoked())
            .fails([Problem::contended()])
            .writes(),
        ("POST", "/keys/{id}/disable") => page
            .named(
                "disable_key",
                "Switch a key off",
                "Refuses a key until it is switched on again. One that is off stays so: the answer is the same.",
            )
            .parameter(key_id())
            .gives::<Status>("200", "The key is off.", examples::status("disabled"))
            .fails([Problem::contended()])
            .writes(),
        ("POST", "/keys/{id}/enable") => page
            .named(
                "enable_key",
                "Switch a key on",
                "Takes back that a key was switched off. One that is on stays so: the answer is the same.",
            )
            .parameter(key_id())
            .gives::<Status>("200", "The key is on.", examples::status("enabled"))
            .fails([
                Problem::beyond_caller("a key makes no key that outlives it"),
                Problem::contended(),
                Problem::key_is_revoked(),
            ])
            .writes(),
        ("POST", path) if path.starts_with("/keys/{id}/rotat") => rotation(path, page),
        _ => roles(route, page),
    }
}

fn rotation<'a>(path: &str, page: Page<'a>) -> Page<'a> {
    match path {
        "/keys/{id}/rotate" => page
            .named(
                "rotate_key",
                "Give a key another secret",
                "The key stays the same one and gets another text, `api_key`, shown this one time. The former one works on for \
                 `overlap_seconds`, and never longer than the key. The body may be left out.\n\n\
                 With an `Idempotency-Key`, a repeated request makes no third secret and is answered without `api_key`. Who lost \
                 it takes the rotation back, if its overlap lasts, and rotates anew.",
            )
            .parameter(key_id())
            .parameter(idempotency_key())
            .takes::<Rotate>(Required::False, examples::rotate())
            .gives_as::<Key<'_>>("201", "The key, with its new text.", new_key, examples::new_key())
            .gives::<Key<'_>>("200", "The key that this request had rotated before, as it is now.", examples::key())
            .header("Idempotency-Replayed", "That it had.", "true")
            .fails([
                Problem::bad_idempotency_key(),
                Problem::beyond_caller("a key makes no key that outlives it"),
                errors::invalid("overlap_seconds", "must be at most 2592000"),
                Problem::idempotency_key_reused(),
                Problem::contended(),
                Problem::key_is_revoked(),
                Problem::key_is_expired(),
                Problem::rotation_in_progress(),
            ])
            .writes(),
        "/keys/{id}/rotation/finish" => page
            .named(
                "finish_rotation",
                "End a rotation",
                "Refuses the former secret from now on. `GET /keys/{id}` says who still uses it.",
            )
            .parameter(key_id())
            .gives::<Key<'_>>("200", "The key as it is now.", examples::key())
            .fails([Problem::contended(), Problem::no_rotation()])
            .writes(),
        "/keys/{id}/rotation/cancel" => page
            .named(
                "cancel_rotation",
                "Take a rotation back",
                "Refuses the new secret from now on, and lets the former one stay. After the overlap there is no way back.",
            )
            .parameter(key_id())
            .gives::<Key<'_>>("200", "The key as it is now.", examples::key())
            .fails([
                Problem::beyond_caller("a key makes no key that outlives it"),
                Problem::contended(),
                Problem::no_rotation(),
            ])
            .writes(),
        _ => page,
    }
}

fn roles<'a>(route: &Route, page: Page<'a>) -> Page<'a> {
    let name = || {
        parameter("name", ParameterIn::Path, "What the role is called.")
            .schema(Some(RoleName::schema()))
    };
    match (route.method.as_str(), route.path) {
        ("GET", "/roles") => page
            .named("list_roles", "List roles", "Every role there is, in the order of their names; at most 1,000.")
            .gives_as::<RoleShown<'_>>("200", "The roles.", list_of, Value::from(vec![examples::role()]))
            .stored(),
        ("PUT", "/roles/{name}") => page
            .named(
                "set_role",
                "Define a role",
                "Defines a role, or defines it anew. Keys that hold it may do from now on what its scopes say.",
            )
            .parameter(name())
            .takes::<SetRole>(Required::True, examples::set_role())
            .gives::<RoleShown<'_>>("200", "The role.", examples::role())
            .fails([
                Problem::too_many_roles(),
                errors::invalid("scopes", "not a scope: expected resource:action, resource:* or *, of a-z, 0-9, _ . and -, at most 100 bytes"),
            ])
            .writes(),
        ("DELETE", "/roles/{name}") => page
            .named("remove_role", "Remove a role", "Takes a role away. It grants nothing any more, whoever holds it.")
            .parameter(name())
            .gives::<Status>("200", "The role is removed.", examples::status("removed"))
            .writes(),
        _ => oversight::describe(route, page),
    }
}

pub(super) fn list_of(item: RefOr<Schema>) -> RefOr<Schema> {
    ArrayBuilder::new().items(item).into()
}

pub(super) fn idempotency_key() -> ParameterBuilder {
    let schema = ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::String))
        .pattern(Some("^[ -~]+$"))
        .min_length(Some(1))
        .max_length(Some(IdempotencyKey::MAX_CHARS));
    let what = "Any text, drawn anew for each request, by which the same request is known when it is made again \
                (draft-ietf-httpapi-idempotency-key-header).";
    parameter("Idempotency-Key", ParameterIn::Header, what)
        .schema(Some(schema))
        .example(Some("8e03978e-40d5-43dd-bc93-6894a57f9324".into()))
}

/// By what keys of a list are chosen.
pub(super) fn filters() -> [ParameterBuilder; 7] {
    let of = |name: &str, what: &str, schema: RefOr<Schema>| {
        parameter(name, ParameterIn::Query, what).schema(Some(schema))
    };
    let seconds = ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::Integer))
        .minimum(Some(1));
    let flag = ObjectBuilder::new().schema_type(SchemaType::new(Type::Boolean));
    [
        of("state", "They are in this state.", KeyState::schema()),
        of(
            "environment",
            "They are of this environment.",
            Ref::from_schema_name(Environment::name()).into(),
        ),
        of(
            "tag",
            "They have this tag.",
            Ref::from_schema_name(Tag::name()).into(),
        ),
        of(
            "unused_for",
            "They were not used for so many seconds, as far as it is written down, and were made before that.",
            seconds.into(),
        ),
        of(
            "expires_before",
            "They expire before this moment.",
            Ref::from_schema_name(Timestamp::name()).into(),
        ),
        of(
            "owner",
            "They are this owner's; others than the caller are for admins to name.",
            Ref::from_schema_name(Owner::name()).into(),
        ),
        of("all_owners", "They are anybody's; for admins.", flag.into()),
    ]
}
