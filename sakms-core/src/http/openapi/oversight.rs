//! The words of the routes by which people look at what happens: the journal, how a key is used, why it is refused, and
//! who has an account.

use serde_json::{Value, json};
use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{ArrayBuilder, KnownFormat, Ref, RefOr, Required, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

use super::examples::{ACCOUNT, KEY};
use super::operations::{cursor, key_id};
use super::page::{Page, parameter};
use super::{asking, errors, examples};
use crate::http::dto::{Account, AuditRow, ExplainKey, Explained, Usage};
use crate::http::problem::Problem;
use crate::http::route::Route;
use crate::id::AccountId;
use crate::journal::JournalQuery;

pub(super) fn describe<'a>(route: &Route, page: Page<'a>) -> Page<'a> {
    match (route.method.as_str(), route.path) {
        ("GET", "/audit") => page
            .named(
                "audit",
                "Read the journal",
                "What was done, the newest first, a page at a time: everything for an admin, and for anybody else what is \
                 about themself or what they hold. Filters are compared to the letter. `Link` leads to the next page.",
            )
            .parameter(filter("actor", "Who did it: `system`, `anonymous`, `owner:<owner>` or `key:<id>`."))
            .parameter(filter("action", "What was done: `key.revoke`."))
            .parameter(filter("subject", "To what: `key:<id>`, `owner:<owner>`, `account:<id>`, `role:<name>` or `service`."))
            .parameter(moment("from", "At this moment or later."))
            .parameter(moment("until", "Before this moment."))
            .parameter(filter("owner", "About this owner or what they hold. For admins."))
            .parameter(limit("How many rows a page has."))
            .parameter(cursor())
            .gives_as::<AuditRow<'_>>("200", "A page of the journal.", page_of, Value::from(vec![examples::audit_row()]))
            .header("Link", "Where the list goes on, when it does: a reference relative to this path.", examples::AUDIT_LINK)
            .fails([
                errors::invalid("from", "not a time of the form 2026-11-20T12:34:56Z (RFC 3339), between 1970 and 9999"),
                Problem::admin_only(),
            ]),
        ("GET", "/keys/{id}/usage") => page
            .named(
                "key_usage",
                "How a key is used",
                "How often one of the keys that the caller may manage was let in and refused on each day, in UTC. The last \
                 seconds are not in it yet.",
            )
            .parameter(key_id())
            .parameter(day("from", "The first day; 29 days before the last one, when nothing is said."))
            .parameter(day("to", "The last day; today, when nothing is said. At most 400 days are shown."))
            .gives::<Usage>("200", "The days on which something was counted.", usage())
            .fails([errors::invalid("to", "must not be before `from`")]),
        ("POST", "/keys/{id}/explain") => page
            .named(
                "explain_key",
                "Why a key would be refused",
                "Says what each gate of a check would say of a key. It is no use of the key and takes nothing from its limits. \
                 Rates are as they stand on this server. The body may be left out.",
            )
            .parameter(key_id())
            .takes::<ExplainKey>(Required::False, explain_key())
            .gives::<Explained<'_>>("200", "Every gate, in the order in which they are asked.", explained())
            .fails([errors::invalid("cost", "invalid value: integer `0`, expected a nonzero u32")]),
        ("GET", "/accounts") => page
            .named("list_accounts", "List accounts", "Every account, the newest first, a page at a time. `Link` leads to the next page.")
            .parameter(limit("How many accounts a page has."))
            .parameter(cursor())
            .gives_as::<Account<'_>>("200", "A page of accounts.", page_of, Value::from(vec![account()]))
            .header("Link", "Where the list goes on, when it does: a reference relative to this path.", examples::LINK)
            .fails([errors::invalid("limit", "must be between 1 and 100")]),
        ("POST", "/accounts/{id}/disable") => page
            .named(
                "disable_account",
                "Disable an account",
                "Shuts an account out: nobody signs in with it, and none of its tokens and keys is good for anything, here at \
                 once and on every server within the bound. One that is disabled stays so.",
            )
            .parameter(account_id())
            .gives::<Account<'_>>("200", "The account as it is now.", account())
            .fails([Problem::own_account()])
            .writes(),
        ("POST", "/accounts/{id}/enable") => page
            .named("enable_account", "Enable an account", "Lets an account in again, with its tokens and keys. One that is enabled stays so.")
            .parameter(account_id())
            .gives::<Account<'_>>("200", "The account as it is now.", account())
            .writes(),
        _ => asking::describe(route, page),
    }
}

fn filter(name: &str, what: &str) -> ParameterBuilder {
    parameter(name, ParameterIn::Query, what).schema(Some(String::schema()))
}

fn account_id() -> ParameterBuilder {
    parameter("id", ParameterIn::Path, "The account's id.")
        .schema(Some(Ref::from_schema_name(AccountId::name())))
        .example(Some(json!(ACCOUNT)))
}

fn day(name: &str, what: &str) -> ParameterBuilder {
    let schema = ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::String))
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)));
    parameter(name, ParameterIn::Query, what).schema(Some(schema))
}

fn moment(name: &str, what: &str) -> ParameterBuilder {
    let schema = ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::String))
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
    parameter(name, ParameterIn::Query, what).schema(Some(schema))
}

fn limit(what: &str) -> ParameterBuilder {
    let schema = ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::Integer))
        .minimum(Some(1))
        .maximum(Some(JournalQuery::MAX_LIMIT))
        .default(Some(JournalQuery::everything().limit.into()));
    parameter("limit", ParameterIn::Query, what).schema(Some(schema))
}

fn page_of(item: RefOr<Schema>) -> RefOr<Schema> {
    let items = ArrayBuilder::new().items(item);
    items
        .max_items(Some(JournalQuery::MAX_LIMIT as usize))
        .into()
}

pub(super) fn explain_key() -> Value {
    json!({
        "requirement": "reports:write",
        "environment": "live",
        "address": "192.0.2.7",
        "cost": 1,
        "at": "2026-12-01T00:00:00Z",
    })
}

pub(super) fn explained() -> Value {
    let gates = [
        "revoked",
        "owner",
        "disabled",
        "expiry",
        "secret",
        "beginning",
        "environment",
        "address",
        "scopes",
        "rates",
        "quota",
    ];
    let mut gates =
        gates.map(|name| json!({"gate": name, "passes": true, "code": null, "detail": null}));
    gates[8] = json!({
        "gate": "scopes",
        "passes": false,
        "code": "insufficient_scope",
        "detail": "the key does not hold the scope reports:write",
    });
    json!({
        "key_id": KEY,
        "at": "2026-12-01T00:00:00Z",
        "allowed": false,
        "refused_by": "scopes",
        "gates": gates,
    })
}

pub(super) fn usage() -> Value {
    json!({
        "key_id": KEY,
        "from": "2026-10-30",
        "to": "2026-11-28",
        "allowed": 1_204,
        "refused": 3,
        "days": [
            {"day": "2026-11-25", "allowed": 1_180, "refused": 0},
            {"day": "2026-11-28", "allowed": 24, "refused": 3},
        ],
    })
}

pub(super) fn account() -> Value {
    json!({
        "id": ACCOUNT,
        "email": "ada@example.com",
        "roles": [],
        "created_at": "2026-11-22T20:05:32.654Z",
        "disabled": false,
        "disabled_at": null,
    })
}
