//! A key that is put an end to by its text alone.

use super::super::caller::Caller;
use super::super::error::Error;
use super::super::{Inner, Sakms};
use crate::hash::Share;
use crate::journal::{Action, Actor, Subject};
use crate::key::{KeyPatch, KeyRecord};
use crate::secret::PresentedKey;

impl Sakms {
    /// Revokes the key whose text this is, for good: who holds a key can always put an end to it (RFC 7009). The text is
    /// the proof; it needs no scope, and the key may be disabled, expired or used from anywhere. It is no use of the key.
    ///
    /// Gives whether there is such a key. A text that is none, one whose secret was replaced in a rotation that is over,
    /// and one whose key is revoked already change nothing.
    ///
    /// # Errors
    /// [`Error::Store`] and [`Error::Hash`] when it could not be done: the key may still stand, try again.
    #[tracing::instrument(name = "sakms.key.revoke_presented", skip_all)]
    pub async fn revoke_presented_key(&self, presented: &PresentedKey) -> Result<bool, Error> {
        let Some(key) = self.key_of(presented).await? else {
            return Ok(false);
        };
        let entry = self.entry(Actor::key(key.id), Action::KEY_REVOKE, Subject::key(key.id))?;
        let patch = KeyPatch::revoke(self.inner.clock.now());
        let owner = Caller::owner(key.owner);
        self.patch_key(&owner, key.id, &entry, |key| {
            Ok(key.revoked_at.is_none().then(|| patch.clone()))
        })
        .await?;
        Ok(true)
    }

    /// The key that a text proves, while its secret is in use and it is not revoked, whatever else keeps it from being let
    /// in anywhere.
    async fn key_of(&self, presented: &PresentedKey) -> Result<Option<KeyRecord>, Error> {
        let Inner {
            keys,
            format,
            hashes,
            clock,
            ..
        } = &*self.inner;
        let Ok(parsed) = format.parse(presented.expose()) else {
            return Ok(None);
        };
        let secret = parsed.secret.expose();
        let Some(found) = keys.find(parsed.id).await? else {
            hashes.verify_absent(Share::Keys, secret).await?;
            return Ok(None);
        };
        let retired = found.secret.retired_at.is_some_and(|at| at <= clock.now());
        if retired || found.key.revoked_at.is_some() {
            return Ok(None);
        }
        let proven = hashes
            .verify(Share::Keys, secret, &found.secret.hash)
            .await?;
        let of_this_world = *format.environment_of(&parsed) == found.key.environment;
        Ok((proven && of_this_world).then_some(found.key))
    }
}
