//! How long keys and overlaps last, and how many keys there may be: what the host has settled.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use super::super::error::Error;
use crate::clock::Timestamp;

/// How long keys live, counted from when they are made. Nothing is set by default: a key of which nothing is said never
/// expires.
///
/// A maximum is one for good: a key cannot be changed to live longer than that, counted from when it was made.
///
/// ```
/// use std::time::Duration;
/// use sakms_core::service::KeyLifetimes;
///
/// let day = Duration::from_hours(24);
/// let lifetimes = KeyLifetimes::new(Some(30 * day), Some(day), Some(365 * day))?;
/// assert_eq!(lifetimes.default_lifetime(), Some(30 * day));
/// // Zero is no life, and never "for ever".
/// assert!(KeyLifetimes::new(Some(Duration::ZERO), None, None).is_err());
/// # Ok::<(), sakms_core::service::InvalidLifetimes>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeyLifetimes {
    usual: Option<Duration>,
    least: Option<Duration>,
    most: Option<Duration>,
}

impl KeyLifetimes {
    /// The lifetime of keys of which nothing is said, the shortest and the longest one. Without a default, a maximum is
    /// the default.
    ///
    /// # Errors
    /// [`InvalidLifetimes`] when one is zero, or they are not in order.
    pub fn new(
        default: Option<Duration>,
        minimum: Option<Duration>,
        maximum: Option<Duration>,
    ) -> Result<Self, InvalidLifetimes> {
        let lifetimes = Self {
            usual: default.or(maximum),
            least: minimum,
            most: maximum,
        };
        let Self { usual, least, most } = lifetimes;
        if [usual, least, most].contains(&Some(Duration::ZERO)) {
            return Err(InvalidLifetimes("a lifetime is longer than nothing"));
        }
        // `None` at either end is no bound.
        let above = |low: Option<Duration>, high: Option<Duration>| {
            low.zip(high).is_some_and(|(low, high)| low > high)
        };
        if above(least, usual) || above(usual, most) || above(least, most) {
            return Err(InvalidLifetimes(
                "the minimum may not be above the default, nor the default above the maximum",
            ));
        }
        Ok(lifetimes)
    }

    /// The lifetime of a key of which nothing is said; none is for ever.
    #[must_use]
    pub const fn default_lifetime(&self) -> Option<Duration> {
        self.usual
    }

    /// When a new key expires: when it is said, or after the default lifetime, and not after `latest` if nothing is said.
    pub(super) fn expiry(
        &self,
        now: Timestamp,
        wanted: Option<Timestamp>,
        latest: Option<Timestamp>,
    ) -> Result<Option<Timestamp>, Error> {
        if wanted.is_some() {
            return Ok(wanted);
        }
        let usual = match self.usual {
            None => None,
            Some(span) => Some(now.checked_add(span).ok_or_else(|| {
                Error::field(
                    "expires_at",
                    "would be after the year 9999: say when it shall be",
                )
            })?),
        };
        Ok(match (usual, latest) {
            (Some(usual), Some(latest)) => Some(usual.min(latest)),
            (usual, latest) => usual.or(latest),
        })
    }

    /// Holds the times of a key against each other, the clock and the lifetimes.
    pub(super) fn check(
        &self,
        now: Timestamp,
        created_at: Timestamp,
        not_before: Option<Timestamp>,
        expires_at: Option<Timestamp>,
    ) -> Result<(), Error> {
        let Some(end) = expires_at else {
            return match self.most {
                None => Ok(()),
                Some(most) => Err(Error::field(
                    "expires_at",
                    format_args!("is needed: a key lives at most {} seconds", most.as_secs()),
                )),
            };
        };
        if end <= now {
            return Err(Error::field("expires_at", "must be in the future"));
        }
        if not_before.is_some_and(|start| start >= end) {
            return Err(Error::field("not_before", "must be before expires_at"));
        }
        let after = |span| created_at.checked_add(span);
        if let Some(least) = self.least
            && after(least).is_none_or(|first| end < first)
        {
            return Err(Error::field(
                "expires_at",
                format_args!(
                    "is too soon: a key lives at least {} seconds",
                    least.as_secs()
                ),
            ));
        }
        // A maximum that ends after the last moment there is leaves room for all of them.
        if let Some(most) = self.most
            && after(most).is_some_and(|last| end > last)
        {
            return Err(Error::field(
                "expires_at",
                format_args!(
                    "is too late: a key lives at most {} seconds",
                    most.as_secs()
                ),
            ));
        }
        Ok(())
    }
}

/// How long the old secret of a key works beside the new one: a day when nothing is said, and 30 days at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RotationOverlap {
    usual: Duration,
    most: Duration,
}

impl RotationOverlap {
    /// The overlap of rotations of which nothing is said, and the longest one. Zero is at once.
    ///
    /// # Errors
    /// [`InvalidLifetimes`] when the default is above the maximum.
    pub fn new(default: Duration, maximum: Duration) -> Result<Self, InvalidLifetimes> {
        if default > maximum {
            let what =
                "the overlap of a rotation may not be above its maximum when nothing is said";
            return Err(InvalidLifetimes(what));
        }
        Ok(Self {
            usual: default,
            most: maximum,
        })
    }

    /// When the old secret retires: after the overlap, and never after the key expires.
    pub(super) fn end(
        &self,
        now: Timestamp,
        wanted: Option<Duration>,
        expires_at: Option<Timestamp>,
    ) -> Result<Timestamp, Error> {
        let overlap = wanted.unwrap_or(self.usual);
        if overlap > self.most {
            return Err(Error::field(
                "overlap_seconds",
                format_args!("must be at most {}", self.most.as_secs()),
            ));
        }
        let end = now
            .checked_add(overlap)
            .ok_or_else(|| Error::field("overlap_seconds", "would end after the year 9999"))?;
        Ok(expires_at.map_or(end, |expiry| end.min(expiry)))
    }
}

impl Default for RotationOverlap {
    fn default() -> Self {
        Self {
            usual: Duration::from_hours(24),
            most: Duration::from_hours(30 * 24),
        }
    }
}

/// Spans of time that do not fit together; the text says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidLifetimes(&'static str);

impl fmt::Display for InvalidLifetimes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for InvalidLifetimes {}

/// What the host has settled about keys.
#[derive(Debug, Clone, Copy)]
pub(in crate::service) struct KeyRules {
    pub(in crate::service) lifetimes: KeyLifetimes,
    pub(in crate::service) overlap: RotationOverlap,
    pub(in crate::service) most_per_owner: Option<NonZeroU32>,
    /// How late a use is written down.
    pub(in crate::service) usage_lag: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_micros(secs * 1_000_000).unwrap()
    }

    fn field(outcome: Result<(), Error>) -> Option<String> {
        match outcome {
            Ok(()) => None,
            Err(Error::Invalid(errors)) => Some(errors[0].field.clone()),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn lifetimes_have_an_order_and_zero_is_none() {
        let hours = |hours: Option<u64>| hours.map(Duration::from_hours);
        for (default, least, most, good) in [
            (None, None, None, true),
            (Some(2), Some(2), Some(2), true),
            (Some(1), Some(2), None, false),
            (Some(3), None, Some(2), false),
            (None, Some(3), Some(2), false),
            (Some(0), None, None, false),
            (None, Some(0), None, false),
            (None, None, Some(0), false),
        ] {
            let lifetimes = KeyLifetimes::new(hours(default), hours(least), hours(most));
            assert_eq!(lifetimes.is_ok(), good, "{default:?} {least:?} {most:?}");
        }
        assert!(RotationOverlap::new(DAY, Duration::ZERO).is_err());
    }

    #[test]
    fn an_expiry_past_the_end_of_time_is_an_error_and_never_never() {
        let long = KeyLifetimes::new(Some(Duration::MAX), None, None).unwrap();
        assert!(long.expiry(at(1), None, None).is_err());
        let usual = KeyLifetimes::new(Some(DAY), None, None).unwrap();
        assert!(usual.expiry(Timestamp::MAX, None, None).is_err());
        assert_eq!(usual.expiry(at(0), None, None).unwrap(), Some(at(86_400)));
        assert_eq!(usual.expiry(at(0), None, Some(at(9))).unwrap(), Some(at(9)));
        assert_eq!(usual.expiry(at(0), Some(at(5)), None).unwrap(), Some(at(5)));
        let overlap = RotationOverlap::new(Duration::ZERO, Duration::MAX).unwrap();
        assert!(overlap.end(at(1), Some(Duration::MAX), None).is_err());
        assert!(
            overlap
                .end(at(1), Some(Duration::MAX), Some(at(2)))
                .is_err()
        );
        assert_eq!(overlap.end(at(1), None, None).unwrap(), at(1));
        assert_eq!(overlap.end(at(1), Some(DAY), Some(at(9))).unwrap(), at(9));
    }

    #[test]
    fn times_are_held_against_each_other() {
        let free = KeyLifetimes::default();
        let check = |not_before, end| field(free.check(at(10), at(5), not_before, end));
        assert_eq!(check(None, None), None);
        assert_eq!(check(None, Some(at(10))).as_deref(), Some("expires_at"));
        assert_eq!(check(None, Some(at(11))), None);
        assert_eq!(
            check(Some(at(11)), Some(at(11))).as_deref(),
            Some("not_before")
        );
        assert_eq!(check(Some(at(1)), Some(at(11))), None);
        assert_eq!(check(Some(at(99)), None), None);

        let bounded = KeyLifetimes::new(None, Some(Duration::from_secs(20)), Some(DAY)).unwrap();
        let check = |end| field(bounded.check(at(10), at(5), None, end)).is_none();
        assert!(!check(None), "never is longer than the maximum");
        assert!(!check(Some(at(24))) && check(Some(at(25))));
        assert!(check(Some(at(86_405))) && !check(Some(at(86_406))));
        let late = bounded.check(at(10), Timestamp::MAX, None, Some(Timestamp::MAX));
        assert!(late.is_err(), "there is no moment that is late enough");
    }
}
