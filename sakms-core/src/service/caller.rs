//! Who makes a management request.

use std::sync::Arc;

use super::error::Error;
use super::verified::VerifiedKey;
use crate::id::{KeyId, SessionId};
use crate::journal::Actor;
use crate::key::{Owner, Scope};
use crate::token::Claims;

/// Who makes a management request, and what they may do.
///
/// A host that has users of its own puts one into the extensions of a request, from a middleware of its own:
/// `request.extensions_mut().insert(Caller::owner(owner))`.
#[derive(Debug, Clone)]
pub struct Caller {
    owner: Owner,
    key: Option<VerifiedKey>,
    claims: Option<Arc<Claims>>,
    admin: bool,
}

impl Caller {
    /// Somebody who is signed in, or for whom the host answers: everything is allowed, on this owner's keys.
    #[must_use]
    pub const fn owner(owner: Owner) -> Self {
        Self {
            owner,
            key: None,
            claims: None,
            admin: false,
        }
    }

    /// Somebody who may see and change what is everybody's, besides what is their own.
    #[must_use]
    pub const fn admin(owner: Owner) -> Self {
        Self {
            owner,
            key: None,
            claims: None,
            admin: true,
        }
    }

    /// A key that manages its owner's keys: it may do what its scopes say, and hand on no more than it has.
    #[must_use]
    pub fn key(key: VerifiedKey) -> Self {
        Self {
            owner: key.owner().clone(),
            key: Some(key),
            claims: None,
            // Whoever holds a key of an admin is no admin.
            admin: false,
        }
    }

    /// The same, known by a token that says this.
    #[must_use]
    pub fn known_by(mut self, claims: Claims) -> Self {
        self.claims = Some(Arc::new(claims));
        self
    }

    /// What their token says, if it is a token that they are known by.
    #[must_use]
    pub fn claims(&self) -> Option<&Claims> {
        self.claims.as_deref()
    }

    /// Which session their token belongs to, if it belongs to one.
    #[must_use]
    pub fn session(&self) -> Option<SessionId> {
        self.claims()?.session()
    }

    /// Holds that they are known by a token: neither by a key nor by a host's word.
    ///
    /// # Errors
    /// [`Error::TokenOnly`] when they are not.
    pub fn require_token(&self) -> Result<(), Error> {
        match self.claims {
            Some(_) => Ok(()),
            None => Err(Error::TokenOnly),
        }
    }

    /// The key, if it is a key that asks.
    #[must_use]
    pub const fn verified_key(&self) -> Option<&VerifiedKey> {
        self.key.as_ref()
    }

    /// Whose keys are managed.
    #[must_use]
    pub const fn owner_name(&self) -> &Owner {
        &self.owner
    }

    /// Whether they may see and change what is everybody's.
    #[must_use]
    pub const fn is_admin(&self) -> bool {
        self.admin
    }

    /// Whether what `owner` holds is theirs to see and to change.
    #[must_use]
    pub fn may_manage(&self, owner: &Owner) -> bool {
        self.admin || self.owner == *owner
    }

    /// Holds that they may see and change what is everybody's.
    ///
    /// # Errors
    /// [`Error::AdminOnly`] when they may not.
    pub const fn require_admin(&self) -> Result<(), Error> {
        if self.admin {
            Ok(())
        } else {
            Err(Error::AdminOnly)
        }
    }

    /// The key that asks, if it is one.
    #[must_use]
    pub fn key_id(&self) -> Option<KeyId> {
        self.key.as_ref().map(VerifiedKey::key_id)
    }

    /// Holds that it is a key that asks, and gives which.
    ///
    /// # Errors
    /// [`Error::KeyOnly`] when it is none.
    pub fn require_key(&self) -> Result<KeyId, Error> {
        self.key_id().ok_or(Error::KeyOnly)
    }

    /// How the journal names them.
    #[must_use]
    pub fn actor(&self) -> Actor {
        self.key
            .as_ref()
            .map_or_else(|| Actor::owner(&self.owner), |key| Actor::key(key.key_id()))
    }

    /// Whether they may do what needs `scope`.
    ///
    /// # Errors
    /// [`Error::MissingScope`] when they are a key that does not hold it.
    pub fn require(&self, scope: &Scope) -> Result<(), Error> {
        match &self.key {
            Some(key) if !key.scopes().grants(scope) => Err(Error::MissingScope(scope.clone())),
            _ => Ok(()),
        }
    }
}
