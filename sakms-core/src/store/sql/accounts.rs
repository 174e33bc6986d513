//! Accounts.

use async_trait::async_trait;

use super::SqlStore;
use super::backend::{Backend, Lane, Session};
use super::fault::Failure;
use super::records;
use super::retry::Change;
use super::texts;
use crate::account::{AccountRecord, CanonicalEmail};
use crate::id::AccountId;
use crate::journal::JournalEntry;
use crate::key::Revision;
use crate::secret::StoredHash;
use crate::store::{AccountStore, StoreError, StoreErrorKind};

#[async_trait]
impl<B: Backend> AccountStore for SqlStore<B> {
    async fn insert_account(
        &self,
        account: &AccountRecord,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        self.change("insert_account", entry, AddAccount(account))
            .await
    }

    async fn account_by_email(
        &self,
        email: &CanonicalEmail,
    ) -> Result<Option<AccountRecord>, StoreError> {
        const OPERATION: &str = "account_by_email";
        let email = [records::email(email)
            .map_err(|error| Failure::from(error).into_store_error::<B>(OPERATION))?];
        let (text, read) = (texts::ACCOUNT_BY_EMAIL, records::read_account);
        self.row(OPERATION, Lane::Manage, text, &email, read).await
    }

    async fn account(&self, id: AccountId) -> Result<Option<AccountRecord>, StoreError> {
        let id = [id.as_bytes().into()];
        let (text, read) = (texts::ACCOUNT, records::read_account);
        self.row("account", Lane::Manage, text, &id, read).await
    }

    async fn set_password(
        &self,
        id: AccountId,
        expected: Revision,
        hash: &StoredHash,
        entry: &JournalEntry,
    ) -> Result<AccountRecord, StoreError> {
        let change = ChangePassword { id, expected, hash };
        self.change("set_password", entry, change).await
    }

    async fn replace_password_hash(
        &self,
        id: AccountId,
        expected: &StoredHash,
        new: &StoredHash,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let change = ReplaceHash { id, expected, new };
        self.change("replace_password_hash", entry, change).await
    }
}

struct AddAccount<'a>(&'a AccountRecord);

impl<S: Session> Change<S> for AddAccount<'_> {
    type Output = ();

    async fn apply(&self, session: &mut S) -> Result<(), Failure> {
        let values = records::write_account(self.0)?;
        session.execute(texts::ADD_ACCOUNT, &values).await?;
        Ok(())
    }
}

struct ChangePassword<'a> {
    id: AccountId,
    expected: Revision,
    hash: &'a StoredHash,
}

impl<S: Session> Change<S> for ChangePassword<'_> {
    type Output = AccountRecord;

    async fn apply(&self, session: &mut S) -> Result<AccountRecord, Failure> {
        let id = self.id.as_bytes();
        let row = session.fetch(texts::ACCOUNT, &[id.into()]).await?.pop();
        let row = row.ok_or(Failure::is(StoreErrorKind::NotFound))?;
        let mut account = records::read_account(row)?;
        if account.revision != self.expected {
            return Err(Failure::is(StoreErrorKind::Stale));
        }
        account.password_hash = self.hash.clone();
        account.revision = account.revision.next();
        let values = [
            records::hash(self.hash)?,
            account.revision.get().into(),
            id.into(),
            self.expected.get().into(),
        ];
        match session.execute(texts::CHANGE_PASSWORD, &values).await? {
            0 => Err(Failure::is(StoreErrorKind::Stale)),
            _ => Ok(account),
        }
    }
}

struct ReplaceHash<'a> {
    id: AccountId,
    expected: &'a StoredHash,
    new: &'a StoredHash,
}

impl<S: Session> Change<S> for ReplaceHash<'_> {
    type Output = ();

    async fn apply(&self, session: &mut S) -> Result<(), Failure> {
        let id = self.id.as_bytes();
        let row = session.fetch(texts::ACCOUNT, &[id.into()]).await?.pop();
        let row = row.ok_or(Failure::is(StoreErrorKind::NotFound))?;
        if records::read_account(row)?.password_hash != *self.expected {
            return Err(Failure::is(StoreErrorKind::Stale));
        }
        let (new, old) = (records::hash(self.new)?, records::hash(self.expected)?);
        match session
            .execute(texts::CHANGE_PASSWORD_HASH, &[new, id.into(), old])
            .await?
        {
            0 => Err(Failure::is(StoreErrorKind::Stale)),
            _ => Ok(()),
        }
    }
}
