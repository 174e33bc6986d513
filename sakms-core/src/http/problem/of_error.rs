//! What each error of a use case is to a client.

use std::error::Error as _;

use super::Problem;
use crate::hash::HashError;
use crate::service::Error;
use crate::store::StoreErrorKind;

impl From<Error> for Problem {
    /// What a client is told. The cause is logged here, once, and nowhere else.
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(errors) => Self::invalid(errors),
            // What is not offered is not there.
            Error::NotFound | Error::NotOffered => Self::not_found(),
            Error::EmailTaken => Self::email_taken(),
            Error::MissingScope(scope) => Self::scope_missing(&scope),
            Error::BeyondCaller(what) => Self::beyond_caller(what),
            Error::AdminOnly => Self::admin_only(),
            Error::KeyOnly => Self::key_only(),
            Error::TokenOnly => Self::token_only(),
            Error::NoSession => Self::no_session(),
            Error::TooManyKeys => Self::too_many_keys(),
            Error::TooManyRoles => Self::too_many_roles(),
            Error::KeyIsRevoked => Self::key_is_revoked(),
            Error::KeyIsExpired => Self::key_is_expired(),
            Error::RotationInProgress => Self::rotation_in_progress(),
            Error::NoRotation => Self::no_rotation(),
            Error::IdempotencyKeyReused => Self::idempotency_key_reused(),
            Error::OwnAccount => Self::own_account(),
            Error::Throttled { retry_after } => Self::throttled(retry_after),
            Error::Contended => Self::contended(),
            Error::Overloaded | Error::Hash(HashError::Overloaded) => Self::overloaded(),
            Error::Store(ref store) => {
                log(&error);
                match store.kind() {
                    StoreErrorKind::OutcomeUnknown => Self::outcome_unknown(),
                    StoreErrorKind::Unavailable => Self::unavailable(),
                    StoreErrorKind::ReadOnly => Self::read_only(),
                    _ => Self::internal(),
                }
            }
            Error::Token(_) => {
                log(&error);
                Self::tokens_unavailable()
            }
            Error::Unfinished | Error::Hash(_) | Error::Entropy(_) => {
                log(&error);
                Self::internal()
            }
        }
    }
}

fn log(error: &Error) {
    let mut causes = String::new();
    let mut cause = error.source();
    while let Some(inner) = cause {
        causes.push_str(": ");
        causes.push_str(&inner.to_string());
        cause = inner.source();
    }
    // `escape_debug` keeps a line a line, whatever a database puts into its messages.
    tracing::error!(error = %format!("{error}{causes}").escape_debug(), "the request could not be served");
}
