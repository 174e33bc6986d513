//! What every adapter must do, as cases that [`http_suite!`](crate::http_suite) makes tests of.
//!
//! The cases talk to a real server over real sockets and know nothing about the framework behind it, so that two
//! adapters that both pass give the same answers.
//!
//! # What an adapter's test serves
//! `start` gets an [`Api`] and serves it on a free port of 127.0.0.1, with these routes:
//!
//! | path | what it is |
//! | --- | --- |
//! | the table's | the routes of the `Api`, at the root |
//! | any other | the adapter's "not found", and its "method not allowed" for other methods of the paths below |
//! | `GET /guarded/any` | any key; answers [`key_json`] |
//! | `GET /guarded/reports` | keys with the scope `reports:read`; answers [`key_json`] |
//! | `GET /guarded/live` | keys of the environment `live`; answers [`key_json`] |
//! | `GET /guarded/maybe` | any key, or nobody; answers [`owner_json`] |
//! | `GET /unguarded` | a handler that takes the verified key, on a route without a guard |
//! | `GET /open` | 200, whatever the body, for anyone |
//! | `/host/...` | the routes of the same `Api`, the group [`Group::Keys`](crate::http::Group::Keys) alone, under a middleware of the host's: when there is a header [`HOST_USER`], it puts [`Caller::owner`](crate::service::Caller::owner) of its value into the request's extensions |
//!
//! JSON comes with `Content-Type: application/json`. The server stops when [`Server`] is dropped.
//!
//! For axum:
//!
//! ```ignore
//! async fn start(api: Api) -> Server {
//!     let router = app(api);
//!     let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
//!     let address = listener.local_addr().unwrap();
//!     let task = tokio::spawn(async { axum::serve(listener, router).await });
//!     Server::new(address, AbortOnDrop(task))
//! }
//!
//! async fn factory() -> Option<Fixture> {
//!     Some(Fixture::new(MemoryStore::new()))
//! }
//!
//! sakms_core::http_suite!(start, factory);
//! ```

mod answer;
mod client;
mod world;

pub mod flow;

use std::any::Any;
use std::fmt;
use std::net::SocketAddr;

use serde_json::{Value, json};

pub use answer::Answer;
pub use client::{Client, Request};
pub use world::{Stage, User, World};

use super::PATIENCE;
use super::store::Fixture;
use crate::http::Api;
use crate::service::VerifiedKey;

/// The header in which the suite's host says who its user is.
pub const HOST_USER: &str = "x-host-user";

/// A server that runs until it is dropped.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    _guard: Box<dyn Any + Send>,
}

impl Server {
    /// A server at `address` that runs until `guard` is dropped.
    #[must_use]
    pub fn new(address: SocketAddr, guard: impl Any + Send) -> Self {
        let _guard: Box<dyn Any + Send> = Box::new(guard);
        Self { address, _guard }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// What the guarded test routes answer.
#[must_use]
pub fn key_json(key: &VerifiedKey) -> Value {
    json!({
        "owner": key.owner(),
        "key_id": key.key_id(),
        "scopes": key.scopes(),
        "environment": key.environment(),
        "metadata": key.metadata(),
    })
}

/// What the test route that lets anybody through answers.
#[must_use]
pub fn owner_json(key: Option<&VerifiedKey>) -> Value {
    json!({"owner": key.map(VerifiedKey::owner)})
}

/// Runs one case of [`http_suite!`](crate::http_suite) on a store of its own.
///
/// # Panics
/// When the server does not do what the case expects: that is the report.
pub fn run<S: Future<Output = Server> + 'static>(
    name: &str,
    start: impl Fn(Api) -> S + 'static,
    factory: impl AsyncFnOnce() -> Option<Fixture>,
    case: impl AsyncFnOnce(&Stage),
) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap();
    let Some(fixture) = runtime.block_on(factory()) else {
        eprintln!("skipped: {name}: the store is not available here");
        return;
    };
    let Some(accounts) = fixture.accounts else {
        eprintln!("skipped: {name}: the store keeps no accounts");
        return;
    };
    let stage = Stage::new(fixture.keys, accounts, start);
    let outcome = runtime.block_on(async { tokio::time::timeout(PATIENCE, case(&stage)).await });
    // The handles to the store go before what it stands on: first ours, then those of tasks that still run.
    drop(stage);
    drop(runtime);
    drop(fixture.guard);
    assert!(outcome.is_ok(), "{name} did not end within {PATIENCE:?}");
}

/// Makes a test of every case of the suite for adapters.
///
/// `start` names an `async fn(Api) -> Server` that serves what [`testkit::http`](crate::testkit::http) describes;
/// `factory` names an `async fn() -> Option<Fixture>` that gives a new and empty store each time, as for
/// [`store_suite!`](crate::store_suite).
#[macro_export]
macro_rules! http_suite {
    ($start:expr, $factory:expr) => {
        $crate::__http_cases! { $start, $factory;
            flow::the_flow_with_a_token_in_the_query
            flow::the_flow_with_a_token_in_a_header
            flow::paths_answer_with_a_trailing_slash
            flow::tokens_in_the_query_are_marked_as_deprecated
            flow::tokens_in_the_query_are_refused_unless_allowed
            flow::revoking_twice_changes_nothing
            flow::a_revocation_holds_on_every_node
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __http_cases {
    ($start:expr, $factory:expr; $($room:ident::$case:ident)*) => {$(
        #[test]
        fn $case() {
            $crate::testkit::http::run(stringify!($case), $start, $factory, $crate::testkit::http::$room::$case);
        }
    )*};
}
