//! Spans of time, as settings give them.

use std::time::Duration;

use sakms_core::token::JwtIssuer;

pub(super) fn milliseconds(text: &str) -> Result<Duration, String> {
    let number: u64 = text.parse().map_err(|_| "not a whole number".to_owned())?;
    match number {
        10..=60_000 => Ok(Duration::from_millis(number)),
        _ => Err("must be 10 to 60000".to_owned()),
    }
}

pub(super) fn staleness(text: &str) -> Result<Duration, String> {
    let number: u64 = text.parse().map_err(|_| "not a whole number".to_owned())?;
    match number {
        0..=3_600_000 => Ok(Duration::from_millis(number)),
        _ => Err("must be 0 to 3600000".to_owned()),
    }
}

pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 1..=86_400) => Ok(Duration::from_secs(seconds)),
        _ => Err("expected a whole number of seconds from 1 to 86400".to_owned()),
    }
}

/// A hundred years.
const LONGEST: u64 = 100 * 366 * 86_400;

/// Zero is no time, and never "for ever".
pub(super) fn span(text: &str) -> Result<Duration, String> {
    let span = span_or_none(text)?;
    if span.is_zero() {
        return Err(format!("must be 1 to {LONGEST}"));
    }
    Ok(span)
}

pub(super) fn span_or_none(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 0..=LONGEST) => Ok(Duration::from_secs(seconds)),
        _ => Err(format!(
            "expected a whole number of seconds up to {LONGEST}"
        )),
    }
}

pub(super) fn token_seconds(text: &str) -> Result<Duration, String> {
    let expected = "expected a whole number of seconds from 60 to 86400";
    seconds(text)
        .ok()
        .filter(|lifetime| *lifetime >= JwtIssuer::MIN_LIFETIME)
        .ok_or_else(|| expected.to_owned())
}
