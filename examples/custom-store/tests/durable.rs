//! What was acknowledged is there after the process has ended, in whatever way.
#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

use std::path::Path;

use sakms_core::clock::Timestamp;
use sakms_core::journal::{JournalHead, verify};
use sakms_core::key::{KeyPatch, SecretUse};
use sakms_core::store::{Conditions, KeyStore, StoreErrorKind};
use sakms_core::testkit::fixtures;
use sakms_example_custom_store::RedbStore;

/// The store as it would be found if the process ended now, without any of its own doing: in a copy of its file.
fn after_a_crash(file: &Path) -> (tempfile::TempDir, RedbStore) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.redb");
    std::fs::copy(file, &copy).unwrap();
    (folder, RedbStore::open(copy).unwrap())
}

/// Every way to look at a store, to compare two.
async fn seen(store: &RedbStore) -> Vec<String> {
    let rows = store
        .journal_after(JournalHead::START.seq, 1000)
        .await
        .unwrap();
    let head = store.journal_head().await.unwrap();
    assert_eq!(verify(JournalHead::START, &rows), Ok(head));
    let mut seen = vec![format!("{rows:?}")];
    for key in rows.iter().filter_map(|row| row.entry.subject.as_key()) {
        let key = store.get(key).await.unwrap().unwrap();
        let disabled_at = store.owner_disabled_at(&key.owner).await.unwrap();
        seen.push(format!("{key:?} {disabled_at:?}"));
    }
    seen
}

#[tokio::test]
async fn every_acknowledged_change_survives_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.redb");
    let store = RedbStore::open(&file).unwrap();
    let owner = fixtures::owner();
    for _ in 0..5 {
        let key = fixtures::plain_key(&owner);
        let secret = fixtures::secret(&key);
        store
            .insert(&key, &secret, &Conditions::NONE, &fixtures::created(&key))
            .await
            .unwrap();
        let (_copy, found) = after_a_crash(&file);
        assert_eq!(seen(&found).await, seen(&store).await);

        let patch = KeyPatch::revoke(Timestamp::EPOCH);
        let entry = fixtures::updated(key.id);
        store
            .update(key.id, key.revision, &patch, &entry)
            .await
            .unwrap();
        let (_copy, found) = after_a_crash(&file);
        assert_eq!(seen(&found).await, seen(&store).await);
        let checked = found.find(secret.id).await.unwrap().unwrap();
        assert_eq!(checked.key.revoked_at, Some(Timestamp::EPOCH));

        let used = SecretUse::new(secret.id, 3, Timestamp::MAX);
        store.record_uses(&[used]).await.unwrap();
        store
            .set_owner_disabled(&owner, Some(Timestamp::EPOCH), &fixtures::disabled(&owner))
            .await
            .unwrap();
        let (_copy, found) = after_a_crash(&file);
        assert_eq!(seen(&found).await, seen(&store).await);
    }
    // A refused change is on no disk either.
    let unknown = fixtures::plain_key(&owner);
    let entry = fixtures::updated(unknown.id);
    let refused = store
        .update(unknown.id, unknown.revision, &KeyPatch::default(), &entry)
        .await;
    assert_eq!(refused.unwrap_err().kind(), StoreErrorKind::NotFound);
    let before = seen(&store).await;
    drop(store);
    assert_eq!(seen(&RedbStore::open(&file).unwrap()).await, before);
}

#[tokio::test]
async fn a_file_is_open_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.redb");
    let store = RedbStore::open(&file).unwrap();
    let second = RedbStore::open(&file);
    assert!(
        matches!(second, Err(redb::Error::DatabaseAlreadyOpen)),
        "{second:?}"
    );
    drop(store);
    RedbStore::open(&file).unwrap();
}

#[tokio::test]
async fn what_cannot_be_read_is_corrupt_and_never_absent() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.redb");
    let (key, other) = (
        fixtures::full_key(&fixtures::owner()),
        fixtures::full_key(&fixtures::owner()),
    );
    let (secret, lost) = (fixtures::secret(&key), fixtures::secret(&other));
    let store = RedbStore::open(&file).unwrap();
    store
        .insert(&key, &secret, &Conditions::NONE, &fixtures::created(&key))
        .await
        .unwrap();
    store
        .insert(&other, &lost, &Conditions::NONE, &fixtures::created(&other))
        .await
        .unwrap();
    drop(store);

    let database = redb::Database::open(&file).unwrap();
    let change = database.begin_write().unwrap();
    let table = redb::TableDefinition::<[u8; 16], &[u8]>::new("keys");
    let mut keys = change.open_table(table).unwrap();
    keys.insert(key.id.as_bytes(), &b"{}"[..]).unwrap();
    keys.remove(other.id.as_bytes()).unwrap();
    drop(keys);
    change.commit().unwrap();
    drop(database);

    let store = RedbStore::open(&file).unwrap();
    for secret in [&secret, &lost] {
        let found = store.find(secret.id).await;
        assert_eq!(found.unwrap_err().kind(), StoreErrorKind::Corrupt);
    }
    assert_eq!(
        store.get(key.id).await.unwrap_err().kind(),
        StoreErrorKind::Corrupt
    );
}
