//! The check of a presented key.
//!
//! Cheap first. A text that was proven before costs a digest and a look-up. Of any other, shape and tag are looked
//! at before anything else, without I/O, so that a stranger's guesses reach neither the database nor Argon2. Then the
//! secret is proven, and only then its state is looked at: who does not hold the secret never learns whether it is
//! expired or revoked.
//!
//! What limits the use of a key comes after everything else, in `gates.rs`: a request that is refused for another reason takes
//! nothing.

use std::net::IpAddr;
use std::num::NonZeroU32;

use super::cache::{Digest, Failure, Known, Presented, Question, Tick};
use super::error::Error;
use super::gates::{Decision, DueQuota};
use super::requirement::{KeyDenial, Requirement};
use super::tally::Count;
use super::verified::VerifiedKey;
use super::{Inner, Sakms};
use crate::id::SecretId;
use crate::secret::{KeySecret, PresentedKey};
use crate::verdict::Verdict;

/// What a check goes by besides the key: where the request came from, and what it costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Circumstances {
    /// The address of whoever sent the request, when it is known.
    pub address: Option<IpAddr>,
    /// How much the request takes out of the key's rates and quota; 1 when nothing is said.
    pub cost: NonZeroU32,
}

impl Circumstances {
    /// A request from this address, or from nobody knows where, that costs this much.
    #[must_use]
    pub const fn new(address: Option<IpAddr>, cost: NonZeroU32) -> Self {
        Self { address, cost }
    }
}

impl Default for Circumstances {
    fn default() -> Self {
        Self {
            address: None,
            cost: NonZeroU32::MIN,
        }
    }
}

pub(super) type KeyVerdict = Verdict<VerifiedKey, KeyDenial>;

/// Where a check stands after what needs no I/O.
#[derive(Debug)]
pub(crate) enum Checked {
    /// Decided by what is remembered, or by the shape of the text.
    Now(KeyVerdict),
    /// The rest takes the store or a hash: [`Sakms::settle`].
    Later(Unsettled),
}

/// A check that has to wait.
#[derive(Debug)]
pub(crate) struct Unsettled(Rest);

/// What is left to be done.
#[derive(Debug)]
enum Rest {
    /// This service made the text, and nothing is remembered of it that can be believed.
    Everything(Box<Presented>),
    /// Everything is right but for the quota, which is the store's.
    Quota(Box<DueQuota>, Renewal),
}

/// What is needed to make the hash of a key anew, should it be let in.
#[derive(Debug)]
struct Renewal {
    digest: Digest,
    /// Nothing, unless the hash is dated.
    secret: Option<KeySecret>,
}

impl Sakms {
    /// Checks a presented key against a requirement, of a request of which nothing else is known: it costs 1, and a key that may
    /// be used from some addresses only is refused.
    ///
    /// A key that was checked before is answered from memory, without I/O and without waiting. What is remembered is
    /// what the store said as of the last reading of the journal ([`Sakms::journal_status`]); a key that was revoked
    /// through this service itself is refused at once. A key with a quota costs one call of the store each time.
    ///
    /// A requirement that says nothing of environments is met by a key of any. That is for asking about a key; a guard in front
    /// of a route takes one environment.
    ///
    /// # Errors
    /// [`Error`] when it could not be decided: the store is down, too much hashing is waiting, a stored row cannot
    /// be read. That is never a denial.
    pub async fn verify(
        &self,
        presented: &PresentedKey,
        requirement: &Requirement,
    ) -> Result<KeyVerdict, Error> {
        self.verify_with(presented, requirement, &Circumstances::default())
            .await
    }

    /// The same, with what else there is to know of the request: where it came from, and what it costs.
    ///
    /// # Errors
    /// As for [`Sakms::verify`].
    pub async fn verify_with(
        &self,
        presented: &PresentedKey,
        requirement: &Requirement,
        circumstances: &Circumstances,
    ) -> Result<KeyVerdict, Error> {
        match self.check(presented.expose(), requirement, circumstances) {
            Checked::Now(verdict) => Ok(verdict),
            Checked::Later(unsettled) => self.settle(unsettled, requirement, circumstances).await,
        }
    }

    /// The part of a check that needs no I/O. Takes no lock that is held for longer than a look-up, and allocates
    /// nothing for a key without limits unless it refuses for a scope.
    pub(crate) fn check(
        &self,
        text: &str,
        requirement: &Requirement,
        circumstances: &Circumstances,
    ) -> Checked {
        let Inner {
            cache,
            follower,
            format,
            tally,
            clock,
            ..
        } = &*self.inner;
        if !format.fits(text) {
            return Checked::Now(self.deny(KeyDenial::Malformed));
        }
        let digest = cache.digest(text);
        // One look at the clock for all that depends on how much time went by.
        let elapsed = clock.elapsed();
        if follower.is_current(elapsed) {
            match cache.recall(digest, Tick::at(elapsed)) {
                Some(Known::Key(key)) => {
                    tally.add(Count::KnownKey);
                    let secret = || Some(format.parse(text).ok()?.secret);
                    return match self.decide(key, elapsed, requirement, circumstances) {
                        Decision::Now(verdict) => {
                            self.renew_if_dated(&verdict, digest, secret);
                            Checked::Now(verdict)
                        }
                        Decision::Quota(due) => {
                            let secret = due.key().is_dated().then(secret).flatten();
                            let renewal = Renewal { digest, secret };
                            Checked::Later(Unsettled(Rest::Quota(due, renewal)))
                        }
                    };
                }
                Some(Known::Nothing) => {
                    tally.add(Count::KnownDenial);
                    return Checked::Now(self.deny(KeyDenial::Unknown));
                }
                None => {}
            }
        }
        match format.parse(text) {
            Ok(parsed) => {
                let presented = Presented { parsed, digest };
                Checked::Later(Unsettled(Rest::Everything(Box::new(presented))))
            }
            Err(_) => Checked::Now(self.deny(KeyDenial::Malformed)),
        }
    }

    /// Looks the secret up, proves it, holds its state against the clock and the requirement, and takes what the request costs out
    /// of the quota.
    #[tracing::instrument(name = "sakms.key.verify", skip_all, fields(secret = %unsettled.secret()))]
    pub(crate) async fn settle(
        &self,
        unsettled: Unsettled,
        requirement: &Requirement,
        circumstances: &Circumstances,
    ) -> Result<KeyVerdict, Error> {
        let (decision, renewal) = match unsettled.0 {
            Rest::Quota(due, renewal) => (Decision::Quota(due), renewal),
            Rest::Everything(presented) => match self.find_out(&presented).await? {
                Known::Key(key) => {
                    let Presented { parsed, digest } = *presented;
                    let secret = key.is_dated().then_some(parsed.secret);
                    let elapsed = self.inner.clock.elapsed();
                    let decision = self.decide(key, elapsed, requirement, circumstances);
                    (decision, Renewal { digest, secret })
                }
                Known::Nothing => return Ok(self.deny(KeyDenial::Unknown)),
            },
        };
        let verdict = match decision {
            Decision::Now(verdict) => verdict,
            Decision::Quota(due) => self.take_quota(*due).await?,
        };
        self.renew_if_dated(&verdict, renewal.digest, || renewal.secret);
        Ok(verdict)
    }

    async fn find_out(&self, presented: &Presented) -> Result<Known, Error> {
        let Inner {
            keys,
            hashes,
            format,
            cache,
            usage,
            tally,
            clock,
            ..
        } = &*self.inner;
        tally.add(Count::NotKnown);
        self.keep_following();
        usage.ensure_running();
        let question = Question {
            store: keys.as_ref(),
            hashes,
            clock: clock.as_ref(),
            presented,
            environment: format.environment_of(&presented.parsed),
        };
        let found = cache.find_out(&question).await;
        found.map_err(|failure| {
            tally.add(Count::Undecided);
            failure.into()
        })
    }

    /// Has the hash of a key that was let in made anew, when it is due.
    fn renew_if_dated(
        &self,
        verdict: &KeyVerdict,
        digest: Digest,
        secret: impl FnOnce() -> Option<KeySecret>,
    ) {
        if let Verdict::Granted(key) = verdict
            && key.in_use().is_dated()
        {
            self.renew_key_hash(&key.in_use().known, digest, secret);
        }
    }

    pub(super) fn deny(&self, denial: KeyDenial) -> KeyVerdict {
        self.inner.tally.add(Count::from(&denial));
        Verdict::Denied(denial)
    }
}

impl Unsettled {
    fn secret(&self) -> SecretId {
        match &self.0 {
            Rest::Everything(presented) => presented.parsed.id,
            Rest::Quota(due, _) => due.key().known.secret,
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Store(error) => error.into(),
            Failure::Hash(error) => error.into(),
        }
    }
}
