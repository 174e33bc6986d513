//! The check of a presented key.
//!
//! Cheap first: shape and tag are looked at before anything else, without I/O, so that a stranger's guesses reach
//! neither the database nor Argon2. Then the secret is proven, and only then its state is looked at: who does not
//! hold the secret never learns whether it is expired or revoked.

use std::fmt;
use std::sync::Arc;

use super::error::Error;
use super::{Inner, Sakms};
use crate::clock::Timestamp;
use crate::hash::Share;
use crate::id::{KeyId, SecretId};
use crate::key::{
    Environment, InvalidScope, KeyName, Metadata, Owner, ParsedKey, Scope, ScopeSet, StoredSecret,
};
use crate::secret::PresentedKey;
use crate::verdict::Verdict;

/// What a key must be to pass.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Requirement {
    scopes: Vec<Scope>,
    environment: Option<Environment>,
}

impl Requirement {
    /// Any key that stands.
    pub const fn any_key() -> Self {
        Self {
            scopes: Vec::new(),
            environment: None,
        }
    }

    /// It must hold this scope as well.
    ///
    /// # Errors
    /// [`InvalidScope`] when the text is no scope: at start, not at the first request.
    pub fn scope(mut self, scope: &str) -> Result<Self, InvalidScope> {
        self.scopes.push(scope.parse()?);
        Ok(self)
    }

    /// It must be of this environment.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = Some(environment);
        self
    }

    fn unmet_by(&self, found: &StoredSecret) -> Option<KeyDenial> {
        if self
            .environment
            .as_ref()
            .is_some_and(|wanted| *wanted != found.key.environment)
        {
            return Some(KeyDenial::WrongEnvironment);
        }
        let missing = self
            .scopes
            .iter()
            .find(|scope| !found.key.scopes.grants(scope));
        missing.map(|scope| KeyDenial::MissingScope(scope.clone()))
    }
}

/// Why a key was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyDenial {
    /// Not a key of this service: wrong shape, wrong prefix, wrong tag. Nothing was looked up.
    Malformed,
    /// No such secret, or not this one. The two are not told apart.
    Unknown,
    /// Another secret took this one's place, and the time for both is over.
    Retired,
    /// The key was revoked.
    Revoked,
    /// The key is switched off.
    Disabled,
    /// Its owner is disabled.
    OwnerDisabled,
    /// Its time is over.
    Expired,
    /// It belongs to another environment than the guard's.
    WrongEnvironment,
    /// It does not hold this scope.
    MissingScope(Scope),
}

impl fmt::Display for KeyDenial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed | Self::Unknown => f.write_str("the key is not valid"),
            Self::Retired => f.write_str("the key's secret was replaced"),
            Self::Revoked => f.write_str("the key was revoked"),
            Self::Disabled => f.write_str("the key is disabled"),
            Self::OwnerDisabled => f.write_str("the key's owner is disabled"),
            Self::Expired => f.write_str("the key has expired"),
            Self::WrongEnvironment => f.write_str("the key belongs to another environment"),
            Self::MissingScope(scope) => write!(f, "the key does not hold the scope {scope}"),
        }
    }
}

impl std::error::Error for KeyDenial {}

/// A key that passed: what a handler may know of it.
#[derive(Debug, Clone)]
pub struct VerifiedKey {
    found: Arc<StoredSecret>,
}

impl VerifiedKey {
    /// Which key.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.found.key.id
    }

    /// Which of its secrets.
    #[must_use]
    pub fn secret_id(&self) -> SecretId {
        self.found.secret.id
    }

    /// Who holds it.
    #[must_use]
    pub fn owner(&self) -> &Owner {
        &self.found.key.owner
    }

    /// What its owner calls it.
    #[must_use]
    pub fn name(&self) -> &KeyName {
        &self.found.key.name
    }

    /// Which environment it opens.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.found.key.environment
    }

    /// What it may do.
    #[must_use]
    pub fn scopes(&self) -> &ScopeSet {
        &self.found.key.scopes
    }

    /// What is kept with it.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.found.key.metadata
    }

    /// From when on it will be refused.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.found.key.expires_at
    }
}

type KeyVerdict = Verdict<VerifiedKey, KeyDenial>;

impl Sakms {
    /// Checks a presented key against a requirement.
    ///
    /// # Errors
    /// [`Error`] when it could not be decided: the store is down, too much hashing is waiting, a stored row cannot
    /// be read. That is never a denial.
    pub async fn verify(
        &self,
        presented: &PresentedKey,
        requirement: &Requirement,
    ) -> Result<KeyVerdict, Error> {
        match self.verify_now(presented) {
            Ok(parsed) => self.verify_parsed(parsed, requirement).await,
            Err(denial) => Ok(Verdict::Denied(denial)),
        }
    }

    /// The part of a check that needs no I/O. What passes still has to be proven by [`Sakms::verify_parsed`].
    pub(crate) fn verify_now(&self, presented: &PresentedKey) -> Result<ParsedKey, KeyDenial> {
        self.inner
            .format
            .parse(presented.expose())
            .map_err(|_| KeyDenial::Malformed)
    }

    /// Looks the secret up, proves it, and holds its state against the clock and the requirement.
    #[tracing::instrument(name = "sakms.key.verify", skip_all, fields(secret = %parsed.id))]
    pub(crate) async fn verify_parsed(
        &self,
        parsed: ParsedKey,
        requirement: &Requirement,
    ) -> Result<KeyVerdict, Error> {
        let Inner {
            keys,
            hashes,
            format,
            clock,
            usage,
            ..
        } = &*self.inner;
        let Some(found) = keys.find(parsed.id).await? else {
            // As much work as for a wrong secret, so that the time does not tell whether there is one.
            hashes
                .verify_absent(Share::Keys, parsed.secret.expose())
                .await?;
            return Ok(Verdict::Denied(KeyDenial::Unknown));
        };
        let proven = hashes
            .verify(Share::Keys, parsed.secret.expose(), &found.secret.hash)
            .await?;
        // The environment is under the tag; a text that names another one than the record was not minted for it.
        if !proven || format.environment_of(&parsed) != &found.key.environment {
            return Ok(Verdict::Denied(KeyDenial::Unknown));
        }
        let now = clock.now();
        if let Some(denial) = refused_by_state(&found, now).or_else(|| requirement.unmet_by(&found))
        {
            return Ok(Verdict::Denied(denial));
        }
        usage.count(keys, found.secret.id, now);
        Ok(Verdict::Granted(VerifiedKey {
            found: Arc::new(found),
        }))
    }
}

/// Whether the state of a proven key refuses it, at this moment. Evaluated on every request, never remembered.
fn refused_by_state(found: &StoredSecret, now: Timestamp) -> Option<KeyDenial> {
    let since = |moment: Option<Timestamp>| moment.is_some_and(|moment| moment <= now);
    let StoredSecret {
        key,
        secret,
        owner_disabled_at,
    } = found;
    // A revocation or a switch-off holds whatever its time says: a clock that jumps back must not undo it.
    match () {
        () if key.revoked_at.is_some() => Some(KeyDenial::Revoked),
        () if owner_disabled_at.is_some() => Some(KeyDenial::OwnerDisabled),
        () if key.disabled_at.is_some() => Some(KeyDenial::Disabled),
        () if since(key.expires_at) => Some(KeyDenial::Expired),
        () if since(secret.retired_at) => Some(KeyDenial::Retired),
        () => None,
    }
}
