//! A new secret.

use super::super::{Inner, Sakms};
use crate::entropy;
use crate::hash::Share;
use crate::id::{KeyId, SecretId};
use crate::key::{Environment, SecretRecord};
use crate::secret::{KeySecret, NewKeyText};
use crate::service::error::Error;

impl Sakms {
    /// Draws a secret for a key, hashes it, and gives what is stored of it, and its text.
    pub(super) async fn mint(
        &self,
        key: KeyId,
        environment: &Environment,
    ) -> Result<(SecretRecord, NewKeyText), Error> {
        let Inner {
            format,
            hashes,
            clock,
            entropy,
            ..
        } = &*self.inner;
        let id = SecretId::generate(clock.as_ref(), entropy.as_ref())?;
        let secret = KeySecret::new(entropy::draw(entropy.as_ref())?);
        let minted = format
            .mint(environment, id, &secret)
            .map_err(|_| Error::field("environment", "this service has no such environment"))?;
        let hash = hashes.hash(Share::Keys, secret.expose()).await?;
        let record = SecretRecord::new(id, key, hash, minted.shown_prefix, clock.now());
        Ok((record, minted.text))
    }
}
