//! A request with an idempotency key is carried out once.

use std::slice::from_ref;
use std::sync::Arc;

use super::Fixture;
use super::secrets::{another, rotate};
use super::support::{
    Issued, RACERS, decided, get, issue_plain, journal, kind, list, one_got_through, race, reads,
};
use crate::clock::Timestamp;
use crate::key::{KeyRecord, Revision};
use crate::store::{
    Conditions, IdempotencyId, IdempotencyRecord, KeyStore, RequestDigest, StoreErrorKind,
};
use crate::testkit::fixtures;

/// A key that a request with an idempotency key made, and the record of that.
async fn made_once(store: &dyn KeyStore) -> (Issued, IdempotencyRecord) {
    let key = fixtures::plain_key(&fixtures::owner());
    let secret = fixtures::secret(&key);
    let (record, entry) = (fixtures::idempotency(&secret), fixtures::created(&key));
    let once = fixtures::once(record);
    store.insert(&key, &secret, &once, &entry).await.unwrap();
    (Issued { key, secret }, record)
}

async fn known(store: &dyn KeyStore, record: &IdempotencyRecord) -> Option<IdempotencyRecord> {
    store.idempotency(&record.id).await.unwrap()
}

/// A record of this id for another secret, that asked something else.
fn repeat(id: IdempotencyId, key: &KeyRecord) -> (crate::key::SecretRecord, IdempotencyRecord) {
    let secret = another(key);
    let mut record = fixtures::idempotency(&secret);
    record.id = id;
    (secret, record)
}

/// What a request made is found under its idempotency key, to the bit.
pub async fn a_request_is_remembered(fixture: &Fixture) {
    let store = &*fixture.keys;
    let (made, record) = made_once(store).await;
    reads(store, &made.key, &made.secret).await;
    assert_eq!(known(store, &record).await, Some(record));

    let (secret, entry) = (another(&made.key), fixtures::rotated(made.key.id));
    let mut rotation = fixtures::idempotency(&secret);
    rotation.at = Timestamp::MAX;
    store
        .add_secret(
            made.key.id,
            Revision::FIRST,
            &secret,
            fixtures::at(1),
            Some(&rotation),
            &entry,
        )
        .await
        .unwrap();
    assert_eq!(known(store, &rotation).await, Some(rotation));
    assert_eq!(known(store, &record).await, Some(record));
    // Without one nothing is remembered.
    rotate(store, made.key.id, fixtures::at(1)).await;
    let never = fixtures::idempotency(&secret);
    assert_eq!(known(store, &never).await, None);
}

/// Ids are thirty-two bytes, all of which count.
pub async fn requests_are_told_apart_byte_by_byte(fixture: &Fixture) {
    let store = &*fixture.keys;
    let ending = |byte| {
        let mut id = [b'k'; 32];
        id[31] = byte;
        id
    };
    let mut ids = vec![[0x00; 32], [0x20; 32], [0xff; 32]];
    ids.extend([0x00, 0x20, 0xff, b'k', b'K'].map(ending));
    let mut records = Vec::new();
    for id in ids {
        let key = fixtures::plain_key(&fixtures::owner());
        let (secret, mut record) = repeat(IdempotencyId::from_bytes(id), &key);
        record.request = RequestDigest::from_bytes(id);
        let (once, entry) = (fixtures::once(record), fixtures::created(&key));
        assert_eq!(known(store, &record).await, None);
        store.insert(&key, &secret, &once, &entry).await.unwrap();
        records.push(record);
    }
    for record in records {
        assert_eq!(known(store, &record).await, Some(record));
    }
}

/// A request that was made before is a conflict and adds nothing, whether it made a key or a secret, and whatever it
/// asks this time.
pub async fn a_repeated_request_adds_nothing(fixture: &Fixture) {
    let store = &*fixture.keys;
    let (made, creation) = made_once(store).await;
    let (mut key, id) = (made.key.clone(), made.key.id);
    let (second, entry) = (another(&key), fixtures::rotated(id));
    let rotation = fixtures::idempotency(&second);
    let at = fixtures::at(1);
    key = store
        .add_secret(id, key.revision, &second, at, Some(&rotation), &entry)
        .await
        .unwrap();
    let before = journal(store).await;
    for record in [creation, rotation] {
        let other = fixtures::plain_key(&fixtures::owner());
        let (secret, again) = repeat(record.id, &other);
        let mut held = secret.clone();
        held.key = id;
        for again in [record, again] {
            let (once, entry) = (fixtures::once(again), fixtures::created(&other));
            let outcome = store.insert(&other, &secret, &once, &entry).await;
            assert_eq!(kind(outcome), Err(StoreErrorKind::Conflict), "insert");
            assert_eq!(store.get(other.id).await.unwrap(), None);
            assert_eq!(list(store, &other.owner).await, []);

            let (now, entry) = (key.revision, fixtures::rotated(id));
            let outcome = store
                .add_secret(id, now, &held, at, Some(&again), &entry)
                .await;
            assert_eq!(kind(outcome), Err(StoreErrorKind::Conflict), "add_secret");
            assert_eq!(store.find(secret.id).await.unwrap(), None);
            assert_eq!(get(store, id).await, key);
            assert_eq!(known(store, &record).await, Some(record), "the first stays");
            assert_eq!(journal(store).await, before);
        }
    }
    reads(store, &key, &second).await;
}

/// A repeated request is told that it was repeated, also when what it made took the last place.
pub async fn a_repeat_is_a_conflict_where_there_is_no_room(fixture: &Fixture) {
    let store = &*fixture.keys;
    let owner = fixtures::owner();
    let mut record = None;
    for expected in [Ok(()), Err(StoreErrorKind::Conflict)] {
        let key = fixtures::plain_key(&owner);
        let (secret, entry) = (fixtures::secret(&key), fixtures::created(&key));
        let mut conditions = fixtures::at_most(1);
        conditions.idempotency = Some(*record.get_or_insert(fixtures::idempotency(&secret)));
        let outcome = store.insert(&key, &secret, &conditions, &entry).await;
        assert_eq!(kind(outcome), expected);
    }
    assert_eq!(list(store, &owner).await.len(), 1);
}

/// A change that was refused, for whatever reason, leaves no record: the request can be made again.
pub async fn a_refused_request_is_not_remembered(fixture: &Fixture) {
    let store = &*fixture.keys;
    let issued = issue_plain(store).await;
    let id = issued.key.id;
    let taken = fixtures::updated(id);
    store.note(&taken).await.unwrap();
    let key = fixtures::plain_key(&issued.key.owner);
    let (secret, entry) = (fixtures::secret(&key), fixtures::created(&key));
    let record = fixtures::idempotency(&secret);
    let once = fixtures::once(record);
    let mut full = fixtures::at_most(1);
    full.idempotency = Some(record);
    let conflict = Err(StoreErrorKind::Conflict);

    let outcome = store.insert(&issued.key, &secret, &once, &entry).await;
    assert_eq!(kind(outcome), conflict, "the key's id is taken");
    assert_eq!(known(store, &record).await, None);
    let outcome = store.insert(&key, &issued.secret, &once, &entry).await;
    assert_eq!(kind(outcome), conflict, "the secret's id is taken");
    assert_eq!(known(store, &record).await, None);
    let outcome = store.insert(&key, &secret, &once, &taken).await;
    assert_eq!(kind(outcome), conflict, "the entry's id is taken");
    assert_eq!(known(store, &record).await, None);
    let outcome = store.insert(&key, &secret, &full, &entry).await;
    assert_eq!(kind(outcome), Err(StoreErrorKind::LimitReached));
    assert_eq!(known(store, &record).await, None);

    let (at, some) = (fixtures::at(1), Some(&record));
    for (key, seen, expected) in [
        (id, 2, StoreErrorKind::Stale),
        (fixtures::key_id(), 1, StoreErrorKind::NotFound),
    ] {
        let (seen, entry) = (Revision::new(seen), fixtures::rotated(key));
        let outcome = store.add_secret(key, seen, &secret, at, some, &entry).await;
        assert_eq!(kind(outcome), Err(expected));
        assert_eq!(known(store, &record).await, None);
    }
    store.insert(&key, &secret, &once, &entry).await.unwrap();
    assert_eq!(known(store, &record).await, Some(record));
    reads(store, &key, &secret).await;
}

/// Old requests are forgotten, and can be made again; the ones at the moment itself and after it are not.
pub async fn old_requests_are_forgotten(fixture: &Fixture) {
    let store = &*fixture.keys;
    store.forget_idempotency(Timestamp::MAX).await.unwrap();
    let key = fixtures::plain_key(&fixtures::owner());
    let mut records = Vec::new();
    for moment in [fixtures::at(9), fixtures::at(10), fixtures::at(11)] {
        let key = fixtures::plain_key(&key.owner);
        let secret = fixtures::secret(&key);
        let mut record = fixtures::idempotency(&secret);
        record.at = moment;
        let (once, entry) = (fixtures::once(record), fixtures::created(&key));
        store.insert(&key, &secret, &once, &entry).await.unwrap();
        records.push(record);
    }
    let (before, keys) = (journal(store).await, list(store, &key.owner).await);
    store.forget_idempotency(Timestamp::EPOCH).await.unwrap();
    for record in &records {
        assert_eq!(known(store, record).await, Some(*record));
    }
    store.forget_idempotency(fixtures::at(10)).await.unwrap();
    assert_eq!(known(store, &records[0]).await, None);
    assert_eq!(known(store, &records[1]).await, Some(records[1]));
    assert_eq!(known(store, &records[2]).await, Some(records[2]));
    assert_eq!(journal(store).await, before, "forgetting is no change");
    assert_eq!(list(store, &key.owner).await, keys, "what was made stays");

    let (secret, again) = repeat(records[0].id, &key);
    let (once, entry) = (fixtures::once(again), fixtures::created(&key));
    store.insert(&key, &secret, &once, &entry).await.unwrap();
    assert_eq!(known(store, &again).await, Some(again));
}

/// Of sixteen who make the same request at once, one makes a key.
pub async fn one_of_many_repeats_makes_a_key(fixture: &Fixture) {
    let store = &fixture.keys;
    for _ in 0..4 {
        let owner = fixtures::owner();
        let (first, before) = (fixtures::plain_key(&owner), journal(&**store).await.len());
        let id = fixtures::idempotency(&fixtures::secret(&first)).id;
        let outcomes = race(RACERS, |_| {
            let (store, key) = (Arc::clone(store), fixtures::plain_key(&owner));
            let (secret, record) = repeat(id, &key);
            let (once, entry) = (fixtures::once(record), fixtures::created(&key));
            async move {
                decided(|| store.insert(&key, &secret, &once, &entry)).await?;
                Ok((key, secret, record))
            }
        })
        .await;
        let (key, secret, record) = one_got_through(outcomes, StoreErrorKind::Conflict);
        assert_eq!(known(&**store, &record).await, Some(record));
        assert_eq!(list(&**store, &owner).await, from_ref(&key));
        reads(&**store, &key, &secret).await;
        assert_eq!(journal(&**store).await.len(), before + 1);
    }
}

/// Of sixteen who make the same request at once, some of a key and some of a secret for a key of their own, one does.
pub async fn one_of_many_repeats_makes_a_secret(fixture: &Fixture) {
    let store = &fixture.keys;
    for _ in 0..4 {
        let mut issued = Vec::new();
        for _ in 0..RACERS / 2 {
            issued.push(issue_plain(&**store).await);
        }
        let before = journal(&**store).await.len();
        let id = fixtures::idempotency(&issued[0].secret).id;
        let outcomes = race(RACERS, |racer| {
            let store = Arc::clone(store);
            let held = issued.get(racer).map(|issued| issued.key.clone());
            let new = fixtures::plain_key(&fixtures::owner());
            let (secret, record) = repeat(id, held.as_ref().unwrap_or(&new));
            async move {
                if let Some(key) = held {
                    let (seen, at) = (key.revision, fixtures::at(1));
                    let entry = fixtures::rotated(key.id);
                    let some = Some(&record);
                    decided(|| store.add_secret(key.id, seen, &secret, at, some, &entry)).await?;
                } else {
                    let (once, entry) = (fixtures::once(record), fixtures::created(&new));
                    decided(|| store.insert(&new, &secret, &once, &entry)).await?;
                }
                Ok((secret, record))
            }
        })
        .await;
        let (secret, record) = one_got_through(outcomes, StoreErrorKind::Conflict);
        assert_eq!(known(&**store, &record).await, Some(record));
        assert!(store.find(secret.id).await.unwrap().is_some());
        for issued in issued {
            let changed = get(&**store, issued.key.id).await.revision != Revision::FIRST;
            assert_eq!(changed, secret.key == issued.key.id);
        }
        assert_eq!(journal(&**store).await.len(), before + 1);
    }
}

/// Of sixteen who make the same rotation at once, one gets through; the others come too late in either way.
pub async fn one_of_many_repeats_rotates_a_key(fixture: &Fixture) {
    let store = &fixture.keys;
    let issued = issue_plain(&**store).await;
    let (id, key) = (issued.key.id, &issued.key);
    let repeated = fixtures::idempotency(&issued.secret).id;
    let outcomes = race(RACERS, |_| {
        let (store, (secret, record)) = (Arc::clone(store), repeat(repeated, key));
        let (at, entry) = (fixtures::at(1), fixtures::rotated(id));
        async move {
            let (seen, some) = (Revision::FIRST, Some(&record));
            decided(|| store.add_secret(id, seen, &secret, at, some, &entry)).await?;
            Ok(record)
        }
    })
    .await;
    let (through, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(through.len(), 1);
    for outcome in refused {
        let kind: Result<IdempotencyRecord, StoreErrorKind> = outcome;
        let late = [Err(StoreErrorKind::Stale), Err(StoreErrorKind::Conflict)];
        assert!(late.contains(&kind), "{kind:?}");
    }
    let secrets = store.secrets(id).await.unwrap();
    assert_eq!(secrets.len(), 2);
    let record = through.into_iter().find_map(Result::ok).unwrap();
    assert_eq!(secrets[1].record.id, record.secret);
    assert_eq!(known(&**store, &record).await, Some(record));
}

/// No record is kept of a request that named no idempotency key, so it can be repeated at will.
pub async fn a_request_without_a_key_is_no_repeat(fixture: &Fixture) {
    let store = &*fixture.keys;
    let owner = fixtures::owner();
    for _ in 0..2 {
        let key = fixtures::plain_key(&owner);
        let (secret, entry) = (fixtures::secret(&key), fixtures::created(&key));
        store
            .insert(&key, &secret, &Conditions::NONE, &entry)
            .await
            .unwrap();
        rotate(store, key.id, fixtures::at(1)).await;
    }
    assert_eq!(list(store, &owner).await.len(), 2);
}
