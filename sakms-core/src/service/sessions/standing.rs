//! What is remembered of sessions, so that a token of one costs no look at the store.
//!
//! That a session stands (it is there, its account is there and has the password it was begun with, its owner is not disabled)
//! is remembered with the moment at which that began to be read. Whatever is changed about an account strikes what was read
//! of it before, here at once and on other nodes when they read the journal
//! ([`stamps`](super::super::cache)). That a session does *not* stand is not remembered, nor when it ends for longer than the
//! store was asked.

use std::fmt;
use std::sync::Arc;

use quick_cache::sync::Cache;

use super::super::accounts::CallerDenial;
use super::super::cache::{Moment, Slot, Stamps};
use super::super::caller::Caller;
use super::super::{Inner, Sakms};
use super::{Error, Stores};
use crate::clock::Timestamp;
use crate::id::{AccountId, SessionId};
use crate::key::Owner;
use crate::token::Claims;
use crate::verdict::Verdict;

/// For how many sessions there is one slot for strikes.
const SESSIONS_PER_SLOT: usize = 4;

/// Sessions that were found to stand.
pub(in crate::service) struct Standings {
    stamps: Stamps,
    known: Cache<SessionId, Standing>,
}

/// That a session stands.
#[derive(Debug, Clone, Copy)]
struct Standing {
    account: AccountId,
    admin: bool,
    /// When it ends, unless it was refreshed since.
    expires_at: Timestamp,
    /// When the reading began that found it so.
    began: Moment,
}

impl Standings {
    pub(in crate::service) fn new(most: usize) -> Self {
        Self {
            stamps: Stamps::new(most / SESSIONS_PER_SLOT),
            known: Cache::new(most),
        }
    }

    fn recall(&self, session: SessionId, now: Timestamp) -> Option<Standing> {
        let known = self.known.get(&session)?;
        let slot = self.slot(known.account);
        let stands = self.stamps.stands(known.began, [slot, slot]);
        (stands && now < known.expires_at).then_some(known)
    }

    /// Something about an account was changed, and the change is committed.
    pub(in crate::service) fn strike(&self, account: AccountId) {
        self.stamps.strike(self.slot(account));
    }

    /// The same of an owner, who is an account or has no sessions.
    pub(in crate::service) fn strike_owner(&self, owner: &Owner) {
        if let Ok(account) = owner.as_str().parse() {
            self.strike(account);
        }
    }

    /// Anything may have changed.
    pub(in crate::service) fn strike_all(&self) {
        self.stamps.strike_all();
    }

    /// The end of an id is drawn at random.
    fn slot(&self, account: AccountId) -> Slot {
        let (_, random) = account.as_bytes().split_at(8);
        let hash = random
            .iter()
            .fold(0, |hash, byte| hash << 8 | u64::from(*byte));
        self.stamps.slot(hash)
    }
}

impl fmt::Debug for Standings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Standings")
            .field("known", &self.known.len())
            .finish_non_exhaustive()
    }
}

/// Strikes what is remembered of an account's sessions when it is dropped: after a change was committed, and before whoever
/// made it hears of it. Also when it failed, for then it may have been committed all the same.
#[must_use = "dropped at once it would strike before the change"]
pub(in crate::service) struct StrikeSessions<'a> {
    standings: &'a Standings,
    account: Option<AccountId>,
}

impl<'a> StrikeSessions<'a> {
    pub(in crate::service) const fn of(standings: &'a Standings, account: AccountId) -> Self {
        let account = Some(account);
        Self { standings, account }
    }

    pub(in crate::service) fn of_owner(standings: &'a Standings, owner: &Owner) -> Self {
        let account = owner.as_str().parse().ok();
        Self { standings, account }
    }
}

impl Drop for StrikeSessions<'_> {
    fn drop(&mut self) {
        if let Some(account) = self.account {
            self.standings.strike(account);
        }
    }
}

impl Sakms {
    /// Who a genuine token speaks for that belongs to a session; `None` where there are no sessions.
    pub(in crate::service) async fn caller_in_session(
        &self,
        claims: &Claims,
    ) -> Result<Option<Verdict<Caller, CallerDenial>>, Error> {
        let (Some(id), Some(stores)) = (claims.session(), self.session_stores()) else {
            return Ok(None);
        };
        let Inner {
            standings,
            follower,
            clock,
            ..
        } = &*self.inner;
        let known = if follower.is_current(clock.elapsed()) {
            standings.recall(id, clock.now())
        } else {
            None
        };
        let standing = match known {
            Some(standing) => standing,
            None => match self.read_standing(stores, id).await? {
                Verdict::Granted(standing) => standing,
                Verdict::Denied(denial) => return Ok(Some(Verdict::Denied(denial))),
            },
        };
        let owner = claims.subject().clone();
        // The token is genuine, but an issuer of the host's may have its own idea of what a session is.
        if owner != Owner::from(standing.account) {
            return Ok(Some(Verdict::Denied(CallerDenial::SessionEnded)));
        }
        let caller = if standing.admin {
            Caller::admin(owner)
        } else {
            Caller::owner(owner)
        };
        Ok(Some(Verdict::Granted(caller)))
    }

    async fn read_standing(
        &self,
        stores: Stores<'_>,
        id: SessionId,
    ) -> Result<Verdict<Standing, CallerDenial>, Error> {
        let Inner {
            keys,
            standings,
            clock,
            ..
        } = &*self.inner;
        self.keep_following();
        let began = standings.stamps.now();
        let Some(session) = stores.session(id).await? else {
            return Ok(Verdict::Denied(CallerDenial::SessionEnded));
        };
        if session.has_ended(clock.now()) {
            return Ok(Verdict::Denied(CallerDenial::SessionEnded));
        }
        let Some(account) = stores.accounts.account(session.account).await? else {
            return Ok(Verdict::Denied(CallerDenial::UnknownAccount));
        };
        if account.revision != session.value.account_revision {
            return Ok(Verdict::Denied(CallerDenial::SessionEnded));
        }
        if keys.owner_disabled_at(&session.owner).await?.is_some() {
            return Ok(Verdict::Denied(CallerDenial::Disabled));
        }
        let standing = Standing {
            account: session.account,
            admin: account.is_admin(),
            expires_at: session.record.expires_at,
            began,
        };
        standings.known.insert(id, standing);
        Ok(Verdict::Granted(standing))
    }

    /// Starts to follow the journal, when that is not done.
    pub(in crate::service) fn keep_following(&self) {
        let weak = Arc::downgrade(&self.inner);
        self.inner.follower.ensure_running(move || {
            if let Some(inner) = weak.upgrade() {
                Self { inner }.publish();
            }
        });
    }
}
