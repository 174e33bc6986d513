//! Making keys.

use super::super::cache::Strike;
use super::super::caller::Caller;
use super::super::error::Error;
use super::super::{Inner, Sakms};
use super::CreatedKey;
use super::ceiling::Policy;
use super::idempotency::Request;
use super::roles::known;
use crate::clock::Timestamp;
use crate::id::KeyId;
use crate::journal::{Action, Subject};
use crate::key::{
    Environment, KeyName, KeyRecord, Limits, Metadata, Owner, RoleSet, ScopeSet, TagSet,
};
use crate::store::{Conditions, StoreErrorKind};

/// What a new key shall be. Everything has a default.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct NewKey {
    /// What to call it.
    pub name: KeyName,
    /// Who shall hold it; the caller's owner, when nobody is named. Another owner is for admins to name.
    pub owner: Option<Owner>,
    /// What it may do; nothing but to be known, when empty.
    pub scopes: ScopeSet,
    /// Which roles it holds. Each must be there.
    pub roles: RoleSet,
    /// How much it may be used, and from where; as the key that makes it, or without limits, when nothing is said.
    pub limits: Option<Limits>,
    /// By what it is found again.
    pub tags: TagSet,
    /// Which environment it opens; the one of the key that makes it, or the service's first one, when none is named.
    pub environment: Option<Environment>,
    /// Before when it is refused; it is good from the beginning, when nothing is said.
    pub not_before: Option<Timestamp>,
    /// From when on it is refused. When nothing is said: after the default lifetime
    /// ([`KeyLifetimes`](super::KeyLifetimes)), or when the key that makes it is, whichever is sooner; else never.
    pub expires_at: Option<Timestamp>,
    /// What to keep with it.
    pub metadata: Metadata,
}

impl NewKey {
    /// A key with a name and nothing else said.
    #[must_use]
    pub fn named(name: KeyName) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }
}

impl Sakms {
    /// Makes a key.
    ///
    /// A caller that is a key makes none that is more than itself: no scope that it lacks (those of roles count on both
    /// sides, as the roles are now), no longer life and no earlier beginning, no other environment, no laxer limits.
    ///
    /// # Errors
    /// [`Error::Invalid`] for times that do not fit, a role or an environment that there is not;
    /// [`Error::AdminOnly`] when another owner is named by somebody who is no admin;
    /// [`Error::MissingScope`] and [`Error::BeyondCaller`] when the caller is a key and asks for more than it has;
    /// [`Error::TooManyKeys`] when the owner has as many as they may;
    /// [`Error::Store`] and [`Error::Hash`] when it could not be done.
    #[tracing::instrument(name = "sakms.key.create", skip_all)]
    pub async fn create_key(&self, caller: &Caller, new: NewKey) -> Result<CreatedKey, Error> {
        self.create(caller, new, None).await
    }

    /// The same, with what shall stand for the request, when it is to be known again.
    pub(super) async fn create(
        &self,
        caller: &Caller,
        new: NewKey,
        request: Option<&Request>,
    ) -> Result<CreatedKey, Error> {
        let Inner {
            keys,
            format,
            cache,
            clock,
            entropy,
            rules,
            ..
        } = &*self.inner;
        let owner = match new.owner {
            None => caller.owner_name().clone(),
            Some(owner) if caller.may_manage(&owner) => owner,
            Some(_) => return Err(Error::AdminOnly),
        };
        let (ceiling, roles) = self.ceiling(caller, &new.roles).await?;
        known(&roles, &new.roles)?;
        let now = clock.now();
        let parent = ceiling.key();
        let limits = new.limits.or_else(|| parent.map(|key| key.limits.clone()));
        let limits = limits.unwrap_or_default();
        limits
            .check()
            .map_err(|error| Error::field("limits", error))?;
        let environment = new
            .environment
            .or_else(|| parent.map(|key| key.environment.clone()))
            .unwrap_or_else(|| format.environments()[0].clone());
        let latest = parent.and_then(|key| key.expires_at);
        let expires_at = rules.lifetimes.expiry(now, new.expires_at, latest)?;
        ceiling.check(&Policy {
            scopes: &roles.scopes_with(&new.scopes, &new.roles),
            environment: &environment,
            begins_at: new.not_before.map_or(now, |start| start.max(now)),
            expires_at,
            limits: &limits,
        })?;
        rules
            .lifetimes
            .check(now, now, new.not_before, expires_at)?;

        let key_id = KeyId::generate(clock.as_ref(), entropy.as_ref())?;
        let (secret, text) = self.mint(key_id, &environment).await?;
        let mut key = KeyRecord::new(key_id, owner, environment, secret.created_at);
        key.name = new.name;
        key.scopes = new.scopes;
        key.roles = new.roles;
        key.limits = limits;
        key.tags = new.tags;
        key.metadata = new.metadata;
        key.not_before = new.not_before;
        key.expires_at = expires_at;
        key.shown_prefix.clone_from(&secret.shown_prefix);
        let entry = self.entry(caller.actor(), Action::KEY_CREATE, Subject::key(key_id))?;
        let entry = entry.with_detail(format!("owner={} secret={}", key.owner, secret.id));
        let mut conditions = Conditions::NONE;
        conditions.most_per_owner = rules.most_per_owner.map(std::num::NonZeroU32::get);
        conditions.idempotency = request.map(|request| request.record(key_id, secret.id, now));
        let _strike = Strike::absences(cache);
        match keys.insert(&key, &secret, &conditions, &entry).await {
            Err(error) if error.kind() == StoreErrorKind::LimitReached => Err(Error::TooManyKeys),
            outcome => Ok(outcome.map(|()| CreatedKey { key, text })?),
        }
    }
}
