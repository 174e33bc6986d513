//! Accounts.

use async_trait::async_trait;

use super::SqlStore;
use super::backend::{Backend, Lane, Session};
use super::fault::Failure;
use super::records;
use super::retry::Change;
use super::texts;
use super::work::last_before;
use crate::account::{AccountQuery, AccountRecord, AccountRole, CanonicalEmail};
use crate::id::AccountId;
use crate::journal::JournalEntry;
use crate::key::{KeyQuery, Page, Revision};
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
        let email = [Self::values(OPERATION, records::email(email))?];
        let (text, read) = (texts::ACCOUNT_BY_EMAIL, records::read_account);
        self.row(OPERATION, Lane::Manage, text, &email, read).await
    }

    async fn account(&self, id: AccountId) -> Result<Option<AccountRecord>, StoreError> {
        let id = [id.as_bytes().into()];
        let (text, read) = (texts::ACCOUNT, records::read_account);
        self.row("account", Lane::Manage, text, &id, read).await
    }

    async fn accounts(&self, query: &AccountQuery) -> Result<Page<AccountRecord>, StoreError> {
        let Some(last) = last_before(query.before.as_ref().map(AccountId::as_bytes)) else {
            return Ok(Page::new(Vec::new(), false));
        };
        let limit = query.limit.min(KeyQuery::MAX_LIMIT);
        let values = [(&last).into(), (limit + 1).into()];
        let (text, read) = (texts::ACCOUNTS, records::read_account);
        let accounts = self.rows("accounts", Lane::Manage, text, &values, read);
        Ok(Page::from_one_more(accounts.await?, limit))
    }

    async fn set_account_role(
        &self,
        id: AccountId,
        role: AccountRole,
        held: bool,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let change = ChangeRole { id, role, held };
        self.change("set_account_role", entry, change).await
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
        for role in &self.0.roles {
            let values = records::write_account_role(self.0.id, *role);
            session.execute(texts::GIVE_ROLE, &values).await?;
        }
        Ok(())
    }
}

struct ChangeRole {
    id: AccountId,
    role: AccountRole,
    held: bool,
}

impl<S: Session> Change<S> for ChangeRole {
    type Output = ();

    async fn apply(&self, session: &mut S) -> Result<(), Failure> {
        let id = [self.id.as_bytes().into()];
        // Accounts are never taken away: one that is there stays.
        if session.fetch(texts::ACCOUNT, &id).await?.is_empty() {
            return Err(Failure::is(StoreErrorKind::NotFound));
        }
        let values = records::write_account_role(self.id, self.role);
        let text = if self.held {
            texts::GIVE_ROLE
        } else {
            texts::TAKE_ROLE
        };
        session.execute(text, &values).await?;
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
