//! The application that the suite for adapters is run against.
#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

use std::net::TcpListener;
use std::thread::JoinHandle;

use actix_web::body::MessageBody;
use actix_web::dev::{ServerHandle, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Bytes, Json, ServiceConfig};
use actix_web::{App, Error, HttpMessage as _, HttpServer};
use sakms_actix::{
    Authenticated, AuthenticatedCaller, MaybeAuthenticated, RequireKey, RequireToken,
};
use sakms_core::http::{Api, Group};
use sakms_core::key::Environment;
use sakms_core::service::{Caller, Sakms};
use sakms_core::testkit::http::{
    COST, EITHER, HOST_USER, PROXIES, Server, caller_json, key_json, owner_json,
};
use serde_json::Value;

/// Serves `api` with the routes the suite asks for, until the server is dropped.
///
/// actix runs on threads of its own, as it does in a host.
pub(crate) async fn start(api: Api) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = tokio::sync::oneshot::channel();
    let thread = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server = HttpServer::new(move || {
                let api = api.clone();
                App::new()
                    .wrap(from_fn(sakms_actix::method_not_allowed))
                    .configure(move |config| app(config, api))
            });
            let server = server.workers(2).disable_signals().listen(listener);
            let server = server.unwrap().run();
            tell.send(server.handle()).unwrap();
            server.await.unwrap();
        });
    });
    let handle = told.await.unwrap();
    let thread = Some(thread);
    Server::new(address, StopOnDrop { handle, thread })
}

struct StopOnDrop {
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        // The command is sent at once; the future would wait until it was obeyed, as the thread's end does.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn app(config: &mut ServiceConfig, api: Api) {
    let host = api.clone().groups([Group::Keys]);
    guarded(config, api.sakms());
    config
        .service(web::resource("/unguarded").get(key))
        .service(web::resource("/open").get(async || "open"))
        .service(
            web::scope("/host")
                .wrap(from_fn(sign_in))
                .configure(sakms_actix::configure(host)),
        )
        .configure(sakms_actix::configure(api))
        .default_service(web::to(sakms_actix::not_found));
}

fn guarded(config: &mut ServiceConfig, sakms: &Sakms) {
    let any = RequireKey::new(sakms);
    let reports = any.clone().scope("reports:read").unwrap();
    let live = any.clone().environment(Environment::live());
    let test = any.clone().environment(Environment::test());
    let everywhere = any.clone().any_environment();
    let either = any.clone().requirement(EITHER.parse().unwrap());
    let costly = any.clone().cost(COST);
    let proxied = any.clone().trusted_proxies(PROXIES.parse().unwrap());
    let maybe = any.clone().or_anonymous();
    let (people, both) = (RequireToken::new(sakms), reports.clone().or_token());
    config
        .service(web::resource("/guarded/token").wrap(people).get(caller))
        .service(
            web::resource("/guarded/token-or-key")
                .wrap(both)
                .get(caller),
        );
    for (path, guard) in [
        ("/guarded/any", any),
        ("/guarded/reports", reports),
        ("/guarded/live", live),
        ("/guarded/test", test),
        ("/guarded/everywhere", everywhere),
        ("/guarded/either", either),
        ("/guarded/costly", costly),
        ("/guarded/proxied", proxied),
    ] {
        config.service(web::resource(path).wrap(guard).get(key));
    }
    config.service(web::resource("/guarded/maybe").wrap(maybe).get(owner));
}

/// actix closes the connection after a handler that leaves a body unread, which is safe as well; a handler that wants to
/// keep the connection reads it.
async fn key(Authenticated(key): Authenticated, _body: Bytes) -> Json<Value> {
    Json(key_json(&key))
}

async fn caller(AuthenticatedCaller(caller): AuthenticatedCaller) -> Json<Value> {
    Json(caller_json(&caller))
}

async fn owner(MaybeAuthenticated(key): MaybeAuthenticated) -> Json<Value> {
    Json(owner_json(key.as_ref()))
}

/// The host's own way to know its users.
async fn sign_in(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let user = request.headers().get(HOST_USER);
    let owner = user.and_then(|user| user.to_str().ok()?.parse().ok());
    if let Some(owner) = owner {
        request.extensions_mut().insert(Caller::owner(owner));
    }
    next.call(request).await
}
