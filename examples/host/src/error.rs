//! What the application's own routes answer when it did not go well.

use std::fmt;

use serde_json::{Value, json};

/// Why a request was refused, or could not be served.
#[derive(Debug)]
pub enum Error {
    /// The body is not what was expected.
    NotJson,
    /// The name or the password of a new user will not do.
    Unfit,
    /// Another user has the name.
    Taken,
    /// No user has this name and this password.
    Unknown,
    /// The request needs a session and is of none.
    SignedOut,
    /// A browser sent it for another site.
    Elsewhere,
    /// The application could not do it. What went wrong is for the log.
    Broken(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// The status and the JSON to answer. Tells the log what is for nobody else.
    #[must_use]
    pub fn answer(&self) -> (u16, Value) {
        let status = match self {
            Self::NotJson => 400,
            Self::Unknown | Self::SignedOut => 401,
            Self::Elsewhere => 403,
            Self::Taken => 409,
            Self::Unfit => 422,
            Self::Broken(error) => {
                let error: &(dyn std::error::Error + 'static) = error.as_ref();
                tracing::error!(error, "a request failed");
                503
            }
        };
        (status, json!({"error": self.to_string()}))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotJson => "expected a JSON object of a name and a password",
            Self::Unfit => "a name has 1 to 64 bytes, a password 15 to 1024",
            Self::Taken => "the name is taken",
            Self::Unknown => "unknown name or wrong password",
            Self::SignedOut => "nobody is signed in",
            Self::Elsewhere => "another site sent this",
            Self::Broken(_) => "not possible at the moment",
        })
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        Self::Broken(Box::new(error))
    }
}
