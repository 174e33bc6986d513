//! The words of the routes by which people look at what happens: the journal, how a key is used, why it is refused, and
//! who has an account.

use serde_json::Value;
use utoipa::PartialSchema;
use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{ArrayBuilder, KnownFormat, RefOr, SchemaFormat};

use super::page::{Page, parameter};
use super::{asking, errors, examples};
use crate::http::dto::AuditRow;
use crate::http::problem::Problem;
use crate::http::route::Route;
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
            .parameter(super::operations::cursor())
            .gives_as::<AuditRow<'_>>("200", "A page of the journal.", page_of, Value::from(vec![examples::audit_row()]))
            .header("Link", "Where the list goes on, when it does: a reference relative to this path.", examples::AUDIT_LINK)
            .fails([
                errors::invalid("from", "not a time of the form 2026-11-20T12:34:56Z (RFC 3339), between 1970 and 9999"),
                Problem::admin_only(),
            ]),
        _ => asking::describe(route, page),
    }
}

fn filter(name: &str, what: &str) -> ParameterBuilder {
    parameter(name, ParameterIn::Query, what).schema(Some(String::schema()))
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
