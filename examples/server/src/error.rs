//! Why the server did not start or stop well: one line, for a person.

use std::error::Error;
use std::fmt::Write as _;

/// A line that says what went wrong.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    /// What went wrong, with the error and its causes behind it.
    pub(crate) fn new(what: &str, error: &dyn Error) -> Self {
        let mut line = format!("{what}: {error}");
        let mut cause = error.source();
        while let Some(inner) = cause {
            let text = inner.to_string();
            // Some libraries repeat the cause in the error's own text.
            if !line.contains(&text) {
                let _ = write!(line, ": {text}");
            }
            cause = inner.source();
        }
        Self(line)
    }

    /// What went wrong, when there is no error behind it.
    pub(crate) fn plain(what: impl Into<String>) -> Self {
        Self(what.into())
    }

    #[expect(
        clippy::print_stderr,
        reason = "the log may not have been started, and this is for whoever typed the command"
    )]
    pub(crate) fn print(&self) {
        eprintln!("error: {}", self.0.replace(['\n', '\r'], " "));
    }
}
