//! What was acknowledged is there after the process has ended, in whatever way.
#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

use std::path::Path;
use std::slice::from_ref;

use sakms_core::clock::Timestamp;
use sakms_core::id::SecretId;
use sakms_core::journal::{JournalHead, verify};
use sakms_core::key::{Day, KeyPatch, KeyQuery, SecretUse};
use sakms_core::store::{Conditions, IdempotencyId, KeyStore, StoreErrorKind};
use sakms_core::testkit::fixtures;
use sakms_example_custom_store::RedbStore;

/// The store as it would be found if the process ended now, without any of its own doing: in a copy of its file.
fn after_a_crash(file: &Path) -> (tempfile::TempDir, RedbStore) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.redb");
    std::fs::copy(file, &copy).unwrap();
    (folder, RedbStore::open(copy).unwrap())
}

/// What stands for the request that made a secret.
fn request_of(secret: SecretId) -> IdempotencyId {
    let mut id = [0; 32];
    id[..16].copy_from_slice(secret.as_bytes());
    IdempotencyId::from_bytes(id)
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
        let secrets = store.secrets(key.id).await.unwrap();
        let days = store.usage(key.id, Day::of(Timestamp::EPOCH), Day::MAX);
        let taken = store.quota_taken(key.id, Timestamp::EPOCH).await.unwrap();
        seen.push(format!("{key:?} {disabled_at:?} {secrets:?} {taken}"));
        seen.push(format!("{:?}", days.await.unwrap()));
        for secret in secrets {
            let request = request_of(secret.record.id);
            let made_by = store.idempotency(&request).await.unwrap();
            seen.push(format!("{made_by:?}"));
        }
    }
    seen.push(format!("{:?}", store.roles().await.unwrap()));
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
            .insert(
                &key,
                &secret,
                &fixtures::at_most(5),
                &fixtures::created(&key),
            )
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

        let (second, entry) = (fixtures::secret(&key), fixtures::rotated(key.id));
        let mut record = fixtures::idempotency(&second);
        record.id = request_of(second.id);
        let (seen_before, at, some) = (checked.key.revision, fixtures::at(1), Some(&record));
        let rotated = store
            .add_secret(key.id, seen_before, &second, at, some, &entry)
            .await
            .unwrap();
        let (_copy, found) = after_a_crash(&file);
        assert_eq!(seen(&found).await, seen(&store).await);
        let made = found.idempotency(&record.id).await.unwrap();
        assert_eq!(made, Some(record));

        let entry = fixtures::kept(key.id);
        store
            .keep_secret(key.id, rotated.revision, secret.id, at, &entry)
            .await
            .unwrap();
        let (_copy, found) = after_a_crash(&file);
        assert_eq!(seen(&found).await, seen(&store).await);

        let role = fixtures::role("a:b");
        store
            .set_role(&role, &fixtures::defined(&role))
            .await
            .unwrap();
        let (_copy, found) = after_a_crash(&file);
        assert_eq!(found.roles().await.unwrap(), from_ref(&role));
        store
            .remove_role(&role.name, &fixtures::removed(&role.name))
            .await
            .unwrap();
        let left = store.take_quota(key.id, Timestamp::EPOCH, 5, 2).await;
        assert_eq!(left.unwrap(), Some(3));
        let (_copy, found) = after_a_crash(&file);
        assert_eq!(seen(&found).await, seen(&store).await);
        let taken = found.quota_taken(key.id, Timestamp::EPOCH).await;
        assert_eq!(taken.unwrap(), 2);

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

/// A file that the first version wrote has fewer tables and shorter documents.
#[tokio::test]
async fn a_file_of_the_first_version_is_opened() {
    let documents = include_str!("../../../sakms-core/tests/golden/documents_v1.jsonl");
    let lines: Vec<_> = documents.lines().map(str::as_bytes).collect();
    let [_, _, row, whole, _] = lines[..] else {
        panic!("a key, a secret, a row, a key with its secrets and an account");
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.redb");
    {
        let (id, secret) = ([7; 16], [8; 16]);
        let table = redb::TableDefinition::<[u8; 16], &[u8]>::new;
        let database = redb::Database::create(&file).unwrap();
        let change = database.begin_write().unwrap();
        let of_owners = redb::TableDefinition::<(&str, [u8; 16]), ()>::new("keys_of_owners");
        let of_secret = redb::TableDefinition::<[u8; 16], [u8; 16]>::new("key_of_secret");
        let journal = redb::TableDefinition::<u64, &[u8]>::new("journal");
        let mut keys = change.open_table(table("keys")).unwrap();
        keys.insert(id, whole).unwrap();
        let mut of_owners = change.open_table(of_owners).unwrap();
        of_owners.insert(("ada \"L.\"", id), ()).unwrap();
        let mut of_secret = change.open_table(of_secret).unwrap();
        of_secret.insert(secret, id).unwrap();
        change.open_table(journal).unwrap().insert(1, row).unwrap();
        drop((keys, of_owners, of_secret));
        change.commit().unwrap();
    }
    let store = RedbStore::open(&file).unwrap();
    let everybody = KeyQuery::everybody();
    let key = store.list(&everybody).await.unwrap().items.remove(0);
    assert_eq!(key.name.as_str(), "laptop 🔑");
    assert!(key.limits.is_empty() && key.roles.is_empty());
    let secrets = store.secrets(key.id).await.unwrap();
    assert_eq!((secrets.len(), secrets[0].uses), (1, 7));
    assert_eq!(store.roles().await.unwrap(), []);

    let mut patch = KeyPatch::default();
    patch.limits = Some(fixtures::limits());
    let entry = fixtures::updated(key.id);
    let changed = store.update(key.id, key.revision, &patch, &entry).await;
    assert_eq!(changed.unwrap().limits, fixtures::limits());
    let found = store.find(secrets[0].record.id).await.unwrap().unwrap();
    assert_eq!(found.key.limits, fixtures::limits());
    assert_eq!(store.journal_head().await.unwrap().seq.get(), 2);
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
