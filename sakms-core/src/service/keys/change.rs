//! Changing keys.

use super::super::Sakms;
use super::super::caller::Caller;
use super::super::error::Error;
use super::ceiling::{Ceiling, Policy};
use super::roles::{Roles, known};
use crate::clock::Timestamp;
use crate::id::KeyId;
use crate::journal::{Action, Subject};
use crate::key::{
    KeyName, KeyPatch, KeyRecord, KeyState, Limits, Metadata, RoleSet, ScopeSet, TagSet,
};

/// A change that an owner makes to a key. What is `None` stays.
///
/// ```
/// # use sakms_core::service::KeyChange;
/// let mut change = KeyChange::default();
/// change.scopes = Some("reports:read".parse()?);
/// change.expires_at = Some(None); // never
/// # Ok::<(), sakms_core::key::InvalidScope>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyChange {
    /// Another name.
    pub name: Option<KeyName>,
    /// Other scopes, in place of all there are.
    pub scopes: Option<ScopeSet>,
    /// Other roles, in place of all there are.
    pub roles: Option<RoleSet>,
    /// Other limits, in place of all there are.
    pub limits: Option<Limits>,
    /// Other tags, in place of all there are.
    pub tags: Option<TagSet>,
    /// Other metadata.
    pub metadata: Option<Metadata>,
    /// Another beginning, or none any more.
    pub not_before: Option<Option<Timestamp>>,
    /// Another expiry, or none any more.
    pub expires_at: Option<Option<Timestamp>>,
}

impl KeyChange {
    /// A change of the name, the metadata, both or neither.
    #[must_use]
    pub fn new(name: Option<KeyName>, metadata: Option<Metadata>) -> Self {
        Self {
            name,
            metadata,
            ..Self::default()
        }
    }

    /// Whether it is about what the key may do, and not only about how it is called and found.
    const fn is_of_policy(&self) -> bool {
        self.scopes.is_some() || self.roles.is_some() || self.limits.is_some() || self.is_of_times()
    }

    const fn is_of_times(&self) -> bool {
        self.not_before.is_some() || self.expires_at.is_some()
    }

    fn patch(&self) -> KeyPatch {
        let Self {
            name,
            scopes,
            roles,
            limits,
            tags,
            metadata,
            not_before,
            expires_at,
        } = self.clone();
        KeyPatch {
            name,
            scopes,
            roles,
            limits,
            tags,
            metadata,
            not_before,
            expires_at,
            ..KeyPatch::default()
        }
    }

    /// The names of the fields it sets, for the journal.
    fn fields(&self) -> String {
        let set = [
            ("name", self.name.is_some()),
            ("scopes", self.scopes.is_some()),
            ("roles", self.roles.is_some()),
            ("limits", self.limits.is_some()),
            ("tags", self.tags.is_some()),
            ("metadata", self.metadata.is_some()),
            ("not_before", self.not_before.is_some()),
            ("expires_at", self.expires_at.is_some()),
        ];
        let set = set.into_iter().filter(|(_, set)| *set);
        set.map(|(name, _)| name).collect::<Vec<_>>().join(",")
    }
}

impl Sakms {
    /// Changes one of the keys that the caller may manage, and gives it as it is now.
    ///
    /// What a key may do ends for good when it is revoked or has expired: its scopes, roles, limits and times are not
    /// changed after that. A caller that is a key may change these of no key that is then more than itself
    /// ([`Sakms::create_key`] says what that means); names, tags and metadata of every key of its owner.
    ///
    /// # Errors
    /// As for [`Sakms::get_key`] and [`Sakms::create_key`]; [`Error::KeyIsRevoked`] and [`Error::KeyIsExpired`];
    /// [`Error::Contended`] when others keep changing it at the same time.
    #[tracing::instrument(name = "sakms.key.update", skip_all, fields(key = %id))]
    pub async fn update_key(
        &self,
        caller: &Caller,
        id: KeyId,
        change: KeyChange,
    ) -> Result<KeyRecord, Error> {
        let patch = change.patch();
        if patch.is_empty() {
            return self.get_key(caller, id).await;
        }
        let limits = change.limits.as_ref().map_or(Ok(()), Limits::check);
        limits.map_err(|error| Error::field("limits", error))?;
        let entry = self.entry(caller.actor(), Action::KEY_UPDATE, Subject::key(id))?;
        let entry = entry.with_detail(format!("fields={}", change.fields()));
        if !change.is_of_policy() {
            let always = |_: &KeyRecord| Ok(Some(patch.clone()));
            return self.patch_key(caller, id, &entry, always).await;
        }
        // Whose it is comes first: what else is wrong with the request is nobody else's business.
        let held = self.owned_key(caller, id).await?.roles;
        let wanted = change.roles.clone().unwrap_or(held);
        let (ceiling, roles) = self.ceiling(caller, &wanted).await?;
        change
            .roles
            .as_ref()
            .map_or(Ok(()), |wanted| known(&roles, wanted))?;
        self.patch_key(caller, id, &entry, |key| {
            let now = self.inner.clock.now();
            alive(key, now)?;
            let mut changed = key.clone();
            patch.apply(&mut changed);
            within(&ceiling, &roles, &changed)?;
            if change.is_of_times() {
                let (start, end) = (changed.not_before, changed.expires_at);
                let lifetimes = &self.inner.rules.lifetimes;
                lifetimes.check(now, key.created_at, start, end)?;
            }
            Ok(Some(patch.clone()))
        })
        .await
    }
}

/// Holds that a key is not over for good.
pub(super) fn alive(key: &KeyRecord, now: Timestamp) -> Result<(), Error> {
    match KeyState::of(key, now) {
        KeyState::Revoked => Err(Error::KeyIsRevoked),
        _ if key.expires_at.is_some_and(|end| end <= now) => Err(Error::KeyIsExpired),
        _ => Ok(()),
    }
}

/// Holds a key as it is to be against what the caller is.
pub(super) fn within(ceiling: &Ceiling, roles: &Roles, key: &KeyRecord) -> Result<(), Error> {
    ceiling.check(&Policy {
        scopes: &roles.scopes_with(&key.scopes, &key.roles),
        environment: &key.environment,
        begins_at: key
            .not_before
            .map_or(key.created_at, |start| start.max(key.created_at)),
        expires_at: key.expires_at,
        limits: &key.limits,
    })
}
