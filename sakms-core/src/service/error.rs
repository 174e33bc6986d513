//! Why a use case did not go through. A denial is not here: it is a value.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::entropy::EntropyError;
use crate::hash::HashError;
use crate::key::Scope;
use crate::store::{StoreError, StoreErrorKind};
use crate::token::TokenError;

/// One field of the input, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::FieldError))]
#[non_exhaustive]
pub struct FieldError {
    /// The field's name as the input calls it.
    pub field: String,
    /// A sentence that a person can act on.
    pub message: String,
}

impl FieldError {
    /// What is wrong with `field`.
    #[must_use]
    pub fn new(field: impl Into<String>, message: impl fmt::Display) -> Self {
        Self {
            field: field.into(),
            message: message.to_string(),
        }
    }
}

/// Why a use case did not go through. Nothing was changed, but for [`StoreErrorKind::OutcomeUnknown`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The input breaks the rules of these fields.
    Invalid(Vec<FieldError>),
    /// There is no such thing, or it is somebody else's: the two are not told apart.
    NotFound,
    /// An account with this e-mail address exists.
    EmailTaken,
    /// The caller is a key that does not hold this scope.
    MissingScope(Scope),
    /// The caller is a key, and what it asks for would be more than it is: the text says in what.
    BeyondCaller(&'static str),
    /// That is for admins.
    AdminOnly,
    /// That is for whoever holds a key, and the caller is none.
    KeyOnly,
    /// That is for whoever has signed in here, and the caller shows no token.
    TokenOnly,
    /// The caller's token belongs to no session.
    NoSession,
    /// The owner has as many keys as they may.
    TooManyKeys,
    /// There are as many roles as there may be.
    TooManyRoles,
    /// The key is revoked, for good.
    KeyIsRevoked,
    /// The key has expired, for good.
    KeyIsExpired,
    /// The key has two secrets already: the overlap of a rotation lasts, or another rotation was faster.
    RotationInProgress,
    /// There is no rotation to end or to take back.
    NoRotation,
    /// Something else was asked with this idempotency key.
    IdempotencyKeyReused,
    /// Nobody disables their own account.
    OwnAccount,
    /// A task of ours did not come to an end.
    Unfinished,
    /// Too much mail is waiting to be sent. Nothing was done.
    Overloaded,
    /// It failed too often: with this account or from this source. Nothing was tried.
    Throttled {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The thing was changed by others every time it was tried.
    Contended,
    /// This service has no accounts, or no tokens.
    NotOffered,
    /// The store could not do it.
    Store(StoreError),
    /// Hashing could not be done, mostly because too much of it is waiting.
    Hash(HashError),
    /// A token could not be made or checked.
    Token(TokenError),
    /// The source of randomness failed.
    Entropy(EntropyError),
}

impl Error {
    /// One field is wrong.
    pub(super) fn field(field: &'static str, message: impl fmt::Display) -> Self {
        Self::Invalid(vec![FieldError::new(field, message)])
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(fields) => {
                f.write_str("invalid input")?;
                fields
                    .iter()
                    .try_for_each(|error| write!(f, "; {}: {}", error.field, error.message))
            }
            Self::NotFound => f.write_str("there is no such thing"),
            Self::EmailTaken => f.write_str("an account with this e-mail address exists"),
            Self::MissingScope(scope) => write!(f, "the key does not hold the scope {scope}"),
            Self::BeyondCaller(what) => f.write_str(what),
            Self::AdminOnly => f.write_str("that is for admins"),
            Self::KeyOnly => f.write_str("that is for whoever holds an API key"),
            Self::TokenOnly => f.write_str("that is for whoever has signed in"),
            Self::NoSession => f.write_str("the token belongs to no session"),
            Self::TooManyKeys => f.write_str("the owner has as many keys as they may"),
            Self::TooManyRoles => f.write_str("there are as many roles as there may be"),
            Self::KeyIsRevoked => f.write_str("the key is revoked, for good"),
            Self::KeyIsExpired => f.write_str("the key has expired, for good"),
            Self::RotationInProgress => {
                f.write_str("the key is being rotated: two of its secrets work")
            }
            Self::NoRotation => f.write_str("the key is not being rotated"),
            Self::IdempotencyKeyReused => {
                f.write_str("something else was asked with this idempotency key")
            }
            Self::OwnAccount => f.write_str("nobody disables their own account"),
            Self::Unfinished => f.write_str("a task did not come to an end"),
            Self::Overloaded => f.write_str("too much mail is waiting to be sent"),
            Self::Throttled { .. } => {
                f.write_str("it was tried too often; wait before trying again")
            }
            Self::Contended => f.write_str("it was changed by others at the same time; try again"),
            Self::NotOffered => f.write_str("this service does not offer it"),
            Self::Store(error) => error.fmt(f),
            Self::Hash(error) => error.fmt(f),
            Self::Token(error) => error.fmt(f),
            Self::Entropy(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(error) => error.source(),
            Self::Hash(error) => error.source(),
            Self::Token(error) => error.source(),
            Self::Entropy(error) => error.source(),
            _ => None,
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error.kind() {
            StoreErrorKind::NotFound => Self::NotFound,
            StoreErrorKind::Stale => Self::Contended,
            _ => Self::Store(error),
        }
    }
}

impl From<HashError> for Error {
    fn from(error: HashError) -> Self {
        Self::Hash(error)
    }
}

impl From<TokenError> for Error {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}

impl From<EntropyError> for Error {
    fn from(error: EntropyError) -> Self {
        Self::Entropy(error)
    }
}
