//! SAKMS for axum: ready-made key management routes, and a layer that lets API keys through.
//!
//! ```
//! use axum::{Router, routing::get};
//! use sakms_axum::{Authenticated, RequireKey};
//! use sakms_core::{entropy::OsEntropy, key::MasterKey, service::Sakms, store::MemoryStore};
//!
//! async fn reports(Authenticated(key): Authenticated) -> String {
//!     format!("reports of {}", key.owner())
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sakms = Sakms::builder(MemoryStore::new(), MasterKey::generate(&OsEntropy)?).key_prefix("acme")?.build()?;
//! let app: Router = Router::new()
//!     .route("/reports", get(reports))
//!     .route_layer(RequireKey::new(&sakms).scope("reports:read")?)
//!     .merge(sakms_axum::router(sakms));
//! # Ok(())
//! # }
//! ```
//!
//! What is answered is decided in [`sakms_core::http`]; this crate converts types and wires.

mod convert;
mod extract;
mod layer;
mod router;

pub use extract::{Authenticated, MaybeAuthenticated};
pub use layer::{GuardFuture, RequireKey, RequireKeyService};
pub use router::{method_not_allowed, not_found, router};
