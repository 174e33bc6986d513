//! Accounts, as admins see them: who there is, what they may do, and whether they are shut out.

use crate::account::{AccountQuery, AccountRecord, AccountRole, Email};
use crate::clock::Timestamp;
use crate::id::AccountId;
use crate::journal::{Action, Actor, Subject};
use crate::key::{KeyQuery, Owner};
use crate::service::caller::Caller;
use crate::service::cursor::Cursor;
use crate::service::error::Error;
use crate::service::sessions::StrikeSessions;
use crate::service::{Inner, Sakms};
use crate::store::AccountStore;

/// An account in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedAccount {
    /// The account.
    pub account: AccountRecord,
    /// Since when it is disabled, with everything it holds.
    pub disabled_at: Option<Timestamp>,
}

/// A part of the list of accounts, the newest first.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AccountList {
    /// The accounts.
    pub accounts: Vec<ListedAccount>,
    /// Where the list goes on, when it does.
    pub next: Option<Cursor>,
}

impl Sakms {
    /// A page of the accounts, the newest first. For admins.
    ///
    /// # Errors
    /// [`Error::AdminOnly`]; [`Error::NotOffered`] when this service has no accounts; [`Error::Invalid`] for a limit outside
    /// 1 to 100 or a cursor this service did not make for this admin's list; [`Error::Store`] when it could not be read.
    #[tracing::instrument(name = "sakms.account.list", skip_all)]
    pub async fn accounts(
        &self,
        caller: &Caller,
        limit: Option<u32>,
        cursor: Option<&Cursor>,
    ) -> Result<AccountList, Error> {
        caller.require_admin()?;
        let mut query = AccountQuery::default();
        if let Some(limit) = limit {
            if !(1..=KeyQuery::MAX_LIMIT).contains(&limit) {
                return Err(Error::field("limit", "must be between 1 and 100"));
            }
            query.limit = limit;
        }
        let places = &self.inner.places;
        let asked = ["accounts", caller.owner_name().as_str()];
        if let Some(cursor) = cursor {
            query.before = Some(AccountId::from_bytes(places.open(&asked, cursor)?));
        }
        let page = self.account_store()?.accounts(&query).await?;
        let last = page.items.last().filter(|_| page.more);
        let next = last.map(|last| places.seal(&asked, *last.id.as_bytes()));
        let mut accounts = Vec::with_capacity(page.items.len());
        for account in page.items {
            accounts.push(self.listed(account).await?);
        }
        Ok(AccountList { accounts, next })
    }

    /// Disables an account: nobody signs in with it, and none of its tokens and keys is good for anything. One that is
    /// disabled already stays as it is. For admins, of others.
    ///
    /// When this returns `Ok`, it is stored and in force on this node.
    ///
    /// # Errors
    /// [`Error::AdminOnly`]; [`Error::OwnAccount`] when it is the admin's own; [`Error::NotFound`] when there is no such
    /// account; [`Error::Store`] when it could not be stored.
    #[tracing::instrument(name = "sakms.account.disable", skip_all, fields(account = %id))]
    pub async fn disable_account(
        &self,
        caller: &Caller,
        id: AccountId,
    ) -> Result<ListedAccount, Error> {
        caller.require_admin()?;
        let owner = Owner::from(id);
        // Whoever shuts out themself might be the last who could let anybody in.
        if *caller.owner_name() == owner {
            return Err(Error::OwnAccount);
        }
        let found = self.account_to_change(id).await?;
        if found.disabled_at.is_some() {
            return Ok(found);
        }
        self.disable_owner(&owner, caller.actor()).await?;
        self.listed(found.account).await
    }

    /// Enables an account again, with everything it holds. For admins.
    ///
    /// # Errors
    /// As for [`Sakms::disable_account`].
    #[tracing::instrument(name = "sakms.account.enable", skip_all, fields(account = %id))]
    pub async fn enable_account(
        &self,
        caller: &Caller,
        id: AccountId,
    ) -> Result<ListedAccount, Error> {
        caller.require_admin()?;
        let found = self.account_to_change(id).await?;
        if found.disabled_at.is_none() {
            return Ok(found);
        }
        self.enable_owner(&Owner::from(id), caller.actor()).await?;
        self.listed(found.account).await
    }

    /// Gives the account with this address a role, or takes it away with `held` false. It is in force with the next
    /// request on this node, and on others when they have read the journal. For whoever runs the service: nobody is asked whether they may.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an address that is none; [`Error::NotFound`] when no account has it; [`Error::NotOffered`] when
    /// this service has no accounts; [`Error::Store`] when it could not be stored.
    #[tracing::instrument(name = "sakms.account.set_role", skip_all)]
    pub async fn set_account_role(
        &self,
        email: &str,
        role: AccountRole,
        held: bool,
        actor: Actor,
    ) -> Result<AccountId, Error> {
        let email = Email::parse(email).map_err(|error| Error::field("email", error))?;
        let accounts = self.account_store()?;
        let found = accounts.account_by_email(email.canonical()).await?;
        let id = found.ok_or(Error::NotFound)?.id;
        let action = if held {
            Action::ACCOUNT_GRANT
        } else {
            Action::ACCOUNT_UNGRANT
        };
        let entry = self.entry(actor, action, Subject::account(id))?;
        let entry = entry.with_detail(format!("role={}", role.as_str()));
        let _strike = StrikeSessions::of(&self.inner.standings, id);
        accounts.set_account_role(id, role, held, &entry).await?;
        Ok(id)
    }

    async fn account_to_change(&self, id: AccountId) -> Result<ListedAccount, Error> {
        let found = self.account_store()?.account(id).await?;
        self.listed(found.ok_or(Error::NotFound)?).await
    }

    async fn listed(&self, account: AccountRecord) -> Result<ListedAccount, Error> {
        let owner = Owner::from(account.id);
        let disabled_at = self.inner.keys.owner_disabled_at(&owner).await?;
        Ok(ListedAccount {
            account,
            disabled_at,
        })
    }

    fn account_store(&self) -> Result<&dyn AccountStore, Error> {
        let Inner { accounts, .. } = &*self.inner;
        accounts.as_deref().ok_or(Error::NotOffered)
    }
}
