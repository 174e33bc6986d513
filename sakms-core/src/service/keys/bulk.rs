//! Revoking many keys: by what they have in common, or because nobody uses them.

use std::time::Duration;

use super::super::cache::Strike;
use super::super::caller::Caller;
use super::super::error::Error;
use super::super::{Inner, Sakms};
use super::TRIES;
use super::list::{KeySelection, Whose};
use crate::id::KeyId;
use crate::journal::{Action, Actor, Subject};
use crate::key::{KeyFilter, KeyPatch, KeyQuery, KeyState, Owner};
use crate::store::StoreErrorKind;

/// How many keys one call revokes at most.
const MOST: usize = 1_000;

/// The states a key can be in and still be revoked. They are asked for one by one, so that a store finds those keys
/// without reading over the ones that are revoked.
const REVOCABLE: [KeyState; 4] = [
    KeyState::Active,
    KeyState::Pending,
    KeyState::Disabled,
    KeyState::Expired,
];

/// What a bulk revocation did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Revoked {
    /// The keys, at most 1,000.
    pub keys: Vec<KeyId>,
    /// Whether there are more of them: call again.
    pub more: bool,
}

/// Which keys to revoke, and in whose name.
struct Revocation {
    owner: Option<Owner>,
    filter: KeyFilter,
    actor: Actor,
    detail: &'static str,
    dry_run: bool,
}

impl Sakms {
    /// Revokes the keys that a selection means and the caller may manage, at most 1,000 in one call. Each revocation is a
    /// change of its own, with an entry in the journal; an error on the way leaves those revoked that were. With
    /// `dry_run` nothing is changed, and what is given is what would be.
    ///
    /// `unused_for` goes by what is written down: uses counted here are written down first, and for those of other nodes
    /// one flush interval is added to it.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the selection has no criterion; [`Error::AdminOnly`] for keys of others;
    /// [`Error::Contended`] and [`Error::Store`] as for [`Sakms::revoke_key`].
    #[tracing::instrument(name = "sakms.key.revoke_many", skip_all)]
    pub async fn revoke_keys(
        &self,
        caller: &Caller,
        selection: &KeySelection,
        dry_run: bool,
    ) -> Result<Revoked, Error> {
        if !selection.has_criterion() {
            let what = "must name at least one of state, environment, tag, unused_for, expires_before and owner";
            return Err(Error::field("body", what));
        }
        let owner = selection.owner(caller)?;
        self.revoke_all(selection, owner, caller.actor(), "bulk", dry_run)
            .await
    }

    /// Revokes keys, everybody's, that were not used for a time, at most 1,000 in one call; a key that was never used counts
    /// from when it was made. The journal names the system as who did it. Two nodes that do so at once do no harm.
    ///
    /// Uses counted here are written down first. What another node has counted and not yet written down is not known
    /// here, so one flush interval ([`usage_interval`](super::super::SakmsBuilder::usage_interval), which has to be alike
    /// on all nodes) is added to `unused_for`: a key that is revoked was really idle for that long. One that was used for the
    /// first time again within the last interval can be among them.
    ///
    /// # Errors
    /// [`Error::Invalid`] for less than a second; [`Error::Contended`] and [`Error::Store`] as for
    /// [`Sakms::revoke_key`].
    #[tracing::instrument(name = "sakms.key.reap", skip_all)]
    pub async fn reap_unused(&self, unused_for: Duration, dry_run: bool) -> Result<Revoked, Error> {
        let selection = KeySelection {
            whose: Whose::Everybody,
            unused_for: Some(unused_for),
            ..KeySelection::default()
        };
        self.revoke_all(&selection, None, Actor::SYSTEM, "unused", dry_run)
            .await
    }

    async fn revoke_all(
        &self,
        selection: &KeySelection,
        owner: Option<Owner>,
        actor: Actor,
        detail: &'static str,
        dry_run: bool,
    ) -> Result<Revoked, Error> {
        let Inner {
            clock,
            rules,
            usage,
            ..
        } = &*self.inner;
        let states = match selection.state {
            Some(KeyState::Revoked) => return Ok(Revoked::default()),
            Some(state) => vec![state],
            None => REVOCABLE.to_vec(),
        };
        if selection.unused_for.is_some() {
            usage.flush().await?;
        }
        let now = clock.now();
        let filter = selection.filter(now, rules.usage_lag)?;
        let mut revocation = Revocation {
            owner,
            filter,
            actor,
            detail,
            dry_run,
        };
        let mut done = Revoked::default();
        for state in states {
            revocation.filter.state = Some((state, now));
            self.revoke_listed(&revocation, &mut done).await?;
            if done.more {
                break;
            }
        }
        Ok(done)
    }

    async fn revoke_listed(
        &self,
        revocation: &Revocation,
        done: &mut Revoked,
    ) -> Result<(), Error> {
        let mut query = KeyQuery::everybody();
        query.owner.clone_from(&revocation.owner);
        query.filter.clone_from(&revocation.filter);
        query.limit = KeyQuery::MAX_LIMIT;
        loop {
            let page = self.inner.keys.list(&query).await?;
            for key in &page.items {
                if done.keys.len() == MOST {
                    done.more = true;
                    return Ok(());
                }
                if revocation.dry_run || self.revoke_one(revocation, key.id).await? {
                    done.keys.push(key.id);
                }
            }
            query.before = page.items.last().map(|key| key.id);
            if !page.more {
                return Ok(());
            }
        }
    }

    /// Revokes a key if it is still one of those that are meant.
    async fn revoke_one(&self, revocation: &Revocation, id: KeyId) -> Result<bool, Error> {
        let Inner {
            keys, cache, clock, ..
        } = &*self.inner;
        let actor = revocation.actor.clone();
        let entry = self.entry(actor, Action::KEY_REVOKE, Subject::key(id))?;
        let entry = entry.with_detail(revocation.detail.to_owned());
        let _strike = Strike::key(cache, id);
        for _ in 0..TRIES {
            let found = keys.get(id).await?;
            let Some(key) = found.filter(|key| revocation.filter.matches(key)) else {
                return Ok(false);
            };
            let patch = KeyPatch::revoke(clock.now());
            match keys.update(id, key.revision, &patch, &entry).await {
                Err(error) if error.kind() == StoreErrorKind::Stale => {}
                outcome => return Ok(outcome.map(|_| true)?),
            }
        }
        Err(Error::Contended)
    }
}
