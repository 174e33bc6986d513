//! Somebody registers, and shows that the address is theirs before there is an account.

use std::net::IpAddr;

use super::{CodeDenial, CodeUse, CodeValue, FoundCode, Letter, Parts};
use crate::account::{AccountRecord, Email};
use crate::hash::Share;
use crate::id::AccountId;
use crate::journal::{Action, Actor, Subject};
use crate::key::Owner;
use crate::mail::Purpose;
use crate::secret::{MailedCode, Password, StoredHash};
use crate::service::error::{Error, FieldError};
use crate::service::{Inner, Sakms};
use crate::store::{StateKind, StateRecord, StoreErrorKind};
use crate::verdict::Verdict;

impl Sakms {
    /// Mails a code to this address, by which the account is made ([`Sakms::confirm_registration`]). Who has an account with it is told
    /// so by mail instead.
    ///
    /// `Ok` says that this was heard, and nothing else: it is the same, after the same work, for addresses that have an account
    /// and those that have none.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an address that is none or a password that is too weak; [`Error::Throttled`] when too many
    /// registered from there; [`Error::Overloaded`] when too much mail waits; [`Error::NotOffered`] when this service sends
    /// no mail; [`Error::Store`] and [`Error::Hash`] when it could not be done.
    #[tracing::instrument(name = "sakms.account.request_registration", skip_all)]
    pub async fn request_registration(
        &self,
        email: &str,
        password: &Password,
        from: Option<IpAddr>,
    ) -> Result<(), Error> {
        let parts = self.recovery_parts()?;
        let attempt = self.inner.throttle.registration(from).await?;
        let outcome = self.request_account(parts, email, password).await;
        if let Err(Error::Invalid(_) | Error::Overloaded) = outcome {
            // Nothing was hashed for it.
            attempt.undecided();
        }
        outcome
    }

    async fn request_account(
        &self,
        parts: Parts<'_>,
        email: &str,
        password: &Password,
    ) -> Result<(), Error> {
        let Inner {
            hashes,
            passwords,
            clock,
            entropy,
            throttle,
            ..
        } = &*self.inner;
        let Parts {
            recovery, accounts, ..
        } = parts;
        let email = Email::parse(email).map_err(|error| Error::field("email", error))?;
        if let Err(weakness) = passwords.check(password, &email) {
            return Err(Error::Invalid(vec![FieldError::new("password", weakness)]));
        }
        recovery.post.has_room()?;
        let hash = hashes
            .hash(Share::Passwords, password.expose().as_bytes())
            .await?;
        if !throttle.may_mail(&email).await {
            return Ok(());
        }
        // All of it is made for everybody, and thrown away where there is an account.
        let new = self.new_code(recovery, CodeUse::Confirm)?;
        let id = AccountId::generate(clock.as_ref(), entropy.as_ref())?;
        let message = self.message(recovery, email.clone(), Purpose::ConfirmAddress)?;
        let value = CodeValue::Pending {
            account: id,
            email: email.as_given().to_owned(),
            hash,
        };
        let record = StateRecord::new(
            StateKind::Code,
            new.id,
            None,
            value.to_bytes(),
            new.now,
            new.expires_at,
        );
        let letter = match accounts.account_by_email(email.canonical()).await? {
            None => Some(Letter {
                message: message.with(new.draft(recovery.config.confirm_link.as_ref())),
                owner: None,
                keeps: Some((record, None)),
            }),
            // To the address that the account has, and not to the spelling that somebody sent.
            Some(account) => Email::parse(&account.email).ok().map(|to| Letter {
                message: message.told_instead(Purpose::AlreadyRegistered, to),
                owner: Some(Owner::from(account.id)),
                keeps: None,
            }),
        };
        recovery.post.take(letter);
        Ok(())
    }

    /// Makes the account that somebody asked for, for whoever sends back the code that was mailed to its address. Sent again while
    /// the code is good, it gives the same account: an answer may have been lost. Nobody is signed in by it.
    ///
    /// # Errors
    /// [`Error::Throttled`] when there were too many bad codes from there; [`Error::NotOffered`] when this service sends no
    /// mail; [`Error::Store`] when it could not be decided or done.
    #[tracing::instrument(name = "sakms.account.confirm", skip_all)]
    pub async fn confirm_registration(
        &self,
        code: &MailedCode,
        from: Option<IpAddr>,
    ) -> Result<Verdict<AccountId, CodeDenial>, Error> {
        let parts = self.recovery_parts()?;
        let attempt = self.inner.throttle.recovery(from).await?;
        let outcome = self.confirm_by(parts, code).await;
        match &outcome {
            Ok(Verdict::Granted(_)) => attempt.succeeded(),
            // Dropped, it counts as failed.
            Ok(Verdict::Denied(_)) => drop(attempt),
            Err(_) => attempt.undecided(),
        }
        outcome
    }

    async fn confirm_by(
        &self,
        parts: Parts<'_>,
        code: &MailedCode,
    ) -> Result<Verdict<AccountId, CodeDenial>, Error> {
        let Some(FoundCode { record, value }) =
            self.find_code(parts, CodeUse::Confirm, code).await?
        else {
            return Ok(Verdict::Denied(CodeDenial));
        };
        let (id, email, hash) = match value {
            CodeValue::Done { account } => return Ok(Verdict::Granted(account)),
            CodeValue::Reset { .. } => return Ok(Verdict::Denied(CodeDenial)),
            CodeValue::Pending {
                account,
                email,
                hash,
            } => (account, email, hash),
        };
        if !self.make_confirmed(parts, id, &email, hash).await? {
            return Ok(Verdict::Denied(CodeDenial));
        }
        // The hash is in the account now, and nowhere else. Whoever fails here leaves it there until the code ends.
        let done = CodeValue::Done { account: id }.to_bytes();
        let updated = parts.states.update_state(
            StateKind::Code,
            record.id,
            record.revision,
            &done,
            record.expires_at,
            None,
        );
        match updated.await {
            Ok(_) => {}
            // Somebody else sent the same code.
            Err(error) if error.kind() == StoreErrorKind::Stale => {}
            Err(error) => {
                tracing::warn!(%error, account = %id, "a code that was used could not be marked so");
            }
        }
        Ok(Verdict::Granted(id))
    }

    /// Makes the account; whether it is there now, made by this code. The unique index decides between many who try.
    async fn make_confirmed(
        &self,
        parts: Parts<'_>,
        id: AccountId,
        email: &str,
        hash: StoredHash,
    ) -> Result<bool, Error> {
        let email = Email::parse(email).map_err(|error| Error::field("email", error))?;
        let account = AccountRecord::new(id, &email, hash, self.inner.clock.now());
        let subject = Subject::account(id);
        let entry = self.entry(Actor::ANONYMOUS, Action::ACCOUNT_CONFIRM, subject)?;
        match parts.accounts.insert_account(&account, &entry).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == StoreErrorKind::Conflict => {
                let there = parts.accounts.account_by_email(email.canonical()).await?;
                Ok(there.is_some_and(|there| there.id == id))
            }
            Err(error) => Err(error.into()),
        }
    }
}
