//! What is written down of the use of keys.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::field::InvalidField;
use crate::clock::Timestamp;
use crate::id::SecretId;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// A day in UTC, as text `2026-11-28` (RFC 3339, full-date).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(
    /// Since 1970-01-01.
    u32,
);

impl Day {
    /// The last day there is: 9999-12-31.
    pub const MAX: Self = Self::of(Timestamp::MAX);

    /// The day of a moment.
    #[must_use]
    pub const fn of(moment: Timestamp) -> Self {
        // At most 2,932,896, the days until the year 9999.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "bounded by Timestamp"
        )]
        Self((moment.as_micros() / MICROS_PER_DAY) as u32)
    }

    /// A day as a store keeps it: how many days after 1970-01-01; `None` past [`Day::MAX`].
    #[must_use]
    pub const fn from_number(days: u32) -> Option<Self> {
        if days <= Self::MAX.0 {
            Some(Self(days))
        } else {
            None
        }
    }

    /// The number a store keeps.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The moment it begins.
    #[must_use]
    pub const fn start(self) -> Timestamp {
        match Timestamp::from_micros(self.0 as i64 * MICROS_PER_DAY) {
            Some(start) => start,
            None => Timestamp::MAX,
        }
    }

    /// So many days earlier, no earlier than 1970-01-01.
    #[must_use]
    pub const fn earlier_by(self, days: u32) -> Self {
        Self(self.0.saturating_sub(days))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.start().to_string();
        f.write_str(text.get(..10).unwrap_or(&text))
    }
}

impl FromStr for Day {
    type Err = InvalidField;

    fn from_str(text: &str) -> Result<Self, InvalidField> {
        let invalid = InvalidField("not a day of the form 2026-11-28, between 1970 and 9999");
        if text.len() != 10 {
            return Err(invalid);
        }
        Timestamp::parse(&format!("{text}T00:00:00Z"))
            .map(Self::of)
            .map_err(|_| invalid)
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// That a secret was presented, some number of times, the last time at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretUse {
    /// Which secret.
    pub secret: SecretId,
    /// How often it was let in since that was last written down.
    pub count: u64,
    /// How often it was proven and refused all the same: expired, revoked, without the scope, over a limit.
    pub refused: u64,
    /// When it was let in the last time; the day of it is the day both counts are for. Of a secret that was only
    /// refused (`count` is 0) it says which day that was, and no use.
    pub last_at: Timestamp,
    /// Where the last request that was let in came from, when that is known.
    pub last_from: Option<IpAddr>,
}

impl SecretUse {
    /// `count` uses, the last one at `last_at`.
    #[must_use]
    pub const fn new(secret: SecretId, count: u64, last_at: Timestamp) -> Self {
        Self {
            secret,
            count,
            refused: 0,
            last_at,
            last_from: None,
        }
    }

    /// The day its counts are for.
    #[must_use]
    pub const fn day(&self) -> Day {
        Day::of(self.last_at)
    }
}

/// How often a key was used on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DayUse {
    /// Which day.
    pub day: Day,
    /// How often it was let in.
    pub allowed: u64,
    /// How often it was refused, though its secret was right.
    pub refused: u64,
}

impl DayUse {
    /// The counts of a day.
    #[must_use]
    pub const fn new(day: Day, allowed: u64, refused: u64) -> Self {
        Self {
            day,
            allowed,
            refused,
        }
    }

    /// Adds uses ([`KeyStore::record_uses`](crate::store::KeyStore::record_uses)); that they are of this day is for the
    /// caller to see to.
    pub const fn add(&mut self, used: &SecretUse) {
        self.allowed = self.allowed.saturating_add(used.count);
        self.refused = self.refused.saturating_add(used.refused);
    }

    /// Whether nothing happened that day.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.allowed == 0 && self.refused == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_comes_back_from_its_text() {
        for text in ["1970-01-01", "2026-11-28", "2024-02-29", "9999-12-31"] {
            let day: Day = text.parse().unwrap();
            assert_eq!(day.to_string(), text);
            assert_eq!(Day::of(day.start()), day);
            assert_eq!(Day::from_number(day.number()), Some(day));
        }
        for bad in [
            "",
            "2026-11-31",
            "2026-1-1",
            "26-11-2811",
            "2026-11-28T",
            "1969-12-31",
        ] {
            assert!(bad.parse::<Day>().is_err(), "{bad}");
        }
        assert_eq!(Day::from_number(Day::MAX.number() + 1), None);
    }
}
