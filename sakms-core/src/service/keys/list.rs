//! Looking at keys, one or many.

use std::time::Duration;

use super::super::caller::Caller;
use super::super::cursor::{Cursor, ListOf};
use super::super::error::Error;
use super::super::{Inner, Sakms};
use crate::clock::Timestamp;
use crate::id::KeyId;
use crate::key::{
    Environment, KeyFilter, KeyQuery, KeyRecord, KeyState, KeyWithSecrets, Owner, Tag,
};

/// Which keys are meant. What is `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeySelection {
    /// Whose they are.
    pub whose: Whose,
    /// They are in this state now.
    pub state: Option<KeyState>,
    /// They are of this environment.
    pub environment: Option<Environment>,
    /// They have this tag.
    pub tag: Option<Tag>,
    /// They were not used for so long, and were made before that; at least a second. What was counted and not yet
    /// written down is not known: some seconds, on every node.
    pub unused_for: Option<Duration>,
    /// They expire before this moment.
    pub expires_before: Option<Timestamp>,
}

/// Whose keys are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Whose {
    /// The caller's.
    #[default]
    Own,
    /// Somebody's; of others, for admins.
    Of(Owner),
    /// Everybody's, for admins.
    Everybody,
}

impl KeySelection {
    /// Whether it says anything at all: a bulk change by one that does not would be a slip.
    pub(super) const fn has_criterion(&self) -> bool {
        matches!(self.whose, Whose::Of(_))
            || self.state.is_some()
            || self.environment.is_some()
            || self.tag.is_some()
            || self.unused_for.is_some()
            || self.expires_before.is_some()
    }

    /// What the store is asked for at a moment. `lag` is how late a use may be written down.
    pub(super) fn filter(&self, now: Timestamp, lag: Duration) -> Result<KeyFilter, Error> {
        if self
            .unused_for
            .is_some_and(|span| span < Duration::from_secs(1))
        {
            return Err(Error::field("unused_for", "must be at least 1 second"));
        }
        Ok(KeyFilter {
            state: self.state.map(|state| (state, now)),
            environment: self.environment.clone(),
            tag: self.tag.clone(),
            unused_since: self
                .unused_for
                .map(|span| before(now, span.saturating_add(lag))),
            expires_before: self.expires_before,
        })
    }

    /// Whose keys the caller means, if they may see them.
    pub(super) fn owner(&self, caller: &Caller) -> Result<Option<Owner>, Error> {
        match &self.whose {
            Whose::Own => Ok(Some(caller.owner_name().clone())),
            Whose::Of(owner) if caller.may_manage(owner) => Ok(Some(owner.clone())),
            Whose::Of(_) => Err(Error::AdminOnly),
            Whose::Everybody => caller.require_admin().map(|()| None),
        }
    }
}

/// A span before a moment; the beginning of time when that is before it.
fn before(moment: Timestamp, span: Duration) -> Timestamp {
    let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    let micros = moment.as_micros().saturating_sub(micros);
    Timestamp::from_micros(micros).unwrap_or(Timestamp::EPOCH)
}

/// Which part of a list is asked for.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ListRequest {
    /// Which keys; the caller's, when nothing is said.
    pub selection: KeySelection,
    /// How many keys at most, 1 to 100; 50 when nothing is said.
    pub limit: Option<u32>,
    /// Where to go on. It is good for the same selection by the same owner.
    pub cursor: Option<Cursor>,
}

/// A part of a list of keys, the newest first.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct KeyList {
    /// The keys.
    pub keys: Vec<KeyRecord>,
    /// Where the list goes on, when it does.
    pub next: Option<Cursor>,
}

impl Sakms {
    /// A page of the keys that the caller asks for and may see, the newest first.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit outside 1 to 100 or a cursor this service did not make for this list;
    /// [`Error::AdminOnly`] for keys of others; [`Error::Store`] when it could not be read.
    #[tracing::instrument(name = "sakms.key.list", skip_all)]
    pub async fn list_keys(&self, caller: &Caller, request: ListRequest) -> Result<KeyList, Error> {
        let Inner {
            keys,
            cursors,
            clock,
            ..
        } = &*self.inner;
        let ListRequest {
            selection,
            limit,
            cursor,
        } = request;
        let mut query = KeyQuery::everybody();
        query.owner = selection.owner(caller)?;
        query.filter = selection.filter(clock.now(), Duration::ZERO)?;
        if let Some(limit) = limit {
            if !(1..=KeyQuery::MAX_LIMIT).contains(&limit) {
                return Err(Error::field("limit", "must be between 1 and 100"));
            }
            query.limit = limit;
        }
        let list = ListOf {
            caller: caller.owner_name(),
            selection: &selection,
        };
        if let Some(cursor) = &cursor {
            let place = cursors.open(&list, cursor);
            let unknown =
                || Error::field("cursor", "is not one that this service gave for this list");
            query.before = Some(place.ok_or_else(unknown)?);
        }
        let page = keys.list(&query).await?;
        let next = page
            .items
            .last()
            .filter(|_| page.more)
            .map(|last| cursors.seal(&list, last.id));
        Ok(KeyList {
            keys: page.items,
            next,
        })
    }

    /// One of the keys that the caller may manage.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none, or it is another owner's; [`Error::Store`] when it could not be read.
    #[tracing::instrument(name = "sakms.key.get", skip_all, fields(key = %id))]
    pub async fn get_key(&self, caller: &Caller, id: KeyId) -> Result<KeyRecord, Error> {
        self.owned_key(caller, id).await
    }

    /// The same with its secrets, the oldest first, each with when it retires and its uses: what an owner wants to know
    /// before a rotation is ended. What was counted in the last seconds and is not written down yet is missing.
    ///
    /// # Errors
    /// As for [`Sakms::get_key`].
    #[tracing::instrument(name = "sakms.key.get", skip_all, fields(key = %id))]
    pub async fn get_key_with_secrets(
        &self,
        caller: &Caller,
        id: KeyId,
    ) -> Result<KeyWithSecrets, Error> {
        let key = self.owned_key(caller, id).await?;
        let secrets = self.inner.keys.secrets(id).await?;
        Ok(KeyWithSecrets { key, secrets })
    }
}
