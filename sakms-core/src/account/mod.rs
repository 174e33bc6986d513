//! People who sign in, for hosts that have no users of their own.

pub mod email;
pub mod password;

pub use email::{CanonicalEmail, Email, InvalidEmail};
pub use password::{PasswordPolicy, WeakPassword};

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::AccountId;
use crate::key::{InvalidField, KeyQuery, Revision};
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
    /// What it may do besides managing its own keys, in order.
    pub roles: Vec<AccountRole>,
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
            roles: Vec::new(),
            created_at,
            revision: Revision::FIRST,
        }
    }

    /// An account with all its parts but its roles, for a store that reads one back.
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
            roles: Vec::new(),
            created_at,
            revision,
        }
    }

    /// Whether it may see and change what is everybody's.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.roles.contains(&AccountRole::Admin)
    }
}

/// What an account may do besides managing its own keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::AccountRole))]
#[non_exhaustive]
pub enum AccountRole {
    /// See and change every owner's keys, define roles, list accounts and switch them off.
    Admin,
}

impl AccountRole {
    /// Every role there is.
    pub const ALL: &[Self] = &[Self::Admin];

    /// Its name: `admin`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
        }
    }
}

impl FromStr for AccountRole {
    type Err = InvalidField;

    fn from_str(text: &str) -> Result<Self, InvalidField> {
        let mut all = Self::ALL.iter().copied();
        all.find(|role| role.as_str() == text)
            .ok_or(InvalidField("not a role of an account: there is `admin`"))
    }
}

/// Which accounts to list, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountQuery {
    /// Only accounts made before this one: the last of the page before.
    pub before: Option<AccountId>,
    /// How many at most; 1 to 100.
    pub limit: u32,
}

impl Default for AccountQuery {
    /// The first page.
    fn default() -> Self {
        Self {
            before: None,
            limit: KeyQuery::DEFAULT_LIMIT,
        }
    }
}
