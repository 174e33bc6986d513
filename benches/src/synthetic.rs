//! A store that holds as many keys as are asked for, in no memory at all: a record is made when it is looked up.
//!
//! It is there to measure what stands in front of a store. All its keys have one secret and one hash, and differ in
//! their ids, so that a million of them cost no million Argon2 runs to make.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use sakms_core::clock::Timestamp;
use sakms_core::id::{KeyId, SecretId};
use sakms_core::journal::{JournalEntry, JournalHead, JournalQuery, JournalRow, Seq};
use sakms_core::key::{
    Day, DayUse, Environment, KeyPatch, KeyQuery, KeyRecord, Owner, Page, Revision, Role, RoleName,
    SecretRecord, SecretUse, StoredSecret, UsedSecret,
};
use sakms_core::secret::StoredHash;
use sakms_core::store::{
    Conditions, IdempotencyId, IdempotencyRecord, KeyStore, StoreError, StoreErrorKind,
};

/// The store. A clone is another handle to the same one.
#[derive(Debug, Clone)]
pub struct Synthetic {
    keys: u64,
    hash: StoredHash,
    finds: Arc<AtomicU64>,
}

/// A number that looks random, made of this one: `SplitMix64` (Steele, Lea and Flood, 2014).
#[must_use]
pub const fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// The id of the secret with this number, in the form of a UUID of version 7: the number stands where the time would,
/// and what would be random is mixed from it.
#[must_use]
pub fn secret_id(number: u64) -> SecretId {
    let mixed = mixed(number);
    let head = (number << 16) | 0x7000 | (mixed >> 52);
    let tail = (mixed & !(0b11 << 62)) | (0b10 << 62);
    SecretId::from_bytes(((u128::from(head) << 64) | u128::from(tail)).to_be_bytes())
}

fn number_of(id: SecretId) -> u64 {
    let whole = u128::from_be_bytes(*id.as_bytes());
    u64::try_from(whole >> 80).unwrap_or(u64::MAX)
}

impl Synthetic {
    /// A store with this many keys, all with the same hash.
    #[must_use]
    pub fn new(keys: u64, hash: StoredHash) -> Self {
        Self {
            keys,
            hash,
            finds: Arc::default(),
        }
    }

    /// How often a secret was looked up.
    #[must_use]
    pub fn finds(&self) -> u64 {
        self.finds.load(Ordering::Relaxed)
    }

    /// What every key looks like: an owner as long as an account's id, a name, one scope, no metadata.
    fn record(&self, id: SecretId) -> Option<StoredSecret> {
        let key_id = KeyId::from_bytes(*id.as_bytes());
        let owner = key_id.to_string().parse().ok()?;
        let mut key = KeyRecord::new(key_id, owner, Environment::live(), Timestamp::EPOCH);
        key.name = "laptop".parse().ok()?;
        key.scopes = "reports:read".parse().ok()?;
        key.shown_prefix.push_str("sakms_live_0Abc12");
        let secret = SecretRecord::new(
            id,
            key_id,
            self.hash.clone(),
            key.shown_prefix.clone(),
            key.created_at,
        );
        Some(StoredSecret::new(key, secret, None))
    }
}

/// What nobody asks of it.
fn not_kept<T>(operation: &'static str) -> Result<T, StoreError> {
    Err(StoreError::new(StoreErrorKind::Unavailable, operation))
}

#[async_trait]
impl KeyStore for Synthetic {
    async fn find(&self, secret: SecretId) -> Result<Option<StoredSecret>, StoreError> {
        self.finds.fetch_add(1, Ordering::Relaxed);
        if number_of(secret) >= self.keys {
            return Ok(None);
        }
        Ok(self.record(secret))
    }

    async fn insert(
        &self,
        _: &KeyRecord,
        _: &SecretRecord,
        _: &Conditions,
        _: &JournalEntry,
    ) -> Result<(), StoreError> {
        not_kept("insert")
    }

    async fn get(&self, _: KeyId) -> Result<Option<KeyRecord>, StoreError> {
        not_kept("get")
    }

    async fn secrets(&self, _: KeyId) -> Result<Vec<UsedSecret>, StoreError> {
        not_kept("secrets")
    }

    async fn list(&self, _: &KeyQuery) -> Result<Page<KeyRecord>, StoreError> {
        not_kept("list")
    }

    async fn update(
        &self,
        _: KeyId,
        _: Revision,
        _: &KeyPatch,
        _: &JournalEntry,
    ) -> Result<KeyRecord, StoreError> {
        not_kept("update")
    }

    async fn add_secret(
        &self,
        _: KeyId,
        _: Revision,
        _: &SecretRecord,
        _: Timestamp,
        _: Option<&IdempotencyRecord>,
        _: &JournalEntry,
    ) -> Result<KeyRecord, StoreError> {
        not_kept("add_secret")
    }

    async fn keep_secret(
        &self,
        _: KeyId,
        _: Revision,
        _: SecretId,
        _: Timestamp,
        _: &JournalEntry,
    ) -> Result<KeyRecord, StoreError> {
        not_kept("keep_secret")
    }

    async fn replace_hash(
        &self,
        _: SecretId,
        _: &StoredHash,
        _: &StoredHash,
        _: &JournalEntry,
    ) -> Result<(), StoreError> {
        not_kept("replace_hash")
    }

    async fn record_uses(&self, _: &[SecretUse]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn usage(&self, _: KeyId, _: Day, _: Day) -> Result<Vec<DayUse>, StoreError> {
        not_kept("usage")
    }

    async fn take_quota(
        &self,
        _: KeyId,
        _: Timestamp,
        _: u64,
        _: u64,
    ) -> Result<Option<u64>, StoreError> {
        not_kept("take_quota")
    }

    async fn quota_taken(&self, _: KeyId, _: Timestamp) -> Result<u64, StoreError> {
        not_kept("quota_taken")
    }

    async fn idempotency(
        &self,
        _: &IdempotencyId,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        not_kept("idempotency")
    }

    async fn forget_idempotency(&self, _: Timestamp) -> Result<(), StoreError> {
        not_kept("forget_idempotency")
    }

    async fn roles(&self) -> Result<Vec<Role>, StoreError> {
        Ok(Vec::new())
    }

    async fn set_role(&self, _: &Role, _: &JournalEntry) -> Result<(), StoreError> {
        not_kept("set_role")
    }

    async fn remove_role(&self, _: &RoleName, _: &JournalEntry) -> Result<(), StoreError> {
        not_kept("remove_role")
    }

    async fn owner_disabled_at(&self, _: &Owner) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }

    async fn set_owner_disabled(
        &self,
        _: &Owner,
        _: Option<Timestamp>,
        _: &JournalEntry,
    ) -> Result<(), StoreError> {
        not_kept("set_owner_disabled")
    }

    async fn journal_after(&self, _: Seq, _: u32) -> Result<Vec<JournalRow>, StoreError> {
        Ok(Vec::new())
    }

    async fn journal(&self, _: &JournalQuery) -> Result<Page<JournalRow>, StoreError> {
        not_kept("journal")
    }

    async fn note(&self, _: &JournalEntry) -> Result<(), StoreError> {
        not_kept("note")
    }

    async fn journal_head(&self) -> Result<JournalHead, StoreError> {
        Ok(JournalHead::START)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_say_their_number_and_look_like_version_7() {
        for number in [0, 1, 999_999, (1 << 48) - 1] {
            let id = secret_id(number);
            assert_eq!(number_of(id), number);
            assert_eq!(id.as_bytes()[6] >> 4, 7);
            assert_eq!(id.as_bytes()[8] >> 6, 0b10);
        }
    }
}
