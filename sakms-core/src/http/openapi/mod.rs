//! The OpenAPI 3.1 document of the route table.
//!
//! Method, path, group, access and body come from [`routes`], errors from the [`Problem`](super::Problem)s that are
//! really answered, and schemas from the types that are really read and written. What is written by hand stands in
//! `operations.rs`: the words, and which errors a route has beyond those that its row implies.

mod asking;
mod errors;
mod examples;
mod managing;
mod operations;
mod oversight;
mod page;
mod recovery;
mod schemas;
mod served;
mod sessions;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::tag::{Tag, TagBuilder};
use utoipa::openapi::{
    Components, Info, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Paths, PathsBuilder,
};

use super::route::{Access, Group, Route, routes};
pub(super) use served::Description;

const TOKEN: &str = "sakms_token";
const API_KEY: &str = "sakms_api_key";
const API_KEY_BEARER: &str = "sakms_api_key_bearer";

/// The OpenAPI 3.1 document of every route there is, at the paths of the table.
///
/// It is a type of `utoipa`, which serialises with `serde` and which a host can change: set `info.title`, add `servers`,
/// or put it into a document of its own with [`OpenApi::nest`] or [`OpenApi::merge`]. All schemas are named
/// `sakms.…` and all security schemes `sakms_…`, so that they take no name from the host's.
///
/// ```
/// use utoipa::openapi::{Info, OpenApi, Paths};
///
/// let host = OpenApi::new(Info::new("The whole application", "1.0.0"), Paths::new());
/// let whole = host.nest("/account", sakms_core::http::openapi());
/// assert!(whole.paths.paths.contains_key("/account/keys/{id}"));
/// # assert!(whole.components.is_some_and(|all| all.schemas.contains_key("sakms.Key")));
/// ```
#[must_use]
pub fn openapi() -> OpenApi {
    static WHOLE: LazyLock<OpenApi> = LazyLock::new(|| document(|_| true));
    WHOLE.clone()
}

/// The same for a host that nests the routes: `openapi_under("/account")` has `/account/keys`. A host that leaves groups
/// out asks its [`Api`](super::Api) for the document ([`Api::openapi_under`](super::Api::openapi_under)).
#[must_use]
pub fn openapi_under(prefix: &str) -> OpenApi {
    nested(prefix, openapi())
}

fn nested(prefix: &str, document: OpenApi) -> OpenApi {
    let empty = OpenApi::new(info(), Paths::new());
    empty.nest(prefix.trim_end_matches('/'), document)
}

/// The document of those routes that belong to these groups.
fn document(has: impl Fn(Group) -> bool) -> OpenApi {
    let mut schemas = Vec::new();
    let mut paths = PathsBuilder::new();
    for route in routes().iter().filter(|route| has(route.group)) {
        let operation = operations::of(route, &mut schemas);
        paths = paths.path(route.path, operation);
    }
    let mut components = Components::new();
    components.schemas.extend(schemas);
    components.add_security_schemes_from_iter(security_schemes());
    let tags = GROUPS.into_iter().filter(|group| has(*group)).map(tag);
    OpenApiBuilder::new()
        .info(info())
        .paths(paths)
        .components(Some(components))
        .tags(Some(tags))
        .build()
}

fn info() -> Info {
    // The interface's. The package's own names that of the pages' scripts as well.
    let licence = LicenseBuilder::new()
        .name("MIT")
        .identifier(Some("MIT"))
        .build();
    InfoBuilder::new()
        .title("SAKMS: key management")
        .version(env!("CARGO_PKG_VERSION"))
        .license(Some(licence))
        .description(Some(
            "Issues API keys, lists, changes and revokes them, and signs people in.\n\n\
             Every path answers with and without a trailing slash, and every GET to HEAD as well. Every error, also for \
             paths and methods that are not listed here, is `application/problem+json` (RFC 9457) with a `code` to decide \
             by. A status of 500 and above says that nothing could be decided; it never means that a credential is bad.",
        ))
        .build()
}

const GROUPS: [Group; 11] = [
    Group::Accounts,
    Group::Recovery,
    Group::Sessions,
    Group::Tokens,
    Group::Keys,
    Group::Roles,
    Group::OAuth,
    Group::Exchange,
    Group::Audit,
    Group::Meta,
    Group::Documents,
];

const fn tag_name(group: Group) -> &'static str {
    match group {
        Group::Accounts => "Accounts",
        Group::Recovery => "Recovery",
        Group::Sessions => "Sessions",
        Group::Tokens => "Tokens",
        Group::Keys => "Keys",
        Group::Roles => "Roles",
        Group::OAuth => "OAuth",
        Group::Exchange => "Exchange",
        Group::Audit => "Audit",
        Group::Meta => "Health",
        Group::Documents => "Documents",
    }
}

fn tag(group: Group) -> Tag {
    let description = match group {
        Group::Accounts => {
            "Registering, signing in, changing a password, and for admins who has an account."
        }
        Group::Recovery => "What somebody does with a code that was mailed to them.",
        Group::Sessions => "What those have who have signed in: going on, and signing out.",
        Group::Tokens => "What others need to check tokens.",
        Group::Keys => "Managing one's own keys, and for admins everybody's.",
        Group::Roles => "Named sets of scopes that admins define and keys hold.",
        Group::OAuth => "Checking and revoking keys, for readers of OAuth.",
        Group::Exchange => "Exchanging keys for tokens that other services check by themselves.",
        Group::Audit => "What was done, by whom, and that nobody changed it afterwards.",
        Group::Meta => "Whether the service lives, and whether it can work.",
        Group::Documents => "This document, and pages to read it.",
    };
    TagBuilder::new()
        .name(tag_name(group))
        .description(Some(description))
        .build()
}

fn security_schemes() -> [(&'static str, SecurityScheme); 3] {
    let bearer = |format: &str, description: &str| {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format(format)
            .description(Some(description));
        SecurityScheme::Http(scheme.build())
    };
    let header = ApiKeyValue::with_description(
        "X-API-Key",
        "An API key. The scopes an operation names are those it must hold.",
    );
    [
        (
            TOKEN,
            bearer(
                "JWT",
                "The `access_token` that signing in gives. A server may take it as `?token=…` too; such answers carry a \
                 `Deprecation` header.",
            ),
        ),
        (API_KEY, SecurityScheme::ApiKey(ApiKey::Header(header))),
        (
            API_KEY_BEARER,
            bearer(
                "API key",
                "An API key in place of a token, for clients that only know this header.",
            ),
        ),
    ]
}

/// Any one of these opens the route; none for a route that is open to anyone.
fn security(route: &Route) -> Vec<SecurityRequirement> {
    match &route.access {
        Access::Anyone => Vec::new(),
        // No key is an admin, and none has signed in.
        Access::Admin | Access::SignedIn => vec![SecurityRequirement::new(TOKEN, [""; 0])],
        Access::KeyHolder => vec![
            SecurityRequirement::new(API_KEY, [""; 0]),
            SecurityRequirement::new(API_KEY_BEARER, [""; 0]),
        ],
        Access::Caller(scope) => {
            let scopes = [scope.as_str()];
            vec![
                SecurityRequirement::new(TOKEN, [""; 0]),
                SecurityRequirement::new(API_KEY, scopes),
                SecurityRequirement::new(API_KEY_BEARER, scopes),
            ]
        }
    }
}
