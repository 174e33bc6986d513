//! What is added to an answer for the sake of the key that it is for: how its limits stand, and that its secret retires.

use std::fmt::Write as _;
use std::time::Duration;

use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::clock::Timestamp;
use crate::service::{QuotaStanding, RateStanding, Retiring, Standing};

/// draft-ietf-httpapi-ratelimit-headers-10.
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// RFC 9745.
pub(super) const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
/// RFC 8594.
const SUNSET: HeaderName = HeaderName::from_static("sunset");
/// `unchecked`, when the store of quotas was away and the request was let in all the same.
const SAKMS_QUOTA: HeaderName = HeaderName::from_static("sakms-quota");

/// What an answer says of these; `None` when there is nothing, as for most keys.
pub(super) fn fields(standing: Option<&Standing>) -> Option<Box<HeaderMap>> {
    let standing = standing?;
    let mut headers = Box::<HeaderMap>::default();
    headers.extend(rate_fields(&standing.rates, standing.quota));
    if standing.quota == Some(QuotaStanding::Unchecked) {
        headers.insert(SAKMS_QUOTA, HeaderValue::from_static("unchecked"));
    }
    if let Some(Retiring { since, at, .. }) = standing.retiring {
        headers.extend(value(DEPRECATION, &format!("@{}", since.as_secs())));
        headers.extend(value(SUNSET, &http_date(at)));
    }
    Some(headers)
}

/// `RateLimit-Policy` and `RateLimit`, a member for each rate and the quota; nothing, when there are none.
///
/// Of a policy, `q` is how many requests there are in `w` seconds; a quota that is never filled again has no `w`. `r` is how
/// many there are at the moment, which may be more than `q` where a burst is allowed, and `t` in how many seconds all of them
/// are back.
pub(super) fn rate_fields(
    rates: &[RateStanding],
    quota: Option<QuotaStanding>,
) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let (mut policies, mut limits) = (String::new(), String::new());
    for RateStanding {
        limit,
        remaining,
        full_in,
        ..
    } in rates
    {
        let (name, gap) = (limit.name.as_str(), gap(&policies));
        // Writing to a string cannot fail.
        let _ = write!(
            policies,
            r#"{gap}"{name}";q={};w={}"#,
            limit.requests, limit.seconds
        );
        let seconds = whole_seconds(*full_in);
        let _ = write!(limits, r#"{gap}"{name}";r={remaining};t={seconds}"#);
    }
    if let Some(QuotaStanding::Taken {
        amount,
        remaining,
        period,
        full_in,
        ..
    }) = quota
    {
        let gap = gap(&policies);
        let _ = write!(policies, r#"{gap}"quota";q={amount}"#);
        let _ = write!(limits, r#"{gap}"quota";r={remaining}"#);
        if let (Some(period), Some(full_in)) = (period, full_in) {
            let _ = write!(policies, ";w={}", whole_seconds(period));
            let _ = write!(limits, ";t={}", whole_seconds(full_in));
        }
    }
    let some = |text: &str| !text.is_empty();
    let fields = [(RATE_LIMIT_POLICY, policies), (RATE_LIMIT, limits)];
    fields
        .into_iter()
        .filter(move |(_, text)| some(text))
        .filter_map(|(name, text)| value(name, &text))
}

/// Rounded up: to come back a moment too early is to be refused again.
pub(super) fn whole_seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

const fn gap(so_far: &str) -> &'static str {
    if so_far.is_empty() { "" } else { ", " }
}

/// Numbers, and names that have no quote in them, make no value that is none.
fn value(name: HeaderName, text: &str) -> Option<(HeaderName, HeaderValue)> {
    HeaderValue::from_str(text).ok().map(|value| (name, value))
}

/// A moment as HTTP writes it (RFC 9110, section 5.6.7), rounded down to the second: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(moment: Timestamp) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    // RFC 3339 has all the numbers: 1994-11-06T08:49:37Z. 1970-01-01 was a Thursday.
    let text = moment.to_string();
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    let day = usize::try_from(moment.as_secs() / 86_400).unwrap_or_default();
    let month = part(5, 7).parse::<usize>().unwrap_or(1);
    format!(
        "{}, {} {} {} {} GMT",
        DAYS[day % 7],
        part(8, 10),
        MONTHS[(month - 1) % 12],
        part(0, 4),
        part(11, 19),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    #[test]
    fn a_date_is_written_as_http_does() {
        for (moment, date) in [
            ("1994-11-06T08:49:37.999Z", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            ("2024-02-29T23:59:59Z", "Thu, 29 Feb 2024 23:59:59 GMT"),
            ("2026-11-28T12:00:00Z", "Sat, 28 Nov 2026 12:00:00 GMT"),
            ("9999-12-31T23:59:59Z", "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            assert_eq!(http_date(Timestamp::parse(moment).unwrap()), date);
        }
    }

    #[test]
    fn seconds_are_rounded_up() {
        assert_eq!(whole_seconds(Duration::ZERO), 0);
        assert_eq!(whole_seconds(Duration::from_nanos(1)), 1);
        assert_eq!(whole_seconds(Duration::from_secs(1)), 1);
        assert_eq!(whole_seconds(Duration::from_micros(1_000_001)), 2);
    }
}
