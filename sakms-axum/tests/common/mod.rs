//! The application that the suite for adapters is run against.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses a part of it; a test says what it expects by failing"
)]

use std::net::SocketAddr;

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use sakms_axum::{
    Authenticated, AuthenticatedCaller, MaybeAuthenticated, RequireKey, RequireToken,
};
use sakms_core::http::{Api, Group};
use sakms_core::key::Environment;
use sakms_core::service::{Caller, Sakms};
use sakms_core::testkit::http::{
    COST, EITHER, HOST_USER, PROXIES, Server, caller_json, key_json, owner_json,
};
use serde_json::Value;
use tokio::net::TcpListener;

/// Serves `api` with the routes the suite asks for, until the server is dropped.
pub(crate) async fn start(api: Api) -> Server {
    serve(app(api)).await
}

pub(crate) async fn serve(router: Router) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let task = tokio::spawn(async { axum::serve(listener, service).await });
    Server::of_task(address, task)
}

pub(crate) fn app(api: Api) -> Router {
    let host = Router::new()
        .merge(sakms_axum::router(api.clone().groups([Group::Keys])))
        .layer(from_fn(sign_in));
    Router::new()
        .merge(guarded(api.sakms()))
        .route("/unguarded", get(key))
        .route("/open", get(|| async { "open" }))
        .nest("/host", host)
        .merge(sakms_axum::router(api))
        .fallback(sakms_axum::not_found)
        .method_not_allowed_fallback(sakms_axum::method_not_allowed)
}

fn guarded(sakms: &Sakms) -> Router {
    let behind = |path, layer: RequireKey| Router::new().route(path, get(key)).route_layer(layer);
    let guard = RequireKey::new(sakms);
    let reports = guard.clone().scope("reports:read").unwrap();
    let live = guard.clone().environment(Environment::live());
    let test = guard.clone().environment(Environment::test());
    let everywhere = guard.clone().any_environment();
    let either = guard.clone().requirement(EITHER.parse().unwrap());
    let costly = guard.clone().cost(COST);
    let proxied = guard.clone().trusted_proxies(PROXIES.parse().unwrap());
    let maybe = Router::new().route("/guarded/maybe", get(owner));
    let people = Router::new()
        .route("/guarded/token", get(caller))
        .route_layer(RequireToken::new(sakms));
    let both = Router::new()
        .route("/guarded/token-or-key", get(caller))
        .route_layer(reports.clone().or_token());
    behind("/guarded/any", guard.clone())
        .merge(people)
        .merge(both)
        .merge(behind("/guarded/reports", reports))
        .merge(behind("/guarded/live", live))
        .merge(behind("/guarded/test", test))
        .merge(behind("/guarded/everywhere", everywhere))
        .merge(behind("/guarded/either", either))
        .merge(behind("/guarded/costly", costly))
        .merge(behind("/guarded/proxied", proxied))
        .merge(maybe.route_layer(guard.or_anonymous()))
}

async fn key(Authenticated(key): Authenticated) -> Json<Value> {
    Json(key_json(&key))
}

async fn caller(AuthenticatedCaller(caller): AuthenticatedCaller) -> Json<Value> {
    Json(caller_json(&caller))
}

async fn owner(MaybeAuthenticated(key): MaybeAuthenticated) -> Json<Value> {
    Json(owner_json(key.as_ref()))
}

/// The host's own way to know its users.
async fn sign_in(mut request: Request, next: Next) -> Response {
    let user = request
        .headers()
        .get(HOST_USER)
        .and_then(|user| user.to_str().ok());
    if let Some(owner) = user.and_then(|user| user.parse().ok()) {
        request.extensions_mut().insert(Caller::owner(owner));
    }
    next.run(request).await
}
