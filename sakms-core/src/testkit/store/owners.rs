//! Disabling an owner stops everything they hold.

use super::Fixture;
use super::support::{entries, find, issue, issue_plain, reads};
use crate::clock::Timestamp;
use crate::key::Owner;
use crate::store::KeyStore;
use crate::testkit::fixtures;

/// Names that some collation or other takes for the same.
pub(super) const LOOKALIKES: [&str; 16] = [
    "ada",
    "Ada",
    "ADA",
    "ad\u{e1}",
    "ada\u{301}",
    "ada ",
    " ada",
    "ada\0",
    "ada\u{a0}",
    "ada\u{200b}",
    "аda",
    "ａda",
    "\u{e1}da",
    "a\u{301}da",
    "stra\u{df}e",
    "strasse",
];

async fn set(store: &dyn KeyStore, owner: &Owner, at: Option<Timestamp>) {
    let entry = at.map_or_else(|| fixtures::enabled(owner), |_| fixtures::disabled(owner));
    store.set_owner_disabled(owner, at, &entry).await.unwrap();
    assert_eq!(
        entries(store).await.last(),
        Some(&entry),
        "the journal says so"
    );
    assert_eq!(store.owner_disabled_at(owner).await.unwrap(), at);
}

/// Nobody is disabled who was not, whether they hold keys or not.
pub async fn an_owner_is_not_disabled_at_first(fixture: &Fixture) {
    let store = &*fixture.keys;
    let owner = issue_plain(store).await.key.owner;
    assert_eq!(store.owner_disabled_at(&owner).await.unwrap(), None);
    assert_eq!(
        store.owner_disabled_at(&fixtures::owner()).await.unwrap(),
        None
    );
}

/// Every secret of the owner tells that they are disabled, until they are enabled again; the keys themselves do
/// not change.
pub async fn a_disabled_owner_shows_in_every_secret(fixture: &Fixture) {
    let store = &*fixture.keys;
    let owner = fixtures::owner();
    let first = issue(store, fixtures::plain_key(&owner)).await;
    let second = issue(store, fixtures::plain_key(&owner)).await;
    let other = issue_plain(store).await;

    set(store, &owner, Some(fixtures::at(50))).await;
    for issued in [&first, &second] {
        let found = find(store, issued.secret.id).await;
        assert_eq!(found.owner_disabled_at, Some(fixtures::at(50)));
        assert_eq!(found.key, issued.key);
        assert_eq!(found.secret, issued.secret);
    }
    reads(store, &other.key, &other.secret).await;

    set(store, &owner, None).await;
    reads(store, &first.key, &first.secret).await;
    reads(store, &second.key, &second.secret).await;
}

/// Who is disabled before they have a key is disabled when they get one.
pub async fn an_owner_can_be_disabled_before_their_first_key(fixture: &Fixture) {
    let store = &*fixture.keys;
    let owner = fixtures::owner();
    set(store, &owner, Some(fixtures::at(50))).await;
    let issued = issue(store, fixtures::plain_key(&owner)).await;
    let found = find(store, issued.secret.id).await;
    assert_eq!(found.owner_disabled_at, Some(fixtures::at(50)));
}

/// Doing it again is no error, whether the moment is the same or another; the last word counts.
pub async fn an_owner_can_be_disabled_twice(fixture: &Fixture) {
    let store = &*fixture.keys;
    let owner = fixtures::owner();
    let issued = issue(store, fixtures::plain_key(&owner)).await;
    let moments = [Some(50), Some(50), Some(60), Some(40), None, None, Some(70)];
    for moment in moments.map(|at| at.map(fixtures::at)) {
        set(store, &owner, moment).await;
        assert_eq!(
            find(store, issued.secret.id).await.owner_disabled_at,
            moment
        );
    }
    assert_eq!(entries(store).await.len(), 1 + moments.len());
}

/// Enabling somebody who was never disabled is a change like any other.
pub async fn an_owner_can_be_enabled_who_was_not_disabled(fixture: &Fixture) {
    let store = &*fixture.keys;
    set(store, &fixtures::owner(), None).await;
}

/// The first and the last moment are moments.
pub async fn an_owner_can_be_disabled_at_any_moment(fixture: &Fixture) {
    let store = &*fixture.keys;
    let issued = issue_plain(store).await;
    for moment in [Timestamp::EPOCH, fixtures::START, Timestamp::MAX] {
        set(store, &issued.key.owner, Some(moment)).await;
        let found = find(store, issued.secret.id).await;
        assert_eq!(found.owner_disabled_at, Some(moment));
    }
}

/// Disabling somebody disables nobody whose name looks alike.
pub async fn disabling_stops_no_lookalike(fixture: &Fixture) {
    let store = &*fixture.keys;
    let longest = "o".repeat(Owner::MAX_BYTES - 1);
    let names = LOOKALIKES.map(str::to_owned);
    let long = ["x", "y", " "].map(|end| format!("{longest}{end}"));
    let owners: Vec<Owner> = names
        .into_iter()
        .chain(long)
        .map(|n| n.parse().unwrap())
        .collect();
    let mut issued = Vec::new();
    for owner in &owners {
        issued.push(issue(store, fixtures::plain_key(owner)).await);
    }
    for (number, owner) in owners.iter().enumerate() {
        let disabled = |place| (place == number).then_some(fixtures::START);
        set(store, owner, Some(fixtures::START)).await;
        for (place, issued) in issued.iter().enumerate() {
            let name = &issued.key.owner;
            let state = store.owner_disabled_at(name).await.unwrap();
            assert_eq!(
                state,
                disabled(place),
                "{name:?} while {owner:?} is disabled"
            );
            let found = find(store, issued.secret.id).await;
            assert_eq!(found.owner_disabled_at, disabled(place), "find: {name:?}");
        }
        set(store, owner, None).await;
    }
}
