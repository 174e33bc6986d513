//! What is kept for a while: found by its kind and id, changed by whoever saw it as it is, removed once.

use super::Fixture;
use super::support::{entries, journal, kind, states};
use crate::clock::Timestamp;
use crate::journal::{Action, JournalEntry, Subject};
use crate::key::{Owner, Revision};
use crate::store::{StateId, StateKind, StateRecord, StateStore, StoreErrorKind};
use crate::testkit::fixtures;

pub(super) fn entry() -> JournalEntry {
    fixtures::entry(Action::KEY_REFUSE, Subject::SERVICE)
}

/// One that is in the store.
pub(super) async fn kept(store: &dyn StateStore, record: StateRecord) -> StateRecord {
    store.insert_state(&record, None).await.unwrap();
    record
}

pub(super) async fn session_of(store: &dyn StateStore, owner: &Owner) -> StateRecord {
    let owner = Some(owner.clone());
    kept(store, fixtures::state(StateKind::Session, owner)).await
}

pub(super) async fn read(store: &dyn StateStore, record: &StateRecord) -> Option<StateRecord> {
    store.state(record.kind, record.id).await.unwrap()
}

pub(super) async fn stands(store: &dyn StateStore, record: &StateRecord) {
    assert_eq!(read(store, record).await.as_ref(), Some(record));
}

/// Every field comes back, of every kind, with an owner and without.
pub async fn what_is_kept_comes_back(fixture: &Fixture) {
    let Some(store) = states(fixture) else {
        return;
    };
    for of_kind in StateKind::ALL {
        for owner in [None, Some(fixtures::owner())] {
            let mut record = fixtures::state(of_kind, owner);
            record.revision = Revision::new(7);
            assert_eq!(read(&**store, &record).await, None);
            let record = kept(&**store, record).await;
            stands(&**store, &record).await;
            for other in StateKind::ALL {
                let found = store.state(other, record.id).await.unwrap();
                assert_eq!(found.is_some(), other == of_kind, "{other}");
            }
        }
    }
}

/// A value is any bytes: none, all there are, 4,096 of them. Owners have 128 bytes, times go from the first to the last.
pub async fn the_largest_values_are_kept(fixture: &Fixture) {
    let Some(store) = states(fixture) else {
        return;
    };
    let owner: Owner = "o".repeat(Owner::MAX_BYTES).parse().unwrap();
    let all: Vec<u8> = (0..=255).collect();
    for value in [
        vec![],
        vec![0],
        all.clone(),
        all.repeat(StateRecord::MAX_BYTES / all.len()),
    ] {
        for at in [Timestamp::EPOCH, Timestamp::MAX] {
            let mut record = fixtures::state(StateKind::Code, Some(owner.clone()));
            (record.value, record.created_at, record.expires_at) = (value.clone(), at, at);
            let mut record = kept(&**store, record).await;
            stands(&**store, &record).await;
            let changed = store.update_state(
                record.kind,
                record.id,
                record.revision,
                &record.value,
                at,
                None,
            );
            record.revision = record.revision.next();
            assert_eq!(changed.await.unwrap(), record);
            stands(&**store, &record).await;
        }
    }
}

/// A longer value is refused, and changes nothing: it is not cut.
pub async fn a_value_that_is_too_long_is_refused(fixture: &Fixture) {
    let Some(store) = states(fixture) else {
        return;
    };
    let long = vec![b'v'; StateRecord::MAX_BYTES + 1];
    let mut record = fixtures::state(StateKind::Session, None);
    let value = record.value.clone();
    record.value.clone_from(&long);
    let refused = store.insert_state(&record, Some(&entry())).await;
    assert!(refused.is_err());
    assert_eq!(read(&**store, &record).await, None);
    record.value = value;
    let record = kept(&**store, record).await;
    let (of_kind, id, revision) = (record.kind, record.id, record.revision);
    let refused = store
        .update_state(
            of_kind,
            id,
            revision,
            &long,
            fixtures::at(7),
            Some(&entry()),
        )
        .await;
    assert!(refused.is_err());
    stands(&**store, &record).await;
    assert_eq!(journal(&*fixture.keys).await, []);
}

/// There is one of a kind with an id, ended or not; another kind may have one with the same.
pub async fn an_id_is_taken_once_by_a_kind(fixture: &Fixture) {
    let Some(store) = states(fixture) else {
        return;
    };
    let mut first = fixtures::state(StateKind::Session, None);
    first.expires_at = Timestamp::EPOCH;
    let first = kept(&**store, first).await;
    let mut second = fixtures::state(StateKind::Session, Some(fixtures::owner()));
    second.id = first.id;
    let refused = store.insert_state(&second, Some(&entry())).await;
    assert_eq!(kind(refused), Err(StoreErrorKind::Conflict));
    stands(&**store, &first).await;
    assert_eq!(journal(&*fixture.keys).await, []);
    second.kind = StateKind::Code;
    let second = kept(&**store, second).await;
    stands(&**store, &first).await;
    stands(&**store, &second).await;
}

/// Ids that differ in one bit, or in a zero at their end, are different.
pub async fn state_ids_are_compared_byte_by_byte(fixture: &Fixture) {
    let Some(store) = states(fixture) else {
        return;
    };
    let mut ids = vec![[0; 32], [b' '; 32], [b'a'; 32], [b'A'; 32], [0xFF; 32]];
    for place in [0, 15, 16, 31] {
        let mut id = [b'a'; 32];
        id[place] ^= 0x20;
        ids.push(id);
        id[place] = 0;
        ids.push(id);
    }
    let mut all = Vec::new();
    for id in ids {
        let mut record = fixtures::state(StateKind::Code, None);
        record.id = StateId::from_bytes(id);
        assert_eq!(read(&**store, &record).await, None);
        all.push(kept(&**store, record).await);
    }
    for record in &all {
        stands(&**store, record).await;
    }
}

/// A change gives another value and end, counts the revision up and leaves the rest; nothing else is touched.
pub async fn a_change_counts_the_revision_up(fixture: &Fixture) {
    let Some(store) = states(fixture) else {
        return;
    };
    let owner = fixtures::owner();
    let other = session_of(&**store, &owner).await;
    let mut record = session_of(&**store, &owner).await;
    for round in 1..4_u8 {
        // The last one changes it to what it is.
        let value = vec![round.min(2); 3];
        let expires_at = fixtures::at(100 + u64::from(round.min(2)));
        let changed = store
            .update_state(
                record.kind,
                record.id,
                record.revision,
                &value,
                expires_at,
                Some(&entry()),
            )
            .await;
        (record.value, record.expires_at) = (value, expires_at);
        record.revision = record.revision.next();
        assert_eq!(changed.unwrap(), record);
        stands(&**store, &record).await;
        stands(&**store, &other).await;
    }
    assert_eq!(journal(&*fixture.keys).await.len(), 3);
}

/// Whoever saw another revision changes and removes nothing, and no entry says otherwise.
pub async fn another_revision_is_stale(fixture: &Fixture) {
    let Some(store) = states(fixture) else {
        return;
    };
    let mut record = fixtures::state(StateKind::Session, Some(fixtures::owner()));
    record.revision = Revision::new(2);
    let record = kept(&**store, record).await;
    let (of_kind, id) = (record.kind, record.id);
    for expected in [0, 1, 3, 258].map(Revision::new) {
        let changed = store
            .update_state(of_kind, id, expected, b"x", fixtures::at(7), Some(&entry()))
            .await;
        assert_eq!(kind(changed), Err(StoreErrorKind::Stale), "{expected:?}");
        let removed = store
            .remove_state(of_kind, id, expected, Some(&entry()))
            .await;
        assert_eq!(kind(removed), Err(StoreErrorKind::Stale), "{expected:?}");
        stands(&**store, &record).await;
    }
    assert_eq!(journal(&*fixture.keys).await, []);
}

/// What is not there is not changed and not removed; neither is one of another kind with its id.
pub async fn what_is_not_kept_is_not_found(fixture: &Fixture) {
    let Some(store) = states(fixture) else {
        return;
    };
    let record = kept(&**store, fixtures::state(StateKind::Session, None)).await;
    let unknown = fixtures::state(StateKind::Session, None);
    for (of_kind, id) in [
        (StateKind::Session, unknown.id),
        (StateKind::Code, record.id),
    ] {
        let first = Revision::FIRST;
        let changed = store
            .update_state(of_kind, id, first, b"x", fixtures::at(7), Some(&entry()))
            .await;
        assert_eq!(kind(changed), Err(StoreErrorKind::NotFound));
        let removed = store.remove_state(of_kind, id, first, Some(&entry())).await;
        assert_eq!(kind(removed), Err(StoreErrorKind::NotFound));
    }
    stands(&**store, &record).await;
    assert_eq!(journal(&*fixture.keys).await, []);
}

/// What was removed is gone, and may be put in again.
pub async fn what_is_removed_is_gone(fixture: &Fixture) {
    let Some(store) = states(fixture) else {
        return;
    };
    let owner = fixtures::owner();
    let other = session_of(&**store, &owner).await;
    let record = session_of(&**store, &owner).await;
    for _ in 0..2 {
        let (of_kind, id) = (record.kind, record.id);
        store
            .remove_state(of_kind, id, Revision::FIRST, Some(&entry()))
            .await
            .unwrap();
        assert_eq!(read(&**store, &record).await, None);
        let listed = store.states(of_kind, Some(&owner), 10).await.unwrap();
        assert_eq!(listed, std::slice::from_ref(&other));
        let again = store
            .remove_state(of_kind, id, Revision::FIRST, Some(&entry()))
            .await;
        assert_eq!(kind(again), Err(StoreErrorKind::NotFound));
        kept(&**store, record.clone()).await;
    }
    assert_eq!(journal(&*fixture.keys).await.len(), 2);
}

/// Each change writes its entry, and none when there is none to write.
pub async fn changes_of_what_is_kept_are_written_down(fixture: &Fixture) {
    let Some(store) = states(fixture) else {
        return;
    };
    let owner = fixtures::owner();
    let record = fixtures::state(StateKind::Session, Some(owner.clone()));
    let (of_kind, id, first) = (record.kind, record.id, Revision::FIRST);
    let mut expected = Vec::new();
    for written in [true, false] {
        let mut next = || {
            let entry = written.then(entry);
            expected.extend(entry.clone());
            entry
        };
        let entries = [next(), next(), next(), next()];
        store
            .insert_state(&record, entries[0].as_ref())
            .await
            .unwrap();
        let at = fixtures::at(70);
        store
            .update_state(of_kind, id, first, b"x", at, entries[1].as_ref())
            .await
            .unwrap();
        let second = first.next();
        store
            .remove_state(of_kind, id, second, entries[2].as_ref())
            .await
            .unwrap();
        store
            .remove_states(of_kind, &owner, None, entries[3].as_ref())
            .await
            .unwrap();
    }
    assert_eq!(entries(&*fixture.keys).await, expected);
}

/// A change whose entry is in the journal already is refused, and changes nothing.
pub async fn a_state_with_an_entry_that_is_there_is_refused(fixture: &Fixture) {
    let Some(store) = states(fixture) else {
        return;
    };
    let entry = entry();
    let owner = fixtures::owner();
    let record = fixtures::state(StateKind::Session, Some(owner.clone()));
    store.insert_state(&record, Some(&entry)).await.unwrap();
    let (of_kind, id, first) = (record.kind, record.id, Revision::FIRST);
    let another = fixtures::state(of_kind, Some(owner.clone()));
    let inserted = store.insert_state(&another, Some(&entry)).await;
    assert_eq!(kind(inserted), Err(StoreErrorKind::Conflict));
    let changed = store
        .update_state(of_kind, id, first, b"x", fixtures::at(9), Some(&entry))
        .await;
    assert_eq!(kind(changed), Err(StoreErrorKind::Conflict));
    let removed = store.remove_state(of_kind, id, first, Some(&entry)).await;
    assert_eq!(kind(removed), Err(StoreErrorKind::Conflict));
    let removed = store
        .remove_states(of_kind, &owner, None, Some(&entry))
        .await;
    assert_eq!(kind(removed), Err(StoreErrorKind::Conflict));
    stands(&**store, &record).await;
    assert_eq!(read(&**store, &another).await, None);
    assert_eq!(entries(&*fixture.keys).await, [entry]);
}
