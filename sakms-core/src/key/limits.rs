//! How much a key may be used, and from where.

use std::fmt;
use std::net::IpAddr;
use std::num::{NonZeroU32, NonZeroU64};
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::field::InvalidField;
use super::names::Tag;
use super::usage::Day;
use crate::clock::Timestamp;

/// What limits the use of a key. Nothing does, when everything is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::Limits))]
#[non_exhaustive]
pub struct Limits {
    /// Rates; each of them must be kept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(max_items = 8))]
    pub rates: Vec<RateLimit>,
    /// From where it may be used; from anywhere, when there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(max_items = 64))]
    pub ip_ranges: Vec<IpRange>,
    /// How often it may be used in all, or in a day or a month.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<Quota>,
}

impl Limits {
    /// The most rates.
    pub const MAX_RATES: usize = 8;
    /// The most ranges of addresses.
    pub const MAX_RANGES: usize = 64;
    /// How many bytes they take at most, written as JSON.
    pub const MAX_BYTES: usize = 8192;

    /// Whether nothing is limited.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Holds the limits against their rules.
    ///
    /// # Errors
    /// [`InvalidField`] when there are too many, two rates of one name, or a rate that is past its bounds.
    pub fn check(&self) -> Result<(), InvalidField> {
        if self.rates.len() > Self::MAX_RATES {
            return Err(InvalidField("a key has at most 8 rate limits"));
        }
        if self.ip_ranges.len() > Self::MAX_RANGES {
            return Err(InvalidField("a key has at most 64 ranges of addresses"));
        }
        let named_twice = |(place, rate): (usize, &RateLimit)| {
            self.rates[..place]
                .iter()
                .any(|other| other.name == rate.name)
        };
        if self.rates.iter().enumerate().any(named_twice) {
            return Err(InvalidField("two rate limits of a key have the same name"));
        }
        self.rates.iter().try_for_each(RateLimit::check)
    }

    /// The limits as JSON, which is how a store keeps them.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Text and numbers cannot fail to serialise.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads what [`Limits::to_json`] wrote.
    ///
    /// # Errors
    /// [`InvalidField`] when the text is not that. A limit of a later version is an error too: it must not be lost.
    pub fn from_json(text: &str) -> Result<Self, InvalidField> {
        let invalid = InvalidField("not the limits of a key");
        // serde takes a list for a struct whose fields may all be absent.
        if !text.starts_with('{') {
            return Err(invalid);
        }
        let limits: Self = serde_json::from_str(text).map_err(|_| invalid)?;
        limits.check().map(|()| limits)
    }
}

/// So many requests in so many seconds (GCRA: steady, with bursts).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::RateLimit))]
#[non_exhaustive]
pub struct RateLimit {
    /// What it is called, in answers too.
    #[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^[a-z0-9_.:-]{1,64}$"))]
    pub name: Tag,
    /// How many requests.
    #[cfg_attr(feature = "openapi", schema(value_type = u32, minimum = 1, maximum = 1_000_000_000))]
    pub requests: NonZeroU32,
    /// In how many seconds.
    #[cfg_attr(feature = "openapi", schema(value_type = u32, minimum = 1, maximum = 31_622_400))]
    pub seconds: NonZeroU32,
    /// How many may come at once; as many as in the whole time, when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u32>, minimum = 1, maximum = 1_000_000_000))]
    pub burst: Option<NonZeroU32>,
}

impl RateLimit {
    /// A rate with its parts and no burst of its own.
    #[must_use]
    pub const fn new(name: Tag, requests: NonZeroU32, seconds: NonZeroU32) -> Self {
        Self {
            name,
            requests,
            seconds,
            burst: None,
        }
    }

    /// The most requests, and the largest burst.
    pub const MAX_REQUESTS: u32 = 1_000_000_000;
    /// The longest time: a leap year.
    pub const MAX_SECONDS: u32 = 366 * 86_400;

    /// Holds the rate against its bounds. What is past them would be counted as something else, and is better refused.
    fn check(&self) -> Result<(), InvalidField> {
        let (requests, burst) = (self.requests.get(), self.burst().get());
        if requests > Self::MAX_REQUESTS {
            return Err(InvalidField("a rate has at most 1000000000 requests"));
        }
        if burst > Self::MAX_REQUESTS {
            return Err(InvalidField("a rate has a burst of at most 1000000000"));
        }
        let seconds = self.seconds.get();
        if seconds > Self::MAX_SECONDS {
            return Err(InvalidField(
                "a rate is over at most 31622400 seconds, a leap year",
            ));
        }
        // Both are below 2^30 and 2^25.
        let back_in = u64::from(burst) * u64::from(seconds) / u64::from(requests);
        if back_in > 100 * u64::from(Self::MAX_SECONDS) {
            return Err(InvalidField(
                "the burst of a rate comes back in at most a hundred years",
            ));
        }
        Ok(())
    }

    /// How many may come at once.
    #[must_use]
    pub const fn burst(&self) -> NonZeroU32 {
        match self.burst {
            Some(burst) => burst,
            None => self.requests,
        }
    }
}

/// How often a key may be used in all, or in each period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::Quota))]
#[non_exhaustive]
pub struct Quota {
    /// How often.
    #[cfg_attr(feature = "openapi", schema(value_type = u64, minimum = 1))]
    pub amount: NonZeroU64,
    /// When it is full again.
    #[serde(default)]
    pub refill: Refill,
}

impl Quota {
    /// A quota with its parts.
    #[must_use]
    pub const fn new(amount: NonZeroU64, refill: Refill) -> Self {
        Self { amount, refill }
    }
}

/// When a quota is full again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::Refill))]
#[non_exhaustive]
pub enum Refill {
    /// Not by itself.
    #[default]
    Never,
    /// At midnight, UTC.
    Daily,
    /// At midnight before the first of a month, UTC.
    Monthly,
}

impl Refill {
    /// The beginning of the period that a moment is in.
    #[must_use]
    pub fn period_of(self, moment: Timestamp) -> Timestamp {
        match self {
            Self::Never => Timestamp::EPOCH,
            Self::Daily => Day::of(moment).start(),
            Self::Monthly => first_of_month(Day::of(moment)).start(),
        }
    }

    /// When the next period begins; never, for a quota that is not filled again.
    #[must_use]
    pub fn next_after(self, moment: Timestamp) -> Option<Timestamp> {
        let today = Day::of(moment);
        match self {
            Self::Never => None,
            Self::Daily => Day::from_number(today.number() + 1).map(Day::start),
            Self::Monthly => {
                // Every month has at most 31 days, and the 31st day after its first is in the next one.
                let later = Day::from_number(first_of_month(today).number() + 31)?;
                Some(first_of_month(later).start())
            }
        }
    }
}

fn first_of_month(day: Day) -> Day {
    let text = day.to_string();
    let month = text.get(..7).unwrap_or_default();
    format!("{month}-01").parse().unwrap_or(day)
}

/// Addresses from which a key may be used: one, or all that share their first bits (CIDR, RFC 4632).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct IpRange(IpNet);

impl IpRange {
    /// Whether `address` is one of them. An IPv4 address in IPv6 clothes (`::ffff:10.1.2.3`) is the IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// Whether every address of `other` is one of them.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.0.contains(&other.0)
    }
}

impl fmt::Display for IpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for IpRange {
    type Err = InvalidField;

    /// `192.0.2.0/24`, `2001:db8::/32`, or a single address.
    fn from_str(text: &str) -> Result<Self, InvalidField> {
        let invalid = InvalidField(
            "not an address or a range of addresses: expected 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32, without bits \
             after the prefix",
        );
        let range = match text.parse::<IpNet>() {
            Ok(range) => range,
            Err(_) => IpNet::from(text.parse::<IpAddr>().map_err(|_| invalid)?.to_canonical()),
        };
        // `10.1.2.3/8` is mostly a slip, and `::ffff:10.0.0.0/104` would match nothing.
        let mapped = matches!(range, IpNet::V6(range) if range.addr().to_ipv4_mapped().is_some());
        if range != range.trunc() || mapped {
            return Err(invalid);
        }
        Ok(Self(range))
    }
}

impl Serialize for IpRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for IpRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> IpRange {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_in_ipv6_clothes_is_the_same_address() {
        let mapped = "::ffff:10.1.2.3".parse().unwrap();
        assert!(range("10.0.0.0/8").contains(mapped));
        assert!(range("::ffff:10.1.2.3").contains("10.1.2.3".parse().unwrap()));
        assert!(range("10.1.2.3").contains(mapped));
        assert!(!range("10.1.2.3").contains("10.1.2.4".parse().unwrap()));
        assert!(range("2001:db8::/32").contains("2001:db8:1::".parse().unwrap()));
        assert!(!range("::/0").contains("10.1.2.3".parse().unwrap()));
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for bad in [
            "",
            "10.1.2.3/8",
            "10.0.0.0/33",
            "a",
            "::ffff:10.0.0.0/104",
            "10.0.0",
        ] {
            assert!(bad.parse::<IpRange>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_month_ends_before_the_first_of_the_next() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        for (now, next) in [
            ("2026-11-28T10:00:00Z", "2026-12-01T00:00:00Z"),
            ("2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"),
            ("2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"),
        ] {
            assert_eq!(Refill::Monthly.next_after(at(now)), Some(at(next)));
            assert!(Refill::Monthly.period_of(at(now)) <= at(now));
            assert_eq!(Refill::Monthly.period_of(at(next)), at(next));
        }
        assert_eq!(
            Refill::Daily.period_of(at("2026-11-28T10:00:00Z")),
            at("2026-11-28T00:00:00Z")
        );
        assert_eq!(Refill::Monthly.next_after(Timestamp::MAX), None);
        assert_eq!(Refill::Never.next_after(Timestamp::EPOCH), None);
    }

    #[test]
    fn limits_come_back_and_what_is_not_known_is_refused() {
        let text = r#"{"rates":[{"name":"a","requests":5,"seconds":60}],"ip_ranges":["10.0.0.0/8"],"quota":{"amount":9,"refill":"daily"}}"#;
        let century = r#"{"rates":[{"name":"a","requests":1,"seconds":31622400,"burst":100}]}"#;
        assert!(Limits::from_json(century).is_ok());
        let limits = Limits::from_json(text).unwrap();
        assert_eq!(Limits::from_json(&limits.to_json()), Ok(limits));
        for bad in [
            r#"{"rates":[{"name":"a","requests":0,"seconds":60}]}"#,
            r#"{"rates":[{"name":"a","requests":1,"seconds":1},{"name":"a","requests":2,"seconds":1}]}"#,
            r#"{"rates":[{"name":"a","requests":1000000001,"seconds":1}]}"#,
            r#"{"rates":[{"name":"a","requests":1,"seconds":31622401}]}"#,
            r#"{"rates":[{"name":"a","requests":9,"seconds":1,"burst":1000000001}]}"#,
            r#"{"rates":[{"name":"a","requests":1,"seconds":31622400,"burst":101}]}"#,
            r#"{"later":1}"#,
            "[]",
        ] {
            assert!(Limits::from_json(bad).is_err(), "{bad}");
        }
        assert_eq!(Limits::default().to_json(), "{}");
    }

    #[test]
    fn the_largest_limits_fit() {
        let rate = |n: usize| {
            let [requests, seconds] = [RateLimit::MAX_REQUESTS, RateLimit::MAX_SECONDS]
                .map(|most| NonZeroU32::new(most).unwrap());
            let mut rate = RateLimit::new(format!("{n:064}").parse().unwrap(), requests, seconds);
            rate.burst = Some(requests);
            rate
        };
        let limits = Limits {
            rates: (0..Limits::MAX_RATES).map(rate).collect(),
            ip_ranges: vec![range("1111:2222:3333:4444:5555:6666:7777:8888"); Limits::MAX_RANGES],
            quota: Some(Quota::new(NonZeroU64::MAX, Refill::Monthly)),
        };
        assert!(limits.check().is_ok());
        assert!(limits.to_json().len() <= Limits::MAX_BYTES);
    }
}
