//! The HTTP side, once for every framework.
//!
//! [`routes`] is the single source of routing, access and documentation. An adapter registers each row natively and
//! hands the request to [`Api::serve`]; it holds no status code, JSON shape, path or scope name of its own. Its
//! middleware is a thin shell over a [`Guard`].

mod answer;
mod api;
mod body;
mod call;
mod client_address;
mod conditional;
mod credentials;
mod dto;
#[cfg(feature = "docs-ui")]
mod files;
mod form;
mod guard;
mod handlers;
#[cfg(feature = "openapi")]
mod openapi;
mod problem;
mod resource;
mod response;
mod route;
mod token_guard;

pub use api::{Api, QueryToken};
pub use call::{Call, Reply};
pub use client_address::{ForwardedBy, InvalidProxies, TrustedProxies};
pub use credentials::{Credential, credential};
pub use guard::{Admission, Check, CheckFuture, Guard};
#[cfg(feature = "openapi")]
pub use openapi::{openapi, openapi_under};
pub use problem::Problem;
pub use resource::Resource;
pub use response::Response;
pub use route::{Access, Group, Route, allowed_methods, routes};
