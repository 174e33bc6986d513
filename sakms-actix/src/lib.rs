//! SAKMS for actix-web: ready-made routes to manage API keys, and a middleware that lets them through.
//!
//! [`configure`] adds the routes to an app or a scope of the host's. [`RequireKey`] guards the host's own. The handler takes
//! [`Authenticated`]. What is answered is decided in [`sakms_core::http`]; this crate converts types and wires.
//!
//! # A complete application
//!
//! ```
//! use actix_web::middleware::from_fn;
//! use actix_web::{App, HttpServer, web};
//! use sakms_actix::{Authenticated, RequireKey};
//! use sakms_core::entropy::OsEntropy;
//! use sakms_core::key::{InvalidScope, MasterKey};
//! use sakms_core::service::Sakms;
//! use sakms_core::store::MemoryStore;
//!
//! async fn reports(Authenticated(key): Authenticated) -> String {
//!     format!("reports of {}", key.owner())
//! }
//!
//! /// The routes, made once for all workers.
//! fn routes(sakms: Sakms) -> Result<impl Fn(&mut web::ServiceConfig) + Clone, InvalidScope> {
//!     let reader = RequireKey::new(&sakms).scope("reports:read")?;
//!     Ok(move |config: &mut web::ServiceConfig| {
//!         config
//!             .service(web::resource("/reports").wrap(reader.clone()).get(reports))
//!             .configure(sakms_actix::configure(sakms.clone()))
//!             // Paths that are nobody's are answered as SAKMS answers.
//!             .default_service(web::to(sakms_actix::not_found));
//!     })
//! }
//!
//! #[actix_web::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // In earnest: a `SqliteStore` or a `MariaDbStore`, and a master key that is kept. One service for all workers:
//!     // they share its hashing threads and what it remembers.
//!     let sakms = Sakms::builder(MemoryStore::new(), MasterKey::generate(&OsEntropy)?)
//!         .key_prefix("acme")?
//!         .build()?;
//!     let routes = routes(sakms.clone())?;
//! #   use actix_web::test;
//! #   use sakms_core::service::{Caller, NewKey};
//! #   let mut wanted = NewKey::named("laptop".parse()?);
//! #   wanted.scopes = "reports:read".parse()?;
//! #   let created = sakms.create_key(&Caller::owner("ada".parse()?), wanted).await?;
//! #   let app = App::new()
//! #       .configure(routes.clone())
//! #       .wrap(from_fn(sakms_actix::method_not_allowed))
//! #       .wrap(from_fn(sakms_actix::unread_bodies));
//! #   let app = test::init_service(app).await;
//! #   for (path, key, status) in [("/reports", created.text.expose(), 200), ("/reports", "acme_guess", 401), ("/health", "", 200)] {
//! #       let request = test::TestRequest::get().uri(path).insert_header(("X-API-Key", key)).to_request();
//! #       assert_eq!(test::call_service(&app, request).await.status(), status);
//! #   }
//!     let server = HttpServer::new(move || {
//!         App::new()
//!             .configure(routes.clone())
//!             .wrap(from_fn(sakms_actix::method_not_allowed))
//!             .wrap(from_fn(sakms_actix::unread_bodies))
//!     });
//! #   if false {
//!     server.bind("127.0.0.1:3000")?.run().await?;
//! #   }
//!     // Uses are counted in memory, and stored now and then and here.
//!     sakms.flush().await?;
//!     Ok(())
//! }
//! ```
//!
//! # Who manages keys
//!
//! A host with users of its own says who asks, from a middleware around [`configure`]: it puts a
//! [`Caller`](sakms_core::service::Caller) into the request's extensions. A host without adds accounts and a token issuer
//! to its service ([`SakmsBuilder::accounts`](sakms_core::service::SakmsBuilder::accounts)), and the routes to register and
//! sign in are there. A key with the scope `keys:read` or `keys:write` manages its owner's keys in both.
//!
//! ```
//! use actix_web::body::MessageBody;
//! use actix_web::dev::{ServiceRequest, ServiceResponse};
//! use actix_web::middleware::{Next, from_fn};
//! use actix_web::{Error, HttpMessage as _, web};
//! use sakms_core::service::Caller;
//! # use sakms_core::service::Sakms;
//!
//! async fn sign_in(
//!     request: ServiceRequest,
//!     next: Next<impl MessageBody>,
//! ) -> Result<ServiceResponse<impl MessageBody>, Error> {
//! #   fn user_of(_: &ServiceRequest) -> Option<String> { None }
//!     // Whatever the host knows its users by: a session, a header of its proxy.
//!     let owner = user_of(&request).and_then(|user| user.parse().ok());
//!     if let Some(owner) = owner {
//!         request.extensions_mut().insert(Caller::owner(owner));
//!     }
//!     next.call(request).await
//! }
//!
//! # fn nested(config: &mut web::ServiceConfig, sakms: Sakms) {
//! config.service(
//!     web::scope("/account")
//!         .wrap(from_fn(sign_in))
//!         .configure(sakms_actix::configure(sakms)),
//! );
//! # }
//! ```
//!
//! # Where to find what
//!
//! | item | is |
//! | --- | --- |
//! | [`configure`] | the routes of a service; [`Api`](sakms_core::http::Api) has its settings |
//! | [`RequireKey`] | the middleware in front of a host's own routes |
//! | [`RequireToken`], [`RequireKey::or_token`] | the same for people who have signed in, alone and beside keys |
//! | [`AuthenticatedCaller`] | extractor of whoever was let through, by a token or a key |
//! | [`Authenticated`], [`MaybeAuthenticated`] | extractors of the key that was let through |
//! | [`not_found`], [`method_not_allowed`] | the same answers for what a host does not serve |
//! | [`unread_bodies`] | ends requests whose body a host's own handler leaves unread |
//! | [`response`] | an answer of the core, for a host that has a [`Problem`](sakms_core::http::Problem) of its own |
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
//! Features add: none excludes another, and none changes what another does. Of actix-web none is asked for but what the host
//! has chosen.
//!
//! # Errors
//!
//! Every refusal is an answer: `application/problem+json` (RFC 9457) with a `code`, in [`sakms_core::http::Problem`]'s words.
//! What could not be decided is 503, never 401. [`RequireKey::scope`] refuses a scope that is none at start.
//!
//! # Security
//!
//! - Take [`MaybeAuthenticated`] where a key may be absent, never `Option<Authenticated>`: actix makes `None` of every error.
//!   A handler that takes [`Authenticated`] answers 500 where no guard stands, so that a forgotten one does not look like an
//!   open door.
//! - When two resources have the same path, the one that was added first answers, guarded or not.
//! - Credentials come in the headers `Authorization` or `X-API-Key`; two that differ, or one twice, are refused. A token in
//!   the query is refused unless [`Api::query_token`](sakms_core::http::Api::query_token) allows it.
//! - A guard lets in keys of the service's first environment, `live`, unless it says
//!   [`RequireKey::environment`] or [`RequireKey::any_environment`]: a test key opens no live route.
//! - No header says where a request came from unless [`RequireKey::trusted_proxies`] and
//!   [`Api::trusted_proxies`](sakms_core::http::Api::trusted_proxies) name who is believed.
//! - Do not log queries, nor the paths of routes that are none: people paste keys into both.
//! - actix waits for ever for the rest of a body in chunks that a handler left unread ([`unread_bodies`] is against that), and
//!   for the headers of a request that is not the first of its connection, once it has begun: stand behind a proxy where
//!   strangers connect. TLS is the host's as well.
#![cfg_attr(docsrs, feature(doc_cfg))]

/// The README's example, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod config;
mod convert;
mod extract;
mod middleware;
mod token_middleware;
mod unread;

pub use config::{configure, method_not_allowed, not_found};
pub use convert::response;
pub use extract::{Authenticated, AuthenticatedCaller, MaybeAuthenticated};
pub use middleware::{RequireKey, RequireKeyService};
pub use token_middleware::RequireToken;
pub use unread::unread_bodies;
