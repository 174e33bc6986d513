//! Somebody has forgotten their password.

use std::net::IpAddr;

use super::{CodeDenial, CodeUse, CodeValue, Letter, Parts, Recovery};
use crate::account::{AccountRecord, Email};
use crate::hash::Share;
use crate::id::AccountId;
use crate::journal::{Action, Actor, Subject};
use crate::key::{Owner, Revision};
use crate::mail::Purpose;
use crate::secret::{MailedCode, Password};
use crate::service::error::{Error, FieldError};
use crate::service::sessions::StrikeSessions;
use crate::service::{Inner, Sakms};
use crate::store::{StateKind, StateRecord, StoreErrorKind};
use crate::verdict::Verdict;

impl Sakms {
    /// Mails a code to whoever has an account with this address, by which they can choose another password
    /// ([`Sakms::reset_password`]).
    ///
    /// `Ok` says that this was heard, and nothing else: it is the same, after the same work, when there is no such account, when
    /// it is disabled, and when it was written to often enough. Everything that differs is done behind it.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an address that is none; [`Error::Throttled`] when too many were asked for from there;
    /// [`Error::Overloaded`] when too much mail waits; [`Error::NotOffered`] when this service sends no mail;
    /// [`Error::Store`] when accounts cannot be looked up.
    #[tracing::instrument(name = "sakms.account.request_reset", skip_all)]
    pub async fn request_reset(&self, email: &str, from: Option<IpAddr>) -> Result<(), Error> {
        let parts = self.recovery_parts()?;
        let Inner { throttle, .. } = &*self.inner;
        let attempt = throttle.recovery(from).await?;
        let asked = self.request_reset_of(parts, email).await;
        match asked {
            // Dropped, it counts: every request may be a mail.
            Ok(()) => drop(attempt),
            Err(_) => attempt.undecided(),
        }
        asked
    }

    async fn request_reset_of(&self, parts: Parts<'_>, email: &str) -> Result<(), Error> {
        let Parts {
            recovery, accounts, ..
        } = parts;
        let email = Email::parse(email).map_err(|error| Error::field("email", error))?;
        recovery.post.has_room()?;
        if !self.inner.throttle.may_mail(&email).await {
            return Ok(());
        }
        let account = accounts.account_by_email(email.canonical()).await?;
        let letter = self.reset_letter(recovery, account.as_ref(), &email)?;
        recovery.post.take(letter.filter(|_| account.is_some()));
        Ok(())
    }

    /// The letter, made of the account there is or of nothing: it costs the same.
    fn reset_letter(
        &self,
        recovery: &Recovery,
        account: Option<&AccountRecord>,
        asked: &Email,
    ) -> Result<Option<Letter>, Error> {
        let new = self.new_code(recovery, CodeUse::Reset)?;
        let subject = account.map_or(Subject::SERVICE, |account| Subject::account(account.id));
        let entry = self.entry(Actor::ANONYMOUS, Action::ACCOUNT_RESET_REQUEST, subject)?;
        // To the address that the account has, and not to the spelling that somebody sent.
        let to = match account {
            Some(account) => Email::parse(&account.email).ok(),
            None => Some(asked.clone()),
        };
        let Some(to) = to else {
            return Ok(None);
        };
        let owner = account.map(|account| Owner::from(account.id));
        let revision = account.map_or(Revision::FIRST, |account| account.revision);
        let value = CodeValue::Reset { revision };
        let record = StateRecord::new(
            StateKind::Code,
            new.id,
            owner.clone(),
            value.to_bytes(),
            new.now,
            new.expires_at,
        );
        let message = self.message(recovery, to, Purpose::ResetPassword)?;
        Ok(Some(Letter {
            message: message.with(new.draft(recovery.config.reset_link.as_ref())),
            owner,
            keeps: Some((record, Some(entry))),
        }))
    }

    /// Gives an account another password, for whoever sends back a code that was mailed to it. Once: of many who send the same
    /// code, one gets through. A password that is too weak costs no code.
    ///
    /// When this returns `Ok`, the password is stored, and all sessions of the account have ended, in the same step; with them
    /// all other codes, for each is for the password that the account had. Nobody is signed in by it. The account's address
    /// is told.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a password that is too weak, which is said only to who has a good code; [`Error::Throttled`] when
    /// there were too many bad codes from there; [`Error::NotOffered`] when this service sends no mail; [`Error::Store`] and
    /// [`Error::Hash`] when it could not be decided or done.
    #[tracing::instrument(name = "sakms.account.reset_password", skip_all)]
    pub async fn reset_password(
        &self,
        code: &MailedCode,
        new: &Password,
        from: Option<IpAddr>,
    ) -> Result<Verdict<(), CodeDenial>, Error> {
        let parts = self.recovery_parts()?;
        let attempt = self.inner.throttle.recovery(from).await?;
        let outcome = self.reset_by(parts, code, new).await;
        match &outcome {
            Ok(Verdict::Granted(())) => attempt.succeeded(),
            // Dropped, it counts as failed.
            Ok(Verdict::Denied(_)) => drop(attempt),
            Err(_) => attempt.undecided(),
        }
        outcome
    }

    async fn reset_by(
        &self,
        parts: Parts<'_>,
        code: &MailedCode,
        new: &Password,
    ) -> Result<Verdict<(), CodeDenial>, Error> {
        const DENIED: Result<Verdict<(), CodeDenial>, Error> = Ok(Verdict::Denied(CodeDenial));
        let Inner {
            keys,
            hashes,
            passwords,
            standings,
            ..
        } = &*self.inner;
        let Parts {
            recovery, accounts, ..
        } = parts;
        let Some(found) = self.find_code(parts, CodeUse::Reset, code).await? else {
            return DENIED;
        };
        let (CodeValue::Reset { revision }, Some(owner)) = (found.value, found.record.owner) else {
            return DENIED;
        };
        let Ok(id) = owner.as_str().parse::<AccountId>() else {
            return DENIED;
        };
        let Some(account) = accounts.account(id).await? else {
            return DENIED;
        };
        if account.revision != revision || keys.owner_disabled_at(&owner).await?.is_some() {
            return DENIED;
        }
        let email = Email::parse(&account.email).map_err(|error| Error::field("email", error))?;
        if let Err(weakness) = passwords.check(new, &email) {
            let error = FieldError::new("new_password", weakness);
            return Err(Error::Invalid(vec![error]));
        }
        let hash = hashes
            .hash(Share::Passwords, new.expose().as_bytes())
            .await?;
        let notice = self.message(recovery, email, Purpose::PasswordChanged)?;
        let entry = self.entry(
            Actor::ANONYMOUS,
            Action::ACCOUNT_RESET,
            Subject::account(id),
        )?;
        let strike = StrikeSessions::of(standings, id);
        // The code is used up by the same step: it is for the password that the account has until then.
        let changed = accounts.set_password(id, revision, &hash, &entry).await;
        match changed {
            Ok(_) => {}
            Err(error) if error.kind() == StoreErrorKind::Stale => return DENIED,
            Err(error) => return Err(error.into()),
        }
        drop(strike);
        self.clear_up(parts, id, &owner).await;
        recovery.post.take(Some(Letter {
            message: notice,
            owner: Some(owner),
            keeps: None,
        }));
        Ok(Verdict::Granted(()))
    }

    /// Takes away what is over by the reset already: the sessions and the codes that were for the password before.
    async fn clear_up(&self, parts: Parts<'_>, id: AccountId, owner: &Owner) {
        let ended = self.clear_sessions_of_reset(id).await;
        let codes = parts
            .states
            .remove_states(StateKind::Code, owner, None, None);
        let codes = codes.await.map(drop).map_err(Error::from);
        if let Err(error) = ended.and(codes) {
            tracing::warn!(%error, account = %id, "after a reset of the password what is over could not be taken away");
        }
    }
}
