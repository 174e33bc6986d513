//! The document of the application's own routes.

use utoipa::openapi::path::{HttpMethod, OperationBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, Content, Info, OpenApi, PathItem, PathsBuilder, Ref, ResponseBuilder,
};
use utoipa::{PartialSchema as _, ToSchema as _};

use crate::{COOKIE, Credentials};

/// The application's document. SAKMS's is still to be merged in: it describes what `/account/keys` does, and explains the
/// schemes `sakms_…`; this one explains the scheme `session`, to which SAKMS's part refers.
#[must_use]
pub fn openapi() -> OpenApi {
    let credentials = Content::new(Some(Ref::from_schema_name(Credentials::name())));
    let body = RequestBodyBuilder::new()
        .content("application/json", credentials)
        .build();
    let named = || OperationBuilder::new().request_body(Some(body.clone()));
    let session = || OperationBuilder::new().security(by("session", []));
    let key = OperationBuilder::new()
        .security(by("sakms_api_key", ["reports:read"]))
        .security(by("sakms_api_key_bearer", ["reports:read"]));
    let paths = PathsBuilder::new()
        .path("/signup", post("sign_up", named(), "201"))
        .path("/signin", post("sign_in", named(), "200"))
        .path("/account", get("account", session(), "200"))
        .path("/account/signout", post("sign_out", session(), "204"))
        .path("/api/reports", get("reports", key, "200"));

    let cookie = ApiKeyValue::with_description(COOKIE, "The session that signing in gives.");
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(cookie));
    let mut components = Components::new();
    components
        .schemas
        .insert(Credentials::name().into(), Credentials::schema());
    components.add_security_scheme("session", cookie);
    let info = Info::new("Reports", env!("CARGO_PKG_VERSION"));
    let mut document = OpenApi::new(info, paths);
    document.components = Some(components);
    document
}

fn by<const N: usize>(scheme: &str, scopes: [&str; N]) -> SecurityRequirement {
    SecurityRequirement::new(scheme, scopes)
}

fn get(id: &str, operation: OperationBuilder, status: &str) -> PathItem {
    PathItem::new(HttpMethod::Get, answered(id, operation, status))
}

fn post(id: &str, operation: OperationBuilder, status: &str) -> PathItem {
    PathItem::new(HttpMethod::Post, answered(id, operation, status))
}

fn answered(id: &str, operation: OperationBuilder, status: &str) -> OperationBuilder {
    let done = ResponseBuilder::new().description("It was done.");
    operation.operation_id(Some(id)).response(status, done)
}
