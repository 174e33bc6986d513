//! The integration with axum. The one with actix-web stands beside it.

use axum::http::header::CONTENT_TYPE;
use axum::middleware::from_fn;
use axum::routing::get;
use axum::{Json, Router};
use sakms_axum::{Authenticated, RequireKey};
use sakms_core::http::Api;
use sakms_core::key::InvalidScope;
use serde_json::{Value, json};

use crate::metrics::{Metrics, TEXT_FORMAT};
use crate::trace;

/// The host's own routes (an open one, the same handler behind the guard, and one that wants a scope) and SAKMS's.
pub(crate) fn router(api: Api, metrics: Option<Metrics>) -> Result<Router, InvalidScope> {
    let any_key = RequireKey::new(api.sakms()).trusted_proxies(api.proxies().clone());
    let reader = any_key.clone().scope("reports:read")?;
    let open = Router::new()
        .route("/demo/public", get(hello))
        .route("/demo/public/", get(hello));
    let protected = Router::new()
        .route("/demo/protected", get(hello))
        .route("/demo/protected/", get(hello))
        .route_layer(any_key);
    let with_scope = Router::new()
        .route("/demo/reports", get(reports))
        .route("/demo/reports/", get(reports))
        .route_layer(reader);
    let figures = match metrics {
        Some(metrics) => {
            let page = async move || ([(CONTENT_TYPE, TEXT_FORMAT)], metrics.page());
            Router::new().route("/metrics", get(page))
        }
        None => Router::new(),
    };
    Ok(open
        .merge(figures)
        .merge(protected)
        .merge(with_scope)
        .merge(sakms_axum::router(api))
        .fallback(sakms_axum::not_found)
        .method_not_allowed_fallback(sakms_axum::method_not_allowed)
        .layer(from_fn(trace::axum::request)))
}

async fn hello() -> Json<Value> {
    Json(json!({"message": "hello"}))
}

async fn reports(Authenticated(key): Authenticated) -> Json<Value> {
    Json(json!({"owner": key.owner(), "key_id": key.key_id(), "reports": []}))
}
