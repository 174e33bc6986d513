//! The check of a presented key.
//!
//! Cheap first. A text that was proven before costs a digest and two look-ups. Of any other, shape and tag are looked
//! at before anything else, without I/O, so that a stranger's guesses reach neither the database nor Argon2. Then the
//! secret is proven, and only then its state is looked at: who does not hold the secret never learns whether it is
//! expired or revoked.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use super::cache::{Digest, Failure, Known, KnownKey, Presented, Question};
use super::error::Error;
use super::requirement::{KeyDenial, Requirement};
use super::tally::Count;
use super::verified::VerifiedKey;
use super::{Inner, Sakms};
use crate::id::KeyId;
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

impl Default for Circumstances {
    fn default() -> Self {
        Self {
            address: None,
            cost: NonZeroU32::MIN,
        }
    }
}

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

    /// The same, with what else there is to know of the request: where it came from, and what it costs.
    ///
    /// # Errors
    /// As for [`Sakms::verify`].
    pub async fn verify_with(
        &self,
        presented: &PresentedKey,
        requirement: &Requirement,
        _circumstances: &Circumstances,
    ) -> Result<KeyVerdict, Error> {
        self.verify(presented, requirement).await
    }

    /// The part of a check that needs no I/O. Takes no lock that is held for longer than a look-up, and allocates
    /// nothing unless it refuses for a missing scope.
    pub(crate) fn check(&self, text: &str, requirement: &Requirement) -> Checked {
        let Inner {
            cache,
            follower,
            format,
            tally,
            ..
        } = &*self.inner;
        if !format.fits(text) {
            return Checked::Now(self.deny(KeyDenial::Malformed));
        }
        let digest = cache.digest(text);
        if follower.is_current() {
            match cache.recall(digest) {
                Some(Known::Key(known)) => {
                    tally.add(Count::KnownKey);
                    let verdict = self.decide(known, requirement);
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
            Ok(Known::Key(known)) => {
                let verdict = self.decide(known, requirement);
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
            && key.known().dated
        {
            self.renew_key_hash(key.known(), digest, secret);
        }
    }

    /// Holds a proven key against the clock and the requirement.
    fn decide(&self, known: Arc<KnownKey>, requirement: &Requirement) -> KeyVerdict {
        let now = self.inner.clock.now();
        let denial = known
            .refused_at(now)
            .or_else(|| requirement.unmet_by(&known));
        if let Some(denial) = denial {
            self.inner.refusals.key(known.key, &denial);
            return self.deny(denial);
        }
        self.inner.tally.add(Count::Granted);
        self.inner.usage.count(&known, now);
        Verdict::Granted(VerifiedKey::new(known))
    }

    /// A key that is good was not let in somewhere else than at a guard.
    #[cfg(feature = "http")]
    pub(crate) fn refused(&self, key: KeyId, error: &Error) {
        if let Error::MissingScope(scope) = error {
            let denial = KeyDenial::MissingScope(scope.clone());
            self.inner.refusals.key(key, &denial);
        }
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
