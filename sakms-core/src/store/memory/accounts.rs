//! Accounts.

use std::ops::Bound;

use async_trait::async_trait;

use super::MemoryStore;
use super::operation::Operation;
use crate::account::{AccountQuery, AccountRecord, AccountRole, CanonicalEmail};
use crate::id::AccountId;
use crate::journal::JournalEntry;
use crate::key::{Page, Revision};
use crate::secret::StoredHash;
use crate::store::{AccountStore, StoreError, StoreErrorKind};

#[async_trait]
impl AccountStore for MemoryStore {
    async fn insert_account(
        &self,
        account: &AccountRecord,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let operation = Operation("insert_account");
        let mut state = self.lock();
        operation.vacant(state.accounts.contains_key(&account.id))?;
        operation.vacant(state.account_of.contains_key(&account.canonical_email))?;
        operation.vacant(state.entries.contains(&entry.id))?;
        state.append(entry);
        state
            .account_of
            .insert(account.canonical_email.clone(), account.id);
        state.accounts.insert(account.id, account.clone());
        Ok(())
    }

    async fn account_by_email(
        &self,
        email: &CanonicalEmail,
    ) -> Result<Option<AccountRecord>, StoreError> {
        let state = self.lock();
        let id = state.account_of.get(email);
        Ok(id.and_then(|id| state.accounts.get(id)).cloned())
    }

    async fn account(&self, id: AccountId) -> Result<Option<AccountRecord>, StoreError> {
        Ok(self.lock().accounts.get(&id).cloned())
    }

    async fn accounts(&self, query: &AccountQuery) -> Result<Page<AccountRecord>, StoreError> {
        let state = self.lock();
        let wanted =
            usize::try_from(query.limit).map_or(usize::MAX, |limit| limit.saturating_add(1));
        let older = (
            Bound::Unbounded,
            query.before.map_or(Bound::Unbounded, Bound::Excluded),
        );
        let accounts = state.accounts.range(older).rev();
        let items = accounts.map(|(_, account)| account.clone()).take(wanted);
        Ok(Page::from_one_more(items.collect(), query.limit))
    }

    async fn set_account_role(
        &self,
        id: AccountId,
        role: AccountRole,
        held: bool,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let operation = Operation("set_account_role");
        let state = &mut *self.lock();
        let account = state.accounts.get_mut(&id);
        let account = account.ok_or_else(|| operation.fails(StoreErrorKind::NotFound))?;
        operation.vacant(state.entries.contains(&entry.id))?;
        account.roles.retain(|other| *other != role);
        if held {
            account.roles.push(role);
            account.roles.sort_unstable();
        }
        state.append(entry);
        Ok(())
    }

    async fn set_password(
        &self,
        id: AccountId,
        expected: Revision,
        hash: &StoredHash,
        entry: &JournalEntry,
    ) -> Result<AccountRecord, StoreError> {
        let operation = Operation("set_password");
        let state = &mut *self.lock();
        let account = state.accounts.get_mut(&id);
        let account = account.ok_or_else(|| operation.fails(StoreErrorKind::NotFound))?;
        operation.fresh(account.revision, expected)?;
        operation.vacant(state.entries.contains(&entry.id))?;
        account.password_hash = hash.clone();
        account.revision = account.revision.next();
        let record = account.clone();
        state.append(entry);
        Ok(record)
    }

    async fn replace_password_hash(
        &self,
        id: AccountId,
        expected: &StoredHash,
        new: &StoredHash,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let operation = Operation("replace_password_hash");
        let state = &mut *self.lock();
        let account = state.accounts.get_mut(&id);
        let account = account.ok_or_else(|| operation.fails(StoreErrorKind::NotFound))?;
        operation.unchanged(&account.password_hash, expected)?;
        operation.vacant(state.entries.contains(&entry.id))?;
        account.password_hash = new.clone();
        state.append(entry);
        Ok(())
    }
}
