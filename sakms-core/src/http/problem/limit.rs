//! What is used up.

use std::time::Duration;

use http::StatusCode;
use http::header::RETRY_AFTER;

use super::{Problem, sentence};
use crate::http::answer;
use crate::service::KeyDenial;

/// When to ask again where a quota is not filled by itself: somebody may have given the key more by then.
const TOMORROW: Duration = Duration::from_hours(24);

impl Problem {
    pub(in crate::http) fn used_up(
        code: &'static str,
        denial: &KeyDenial,
        retry_after: Option<Duration>,
    ) -> Self {
        let seconds = answer::whole_seconds(retry_after.unwrap_or(TOMORROW)).max(1);
        let detail = sentence(&denial.to_string());
        let mut problem = Self::new(StatusCode::TOO_MANY_REQUESTS, code, detail)
            .with(RETRY_AFTER, seconds.to_string());
        if let KeyDenial::RateLimited { rates, .. } = denial {
            problem.headers.extend(answer::rate_fields(rates, None));
        }
        problem
    }

    /// Whether the account or the source failed too often is not told, nor whether there is such an account.
    pub(in crate::http) fn throttled(retry_after: Duration) -> Self {
        let seconds = answer::whole_seconds(retry_after).max(1);
        let detail =
            "There were too many attempts. Wait before trying again; Retry-After says how long.";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "throttled", detail)
            .with(RETRY_AFTER, seconds.to_string())
    }

    pub(in crate::http) fn cost_too_high(denial: &KeyDenial) -> Self {
        let detail = sentence(&denial.to_string());
        Self::new(StatusCode::FORBIDDEN, "cost_too_high", detail)
    }

    pub(in crate::http) fn address_not_allowed(denial: &KeyDenial) -> Self {
        let detail = sentence(&denial.to_string());
        Self::new(StatusCode::FORBIDDEN, "address_not_allowed", detail)
    }
}
