//! Stores with tables of a known size, filled by the database itself.

use std::path::Path;

use sakms_core::clock::{SystemClock, Timestamp};
use sakms_core::entropy::OsEntropy;
use sakms_core::id::{EntryId, KeyId, SecretId};
use sakms_core::journal::{Action, Actor, JournalEntry, Subject};
use sakms_core::key::{Environment, KeyRecord, Owner, SecretRecord};
use sakms_core::secret::StoredHash;
use sakms_core::store::{Conditions, KeyStore, MariaDbStore, MemoryStore, SqliteStore};
use sakms_core::testkit::mariadb::Database;
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

/// How many keys each owner has.
const PER_OWNER: u32 = 100;

/// The statements below make these same ids: the number where a version 7 has its time.
const fn id(number: u32) -> [u8; 16] {
    (((number as u128) << 80) | (0x7000_8000 << 48)).to_be_bytes()
}

/// The id of the secret with this number, and of the key with it.
#[must_use]
pub const fn secret_id(number: u32) -> SecretId {
    SecretId::from_bytes(id(number))
}

/// The id of the key with this number.
#[must_use]
pub const fn key_id(number: u32) -> KeyId {
    KeyId::from_bytes(id(number))
}

/// The owner of the key with this number.
#[must_use]
pub fn owner(number: u32) -> Owner {
    format!("owner-{}", number / PER_OWNER).parse().unwrap()
}

/// A new key with its secret and its entry, for stores to insert.
#[must_use]
pub fn new_key(owner: Owner) -> (KeyRecord, SecretRecord, JournalEntry) {
    let id = KeyId::generate(&SystemClock, &OsEntropy).unwrap();
    let secret = SecretId::generate(&SystemClock, &OsEntropy).unwrap();
    records(id, secret, owner)
}

/// What the journal says of a change to a key.
#[must_use]
pub fn entry(action: Action, key: KeyId) -> JournalEntry {
    let id = EntryId::generate(&SystemClock, &OsEntropy).unwrap();
    let subject = Subject::key(key);
    JournalEntry::from_parts(
        id,
        Timestamp::EPOCH,
        Actor::SYSTEM,
        action,
        subject,
        String::new(),
    )
}

fn records(id: KeyId, secret: SecretId, owner: Owner) -> (KeyRecord, SecretRecord, JournalEntry) {
    let mut key = KeyRecord::new(id, owner, Environment::live(), Timestamp::EPOCH);
    key.name = "laptop".parse().unwrap();
    key.scopes = "reports:read".parse().unwrap();
    key.shown_prefix.push_str("sakms_live_0Abc12");
    // As long as one of the default parameters; nothing is hashed here.
    let (salt, proof) = ("c2FsdHNhbHRzYWx0c2FsdA", "A".repeat(43));
    let hash = StoredHash::new(format!("$argon2id$v=19$m=19456,t=2,p=1${salt}${proof}"));
    let shown = key.shown_prefix.clone();
    let secret = SecretRecord::new(secret, id, hash, shown, key.created_at);
    (key, secret, entry(Action::KEY_CREATE, id))
}

/// A store in memory with `count` keys.
pub async fn memory(count: u32) -> MemoryStore {
    let store = MemoryStore::new();
    for number in 0..count {
        let (key, secret, entry) = records(key_id(number), secret_id(number), owner(number));
        store
            .insert(&key, &secret, &Conditions::NONE, &entry)
            .await
            .unwrap();
    }
    store
}

const SQLITE_KEYS: &str = "WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?1)
    INSERT INTO sakms_keys (id, owner, name, environment, shown_prefix, scopes, metadata, created_at, revision)
    SELECT unhex(printf('%012x70008000000000000000', n)), 'owner-' || (n / ?2), 'laptop', 'live', 'sakms_live_0Abc12',
           'reports:read', '{}', 0, 1 FROM numbers";
const SQLITE_SECRETS: &str =
    "INSERT INTO sakms_secrets (id, key_id, hash, shown_prefix, created_at)
    SELECT id, id, ?1, shown_prefix, created_at FROM sakms_keys";

/// An SQLite file in `folder` with `count` keys.
pub async fn sqlite(folder: &Path, count: u32) -> SqliteStore {
    let file = folder.join(format!("keys-{count}.db"));
    let store = SqliteStore::open(file.to_str().unwrap()).await.unwrap();
    let (_, secret, _) = records(key_id(0), secret_id(0), owner(0));
    let options = SqliteConnectOptions::new().filename(&file);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let keys = sqlx::query(SQLITE_KEYS).bind(count).bind(PER_OWNER);
    keys.execute(&mut connection).await.unwrap();
    let secrets = sqlx::query(SQLITE_SECRETS).bind(secret.hash.as_str());
    secrets.execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    store
}

const MARIADB_KEYS: &str = "INSERT INTO sakms_keys (id, owner, name, environment, shown_prefix, scopes, metadata, created_at, revision)
    SELECT UNHEX(CONCAT(LPAD(HEX(seq), 12, '0'), '70008000000000000000')), CONCAT('owner-', seq DIV ?), 'laptop', 'live',
           'sakms_live_0Abc12', 'reports:read', '{}', 0, 1 FROM seq_0_to_9999999 WHERE seq < ?";
const MARIADB_SECRETS: &str =
    "INSERT INTO sakms_secrets (id, key_id, hash, shown_prefix, created_at)
    SELECT id, id, ?, shown_prefix, created_at FROM sakms_keys";

/// A database with `count` keys, dropped with the value beside the store; `None` without a server.
pub async fn mariadb(count: u32) -> Option<(MariaDbStore, Database)> {
    let database = Database::create().await?;
    let store = database.store().await;
    let (_, secret, _) = records(key_id(0), secret_id(0), owner(0));
    let mut connection = database.connect().await;
    let keys = sqlx::query(MARIADB_KEYS).bind(PER_OWNER).bind(count);
    keys.execute(&mut connection).await.unwrap();
    let secrets = sqlx::query(MARIADB_SECRETS).bind(secret.hash.as_str());
    secrets.execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    Some((store, database))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_the_database_makes_is_what_is_looked_up() {
        let folder = tempfile::tempdir().unwrap();
        let filled = sqlite(folder.path(), 250).await;
        let held = memory(250).await;
        for number in [0, 100, 249] {
            let found = filled.find(secret_id(number)).await.unwrap();
            assert_eq!(found, held.find(secret_id(number)).await.unwrap());
            assert_eq!(found.unwrap().key.owner, owner(number));
        }
        assert_eq!(filled.find(secret_id(250)).await.unwrap(), None);
    }
}
