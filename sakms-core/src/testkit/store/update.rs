//! A change is made once, on what was seen, or not at all.

use super::Fixture;
use super::keys::only_a_quota;
use super::support::{entries, find, get, issue, issue_plain, journal, kind, reads, rename};
use crate::key::{
    KeyPatch, Limits, Metadata, Refill, Revision, RoleSet, ScopeSet, SecretUse, TagSet,
};
use crate::store::StoreErrorKind;
use crate::testkit::fixtures;

/// A change of what was seen is made, counted and written to the journal once.
pub async fn an_update_counts_the_revision_up(fixture: &Fixture) {
    let store = &*fixture.keys;
    let issued = issue_plain(store).await;
    let entry = fixtures::updated(issued.key.id);
    let changed = store
        .update(issued.key.id, Revision::FIRST, &rename("second"), &entry)
        .await
        .unwrap();
    let mut expected = issued.key.clone();
    expected.name = fixtures::name("second");
    expected.revision = Revision::new(2);
    assert_eq!(changed, expected, "update gives the key as it is now");
    reads(store, &expected, &issued.secret).await;
    assert_eq!(entries(store).await[1..], [entry]);
}

/// A change of something else than what is there now is refused, and changes nothing.
pub async fn an_update_of_another_revision_is_stale(fixture: &Fixture) {
    let store = &*fixture.keys;
    let issued = issue_plain(store).await;
    let id = issued.key.id;
    let entry = fixtures::updated(id);
    let first = Revision::FIRST;
    let now = store
        .update(id, first, &rename("now"), &entry)
        .await
        .unwrap();
    let before = journal(store).await;

    // What was seen before the change, what nobody can have seen yet, and the ends of the numbers.
    for seen in [1, 3, 0, u32::MAX] {
        let (revision, entry) = (Revision::new(seen), fixtures::updated(id));
        let outcome = store.update(id, revision, &rename("stale"), &entry).await;
        assert_eq!(kind(outcome), Err(StoreErrorKind::Stale), "revision {seen}");
        reads(store, &now, &issued.secret).await;
        assert_eq!(journal(store).await, before, "revision {seen}");
    }
}

/// A change of a key that is not there is refused as such, and leaves no trace.
pub async fn an_update_of_an_unknown_key_is_not_found(fixture: &Fixture) {
    let store = &*fixture.keys;
    issue_plain(store).await;
    let before = journal(store).await;
    let unknown = fixtures::key_id();
    for patch in [
        rename("ghost"),
        KeyPatch::default(),
        KeyPatch::revoke(fixtures::at(1)),
    ] {
        let entry = fixtures::updated(unknown);
        let outcome = store.update(unknown, Revision::FIRST, &patch, &entry).await;
        assert_eq!(kind(outcome), Err(StoreErrorKind::NotFound));
        assert_eq!(store.get(unknown).await.unwrap(), None);
        assert_eq!(journal(store).await, before);
    }
}

/// A change to the values that are there already is a change: it is not taken for a stale one because no column
/// became different.
pub async fn an_update_to_the_present_values_is_made(fixture: &Fixture) {
    let store = &*fixture.keys;
    let issued = issue(store, fixtures::full_key(&fixtures::owner())).await;
    let mut expected = issued.key.clone();
    let mut same = rename(expected.name.as_str());
    same.scopes = Some(expected.scopes.clone());
    same.roles = Some(expected.roles.clone());
    same.limits = Some(expected.limits.clone());
    same.tags = Some(expected.tags.clone());
    same.metadata = Some(expected.metadata.clone());
    same.not_before = Some(expected.not_before);
    same.expires_at = Some(expected.expires_at);
    same.disabled_at = Some(expected.disabled_at);
    same.revoked_at = expected.revoked_at;
    for (revision, patch) in (1..).zip([same.clone(), KeyPatch::default(), same]) {
        let (seen, entry) = (Revision::new(revision), fixtures::updated(expected.id));
        let changed = store
            .update(expected.id, seen, &patch, &entry)
            .await
            .unwrap();
        expected.revision = seen.next();
        assert_eq!(changed, expected);
        reads(store, &expected, &issued.secret).await;
        assert_eq!(entries(store).await.last(), Some(&entry));
    }
}

/// Each field that a patch can change is kept, also when it is emptied, and the others stay.
pub async fn every_field_of_a_patch_is_kept(fixture: &Fixture) {
    let store = &*fixture.keys;
    let mut key = fixtures::full_key(&fixtures::owner());
    key.revoked_at = None;
    let issued = issue(store, key).await;
    let mut expected = issued.key.clone();

    let patch = |change: fn(&mut KeyPatch)| {
        let mut patch = KeyPatch::default();
        change(&mut patch);
        patch
    };
    let patches = [
        rename("'; DROP TABLE sakms_keys; -- 🔑\0"),
        rename(""),
        patch(|p| p.scopes = Some(fixtures::scopes("a:b c:*"))),
        patch(|p| p.scopes = Some(ScopeSet::everything())),
        patch(|p| p.scopes = Some(ScopeSet::default())),
        patch(|p| p.roles = Some(fixtures::roles("auditor"))),
        patch(|p| p.roles = Some(RoleSet::default())),
        patch(|p| p.limits = Some(only_a_quota(5, Refill::Never))),
        patch(|p| p.limits = Some(Limits::default())),
        patch(|p| p.limits = Some(fixtures::limits())),
        patch(|p| p.tags = Some(fixtures::tags("a b-c"))),
        patch(|p| p.tags = Some(TagSet::default())),
        patch(|p| p.not_before = Some(Some(fixtures::at(1_500_001)))),
        patch(|p| p.not_before = Some(None)),
        patch(|p| p.metadata = Some(fixtures::metadata(&[("á\0\"", "'ß\\")]))),
        patch(|p| p.metadata = Some(Metadata::default())),
        patch(|p| p.expires_at = Some(Some(fixtures::at(1_000_001)))),
        patch(|p| p.expires_at = Some(None)),
        patch(|p| p.disabled_at = Some(Some(fixtures::at(2_000_002)))),
        patch(|p| p.disabled_at = Some(None)),
        KeyPatch::revoke(fixtures::at(3_000_003)),
        // All at once, after the revocation: a revoked key can still be renamed.
        KeyPatch {
            roles: Some(fixtures::roles("all")),
            limits: Some(only_a_quota(5, Refill::Never)),
            tags: Some(fixtures::tags("all")),
            not_before: Some(Some(fixtures::at(3))),
            name: Some(fixtures::name("all")),
            scopes: Some(fixtures::scopes("all:read")),
            metadata: Some(fixtures::metadata(&[("all", "yes")])),
            expires_at: Some(Some(fixtures::at(4))),
            disabled_at: Some(Some(fixtures::at(5))),
            revoked_at: Some(fixtures::at(6)),
        },
    ];
    for patch in patches {
        let entry = fixtures::updated(expected.id);
        let seen = expected.revision;
        patch.apply(&mut expected);
        let changed = store
            .update(expected.id, seen, &patch, &entry)
            .await
            .unwrap();
        assert_eq!(changed, expected, "{patch:?}");
        reads(store, &expected, &issued.secret).await;
    }
    assert_eq!(expected.revoked_at, Some(fixtures::at(3_000_003)));
}

/// Revoking a second time needs what was seen as any change does, and leaves the first moment.
pub async fn revoking_twice_keeps_the_first_moment(fixture: &Fixture) {
    let store = &*fixture.keys;
    let issued = issue_plain(store).await;
    let id = issued.key.id;
    let (first, second) = (fixtures::at(10), fixtures::at(20));
    let revoke = async |at, seen| {
        let entry = fixtures::updated(id);
        store
            .update(id, Revision::new(seen), &KeyPatch::revoke(at), &entry)
            .await
    };
    assert_eq!(revoke(first, 1).await.unwrap().revoked_at, Some(first));
    assert_eq!(kind(revoke(second, 1).await), Err(StoreErrorKind::Stale));
    let again = revoke(second, 2).await.unwrap();
    assert_eq!(again.revoked_at, Some(first));
    assert_eq!(again.revision, Revision::new(3));
    reads(store, &again, &issued.secret).await;
    // An earlier moment cannot move it either: what was let through before stays explained.
    let earlier = revoke(fixtures::at(1), 3).await.unwrap();
    assert_eq!(earlier.revoked_at, Some(first));
    reads(store, &earlier, &issued.secret).await;
}

/// A change of one key is a change of one key.
pub async fn an_update_changes_no_other_key(fixture: &Fixture) {
    let store = &*fixture.keys;
    let owner = fixtures::owner();
    let mut others = Vec::new();
    for _ in 0..2 {
        others.push(issue(store, fixtures::plain_key(&owner)).await);
    }
    let changed = issue(store, fixtures::plain_key(&owner)).await.key.id;
    others.push(issue(store, fixtures::plain_key(&owner)).await);
    others.push(issue_plain(store).await);
    let revoke = KeyPatch::revoke(fixtures::at(1));
    let entry = fixtures::updated(changed);
    store
        .update(changed, Revision::FIRST, &revoke, &entry)
        .await
        .unwrap();
    for other in others {
        reads(store, &other.key, &other.secret).await;
    }
}

/// A change leaves the secrets and what is known of their use.
pub async fn an_update_keeps_the_last_use(fixture: &Fixture) {
    let store = &*fixture.keys;
    let issued = issue_plain(store).await;
    let used = fixtures::at(77);
    store
        .record_uses(&[SecretUse::new(issued.secret.id, 1, used)])
        .await
        .unwrap();
    let entry = fixtures::updated(issued.key.id);
    let changed = store
        .update(issued.key.id, Revision::FIRST, &rename("used"), &entry)
        .await
        .unwrap();
    assert_eq!(changed.last_used_at, Some(used), "update forgot the use");
    assert_eq!(get(store, issued.key.id).await, changed);
    assert_eq!(find(store, issued.secret.id).await.secret, issued.secret);
}
