//! The host's own routes, there to be copied: one that is open, and the same handler behind the guard.

use axum::routing::get;
use axum::{Json, Router};
use sakms_axum::{Authenticated, RequireKey};
use sakms_core::key::InvalidScope;
use sakms_core::service::Sakms;
use serde_json::{Value, json};

/// `/demo/public` for anyone, `/demo/protected` for any key, `/demo/reports` for keys with the scope `reports:read`.
pub(crate) fn router(sakms: &Sakms) -> Result<Router, InvalidScope> {
    let open = Router::new()
        .route("/demo/public", get(hello))
        .route("/demo/public/", get(hello));
    let any_key = Router::new()
        .route("/demo/protected", get(hello))
        .route("/demo/protected/", get(hello))
        .route_layer(RequireKey::new(sakms));
    let with_scope = Router::new()
        .route("/demo/reports", get(reports))
        .route("/demo/reports/", get(reports))
        .route_layer(RequireKey::new(sakms).scope("reports:read")?);
    Ok(open.merge(any_key).merge(with_scope))
}

async fn hello() -> Json<Value> {
    Json(json!({"message": "hello"}))
}

async fn reports(Authenticated(key): Authenticated) -> Json<Value> {
    Json(json!({"owner": key.owner(), "key_id": key.key_id(), "reports": []}))
}
