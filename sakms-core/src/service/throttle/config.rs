//! When sign-ins are slowed down, and for how long.

use std::time::Duration;

/// What one count of failures leads to: nothing at first, then pauses that grow, and past a number no attempt at all.
///
/// ```
/// # use std::time::Duration;
/// # use sakms_core::service::Backoff;
/// let backoff = Backoff::after(5)
///     .first(Duration::from_secs(2))
///     .longest(Duration::from_mins(10))
///     .most(50)
///     .forgotten_after(Duration::from_hours(12));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Backoff {
    pub(super) free: u32,
    pub(super) first: Duration,
    pub(super) longest: Duration,
    pub(super) most: Option<u32>,
    pub(super) forgotten: Forgotten,
}

/// How failures are forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forgotten {
    /// All of them, when there was none for so long.
    AfterQuiet(Duration),
    /// One after the other, each in so long.
    OneEach(Duration),
}

impl Backoff {
    /// The first so many failures cost no pause; at least one. From then on there is a pause of a second after each, that
    /// doubles up to an hour, and all is forgotten when there was no failure for a day.
    pub const fn after(free: u32) -> Self {
        Self {
            free: if free == 0 { 1 } else { free },
            first: Duration::from_secs(1),
            longest: Duration::from_hours(1),
            most: None,
            forgotten: Forgotten::AfterQuiet(Duration::from_hours(24)),
        }
    }

    /// How many failures cost no pause; at least one.
    pub const fn free(mut self, failures: u32) -> Self {
        self.free = if failures == 0 { 1 } else { failures };
        self
    }

    /// How long the first pause is.
    pub const fn first(mut self, pause: Duration) -> Self {
        self.first = pause;
        self
    }

    /// How long a pause is at most.
    pub const fn longest(mut self, pause: Duration) -> Self {
        self.longest = pause;
        self
    }

    /// After how many failures there is no attempt at all until they are forgotten; at least one.
    pub const fn most(mut self, failures: u32) -> Self {
        self.most = Some(if failures == 0 { 1 } else { failures });
        self
    }

    /// All failures are forgotten when there was none for so long.
    pub const fn forgotten_after(mut self, quiet: Duration) -> Self {
        self.forgotten = Forgotten::AfterQuiet(quiet);
        self
    }

    /// One failure is forgotten each time that so long has gone by, at least a millisecond. Pauses then settle at about this
    /// length, however long failures go on.
    pub const fn one_forgotten_each(mut self, time: Duration) -> Self {
        self.forgotten = Forgotten::OneEach(time);
        self
    }
}

/// When sign-ins and registrations are slowed down. They are unless [`ThrottleConfig::off`] is given.
///
/// The defaults are for the internet, and let some hundreds of people on one address register and sign in one after the
/// other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct ThrottleConfig {
    pub(super) is_on: bool,
    pub(super) account: Backoff,
    pub(super) source: Backoff,
    pub(super) registrations: Backoff,
    pub(super) recovery: Backoff,
    pub(super) mail: Backoff,
    pub(super) known_sources: usize,
    pub(super) known_for: Duration,
    pub(super) entries: usize,
    pub(super) share_every: Duration,
}

impl Default for ThrottleConfig {
    fn default() -> Self {
        let (half_a_minute, a_minute) = (Duration::from_secs(30), Duration::from_mins(1));
        Self {
            is_on: true,
            account: Backoff::after(10).most(100),
            source: Backoff::after(200)
                .longest(Duration::from_mins(15))
                .one_forgotten_each(half_a_minute),
            registrations: Backoff::after(1_000)
                .longest(a_minute)
                .one_forgotten_each(Duration::from_secs(4)),
            recovery: Backoff::after(100)
                .longest(a_minute)
                .one_forgotten_each(half_a_minute),
            mail: Backoff::after(3)
                .most(3)
                .one_forgotten_each(Duration::from_mins(20)),
            known_sources: 20,
            known_for: Duration::from_hours(90 * 24),
            entries: 100_000,
            share_every: Duration::from_secs(1),
        }
    }
}

impl ThrottleConfig {
    /// Nothing is counted and nobody slowed down: for a host that does it elsewhere.
    pub fn off() -> Self {
        Self {
            is_on: false,
            ..Self::default()
        }
    }

    /// What failures with one e-mail address lead to, whether there is such an account or not. It holds for sources that are
    /// not known to the account, all together, and for each that is known by itself. When nothing is said, 10 are free, the
    /// pauses grow from a second to an hour, and after 100 in a row sources that are not known get no attempt until there was
    /// none for a day.
    pub const fn account(mut self, backoff: Backoff) -> Self {
        self.account = backoff;
        self
    }

    /// What failures from one source lead to, whatever the address. When nothing is said, 200 are free, one is forgotten
    /// every 30 seconds, and the pauses grow from a second on.
    pub const fn source(mut self, backoff: Backoff) -> Self {
        self.source = backoff;
        self
    }

    /// What registrations from one source lead to; each counts, whatever came of it. When nothing is said, 1,000 are free
    /// and one is forgotten every 4 seconds.
    pub const fn registrations(mut self, backoff: Backoff) -> Self {
        self.registrations = backoff;
        self
    }

    /// What resets that are asked for from one source lead to, each of them, and codes that are sent back from there and are not
    /// good. When nothing is said, 100 are free and one is forgotten every 30 seconds.
    pub const fn recovery(mut self, backoff: Backoff) -> Self {
        self.recovery = backoff;
        self
    }

    /// How often one address is written to, whether there is an account or not; who asks more often is answered the same, and
    /// no mail is sent. When nothing is said, 3 times, and once more every 20 minutes.
    pub const fn mail(mut self, backoff: Backoff) -> Self {
        self.mail = backoff;
        self
    }

    /// What holds for an account, to change a part of it.
    pub const fn for_account(&self) -> Backoff {
        self.account
    }

    /// What holds for a source, to change a part of it.
    pub const fn for_source(&self) -> Backoff {
        self.source
    }

    /// What holds for registrations from a source, to change a part of it.
    pub const fn for_registrations(&self) -> Backoff {
        self.registrations
    }

    /// How many sources are known to an account at most, 1 to 100, and for how long after its last sign-in from there; 20 and
    /// 90 days when nothing is said.
    pub fn known_sources(mut self, most: usize, time: Duration) -> Self {
        self.known_sources = most.clamp(1, 100);
        self.known_for = time;
        self
    }

    /// How many addresses, sources and pairs of them have a count of their own in memory, of each kind, at least one; 100,000
    /// when nothing is said. Those beyond share counts, so none is forgotten for the sake of another.
    pub fn entries(mut self, most: usize) -> Self {
        self.entries = most.max(1);
        self
    }

    /// How often failures are told to other nodes, and those of other nodes read; a second when nothing is said.
    pub const fn share_every(mut self, time: Duration) -> Self {
        self.share_every = time;
        self
    }
}
