//! What a store says when it could not do what was asked.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::document::InvalidDocument;

/// What kind of failure it was: what code decides by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// What was to be added is there already.
    Conflict,
    /// There are as many as there may be.
    LimitReached,
    /// What was to be changed is not there.
    NotFound,
    /// What was to be changed was changed meanwhile.
    Stale,
    /// The store cannot be reached, is overloaded or took too long. Trying later may help.
    Unavailable,
    /// The connection broke while a change was being committed, and it could not be found out whether it was.
    OutcomeUnknown,
    /// A stored row is not what this version writes.
    Corrupt,
    /// The store has no room, or may not be written to.
    ReadOnly,
    /// Anything else: the schema is missing, a statement was refused.
    Internal,
}

impl fmt::Display for StoreErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Conflict => "it is there already",
            Self::LimitReached => "there are as many as there may be",
            Self::NotFound => "it is not there",
            Self::Stale => "it was changed meanwhile",
            Self::Unavailable => "the store cannot be reached in time",
            Self::OutcomeUnknown => "the connection broke at the commit; the outcome is unknown",
            Self::Corrupt => "a stored row cannot be read",
            Self::ReadOnly => "the store is full or may not be written to",
            Self::Internal => "the store refused the statement",
        })
    }
}

/// So that a transaction can end with one by `?`, among the errors of its database ([`StoreError::within`]).
impl Error for StoreErrorKind {}

/// A store could not do what was asked.
///
/// Its text says what was being done and what kind of failure it was. The cause is for the log: it may name
/// hosts and tables, and is never shown to a client.
#[derive(Debug, Clone)]
pub struct StoreError {
    kind: StoreErrorKind,
    operation: &'static str,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// A failure of `kind` during `operation` (the method's name).
    #[must_use]
    pub const fn new(kind: StoreErrorKind, operation: &'static str) -> Self {
        Self {
            kind,
            operation,
            source: None,
        }
    }

    /// The failure that an error within `operation` is: a [`StoreError`] is itself, a [`StoreErrorKind`] is that one,
    /// [bytes that are no document](super::InvalidDocument) are [`StoreErrorKind::Corrupt`], and anything else is
    /// [`StoreErrorKind::Internal`] with that cause. For stores whose database has errors of its own.
    #[must_use]
    pub fn within(operation: &'static str, error: Box<dyn Error + Send + Sync>) -> Self {
        let error = match error.downcast::<Self>() {
            Ok(failure) => return *failure,
            Err(error) => error,
        };
        match error.downcast::<StoreErrorKind>() {
            Ok(kind) => Self::new(*kind, operation),
            Err(error) => {
                let corrupt = error.is::<InvalidDocument>();
                let kind = if corrupt {
                    StoreErrorKind::Corrupt
                } else {
                    StoreErrorKind::Internal
                };
                Self::new(kind, operation).because(error)
            }
        }
    }

    /// The same failure with its cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// What kind of failure it was.
    #[must_use]
    pub const fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// What was being done.
    #[must_use]
    pub const fn operation(&self) -> &'static str {
        self.operation
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.kind)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyRecord;
    use crate::store::Document as _;

    #[test]
    fn an_error_within_a_transaction_finds_its_kind() {
        let within = |error| StoreError::within("update", error);
        let stale = within(StoreErrorKind::Stale.into());
        assert_eq!(stale.kind(), StoreErrorKind::Stale);
        assert_eq!(stale.to_string(), "update: it was changed meanwhile");
        assert!(stale.source().is_none(), "the kind says it all");
        let corrupt = within(KeyRecord::from_document(b"?").unwrap_err().into());
        assert_eq!(corrupt.kind(), StoreErrorKind::Corrupt);
        assert!(corrupt.source().unwrap().is::<InvalidDocument>());
        let whole = StoreError::new(StoreErrorKind::OutcomeUnknown, "commit").because("a disk");
        let whole = within(whole.into());
        assert_eq!(
            (whole.kind(), whole.operation()),
            (StoreErrorKind::OutcomeUnknown, "commit")
        );
        assert_eq!(whole.source().unwrap().to_string(), "a disk");
        let other = within("no such table".into());
        assert_eq!(other.kind(), StoreErrorKind::Internal);
        assert_eq!(other.source().unwrap().to_string(), "no such table");
    }
}
