//! A host's application in each framework: one handler, open at [`BARE`] and behind the guard at [`GUARDED`].

use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;
use std::task::{Context, Poll};
use std::thread::JoinHandle;

use actix_web::dev::ServerHandle;
use actix_web::{App as ActixApp, HttpServer, web};
use axum::routing::get;
use axum::serve::ListenerExt as _;
use sakms_core::service::Sakms;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tower_layer::layer_fn;
use tower_service::Service;

/// The path of the open route.
pub const BARE: &str = "/demo/public";
/// The path of the same behind the guard.
pub const GUARDED: &str = "/demo/protected";
/// The path of the same behind a layer that does nothing, under axum: what it costs to have a layer at all.
pub const LAYERED: &str = "/demo/under-a-layer";
/// The frameworks there are.
pub const FRAMEWORKS: [&str; 2] = ["axum", "actix"];

/// A running application, ended when dropped.
#[derive(Debug)]
pub struct App {
    /// Where it listens.
    pub address: SocketAddr,
    _server: Server,
}

#[derive(Debug)]
#[expect(dead_code, reason = "held for its drop")]
enum Server {
    Axum(Runtime),
    Actix(ActixThread),
}

impl App {
    /// Starts the application in one of [`FRAMEWORKS`], on as many threads as there are cores.
    #[must_use]
    pub fn start(framework: &str, sakms: &Sakms) -> Self {
        match framework {
            "axum" => axum_app(sakms),
            _ => actix_app(sakms.clone()),
        }
    }
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn answer() -> Value {
    json!({"message": "hello"})
}

fn axum_app(sakms: &Sakms) -> App {
    let handler = || async { axum::Json(answer()) };
    let guarded = axum::Router::new()
        .route(GUARDED, get(handler))
        .route_layer(sakms_axum::RequireKey::new(sakms));
    let layered = axum::Router::new()
        .route(LAYERED, get(handler))
        .route_layer(layer_fn(Nothing));
    let router = axum::Router::new()
        .route(BARE, get(handler))
        .merge(guarded)
        .merge(layered);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads())
        .enable_all()
        .build()
        .unwrap();
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .unwrap();
    let address = listener.local_addr().unwrap();
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    runtime.spawn(async { axum::serve(listener, router).await });
    App {
        address,
        _server: Server::Axum(runtime),
    }
}

/// Passes every request on.
#[derive(Debug, Clone)]
struct Nothing<S>(S);

impl<S: Service<R>, R> Service<R> for Nothing<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.0.call(request)
    }
}

fn actix_app(sakms: Sakms) -> App {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let handler = async || web::Json(answer());
            let guard = sakms_actix::RequireKey::new(&sakms);
            let server = HttpServer::new(move || {
                ActixApp::new()
                    .service(web::resource(BARE).get(handler))
                    .service(web::resource(GUARDED).wrap(guard.clone()).get(handler))
            });
            let server = server.workers(threads()).disable_signals();
            let server = server.listen(listener).unwrap().run();
            tell.send(server.handle()).unwrap();
            server.await.unwrap();
        });
    });
    let handle = told.recv().unwrap();
    App {
        address,
        _server: Server::Actix(ActixThread {
            handle,
            thread: Some(thread),
        }),
    }
}

struct ActixThread {
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for ActixThread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ActixThread")
    }
}

impl Drop for ActixThread {
    fn drop(&mut self) {
        // The command is sent at once; the future would wait until it was obeyed, as the thread's end does.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
