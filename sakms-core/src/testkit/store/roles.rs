//! Roles: named sets of scopes.

use std::slice::from_ref;
use std::sync::Arc;

use super::Fixture;
use super::support::{RACERS, decided, entries, issue, journal, kind, race, reads};
use crate::clock::Timestamp;
use crate::key::{Role, RoleName, Scope, ScopeSet};
use crate::store::{KeyStore, StoreErrorKind};
use crate::testkit::fixtures;

async fn define(store: &dyn KeyStore, role: &Role) {
    let entry = fixtures::defined(role);
    store.set_role(role, &entry).await.unwrap();
    assert_eq!(entries(store).await.last(), Some(&entry));
}

fn named(name: &str) -> Role {
    Role::new(
        name.parse().unwrap(),
        fixtures::scopes("a:b"),
        fixtures::at(1),
    )
}

/// Before the first role there is none; a role comes back as it was defined.
pub async fn a_role_comes_back(fixture: &Fixture) {
    let store = &*fixture.keys;
    assert_eq!(store.roles().await.unwrap(), []);
    let role = fixtures::role("reports:read users:*");
    define(store, &role).await;
    assert_eq!(store.roles().await.unwrap(), from_ref(&role));
    assert_eq!(entries(store).await.len(), 1);
}

/// A role is defined anew under its name: the last word counts, for that one alone.
pub async fn the_last_word_about_a_role_counts(fixture: &Fixture) {
    let store = &*fixture.keys;
    let (first, mut second) = (named("a"), named("b"));
    define(store, &first).await;
    define(store, &second).await;
    for scopes in ["c:d e:f", "", "*", "c:d"] {
        second.scopes = fixtures::scopes(scopes);
        second.changed_at = fixtures::at(u64::from(fixtures::number()));
        define(store, &second).await;
        assert_eq!(
            store.roles().await.unwrap(),
            [first.clone(), second.clone()]
        );
        // A second time the same is a change as well.
        define(store, &second).await;
    }
    assert_eq!(entries(store).await.len(), 2 + 4 * 2);
}

/// Roles are given in the order of their names, byte by byte, and no two that look alike are one.
pub async fn roles_are_in_the_order_of_their_names(fixture: &Fixture) {
    let store = &*fixture.keys;
    let ordered = [
        "-", ".", "0", "00", "1", "10", "2", ":", "_", "a", "a-b", "a.b", "a:b", "a_b", "aa",
        "axb", "b",
    ];
    // In no order of theirs.
    for step in 0..ordered.len() {
        define(store, &named(ordered[step * 7 % ordered.len()])).await;
    }
    let roles = store.roles().await.unwrap();
    let names: Vec<_> = roles.iter().map(|role| role.name.as_str()).collect();
    assert_eq!(names, ordered);
}

/// The longest name and the most scopes come back whole, at any moment there is.
pub async fn the_largest_roles_come_back(fixture: &Fixture) {
    let store = &*fixture.keys;
    let scope = |number: usize| -> Scope {
        let resource = "s".repeat(Scope::MAX_BYTES - 11);
        format!("{resource}:{number:010}").parse().unwrap()
    };
    let mut largest = named(&"r".repeat(RoleName::MAX_BYTES));
    largest.scopes = (0..ScopeSet::MAX_LEN).map(scope).collect();
    largest.changed_at = Timestamp::MAX;
    let mut smallest = named("a");
    smallest.scopes = ScopeSet::default();
    smallest.changed_at = Timestamp::EPOCH;
    for role in [&largest, &smallest] {
        define(store, role).await;
    }
    assert_eq!(store.roles().await.unwrap(), [smallest, largest]);
}

/// A role is taken away, that one alone; whoever takes one away that there is not is told so.
pub async fn a_role_is_taken_away(fixture: &Fixture) {
    let store = &*fixture.keys;
    let (first, second) = (named("a_b"), named("axb"));
    define(store, &first).await;
    define(store, &second).await;
    let entry = fixtures::removed(&first.name);
    store.remove_role(&first.name, &entry).await.unwrap();
    assert_eq!(store.roles().await.unwrap(), from_ref(&second));
    assert_eq!(entries(store).await.last(), Some(&entry));

    let before = journal(store).await;
    for unknown in [&first.name, &"never".parse().unwrap()] {
        let entry = fixtures::removed(unknown);
        let outcome = store.remove_role(unknown, &entry).await;
        assert_eq!(kind(outcome), Err(StoreErrorKind::NotFound));
        assert_eq!(store.roles().await.unwrap(), from_ref(&second));
        assert_eq!(journal(store).await, before);
    }
    // It can be defined once more.
    define(store, &first).await;
    assert_eq!(store.roles().await.unwrap(), [first, second]);
}

/// The keys that hold a role stay as they are, whatever becomes of it: their records name it.
pub async fn roles_change_no_key(fixture: &Fixture) {
    let store = &*fixture.keys;
    let role = fixtures::role("a:b");
    let mut key = fixtures::plain_key(&fixtures::owner());
    // The other is defined nowhere.
    key.roles = fixtures::roles(&format!("{} nowhere", role.name));
    let issued = issue(store, key).await;
    reads(store, &issued.key, &issued.secret).await;
    define(store, &role).await;
    reads(store, &issued.key, &issued.secret).await;
    let entry = fixtures::removed(&role.name);
    store.remove_role(&role.name, &entry).await.unwrap();
    reads(store, &issued.key, &issued.secret).await;
}

/// A role whose journal entry is there already is neither defined nor taken away.
pub async fn a_role_with_an_entry_that_is_there_is_refused(fixture: &Fixture) {
    let store = &*fixture.keys;
    let (there, new) = (named("there"), named("new"));
    let used = fixtures::defined(&there);
    store.set_role(&there, &used).await.unwrap();
    let before = journal(store).await;
    let mut other = there.clone();
    other.scopes = ScopeSet::everything();
    for outcome in [
        store.set_role(&new, &used).await,
        store.set_role(&other, &used).await,
        store.remove_role(&there.name, &used).await,
    ] {
        assert_eq!(kind(outcome), Err(StoreErrorKind::Conflict));
    }
    assert_eq!(store.roles().await.unwrap(), [there]);
    assert_eq!(journal(store).await, before);
}

/// There are no more roles than [`Role::MOST`], also when many are defined at once; one that is there can still be
/// defined anew, and one that is taken away makes room.
///
/// It makes a thousand changes, so it takes longer than the others.
pub async fn there_are_no_more_roles_than_may_be(fixture: &Fixture) {
    let store = &fixture.keys;
    let most = usize::try_from(Role::MOST).unwrap();
    let name = |number: usize| named(&format!("role-{number:04}"));
    // All but three, by a few at once so that it does not take for ever, then too many for those.
    race(8, |racer| {
        let store = Arc::clone(store);
        async move {
            for number in (racer..most - 3).step_by(8) {
                let role = name(number);
                let entry = fixtures::defined(&role);
                decided(|| store.set_role(&role, &entry)).await.unwrap();
            }
        }
    })
    .await;
    let before = store.journal_head().await.unwrap().seq.get();
    let outcomes = race(RACERS, |racer| {
        let (store, role) = (Arc::clone(store), name(most + racer));
        let entry = fixtures::defined(&role);
        async move { decided(|| store.set_role(&role, &entry)).await }
    })
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 3);
    let refused = Err(StoreErrorKind::LimitReached);
    assert!(
        outcomes
            .iter()
            .all(|outcome| outcome.is_ok() || *outcome == refused)
    );
    let roles = store.roles().await.unwrap();
    assert_eq!(roles.len(), most);
    assert_eq!(store.journal_head().await.unwrap().seq.get(), before + 3);

    let mut anew = roles[0].clone();
    anew.scopes = fixtures::scopes("c:d");
    define_only(store, &anew).await.unwrap();
    assert_eq!(store.roles().await.unwrap()[0], anew);
    let one_more = named("one-more");
    assert_eq!(define_only(store, &one_more).await, refused);
    let entry = fixtures::removed(&anew.name);
    store.remove_role(&anew.name, &entry).await.unwrap();
    assert_eq!(define_only(store, &one_more).await, Ok(()));
    assert_eq!(define_only(store, &anew).await, refused);
    assert_eq!(store.roles().await.unwrap().len(), most);
}

/// Defines a role and does not look at the journal, which is long by now.
async fn define_only(store: &Arc<dyn KeyStore>, role: &Role) -> Result<(), StoreErrorKind> {
    let entry = fixtures::defined(role);
    kind(store.set_role(role, &entry).await)
}
