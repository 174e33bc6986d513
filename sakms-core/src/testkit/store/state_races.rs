//! What is kept for a while, when many change the same of it at once.

use std::sync::Arc;

use super::Fixture;
use super::states::{entry, kept, read, session_of, stands};
use super::support::{decided, entries, journal, one_got_through, race, states};
use crate::key::Revision;
use crate::store::{StateKind, StateRecord, StoreErrorKind};
use crate::testkit::fixtures;

/// How many do the same thing at once.
const MANY: usize = 32;

/// Of many who put one in at once, one gets through.
pub async fn one_of_many_states_takes_an_id(fixture: &Fixture) {
    let Some(store) = states(fixture) else {
        return;
    };
    let record = fixtures::state(StateKind::SigningKey, None);
    let outcomes = race(MANY, |number| {
        let (store, mut record) = (Arc::clone(store), record.clone());
        record.value = vec![u8::try_from(number).unwrap()];
        async move {
            let entry = entry();
            let insert = || store.insert_state(&record, Some(&entry));
            decided(insert)
                .await
                .map(|()| (record.value.clone(), entry))
        }
    });
    let (value, entry) = one_got_through(outcomes.await, StoreErrorKind::Conflict);
    let found = read(&**store, &record).await.unwrap();
    assert_eq!(found.value, value);
    assert_eq!(entries(&*fixture.keys).await, [entry]);
}

/// Of many who change one at once, having seen the same of it, one gets through. Three times over.
pub async fn one_of_many_changes_of_a_state_gets_through(fixture: &Fixture) {
    let Some(store) = states(fixture) else {
        return;
    };
    let mut record = session_of(&**store, &fixtures::owner()).await;
    for round in 1..4 {
        let outcomes = race(MANY, |number| {
            let (store, record) = (Arc::clone(store), record.clone());
            // Half of them write no journal, which is another way through a store.
            let entry = number.is_multiple_of(2).then(entry);
            let value = [u8::try_from(number).unwrap()];
            async move {
                let change = || {
                    let at = fixtures::at(200);
                    let StateRecord {
                        kind, id, revision, ..
                    } = record;
                    store.update_state(kind, id, revision, &value, at, entry.as_ref())
                };
                decided(change).await
            }
        });
        let changed = one_got_through(outcomes.await, StoreErrorKind::Stale);
        assert_eq!(changed.revision, Revision::new(1 + round));
        stands(&**store, &changed).await;
        record = changed;
    }
    assert!(journal(&*fixture.keys).await.len() <= 3);
}

/// Of many who remove one at once, one gets through: a code counts once.
pub async fn one_of_many_removals_gets_through(fixture: &Fixture) {
    let Some(store) = states(fixture) else {
        return;
    };
    for round in 1..4 {
        let record = kept(&**store, fixtures::state(StateKind::Code, None)).await;
        let outcomes = race(MANY, |_| {
            let (store, record) = (Arc::clone(store), record.clone());
            async move {
                let entry = entry();
                let StateRecord {
                    kind, id, revision, ..
                } = record;
                decided(|| store.remove_state(kind, id, revision, Some(&entry))).await
            }
        });
        one_got_through(outcomes.await, StoreErrorKind::NotFound);
        assert_eq!(read(&**store, &record).await, None);
        assert_eq!(journal(&*fixture.keys).await.len(), round);
    }
}

/// Of those who remove one and those who change it at once, one gets through.
pub async fn a_removal_and_a_change_do_not_both_get_through(fixture: &Fixture) {
    let Some(store) = states(fixture) else {
        return;
    };
    for _ in 0..4 {
        let record = session_of(&**store, &fixtures::owner()).await;
        let outcomes = race(MANY, |number| {
            let (store, record) = (Arc::clone(store), record.clone());
            async move {
                let StateRecord {
                    kind, id, revision, ..
                } = record;
                if number.is_multiple_of(2) {
                    let at = fixtures::at(200);
                    let change = || store.update_state(kind, id, revision, b"x", at, None);
                    decided(change).await.map(Some)
                } else {
                    let remove = || store.remove_state(kind, id, revision, None);
                    decided(remove).await.map(|()| None)
                }
            }
        });
        let through: Vec<_> = outcomes.await.into_iter().filter_map(Result::ok).collect();
        assert_eq!(through, [read(&**store, &record).await]);
    }
}
