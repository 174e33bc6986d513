//! SAKMS for axum: ready-made routes to manage API keys, and a layer that lets them through.
//!
//! [`router`] gives the routes, to merge into or nest in a router of the host's. [`RequireKey`] guards the host's own. The
//! handler takes [`Authenticated`]. What is answered is decided in [`sakms_core::http`]; this crate converts types and wires.
//!
//! # A complete application
//!
//! ```
//! use std::net::SocketAddr;
//!
//! use axum::{Router, routing::get};
//! use sakms_axum::{Authenticated, RequireKey};
//! use sakms_core::entropy::OsEntropy;
//! use sakms_core::key::{InvalidScope, MasterKey};
//! use sakms_core::service::Sakms;
//! use sakms_core::store::MemoryStore;
//!
//! async fn reports(Authenticated(key): Authenticated) -> String {
//!     format!("reports of {}", key.owner())
//! }
//!
//! fn app(sakms: &Sakms) -> Result<Router, InvalidScope> {
//!     Ok(Router::new()
//!         .route("/reports", get(reports))
//!         // Guards the routes above it, and no other.
//!         .route_layer(RequireKey::new(sakms).scope("reports:read")?)
//!         .merge(sakms_axum::router(sakms.clone()))
//!         // Paths and methods that are nobody's are answered as SAKMS answers.
//!         .fallback(sakms_axum::not_found)
//!         .method_not_allowed_fallback(sakms_axum::method_not_allowed))
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // In earnest: a `SqliteStore` or a `MariaDbStore`, and a master key that is kept.
//!     let sakms = Sakms::builder(MemoryStore::new(), MasterKey::generate(&OsEntropy)?)
//!         .key_prefix("acme")?
//!         .build()?;
//!     let app = app(&sakms)?;
//! #   use axum::{body::Body, http::Request};
//! #   use sakms_core::service::{Caller, NewKey};
//! #   use tower::ServiceExt as _;
//! #   let mut wanted = NewKey::named("laptop".parse()?);
//! #   wanted.scopes = "reports:read".parse()?;
//! #   let created = sakms.create_key(&Caller::owner("ada".parse()?), wanted).await?;
//! #   for (key, status) in [(created.text.expose(), 200), ("acme_guess", 401)] {
//! #       let request = Request::get("/reports").header("X-API-Key", key).body(Body::empty())?;
//! #       assert_eq!(app.clone().oneshot(request).await?.status(), status);
//! #   }
//! #   let request = Request::get("/health").body(Body::empty())?;
//! #   assert_eq!(app.clone().oneshot(request).await?.status(), 200);
//! #   if false {
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//!     // With the addresses of those who connect, for keys that may be used from some addresses only.
//!     let app = app.into_make_service_with_connect_info::<SocketAddr>();
//!     axum::serve(listener, app).await?;
//! #   }
//!     // Uses are counted in memory, and stored now and then and here.
//!     sakms.flush().await?;
//!     Ok(())
//! }
//! ```
//!
//! # Who manages keys
//!
//! A host with users of its own says who asks, from a middleware around [`router`]: it puts a
//! [`Caller`](sakms_core::service::Caller) into the request's extensions. A host without adds accounts and a token issuer
//! to its service ([`SakmsBuilder::accounts`](sakms_core::service::SakmsBuilder::accounts)), and the routes to register and
//! sign in are there. A key with the scope `keys:read` or `keys:write` manages its owner's keys in both.
//!
//! ```
//! use axum::extract::Request;
//! use axum::middleware::{Next, from_fn};
//! use axum::response::Response;
//! use sakms_core::service::Caller;
//! # use sakms_core::service::Sakms;
//!
//! async fn sign_in(mut request: Request, next: Next) -> Response {
//! #   fn user_of(_: &Request) -> Option<String> { None }
//!     // Whatever the host knows its users by: a session, a header of its proxy.
//!     if let Some(owner) = user_of(&request).and_then(|user| user.parse().ok()) {
//!         request.extensions_mut().insert(Caller::owner(owner));
//!     }
//!     next.run(request).await
//! }
//!
//! # fn nested(sakms: Sakms) -> axum::Router {
//! axum::Router::new().nest("/account", sakms_axum::router(sakms).layer(from_fn(sign_in)))
//! # }
//! ```
//!
//! # Where to find what
//!
//! | item | is |
//! | --- | --- |
//! | [`router`] | the routes of a service; [`Api`](sakms_core::http::Api) has its settings |
//! | [`RequireKey`] | the layer in front of a host's own routes |
//! | [`RequireToken`], [`RequireKey::or_token`] | the same for people who have signed in, alone and beside keys |
//! | [`AuthenticatedCaller`] | extractor of whoever was let through, by a token or a key |
//! | [`Authenticated`], [`MaybeAuthenticated`] | extractors of the key that was let through |
//! | [`not_found`], [`method_not_allowed`] | the same answers for a host's own fallbacks |
//!
//! # Features
//!
//! | feature | | gives |
//! | --- | --- | --- |
//! | `sqlite` | default | `sakms_core::store::SqliteStore` |
//! | `mariadb` | | `sakms_core::store::MariaDbStore` |
//! | `smtp` | | `sakms_core::mail::SmtpMailer` |
//! | `docs-ui` | | the routes `/openapi.json`, `/docs` and `/redoc`, with every file in the binary (740 KB) |
//!
//! Features add: none excludes another, and none changes what another does.
//!
//! # Errors
//!
//! Every refusal is an answer: `application/problem+json` (RFC 9457) with a `code`, in [`sakms_core::http::Problem`]'s words.
//! What could not be decided is 503, never 401. [`RequireKey::scope`] refuses a scope that is none at start, and [`router`]
//! panics there, as axum does, when a path is taken already.
//!
//! # Security
//!
//! - [`Router::route_layer`](axum::Router::route_layer) guards the routes that were added *before* it. A handler that takes
//!   [`Authenticated`] answers 500 where no guard stands, so that a forgotten one does not look like an open door.
//! - Credentials come in the headers `Authorization` or `X-API-Key`; two that differ, or one twice, are refused. A token in
//!   the query is refused unless [`Api::query_token`](sakms_core::http::Api::query_token) allows it.
//! - A guard lets in keys of the service's first environment, `live`, unless it says
//!   [`RequireKey::environment`] or [`RequireKey::any_environment`]: a test key opens no live route.
//! - No header says where a request came from unless [`RequireKey::trusted_proxies`] and
//!   [`Api::trusted_proxies`](sakms_core::http::Api::trusted_proxies) name who is believed.
//! - Do not log queries, nor the paths of routes that are none: people paste keys into both.
//! - `axum::serve` waits for ever for a slow client's headers. Where strangers connect, serve through hyper with a
//!   `header_read_timeout`, or stand behind a proxy. TLS is the host's as well.
#![cfg_attr(docsrs, feature(doc_cfg))]

/// The README's example, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod convert;
mod extract;
mod layer;
mod per_thread;
mod router;
mod token_layer;

pub use extract::{Authenticated, AuthenticatedCaller, MaybeAuthenticated};
pub use layer::{GuardFuture, RequireKey, RequireKeyService};
pub use router::{method_not_allowed, not_found, router};
pub use token_layer::RequireToken;
