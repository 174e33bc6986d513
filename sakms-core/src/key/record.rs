//! The records of keys and secrets, as a store keeps them.

use super::field::{KeyName, Metadata, Owner, Revision};
use super::limits::Limits;
use super::names::{RoleSet, TagSet};
use super::scope::ScopeSet;
use super::word::Environment;
use crate::clock::Timestamp;
use crate::id::{KeyId, SecretId};
use crate::secret::StoredHash;

/// A key: who holds it, what it may do and whether it still may.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyRecord {
    /// The key's name for ever.
    pub id: KeyId,
    /// Who holds it. Never changes.
    pub owner: Owner,
    /// What the owner calls it.
    pub name: KeyName,
    /// Which environment it opens. Never changes: it stands in the key text.
    pub environment: Environment,
    /// The newest secret's text up to the first characters of its id, for lists.
    pub shown_prefix: String,
    /// What it may do.
    pub scopes: ScopeSet,
    /// Which roles it holds: it may do as well what their scopes say, as they are at the time.
    pub roles: RoleSet,
    /// How much it may be used, and from where.
    pub limits: Limits,
    /// By what it is found again.
    pub tags: TagSet,
    /// What the host or the owner keeps with it.
    pub metadata: Metadata,
    /// When it was made.
    pub created_at: Timestamp,
    /// Before when it is refused; from the beginning it is good, when there is none.
    pub not_before: Option<Timestamp>,
    /// From when on it is refused; never, when there is none.
    pub expires_at: Option<Timestamp>,
    /// Since when it is switched off; it can be switched on again.
    pub disabled_at: Option<Timestamp>,
    /// Since when it is revoked; that is final.
    pub revoked_at: Option<Timestamp>,
    /// When one of its secrets was last used, as far as the store knows. Lags behind by the flush interval.
    pub last_used_at: Option<Timestamp>,
    /// Which version of the record this is.
    pub revision: Revision,
}

impl KeyRecord {
    /// A new record with the fields that never change; the others start empty and can be set.
    #[must_use]
    pub fn new(id: KeyId, owner: Owner, environment: Environment, created_at: Timestamp) -> Self {
        Self {
            id,
            owner,
            environment,
            created_at,
            name: KeyName::default(),
            shown_prefix: String::new(),
            scopes: ScopeSet::default(),
            roles: RoleSet::default(),
            limits: Limits::default(),
            tags: TagSet::default(),
            metadata: Metadata::default(),
            not_before: None,
            expires_at: None,
            disabled_at: None,
            revoked_at: None,
            last_used_at: None,
            revision: Revision::FIRST,
        }
    }

    /// Whether it is one of the keys of which an owner may have only so many: it is not revoked, and not expired at
    /// this moment ([`Conditions`](crate::store::Conditions)).
    #[must_use]
    pub fn counts_at(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// One printable credential of a key. Of the secret itself only the hash is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretRecord {
    /// The id in the key text.
    pub id: SecretId,
    /// Which key it belongs to.
    pub key: KeyId,
    /// The proof of the secret.
    pub hash: StoredHash,
    /// What lists show of its text.
    pub shown_prefix: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused because another took its place.
    pub retired_at: Option<Timestamp>,
}

impl SecretRecord {
    /// A secret that is not retired.
    #[must_use]
    pub const fn new(
        id: SecretId,
        key: KeyId,
        hash: StoredHash,
        shown_prefix: String,
        created_at: Timestamp,
    ) -> Self {
        Self {
            id,
            key,
            hash,
            shown_prefix,
            created_at,
            retired_at: None,
        }
    }
}

/// What a check finds under a secret's id.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredSecret {
    /// The key it belongs to.
    pub key: KeyRecord,
    /// The secret.
    pub secret: SecretRecord,
    /// Since when its owner is disabled, with everything they hold.
    pub owner_disabled_at: Option<Timestamp>,
}

impl StoredSecret {
    /// A secret with its key and the state of its owner.
    #[must_use]
    pub const fn new(
        key: KeyRecord,
        secret: SecretRecord,
        owner_disabled_at: Option<Timestamp>,
    ) -> Self {
        Self {
            key,
            secret,
            owner_disabled_at,
        }
    }
}

/// A change to a key. A field that is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyPatch {
    /// Another name.
    pub name: Option<KeyName>,
    /// Other scopes.
    pub scopes: Option<ScopeSet>,
    /// Other roles.
    pub roles: Option<RoleSet>,
    /// Other limits.
    pub limits: Option<Limits>,
    /// Other tags.
    pub tags: Option<TagSet>,
    /// Other metadata.
    pub metadata: Option<Metadata>,
    /// Another beginning, or none any more.
    pub not_before: Option<Option<Timestamp>>,
    /// Another expiry, or none any more.
    pub expires_at: Option<Option<Timestamp>>,
    /// Switched off since then, or on again.
    pub disabled_at: Option<Option<Timestamp>>,
    /// Revoked since then. There is no way back.
    pub revoked_at: Option<Timestamp>,
}

impl KeyPatch {
    /// The change that revokes a key.
    #[must_use]
    pub fn revoke(at: Timestamp) -> Self {
        Self {
            revoked_at: Some(at),
            ..Self::default()
        }
    }

    /// The change that gives a key another name.
    #[must_use]
    pub fn rename(name: KeyName) -> Self {
        Self {
            name: Some(name),
            ..Self::default()
        }
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Makes the change on `record` and counts its revision up.
    ///
    /// Every store applies a patch through this, so that they cannot differ. A key that is revoked keeps the
    /// moment it was first revoked.
    pub fn apply(&self, record: &mut KeyRecord) {
        fn set<T: Clone>(field: &mut T, value: Option<&T>) {
            if let Some(value) = value {
                field.clone_from(value);
            }
        }
        set(&mut record.name, self.name.as_ref());
        set(&mut record.scopes, self.scopes.as_ref());
        set(&mut record.roles, self.roles.as_ref());
        set(&mut record.limits, self.limits.as_ref());
        set(&mut record.tags, self.tags.as_ref());
        set(&mut record.metadata, self.metadata.as_ref());
        set(&mut record.not_before, self.not_before.as_ref());
        set(&mut record.expires_at, self.expires_at.as_ref());
        set(&mut record.disabled_at, self.disabled_at.as_ref());
        record.revoked_at = record.revoked_at.or(self.revoked_at);
        record.revision = record.revision.next();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revocation_cannot_be_moved_or_taken_back() {
        let at = |micros| Timestamp::from_micros(micros).unwrap();
        let owner = "o".parse().unwrap();
        let mut record = KeyRecord::new(
            KeyId::from_bytes([1; 16]),
            owner,
            Environment::live(),
            at(1),
        );
        KeyPatch::revoke(at(5)).apply(&mut record);
        KeyPatch::revoke(at(9)).apply(&mut record);
        KeyPatch::rename(KeyName::default()).apply(&mut record);
        assert_eq!(record.revoked_at, Some(at(5)));
        assert_eq!(record.revision, Revision::new(4));
    }
}
