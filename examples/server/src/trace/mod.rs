//! A log line and an id for each request, and an answer even when a handler panics.
//!
//! What is logged of a path is the route it matched, never its text nor its query: both may hold a secret.

pub(crate) mod actix;
pub(crate) mod axum;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tracing::Span;

/// The header that names a request as the log does.
const REQUEST_ID: &str = "x-request-id";

/// What the log says of one request.
#[derive(Debug)]
struct Entry {
    id: String,
    span: Span,
    start: Instant,
}

impl Entry {
    /// A request has come that matched `route`, if any.
    fn begin(method: &str, route: Option<&str>) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        // Unique within a process, which is what a log needs; it is no secret.
        let id = format!(
            "{:x}-{:x}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let span = tracing::info_span!(
            "sakms.http.request",
            id,
            method = usual(method),
            route = route.unwrap_or("-")
        );
        let start = now();
        Self { id, span, start }
    }

    fn id(&self) -> &str {
        &self.id
    }

    /// What is logged while it is served belongs to it.
    fn span(&self) -> Span {
        self.span.clone()
    }

    /// It was answered.
    fn end(&self, status: u16) {
        let micros = self.start.elapsed().as_micros();
        self.span
            .in_scope(|| tracing::info!(status, micros, "answered"));
    }
}

/// A method that is none of the usual is a stranger's text.
fn usual(method: &str) -> &'static str {
    match method {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PATCH" => "PATCH",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a duration for the log, on which nothing depends"
)]
fn now() -> Instant {
    Instant::now()
}
