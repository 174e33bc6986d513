//! What a guard asks of a key, and why a key is refused.

use std::fmt;

use super::cache::KnownKey;
use crate::key::{Environment, InvalidScope, Scope};

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

    /// Why a key that stands does not pass, if it does not.
    pub(super) fn unmet_by(&self, known: &KnownKey) -> Option<KeyDenial> {
        if self
            .environment
            .as_ref()
            .is_some_and(|wanted| *wanted != known.policy.environment)
        {
            return Some(KeyDenial::WrongEnvironment);
        }
        let missing = self
            .scopes
            .iter()
            .find(|scope| !known.policy.scopes.grants(scope));
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
