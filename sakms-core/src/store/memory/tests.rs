use super::*;
use crate::clock::Timestamp;
use crate::id::{EntryId, KeyId, SecretId};
use crate::journal::{Action, Actor, JournalEntry, Subject};
use crate::key::{Environment, KeyRecord, SecretRecord, SecretUse};
use crate::secret::StoredHash;
use crate::store::{Conditions, KeyStore as _};

fn key(byte: u8) -> (KeyRecord, SecretRecord, JournalEntry) {
    let id = KeyId::from_bytes([byte; 16]);
    let owner = "somebody private".parse().unwrap();
    let record = KeyRecord::new(id, owner, Environment::live(), Timestamp::EPOCH);
    let secret = SecretRecord::new(
        SecretId::from_bytes([byte; 16]),
        id,
        StoredHash::new("hash".into()),
        "shown".into(),
        Timestamp::EPOCH,
    );
    let entry = JournalEntry::from_parts(
        EntryId::from_bytes([byte; 16]),
        Timestamp::EPOCH,
        Actor::SYSTEM,
        Action::KEY_CREATE,
        Subject::key(id),
        String::new(),
    );
    (record, secret, entry)
}

#[tokio::test]
async fn debug_counts_and_shows_nothing() {
    let store = MemoryStore::new();
    let (record, secret, entry) = key(1);
    store
        .insert(&record, &secret, &Conditions::NONE, &entry)
        .await
        .unwrap();
    let used = |count| [SecretUse::new(secret.id, count, Timestamp::EPOCH)];
    store.record_uses(&used(3)).await.unwrap();
    store.record_uses(&used(4)).await.unwrap();
    assert_eq!(
        format!("{:?}", store.clone()),
        "MemoryStore { keys: 1, secrets: 1, uses: 7, disabled_owners: 0, accounts: 0, states: 0, journal: 1 }"
    );
}

#[tokio::test]
async fn a_panic_elsewhere_does_not_take_the_store_down() {
    let store = MemoryStore::new();
    let (record, secret, entry) = key(1);
    store
        .insert(&record, &secret, &Conditions::NONE, &entry)
        .await
        .unwrap();
    let handle = store.clone();
    let panicked = std::thread::spawn(move || {
        let _held = handle.state.lock().unwrap();
        panic!("while the lock is held");
    });
    assert!(panicked.join().is_err());
    assert!(store.state.is_poisoned());
    assert_eq!(store.get(record.id).await.unwrap(), Some(record));
}
