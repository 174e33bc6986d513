//! What is known of the use of secrets. How often one was used is for `counts`.

use super::Fixture;
use super::support::{find, get, issue_plain, journal, list, reads};
use crate::clock::Timestamp;
use crate::id::{KeyId, SecretId};
use crate::key::{Revision, SecretUse};
use crate::store::{Conditions, KeyStore};
use crate::testkit::fixtures;

async fn record(store: &dyn KeyStore, secret: SecretId, at: Timestamp) {
    store
        .record_uses(&[SecretUse::new(secret, 1, at)])
        .await
        .unwrap();
}

async fn last_used_at(store: &dyn KeyStore, key: KeyId) -> Option<Timestamp> {
    get(store, key).await.last_used_at
}

/// A use shows wherever the key is read.
pub async fn a_use_shows_in_every_read(fixture: &Fixture) {
    let store = &*fixture.keys;
    let mut issued = issue_plain(store).await;
    record(store, issued.secret.id, fixtures::at(7)).await;
    issued.key.last_used_at = Some(fixtures::at(7));
    reads(store, &issued.key, &issued.secret).await;
}

/// Uses are told late and out of order; the latest stays.
pub async fn the_latest_use_stays(fixture: &Fixture) {
    let store = &*fixture.keys;
    let issued = issue_plain(store).await;
    for (told, known) in [(50, 50), (40, 50), (50, 50), (51, 51), (0, 51)] {
        record(store, issued.secret.id, fixtures::at(told)).await;
        let last = last_used_at(store, issued.key.id).await;
        assert_eq!(last, Some(fixtures::at(known)), "after {told}");
    }
}

/// The same secret may be told of twice at once, in either order.
pub async fn a_secret_may_be_used_twice_in_one_call(fixture: &Fixture) {
    let store = &*fixture.keys;
    for moments in [[30, 10], [10, 30], [30, 30]] {
        let issued = issue_plain(store).await;
        let uses = moments.map(|at| SecretUse::new(issued.secret.id, 2, fixtures::at(at)));
        store.record_uses(&uses).await.unwrap();
        let last = last_used_at(store, issued.key.id).await;
        assert_eq!(last, Some(fixtures::at(30)), "told {moments:?}");
    }
}

/// A use at the first moment is a use.
pub async fn uses_are_known_at_any_moment(fixture: &Fixture) {
    let store = &*fixture.keys;
    for moment in [Timestamp::EPOCH, fixtures::START, Timestamp::MAX] {
        let issued = issue_plain(store).await;
        record(store, issued.secret.id, moment).await;
        assert_eq!(last_used_at(store, issued.key.id).await, Some(moment));
    }
}

/// A key was last used when the last used of its secrets was.
pub async fn a_key_was_used_when_one_of_its_secrets_was(fixture: &Fixture) {
    let store = &*fixture.keys;
    let issued = issue_plain(store).await;
    let (new, entry) = (
        fixtures::secret(&issued.key),
        fixtures::rotated(issued.key.id),
    );
    store
        .add_secret(
            issued.key.id,
            Revision::FIRST,
            &new,
            fixtures::at(1),
            None,
            &entry,
        )
        .await
        .unwrap();
    let (old, new) = (issued.secret.id, new.id);
    for (secret, told, known) in [(old, 20, 20), (new, 10, 20), (new, 30, 30), (old, 25, 30)] {
        record(store, secret, fixtures::at(told)).await;
        let known = Some(fixtures::at(known));
        assert_eq!(last_used_at(store, issued.key.id).await, known);
        assert_eq!(find(store, old).await.key.last_used_at, known);
        assert_eq!(find(store, new).await.key.last_used_at, known);
        assert_eq!(list(store, &issued.key.owner).await[0].last_used_at, known);
    }
}

/// A secret that is not there, or not any more, takes nothing from the others.
pub async fn an_unknown_secret_is_passed_over(fixture: &Fixture) {
    let store = &*fixture.keys;
    let issued = issue_plain(store).await;
    let use_of = |secret| SecretUse::new(secret, 3, fixtures::at(5));
    let (first, second) = (fixtures::secret_id(), fixtures::secret_id());
    let uses = [use_of(first), use_of(issued.secret.id), use_of(second)];
    store.record_uses(&uses).await.unwrap();
    assert_eq!(
        last_used_at(store, issued.key.id).await,
        Some(fixtures::at(5))
    );
    assert_eq!(store.find(first).await.unwrap(), None);
    // One that was used before it is there starts without a use, as every other.
    let key = fixtures::plain_key(&fixtures::owner());
    let mut late = fixtures::secret(&key);
    late.id = second;
    store
        .insert(&key, &late, &Conditions::NONE, &fixtures::created(&key))
        .await
        .unwrap();
    reads(store, &key, &late).await;
}

/// Nothing to tell is no error.
pub async fn no_uses_are_recorded(fixture: &Fixture) {
    let store = &*fixture.keys;
    let issued = issue_plain(store).await;
    store.record_uses(&[]).await.unwrap();
    reads(store, &issued.key, &issued.secret).await;
}

/// A use is no change of the key: neither its revision nor the journal tells of it.
pub async fn uses_are_no_changes(fixture: &Fixture) {
    let store = &*fixture.keys;
    let issued = issue_plain(store).await;
    let other = issue_plain(store).await;
    let before = journal(store).await;
    for at in 1..=5 {
        record(store, issued.secret.id, fixtures::at(at)).await;
    }
    assert_eq!(get(store, issued.key.id).await.revision, Revision::FIRST);
    assert_eq!(journal(store).await, before);
    reads(store, &other.key, &other.secret).await;
}

/// Two hundred uses in one call, of forty secrets, a few of which are not there.
pub async fn many_uses_are_recorded_at_once(fixture: &Fixture) {
    let store = &*fixture.keys;
    let mut issued = Vec::new();
    for _ in 0..36 {
        issued.push(issue_plain(store).await);
    }
    let known = issued.iter().map(|issued| issued.secret.id);
    let secrets: Vec<_> = known.chain((0..4).map(|_| fixtures::secret_id())).collect();
    // Seven steps forward around forty secrets: each has five uses, far from each other.
    let uses: Vec<_> = (0..200)
        .map(|n: usize| {
            let at = fixtures::at(u64::try_from(n).unwrap());
            SecretUse::new(secrets[n * 7 % secrets.len()], 1, at)
        })
        .collect();
    store.record_uses(&uses).await.unwrap();
    for issued in issued {
        let mine = uses.iter().filter(|used| used.secret == issued.secret.id);
        let last = mine.map(|used| used.last_at).max();
        assert!(last.is_some(), "each has uses");
        assert_eq!(last_used_at(store, issued.key.id).await, last);
    }
}
