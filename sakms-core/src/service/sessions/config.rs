//! How long sessions last, and how many there may be.

use std::fmt;
use std::time::Duration;

use crate::store::StateRecord;

/// How long sessions last, and how many an account may have.
///
/// ```
/// # use std::time::Duration;
/// # use sakms_core::service::SessionConfig;
/// let config = SessionConfig::default()
///     .idle(Duration::from_hours(12))
///     .absolute(Duration::from_hours(7 * 24));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct SessionConfig {
    pub(super) idle: Duration,
    pub(super) absolute: Duration,
    pub(super) grace: Duration,
    pub(super) most: u32,
    pub(in crate::service) remembered: usize,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            idle: Duration::from_hours(30 * 24),
            absolute: Duration::from_hours(90 * 24),
            grace: Duration::from_secs(10),
            most: 100,
            remembered: 100_000,
        }
    }
}

impl SessionConfig {
    /// The shortest time after which a session may end.
    pub const MIN_LIFETIME: Duration = Duration::from_mins(1);
    /// The longest a session may last.
    pub const MAX_LIFETIME: Duration = Duration::from_hours(3_660 * 24);
    /// The longest grace.
    pub const MAX_GRACE: Duration = Duration::from_mins(1);
    /// The most sessions of an account.
    pub const MOST: u32 = 500;

    /// After how long without a refresh a session ends; 30 days when nothing is said.
    pub const fn idle(mut self, time: Duration) -> Self {
        self.idle = time;
        self
    }

    /// After how long a session ends however much it is used; 90 days when nothing is said.
    pub const fn absolute(mut self, time: Duration) -> Self {
        self.absolute = time;
        self
    }

    /// For how long the refresh token that was used last gives its successor again, because the answer may have been lost;
    /// 10 seconds when nothing is said, 1 minute at most, never with [`Duration::ZERO`]. Whoever steals a token has that long
    /// to use it unnoticed beside its owner.
    pub const fn grace(mut self, time: Duration) -> Self {
        self.grace = time;
        self
    }

    /// How many sessions an account may have; 100 when nothing is said. Past it, the oldest ends.
    pub const fn most(mut self, sessions: u32) -> Self {
        self.most = sessions;
        self
    }

    /// For how many sessions it is remembered that they stand; 100,000 when nothing is said. A token of one that is not costs
    /// three readings of the store.
    pub const fn remembered(mut self, sessions: usize) -> Self {
        self.remembered = sessions;
        self
    }

    /// Holds each setting against its bounds.
    pub(in crate::service) fn checked(self) -> Result<Self, InvalidSessionConfig> {
        let lifetimes = Self::MIN_LIFETIME..=Self::MAX_LIFETIME;
        if !lifetimes.contains(&self.idle) {
            return Err(InvalidSessionConfig::Idle);
        }
        if !lifetimes.contains(&self.absolute) {
            return Err(InvalidSessionConfig::Absolute);
        }
        if self.grace > Self::MAX_GRACE {
            return Err(InvalidSessionConfig::Grace);
        }
        // Those over the bound have to be found beside those within.
        const { assert!(Self::MOST < StateRecord::MAX_LIMIT) };
        if !(1..=Self::MOST).contains(&self.most) {
            return Err(InvalidSessionConfig::Most);
        }
        Ok(self)
    }
}

/// What sessions cannot be set up with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidSessionConfig {
    /// The time without a refresh.
    Idle,
    /// The time altogether.
    Absolute,
    /// The grace.
    Grace,
    /// How many an account may have.
    Most,
}

impl fmt::Display for InvalidSessionConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Idle => "a session ends after 1 minute to 3,660 days without a refresh",
            Self::Absolute => "a session lasts for 1 minute to 3,660 days",
            Self::Grace => "the grace for a lost answer is at most 1 minute",
            Self::Most => "an account may have 1 to 500 sessions",
        })
    }
}

impl std::error::Error for InvalidSessionConfig {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_held_against_their_bounds() {
        let config = SessionConfig::default();
        assert_eq!(config.checked(), Ok(config));
        let second = Duration::from_secs(1);
        for (bad, error) in [
            (
                config.idle(Duration::from_secs(59)),
                InvalidSessionConfig::Idle,
            ),
            (
                config.idle(SessionConfig::MAX_LIFETIME + second),
                InvalidSessionConfig::Idle,
            ),
            (config.absolute(second), InvalidSessionConfig::Absolute),
            (
                config.absolute(SessionConfig::MAX_LIFETIME + second),
                InvalidSessionConfig::Absolute,
            ),
            (
                config.grace(SessionConfig::MAX_GRACE + second),
                InvalidSessionConfig::Grace,
            ),
            (config.most(0), InvalidSessionConfig::Most),
            (
                config.most(SessionConfig::MOST + 1),
                InvalidSessionConfig::Most,
            ),
        ] {
            assert_eq!(bad.checked(), Err(error), "{bad:?}");
        }
        assert!(config.grace(Duration::ZERO).checked().is_ok());
    }
}
