//! What a store says when it could not do what was asked.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// What kind of failure it was: what code decides by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// What was to be added is there already.
    Conflict,
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
        let what = match self.kind {
            StoreErrorKind::Conflict => "it is there already",
            StoreErrorKind::NotFound => "it is not there",
            StoreErrorKind::Stale => "it was changed meanwhile",
            StoreErrorKind::Unavailable => "the store cannot be reached in time",
            StoreErrorKind::OutcomeUnknown => {
                "the connection broke at the commit; the outcome is unknown"
            }
            StoreErrorKind::Corrupt => "a stored row cannot be read",
            StoreErrorKind::ReadOnly => "the store is full or may not be written to",
            StoreErrorKind::Internal => "the store refused the statement",
        };
        write!(f, "{}: {what}", self.operation)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
