//! SAKMS: API key and access management for Rust applications.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod account;
pub mod clock;
pub mod entropy;
pub mod hash;
#[cfg(feature = "http")]
pub mod http;
pub mod id;
pub mod journal;
pub mod key;
pub mod secret;
pub mod service;
pub mod store;
mod telemetry;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod token;
pub mod verdict;
