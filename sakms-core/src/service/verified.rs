//! What a handler may know of the key that a guard let through.

use std::sync::Arc;

use super::cache::KnownKey;
use crate::clock::Timestamp;
use crate::id::{KeyId, SecretId};
use crate::key::{Environment, KeyName, Metadata, Owner, ScopeSet};

/// A key that passed: what a handler may know of it.
#[derive(Debug, Clone)]
pub struct VerifiedKey(Arc<KnownKey>);

impl VerifiedKey {
    pub(super) const fn new(known: Arc<KnownKey>) -> Self {
        Self(known)
    }

    pub(super) const fn known(&self) -> &Arc<KnownKey> {
        &self.0
    }

    /// Which key.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.0.key
    }

    /// Which of its secrets.
    #[must_use]
    pub fn secret_id(&self) -> SecretId {
        self.0.secret
    }

    /// Who holds it.
    #[must_use]
    pub fn owner(&self) -> &Owner {
        &self.0.owner
    }

    /// What its owner calls it.
    #[must_use]
    pub fn name(&self) -> &KeyName {
        &self.0.name
    }

    /// Which environment it opens.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.0.environment
    }

    /// What it may do.
    #[must_use]
    pub fn scopes(&self) -> &ScopeSet {
        &self.0.scopes
    }

    /// What is kept with it.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.0.metadata
    }

    /// From when on it will be refused.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.0.expires_at
    }
}
