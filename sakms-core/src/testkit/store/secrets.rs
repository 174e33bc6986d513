//! A key gets another secret.

use std::slice::from_ref;

use super::Fixture;
use super::support::{
    Issued, entries, find, get, issue, issue_plain, journal, kind, list, reads, touch,
};
use crate::clock::Timestamp;
use crate::id::{KeyId, SecretId};
use crate::key::{KeyRecord, Revision, SecretRecord, SecretUse};
use crate::store::{KeyStore, StoreErrorKind};
use crate::testkit::fixtures;

pub(super) fn another(key: &KeyRecord) -> SecretRecord {
    let mut secret = fixtures::secret(key);
    secret.shown_prefix = format!("sakms_live_{:06}", fixtures::number());
    secret.created_at = fixtures::at(31);
    secret
}

/// Gives a key another secret, retiring the others at `at`, and says which.
pub(super) async fn rotate(store: &dyn KeyStore, key: KeyId, at: Timestamp) -> SecretRecord {
    let key = get(store, key).await;
    let (secret, entry) = (another(&key), fixtures::rotated(key.id));
    store
        .add_secret(key.id, key.revision, &secret, at, None, &entry)
        .await
        .unwrap();
    secret
}

pub(super) async fn retired_at(store: &dyn KeyStore, secret: SecretId) -> Option<Timestamp> {
    find(store, secret).await.secret.retired_at
}

/// The new secret is found beside the old one, which is retired; lists show the new one.
pub async fn a_second_secret_is_found_and_shown(fixture: &Fixture) {
    let store = &*fixture.keys;
    let Issued {
        mut key,
        mut secret,
    } = issue(store, fixtures::full_key(&fixtures::owner())).await;
    let (new, entry) = (another(&key), fixtures::rotated(key.id));
    let retired = fixtures::at(1_000_001);
    let changed = store
        .add_secret(key.id, Revision::FIRST, &new, retired, None, &entry)
        .await
        .unwrap();

    key.shown_prefix.clone_from(&new.shown_prefix);
    key.revision = Revision::new(2);
    secret.retired_at = Some(retired);
    assert_eq!(changed, key, "add_secret gives the key as it is now");
    reads(store, &key, &new).await;
    reads(store, &key, &secret).await;
    assert_eq!(entries(store).await[1..], [entry]);
}

/// A secret that goes earlier than the new retirement keeps its moment; it is not given more time.
pub async fn an_earlier_retirement_stays(fixture: &Fixture) {
    let store = &*fixture.keys;
    let first = issue_plain(store).await;
    let key = first.key.id;
    let second = rotate(store, key, fixtures::at(1_000)).await;
    let third = rotate(store, key, fixtures::at(2_000)).await;
    let fourth = rotate(store, key, fixtures::at(2_000)).await;
    assert_eq!(
        retired_at(store, first.secret.id).await,
        Some(fixtures::at(1_000))
    );
    assert_eq!(
        retired_at(store, second.id).await,
        Some(fixtures::at(2_000))
    );
    assert_eq!(retired_at(store, third.id).await, Some(fixtures::at(2_000)));
    assert_eq!(retired_at(store, fourth.id).await, None);
    assert_eq!(get(store, key).await.revision, Revision::new(4));
}

/// A secret that was to live on past the new retirement is retired with the rest: who replaces a secret that
/// leaked must not leave the one before it working.
pub async fn a_later_retirement_is_brought_forward(fixture: &Fixture) {
    let store = &*fixture.keys;
    let first = issue_plain(store).await;
    let key = first.key.id;
    let second = rotate(store, key, fixtures::at(1_000)).await;
    let third = rotate(store, key, fixtures::at(500)).await;
    assert_eq!(
        retired_at(store, first.secret.id).await,
        Some(fixtures::at(500))
    );
    assert_eq!(retired_at(store, second.id).await, Some(fixtures::at(500)));
    assert_eq!(retired_at(store, third.id).await, None);
}

/// The first and the last moment are moments to retire at.
pub async fn secrets_are_retired_at_any_moment(fixture: &Fixture) {
    let store = &*fixture.keys;
    for moment in [Timestamp::EPOCH, Timestamp::MAX] {
        let issued = issue_plain(store).await;
        rotate(store, issued.key.id, moment).await;
        assert_eq!(retired_at(store, issued.secret.id).await, Some(moment));
    }
}

/// Another secret for one key changes no other key.
pub async fn a_second_secret_changes_no_other_key(fixture: &Fixture) {
    let store = &*fixture.keys;
    let owner = fixtures::owner();
    let same_owner = issue(store, fixtures::plain_key(&owner)).await;
    let rotated = issue(store, fixtures::plain_key(&owner)).await;
    let stranger = issue_plain(store).await;
    rotate(store, rotated.key.id, fixtures::at(1)).await;
    reads(store, &same_owner.key, &same_owner.secret).await;
    reads(store, &stranger.key, &stranger.secret).await;
}

/// What is known of the key's use stays.
pub async fn a_second_secret_keeps_the_last_use(fixture: &Fixture) {
    let store = &*fixture.keys;
    let issued = issue_plain(store).await;
    let used = SecretUse::new(issued.secret.id, 1, fixtures::at(77));
    store.record_uses(&[used]).await.unwrap();
    let new = rotate(store, issued.key.id, fixtures::at(99)).await;
    assert_eq!(
        get(store, issued.key.id).await.last_used_at,
        Some(fixtures::at(77))
    );
    assert_eq!(
        find(store, new.id).await.key.last_used_at,
        Some(fixtures::at(77))
    );
}

/// Another secret for something else than what is there now is refused, and changes nothing.
pub async fn a_second_secret_for_another_revision_is_stale(fixture: &Fixture) {
    let store = &*fixture.keys;
    let issued = issue_plain(store).await;
    touch(store, issued.key.id).await;
    let (now, before) = (get(store, issued.key.id).await, journal(store).await);
    for seen in [1, 3, 0, u32::MAX] {
        let (new, entry) = (another(&now), fixtures::rotated(now.id));
        let outcome = store
            .add_secret(
                now.id,
                Revision::new(seen),
                &new,
                fixtures::at(1),
                None,
                &entry,
            )
            .await;
        assert_eq!(kind(outcome), Err(StoreErrorKind::Stale), "revision {seen}");
        assert_eq!(store.find(new.id).await.unwrap(), None, "revision {seen}");
        reads(store, &now, &issued.secret).await;
        assert_eq!(journal(store).await, before, "revision {seen}");
    }
}

/// Another secret for a key that is not there is refused as such, and leaves no trace.
pub async fn a_second_secret_for_an_unknown_key_is_not_found(fixture: &Fixture) {
    let store = &*fixture.keys;
    let issued = issue_plain(store).await;
    let before = journal(store).await;
    let unknown = fixtures::plain_key(&issued.key.owner);
    let (new, entry) = (another(&unknown), fixtures::rotated(unknown.id));
    let outcome = store
        .add_secret(
            unknown.id,
            Revision::FIRST,
            &new,
            fixtures::at(1),
            None,
            &entry,
        )
        .await;
    assert_eq!(kind(outcome), Err(StoreErrorKind::NotFound));
    assert_eq!(store.find(new.id).await.unwrap(), None);
    let listed = list(store, &issued.key.owner).await;
    assert_eq!(listed, from_ref(&issued.key));
    assert_eq!(journal(store).await, before);
    reads(store, &issued.key, &issued.secret).await;
}

/// A second secret whose id is taken is refused and leaves nothing behind, whoever holds the other.
pub async fn a_second_secret_with_a_taken_id_is_refused(fixture: &Fixture) {
    let store = &*fixture.keys;
    let issued = issue_plain(store).await;
    let other = issue_plain(store).await;
    let before = journal(store).await;
    for taken in [issued.secret.id, other.secret.id] {
        let (mut new, entry) = (another(&issued.key), fixtures::rotated(issued.key.id));
        new.id = taken;
        let outcome = store
            .add_secret(
                issued.key.id,
                Revision::FIRST,
                &new,
                fixtures::at(1),
                None,
                &entry,
            )
            .await;
        assert_eq!(kind(outcome), Err(StoreErrorKind::Conflict));
        reads(store, &issued.key, &issued.secret).await;
        reads(store, &other.key, &other.secret).await;
        assert_eq!(journal(store).await, before);
    }
}
