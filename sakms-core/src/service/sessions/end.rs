//! Sessions are looked at and ended.

use super::super::Sakms;
use super::super::caller::Caller;
use super::{Error, Origin, Reason, Session, Stores, StrikeSessions, TRIES};
use crate::clock::Timestamp;
use crate::id::{AccountId, SessionId};
use crate::journal::{Action, Actor, Subject};
use crate::store::{StateKind, StateRecord, StoreErrorKind};

/// A session as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedSession {
    /// Its id, which its access tokens name.
    pub id: SessionId,
    /// When somebody signed in.
    pub created_at: Timestamp,
    /// When it was begun or refreshed last.
    pub last_used_at: Timestamp,
    /// When it ends, if it is not refreshed before.
    pub expires_at: Timestamp,
    /// Whether it is the one that asks.
    pub current: bool,
    /// From where it was begun or refreshed last.
    pub origin: Origin,
}

impl Sakms {
    /// The caller's sessions that stand, the newest first.
    ///
    /// # Errors
    /// [`Error::TokenOnly`] when the caller is not known by a token; [`Error::NotOffered`] when this service has no
    /// sessions; [`Error::Store`] when they could not be read.
    #[tracing::instrument(name = "sakms.session.list", skip_all)]
    pub async fn sessions(&self, caller: &Caller) -> Result<Vec<ListedSession>, Error> {
        let (stores, id) = self.session_caller_parts(caller)?;
        let account = stores.accounts.account(id).await?.ok_or(Error::NotFound)?;
        let owner = Some(caller.owner_name());
        let kept = stores
            .states
            .states(StateKind::Session, owner, StateRecord::MAX_LIMIT);
        let now = self.inner.clock.now();
        let mut listed = Vec::new();
        for record in kept.await? {
            let session = Session::of(record)?;
            if session.has_ended(now) || session.value.account_revision != account.revision {
                continue;
            }
            listed.push(ListedSession {
                id: session.id,
                created_at: session.record.created_at,
                last_used_at: session.value.used_at,
                expires_at: session.record.expires_at,
                current: caller.session() == Some(session.id),
                origin: session.value.origin,
            });
        }
        Ok(listed)
    }

    /// Ends the session that the caller's token belongs to. One that has ended stays so.
    ///
    /// When this returns `Ok`, it is stored and in force on this node.
    ///
    /// # Errors
    /// [`Error::TokenOnly`] when the caller is not known by a token; [`Error::NoSession`] when that belongs to no session;
    /// [`Error::NotOffered`] when this service has no sessions; [`Error::Store`] when it could not be stored.
    #[tracing::instrument(name = "sakms.session.logout", skip_all)]
    pub async fn logout(&self, caller: &Caller) -> Result<(), Error> {
        let (stores, account) = self.session_caller_parts(caller)?;
        let id = caller.session().ok_or(Error::NoSession)?;
        let _strike = StrikeSessions::of(&self.inner.standings, account);
        match stores.session(id).await? {
            Some(session) if session.account == account => {
                self.remove_session(session, Reason::Logout, caller.actor())
                    .await
            }
            _ => Ok(()),
        }
    }

    /// Ends all sessions of the caller, with the one that asks.
    ///
    /// When this returns `Ok`, it is stored and in force on this node.
    ///
    /// # Errors
    /// As for [`Sakms::sessions`].
    #[tracing::instrument(name = "sakms.session.logout_all", skip_all)]
    pub async fn logout_all(&self, caller: &Caller) -> Result<(), Error> {
        let (stores, account) = self.session_caller_parts(caller)?;
        self.remove_sessions(stores, account, None, Reason::Logout, caller.actor())
            .await
    }

    /// Ends one of the caller's sessions.
    ///
    /// When this returns `Ok`, it is stored and in force on this node.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none of this id, or it is somebody else's; as for [`Sakms::sessions`].
    #[tracing::instrument(name = "sakms.session.end", skip_all, fields(session = %id))]
    pub async fn end_session(&self, caller: &Caller, id: SessionId) -> Result<(), Error> {
        let (stores, account) = self.session_caller_parts(caller)?;
        let session = stores.session(id).await?.ok_or(Error::NotFound)?;
        if session.account != account {
            return Err(Error::NotFound);
        }
        let _strike = StrikeSessions::of(&self.inner.standings, account);
        self.remove_session(session, Reason::Owner, caller.actor())
            .await
    }

    /// Ends a session, however often it is refreshed meanwhile. Whoever calls strikes afterwards.
    pub(super) async fn remove_session(
        &self,
        mut session: Session,
        reason: Reason,
        actor: Actor,
    ) -> Result<(), Error> {
        let stores = self.session_stores().ok_or(Error::NotOffered)?;
        let subject = Subject::account(session.account);
        let place = Session::place(session.id);
        for _ in 0..TRIES {
            let entry = self.entry(actor.clone(), Action::SESSION_END, subject.clone())?;
            let entry = entry.with_detail(format!("session={} reason={reason}", session.id));
            let removed = stores.states.remove_state(
                StateKind::Session,
                place,
                session.record.revision,
                Some(&entry),
            );
            match removed.await {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == StoreErrorKind::NotFound => return Ok(()),
                Err(error) if error.kind() == StoreErrorKind::Stale => {}
                Err(error) => return Err(error.into()),
            }
            match stores.session(session.id).await? {
                Some(again) => session = again,
                None => return Ok(()),
            }
        }
        Err(Error::Contended)
    }

    /// Ends all sessions of an account but for one.
    pub(super) async fn remove_sessions(
        &self,
        stores: Stores<'_>,
        account: AccountId,
        except: Option<SessionId>,
        reason: Reason,
        actor: Actor,
    ) -> Result<(), Error> {
        let _strike = StrikeSessions::of(&self.inner.standings, account);
        let entry = self.entry(actor, Action::SESSIONS_END, Subject::account(account))?;
        let entry = entry.with_detail(match except {
            Some(kept) => format!("reason={reason} except={kept}"),
            None => format!("reason={reason}"),
        });
        let owner = account.into();
        let removed = stores.states.remove_states(
            StateKind::Session,
            &owner,
            except.map(Session::place),
            Some(&entry),
        );
        removed.await?;
        Ok(())
    }

    /// Where a caller's sessions are, and which account is theirs.
    pub(super) fn session_caller_parts(
        &self,
        caller: &Caller,
    ) -> Result<(Stores<'_>, AccountId), Error> {
        caller.require_token()?;
        let stores = self.session_stores().ok_or(Error::NotOffered)?;
        let account = caller.owner_name().as_str().parse();
        Ok((stores, account.map_err(|_| Error::NotOffered)?))
    }
}
