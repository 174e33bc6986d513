//! The trait: which method is which transaction.

use async_trait::async_trait;
use redb::{ReadableTable as _, ReadableTableMetadata as _, WriteTransaction};
use sakms_core::clock::Timestamp;
use sakms_core::id::{KeyId, SecretId};
use sakms_core::journal::{JournalEntry, JournalHead, JournalQuery, JournalRow, Seq};
use sakms_core::key::{
    Day, DayUse, KeyPatch, KeyQuery, KeyRecord, KeyWithSecrets, Owner, Page, Revision, Role,
    RoleName, SecretRecord, SecretUse, StoredSecret, UsedSecret,
};
use sakms_core::secret::StoredHash;
use sakms_core::store::StoreErrorKind::{Corrupt, LimitReached, NotFound};
use sakms_core::store::{
    Conditions, Document as _, IdempotencyId, IdempotencyRecord, KeyStore, StoreError,
};

use crate::RedbStore;
use crate::lists;
use crate::tables::{
    DAYS, DISABLED, JOURNAL, KEY_OF_SECRET, KEYS, KEYS_OF_OWNERS, QUOTAS, REQUESTS, ROLES,
    change_key, counted_keys, day, disabled_at, head, key_at, quota_at, remember, vacant,
};

#[async_trait]
impl KeyStore for RedbStore {
    async fn insert(
        &self,
        key: &KeyRecord,
        secret: &SecretRecord,
        conditions: &Conditions,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let new = KeyWithSecrets::new(key.clone(), secret.clone());
        let (key, secret) = (*key.id.as_bytes(), *secret.id.as_bytes());
        let conditions = conditions.clone();
        let work = move |change: &WriteTransaction| {
            let owner = &new.key.owner;
            // Before the room is looked at: what was made by the same request may have taken it.
            remember(change, conditions.idempotency)?;
            if conditions.most_per_owner.is_some() {
                conditions.room_beside(|| counted_keys(change, owner, new.key.created_at))?;
            }
            vacant(change.open_table(KEYS)?.insert(key, &*new.to_document())?)?;
            vacant(change.open_table(KEY_OF_SECRET)?.insert(secret, key)?)?;
            change
                .open_table(KEYS_OF_OWNERS)?
                .insert((owner.as_str(), key), ())?;
            Ok(())
        };
        self.change("insert", Some(entry), work).await
    }

    async fn find(&self, secret: SecretId) -> Result<Option<StoredSecret>, StoreError> {
        self.read("find", move |snapshot| {
            let key = snapshot.open_table(KEY_OF_SECRET)?.get(secret.as_bytes())?;
            let Some(key) = key else { return Ok(None) };
            let key = key_at(&snapshot.open_table(KEYS)?, key.value(), Corrupt)?;
            let disabled_at = disabled_at(&snapshot.open_table(DISABLED)?, &key.key.owner)?;
            Ok(key.stored(secret, disabled_at))
        })
        .await
    }

    async fn get(&self, key: KeyId) -> Result<Option<KeyRecord>, StoreError> {
        self.read("get", move |snapshot| {
            let found = snapshot.open_table(KEYS)?.get(key.as_bytes())?;
            let found = found.map(|key| KeyWithSecrets::from_document(key.value()));
            Ok(found.transpose()?.map(|found| found.key))
        })
        .await
    }

    async fn secrets(&self, key: KeyId) -> Result<Vec<UsedSecret>, StoreError> {
        self.read("secrets", move |snapshot| {
            let found = snapshot.open_table(KEYS)?.get(key.as_bytes())?;
            let found = found.map(|key| KeyWithSecrets::from_document(key.value()));
            Ok(found
                .transpose()?
                .map_or_else(Vec::new, |found| found.secrets))
        })
        .await
    }

    async fn list(&self, query: &KeyQuery) -> Result<Page<KeyRecord>, StoreError> {
        let query = query.clone();
        self.read("list", move |snapshot| lists::keys(snapshot, &query))
            .await
    }

    async fn update(
        &self,
        key: KeyId,
        expected: Revision,
        patch: &KeyPatch,
        entry: &JournalEntry,
    ) -> Result<KeyRecord, StoreError> {
        let patch = patch.clone();
        let work = move |change: &WriteTransaction| {
            change_key(change, *key.as_bytes(), |key| key.update(expected, &patch))
        };
        self.change("update", Some(entry), work).await
    }

    async fn add_secret(
        &self,
        key: KeyId,
        expected: Revision,
        secret: &SecretRecord,
        retire_others_at: Timestamp,
        idempotency: Option<&IdempotencyRecord>,
        entry: &JournalEntry,
    ) -> Result<KeyRecord, StoreError> {
        let (secret, idempotency) = (secret.clone(), idempotency.copied());
        let work = move |change: &WriteTransaction| {
            let id = secret.id;
            let changed = change_key(change, *key.as_bytes(), |key| {
                key.add_secret(expected, secret, retire_others_at)
            })?;
            let mut key_of_secret = change.open_table(KEY_OF_SECRET)?;
            vacant(key_of_secret.insert(id.as_bytes(), key.as_bytes())?)?;
            remember(change, idempotency)?;
            Ok(changed)
        };
        self.change("add_secret", Some(entry), work).await
    }

    async fn keep_secret(
        &self,
        key: KeyId,
        expected: Revision,
        kept: SecretId,
        retire_others_at: Timestamp,
        entry: &JournalEntry,
    ) -> Result<KeyRecord, StoreError> {
        let work = move |change: &WriteTransaction| {
            change_key(change, *key.as_bytes(), |key| {
                key.keep_secret(expected, kept, retire_others_at)
            })
        };
        self.change("keep_secret", Some(entry), work).await
    }

    async fn replace_hash(
        &self,
        secret: SecretId,
        expected: &StoredHash,
        new: &StoredHash,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let (expected, new) = (expected.clone(), new.clone());
        let work = move |change: &WriteTransaction| {
            let key_of_secret = change.open_table(KEY_OF_SECRET)?;
            let key = key_of_secret.get(secret.as_bytes())?;
            let key = key.ok_or(NotFound)?.value();
            change_key(change, key, |key| key.replace_hash(secret, &expected, &new))?;
            Ok(())
        };
        self.change("replace_hash", Some(entry), work).await
    }

    async fn record_uses(&self, uses: &[SecretUse]) -> Result<(), StoreError> {
        let uses = uses.to_vec();
        let work = move |change: &WriteTransaction| {
            let key_of_secret = change.open_table(KEY_OF_SECRET)?;
            for used in uses {
                let Some(key) = key_of_secret.get(used.secret.as_bytes())? else {
                    continue;
                };
                change_key(change, key.value(), |key| {
                    key.record_use(&used);
                    Ok(())
                })?;
                let mut days = change.open_table(DAYS)?;
                let at = (key.value(), used.day().number());
                let counts = days.get(at)?.map_or((0, 0), |counts| counts.value());
                let mut today = day(at.1, counts)?;
                today.add(&used);
                days.insert(at, (today.allowed, today.refused))?;
            }
            Ok(())
        };
        self.change("record_uses", None, work).await
    }

    async fn usage(&self, key: KeyId, first: Day, last: Day) -> Result<Vec<DayUse>, StoreError> {
        let at = move |day: Day| (*key.as_bytes(), day.number());
        self.read("usage", move |snapshot| {
            let days = snapshot.open_table(DAYS)?.range(at(first)..=at(last))?;
            let days = days.map(|entry| {
                let (at, counts) = entry?;
                day(at.value().1, counts.value())
            });
            let days: Vec<_> = days.collect::<Result<_, _>>()?;
            Ok(days.into_iter().filter(|day| !day.is_empty()).collect())
        })
        .await
    }

    async fn take_quota(
        &self,
        key: KeyId,
        period: Timestamp,
        amount: u64,
        cost: u64,
    ) -> Result<Option<u64>, StoreError> {
        let work = move |change: &WriteTransaction| {
            let mut quotas = change.open_table(QUOTAS)?;
            let mut quota = quota_at(&quotas, *key.as_bytes())?;
            let left = quota.take(period, amount, cost);
            quotas.insert(key.as_bytes(), (quota.period.as_micros(), quota.taken))?;
            Ok(left)
        };
        self.change("take_quota", None, work).await
    }

    async fn quota_taken(&self, key: KeyId, period: Timestamp) -> Result<u64, StoreError> {
        self.read("quota_taken", move |snapshot| {
            let quota = quota_at(&snapshot.open_table(QUOTAS)?, *key.as_bytes())?;
            Ok(quota.taken_in(period))
        })
        .await
    }

    async fn idempotency(
        &self,
        id: &IdempotencyId,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        let id = *id;
        self.read("idempotency", move |snapshot| {
            let found = snapshot.open_table(REQUESTS)?.get(id.as_bytes())?;
            let found = found.map(|record| IdempotencyRecord::from_document(record.value()));
            Ok(found.transpose()?)
        })
        .await
    }

    async fn forget_idempotency(&self, before: Timestamp) -> Result<(), StoreError> {
        let work = move |change: &WriteTransaction| {
            let mut requests = change.open_table(REQUESTS)?;
            // One that cannot be read is nothing to forget.
            requests.retain(|_, record| {
                IdempotencyRecord::from_document(record).map_or(true, |record| record.at >= before)
            })?;
            Ok(())
        };
        self.change("forget_idempotency", None, work).await
    }

    async fn roles(&self) -> Result<Vec<Role>, StoreError> {
        self.read("roles", |snapshot| {
            let roles = snapshot.open_table(ROLES)?.range::<&str>(..)?;
            roles
                .map(|role| Ok(Role::from_document(role?.1.value())?))
                .collect()
        })
        .await
    }

    async fn set_role(&self, role: &Role, entry: &JournalEntry) -> Result<(), StoreError> {
        let role = role.clone();
        let work = move |change: &WriteTransaction| {
            let mut roles = change.open_table(ROLES)?;
            roles.insert(role.name.as_str(), &*role.to_document())?;
            if roles.len()? > u64::from(Role::MOST) {
                return Err(LimitReached.into());
            }
            Ok(())
        };
        self.change("set_role", Some(entry), work).await
    }

    async fn remove_role(&self, name: &RoleName, entry: &JournalEntry) -> Result<(), StoreError> {
        let name = name.clone();
        let work = move |change: &WriteTransaction| {
            let mut roles = change.open_table(ROLES)?;
            roles.remove(name.as_str())?.ok_or(NotFound)?;
            Ok(())
        };
        self.change("remove_role", Some(entry), work).await
    }

    async fn owner_disabled_at(&self, owner: &Owner) -> Result<Option<Timestamp>, StoreError> {
        let owner = owner.clone();
        self.read("owner_disabled_at", move |snapshot| {
            disabled_at(&snapshot.open_table(DISABLED)?, &owner)
        })
        .await
    }

    async fn set_owner_disabled(
        &self,
        owner: &Owner,
        disabled_at: Option<Timestamp>,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let owner = owner.clone();
        let work = move |change: &WriteTransaction| {
            let mut disabled = change.open_table(DISABLED)?;
            match disabled_at {
                Some(at) => disabled.insert(owner.as_str(), at.as_micros())?,
                None => disabled.remove(owner.as_str())?,
            };
            Ok(())
        };
        self.change("set_owner_disabled", Some(entry), work).await
    }

    async fn journal_after(&self, seq: Seq, limit: u32) -> Result<Vec<JournalRow>, StoreError> {
        self.read("journal_after", move |snapshot| {
            let journal = snapshot.open_table(JOURNAL)?;
            let rows = journal.range(seq.next().get()..)?.take(limit as usize);
            rows.map(|row| Ok(JournalRow::from_document(row?.1.value())?))
                .collect()
        })
        .await
    }

    async fn journal(&self, query: &JournalQuery) -> Result<Page<JournalRow>, StoreError> {
        let query = query.clone();
        self.read("journal", move |snapshot| lists::journal(snapshot, &query))
            .await
    }

    async fn note(&self, entry: &JournalEntry) -> Result<(), StoreError> {
        self.change("note", Some(entry), |_| Ok(())).await
    }

    async fn journal_head(&self) -> Result<JournalHead, StoreError> {
        self.read("journal_head", |snapshot| {
            head(&snapshot.open_table(JOURNAL)?)
        })
        .await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.journal_head().await.map(drop)
    }
}
