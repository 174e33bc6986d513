//! Why a command ended early.

use std::fmt;
use std::process::ExitCode;

/// What a fallible function of this crate gives back.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// Why a command ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something is wrong; the text is for the user.
    Broken(String),
    /// The user, or whoever runs this, asked for an end with this signal.
    Interrupted(u8),
}

impl Failure {
    /// A failure with a text for the user.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self::Broken(text.into())
    }

    /// The exit code a shell would give for the same end.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Broken(_) => ExitCode::FAILURE,
            Self::Interrupted(signal) => ExitCode::from(128_u8.saturating_add(*signal)),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(text) => f.write_str(text),
            Self::Interrupted(signal) => write!(f, "stopped by signal {signal}"),
        }
    }
}

/// Puts what was being attempted in front of an I/O error.
pub(crate) trait Attempt<T> {
    /// Turns the error into a [`Failure`] that begins with `what`.
    fn attempt(self, what: impl FnOnce() -> String) -> Outcome<T>;
}

impl<T, E: fmt::Display> Attempt<T> for Result<T, E> {
    fn attempt(self, what: impl FnOnce() -> String) -> Outcome<T> {
        self.map_err(|error| Failure::Broken(format!("{}: {error}", what())))
    }
}
