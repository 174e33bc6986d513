//! Adding keys and changing them.

use super::backend::{Backend, Session};
use super::fault::Failure;
use super::records;
use super::retry::Change;
use super::row::Columns;
use super::texts;
use crate::id::KeyId;
use crate::key::{KeyPatch, KeyRecord, Revision, SecretRecord};
use crate::store::{Conditions, StoreErrorKind};

pub(super) struct AddKey<'a> {
    key: &'a KeyRecord,
    secret: &'a SecretRecord,
    conditions: &'a Conditions,
    lock: Option<&'static str>,
    count: &'static str,
}

impl<'a> AddKey<'a> {
    pub(super) const fn new<B: Backend>(
        key: &'a KeyRecord,
        secret: &'a SecretRecord,
        conditions: &'a Conditions,
    ) -> Self {
        Self {
            key,
            secret,
            conditions,
            lock: B::LOCK_OWNER,
            count: B::COUNT_KEYS,
        }
    }
}

impl<S: Session> Change<S> for AddKey<'_> {
    type Output = ();

    async fn apply(&self, session: &mut S) -> Result<(), Failure> {
        let key = records::write_key(self.key)?;
        let secret = records::write_secret(self.secret)?;
        let request = self.conditions.idempotency.as_ref();
        let request = request.map(records::write_request);
        // Most of those who are turned away are turned away here, where nobody waits for anybody.
        if !self.has_room(session).await? {
            return Err(self.no_room(session).await?);
        }
        session.execute(texts::ADD_KEY, &key).await?;
        if records::has_policy(self.key) {
            let policy = records::write_policy(self.key)?;
            session.execute(texts::SET_POLICY, &policy).await?;
        }
        session.execute(texts::ADD_SECRET, &secret).await?;
        if let Some(request) = &request {
            session.execute(texts::ADD_REQUEST, request).await?;
        }
        // From here on those who add keys of one owner go one after the other; those of other owners and everybody else do
        // not wait for them. What is counted now stands until the key is there.
        if let (Some(lock), Some(_)) = (self.lock, self.conditions.most_per_owner) {
            let owner = records::owner(&self.key.owner)?;
            session.execute(lock, &[owner]).await?;
            if !self.has_room(session).await? {
                return Err(Failure::is(StoreErrorKind::LimitReached));
            }
        }
        Ok(())
    }
}

impl AddKey<'_> {
    /// Whether the owner may have another key besides those that are committed.
    async fn has_room<S: Session>(&self, session: &mut S) -> Result<bool, Failure> {
        let Some(most) = self.conditions.most_per_owner else {
            return Ok(true);
        };
        let values = [
            records::owner(&self.key.owner)?,
            self.key.id.as_bytes().into(),
            self.key.created_at.into(),
            most.into(),
        ];
        let counted = session.fetch(self.count, &values).await?.pop();
        let mut counted = Columns::of(counted.unwrap_or_default());
        Ok(counted.number::<u64>("sakms_keys")? < most.into())
    }

    /// What is said when there is no room. Where it was this very request that took it, when it was made the first time,
    /// that is said instead.
    async fn no_room<S: Session>(&self, session: &mut S) -> Result<Failure, Failure> {
        if let Some(record) = &self.conditions.idempotency {
            let id = [record.id.as_bytes().into()];
            if !session.fetch(texts::REQUEST, &id).await?.is_empty() {
                return Ok(Failure::is(StoreErrorKind::Conflict));
            }
        }
        Ok(Failure::is(StoreErrorKind::LimitReached))
    }
}

pub(super) struct ChangeKey<'a> {
    pub(super) key: KeyId,
    pub(super) expected: Revision,
    pub(super) patch: &'a KeyPatch,
}

impl<S: Session> Change<S> for ChangeKey<'_> {
    type Output = KeyRecord;

    async fn apply(&self, session: &mut S) -> Result<KeyRecord, Failure> {
        let found = key_at(session, self.key, self.expected).await?;
        let mut key = found.clone();
        self.patch.apply(&mut key);
        replace_key(session, &key, self.expected).await?;
        if policy_differs(&key, &found) {
            let policy = records::write_policy(&key)?;
            session.execute(texts::SET_POLICY, &policy).await?;
        }
        Ok(key)
    }
}

/// Whether what stands in a row of its own was changed.
fn policy_differs(key: &KeyRecord, from: &KeyRecord) -> bool {
    key.not_before != from.not_before
        || key.roles != from.roles
        || key.tags != from.tags
        || key.limits != from.limits
}

/// Reads a key that must have this revision.
pub(super) async fn key_at<S: Session>(
    session: &mut S,
    id: KeyId,
    expected: Revision,
) -> Result<KeyRecord, Failure> {
    let row = session
        .fetch(texts::KEY, &[id.as_bytes().into()])
        .await?
        .pop();
    let key = records::read_key(row.ok_or(Failure::is(StoreErrorKind::NotFound))?)?;
    if key.revision == expected {
        Ok(key)
    } else {
        Err(Failure::is(StoreErrorKind::Stale))
    }
}

/// Writes a key over the one that had this revision; somebody may have been faster since it was read.
pub(super) async fn replace_key<S: Session>(
    session: &mut S,
    key: &KeyRecord,
    expected: Revision,
) -> Result<(), Failure> {
    let values = records::write_key_change(key, expected)?;
    match session.execute(texts::CHANGE_KEY, &values).await? {
        0 => Err(Failure::is(StoreErrorKind::Stale)),
        _ => Ok(()),
    }
}
