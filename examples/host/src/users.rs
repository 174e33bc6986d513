//! Users, in a table of the application's own.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use sakms_core::entropy::OsEntropy;
use sakms_core::hash::{HashError, HashPool, HashPoolConfig, Share};
use sakms_core::secret::{Password, StoredHash};
use serde::Deserialize;
use sqlx::sqlite::SqlitePool;

use crate::error::Error;

/// A user. As text, `user:42`, it is the owner of their keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserId(i64);

impl UserId {
    pub(crate) const fn number(self) -> i64 {
        self.0
    }
}

impl FromStr for UserId {
    type Err = NotAUser;

    fn from_str(owner: &str) -> Result<Self, NotAUser> {
        let number = owner.strip_prefix("user:").ok_or(NotAUser)?;
        number.parse().map(Self).map_err(|_| NotAUser)
    }
}

/// A key's owner is not one that the application gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAUser;

impl fmt::Display for NotAUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the owner is no user of this application")
    }
}

impl std::error::Error for NotAUser {}

impl From<i64> for UserId {
    fn from(number: i64) -> Self {
        Self(number)
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "user:{}", self.0)
    }
}

/// What people sign up and in with. JSON alone: no form of another site can send it.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    name: String,
    #[schema(value_type = String)]
    password: Password,
}

/// Users and their sessions.
#[derive(Debug, Clone)]
pub struct Users {
    pool: SqlitePool,
    /// So many hashes at a time, so many callers waiting and no more: a flood of sign-ins does not eat the memory. SAKMS
    /// has one like it of its own.
    hashes: Arc<HashPool>,
}

impl Users {
    /// Users in this database.
    ///
    /// # Errors
    /// [`HashError`] when the hashing threads do not start.
    pub fn new(pool: SqlitePool) -> Result<Self, HashError> {
        let hashes = HashPool::new(HashPoolConfig::default(), Arc::new(OsEntropy))?;
        let hashes = Arc::new(hashes);
        Ok(Self { pool, hashes })
    }

    pub(crate) const fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// A new user.
    ///
    /// # Errors
    /// [`Error::Unfit`], [`Error::Taken`] or [`Error::Broken`].
    pub async fn sign_up(&self, new: &Credentials) -> Result<UserId, Error> {
        let password = new.password.expose().as_bytes();
        if !(1..=64).contains(&new.name.len()) || !(15..=1024).contains(&password.len()) {
            return Err(Error::Unfit);
        }
        let hash = self.hashes.hash(Share::Passwords, password).await?;
        let text = "INSERT INTO users (name, password_hash) VALUES (?, ?) \
             ON CONFLICT DO NOTHING RETURNING id";
        let query = sqlx::query_scalar(text).bind(&new.name).bind(hash.as_str());
        let number: Option<i64> = query.fetch_optional(&self.pool).await?;
        number.map(UserId).ok_or(Error::Taken)
    }

    /// A new session: whose it is, and its token. An unknown name costs the same work as a wrong password.
    ///
    /// # Errors
    /// [`Error::Unknown`] or [`Error::Broken`].
    pub async fn sign_in(&self, given: &Credentials) -> Result<(UserId, String), Error> {
        let password = given.password.expose().as_bytes();
        if password.len() > Password::MAX_BYTES {
            return Err(Error::Unknown);
        }
        let text = "SELECT id, password_hash FROM users WHERE name = ?";
        let query = sqlx::query_as(text).bind(&given.name);
        let found: Option<(i64, String)> = query.fetch_optional(&self.pool).await?;
        let Some((number, hash)) = found else {
            self.hashes
                .verify_absent(Share::Passwords, password)
                .await?;
            return Err(Error::Unknown);
        };
        let hash = StoredHash::new(hash);
        if !self
            .hashes
            .verify(Share::Passwords, password, &hash)
            .await?
        {
            return Err(Error::Unknown);
        }
        let user = UserId(number);
        Ok((user, self.open_session(user).await?))
    }

    /// What a user is called.
    ///
    /// # Errors
    /// [`Error::Broken`], also when there is no such user.
    pub async fn name(&self, user: UserId) -> Result<String, Error> {
        let query = sqlx::query_scalar("SELECT name FROM users WHERE id = ?").bind(user.0);
        Ok(query.fetch_one(&self.pool).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_a_user_only_when_the_application_wrote_it() {
        assert_eq!(UserId(42).to_string(), "user:42");
        assert_eq!("user:42".parse(), Ok(UserId(42)));
        for owner in ["42", "user:", "user:x", "team:42"] {
            assert_eq!(owner.parse::<UserId>(), Err(NotAUser), "{owner}");
        }
    }
}
