//! What is in the way.

use http::StatusCode;
use http::header::RETRY_AFTER;

use super::{Problem, RETRY_SECONDS};

impl Problem {
    pub(in crate::http) fn email_taken() -> Self {
        let detail = "An account with this e-mail address exists.";
        Self::new(StatusCode::CONFLICT, "email_taken", detail)
    }

    pub(in crate::http) fn contended() -> Self {
        let detail = "It is being changed by others at the same time. Try again.";
        Self::new(StatusCode::CONFLICT, "contended", detail)
            .with(RETRY_AFTER, RETRY_SECONDS.to_string())
    }
}
