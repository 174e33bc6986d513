//! Switching keys off and on, and revoking them.

use super::super::Sakms;
use super::super::caller::Caller;
use super::super::error::Error;
use super::change::within;
use crate::id::KeyId;
use crate::journal::{Action, Subject};
use crate::key::{KeyPatch, KeyRecord};

impl Sakms {
    /// Switches a key off: it is refused from now on, until it is switched on again. One that is off stays as it is.
    ///
    /// When this returns `Ok`, it is stored and in force on this node.
    ///
    /// # Errors
    /// As for [`Sakms::revoke_key`].
    #[tracing::instrument(name = "sakms.key.disable", skip_all, fields(key = %id))]
    pub async fn disable_key(&self, caller: &Caller, id: KeyId) -> Result<KeyRecord, Error> {
        let patch = KeyPatch {
            disabled_at: Some(Some(self.inner.clock.now())),
            ..KeyPatch::default()
        };
        let entry = self.entry(caller.actor(), Action::KEY_DISABLE, Subject::key(id))?;
        self.patch_key(caller, id, &entry, |key| {
            Ok(key.disabled_at.is_none().then(|| patch.clone()))
        })
        .await
    }

    /// Switches a key on again. One that is on stays as it is. A caller that is a key may switch on no key that is more
    /// than itself.
    ///
    /// # Errors
    /// As for [`Sakms::revoke_key`]; [`Error::KeyIsRevoked`] for a key that is revoked, which is for good;
    /// [`Error::MissingScope`] and [`Error::BeyondCaller`] as for [`Sakms::create_key`].
    #[tracing::instrument(name = "sakms.key.enable", skip_all, fields(key = %id))]
    pub async fn enable_key(&self, caller: &Caller, id: KeyId) -> Result<KeyRecord, Error> {
        let patch = KeyPatch {
            disabled_at: Some(None),
            ..KeyPatch::default()
        };
        let entry = self.entry(caller.actor(), Action::KEY_ENABLE, Subject::key(id))?;
        let held = self.owned_key(caller, id).await?.roles;
        let (ceiling, roles) = self.ceiling(caller, &held).await?;
        self.patch_key(caller, id, &entry, |key| {
            if key.revoked_at.is_some() {
                return Err(Error::KeyIsRevoked);
            }
            if key.disabled_at.is_none() {
                return Ok(None);
            }
            within(&ceiling, &roles, key)?;
            Ok(Some(patch.clone()))
        })
        .await
    }

    /// Revokes one of the keys that the caller may manage, for good. A key that is revoked already stays as it is.
    ///
    /// When this returns `Ok`, the revocation is stored and in force on this node.
    ///
    /// # Errors
    /// As for [`Sakms::get_key`], and [`Error::Contended`] when others keep changing it at the same time. After an
    /// error, the key may still stand: try again.
    #[tracing::instrument(name = "sakms.key.revoke", skip_all, fields(key = %id))]
    pub async fn revoke_key(&self, caller: &Caller, id: KeyId) -> Result<KeyRecord, Error> {
        let patch = KeyPatch::revoke(self.inner.clock.now());
        let entry = self.entry(caller.actor(), Action::KEY_REVOKE, Subject::key(id))?;
        self.patch_key(caller, id, &entry, |key| {
            Ok(key.revoked_at.is_none().then(|| patch.clone()))
        })
        .await
    }

    /// Revokes the key that asks for it. It needs no scope: who holds a key can always put an end to it.
    ///
    /// # Errors
    /// [`Error::KeyOnly`] when the caller is no key; else as for [`Sakms::revoke_key`].
    pub async fn revoke_current_key(&self, caller: &Caller) -> Result<KeyRecord, Error> {
        let id = caller.require_key()?;
        self.revoke_key(caller, id).await
    }
}
