//! Asking about a key from elsewhere: for programs that cannot hold a guard of this library.

use std::num::NonZeroUsize;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::Sakms;
use super::error::Error;
use super::requirement::{KeyDenial, Requirement};
use super::verified::VerifiedKey;
use super::verify::Circumstances;
use crate::key::Environment;
use crate::secret::{BearerToken, PresentedKey};
use crate::token::Claims;
use crate::verdict::Verdict;

/// How many keys of a batch are checked at the same time.
const AT_ONCE: NonZeroUsize = NonZeroUsize::new(8).unwrap();

/// What is asked about a key.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Question {
    /// What the key must be.
    pub requirement: Requirement,
    /// Of which environment it must be; the service's first one, when nothing is said, as at a guard.
    pub environment: Option<Environment>,
    /// Where the request came from and what it costs.
    pub circumstances: Circumstances,
}

impl Question {
    /// The most keys that are asked about at once.
    pub const MOST_KEYS: usize = 100;
}

/// What was found out about a key.
pub type Found = Verdict<VerifiedKey, KeyDenial>;

impl Sakms {
    /// Checks a key for somebody else, as a guard of theirs would: it is a use of the key, and takes from its limits.
    ///
    /// Who asks shows the key itself, so nothing is found out that its holder could not.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an environment there is not; [`Error::Store`] and [`Error::Hash`] when it could not be
    /// decided, which is never a denial.
    pub async fn ask(&self, key: &PresentedKey, question: &Question) -> Result<Found, Error> {
        let requirement = self.required(question)?;
        self.verify_with(key, &requirement, &question.circumstances)
            .await
    }

    /// The same of up to [`Question::MOST_KEYS`] keys, some at a time. The answers are in the order of the keys.
    ///
    /// # Errors
    /// [`Error::Invalid`] for more keys; else as for [`Sakms::ask`], when one of them could not be decided.
    pub async fn ask_each(
        &self,
        keys: Vec<PresentedKey>,
        question: &Question,
    ) -> Result<Vec<Found>, Error> {
        if keys.len() > Question::MOST_KEYS {
            return Err(Error::field("keys", "has at most 100 keys"));
        }
        let asked = Arc::new((self.required(question)?, question.circumstances));
        let mut answers: Vec<Option<Found>> = Vec::new();
        answers.resize_with(keys.len(), || None);
        let mut waiting = keys.into_iter().enumerate();
        // Whoever goes away takes the checks along.
        let mut running = JoinSet::new();
        loop {
            for (place, key) in waiting.by_ref().take(AT_ONCE.get() - running.len()) {
                let (sakms, asked) = (self.clone(), Arc::clone(&asked));
                running.spawn(async move {
                    let (requirement, circumstances) = &*asked;
                    let found = sakms.verify_with(&key, requirement, circumstances).await;
                    found.map(|found| (place, found))
                });
            }
            match running.join_next().await {
                None => break,
                Some(Ok(found)) => {
                    let (place, found) = found?;
                    answers[place] = Some(found);
                }
                Some(Err(failed)) => {
                    tracing::error!(%failed, "the check of a key did not come to an end");
                    return Err(Error::Unfinished);
                }
            }
        }
        answers
            .into_iter()
            .map(|one| one.ok_or(Error::Unfinished))
            .collect()
    }

    /// What a token says that is good: genuine, of an account that exists and whose owner is not disabled; `None` for any
    /// other.
    ///
    /// # Errors
    /// [`Error::Store`] and [`Error::Token`] when it could not be decided.
    pub async fn ask_token(&self, token: &BearerToken) -> Result<Option<Claims>, Error> {
        if !self.authenticate(token).await?.is_granted() {
            return Ok(None);
        }
        let Some(issuer) = &self.inner.tokens else {
            return Ok(None);
        };
        Ok(issuer.verify(token).await?.into_result().ok())
    }

    fn required(&self, question: &Question) -> Result<Requirement, Error> {
        let environments = self.inner.format.environments();
        let environment = match &question.environment {
            None => &environments[0],
            Some(named) if environments.contains(named) => named,
            Some(_) => {
                return Err(Error::field(
                    "environment",
                    "this service has no such environment",
                ));
            }
        };
        Ok(question
            .requirement
            .clone()
            .environment(environment.clone()))
    }
}
