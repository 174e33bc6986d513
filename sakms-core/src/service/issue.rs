//! Making, listing, changing and revoking keys.

use super::cache::Strike;
use super::caller::Caller;
use super::cursor::Cursor;
use super::error::Error;
use super::{Inner, Sakms};
use crate::clock::Timestamp;
use crate::entropy;
use crate::hash::Share;
use crate::id::{KeyId, SecretId};
use crate::journal::{Action, JournalEntry, Subject};
use crate::key::{
    Environment, KeyName, KeyPatch, KeyQuery, KeyRecord, Metadata, ScopeSet, SecretRecord,
};
use crate::secret::{KeySecret, NewKeyText};
use crate::store::{Conditions, StoreErrorKind};

/// How often a change is tried again when others change the same key at the same time.
const TRIES: usize = 8;

/// What a new key shall be. Everything has a default.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct NewKey {
    /// What to call it.
    pub name: KeyName,
    /// What it may do; nothing but to be known, when empty.
    pub scopes: ScopeSet,
    /// Which environment it opens; the service's first one, when none is named.
    pub environment: Option<Environment>,
    /// From when on it is refused; never, when nothing is said.
    pub expires_at: Option<Timestamp>,
    /// What to keep with it.
    pub metadata: Metadata,
}

impl NewKey {
    /// A key with a name and nothing else said.
    #[must_use]
    pub fn named(name: KeyName) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }
}

/// A key that was just made, with its text.
#[derive(Debug)]
#[non_exhaustive]
pub struct CreatedKey {
    /// The key.
    pub key: KeyRecord,
    /// Its text. It is nowhere else; once this is dropped, nobody can show it again.
    pub text: NewKeyText,
}

/// Which part of a list is asked for.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ListRequest {
    /// How many keys at most, 1 to 100; 50 when nothing is said.
    pub limit: Option<u32>,
    /// Where to go on.
    pub cursor: Option<Cursor>,
}

/// A part of an owner's list of keys, the newest first.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct KeyList {
    /// The keys.
    pub keys: Vec<KeyRecord>,
    /// Where the list goes on, when it does.
    pub next: Option<Cursor>,
}

/// A change that an owner makes to a key. What is `None` stays.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct KeyChange {
    /// Another name.
    pub name: Option<KeyName>,
    /// Other metadata.
    pub metadata: Option<Metadata>,
}

impl KeyChange {
    /// A change of the name, the metadata, both or neither.
    #[must_use]
    pub const fn new(name: Option<KeyName>, metadata: Option<Metadata>) -> Self {
        Self { name, metadata }
    }
}

impl Sakms {
    /// Makes a key for the caller's owner.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an expiry that is not in the future or an environment there is not;
    /// [`Error::MissingScope`] and [`Error::BeyondCaller`] when the caller is a key and asks for more than it has;
    /// [`Error::Store`] and [`Error::Hash`] when it could not be done.
    #[tracing::instrument(name = "sakms.key.create", skip_all)]
    pub async fn create_key(&self, caller: &Caller, new: NewKey) -> Result<CreatedKey, Error> {
        let Inner {
            keys,
            format,
            hashes,
            cache,
            clock,
            entropy,
            ..
        } = &*self.inner;
        let (clock, entropy) = (clock.as_ref(), entropy.as_ref());
        let (expires_at, environment) =
            caller.limit(&new.scopes, new.expires_at, new.environment)?;
        if expires_at.is_some_and(|moment| moment <= clock.now()) {
            return Err(Error::field("expires_at", "must be in the future"));
        }
        let environment = environment.unwrap_or_else(|| format.environments()[0].clone());

        let (key_id, secret_id) = (
            KeyId::generate(clock, entropy)?,
            SecretId::generate(clock, entropy)?,
        );
        let secret = KeySecret::new(entropy::draw(entropy)?);
        let minted = format.mint(&environment, secret_id, &secret);
        let minted = minted
            .map_err(|_| Error::field("environment", "this service has no such environment"))?;
        let hash = hashes.hash(Share::Keys, secret.expose()).await?;

        let now = clock.now();
        let mut key = KeyRecord::new(key_id, caller.owner_name().clone(), environment, now);
        key.name = new.name;
        key.scopes = new.scopes;
        key.metadata = new.metadata;
        key.expires_at = expires_at;
        key.shown_prefix.clone_from(&minted.shown_prefix);
        let secret = SecretRecord::new(secret_id, key_id, hash, minted.shown_prefix, now);
        let entry = self.entry(caller.actor(), Action::KEY_CREATE, Subject::key(key_id))?;
        let entry = entry.with_detail(format!("owner={} secret={secret_id}", key.owner));
        let _strike = Strike::absences(cache);
        keys.insert(&key, &secret, &Conditions::NONE, &entry)
            .await?;
        Ok(CreatedKey {
            key,
            text: minted.text,
        })
    }

    /// A page of the caller's owner's keys, the newest first.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit outside 1 to 100 or a cursor this service did not make for this owner;
    /// [`Error::Store`] when it could not be read.
    #[tracing::instrument(name = "sakms.key.list", skip_all)]
    pub async fn list_keys(&self, caller: &Caller, request: ListRequest) -> Result<KeyList, Error> {
        let Inner { keys, cursors, .. } = &*self.inner;
        let owner = caller.owner_name();
        let mut query = KeyQuery::of(owner.clone());
        if let Some(limit) = request.limit {
            if !(1..=KeyQuery::MAX_LIMIT).contains(&limit) {
                return Err(Error::field("limit", "must be between 1 and 100"));
            }
            query.limit = limit;
        }
        if let Some(cursor) = &request.cursor {
            let place = cursors.open(owner, cursor);
            let unknown =
                || Error::field("cursor", "is not one that this service gave for this list");
            query.before = Some(place.ok_or_else(unknown)?);
        }
        let page = keys.list(&query).await?;
        let next = page
            .items
            .last()
            .filter(|_| page.more)
            .map(|last| cursors.seal(owner, last.id));
        Ok(KeyList {
            keys: page.items,
            next,
        })
    }

    /// One of the caller's owner's keys.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none, or it is another owner's; [`Error::Store`] when it could not be read.
    #[tracing::instrument(name = "sakms.key.get", skip_all, fields(key = %id))]
    pub async fn get_key(&self, caller: &Caller, id: KeyId) -> Result<KeyRecord, Error> {
        self.owned_key(caller, id).await
    }

    /// Changes one of the caller's owner's keys and gives it as it is now.
    ///
    /// # Errors
    /// As for [`Sakms::get_key`], and [`Error::Contended`] when others keep changing it at the same time.
    #[tracing::instrument(name = "sakms.key.update", skip_all, fields(key = %id))]
    pub async fn update_key(
        &self,
        caller: &Caller,
        id: KeyId,
        change: KeyChange,
    ) -> Result<KeyRecord, Error> {
        let patch = KeyPatch {
            name: change.name,
            metadata: change.metadata,
            ..KeyPatch::default()
        };
        if patch.is_empty() {
            return self.get_key(caller, id).await;
        }
        let entry = self.entry(caller.actor(), Action::KEY_UPDATE, Subject::key(id))?;
        self.patch_key(caller, id, &patch, &entry, |_| false).await
    }

    /// Revokes one of the caller's owner's keys, for good. A key that is revoked already stays as it is.
    ///
    /// When this returns `Ok`, the revocation is stored and in force on this node.
    ///
    /// # Errors
    /// As for [`Sakms::update_key`]. After an error, the key may still stand: try again.
    #[tracing::instrument(name = "sakms.key.revoke", skip_all, fields(key = %id))]
    pub async fn revoke_key(&self, caller: &Caller, id: KeyId) -> Result<KeyRecord, Error> {
        let patch = KeyPatch::revoke(self.inner.clock.now());
        let entry = self.entry(caller.actor(), Action::KEY_REVOKE, Subject::key(id))?;
        self.patch_key(caller, id, &patch, &entry, |key| key.revoked_at.is_some())
            .await
    }

    /// Reads, compares and swaps until nobody was in between. A key that is `done` already is left alone.
    async fn patch_key(
        &self,
        caller: &Caller,
        id: KeyId,
        patch: &KeyPatch,
        entry: &JournalEntry,
        done: impl Fn(&KeyRecord) -> bool,
    ) -> Result<KeyRecord, Error> {
        let _strike = Strike::key(&self.inner.cache, id);
        for _ in 0..TRIES {
            let key = self.owned_key(caller, id).await?;
            if done(&key) {
                return Ok(key);
            }
            match self.inner.keys.update(id, key.revision, patch, entry).await {
                Err(error) if error.kind() == StoreErrorKind::Stale => {}
                outcome => return Ok(outcome?),
            }
        }
        Err(Error::Contended)
    }

    async fn owned_key(&self, caller: &Caller, id: KeyId) -> Result<KeyRecord, Error> {
        let found = self.inner.keys.get(id).await?;
        // Another owner's key and no key at all are the same answer, from the same look-up.
        found
            .filter(|key| caller.may_manage(&key.owner))
            .ok_or(Error::NotFound)
    }
}
