//! A MariaDB store reads no more rows than it needs: each statement has its index.
#![cfg(all(feature = "mariadb", feature = "testkit"))]
#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod common;

use std::cell::Cell;
use std::collections::BTreeMap;

use common::mariadb::Database;
use common::{stored_key, told};
use sakms_core::account::AccountQuery;
use sakms_core::clock::Timestamp;
use sakms_core::id::KeyId;
use sakms_core::journal::{JournalQuery, Seq};
use sakms_core::key::{
    Day, KeyPatch, KeyQuery, KeyRecord, Owner, Revision, SecretRecord, SecretUse,
};
use sakms_core::store::{
    AccountStore as _, Conditions, IdempotencyId, KeyStore as _, MariaDbStore, StateId, StateKind,
    StateStore as _, StoreErrorKind,
};
use sakms_core::testkit::fixtures;
use sqlx::Row as _;
use sqlx::mysql::{MySqlPool, MySqlPoolOptions};

/// 4,096 keys, half of them of one owner, with something in each table.
const FILL: &str = "SET @n = 0; \
     CREATE TABLE sixteen (i INT); INSERT INTO sixteen VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9),(10),(11),(12),(13),(14),(15); \
     INSERT INTO sakms_keys SELECT UNHEX(LPAD(HEX(@n := @n + 1), 32, '0')), IF(@n % 2, 'many', CONCAT('o', @n)), '', 'live', '', '', '{}', 1, NULL, NULL, NULL, 1 \
     FROM sixteen a, sixteen b, sixteen c; \
     INSERT INTO sakms_secrets SELECT id, id, '', '', 1, NULL FROM sakms_keys WHERE owner <> '' AND created_at = 1; \
     INSERT INTO sakms_secret_uses SELECT id, id, 1, 1 FROM sakms_keys WHERE created_at = 1; \
     INSERT INTO sakms_owners SELECT owner, 1 FROM sakms_keys WHERE created_at = 1 AND owner <> 'many'; \
     INSERT INTO sakms_journal SELECT 1 + CONV(HEX(id), 16, 10), id, 1, 'a', 'b', 'c', '', REPEAT('x', 32) FROM sakms_keys WHERE created_at = 1; \
     INSERT INTO sakms_accounts SELECT id, '', HEX(id), '', 1, 1 FROM sakms_keys WHERE created_at = 1; \
     INSERT INTO sakms_key_policies SELECT id, NULL, '', IF(CONV(HEX(id), 16, 10) % 4 = 1, ' ci ', ''), '{}' FROM sakms_keys WHERE created_at = 1; \
     INSERT INTO sakms_secret_sources SELECT id, id, 1, '192.0.2.7' FROM sakms_keys WHERE created_at = 1; \
     INSERT INTO sakms_key_days SELECT id, 1, 1, 0 FROM sakms_keys WHERE created_at = 1; \
     INSERT INTO sakms_quotas SELECT id, 0, 1 FROM sakms_keys WHERE created_at = 1; \
     INSERT INTO sakms_idempotency SELECT CONCAT(id, id), CONCAT(id, id), id, id, 1 FROM sakms_keys WHERE created_at = 1; \
     INSERT INTO sakms_account_roles SELECT id, 'admin' FROM sakms_keys WHERE created_at = 1; \
     INSERT INTO sakms_owner_turns SELECT DISTINCT owner FROM sakms_keys WHERE created_at = 1; \
     INSERT INTO sakms_journal_owners SELECT seq, IF(seq % 2, 'many', NULL) FROM sakms_journal WHERE at = 1; \
     INSERT INTO sakms_states SELECT CONCAT(id, id), IF(CONV(HEX(id), 16, 10) % 8, 'session', 'code'), \
     IF(CONV(HEX(id), 16, 10) % 4, CONCAT('o', CONV(HEX(id), 16, 10)), 'many'), 'v', CONV(HEX(id), 16, 10), 1000000 + CONV(HEX(id), 16, 10), 1 \
     FROM sakms_keys WHERE created_at = 1; \
     UPDATE sakms_journal_head SET seq = 4097; \
     ANALYZE TABLE sakms_keys, sakms_secrets, sakms_secret_uses, sakms_owners, sakms_journal, sakms_accounts, \
     sakms_key_policies, sakms_secret_sources, sakms_key_days, sakms_quotas, sakms_idempotency, \
     sakms_account_roles, sakms_owner_turns, sakms_journal_owners, sakms_roles, sakms_states; \
     SELECT COUNT(*) FROM sakms_roles";

type Rows = BTreeMap<String, u64>;

/// A full database, one connection to it, and how many rows that has read.
struct Counted {
    database: Database,
    pool: MySqlPool,
    store: MariaDbStore,
    key: KeyRecord,
    secret: SecretRecord,
    /// What it takes to ask.
    question: Rows,
    last: Cell<Rows>,
}

/// How many rows the session's statements have read, by how they were found.
async fn rows_read(pool: &MySqlPool) -> Rows {
    let rows = sqlx::raw_sql("SHOW SESSION STATUS LIKE 'Handler_read%'")
        .fetch_all(pool)
        .await;
    let read = |row: &sqlx::mysql::MySqlRow| {
        let (name, count): (String, String) = (row.get(0), row.get(1));
        (name, count.parse().unwrap())
    };
    rows.unwrap().iter().map(read).collect()
}

fn since(before: &Rows, after: &Rows) -> Rows {
    let difference = |(name, count): (&String, &u64)| (name.clone(), count - before[name]);
    after.iter().map(difference).collect()
}

impl Counted {
    async fn new() -> Option<Self> {
        let database = Database::create().await?;
        let options = MySqlPoolOptions::new().max_connections(1);
        let pool = options.connect_lazy_with(database.options());
        let store = MariaDbStore::from_pool(pool.clone());
        store.migrate().await.unwrap();
        let (key, secret) = stored_key(&store).await;
        database.run(FILL).await;
        // The question counts as well: as much as it did between two questions with nothing in between.
        let (first, second) = (rows_read(&pool).await, rows_read(&pool).await);
        Some(Self {
            database,
            pool,
            store,
            key,
            secret,
            question: since(&first, &second),
            last: Cell::new(second),
        })
    }

    /// At most so many rows were read since the last time, and just so many of those in passing.
    async fn looked(&self, what: &str, most: u64, passing: u64) {
        let now = rows_read(&self.pool).await;
        let before = self.last.replace(now.clone());
        let read = since(&self.question, &since(&before, &now));
        assert_eq!(
            read["Handler_read_rnd_next"], passing,
            "{what} scans: {read:?}"
        );
        assert_eq!(read["Handler_read_rnd"], 0, "{what} sorts: {read:?}");
        let all: u64 = read.values().sum();
        assert!(all <= most, "{what} reads {all} rows: {read:?}");
    }

    async fn read(&self, what: &str, most: u64) {
        self.looked(what, most, 0).await;
    }

    /// Whose the new row of the journal is goes through a table in passing, of one row and its end: the statement asks
    /// the table that it writes how far it is.
    async fn changed(&self, what: &str, most: u64) {
        self.looked(what, most, 2).await;
    }
}

fn many() -> Owner {
    "many".parse().unwrap()
}

#[tokio::test]
async fn no_question_reads_more_rows_than_it_needs() {
    let Some(counted) = Counted::new().await else {
        return;
    };
    let Counted {
        store, key, secret, ..
    } = &counted;
    let (many, account) = (many(), fixtures::account());
    store.find(secret.id).await.unwrap().unwrap();
    counted.read("find", 6).await;
    store.get(key.id).await.unwrap().unwrap();
    counted.read("get", 5).await;
    let mut query = KeyQuery::of(many.clone());
    query.limit = 10;
    let page = store.list(&query).await.unwrap();
    assert!(page.more);
    counted.read("list", 11 * 5).await;
    query.before = page.items.last().map(|key| key.id);
    assert_eq!(store.list(&query).await.unwrap().items.len(), 10);
    counted.read("the next page", 11 * 5).await;
    query.before = Some(KeyId::from_bytes(1000_u128.to_be_bytes()));
    assert_eq!(store.list(&query).await.unwrap().items.len(), 10);
    counted.read("a page far behind", 11 * 5).await;
    // Every second one of them has the tag: twice as many are looked at.
    query.filter.tag = Some("ci".parse().unwrap());
    assert_eq!(store.list(&query).await.unwrap().items.len(), 10);
    counted.read("a page with a tag", 11 * 2 * 5).await;
    query.owner = None;
    query.before = None;
    assert_eq!(store.list(&query).await.unwrap().items.len(), 10);
    counted.read("a page of all keys", 12 * 4 * 5).await;
    store.secrets(key.id).await.unwrap();
    counted.read("secrets", 4).await;
    let day = Day::of(fixtures::START);
    store.usage(key.id, day, day).await.unwrap();
    counted.read("usage", 1).await;
    store.roles().await.unwrap();
    counted.read("roles", 1).await;
    store.owner_disabled_at(&key.owner).await.unwrap();
    counted.read("owner_disabled_at", 1).await;
    assert_eq!(
        store.journal_after(Seq::new(4000), 20).await.unwrap().len(),
        20
    );
    counted.read("journal_after", 21).await;
    store.journal_head().await.unwrap();
    counted.read("journal_head", 1).await;
    let mut query = JournalQuery::everything();
    (query.limit, query.before) = (10, Some(Seq::new(1000)));
    assert_eq!(store.journal(&query).await.unwrap().items.len(), 10);
    counted.read("a page of the journal", 11).await;
    query.owner = Some(many.clone());
    assert_eq!(store.journal(&query).await.unwrap().items.len(), 10);
    counted.read("a page of an owner's journal", 11 * 2).await;
    let mut query = AccountQuery::default();
    query.limit = 10;
    assert_eq!(store.accounts(&query).await.unwrap().items.len(), 10);
    counted.read("accounts", 11 * 3).await;
    store
        .account_by_email(&account.canonical_email)
        .await
        .unwrap();
    counted.read("account_by_email", 1).await;
    store.account(account.id).await.unwrap();
    counted.read("account", 1).await;
}

#[tokio::test]
async fn no_change_reads_more_rows_than_it_needs() {
    let Some(counted) = Counted::new().await else {
        return;
    };
    let Counted {
        store, key, secret, ..
    } = &counted;
    let many = many();
    let (period, taken) = (fixtures::START, Some(4));
    assert_eq!(store.take_quota(key.id, period, 5, 1).await.unwrap(), taken);
    counted.read("the first of a quota", 3).await;
    store.take_quota(key.id, period, 5, 1).await.unwrap();
    counted.read("more of a quota", 1).await;
    store.quota_taken(key.id, period).await.unwrap();
    counted.read("quota_taken", 1).await;
    let id = IdempotencyId::from_bytes([1; 32]);
    store.idempotency(&id).await.unwrap();
    counted.read("idempotency", 1).await;
    store.forget_idempotency(fixtures::at(0)).await.unwrap();
    let forgotten = counted
        .database
        .number("SELECT COUNT(*) FROM sakms_idempotency");
    assert_eq!(forgotten.await, 0, "more than one portion");
    counted.read("forget_idempotency", 4096 * 2 + 1000).await;
    let (patch, entry) = (KeyPatch::default(), fixtures::updated(key.id));
    store
        .update(key.id, Revision::FIRST, &patch, &entry)
        .await
        .unwrap();
    counted.changed("update", 14).await;
    let (second, entry) = (fixtures::secret(key), fixtures::rotated(key.id));
    let revision = Revision::new(2);
    store
        .add_secret(key.id, revision, &second, fixtures::START, None, &entry)
        .await
        .unwrap();
    counted.changed("add_secret", 18).await;
    store
        .record_uses(&[SecretUse::new(secret.id, 1, fixtures::START)])
        .await
        .unwrap();
    counted.read("record_uses", 3 * 40).await;
    let mut conditions = Conditions::NONE;
    conditions.most_per_owner = Some(20);
    let more = fixtures::plain_key(&many);
    let (secret, entry) = (fixtures::secret(&more), fixtures::created(&more));
    let refused = store.insert(&more, &secret, &conditions, &entry).await;
    assert_eq!(told(refused).0, StoreErrorKind::LimitReached);
    // Those that were counted, in passing: no more than there may be.
    counted.looked("insert", 20 * 2 + 10, 20 + 1).await;
}

/// 4,096 things are kept for a while: seven of eight are sessions; every eighth is a code of an owner's who has as many
/// sessions.
#[tokio::test]
async fn nothing_walks_over_what_is_kept_for_a_while() {
    let Some(counted) = Counted::new().await else {
        return;
    };
    let store = &counted.store;
    let (session, many) = (StateKind::Session, many());
    let id = |number: u128| {
        let half = number.to_be_bytes();
        StateId::from_bytes([half, half].concat().try_into().unwrap())
    };
    let first = Revision::FIRST;
    store.state(session, id(9)).await.unwrap().unwrap();
    counted.read("state", 1).await;
    let of_all = store.states(session, None, 10).await.unwrap();
    assert_eq!(of_all.len(), 10);
    counted.read("the newest sessions", 11).await;
    let of_one = store.states(session, Some(&many), 10).await.unwrap();
    assert_eq!(of_one.len(), 10);
    counted.read("an owner's sessions", 11).await;
    let (value, ends) = (b"x", fixtures::at(9));
    store
        .update_state(session, id(9), first, value, ends, None)
        .await
        .unwrap();
    counted.read("update_state", 3).await;
    store
        .remove_state(session, id(9), first.next(), None)
        .await
        .unwrap();
    counted.read("remove_state", 2).await;
    let owner: Owner = "o10".parse().unwrap();
    let removed = store.remove_states(session, &owner, None, None).await;
    assert_eq!(removed.unwrap(), 1);
    counted.read("remove_states", 3).await;
    let kept = Some(id(4));
    let removed = store.remove_states(session, &many, kept, None).await;
    assert_eq!(removed.unwrap(), 511);
    counted.read("remove_states of many", 512 * 2 + 2).await;
    let moment = Timestamp::from_micros(1_000_020).unwrap();
    store.forget_states(moment).await.unwrap();
    // One, two and so on to nineteen; of those, some are gone already.
    counted.read("forget_states", 20 * 2).await;
    assert_eq!(store.state(session, id(19)).await.unwrap(), None);
    counted.read("one that is not there", 1).await;
    assert!(store.state(session, id(21)).await.unwrap().is_some());
    counted.read("state", 1).await;
    let most = store.states(session, None, u32::MAX).await.unwrap();
    assert_eq!(most.len(), 1_000, "no more are read at once");
}
