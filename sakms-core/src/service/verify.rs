//! The check of a presented key.
//!
//! Cheap first. A text that was proven before costs a digest and a look-up. Of any other, shape and tag are looked
//! at before anything else, without I/O, so that a stranger's guesses reach neither the database nor Argon2. Then the
//! secret is proven, and only then its state is looked at: who does not hold the secret never learns whether it is
//! expired or revoked.

use std::sync::Arc;

use super::cache::{Digest, Failure, KeyInUse, Known, Presented, Question, Tick};
use super::error::Error;
use super::requirement::{KeyDenial, Requirement};
use super::tally::Count;
use super::verified::VerifiedKey;
use super::{Inner, Sakms};
use crate::secret::{KeySecret, PresentedKey};
use crate::verdict::Verdict;

type KeyVerdict = Verdict<VerifiedKey, KeyDenial>;

/// Where a check stands after what needs no I/O.
#[derive(Debug)]
pub(crate) enum Checked {
    /// Decided by what is remembered, or by the shape of the text.
    Now(KeyVerdict),
    /// This service made the text; the rest takes the store or a hash: [`Sakms::settle`].
    Later(Unsettled),
}

/// A text that this service made, about which nothing is remembered that can be believed.
#[derive(Debug)]
pub(crate) struct Unsettled(Presented);

impl Sakms {
    /// Checks a presented key against a requirement.
    ///
    /// A key that was checked before is answered from memory, without I/O and without waiting. What is remembered is
    /// what the store said as of the last reading of the journal ([`Sakms::journal_status`]); a key that was revoked
    /// through this service itself is refused at once.
    ///
    /// # Errors
    /// [`Error`] when it could not be decided: the store is down, too much hashing is waiting, a stored row cannot
    /// be read. That is never a denial.
    pub async fn verify(
        &self,
        presented: &PresentedKey,
        requirement: &Requirement,
    ) -> Result<KeyVerdict, Error> {
        match self.check(presented.expose(), requirement) {
            Checked::Now(verdict) => Ok(verdict),
            Checked::Later(unsettled) => self.settle(unsettled, requirement).await,
        }
    }

    /// The part of a check that needs no I/O. Takes no lock that is held for longer than a look-up, and allocates
    /// nothing unless it refuses for a missing scope.
    pub(crate) fn check(&self, text: &str, requirement: &Requirement) -> Checked {
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
            let now = Tick::at(elapsed);
            match cache.recall(digest, now) {
                Some(Known::Key(key)) => {
                    tally.add(Count::KnownKey);
                    let verdict = self.decide(key, now, requirement);
                    self.renew_if_dated(&verdict, digest, || Some(format.parse(text).ok()?.secret));
                    return Checked::Now(verdict);
                }
                Some(Known::Nothing) => {
                    tally.add(Count::KnownDenial);
                    return Checked::Now(self.deny(KeyDenial::Unknown));
                }
                None => {}
            }
        }
        match format.parse(text) {
            Ok(parsed) => Checked::Later(Unsettled(Presented { parsed, digest })),
            Err(_) => Checked::Now(self.deny(KeyDenial::Malformed)),
        }
    }

    /// Looks the secret up, proves it, and holds its state against the clock and the requirement.
    #[tracing::instrument(name = "sakms.key.verify", skip_all, fields(secret = %unsettled.0.parsed.id))]
    pub(crate) async fn settle(
        &self,
        unsettled: Unsettled,
        requirement: &Requirement,
    ) -> Result<KeyVerdict, Error> {
        let Unsettled(presented) = unsettled;
        let Inner {
            keys,
            hashes,
            format,
            cache,
            follower,
            usage,
            tally,
            clock,
            ..
        } = &*self.inner;
        tally.add(Count::NotKnown);
        let weak = Arc::downgrade(&self.inner);
        follower.ensure_running(move || {
            if let Some(inner) = weak.upgrade() {
                Self { inner }.publish();
            }
        });
        usage.ensure_running();
        let question = Question {
            store: keys.as_ref(),
            hashes,
            presented: &presented,
            environment: format.environment_of(&presented.parsed),
        };
        match cache.find_out(&question).await {
            Ok(Known::Key(key)) => {
                let verdict = self.decide(key, Tick::at(clock.elapsed()), requirement);
                let Presented { parsed, digest } = presented;
                self.renew_if_dated(&verdict, digest, || Some(parsed.secret));
                Ok(verdict)
            }
            Ok(Known::Nothing) => Ok(self.deny(KeyDenial::Unknown)),
            Err(failure) => {
                tally.add(Count::Undecided);
                Err(failure.into())
            }
        }
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

    /// Holds a proven key against the clock and the requirement.
    fn decide(&self, key: Arc<KeyInUse>, now: Tick, requirement: &Requirement) -> KeyVerdict {
        let Inner {
            clock,
            tally,
            usage,
            ..
        } = &*self.inner;
        let denial = key
            .refused_by(clock.as_ref())
            .or_else(|| requirement.unmet_by(&key.known));
        if let Some(denial) = denial {
            return self.deny(denial);
        }
        tally.add(Count::Granted);
        usage.count(&key, now, clock.as_ref());
        Verdict::Granted(VerifiedKey::new(key))
    }

    fn deny(&self, denial: KeyDenial) -> KeyVerdict {
        self.inner.tally.add(Count::from(&denial));
        Verdict::Denied(denial)
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
