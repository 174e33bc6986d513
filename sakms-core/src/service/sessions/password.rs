//! Somebody changes their password.

use super::super::accounts::LoginDenial;
use super::super::caller::Caller;
use super::super::error::FieldError;
use super::super::{Inner, Sakms};
use super::{Error, Origin, Reason, Session, SessionValue, Stores, StrikeSessions, TRIES};
use crate::account::Email;
use crate::hash::Share;
use crate::id::{AccountId, SessionId};
use crate::journal::{Action, Actor, Subject};
use crate::key::Revision;
use crate::secret::Password;
use crate::store::{StateKind, StoreErrorKind};
use crate::verdict::Verdict;

impl Sakms {
    /// Gives the caller another password, if they know the old one. All their sessions end but the one that asks.
    ///
    /// A wrong old password is refused as a wrong sign-in is, and costs and counts the same: whoever has got hold of a token
    /// guesses no faster for it.
    ///
    /// When this returns `Ok`, the password is stored. The other sessions have ended with it, in the same step; on this node
    /// that is in force.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a new password that is too weak, or an old one over 1,024 bytes; [`Error::TokenOnly`] when the
    /// caller is not known by a token; [`Error::Throttled`] after too many wrong passwords; [`Error::Contended`] when the
    /// password was changed by somebody else meanwhile; [`Error::NotOffered`] when this service has no accounts; [`Error::Store`] and [`Error::Hash`] when it could not be
    /// decided or done.
    #[tracing::instrument(name = "sakms.account.change_password", skip_all)]
    pub async fn change_password(
        &self,
        caller: &Caller,
        old: &Password,
        new: &Password,
        origin: &Origin,
    ) -> Result<Verdict<(), LoginDenial>, Error> {
        let Inner {
            accounts,
            hashes,
            passwords,
            standings,
            ..
        } = &*self.inner;
        caller.require_token()?;
        let accounts = accounts.as_deref().ok_or(Error::NotOffered)?;
        let id = caller.owner_name().as_str().parse::<AccountId>();
        let id = id.map_err(|_| Error::NotOffered)?;
        if old.expose().len() > Password::MAX_BYTES {
            return Err(Error::field("old_password", "has at most 1024 bytes"));
        }
        let account = accounts.account(id).await?.ok_or(Error::NotFound)?;
        let email = Email::parse(&account.email).map_err(|error| Error::field("email", error))?;
        if let Err(weakness) = passwords.check(new, &email) {
            let error = FieldError::new("new_password", weakness);
            return Err(Error::Invalid(vec![error]));
        }
        let old = old.expose().as_bytes();
        let attempt = self.begin_attempt(&account.email, origin, Some(id)).await?;
        let is_right = hashes.verify(Share::Passwords, old, &account.password_hash);
        let is_right = match is_right.await {
            Ok(is_right) => is_right,
            Err(error) => {
                attempt.undecided();
                return Err(error.into());
            }
        };
        if !is_right {
            // Dropped, the attempt counts as failed.
            self.count_refused_sign_in(Some(id), "wrong_password");
            return Ok(Verdict::Denied(LoginDenial));
        }
        attempt.succeeded();
        let new = hashes
            .hash(Share::Passwords, new.expose().as_bytes())
            .await?;
        let subject = Subject::account(id);
        let entry = self.entry(caller.actor(), Action::ACCOUNT_PASSWORD, subject)?;
        let strike = StrikeSessions::of(standings, id);
        let changed = accounts.set_password(id, account.revision, &new, &entry);
        let changed = match changed.await {
            Ok(changed) => changed,
            Err(error) if error.kind() == StoreErrorKind::Stale => return Err(Error::Contended),
            Err(error) => return Err(error.into()),
        };
        // The password is changed, and with it all sessions are over, this one too. That it goes on, and that the others are
        // taken away, is a comfort: whoever fails here signs in anew.
        if let Err(error) = self.keep_session(caller, id, changed.revision).await {
            tracing::warn!(%error, account = %id, "after a change of the password the sessions could not be seen to");
        }
        drop(strike);
        Ok(Verdict::Granted(()))
    }

    /// Takes away the sessions that ended when an account's password was reset.
    pub(in crate::service) async fn clear_sessions_of_reset(
        &self,
        account: AccountId,
    ) -> Result<(), Error> {
        let Some(stores) = self.session_stores() else {
            return Ok(());
        };
        self.remove_sessions(stores, account, None, Reason::Reset, Actor::ANONYMOUS)
            .await
    }

    async fn keep_session(
        &self,
        caller: &Caller,
        account: AccountId,
        revision: Revision,
    ) -> Result<(), Error> {
        let Some(stores) = self.session_stores() else {
            return Ok(());
        };
        if let Some(id) = caller.session() {
            self.bring_to(stores, id, account, revision).await?;
        }
        // Also tells the other nodes that this session stands again.
        let reason = Reason::Password;
        self.remove_sessions(stores, account, caller.session(), reason, caller.actor())
            .await
    }

    /// Lets a session go on with a password that was changed in it.
    async fn bring_to(
        &self,
        stores: Stores<'_>,
        id: SessionId,
        account: AccountId,
        revision: Revision,
    ) -> Result<(), Error> {
        for _ in 0..TRIES {
            let Some(session) = stores.session(id).await? else {
                return Ok(());
            };
            if session.account != account {
                return Ok(());
            }
            let value = SessionValue {
                account_revision: revision,
                ..session.value
            };
            let bytes = value.to_bytes();
            let updated = stores.states.update_state(
                StateKind::Session,
                Session::place(id),
                session.record.revision,
                &bytes,
                session.record.expires_at,
                None,
            );
            match updated.await {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == StoreErrorKind::NotFound => return Ok(()),
                Err(error) if error.kind() == StoreErrorKind::Stale => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Contended)
    }
}
