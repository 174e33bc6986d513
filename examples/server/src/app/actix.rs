//! The integration with actix-web. The one with axum stands beside it.

use std::future::ready;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::web::{self, Json, ServiceConfig};
use actix_web::{App, Error, HttpResponse};
use sakms_actix::{Authenticated, RequireKey};
use sakms_core::http::Api;
use sakms_core::key::InvalidScope;
use serde_json::{Value, json};

use crate::metrics::{Metrics, TEXT_FORMAT};
use crate::trace;

/// The host's own routes (an open one, the same handler behind the guard, and one that wants a scope) and SAKMS's. Made
/// once, for all workers.
pub(crate) fn routes(
    api: Api,
    metrics: Option<Metrics>,
) -> Result<impl Fn(&mut ServiceConfig) + Clone + Send, InvalidScope> {
    let any_key = RequireKey::new(api.sakms()).trusted_proxies(api.proxies().clone());
    let reader = any_key.clone().scope("reports:read")?;
    Ok(move |config: &mut ServiceConfig| {
        let mut open = web::resource(["/demo/public", "/demo/public/"]);
        let mut protected = web::resource(["/demo/protected", "/demo/protected/"]);
        let mut with_scope = web::resource(["/demo/reports", "/demo/reports/"]);
        // As axum does: GET answers HEAD as well, and the guard stands behind "method not allowed".
        for method in [web::get, web::head] {
            open = open.route(method().to(hello));
            protected = protected.route(method().to(hello).wrap(any_key.clone()));
            with_scope = with_scope.route(method().to(reports).wrap(reader.clone()));
        }
        if let Some(metrics) = metrics.clone() {
            let page = move || {
                let mut figures = HttpResponse::Ok();
                ready(figures.content_type(TEXT_FORMAT).body(metrics.page()))
            };
            let resource = web::resource("/metrics");
            config.service(
                resource
                    .route(web::get().to(page.clone()))
                    .route(web::head().to(page)),
            );
        }
        config
            .service(open)
            .service(protected)
            .service(with_scope)
            .configure(sakms_actix::configure(api.clone()));
    })
}

/// The application of one worker.
pub(crate) fn app(
    routes: impl FnOnce(&mut ServiceConfig),
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    App::new()
        .configure(routes)
        .default_service(web::to(sakms_actix::not_found))
        .wrap(from_fn(sakms_actix::method_not_allowed))
        .wrap(from_fn(sakms_actix::unread_bodies))
        .wrap(from_fn(trace::actix::request))
}

async fn hello() -> Json<Value> {
    Json(json!({"message": "hello"}))
}

async fn reports(Authenticated(key): Authenticated) -> Json<Value> {
    Json(json!({"owner": key.owner(), "key_id": key.key_id(), "reports": []}))
}
