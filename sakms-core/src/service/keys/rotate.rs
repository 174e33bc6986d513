//! Rotation: a key gets another secret and stays the same key.
//!
//! For a while, the overlap, both secrets work, so that whoever uses the key can change over. The overlap can be ended
//! early, or the rotation taken back.

use std::time::Duration;

use super::super::cache::Strike;
use super::super::caller::Caller;
use super::super::error::Error;
use super::super::{Inner, Sakms};
use super::change::{alive, within};
use super::idempotency::Request;
use super::{CreatedKey, TRIES};
use crate::clock::Timestamp;
use crate::id::{KeyId, SecretId};
use crate::journal::{Action, Subject};
use crate::key::{KeyRecord, UsedSecret};
use crate::store::StoreErrorKind;

/// A key's secrets that work at a moment: one, or two while a rotation overlaps.
struct Working {
    newest: SecretId,
    /// The one whose time is running out.
    former: Option<SecretId>,
}

impl Working {
    fn of(secrets: &[UsedSecret], now: Timestamp) -> Option<Self> {
        let records = secrets.iter().map(|secret| &secret.record);
        let newest = records
            .clone()
            .rfind(|record| record.retired_at.is_none())?;
        let former = records
            .rev()
            .find(|record| record.retired_at.is_some_and(|end| end > now));
        Some(Self {
            newest: newest.id,
            former: former.map(|record| record.id),
        })
    }
}

impl Sakms {
    /// Gives a key another secret and its text. The one before works on until the overlap ends, and never longer than
    /// the key; with an overlap of zero it is refused at once. Without a word about it, the overlap is the service's
    /// ([`RotationOverlap`](super::RotationOverlap)).
    ///
    /// A caller that is a key may rotate no key that is more than itself: the text would be in its hands.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use sakms_core::key::MasterKey;
    /// # use sakms_core::entropy::OsEntropy;
    /// # use sakms_core::secret::PresentedKey;
    /// # use sakms_core::service::{Caller, NewKey, Requirement, Sakms};
    /// # use sakms_core::store::MemoryStore;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sakms = Sakms::builder(MemoryStore::new(), MasterKey::generate(&OsEntropy)?).build()?;
    /// let ada = Caller::owner("ada".parse()?);
    /// let created = sakms.create_key(&ada, NewKey::named("laptop".parse()?)).await?;
    /// let hour = Some(Duration::from_secs(3_600));
    /// let rotated = sakms.rotate_key(&ada, created.key.id, hour).await?;
    /// assert_eq!(rotated.key.id, created.key.id);
    ///
    /// // Both work, until the hour is over or the rotation is ended:
    /// let old = PresentedKey::new(created.text.expose().to_owned());
    /// assert!(sakms.verify(&old, &Requirement::any_key()).await?.is_granted());
    /// sakms.finish_rotation(&ada, created.key.id).await?;
    /// assert!(!sakms.verify(&old, &Requirement::any_key()).await?.is_granted());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::RotationInProgress`] while the overlap of an earlier rotation lasts, or when another one was faster;
    /// [`Error::KeyIsRevoked`] and [`Error::KeyIsExpired`]; [`Error::Invalid`] for an overlap above the maximum;
    /// [`Error::MissingScope`] and [`Error::BeyondCaller`] as for [`Sakms::create_key`]; else as for
    /// [`Sakms::update_key`].
    #[tracing::instrument(name = "sakms.key.rotate", skip_all, fields(key = %id))]
    pub async fn rotate_key(
        &self,
        caller: &Caller,
        id: KeyId,
        overlap: Option<Duration>,
    ) -> Result<CreatedKey, Error> {
        self.rotate(caller, id, overlap, None).await
    }

    pub(super) async fn rotate(
        &self,
        caller: &Caller,
        id: KeyId,
        overlap: Option<Duration>,
        request: Option<&Request>,
    ) -> Result<CreatedKey, Error> {
        let Inner {
            keys,
            cache,
            clock,
            rules,
            ..
        } = &*self.inner;
        let mut key = self.owned_key(caller, id).await?;
        let (ceiling, roles) = self.ceiling(caller, &key.roles).await?;
        let before = self.before_rotation(&key).await?;
        within(&ceiling, &roles, &key)?;
        rules.overlap.end(clock.now(), overlap, key.expires_at)?;
        // The dear part once, however often the key is changed meanwhile.
        let (secret, text) = self.mint(id, &key.environment).await?;
        let entry = self.entry(caller.actor(), Action::KEY_ROTATE, Subject::key(id))?;
        let record = request.map(|request| request.record(id, secret.id, secret.created_at));
        let (_strike, _absences) = (Strike::key(cache, id), Strike::absences(cache));
        for _ in 0..TRIES {
            let retire_at = rules.overlap.end(clock.now(), overlap, key.expires_at)?;
            let detail = format!("secret={} former_until={retire_at}", secret.id);
            let entry = entry.clone().with_detail(detail);
            let added = keys.add_secret(
                id,
                key.revision,
                &secret,
                retire_at,
                record.as_ref(),
                &entry,
            );
            match added.await {
                Err(error) if error.kind() == StoreErrorKind::Stale => {}
                outcome => return Ok(outcome.map(|key| CreatedKey { key, text })?),
            }
            key = self.owned_key(caller, id).await?;
            within(&ceiling, &roles, &key)?;
            // Whoever rotated it in between has told somebody the secret that this would retire.
            if self.before_rotation(&key).await? != before {
                return Err(Error::RotationInProgress);
            }
        }
        Err(Error::Contended)
    }

    /// Ends the overlap of a rotation now: the former secret is refused from here on.
    ///
    /// # Errors
    /// [`Error::NoRotation`] when none is in progress; else as for [`Sakms::revoke_key`].
    #[tracing::instrument(name = "sakms.key.rotation.finish", skip_all, fields(key = %id))]
    pub async fn finish_rotation(&self, caller: &Caller, id: KeyId) -> Result<KeyRecord, Error> {
        self.settle_rotation(caller, id, |newest, _| newest).await
    }

    /// Takes a rotation back: the new secret is refused from here on, and the former one stays.
    ///
    /// # Errors
    /// [`Error::NoRotation`] when none is in progress: after the overlap there is no way back; [`Error::MissingScope`]
    /// and [`Error::BeyondCaller`] as for [`Sakms::rotate_key`]; else as for [`Sakms::revoke_key`].
    #[tracing::instrument(name = "sakms.key.rotation.cancel", skip_all, fields(key = %id))]
    pub async fn cancel_rotation(&self, caller: &Caller, id: KeyId) -> Result<KeyRecord, Error> {
        let key = self.owned_key(caller, id).await?;
        let (ceiling, roles) = self.ceiling(caller, &key.roles).await?;
        within(&ceiling, &roles, &key)?;
        self.settle_rotation(caller, id, |_, former| former).await
    }

    async fn settle_rotation(
        &self,
        caller: &Caller,
        id: KeyId,
        choose: impl Fn(SecretId, SecretId) -> SecretId,
    ) -> Result<KeyRecord, Error> {
        let Inner {
            keys, cache, clock, ..
        } = &*self.inner;
        let entry = self.entry(caller.actor(), Action::KEY_KEEP_SECRET, Subject::key(id))?;
        let _strike = Strike::key(cache, id);
        for _ in 0..TRIES {
            // The key first: a secret that is added after this makes its revision another.
            let key = self.owned_key(caller, id).await?;
            let now = clock.now();
            let kept = match Working::of(&keys.secrets(id).await?, now) {
                Some(Working {
                    newest,
                    former: Some(former),
                }) => choose(newest, former),
                _ => return Err(Error::NoRotation),
            };
            let entry = entry.clone().with_detail(format!("secret={kept}"));
            match keys.keep_secret(id, key.revision, kept, now, &entry).await {
                Err(error) if error.kind() == StoreErrorKind::Stale => {}
                outcome => return Ok(outcome?),
            }
        }
        Err(Error::Contended)
    }

    /// Holds that a key, as it was read, can be rotated now. Gives the secret it has.
    async fn before_rotation(&self, key: &KeyRecord) -> Result<Option<SecretId>, Error> {
        let now = self.inner.clock.now();
        alive(key, now)?;
        let working = Working::of(&self.inner.keys.secrets(key.id).await?, now);
        match working {
            Some(Working {
                former: Some(_), ..
            }) => Err(Error::RotationInProgress),
            working => Ok(working.map(|working| working.newest)),
        }
    }
}
