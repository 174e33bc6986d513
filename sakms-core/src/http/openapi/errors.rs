//! The errors of a route. Their examples are the very bytes that are answered.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use serde_json::Value;
use utoipa::PartialSchema;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::{
    Content, ContentBuilder, HeaderBuilder, Ref, RefOr, Response, ResponseBuilder,
};

use crate::http::problem::Problem;
use crate::http::route::{Access, Route};
use crate::key::RateLimit;
use crate::service::{FieldError, KeyDenial, RateStanding};

pub(super) const SCHEMA: &str = "sakms.Problem";

/// What any route like this one can answer, whatever it does.
pub(super) fn implied(route: &Route) -> Vec<Problem> {
    let mut problems = Vec::new();
    if route.path.contains('{') {
        problems.push(Problem::not_found());
    }
    if route.takes_body {
        problems.extend([Problem::body_too_slow(), Problem::body_too_large(64 * 1024)]);
        if route.path.starts_with("/oauth/") {
            problems.push(Problem::wrong_form_type());
        } else {
            problems.extend([
                Problem::malformed("The body is not JSON: expected value at line 1 column 1."),
                Problem::wrong_content_type(),
            ]);
        }
    }
    if route.access != Access::Anyone {
        problems.extend([
            Problem::several_credentials(),
            Problem::credential_missing(),
            Problem::invalid_token(),
            Problem::query_credential(
                "A token in the query is not accepted here. Send it as Authorization: Bearer.",
            ),
            Problem::key_denied(&KeyDenial::Unknown),
            Problem::key_denied(&KeyDenial::Revoked),
            Problem::key_denied(&KeyDenial::Retired),
            Problem::key_denied(&KeyDenial::Expired),
            Problem::key_denied(&KeyDenial::Disabled),
            Problem::key_denied(&KeyDenial::NotYetValid),
            Problem::key_denied(&KeyDenial::WrongAddress),
            Problem::overloaded(),
        ]);
        problems.extend(used_up());
    }
    match &route.access {
        Access::Anyone => {}
        Access::Caller(scope) => problems.push(Problem::scope_missing(scope)),
        Access::SignedIn => problems.push(Problem::token_only()),
        Access::KeyHolder => problems.push(Problem::key_only()),
        Access::Admin => problems.push(Problem::admin_only()),
    }
    problems
}

/// What a key is answered whose rate or quota is used up.
pub(super) fn used_up() -> impl Iterator<Item = Problem> {
    let a_day = Some(Duration::from_hours(24));
    let quota = KeyDenial::QuotaExhausted { retry_after: a_day };
    let rate = || {
        let (name, seconds) = ("minute".parse().ok()?, NonZeroU32::new(60)?);
        let limit = Arc::new(RateLimit::new(name, NonZeroU32::new(100)?, seconds));
        let (retry_after, full_in) = (Duration::from_millis(600), Duration::from_mins(1));
        Some(KeyDenial::RateLimited {
            name: limit.name.clone(),
            retry_after,
            rates: [RateStanding::new(limit, 0, full_in)].into(),
        })
    };
    let denials = rate().into_iter().chain([quota]);
    denials.map(|denial| Problem::key_denied(&denial))
}

/// What any route can answer that works with the database.
pub(super) fn of_the_store() -> [Problem; 2] {
    [Problem::unavailable(), Problem::internal()]
}

/// What any route can answer that writes.
pub(super) fn of_writing() -> [Problem; 2] {
    [Problem::outcome_unknown(), Problem::read_only()]
}

/// 422 for one field.
pub(super) fn invalid(field: &str, message: &str) -> Problem {
    Problem::invalid(vec![FieldError::new(field, message)])
}

/// One response for each status, with an example for each code.
pub(super) fn responses(problems: Vec<Problem>) -> Vec<(String, Response)> {
    let mut by_status = BTreeMap::<StatusCode, Vec<Problem>>::new();
    for problem in problems {
        by_status.entry(problem.status()).or_default().push(problem);
    }
    by_status
        .into_iter()
        .map(|(status, problems)| (status.as_str().to_owned(), response(status, problems)))
        .collect()
}

fn response(status: StatusCode, problems: Vec<Problem>) -> Response {
    let codes: Vec<_> = problems
        .iter()
        .map(|problem| format!("`{}`", problem.code()))
        .collect();
    let title = status.canonical_reason().unwrap_or("Error");
    let mut examples = BTreeMap::new();
    let mut response = ResponseBuilder::new().description(format!("{title}: {}", codes.join(", ")));
    for problem in problems {
        let code = problem.code();
        let answer = problem.into_response();
        let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        let summary = body["detail"].as_str().unwrap_or(code);
        let example = ExampleBuilder::new()
            .summary(summary)
            .value(Some(body.clone()));
        examples.entry(code).or_insert_with(|| example.build());
        for (name, description) in [
            ("WWW-Authenticate", "How to ask again (RFC 6750)."),
            (
                "Retry-After",
                "After how many seconds it is worth trying again.",
            ),
            (
                "RateLimit-Policy",
                "The rates of the key (draft-ietf-httpapi-ratelimit-headers-10).",
            ),
            ("RateLimit", "How they stand (the same draft)."),
        ] {
            if let Some(value) = answer
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
            {
                let header = HeaderBuilder::new()
                    .schema(Some(String::schema()))
                    .description(Some(description))
                    .example(Some(value.into()));
                response = response.header(name, header.build());
            }
        }
    }
    response
        .content("application/problem+json", content(examples))
        .build()
}

fn content(examples: BTreeMap<&str, utoipa::openapi::example::Example>) -> Content {
    let examples = examples
        .into_iter()
        .map(|(code, example)| (code, RefOr::T(example)));
    ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(SCHEMA)))
        .examples_from_iter(examples)
        .build()
}
