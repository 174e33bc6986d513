//! A session begins.

use super::super::{Inner, Sakms};
use super::text::TokenDigest;
use super::{Error, Origin, Reason, Session, SessionValue, SignedIn, Stores, StrikeSessions};
use crate::account::AccountRecord;
use crate::clock::Timestamp;
use crate::entropy;
use crate::id::SessionId;
use crate::journal::{Action, Actor, Subject};
use crate::key::Owner;
use crate::secret::KeySecret;
use crate::store::{StateKind, StateRecord};
use crate::token::{TokenIssuer, TokenRequest};

impl Sakms {
    /// What somebody gets who was just found to be who they say.
    pub(in crate::service) async fn begin_session(
        &self,
        account: &AccountRecord,
        tokens: &dyn TokenIssuer,
        origin: &Origin,
    ) -> Result<SignedIn, Error> {
        let Inner {
            forgetter,
            sessions,
            clock,
            entropy,
            ..
        } = &*self.inner;
        let owner = Owner::from(account.id);
        let mut request = TokenRequest::new(owner.clone());
        let Some(stores) = self.session_stores() else {
            let access = tokens.issue(&request).await?;
            return Ok(SignedIn::new(access, None));
        };
        let id = SessionId::generate(clock.as_ref(), entropy.as_ref())?;
        let secret = KeySecret::new(entropy::draw::<32>(entropy.as_ref())?);
        request.session = Some(id);
        // First, so that nothing was changed when it fails.
        let access = tokens.issue(&request).await?;
        let now = clock.now();
        let ends_at = now.checked_add(sessions.config.absolute);
        let ends_at = ends_at.unwrap_or(Timestamp::MAX);
        let value = SessionValue {
            account_revision: account.revision,
            generation: 0,
            current: TokenDigest::of(id, &secret),
            former: None,
            used_at: now,
            ends_at,
            origin: origin.clone(),
        };
        let record = StateRecord::new(
            StateKind::Session,
            Session::place(id),
            Some(owner.clone()),
            value.to_bytes(),
            now,
            self.session_end(now, ends_at),
        );
        let actor = Actor::owner(&owner);
        let subject = Subject::account(account.id);
        let entry = self.entry(actor, Action::SESSION_START, subject)?;
        let entry = entry.with_detail(format!("session={id}"));
        stores.states.insert_state(&record, Some(&entry)).await?;
        forgetter.ensure_running();
        if let Err(error) = self.end_the_oldest(stores, &owner, id).await {
            // The session is there. The next one that begins looks again.
            tracing::warn!(%error, "an account may have too many sessions");
        }
        let token = sessions.format.mint(id, &secret);
        Ok(SignedIn::new(access, Some((id, token))))
    }

    /// Ends what an owner has beyond the most there may be. Whoever looks last sees them all, so however many begin at once,
    /// no more are left.
    async fn end_the_oldest(
        &self,
        stores: Stores<'_>,
        owner: &Owner,
        begun: SessionId,
    ) -> Result<(), Error> {
        let most = usize::try_from(self.inner.sessions.config.most).unwrap_or(usize::MAX);
        let all = stores
            .states
            .states(StateKind::Session, Some(owner), StateRecord::MAX_LIMIT);
        // Of those that begin at the same moment, none is ended by itself.
        let mut others = all.await?;
        others.retain(|record| record.id != Session::place(begun));
        for record in others.into_iter().skip(most.saturating_sub(1)) {
            let session = Session::of(record)?;
            let _strike = StrikeSessions::of(&self.inner.standings, session.account);
            self.remove_session(session, Reason::Limit, Actor::SYSTEM)
                .await?;
        }
        Ok(())
    }
}
