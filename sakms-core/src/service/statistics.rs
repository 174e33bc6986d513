//! What a service has done so far, in figures.

use super::cache::Evictions;
use super::follow::JournalStatus;
use super::tally::{Count, Tally};
use super::{Inner, Sakms};
use crate::hash::{HashLoad, Share};

/// What a service has done since it was built, and how it stands. Every count only grows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// What checks of keys came to.
    pub verdicts: Verdicts,
    /// What is remembered of keys.
    pub cache: CacheStatistics,
    /// How far the journal was followed.
    pub journal: JournalStatus,
    /// The hashing of the secrets of keys.
    pub key_hashing: HashLoad,
    /// The hashing of passwords.
    pub password_hashing: HashLoad,
    /// How often use counts could not be stored. They were kept and tried again.
    pub flush_failures: u64,
    /// How often a key was let in whose quota could not be asked for
    /// ([`LimiterDown::Open`](super::LimiterDown::Open)).
    pub quota_unchecked: u64,
    /// Refused attempts in the journal.
    pub refusals: RefusalStatistics,
    /// Sign-ins and registrations that were told to wait.
    pub throttled: ThrottleStatistics,
    /// Mail; nothing where there is no mailer.
    pub mail: MailStatistics,
}

/// What became of mail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MailStatistics {
    /// Messages that the mailer took.
    pub sent: u64,
    /// Times that it did not go well and was to be tried again.
    pub retried: u64,
    /// Messages that were given up.
    pub failed: u64,
    /// Messages that were not taken on, because too many waited.
    pub refused: u64,
    /// Messages that wait now.
    pub waiting: usize,
}

/// Sign-ins and registrations that were told to wait, each counted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ThrottleStatistics {
    /// Because too many failed with the same e-mail address.
    pub account: u64,
    /// Because too many failed from the same source.
    pub source: u64,
    /// Registrations, because too many came from the same source.
    pub registration: u64,
    /// Resets that were asked for and codes that were sent back, because too many from the same source were bad.
    pub recovery: u64,
    /// Messages that were not sent, because the same address had been written to often enough. Nobody is told to wait.
    pub mail: u64,
    /// Times that the store of such counts was away. The node then counts for itself.
    pub not_shared: u64,
}

/// What became of refused attempts that were to be written into the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusalStatistics {
    /// Entries that were written; one stands for any number of attempts.
    pub written: u64,
    /// Attempts that got no entry of their own, because too many others had one. A summary says how many.
    pub left_out: u64,
    /// Times that an entry could not be written. It was kept and tried again.
    pub failures: u64,
}

/// What checks of keys came to, each counted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[expect(
    missing_docs,
    reason = "each is the verdict of its name; see `KeyDenial`"
)]
pub struct Verdicts {
    pub granted: u64,
    pub malformed: u64,
    pub unknown: u64,
    pub retired: u64,
    pub revoked: u64,
    pub disabled: u64,
    pub owner_disabled: u64,
    pub expired: u64,
    pub wrong_environment: u64,
    /// Scopes that are held and must not be count here as well.
    pub missing_scope: u64,
    pub not_yet_valid: u64,
    pub wrong_address: u64,
    pub rate_limited: u64,
    pub cost_too_high: u64,
    pub quota_exhausted: u64,
    /// It could not be decided: the store was away, or too much hashing was waiting.
    pub undecided: u64,
}

impl Verdicts {
    fn of(tally: &Tally) -> Self {
        Self {
            granted: tally.of(Count::Granted),
            malformed: tally.of(Count::Malformed),
            unknown: tally.of(Count::Unknown),
            retired: tally.of(Count::Retired),
            revoked: tally.of(Count::Revoked),
            disabled: tally.of(Count::Disabled),
            owner_disabled: tally.of(Count::OwnerDisabled),
            expired: tally.of(Count::Expired),
            wrong_environment: tally.of(Count::WrongEnvironment),
            missing_scope: tally.of(Count::MissingScope),
            not_yet_valid: tally.of(Count::NotYetValid),
            wrong_address: tally.of(Count::WrongAddress),
            rate_limited: tally.of(Count::RateLimited),
            cost_too_high: tally.of(Count::CostTooHigh),
            quota_exhausted: tally.of(Count::QuotaExhausted),
            undecided: tally.of(Count::Undecided),
        }
    }

    /// Each verdict by its name.
    #[must_use]
    pub const fn by_name(&self) -> [(&'static str, u64); 16] {
        [
            ("granted", self.granted),
            ("malformed", self.malformed),
            ("unknown", self.unknown),
            ("retired", self.retired),
            ("revoked", self.revoked),
            ("disabled", self.disabled),
            ("owner_disabled", self.owner_disabled),
            ("expired", self.expired),
            ("wrong_environment", self.wrong_environment),
            ("missing_scope", self.missing_scope),
            ("not_yet_valid", self.not_yet_valid),
            ("wrong_address", self.wrong_address),
            ("rate_limited", self.rate_limited),
            ("cost_too_high", self.cost_too_high),
            ("quota_exhausted", self.quota_exhausted),
            ("undecided", self.undecided),
        ]
    }
}

/// What is remembered of keys, and how often that was enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStatistics {
    /// Checks of texts that were known to be a key's.
    pub known_keys: u64,
    /// Checks of texts that were known to be no key.
    pub known_denials: u64,
    /// Checks of texts with a good tag about which nothing was known that could be believed.
    pub misses: u64,
    /// How many keys are remembered.
    pub keys: u64,
    /// How many texts that are no key are remembered.
    pub denials: u64,
    /// What had to make room.
    pub evictions: Evictions,
}

impl Sakms {
    /// What this service has done so far.
    ///
    /// With the feature `metrics` the same figures are published through the facade of that crate, each time the
    /// journal is read and by [`Sakms::publish`].
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let Inner {
            tally,
            cache,
            follower,
            hashes,
            recovery,
            ..
        } = &*self.inner;
        let (keys, denials) = cache.sizes();
        Statistics {
            verdicts: Verdicts::of(tally),
            cache: CacheStatistics {
                known_keys: tally.of(Count::KnownKey),
                known_denials: tally.of(Count::KnownDenial),
                misses: tally.of(Count::NotKnown),
                keys,
                denials,
                evictions: cache.evictions(),
            },
            journal: follower.status(),
            key_hashing: hashes.load(Share::Keys),
            password_hashing: hashes.load(Share::Passwords),
            flush_failures: tally.of(Count::FlushFailed),
            refusals: RefusalStatistics {
                written: tally.of(Count::RefusalWritten),
                left_out: tally.of(Count::RefusalLeftOut),
                failures: tally.of(Count::RefusalsNotWritten),
            },
            throttled: ThrottleStatistics {
                account: tally.of(Count::ThrottledAccount),
                source: tally.of(Count::ThrottledSource),
                registration: tally.of(Count::ThrottledRegistration),
                recovery: tally.of(Count::ThrottledRecovery),
                mail: tally.of(Count::ThrottledMail),
                not_shared: tally.of(Count::ThrottleNotShared),
            },
            mail: MailStatistics {
                sent: tally.of(Count::MailSent),
                retried: tally.of(Count::MailRetried),
                failed: tally.of(Count::MailFailed),
                refused: tally.of(Count::MailRefused),
                waiting: recovery
                    .as_ref()
                    .map_or(0, |recovery| recovery.post.waiting()),
            },
            quota_unchecked: tally.of(Count::QuotaUnchecked),
        }
    }

    /// Publishes the figures of now, for a page that is about to show them. Without the feature `metrics` it does
    /// nothing.
    pub fn publish(&self) {
        crate::telemetry::publish(&self.statistics());
    }
}
