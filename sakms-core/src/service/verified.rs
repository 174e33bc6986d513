//! What a handler may know of the key that a guard let through.

use std::sync::Arc;

use super::cache::KeyInUse;
use super::limit::Standing;
use crate::clock::Timestamp;
use crate::id::{KeyId, SecretId};
use crate::key::{Environment, KeyName, Metadata, Owner, RoleName, ScopeSet};

/// A key that passed: what a handler may know of it.
#[derive(Debug, Clone)]
pub struct VerifiedKey(
    Arc<KeyInUse>,
    /// Nothing, for most keys.
    Option<Arc<Standing>>,
);

impl VerifiedKey {
    pub(super) const fn new(key: Arc<KeyInUse>) -> Self {
        Self(key, None)
    }

    pub(super) fn standing_so(key: Arc<KeyInUse>, standing: Standing) -> Self {
        Self(key, Some(Arc::new(standing)))
    }

    pub(super) const fn in_use(&self) -> &Arc<KeyInUse> {
        &self.0
    }

    /// How its limits stand after this request, and whether its secret is about to retire; `None` for a key of which there is
    /// nothing to say.
    #[must_use]
    pub fn standing(&self) -> Option<&Standing> {
        self.1.as_deref()
    }

    /// Which key.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.0.known.key
    }

    /// Which of its secrets.
    #[must_use]
    pub fn secret_id(&self) -> SecretId {
        self.0.known.secret
    }

    /// Who holds it.
    #[must_use]
    pub fn owner(&self) -> &Owner {
        &self.0.known.owner
    }

    /// What its owner calls it.
    #[must_use]
    pub fn name(&self) -> &KeyName {
        &self.0.known.name
    }

    /// Which environment it opens.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.0.known.policy.environment
    }

    /// What it may do, by itself and by its roles.
    #[must_use]
    pub fn scopes(&self) -> &ScopeSet {
        &self.0.known.policy.scopes
    }

    /// What it may do by itself.
    #[must_use]
    pub fn own_scopes(&self) -> &ScopeSet {
        let particulars = self.0.particulars();
        particulars.map_or(&self.0.known.policy.scopes, |particulars| {
            &particulars.own_scopes
        })
    }

    /// Which roles it holds.
    pub fn roles(&self) -> impl Iterator<Item = &RoleName> {
        let particulars = self.0.particulars().into_iter();
        particulars.flat_map(|particulars| particulars.roles.iter())
    }

    /// What is kept with it.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        self.0.known.metadata()
    }

    /// From when on it will be refused.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.0.known.expires_at
    }
}
