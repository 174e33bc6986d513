//! Time, injected.
//!
//! Nothing in SAKMS reads the time except through a [`Clock`], so that a host can test expiry without
//! waiting for it. This file is the only one that may ask the operating system (clippy holds the rest to it).

use std::fmt;
use std::num::NonZeroU64;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A moment: whole microseconds since 1970-01-01T00:00:00Z, at most the end of the year 9999.
///
/// Microseconds, because that is what every store keeps; a finer time would not come back as it went in.
/// As text and as JSON it is an RFC 3339 date-time in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(
    /// One more than the microseconds, so that a moment that may be missing takes no more room than one that is there.
    NonZeroU64,
);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(NonZeroU64::MIN);
    /// 9999-12-31T23:59:59.999999Z, the last moment RFC 3339 can write.
    pub const MAX: Self = match Self::from_micros(Self::MAX_MICROS) {
        Some(last) => last,
        None => Self::EPOCH,
    };
    const MAX_MICROS: i64 = 253_402_300_799_999_999;

    /// A moment from microseconds since the epoch; `None` before the epoch or after [`Timestamp::MAX`].
    #[must_use]
    pub const fn from_micros(micros: i64) -> Option<Self> {
        if micros < 0 || micros > Self::MAX_MICROS {
            return None;
        }
        match NonZeroU64::new(micros.cast_unsigned() + 1) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// Microseconds since the epoch; never negative.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        (self.0.get() - 1).cast_signed()
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.as_micros() / 1_000_000
    }

    /// This moment and `span` more, or `None` past [`Timestamp::MAX`].
    ///
    /// There is no wrapping and no saturating variant: an expiry that overflows must be an error, never "never".
    #[must_use]
    pub fn checked_add(self, span: Duration) -> Option<Self> {
        let micros = i64::try_from(span.as_micros()).ok()?;
        Self::from_micros(self.as_micros().checked_add(micros)?)
    }

    /// How long after `earlier` this moment is; zero when it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.get().saturating_sub(earlier.0.get()))
    }

    /// Reads an RFC 3339 date-time, with any offset; digits past the microsecond are cut off.
    ///
    /// # Errors
    /// [`InvalidTimestamp`] when the text is not RFC 3339 or lies outside 1970 to 9999.
    pub fn parse(text: &str) -> Result<Self, InvalidTimestamp> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| InvalidTimestamp)?;
        let micros = moment.unix_timestamp_nanos().div_euclid(1_000);
        i64::try_from(micros)
            .ok()
            .and_then(Self::from_micros)
            .ok_or(InvalidTimestamp)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.as_micros()) * 1_000)
            .ok()
            .and_then(|moment| moment.format(&Rfc3339).ok())
            .ok_or(fmt::Error)?;
        f.write_str(&text)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// The text is not an RFC 3339 date-time between 1970 and 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidTimestamp;

impl fmt::Display for InvalidTimestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an RFC 3339 date-time between the years 1970 and 9999")
    }
}

impl std::error::Error for InvalidTimestamp {}

/// Where SAKMS gets the time from.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The wall clock: for expiry and for what is written down. It may jump.
    fn now(&self) -> Timestamp;

    /// How long a moment ago was that is fixed for as long as the process lives: for what must not depend on somebody
    /// setting the wall clock. Never goes back.
    fn elapsed(&self) -> Duration;
}

/// The operating system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the wall clock is read"
    )]
    fn now(&self) -> Timestamp {
        // A clock set before 1970 or after 9999 is a broken machine; the nearest end keeps it visible.
        let micros = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_micros();
        i64::try_from(micros)
            .ok()
            .and_then(Timestamp::from_micros)
            .unwrap_or(Timestamp::MAX)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the steady clock is read"
    )]
    fn elapsed(&self) -> Duration {
        static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);
        let first = *FIRST;
        Instant::now().saturating_duration_since(first)
    }
}

/// A clock that stands still until it is told otherwise, for tests.
#[derive(Debug)]
pub struct ManualClock {
    now: AtomicI64,
    /// Microseconds.
    elapsed: AtomicU64,
}

impl ManualClock {
    /// A clock that shows `start`.
    #[must_use]
    pub const fn at(start: Timestamp) -> Self {
        Self {
            now: AtomicI64::new(start.as_micros()),
            elapsed: AtomicU64::new(0),
        }
    }

    /// Moves the clock forward by `span`; it stops at [`Timestamp::MAX`].
    pub fn advance(&self, span: Duration) {
        let target = self.now().checked_add(span).unwrap_or(Timestamp::MAX);
        self.set(target);
        let micros = u64::try_from(span.as_micros()).unwrap_or(0);
        self.elapsed.fetch_add(micros, Ordering::SeqCst);
    }

    /// Sets the wall clock, forward or back, as somebody might who sets the machine's. No time passes.
    pub fn set(&self, moment: Timestamp) {
        self.now.store(moment.as_micros(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.now.load(Ordering::SeqCst)).unwrap_or(Timestamp::EPOCH)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_micros(self.elapsed.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_is_rfc_3339_in_utc() {
        let moment = Timestamp::from_micros(1_795_000_000_123_456).unwrap();
        assert_eq!(moment.to_string(), "2026-11-18T11:06:40.123456Z");
        assert_eq!(
            Timestamp::parse("2026-11-18T13:06:40.123456+02:00"),
            Ok(moment)
        );
    }

    #[test]
    fn what_lies_outside_is_refused() {
        for text in [
            "",
            "0",
            "2026-11-18",
            "1969-12-31T23:59:59Z",
            "10000-01-01T00:00:00Z",
            "2026-02-30T00:00:00Z",
        ] {
            assert_eq!(Timestamp::parse(text), Err(InvalidTimestamp), "{text}");
        }
        assert_eq!(Timestamp::from_micros(-1), None);
        assert_eq!(Timestamp::MAX.checked_add(Duration::from_micros(1)), None);
        assert_eq!(Timestamp::EPOCH.checked_add(Duration::MAX), None);
    }

    #[test]
    fn the_last_moment_can_be_written() {
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999999Z");
    }

    proptest! {
        #[test]
        fn every_moment_comes_back(micros in 0..=Timestamp::MAX.as_micros()) {
            let moment = Timestamp::from_micros(micros).unwrap();
            prop_assert_eq!(moment.as_micros(), micros);
            prop_assert_eq!(Timestamp::parse(&moment.to_string()), Ok(moment));
        }
    }
}
