//! A refresh token is used: it is replaced by its successor.

use std::fmt;

use super::super::{Inner, Sakms};
use super::text::{ParsedToken, TokenDigest};
use super::{
    Error, Origin, Reason, Session, SessionValue, SignedIn, Stores, StrikeSessions, TRIES,
};
use crate::clock::Timestamp;
use crate::journal::Actor;
use crate::secret::{KeySecret, RefreshToken};
use crate::store::{StateKind, StoreErrorKind};
use crate::token::TokenRequest;
use crate::verdict::Verdict;

/// Why a refresh token gave nothing. For logs: whoever showed it is told the same, whatever the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefreshDenial {
    /// It is no refresh token of this service.
    Malformed,
    /// Its session has ended.
    Ended,
    /// Its session's time was over; the session has ended with this.
    Expired,
    /// It was used before, and that not just now; its session has ended with this.
    Replayed,
    /// The account is gone, or has another password; the session has ended with this.
    AccountChanged,
    /// The account is disabled; the session has ended with this.
    Disabled,
}

impl fmt::Display for RefreshDenial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "it is no refresh token of this service",
            Self::Ended => "the session has ended",
            Self::Expired => "the session's time is over",
            Self::Replayed => "the refresh token was used before",
            Self::AccountChanged => "the account is gone or has another password",
            Self::Disabled => "the account is disabled",
        })
    }
}

impl std::error::Error for RefreshDenial {}

/// What a refresh comes to after a session was looked at.
enum Step {
    /// The token is the one that is good: it is replaced by one with this secret.
    Replace(KeySecret),
    /// It was replaced just now by one with this secret.
    Repeat(KeySecret),
    /// It is refused, and the session ends.
    End(Reason, RefreshDenial),
}

impl Sakms {
    /// Gives another access token, and the refresh token that takes this one's place.
    ///
    /// However many show one token at once, there is one successor, and all of them get it. The same holds for whoever shows
    /// it again within the grace ([`SessionConfig::grace`](super::SessionConfig::grace)): the answer may have been lost. After
    /// that, and for every older token, it is taken to be stolen, and the session ends (RFC 9700, section 4.14.2).
    ///
    /// # Errors
    /// [`Error::NotOffered`] when this service has no sessions; [`Error::Store`] and [`Error::Token`] when it could not be
    /// decided or done, [`Error::Contended`] when others changed the session every time. The token can then be shown again.
    #[tracing::instrument(name = "sakms.session.refresh", skip_all)]
    pub async fn refresh(
        &self,
        token: &RefreshToken,
        origin: &Origin,
    ) -> Result<Verdict<SignedIn, RefreshDenial>, Error> {
        let stores = self.session_stores().ok_or(Error::NotOffered)?;
        let Some(token) = self.inner.sessions.format.parse(token) else {
            return Ok(Verdict::Denied(RefreshDenial::Malformed));
        };
        for _ in 0..TRIES {
            let Some(session) = stores.session(token.session).await? else {
                return Ok(Verdict::Denied(RefreshDenial::Ended));
            };
            let now = self.inner.clock.now();
            let next = match self.next_step(stores, &token, &session, now).await? {
                Step::Replace(next) => next,
                Step::Repeat(next) => return self.signed_in(&session, &next).await,
                Step::End(reason, denial) => {
                    return self.end_refused(session, reason, denial).await;
                }
            };
            // First, so that nothing was changed when it fails.
            let signed_in = self.signed_in(&session, &next).await?;
            let value = SessionValue {
                generation: session.value.generation.saturating_add(1),
                current: TokenDigest::of(session.id, &next),
                former: Some(session.value.current),
                used_at: now,
                origin: origin.clone(),
                ..session.value
            };
            let bytes = value.to_bytes();
            let updated = stores.states.update_state(
                StateKind::Session,
                session.record.id,
                session.record.revision,
                &bytes,
                self.session_end(now, value.ends_at),
                None,
            );
            match updated.await {
                Ok(_) => return Ok(signed_in),
                Err(error) if error.kind() == StoreErrorKind::Stale => {}
                Err(error) if error.kind() == StoreErrorKind::NotFound => {
                    return Ok(Verdict::Denied(RefreshDenial::Ended));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Contended)
    }

    async fn next_step(
        &self,
        stores: Stores<'_>,
        token: &ParsedToken,
        session: &Session,
        now: Timestamp,
    ) -> Result<Step, Error> {
        let value = &session.value;
        if session.has_ended(now) {
            return Ok(Step::End(Reason::Expired, RefreshDenial::Expired));
        }
        let shown = TokenDigest::of(token.session, &token.secret);
        let step = if value.current.is(&shown) {
            let mut successors = self.successors(token, value.generation);
            successors.next().map(Step::Replace)
        } else if value.former.is_some_and(|former| former.is(&shown))
            && now.since(value.used_at) <= self.inner.sessions.config.grace
        {
            // The one that was given out, also when the master key was changed since.
            let generation = value.generation.saturating_sub(1);
            let mut successors = self.successors(token, generation);
            let given = |next: &KeySecret| TokenDigest::of(token.session, next).is(&value.current);
            successors.find(given).map(Step::Repeat)
        } else {
            None
        };
        let Some(step) = step else {
            return Ok(Step::End(Reason::Replayed, RefreshDenial::Replayed));
        };
        let changed = RefreshDenial::AccountChanged;
        let Some(account) = stores.accounts.account(session.account).await? else {
            return Ok(Step::End(Reason::NoAccount, changed));
        };
        if account.revision != value.account_revision {
            return Ok(Step::End(Reason::Password, changed));
        }
        let disabled = self.inner.keys.owner_disabled_at(&session.owner).await?;
        if disabled.is_some() {
            return Ok(Step::End(Reason::Disabled, RefreshDenial::Disabled));
        }
        Ok(step)
    }

    fn successors(&self, token: &ParsedToken, generation: u64) -> impl Iterator<Item = KeySecret> {
        self.inner.sessions.format.successors(token, generation)
    }

    async fn signed_in(
        &self,
        session: &Session,
        next: &KeySecret,
    ) -> Result<Verdict<SignedIn, RefreshDenial>, Error> {
        let Inner {
            tokens, sessions, ..
        } = &*self.inner;
        let tokens = tokens.as_ref().ok_or(Error::NotOffered)?;
        let mut request = TokenRequest::new(session.owner.clone());
        request.session = Some(session.id);
        let access = tokens.issue(&request).await?;
        let token = sessions.format.mint(session.id, next);
        let signed_in = SignedIn::new(access, Some((session.id, token)));
        Ok(Verdict::Granted(signed_in))
    }

    async fn end_refused(
        &self,
        session: Session,
        reason: Reason,
        denial: RefreshDenial,
    ) -> Result<Verdict<SignedIn, RefreshDenial>, Error> {
        let (id, account) = (session.id, session.account);
        let _strike = StrikeSessions::of(&self.inner.standings, account);
        self.remove_session(session, reason, Actor::SYSTEM).await?;
        if reason == Reason::Replayed {
            tracing::warn!(session = %id, %account, "a refresh token was used again; its session is ended");
        }
        Ok(Verdict::Denied(denial))
    }
}
