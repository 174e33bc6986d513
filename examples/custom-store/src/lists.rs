//! Pages: of keys and of the journal. Where an index would help, these look at every row.

use std::ops::Bound::{Excluded, Included, Unbounded};

use redb::{ReadTransaction, ReadableTable as _};
use sakms_core::journal::{JournalQuery, JournalRow, Whose};
use sakms_core::key::{KeyQuery, KeyRecord, Owner, Page};
use sakms_core::store::Document as _;
use sakms_core::store::StoreErrorKind::Corrupt;

use crate::tables::{Attempt, Id, JOURNAL, KEYS, KEYS_OF_OWNERS, key_at};

/// The keys that a query asks for, the newest first.
pub(crate) fn keys(snapshot: &ReadTransaction, query: &KeyQuery) -> Attempt<Page<KeyRecord>> {
    let keys = snapshot.open_table(KEYS)?;
    let listed = snapshot.open_table(KEYS_OF_OWNERS)?;
    let before = query.before.map(|before| *before.as_bytes());
    let ids: Box<dyn Iterator<Item = Attempt<Id>>> = if let Some(owner) = &query.owner {
        let at = |id| (owner.as_str(), id);
        let end = before.map_or(Included(at([0xFF; 16])), |before| Excluded(at(before)));
        let range = listed.range((Included(at([0; 16])), end))?;
        Box::new(range.rev().map(|entry| Ok(entry?.0.value().1)))
    } else {
        let range = keys.range((Unbounded, before.map_or(Unbounded, Excluded)))?;
        Box::new(range.rev().map(|entry| Ok(entry?.0.value())))
    };
    let found = ids.map(|id| Ok(key_at(&keys, id?, Corrupt)?.key));
    page(found, |key| Ok(query.filter.matches(key)), query.limit)
}

/// The rows of the journal that a query asks for, the newest first.
pub(crate) fn journal(
    snapshot: &ReadTransaction,
    query: &JournalQuery,
) -> Attempt<Page<JournalRow>> {
    let keys = snapshot.open_table(KEYS)?;
    let journal = snapshot.open_table(JOURNAL)?;
    let is_of = |owner: &Owner, row: &JournalRow| -> Attempt<bool> {
        Ok(match row.entry.subject.whose() {
            Whose::Owner(subject) => subject == *owner,
            Whose::KeyOwner(key) if keys.get(key.as_bytes())?.is_some() => {
                key_at(&keys, *key.as_bytes(), Corrupt)?.key.owner == *owner
            }
            _ => false,
        })
    };
    let rows = journal.iter()?.rev();
    let rows = rows.map(|row| Ok(JournalRow::from_document(row?.1.value())?));
    let wanted = |row: &JournalRow| {
        let owner = query.owner.as_ref();
        Ok(query.matches(row) && owner.map_or(Ok(true), |owner| is_of(owner, row))?)
    };
    page(rows, wanted, query.limit)
}

/// A page of what is wanted among `items`; stops where it is full.
fn page<T>(
    items: impl Iterator<Item = Attempt<T>>,
    wanted: impl Fn(&T) -> Attempt<bool>,
    limit: u32,
) -> Attempt<Page<T>> {
    let mut found = Vec::new();
    for item in items {
        let item = item?;
        if wanted(&item)? {
            found.push(item);
        }
        if found.len() > limit as usize {
            break;
        }
    }
    Ok(Page::from_one_more(found, limit))
}
