//! Pages of an owner's keys.

use std::slice::from_ref;

use super::Fixture;
use super::support::{Issued, get, issue, issue_plain, list, rename};
use crate::id::KeyId;
use crate::key::{KeyPatch, KeyQuery, KeyRecord, Owner, Page, Revision};
use crate::store::KeyStore;
use crate::testkit::fixtures;

async fn page(
    store: &dyn KeyStore,
    owner: &Owner,
    before: Option<KeyId>,
    limit: u32,
) -> Page<KeyRecord> {
    let mut query = KeyQuery::of(owner.clone());
    query.before = before;
    query.limit = limit;
    store.list(&query).await.unwrap()
}

fn ids(page: &Page<KeyRecord>) -> Vec<KeyId> {
    page.items.iter().map(|key| key.id).collect()
}

/// Puts `count` keys of `owner` in, in no order of their ids, and gives their ids newest first. All have the same
/// time of creation, so that nothing but the id can order them.
async fn fill(store: &dyn KeyStore, owner: &Owner, count: usize) -> Vec<KeyId> {
    let mut keys: Vec<_> = (0..count).map(|_| fixtures::plain_key(owner)).collect();
    let mut newest_first: Vec<_> = keys.iter().map(|key| key.id).collect();
    newest_first.reverse();
    keys.sort_by_key(|key| key.id.as_bytes()[15]);
    for key in keys {
        issue(store, key).await;
        // Somebody else's keys lie between.
        issue_plain(store).await;
    }
    newest_first
}

/// Twenty-five keys are pages of ten, ten and five, newest first, each key once.
pub async fn pages_follow_each_other(fixture: &Fixture) {
    let store = &*fixture.keys;
    let owner = fixtures::owner();
    let all = fill(store, &owner, 25).await;
    let mut before = None;
    for (number, (expected, more)) in all.chunks(10).zip([true, true, false]).enumerate() {
        let page = page(store, &owner, before, 10).await;
        assert_eq!(ids(&page), expected, "page {number}");
        assert_eq!(page.more, more, "page {number}");
        before = expected.last().copied();
    }
    assert_eq!(
        page(store, &owner, before, 10).await,
        Page::new(Vec::new(), false)
    );
}

/// A page that holds exactly what there is says that there is no more.
pub async fn a_page_that_is_just_full_is_the_last(fixture: &Fixture) {
    let store = &*fixture.keys;
    let owner = fixtures::owner();
    let all = fill(store, &owner, 10).await;
    for (limit, more) in [(10, false), (9, true), (11, false), (1, true), (100, false)] {
        let page = page(store, &owner, None, limit).await;
        let shown = all.len().min(usize::try_from(limit).unwrap());
        assert_eq!(ids(&page), all[..shown], "limit {limit}");
        assert_eq!(page.more, more, "limit {limit}");
    }
    let last_but_one = page(store, &owner, Some(all[4]), 5).await;
    assert_eq!(ids(&last_but_one), all[5..]);
    assert!(!last_but_one.more);
}

/// A page may have as many keys as [`KeyQuery::MAX_LIMIT`] says.
pub async fn the_longest_page_is_given_whole(fixture: &Fixture) {
    let store = &*fixture.keys;
    let owner = fixtures::owner();
    let all = fill(store, &owner, 101).await;
    let page = page(store, &owner, None, KeyQuery::MAX_LIMIT).await;
    assert_eq!(ids(&page), all[..100]);
    assert!(page.more);
}

/// Keys that are added while somebody turns the pages move no other key.
pub async fn pages_stand_still_while_keys_are_added(fixture: &Fixture) {
    let store = &*fixture.keys;
    let owner = fixtures::owner();
    let all = fill(store, &owner, 9).await;
    let (mut seen, mut before) = (Vec::new(), None);
    for round in 0..3 {
        let page = page(store, &owner, before, 3).await;
        assert_eq!(page.more, round < 2, "round {round}");
        seen.extend(ids(&page));
        before = seen.last().copied();
        for _ in 0..4 {
            issue(store, fixtures::plain_key(&owner)).await;
        }
    }
    assert_eq!(seen, all);
    assert_eq!(list(store, &owner).await.len(), 9 + 12);
}

/// A page starts behind any id, also one that is no key of the owner's, or none at all.
pub async fn a_page_starts_behind_any_id(fixture: &Fixture) {
    let store = &*fixture.keys;
    let owner = fixtures::owner();
    let older = issue(store, fixtures::plain_key(&owner)).await.key.id;
    let foreign = issue_plain(store).await.key.id;
    let unknown = fixtures::key_id();
    let newer = issue(store, fixtures::plain_key(&owner)).await.key.id;
    for between in [foreign, unknown, newer] {
        assert_eq!(ids(&page(store, &owner, Some(between), 10).await), [older]);
    }
    let end = KeyId::from_bytes([0xff; 16]);
    assert_eq!(
        ids(&page(store, &owner, Some(end), 10).await),
        [newer, older]
    );
    let start = KeyId::from_bytes([0; 16]);
    assert_eq!(ids(&page(store, &owner, Some(start), 10).await), []);
}

/// Somebody without keys has an empty page.
pub async fn an_owner_without_keys_has_an_empty_page(fixture: &Fixture) {
    let store = &*fixture.keys;
    issue_plain(store).await;
    let nobody = fixtures::owner();
    assert_eq!(
        page(store, &nobody, None, 10).await,
        Page::new(Vec::new(), false)
    );
}

/// Keys that no longer open anything are still listed.
pub async fn keys_are_listed_in_every_state(fixture: &Fixture) {
    let store = &*fixture.keys;
    let owner = fixtures::owner();
    let revoked = issue(store, fixtures::plain_key(&owner)).await.key.id;
    let dead = issue(store, fixtures::full_key(&owner)).await.key;
    for patch in [KeyPatch::revoke(fixtures::at(9)), rename("revoked")] {
        let revision = get(store, revoked).await.revision;
        let entry = fixtures::updated(revoked);
        store
            .update(revoked, revision, &patch, &entry)
            .await
            .unwrap();
    }
    let entry = fixtures::disabled(&owner);
    store
        .set_owner_disabled(&owner, Some(fixtures::at(9)), &entry)
        .await
        .unwrap();
    let revoked = get(store, revoked).await;
    assert_eq!(revoked.revision, Revision::new(3));
    assert_eq!(list(store, &owner).await, [dead, revoked]);
}

/// Owners whose names look alike hold different keys.
pub async fn owners_that_look_alike_are_different(fixture: &Fixture) {
    let store = &*fixture.keys;
    let mut issued = Vec::new();
    for owner in super::owners::LOOKALIKES {
        issued.push(issue(store, fixtures::plain_key(&owner.parse().unwrap())).await);
    }
    for Issued { key, .. } in issued {
        let listed = list(store, &key.owner).await;
        assert_eq!(listed, from_ref(&key), "{:?}", key.owner);
    }
}
