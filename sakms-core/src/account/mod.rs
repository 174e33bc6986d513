//! People who sign in, for hosts that have no users of their own.

pub mod email;
pub mod password;

pub use email::{CanonicalEmail, Email, InvalidEmail};
pub use password::{PasswordPolicy, WeakPassword};

use crate::clock::Timestamp;
use crate::id::AccountId;
use crate::key::Revision;
use crate::secret::StoredHash;

/// A person who signs in with an e-mail address and a password.
///
/// Whether they are disabled is not here: an account owns its keys under its id, and it is the owner that is
/// disabled ([`KeyStore::owner_disabled_at`](crate::store::KeyStore::owner_disabled_at)), so that one fact stops
/// the sign-in, the tokens and the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountRecord {
    /// The account's name for ever.
    pub id: AccountId,
    /// The address as it was given, for writing to.
    pub email: String,
    /// The address by which the account is found. No two accounts have the same.
    pub canonical_email: CanonicalEmail,
    /// The proof of the password.
    pub password_hash: StoredHash,
    /// When it was made.
    pub created_at: Timestamp,
    /// Which version of the record this is.
    pub revision: Revision,
}

impl AccountRecord {
    /// A new account.
    #[must_use]
    pub fn new(
        id: AccountId,
        email: &Email,
        password_hash: StoredHash,
        created_at: Timestamp,
    ) -> Self {
        Self {
            id,
            email: email.as_given().to_owned(),
            canonical_email: email.canonical().clone(),
            password_hash,
            created_at,
            revision: Revision::FIRST,
        }
    }

    /// An account with all its parts, for a store that reads one back.
    #[must_use]
    pub const fn from_parts(
        id: AccountId,
        email: String,
        canonical_email: CanonicalEmail,
        password_hash: StoredHash,
        created_at: Timestamp,
        revision: Revision,
    ) -> Self {
        Self {
            id,
            email,
            canonical_email,
            password_hash,
            created_at,
            revision,
        }
    }
}
