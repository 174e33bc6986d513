//! A key together with its secrets: the rules that a store keeps where it has no tables to join.

use std::net::IpAddr;

use super::field::Revision;
use super::record::{KeyPatch, KeyRecord, SecretRecord, StoredSecret};
use super::usage::SecretUse;
use crate::clock::Timestamp;
use crate::id::SecretId;
use crate::secret::StoredHash;
use crate::store::StoreErrorKind;

/// A key with all its secrets.
///
/// What [`KeyStore`](crate::store::KeyStore) says about one key is done here, so that stores which keep it as a whole
/// cannot differ. What is about others is the store's: that ids are taken once, in which order keys are listed, the
/// journal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyWithSecrets {
    /// The key.
    pub key: KeyRecord,
    /// Its secrets, the oldest first.
    pub secrets: Vec<UsedSecret>,
}

/// A secret and its uses.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UsedSecret {
    /// The secret.
    pub record: SecretRecord,
    /// How often it was used, as far as the store knows.
    pub uses: u64,
    /// When it was used last, as far as the store knows.
    pub last_used_at: Option<Timestamp>,
    /// Where that request came from, when it is known.
    pub last_used_from: Option<IpAddr>,
}

impl UsedSecret {
    /// A secret that was never used.
    #[must_use]
    pub const fn unused(record: SecretRecord) -> Self {
        Self {
            record,
            uses: 0,
            last_used_at: None,
            last_used_from: None,
        }
    }

    /// Adds uses.
    fn add(&mut self, used: &SecretUse) {
        self.uses = self.uses.saturating_add(used.count);
        // `None` is less than every moment.
        if self.last_used_at < Some(used.last_at) {
            self.last_used_at = Some(used.last_at);
            self.last_used_from = used.last_from.or(self.last_used_from);
        }
    }
}

impl KeyWithSecrets {
    /// A new key with its first secret.
    #[must_use]
    pub fn new(key: KeyRecord, secret: SecretRecord) -> Self {
        let secrets = vec![UsedSecret::unused(secret)];
        Self { key, secrets }
    }

    /// Holds that the key is still as whoever wants to change it saw it.
    ///
    /// # Errors
    /// [`StoreErrorKind::Stale`] when it is not.
    pub fn expect(&self, revision: Revision) -> Result<(), StoreErrorKind> {
        if self.key.revision == revision {
            Ok(())
        } else {
            Err(StoreErrorKind::Stale)
        }
    }

    /// Changes the key ([`KeyStore::update`](crate::store::KeyStore::update)).
    ///
    /// # Errors
    /// As for [`expect`](Self::expect); nothing is changed then.
    pub fn update(&mut self, expected: Revision, patch: &KeyPatch) -> Result<(), StoreErrorKind> {
        self.expect(expected)?;
        patch.apply(&mut self.key);
        Ok(())
    }

    /// Gives the key one more secret ([`KeyStore::add_secret`](crate::store::KeyStore::add_secret)).
    ///
    /// # Errors
    /// As for [`expect`](Self::expect); nothing is changed then.
    pub fn add_secret(
        &mut self,
        expected: Revision,
        secret: SecretRecord,
        retire_others_at: Timestamp,
    ) -> Result<(), StoreErrorKind> {
        self.expect(expected)?;
        self.retire_all(retire_others_at);
        self.key.shown_prefix.clone_from(&secret.shown_prefix);
        self.key.revision = self.key.revision.next();
        self.secrets.push(UsedSecret::unused(secret));
        Ok(())
    }

    /// Keeps one secret and retires the others
    /// ([`KeyStore::keep_secret`](crate::store::KeyStore::keep_secret)).
    ///
    /// # Errors
    /// As for [`expect`](Self::expect), and [`StoreErrorKind::NotFound`] when the key has no such secret; nothing is
    /// changed then.
    pub fn keep_secret(
        &mut self,
        expected: Revision,
        kept: SecretId,
        retire_others_at: Timestamp,
    ) -> Result<(), StoreErrorKind> {
        self.expect(expected)?;
        let mut secrets = self.secrets.iter().map(|secret| &secret.record);
        let shown = secrets.find(|record| record.id == kept);
        let shown = shown.ok_or(StoreErrorKind::NotFound)?.shown_prefix.clone();
        self.retire_all(retire_others_at);
        for secret in &mut self.secrets {
            if secret.record.id == kept {
                secret.record.retired_at = None;
            }
        }
        self.key.shown_prefix = shown;
        self.key.revision = self.key.revision.next();
        Ok(())
    }

    fn retire_all(&mut self, at: Timestamp) {
        for secret in &mut self.secrets {
            // One that goes earlier anyway is not given more time; one that was to go later is not left it.
            let retired_at = secret.record.retired_at.unwrap_or(at);
            secret.record.retired_at = Some(retired_at.min(at));
        }
    }

    /// Puts another hash of a secret in the place of `expected`
    /// ([`KeyStore::replace_hash`](crate::store::KeyStore::replace_hash)).
    ///
    /// # Errors
    /// [`StoreErrorKind::NotFound`] when the key has no such secret, [`StoreErrorKind::Stale`] when its hash is another.
    pub fn replace_hash(
        &mut self,
        secret: SecretId,
        expected: &StoredHash,
        new: &StoredHash,
    ) -> Result<(), StoreErrorKind> {
        let mut secrets = self.secrets.iter_mut().map(|secret| &mut secret.record);
        let found = secrets.find(|record| record.id == secret);
        let found = found.ok_or(StoreErrorKind::NotFound)?;
        if found.hash != *expected {
            return Err(StoreErrorKind::Stale);
        }
        found.hash = new.clone();
        Ok(())
    }

    /// Adds uses ([`KeyStore::record_uses`](crate::store::KeyStore::record_uses)); those of a secret that is not this
    /// key's are passed over.
    pub fn record_use(&mut self, used: &SecretUse) {
        let mut secrets = self.secrets.iter_mut();
        if let Some(secret) = secrets.find(|secret| secret.record.id == used.secret)
            && used.count > 0
        {
            secret.add(used);
            self.key.last_used_at = self.key.last_used_at.max(Some(used.last_at));
        }
    }

    /// What a check finds under a secret's id ([`KeyStore::find`](crate::store::KeyStore::find)).
    #[must_use]
    pub fn stored(
        &self,
        secret: SecretId,
        owner_disabled_at: Option<Timestamp>,
    ) -> Option<StoredSecret> {
        let mut secrets = self.secrets.iter().map(|secret| &secret.record);
        let found = secrets.find(|record| record.id == secret)?.clone();
        Some(StoredSecret::new(
            self.key.clone(),
            found,
            owner_disabled_at,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::KeyId;
    use crate::key::{Environment, KeyName};
    use crate::secret::StoredHash;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros).unwrap()
    }

    fn secret(byte: u8) -> SecretRecord {
        let (id, key) = (SecretId::from_bytes([byte; 16]), KeyId::from_bytes([0; 16]));
        let hash = StoredHash::new(format!("hash {byte}"));
        SecretRecord::new(id, key, hash, format!("shown {byte}"), at(1))
    }

    fn key() -> KeyWithSecrets {
        let owner = "o".parse().unwrap();
        let id = KeyId::from_bytes([0; 16]);
        let record = KeyRecord::new(id, owner, Environment::live(), at(1));
        KeyWithSecrets::new(record, secret(1))
    }

    #[test]
    fn what_is_stale_changes_nothing() {
        let mut key = key();
        let before = key.clone();
        let stale = Err(StoreErrorKind::Stale);
        let other = Revision::new(2);
        let patch = KeyPatch::rename(KeyName::default());
        assert_eq!(key.update(other, &patch), stale);
        assert_eq!(key.add_secret(other, secret(2), at(9)), stale);
        assert_eq!(key, before);
        assert_eq!(key.update(Revision::FIRST, &patch), Ok(()));
        assert_eq!(key.expect(Revision::FIRST), stale);
        assert_eq!(key.expect(other), Ok(()));
    }

    #[test]
    fn secrets_retire_at_the_earliest_moment() {
        let mut key = key();
        for (revision, retire_at) in [(1, 5), (2, 9), (3, 3)] {
            let added = secret(u8::try_from(revision).unwrap() + 1);
            let added = key.add_secret(Revision::new(revision), added, at(retire_at));
            assert_eq!(added, Ok(()));
        }
        let retired: Vec<_> = key
            .secrets
            .iter()
            .map(|secret| secret.record.retired_at)
            .collect();
        assert_eq!(retired, [Some(at(3)), Some(at(3)), Some(at(3)), None]);
        assert_eq!(key.key.shown_prefix, "shown 4");
        assert_eq!(key.key.revision, Revision::new(4));
    }

    #[test]
    fn uses_add_up_and_the_latest_stays() {
        let mut key = key();
        key.add_secret(Revision::FIRST, secret(2), at(9)).unwrap();
        let revision = key.key.revision;
        for (byte, count, last_at) in [(1, 3, 7), (2, 1, 8), (1, u64::MAX, 5), (9, 1, 99)] {
            key.record_use(&SecretUse::new(
                SecretId::from_bytes([byte; 16]),
                count,
                at(last_at),
            ));
        }
        let uses: Vec<_> = key.secrets.iter().map(|secret| secret.uses).collect();
        assert_eq!(uses, [u64::MAX, 1]);
        assert_eq!(key.key.last_used_at, Some(at(8)));
        assert_eq!(key.key.revision, revision);
    }

    #[test]
    fn a_secret_is_found_with_its_key() {
        let key = key();
        let found = key.stored(secret(1).id, Some(at(4)));
        assert_eq!(
            found,
            Some(StoredSecret::new(key.key.clone(), secret(1), Some(at(4))))
        );
        assert_eq!(key.stored(secret(2).id, None), None);
    }
}
