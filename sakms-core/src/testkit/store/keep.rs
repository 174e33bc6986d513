//! One of a key's secrets is kept, and the others go: a rotation is ended, or taken back.

use std::sync::Arc;

use super::Fixture;
use super::secrets::{another, retired_at, rotate};
use super::support::{
    RACERS, decided, entries, find, get, issue_plain, journal, kind, one_got_through, race, reads,
    touch,
};
use crate::clock::Timestamp;
use crate::id::SecretId;
use crate::key::{KeyRecord, Revision, SecretUse};
use crate::store::{KeyStore, StoreErrorKind};
use crate::testkit::fixtures;

/// Keeps a secret of a key as it is now.
async fn keep(store: &dyn KeyStore, key: &KeyRecord, kept: SecretId, at: Timestamp) -> KeyRecord {
    let now = get(store, key.id).await;
    let entry = fixtures::kept(key.id);
    let changed = store
        .keep_secret(key.id, now.revision, kept, at, &entry)
        .await;
    let changed = changed.unwrap();
    assert_eq!(entries(store).await.last(), Some(&entry));
    let mut expected = now;
    expected.shown_prefix = find(store, kept).await.secret.shown_prefix;
    expected.revision = expected.revision.next();
    assert_eq!(changed, expected, "keep_secret gives the key as it is now");
    assert_eq!(get(store, key.id).await, changed);
    changed
}

/// The new secret is kept: the old one retires now instead of later.
pub async fn an_overlap_is_ended(fixture: &Fixture) {
    let store = &*fixture.keys;
    let issued = issue_plain(store).await;
    let new = rotate(store, issued.key.id, fixtures::at(1_000)).await;
    let changed = keep(store, &issued.key, new.id, fixtures::at(10)).await;
    assert_eq!(changed.shown_prefix, new.shown_prefix);
    let mut old = issued.secret.clone();
    old.retired_at = Some(fixtures::at(10));
    reads(store, &changed, &old).await;
    reads(store, &changed, &new).await;
}

/// The old secret is kept: it retires no more, and is shown again; the new one goes.
pub async fn a_rotation_is_taken_back(fixture: &Fixture) {
    let store = &*fixture.keys;
    let issued = issue_plain(store).await;
    let mut new = rotate(store, issued.key.id, fixtures::at(1_000)).await;
    let changed = keep(store, &issued.key, issued.secret.id, fixtures::at(10)).await;
    assert_eq!(changed.shown_prefix, issued.secret.shown_prefix);
    new.retired_at = Some(fixtures::at(10));
    reads(store, &changed, &issued.secret).await;
    reads(store, &changed, &new).await;
}

/// Of the others each retires at the earlier moment: one that was to go before still does.
pub async fn the_others_retire_at_the_earliest_moment(fixture: &Fixture) {
    let store = &*fixture.keys;
    let first = issue_plain(store).await;
    let key = &first.key;
    let second = rotate(store, key.id, fixtures::at(100)).await;
    let third = rotate(store, key.id, fixtures::at(300)).await;
    keep(store, key, second.id, fixtures::at(200)).await;
    assert_eq!(
        retired_at(store, first.secret.id).await,
        Some(fixtures::at(100))
    );
    assert_eq!(retired_at(store, second.id).await, None);
    assert_eq!(retired_at(store, third.id).await, Some(fixtures::at(200)));
    // Again, at any moment there is.
    keep(store, key, third.id, Timestamp::MAX).await;
    assert_eq!(
        retired_at(store, first.secret.id).await,
        Some(fixtures::at(100))
    );
    assert_eq!(retired_at(store, second.id).await, Some(Timestamp::MAX));
    assert_eq!(retired_at(store, third.id).await, None);
    keep(store, key, third.id, Timestamp::EPOCH).await;
    assert_eq!(
        retired_at(store, first.secret.id).await,
        Some(Timestamp::EPOCH)
    );
    assert_eq!(retired_at(store, second.id).await, Some(Timestamp::EPOCH));
}

/// The only secret of a key can be kept: nothing changes but the revision.
pub async fn the_only_secret_is_kept(fixture: &Fixture) {
    let store = &*fixture.keys;
    let issued = issue_plain(store).await;
    let changed = keep(store, &issued.key, issued.secret.id, fixtures::at(1)).await;
    reads(store, &changed, &issued.secret).await;
}

/// What one key keeps is nothing to another, and takes nothing of what is known of uses.
pub async fn keeping_changes_nothing_else(fixture: &Fixture) {
    let store = &*fixture.keys;
    let (issued, other) = (issue_plain(store).await, issue_plain(store).await);
    let new = rotate(store, issued.key.id, fixtures::at(1_000)).await;
    let used = SecretUse::new(issued.secret.id, 3, fixtures::at(77));
    store.record_uses(&[used]).await.unwrap();
    let changed = keep(store, &issued.key, new.id, fixtures::at(10)).await;
    assert_eq!(changed.last_used_at, Some(fixtures::at(77)));
    let secrets = store.secrets(issued.key.id).await.unwrap();
    assert_eq!(
        secrets.iter().map(|secret| secret.uses).collect::<Vec<_>>(),
        [3, 0]
    );
    assert_eq!(secrets[0].last_used_at, Some(fixtures::at(77)));
    reads(store, &other.key, &other.secret).await;
}

/// A secret that the key does not have is not found, also when another key has it; nothing retires.
pub async fn an_unknown_secret_is_not_kept(fixture: &Fixture) {
    let store = &*fixture.keys;
    let (issued, other) = (issue_plain(store).await, issue_plain(store).await);
    let before = journal(store).await;
    for unknown in [fixtures::secret_id(), other.secret.id] {
        let (id, entry) = (issued.key.id, fixtures::kept(issued.key.id));
        let outcome = store
            .keep_secret(id, Revision::FIRST, unknown, fixtures::at(1), &entry)
            .await;
        assert_eq!(kind(outcome), Err(StoreErrorKind::NotFound));
        reads(store, &issued.key, &issued.secret).await;
        reads(store, &other.key, &other.secret).await;
        assert_eq!(journal(store).await, before);
    }
    let (unknown, kept) = (fixtures::key_id(), issued.secret.id);
    let entry = fixtures::kept(unknown);
    let outcome = store
        .keep_secret(unknown, Revision::FIRST, kept, fixtures::at(1), &entry)
        .await;
    assert_eq!(kind(outcome), Err(StoreErrorKind::NotFound));
    assert_eq!(journal(store).await, before);
}

/// Who saw something else than what is there now keeps nothing.
pub async fn keeping_at_another_revision_is_stale(fixture: &Fixture) {
    let store = &*fixture.keys;
    let issued = issue_plain(store).await;
    touch(store, issued.key.id).await;
    let (now, before) = (get(store, issued.key.id).await, journal(store).await);
    for seen in [1, 3, 0, u32::MAX] {
        let (seen, entry) = (Revision::new(seen), fixtures::kept(now.id));
        let outcome = store
            .keep_secret(now.id, seen, issued.secret.id, fixtures::at(1), &entry)
            .await;
        assert_eq!(kind(outcome), Err(StoreErrorKind::Stale), "{seen:?}");
        reads(store, &now, &issued.secret).await;
        assert_eq!(journal(store).await, before);
    }
}

/// Of those who end a rotation, take it back and rotate once more, all having seen the same, one gets through.
pub async fn one_end_of_a_rotation_gets_through(fixture: &Fixture) {
    let store = &fixture.keys;
    for _ in 0..4 {
        let issued = issue_plain(&**store).await;
        let id = issued.key.id;
        let second = rotate(&**store, id, fixtures::at(1_000)).await;
        let (seen, before) = (Revision::new(2), journal(&**store).await.len());
        let outcomes = race(RACERS, |racer| {
            let (store, third) = (Arc::clone(store), another(&issued.key));
            let kept = [issued.secret.id, second.id][racer % 2];
            let (at, entry) = (fixtures::at(5), fixtures::kept(id));
            async move {
                if racer % 4 == 2 {
                    decided(|| store.add_secret(id, seen, &third, at, None, &entry)).await
                } else {
                    decided(|| store.keep_secret(id, seen, kept, at, &entry)).await
                }
            }
        })
        .await;
        let changed = one_got_through(outcomes, StoreErrorKind::Stale);
        assert_eq!(changed.revision, seen.next());
        assert_eq!(get(&**store, id).await, changed);
        assert_eq!(journal(&**store).await.len(), before + 1);
        let secrets = store.secrets(id).await.unwrap();
        let standing = secrets.iter().filter(|one| one.record.retired_at.is_none());
        let shown: Vec<_> = standing.map(|one| &one.record.shown_prefix).collect();
        assert_eq!(shown, [&changed.shown_prefix], "one stands, and is shown");
    }
}
