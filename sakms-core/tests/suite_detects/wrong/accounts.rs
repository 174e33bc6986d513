//! Accounts.

use sakms_core::account::{AccountRecord, AccountRole, CanonicalEmail};
use sakms_core::id::AccountId;
use sakms_core::journal::JournalEntry;
use sakms_core::store::{AccountStore as _, StoreError};

use super::Wrong;
use crate::flaw::Flaw;

impl Wrong {
    fn email(&self, email: &CanonicalEmail) -> CanonicalEmail {
        if self.has(Flaw::PadsAddresses) {
            CanonicalEmail::from_stored(email.as_str().trim_end_matches(' ').to_owned())
        } else {
            email.clone()
        }
    }

    pub(crate) async fn insert_account(
        &self,
        account: &AccountRecord,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let mut account = account.clone();
        account.canonical_email = self.email(&account.canonical_email);
        self.store.insert_account(&account, entry).await
    }

    pub(crate) async fn account_by_email(
        &self,
        email: &CanonicalEmail,
    ) -> Result<Option<AccountRecord>, StoreError> {
        let mut found = self.store.account_by_email(&self.email(email)).await?;
        if let Some(found) = &mut found
            && self.has(Flaw::ForgetsRolesInOneRead)
        {
            found.roles.clear();
        }
        Ok(found)
    }

    pub(crate) async fn set_account_role(
        &self,
        id: AccountId,
        role: AccountRole,
        held: bool,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let outcome = self.store.set_account_role(id, role, held, entry).await;
        self.unless_nothing_was_there(outcome)
    }
}
