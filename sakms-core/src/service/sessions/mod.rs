//! Sessions: what somebody has who signed in, until they sign out or the session ends.
//!
//! A session has an id, which its access tokens name (`sid`), and one refresh token, which each use replaces by another. It
//! lasts for a while without being used and for a while altogether. It is over when its account is given another password,
//! when its owner is disabled, and when a refresh token is shown that was used before.
//!
//! Only digests of refresh tokens are stored ([`text`]). Whether a session stands is remembered ([`standing`]), and what ends
//! one is in the journal.

mod begin;
mod config;
mod end;
mod origin;
mod password;
mod refresh;
mod standing;
mod text;
mod value;

use std::fmt;
use std::time::Duration;

pub use config::{InvalidSessionConfig, SessionConfig};
pub use end::ListedSession;
pub use origin::Origin;
pub use refresh::RefreshDenial;
pub(super) use standing::{Standings, StrikeSessions};
pub(super) use text::RefreshFormat;
use value::SessionValue;

use super::error::Error;
use super::{Inner, Sakms};
use crate::clock::Timestamp;
use crate::id::{AccountId, SessionId};
use crate::key::Owner;
use crate::secret::{BearerToken, RefreshToken};
use crate::store::{
    AccountStore, StateId, StateKind, StateRecord, StateStore, StoreError, StoreErrorKind,
};
use crate::token::IssuedToken;

/// How often something is tried while others change the same session.
const TRIES: usize = 8;

/// How sessions are made and kept, where there are any.
#[derive(Debug)]
pub(super) struct Sessions {
    pub(super) config: SessionConfig,
    pub(super) format: RefreshFormat,
}

/// What somebody gets who has signed in, or whose session was refreshed.
#[derive(Debug)]
pub struct SignedIn {
    access: IssuedToken,
    session: Option<(SessionId, RefreshToken)>,
}

impl SignedIn {
    pub(crate) const fn new(
        access: IssuedToken,
        session: Option<(SessionId, RefreshToken)>,
    ) -> Self {
        Self { access, session }
    }

    /// The access token, to be handed to whom it stands for and to nobody else.
    #[must_use]
    pub const fn token(&self) -> &BearerToken {
        self.access.token()
    }

    /// For how long the access token is good from now on, in whole seconds.
    #[must_use]
    pub const fn expires_in(&self) -> Duration {
        self.access.expires_in()
    }

    /// What gives the next access token, once; `None` where there are no sessions.
    #[must_use]
    pub fn refresh_token(&self) -> Option<&RefreshToken> {
        self.session.as_ref().map(|(_, token)| token)
    }

    /// Which session it is; `None` where there are none.
    #[must_use]
    pub fn session(&self) -> Option<SessionId> {
        self.session.as_ref().map(|(id, _)| *id)
    }
}

/// Why a session ended, as the journal says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    /// Its owner signed out.
    Logout,
    /// Its owner ended it from elsewhere.
    Owner,
    /// Another took its place.
    Limit,
    /// Its time was over.
    Expired,
    /// A refresh token was shown that had been used.
    Replayed,
    /// The account has another password.
    Password,
    /// The account's password was reset.
    Reset,
    /// The owner is disabled.
    Disabled,
    /// The account is gone.
    NoAccount,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Logout => "logout",
            Self::Owner => "owner",
            Self::Limit => "limit",
            Self::Expired => "expired",
            Self::Replayed => "replayed",
            Self::Password => "password",
            Self::Reset => "reset",
            Self::Disabled => "disabled",
            Self::NoAccount => "no_account",
        })
    }
}

/// A session as it was read.
#[derive(Debug)]
struct Session {
    id: SessionId,
    account: AccountId,
    owner: Owner,
    record: StateRecord,
    value: SessionValue,
}

impl Session {
    /// A record that no version of this code wrote is an error, and never a session that stands or one that does not.
    fn of(record: StateRecord) -> Result<Self, Error> {
        let corrupt = || StoreError::new(StoreErrorKind::Corrupt, "state");
        let (id, rest) = record
            .id
            .as_bytes()
            .split_first_chunk()
            .ok_or_else(corrupt)?;
        if rest.iter().any(|byte| *byte != 0) {
            return Err(corrupt().into());
        }
        let owner = record.owner.clone().ok_or_else(corrupt)?;
        Ok(Self {
            id: SessionId::from_bytes(*id),
            account: owner.as_str().parse().map_err(|_| corrupt())?,
            owner,
            value: SessionValue::from_bytes(&record.value).ok_or_else(corrupt)?,
            record,
        })
    }

    fn place(id: SessionId) -> StateId {
        StateId::of(id.as_bytes())
    }

    fn has_ended(&self, now: Timestamp) -> bool {
        now >= self.record.expires_at
    }
}

/// Where accounts and sessions are kept.
#[derive(Clone, Copy)]
struct Stores<'a> {
    accounts: &'a dyn AccountStore,
    states: &'a dyn StateStore,
}

impl Stores<'_> {
    async fn session(&self, id: SessionId) -> Result<Option<Session>, Error> {
        let found = self.states.state(StateKind::Session, Session::place(id));
        found.await?.map(Session::of).transpose()
    }
}

impl Sakms {
    /// Whether those who sign in have sessions here.
    #[must_use]
    pub fn has_sessions(&self) -> bool {
        self.session_stores().is_some()
    }

    fn session_stores(&self) -> Option<Stores<'_>> {
        let Inner {
            accounts, states, ..
        } = &*self.inner;
        Some(Stores {
            accounts: accounts.as_deref()?,
            states: states.as_deref()?,
        })
    }

    /// When a session ends that is used now and lasts until `ends_at` at most.
    fn session_end(&self, now: Timestamp, ends_at: Timestamp) -> Timestamp {
        let idle = now.checked_add(self.inner.sessions.config.idle);
        idle.map_or(ends_at, |idle| idle.min(ends_at))
    }
}
