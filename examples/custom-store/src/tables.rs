//! The tables, and what is in a row of each.

use std::error::Error;

use redb::{ReadableTable, TableDefinition, WriteTransaction};
use sakms_core::clock::Timestamp;
use sakms_core::journal::{JournalHead, JournalRow};
use sakms_core::key::{Day, DayUse, KeyRecord, KeyWithSecrets, Owner, QuotaState};
use sakms_core::store::StoreErrorKind::{Conflict, Corrupt, NotFound};
use sakms_core::store::{Document, IdempotencyRecord, StoreErrorKind};

/// What a transaction comes to. An error undoes all of it.
pub(crate) type Attempt<T> = Result<T, Box<dyn Error + Send + Sync>>;

pub(crate) type Id = [u8; 16];
pub(crate) type Bytes = &'static [u8];
type Table<K, V> = TableDefinition<'static, K, V>;

/// With their secrets.
pub(crate) const KEYS: Table<Id, Bytes> = Table::new("keys");
pub(crate) const KEYS_OF_OWNERS: Table<(&str, Id), ()> = Table::new("keys_of_owners");
pub(crate) const KEY_OF_SECRET: Table<Id, Id> = Table::new("key_of_secret");
pub(crate) const DISABLED: Table<&str, i64> = Table::new("disabled_owners");
/// Allowed and refused, of a key on a day.
pub(crate) const DAYS: Table<(Id, u32), (u64, u64)> = Table::new("days");
/// The period that was last taken from, and how much.
pub(crate) const QUOTAS: Table<Id, (i64, u64)> = Table::new("quotas");
pub(crate) const REQUESTS: Table<[u8; 32], Bytes> = Table::new("requests");
pub(crate) const ROLES: Table<&str, Bytes> = Table::new("roles");
pub(crate) const JOURNAL: Table<u64, Bytes> = Table::new("journal");
pub(crate) const ENTRIES: Table<Id, ()> = Table::new("journal_entries");

/// Opened for writing, a table is made, so that no reader misses one.
pub(crate) fn make(change: &WriteTransaction) -> Result<(), redb::TableError> {
    change.open_table(KEYS)?;
    change.open_table(KEYS_OF_OWNERS)?;
    change.open_table(KEY_OF_SECRET)?;
    change.open_table(DISABLED)?;
    change.open_table(DAYS)?;
    change.open_table(QUOTAS)?;
    change.open_table(REQUESTS)?;
    change.open_table(ROLES)?;
    change.open_table(JOURNAL)?;
    change.open_table(ENTRIES)?;
    Ok(())
}

/// What was put in must not have taken the place of anything.
pub(crate) fn vacant<T>(before: Option<T>) -> Result<(), StoreErrorKind> {
    before.map_or(Ok(()), |_| Err(Conflict))
}

/// A key; `or` when there is none: to whoever asked for it that is another matter than to whoever an index sent.
pub(crate) fn key_at(
    keys: &impl ReadableTable<Id, Bytes>,
    id: Id,
    or: StoreErrorKind,
) -> Attempt<KeyWithSecrets> {
    let key = keys.get(id)?.ok_or(or)?;
    Ok(KeyWithSecrets::from_document(key.value())?)
}

/// Changes a key that must be there, and gives it as it is then.
pub(crate) fn change_key(
    change: &WriteTransaction,
    id: Id,
    work: impl FnOnce(&mut KeyWithSecrets) -> Result<(), StoreErrorKind>,
) -> Attempt<KeyRecord> {
    let mut keys = change.open_table(KEYS)?;
    let mut key = key_at(&keys, id, NotFound)?;
    work(&mut key)?;
    keys.insert(id, &*key.to_document())?;
    Ok(key.key)
}

/// How many of an owner's keys count at a moment. Looks at each of them.
pub(crate) fn counted_keys(
    change: &WriteTransaction,
    owner: &Owner,
    now: Timestamp,
) -> Attempt<usize> {
    let keys = change.open_table(KEYS)?;
    let listed = change.open_table(KEYS_OF_OWNERS)?;
    let mut counted = 0;
    for entry in listed.range((owner.as_str(), [0; 16])..=(owner.as_str(), [0xFF; 16]))? {
        let key = key_at(&keys, entry?.0.value().1, Corrupt)?.key;
        counted += usize::from(key.counts_at(now));
    }
    Ok(counted)
}

/// Remembers that a request was carried out, once.
pub(crate) fn remember(
    change: &WriteTransaction,
    record: Option<IdempotencyRecord>,
) -> Attempt<()> {
    if let Some(record) = record {
        let mut requests = change.open_table(REQUESTS)?;
        vacant(requests.insert(record.id.as_bytes(), &*record.to_document())?)?;
    }
    Ok(())
}

pub(crate) fn moment(micros: i64) -> Result<Timestamp, StoreErrorKind> {
    Timestamp::from_micros(micros).ok_or(Corrupt)
}

pub(crate) fn disabled_at(
    disabled: &impl ReadableTable<&'static str, i64>,
    owner: &Owner,
) -> Attempt<Option<Timestamp>> {
    let at = disabled.get(owner.as_str())?;
    Ok(at.map(|at| moment(at.value())).transpose()?)
}

pub(crate) fn day(number: u32, (allowed, refused): (u64, u64)) -> Attempt<DayUse> {
    let day = Day::from_number(number).ok_or(Corrupt)?;
    Ok(DayUse::new(day, allowed, refused))
}

pub(crate) fn quota_at(
    quotas: &impl ReadableTable<Id, (i64, u64)>,
    key: Id,
) -> Attempt<QuotaState> {
    let Some(quota) = quotas.get(key)? else {
        return Ok(QuotaState::NONE);
    };
    let (period, taken) = quota.value();
    Ok(QuotaState::new(moment(period)?, taken))
}

pub(crate) fn head(journal: &impl ReadableTable<u64, Bytes>) -> Attempt<JournalHead> {
    match journal.last()? {
        Some((_, row)) => Ok(JournalHead::from(&JournalRow::from_document(row.value())?)),
        None => Ok(JournalHead::START),
    }
}
