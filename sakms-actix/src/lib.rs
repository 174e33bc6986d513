//! SAKMS for actix-web: ready-made key management routes, and a middleware that lets API keys through.
//!
//! ```
//! use actix_web::{App, HttpServer, web};
//! use sakms_actix::{Authenticated, RequireKey};
//! use sakms_core::{entropy::OsEntropy, key::MasterKey, service::Sakms, store::MemoryStore};
//!
//! async fn reports(Authenticated(key): Authenticated) -> String {
//!     format!("reports of {}", key.owner())
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sakms = Sakms::builder(MemoryStore::new(), MasterKey::generate(&OsEntropy)?).key_prefix("acme")?.build()?;
//! let reader = RequireKey::new(&sakms).scope("reports:read")?;
//! // One service for all workers: its caches and its hashing threads are shared.
//! let server = HttpServer::new(move || {
//!     App::new()
//!         .service(web::resource("/reports").wrap(reader.clone()).get(reports))
//!         .configure(sakms_actix::configure(sakms.clone()))
//!         .default_service(web::to(sakms_actix::not_found))
//! });
//! # let _ = server;
//! # Ok(())
//! # }
//! ```
//!
//! What is answered is decided in [`sakms_core::http`]; this crate converts types and wires.

mod config;
mod convert;
mod extract;
mod middleware;
mod unread;

/// The README's examples for both frameworks, compiled. Here, because one of the two adapters has to know the other for it.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

pub use config::{configure, method_not_allowed, not_found};
pub use convert::response;
pub use extract::{Authenticated, MaybeAuthenticated};
pub use middleware::{RequireKey, RequireKeyService};
pub use unread::unread_bodies;
