//! What a guard asks of a key, and why a key is refused.
//!
//! `expression.rs` is the algebra over scopes, `text.rs` its one written form, `denial.rs` what a key that does not pass is
//! told.

mod denial;
mod expression;
mod text;

use std::fmt;
use std::str::FromStr;

pub use denial::KeyDenial;
use expression::{Expression, Fault};
pub use text::InvalidRequirement;

use super::cache::KnownKey;
use crate::key::{Environment, InvalidScope, Scope, ScopeSet};

/// What a key must be to pass: which scopes it must hold or must not, and of which environment it must be.
///
/// It is parsed when it is made, so that a typo fails at start and not at the first request:
///
/// ```
/// use sakms_core::service::Requirement;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let built = Requirement::any_of(["reports:read", "reports:audit"])?.not("admin:all")?;
/// let parsed: Requirement = "(reports:read or reports:audit) and not admin:all".parse()?;
/// assert_eq!(built, parsed);
/// assert!("reports:read and".parse::<Requirement>().is_err());
/// # Ok(())
/// # }
/// ```
///
/// # As text
/// Scopes, the words `and`, `or` and `not`, and parentheses; `not` binds tightest, then `and`, then `or`. The word `any`, alone,
/// is any key. At most 1 KiB, 64 scopes and 16 levels. `Display` gives a text that parses back to the same.
///
/// # What it means
/// `a:b` is met by a key that holds a scope which grants `a:b`: `a:b` itself, `a:*` or `*`. `not a:b` is met by a key that holds
/// no such scope. So `not a:*` is met by a key that holds `a:b`, for that one does not grant all of `a`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Requirement {
    scopes: Expression,
    environment: Environments,
}

/// Of which environment a key must be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Environments {
    /// Nothing was said. A guard takes it for the service's first one.
    #[default]
    Unsaid,
    Any,
    Only(Environment),
}

impl Requirement {
    /// The longest text in bytes.
    pub const MAX_BYTES: usize = 1024;
    /// The most scopes in a text.
    pub const MAX_TERMS: usize = 64;
    /// How many levels of parentheses and `not` a text may have.
    pub const MAX_DEPTH: usize = 16;

    /// Any key that stands.
    pub const fn any_key() -> Self {
        Self {
            scopes: Expression::Any,
            environment: Environments::Unsaid,
        }
    }

    /// A key that holds all of these scopes.
    ///
    /// # Errors
    /// [`InvalidRequirement`] when one is no scope, or there is none or more than [`Requirement::MAX_TERMS`].
    pub fn all_of<'a>(
        scopes: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, InvalidRequirement> {
        Ok(Expression::all(parsed(scopes)?).into())
    }

    /// A key that holds one of these scopes at least.
    ///
    /// # Errors
    /// As for [`Requirement::all_of`].
    pub fn any_of<'a>(
        scopes: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, InvalidRequirement> {
        Ok(Expression::any_of(parsed(scopes)?).into())
    }

    /// A key that holds all of these scopes; any key, when there is none.
    pub(in crate::service) fn holding(scopes: &ScopeSet) -> Self {
        if scopes.is_empty() {
            return Self::any_key();
        }
        Expression::all(scopes.iter().cloned().map(Expression::Scope)).into()
    }

    /// It must hold this scope as well.
    ///
    /// # Errors
    /// [`InvalidScope`] when the text is no scope: at start, not at the first request.
    pub fn scope(self, scope: &str) -> Result<Self, InvalidScope> {
        let scope = Expression::Scope(scope.parse()?);
        Ok(self.and(scope.into()))
    }

    /// And it must hold no scope that grants this one.
    ///
    /// # Errors
    /// As for [`Requirement::scope`].
    pub fn not(self, scope: &str) -> Result<Self, InvalidScope> {
        let scope = Expression::Scope(scope.parse()?);
        Ok(self.and(Expression::not(scope).into()))
    }

    /// Both must be met. The environment is the first one's, unless that says nothing of it.
    pub fn and(self, other: Self) -> Self {
        Self {
            scopes: Expression::all([self.scopes, other.scopes]),
            environment: self.environment.or(other.environment),
        }
    }

    /// One of the two must be met, whichever. The environment is the first one's, unless that says nothing of it.
    pub fn or(self, other: Self) -> Self {
        Self {
            scopes: Expression::any_of([self.scopes, other.scopes]),
            environment: self.environment.or(other.environment),
        }
    }

    /// It must be of this environment.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = Environments::Only(environment);
        self
    }

    /// It may be of any environment: what a guard takes for meant only when it is said.
    pub fn any_environment(mut self) -> Self {
        self.environment = Environments::Any;
        self
    }

    /// The same for a guard of a service whose first environment is this one.
    #[cfg(feature = "http")]
    pub(crate) fn guarding(mut self, first: &Environment) -> Self {
        self.environment = self.environment.or(Environments::Only(first.clone()));
        self
    }

    /// Why a key that stands does not pass, if it does not.
    pub(super) fn unmet_by(&self, known: &KnownKey) -> Option<KeyDenial> {
        self.unmet(&known.policy.environment, &known.policy.scopes)
    }

    fn unmet(&self, environment: &Environment, held: &ScopeSet) -> Option<KeyDenial> {
        let wrong = self.wrong_environment(environment);
        wrong.or_else(|| self.unmet_scope(held))
    }

    pub(super) fn wrong_environment(&self, environment: &Environment) -> Option<KeyDenial> {
        match &self.environment {
            Environments::Only(wanted) if wanted != environment => {
                Some(KeyDenial::WrongEnvironment)
            }
            _ => None,
        }
    }

    pub(super) fn unmet_scope(&self, held: &ScopeSet) -> Option<KeyDenial> {
        self.scopes.fault(held).map(|fault| match fault {
            Fault::Missing(scope) => KeyDenial::MissingScope(scope.clone()),
            Fault::Held(scope) => KeyDenial::ForbiddenScope(scope.clone()),
        })
    }
}

impl Environments {
    fn or(self, other: Self) -> Self {
        match self {
            Self::Unsaid => other,
            said => said,
        }
    }
}

impl From<Expression> for Requirement {
    fn from(scopes: Expression) -> Self {
        Self {
            scopes,
            environment: Environments::Unsaid,
        }
    }
}

impl From<&Scope> for Requirement {
    /// A key that holds this scope.
    fn from(scope: &Scope) -> Self {
        Expression::Scope(scope.clone()).into()
    }
}

impl fmt::Display for Requirement {
    /// What is asked of the scopes. The environment does not show.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.scopes.fmt(f)
    }
}

impl FromStr for Requirement {
    type Err = InvalidRequirement;

    fn from_str(text: &str) -> Result<Self, InvalidRequirement> {
        text::parse(text).map(Self::from)
    }
}

fn parsed<'a>(
    scopes: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<Expression>, InvalidRequirement> {
    let scopes = scopes.into_iter().map(str::parse::<Scope>);
    let terms: Vec<_> = scopes
        .map(|scope| scope.map(Expression::Scope))
        .collect::<Result<_, _>>()?;
    match terms.len() {
        0 => Err(InvalidRequirement::Empty),
        1..=Requirement::MAX_TERMS => Ok(terms),
        _ => Err(InvalidRequirement::TooManyTerms),
    }
}

#[cfg(test)]
mod tests;
