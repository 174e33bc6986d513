//! What is wrong on our side.

use http::StatusCode;
use http::header::RETRY_AFTER;

use super::{Problem, RETRY_SECONDS};

impl Problem {
    fn later(code: &'static str, detail: &'static str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail)
            .with(RETRY_AFTER, RETRY_SECONDS.to_string())
    }

    pub(in crate::http) fn overloaded() -> Self {
        let detail = "Too many requests are waiting. Try again shortly.";
        Self::later("overloaded", detail)
    }

    pub(in crate::http) fn unavailable() -> Self {
        let detail = "The database cannot be reached. Try again shortly.";
        Self::later("unavailable", detail)
    }

    /// Who issues tokens may be a service of its own.
    pub(in crate::http) fn tokens_unavailable() -> Self {
        let detail = "Tokens cannot be made or checked at the moment. Try again shortly.";
        Self::later("unavailable", detail)
    }

    pub(in crate::http) fn outcome_unknown() -> Self {
        let detail = "The connection to the database broke while the change was being written. \
                      It may or may not have been made: look before you try again.";
        Self::later("outcome_unknown", detail)
    }

    pub(in crate::http) fn read_only() -> Self {
        let detail = "The database cannot be written to at the moment. Nothing was changed.";
        Self::later("read_only", detail)
    }

    pub(in crate::http) fn internal() -> Self {
        let detail = "Something went wrong on our side. It has been logged.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", detail)
    }
}
