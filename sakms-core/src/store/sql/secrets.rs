//! The secrets of a key.

use super::SqlStore;
use super::backend::{Backend, Lane, Session};
use super::fault::Failure;
use super::keys::{key_at, replace_key};
use super::records;
use super::retry::Change;
use super::texts;
use crate::clock::Timestamp;
use crate::id::{KeyId, SecretId};
use crate::key::{KeyRecord, Revision, SecretRecord, UsedSecret};
use crate::secret::StoredHash;
use crate::store::{IdempotencyRecord, StoreError, StoreErrorKind};

impl<B: Backend> SqlStore<B> {
    /// A key's secrets, the oldest first.
    pub(super) async fn secrets_of(&self, key: KeyId) -> Result<Vec<UsedSecret>, StoreError> {
        let id = [key.as_bytes().into()];
        let (text, read) = (texts::SECRETS, records::read_used_secret);
        let mut secrets = self.rows("secrets", Lane::Manage, text, &id, read).await?;
        // Of two that were made at one moment, the one that retires is the older one, as it is after a rotation.
        secrets.sort_by_key(|UsedSecret { record, .. }| {
            (record.created_at, record.retired_at.is_none(), record.id)
        });
        Ok(secrets)
    }
}

pub(super) struct AddSecret<'a> {
    pub(super) key: KeyId,
    pub(super) expected: Revision,
    pub(super) secret: &'a SecretRecord,
    pub(super) retire_others_at: Timestamp,
    pub(super) idempotency: Option<&'a IdempotencyRecord>,
}

impl<S: Session> Change<S> for AddSecret<'_> {
    type Output = KeyRecord;

    async fn apply(&self, session: &mut S) -> Result<KeyRecord, Failure> {
        let mut key = key_at(session, self.key, self.expected).await?;
        key.shown_prefix.clone_from(&self.secret.shown_prefix);
        key.revision = key.revision.next();
        replace_key(session, &key, self.expected).await?;

        retire_all(session, self.key, self.retire_others_at).await?;
        let secret = records::write_secret(self.secret)?;
        session.execute(texts::ADD_SECRET, &secret).await?;
        if let Some(record) = self.idempotency {
            let request = records::write_request(record);
            session.execute(texts::ADD_REQUEST, &request).await?;
        }
        Ok(key)
    }
}

pub(super) struct KeepSecret {
    pub(super) key: KeyId,
    pub(super) expected: Revision,
    pub(super) kept: SecretId,
    pub(super) retire_others_at: Timestamp,
}

impl<S: Session> Change<S> for KeepSecret {
    type Output = KeyRecord;

    async fn apply(&self, session: &mut S) -> Result<KeyRecord, Failure> {
        let mut key = key_at(session, self.key, self.expected).await?;
        let kept = [self.kept.as_bytes().into(), self.key.as_bytes().into()];
        let row = session.fetch(texts::SHOWN_PREFIX, &kept).await?.pop();
        let row = row.ok_or(Failure::is(StoreErrorKind::NotFound))?;
        key.shown_prefix = records::read_shown_prefix(row, self.kept)?;
        key.revision = key.revision.next();
        replace_key(session, &key, self.expected).await?;

        retire_all(session, self.key, self.retire_others_at).await?;
        session.execute(texts::KEEP_SECRET, &kept).await?;
        Ok(key)
    }
}

/// Retires those of a key's secrets that would retire later or never.
async fn retire_all<S: Session>(session: &mut S, key: KeyId, at: Timestamp) -> Result<(), Failure> {
    let values = [at.into(), key.as_bytes().into(), at.into()];
    session.execute(texts::RETIRE_SECRETS, &values).await?;
    Ok(())
}

pub(super) struct ReplaceHash<'a> {
    pub(super) secret: SecretId,
    pub(super) expected: &'a StoredHash,
    pub(super) new: &'a StoredHash,
}

impl<S: Session> Change<S> for ReplaceHash<'_> {
    type Output = ();

    async fn apply(&self, session: &mut S) -> Result<(), Failure> {
        let id = self.secret.as_bytes();
        let row = session.fetch(texts::HASH, &[id.into()]).await?.pop();
        let row = row.ok_or(Failure::is(StoreErrorKind::NotFound))?;
        // Compared here, to the byte, and in the statement, where nobody comes in between.
        if records::read_hash(row, self.secret)? != *self.expected {
            return Err(Failure::is(StoreErrorKind::Stale));
        }
        let (new, old) = (records::hash(self.new)?, records::hash(self.expected)?);
        match session
            .execute(texts::CHANGE_HASH, &[new, id.into(), old])
            .await?
        {
            0 => Err(Failure::is(StoreErrorKind::Stale)),
            _ => Ok(()),
        }
    }
}
