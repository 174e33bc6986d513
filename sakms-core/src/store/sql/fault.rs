//! What an error means: for the caller, and for whether to try again.

use std::error::Error;
use std::fmt;
use std::io::ErrorKind;
use std::time::Duration;

use super::backend::Backend;
use super::row::{CorruptValue, TooLong};
use crate::store::{StoreError, StoreErrorKind};

/// What an error of a database means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// What the caller is told.
    pub kind: StoreErrorKind,
    /// Whether the same work may succeed when it is done again from its beginning.
    pub again: bool,
    /// Whether, when it answers a commit, nothing was committed. Otherwise that has to be found out.
    pub undone: bool,
    /// What to do about it, where that can be said.
    pub hint: Option<&'static str>,
}

impl Fault {
    /// A failure that doing it again does not mend.
    pub(super) const fn of(kind: StoreErrorKind) -> Self {
        Self {
            kind,
            again: false,
            undone: false,
            hint: None,
        }
    }

    /// A conflict with others that goes away, or a connection that broke.
    pub(super) const fn passing() -> Self {
        Self {
            again: true,
            ..Self::of(StoreErrorKind::Unavailable)
        }
    }

    /// A conflict with others after which the database has undone the transaction.
    pub(super) const fn undone() -> Self {
        Self {
            undone: true,
            ..Self::passing()
        }
    }

    pub(super) const fn with_hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// The tables are not those of this version.
    pub(super) const fn no_tables() -> Self {
        Self::of(StoreErrorKind::Internal)
            .with_hint("the tables of SAKMS are missing or of an older version: run migrate")
    }
}

/// Why an attempt failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The driver or the database said so.
    Sql(sqlx::Error),
    /// Nothing was said in time.
    Late(Duration),
    /// The store itself found a reason.
    Refused(StoreErrorKind, Option<Box<dyn Error + Send + Sync>>),
}

impl Failure {
    pub(super) const fn is(kind: StoreErrorKind) -> Self {
        Self::Refused(kind, None)
    }

    pub(super) fn no_tables() -> Self {
        Self::Refused(
            StoreErrorKind::Internal,
            Fault::no_tables().hint.map(Into::into),
        )
    }

    /// Whether it is an answer, after which nothing of what was asked is done. Otherwise that cannot be said.
    pub(super) const fn is_answer(&self) -> bool {
        matches!(
            self,
            Self::Sql(sqlx::Error::Database(_)) | Self::Refused(..)
        )
    }

    pub(super) fn fault<B: Backend>(&self) -> Fault {
        use sqlx::Error as E;
        match self {
            Self::Late(_) => Fault::of(StoreErrorKind::Unavailable),
            Self::Refused(kind, _) => Fault::of(*kind),
            Self::Sql(error) => match error {
                E::Database(error) => B::fault(error.as_ref()),
                // A certificate that is not believed, or an answer that is none.
                E::Io(error) if error.kind() == ErrorKind::InvalidData => {
                    Fault::of(StoreErrorKind::Unavailable)
                }
                // The connection broke. What ran on it is undone by the server, but for a commit.
                E::Io(_) | E::Protocol(_) | E::WorkerCrashed => Fault::passing(),
                E::PoolTimedOut | E::PoolClosed | E::Tls(_) => {
                    Fault::of(StoreErrorKind::Unavailable)
                }
                E::ColumnDecode { .. } | E::Decode(_) => Fault::of(StoreErrorKind::Corrupt),
                _ => Fault::of(StoreErrorKind::Internal),
            },
        }
    }

    pub(super) fn into_store_error<B: Backend>(self, operation: &'static str) -> StoreError {
        let Fault { kind, hint, .. } = self.fault::<B>();
        let error = StoreError::new(kind, operation);
        match (self, hint) {
            // MariaDB quotes what is there already, which may be somebody's address: nothing for a log.
            (Self::Sql(_), _) if kind == StoreErrorKind::Conflict => error,
            (Self::Refused(_, None), _) => error,
            (Self::Refused(_, Some(source)), _) => error.because(source),
            (Self::Late(span), _) => error.because(TooLate(span)),
            (Self::Sql(source), Some(hint)) => error.because(Hinted { hint, source }),
            (Self::Sql(source), None) => error.because(source),
        }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<CorruptValue> for Failure {
    fn from(error: CorruptValue) -> Self {
        Self::Refused(StoreErrorKind::Corrupt, Some(Box::new(error)))
    }
}

impl From<TooLong> for Failure {
    fn from(error: TooLong) -> Self {
        Self::Refused(StoreErrorKind::Internal, Some(Box::new(error)))
    }
}

/// Nothing was said in time.
#[derive(Debug)]
struct TooLate(Duration);

impl fmt::Display for TooLate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no answer from the database within {:?}", self.0)
    }
}

impl Error for TooLate {}

/// An error and what to do about it.
#[derive(Debug)]
struct Hinted {
    hint: &'static str,
    source: sqlx::Error,
}

impl fmt::Display for Hinted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.hint, self.source)
    }
}

impl Error for Hinted {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}
