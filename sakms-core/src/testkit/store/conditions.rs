//! An owner has no more keys than they may, however many are made at once.

use std::sync::Arc;

use super::Fixture;
use super::support::{Issued, decided, get, issue, issue_plain, journal, kind, list, race, reads};
use crate::id::KeyId;
use crate::key::{KeyPatch, KeyRecord, Owner};
use crate::store::{Conditions, KeyStore, StoreErrorKind};
use crate::testkit::fixtures;

/// How many make a key at once.
const MANY: usize = 64;

/// Adds a key of which its owner may have `most`.
async fn add(store: &dyn KeyStore, key: KeyRecord, most: u32) -> Result<Issued, StoreErrorKind> {
    let (secret, entry) = (fixtures::secret(&key), fixtures::created(&key));
    let most = fixtures::at_most(most);
    let added = store.insert(&key, &secret, &most, &entry).await;
    kind(added).map(|()| Issued { key, secret })
}

/// There is no room, and what was tried leaves no trace.
async fn no_room(store: &dyn KeyStore, owner: &Owner, most: u32) {
    let (before, keys) = (journal(store).await, list(store, owner).await);
    let key = fixtures::plain_key(owner);
    let (secret, entry) = (fixtures::secret(&key), fixtures::created(&key));
    let most = fixtures::at_most(most);
    let added = store.insert(&key, &secret, &most, &entry).await;
    assert_eq!(kind(added), Err(StoreErrorKind::LimitReached));
    assert_eq!(store.get(key.id).await.unwrap(), None);
    assert_eq!(store.find(secret.id).await.unwrap(), None);
    assert_eq!(list(store, owner).await, keys);
    assert_eq!(journal(store).await, before);
}

async fn change(store: &dyn KeyStore, key: KeyId, patch: &KeyPatch) {
    let (seen, entry) = (get(store, key).await.revision, fixtures::updated(key));
    store.update(key, seen, patch, &entry).await.unwrap();
}

/// The last key that may be is added, and the next is not; other owners have room of their own.
pub async fn an_owner_has_no_more_keys_than_they_may(fixture: &Fixture) {
    let store = &*fixture.keys;
    let owner = fixtures::owner();
    for _ in 0..3 {
        // Somebody else's keys take no room.
        issue_plain(store).await;
        let added = add(store, fixtures::plain_key(&owner), 3).await.unwrap();
        reads(store, &added.key, &added.secret).await;
    }
    no_room(store, &owner, 3).await;
    no_room(store, &owner, 1).await;
    no_room(store, &owner, 0).await;
    no_room(store, &fixtures::owner(), 0).await;
    add(store, fixtures::plain_key(&fixtures::owner()), 3)
        .await
        .unwrap();
    // The number is that of the moment; without one there is room.
    add(store, fixtures::plain_key(&owner), 4).await.unwrap();
    add(store, fixtures::plain_key(&owner), u32::MAX)
        .await
        .unwrap();
    issue(store, fixtures::plain_key(&owner)).await;
    no_room(store, &owner, 6).await;
    assert_eq!(list(store, &owner).await.len(), 6);
}

/// A key counts as long as it is neither revoked nor expired when the new one is made: also one that is switched off,
/// or whose time is still to come.
pub async fn keys_that_are_over_take_no_room(fixture: &Fixture) {
    let store = &*fixture.keys;
    let made_at = fixtures::START;
    for (takes_room, change) in [
        (true, None),
        (
            false,
            Some((|key| key.revoked_at = Some(fixtures::at(9))) as fn(&mut KeyRecord)),
        ),
        // Expired at that very moment, and a microsecond later.
        (false, Some(|key| key.expires_at = Some(fixtures::START))),
        (true, Some(|key| key.expires_at = Some(fixtures::at(1)))),
        (true, Some(|key| key.disabled_at = Some(fixtures::START))),
        (
            true,
            Some(|key| key.not_before = Some(fixtures::at(1_000_000))),
        ),
        (
            false,
            Some(|key| {
                key.disabled_at = Some(fixtures::START);
                key.revoked_at = Some(fixtures::START);
            }),
        ),
    ] {
        let owner = fixtures::owner();
        let mut key = fixtures::plain_key(&owner);
        if let Some(change) = change {
            change(&mut key);
        }
        let key = issue(store, key).await.key;
        if takes_room {
            no_room(store, &owner, 1).await;
        }
        let mut second = fixtures::plain_key(&owner);
        second.created_at = made_at;
        let most = if takes_room { 2 } else { 1 };
        add(store, second, most).await.unwrap();
        no_room(store, &owner, most).await;
        // What counts is when the new one is made, not the time of day.
        if key.expires_at == Some(fixtures::at(1)) {
            let mut later = fixtures::plain_key(&owner);
            later.created_at = fixtures::at(1);
            add(store, later, 2).await.unwrap();
        }
    }
}

/// Revoking a key makes room, and so does letting it expire; switching one off does not.
pub async fn a_revoked_key_makes_room(fixture: &Fixture) {
    let store = &*fixture.keys;
    let owner = fixtures::owner();
    let first = add(store, fixtures::plain_key(&owner), 1)
        .await
        .unwrap()
        .key
        .id;
    let off = KeyPatch {
        disabled_at: Some(Some(fixtures::at(1))),
        ..KeyPatch::default()
    };
    change(store, first, &off).await;
    no_room(store, &owner, 1).await;
    change(store, first, &KeyPatch::revoke(fixtures::at(1))).await;
    let second = add(store, fixtures::plain_key(&owner), 1)
        .await
        .unwrap()
        .key
        .id;
    no_room(store, &owner, 1).await;
    let over = KeyPatch {
        expires_at: Some(Some(fixtures::START)),
        ..KeyPatch::default()
    };
    change(store, second, &over).await;
    add(store, fixtures::plain_key(&owner), 1).await.unwrap();
    no_room(store, &owner, 1).await;
}

/// Owners whose names look alike have room each.
pub async fn lookalikes_take_no_room(fixture: &Fixture) {
    let store = &*fixture.keys;
    let owners = super::owners::LOOKALIKES.map(|owner| owner.parse::<Owner>().unwrap());
    for owner in &owners {
        add(store, fixtures::plain_key(owner), 1).await.unwrap();
    }
    for owner in &owners {
        no_room(store, owner, 1).await;
    }
}

/// Sixty-four who make a key at once, where there is room for some: as many as there is room for, and no more.
pub async fn many_keys_at_once_stay_within_the_limit(fixture: &Fixture) {
    let store = &fixture.keys;
    for (there, most) in [(0, 1), (2, 5), (5, 5)] {
        let owner = fixtures::owner();
        for _ in 0..there {
            issue(&**store, fixtures::plain_key(&owner)).await;
        }
        let before = journal(&**store).await.len();
        let outcomes = race(MANY, |_| {
            let (store, key) = (Arc::clone(store), fixtures::plain_key(&owner));
            let (secret, entry) = (fixtures::secret(&key), fixtures::created(&key));
            async move {
                let most = fixtures::at_most(most);
                let added = decided(|| store.insert(&key, &secret, &most, &entry)).await;
                (key.id, secret.id, added)
            }
        })
        .await;
        let through = outcomes
            .iter()
            .filter(|(_, _, added)| added.is_ok())
            .count();
        let room = usize::try_from(most - there).unwrap();
        assert_eq!(through, room, "{there} were there, of {most} that may be");
        for (key, secret, added) in outcomes {
            assert_eq!(store.get(key).await.unwrap().is_some(), added.is_ok());
            assert_eq!(store.find(secret).await.unwrap().is_some(), added.is_ok());
            if let Err(kind) = added {
                assert_eq!(kind, StoreErrorKind::LimitReached);
            }
        }
        assert_eq!(list(&**store, &owner).await.len(), most as usize);
        assert_eq!(journal(&**store).await.len(), before + room);
    }
}

/// Many owners who each make their only key at once do not stand in each other's way.
pub async fn owners_do_not_take_each_others_room(fixture: &Fixture) {
    let store = &fixture.keys;
    let owners: Vec<_> = (0..8).map(|_| fixtures::owner()).collect();
    let outcomes = race(MANY, |racer| {
        let (store, key) = (Arc::clone(store), fixtures::plain_key(&owners[racer % 8]));
        let (secret, entry) = (fixtures::secret(&key), fixtures::created(&key));
        async move {
            let most = fixtures::at_most(1);
            decided(|| store.insert(&key, &secret, &most, &entry)).await
        }
    })
    .await;
    assert_eq!(outcomes.iter().filter(|added| added.is_ok()).count(), 8);
    for owner in owners {
        assert_eq!(list(&**store, &owner).await.len(), 1);
    }
}

/// Without a condition nothing is held against anything.
pub async fn without_conditions_there_is_room(fixture: &Fixture) {
    let store = &*fixture.keys;
    assert_eq!(Conditions::default(), Conditions::NONE);
    let owner = fixtures::owner();
    for _ in 0..4 {
        issue(store, fixtures::plain_key(&owner)).await;
    }
    assert_eq!(list(store, &owner).await.len(), 4);
}
