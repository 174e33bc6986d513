//! The answer of a check.

/// The answer of a check: granted with what was found out, or denied with the reason.
///
/// "Could not decide" is neither: it is the `Err` around a verdict. A database that is down must never look like
/// a bad key, nor a bad key like a database that is down.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a verdict that nobody looks at protects nothing"]
pub enum Verdict<T, D> {
    /// Yes, and this is who it is.
    Granted(T),
    /// No, for this reason.
    Denied(D),
}

impl<T, D> Verdict<T, D> {
    /// What was granted, or the reason why not as an error.
    ///
    /// # Errors
    /// The reason of the denial.
    pub fn into_result(self) -> Result<T, D> {
        match self {
            Self::Granted(granted) => Ok(granted),
            Self::Denied(reason) => Err(reason),
        }
    }

    /// The same verdict about something made of what was granted.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Verdict<U, D> {
        match self {
            Self::Granted(granted) => Verdict::Granted(make(granted)),
            Self::Denied(reason) => Verdict::Denied(reason),
        }
    }

    /// Whether it was granted.
    #[must_use]
    pub const fn is_granted(&self) -> bool {
        matches!(self, Self::Granted(_))
    }
}
