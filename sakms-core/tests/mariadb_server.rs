//! What a MariaDB store asks of its server: indexes, locks, settings.
#![cfg(all(feature = "mariadb", feature = "testkit"))]
#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod common;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use common::mariadb::Database;
use common::{stored_key, told};
use sakms_core::account::AccountQuery;
use sakms_core::id::KeyId;
use sakms_core::journal::{JournalQuery, Seq};
use sakms_core::key::{Day, KeyPatch, KeyQuery, Owner, Revision, SecretUse};
use sakms_core::store::{
    AccountStore as _, Conditions, IdempotencyId, KeyStore as _, MariaDbStore, StoreErrorKind,
};
use sakms_core::testkit::fixtures;
use sqlx::mysql::{MySqlPool, MySqlPoolOptions};
use sqlx::{Connection as _, Row as _};

/// How many rows the session's last statements read, by how they were found.
async fn rows_read(pool: &MySqlPool) -> BTreeMap<String, u64> {
    let rows = sqlx::raw_sql("SHOW SESSION STATUS LIKE 'Handler_read%'")
        .fetch_all(pool)
        .await;
    let read = |row: &sqlx::mysql::MySqlRow| {
        let (name, count): (String, String) = (row.get(0), row.get(1));
        (name, count.parse().unwrap())
    };
    rows.unwrap().iter().map(read).collect()
}

#[tokio::test]
async fn nothing_reads_more_rows_than_it_needs() {
    let Some(database) = Database::create().await else {
        return;
    };
    let options = MySqlPoolOptions::new().max_connections(1);
    let pool = options.connect_lazy_with(database.options());
    let store = MariaDbStore::from_pool(pool.clone());
    store.migrate().await.unwrap();
    let (key, secret) = stored_key(&store).await;
    // 4,096 keys, half of them of one owner, with a secret, a use and a journal row each.
    database
        .run(
            "SET @n = 0; \
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
             UPDATE sakms_journal_head SET seq = 4097; \
             ANALYZE TABLE sakms_keys, sakms_secrets, sakms_secret_uses, sakms_owners, sakms_journal, sakms_accounts, \
             sakms_key_policies, sakms_secret_sources, sakms_key_days, sakms_quotas, sakms_idempotency, \
             sakms_account_roles, sakms_owner_turns, sakms_journal_owners, sakms_roles; \
             SELECT COUNT(*) FROM sakms_roles",
        )
        .await;
    let many: Owner = "many".parse().unwrap();
    let account = fixtures::account();

    // The question counts as well: as much as it did between two questions with nothing in between.
    let (first, second) = (rows_read(&pool).await, rows_read(&pool).await);
    let since = |before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>| {
        let difference = |(name, count): (&String, &u64)| (name.clone(), count - before[name]);
        after.iter().map(difference).collect::<BTreeMap<_, _>>()
    };
    let question = since(&first, &second);
    let last = Cell::new(second);
    let looked = async |what: &str, most: u64, passing: u64| {
        let now = rows_read(&pool).await;
        let read = since(&question, &since(&last.replace(now.clone()), &now));
        assert_eq!(
            read["Handler_read_rnd_next"], passing,
            "{what} scans: {read:?}"
        );
        assert_eq!(read["Handler_read_rnd"], 0, "{what} sorts: {read:?}");
        let all: u64 = read.values().sum();
        assert!(all <= most, "{what} reads {all} rows: {read:?}");
    };
    let found = async |what: &str, most: u64| looked(what, most, 0).await;
    // Whose the new row of the journal is goes through a table in passing, of one row and its end: the statement asks
    // the table that it writes how far it is.
    let changed = async |what: &str, most: u64| looked(what, most, 2).await;
    store.find(secret.id).await.unwrap().unwrap();
    found("find", 6).await;
    store.get(key.id).await.unwrap().unwrap();
    found("get", 5).await;
    let mut query = KeyQuery::of(many.clone());
    query.limit = 10;
    let page = store.list(&query).await.unwrap();
    assert!(page.more);
    found("list", 11 * 5).await;
    query.before = page.items.last().map(|key| key.id);
    assert_eq!(store.list(&query).await.unwrap().items.len(), 10);
    found("the next page", 11 * 5).await;
    query.before = Some(KeyId::from_bytes(1000_u128.to_be_bytes()));
    assert_eq!(store.list(&query).await.unwrap().items.len(), 10);
    found("a page far behind", 11 * 5).await;
    // Every second one of them has the tag: twice as many are looked at.
    query.filter.tag = Some("ci".parse().unwrap());
    assert_eq!(store.list(&query).await.unwrap().items.len(), 10);
    found("a page with a tag", 11 * 2 * 5).await;
    query.owner = None;
    query.before = None;
    assert_eq!(store.list(&query).await.unwrap().items.len(), 10);
    found("a page of all keys", 12 * 4 * 5).await;
    store.secrets(key.id).await.unwrap();
    found("secrets", 4).await;
    let day = Day::of(fixtures::START);
    store.usage(key.id, day, day).await.unwrap();
    found("usage", 1).await;
    let (period, taken) = (fixtures::START, Some(4));
    assert_eq!(store.take_quota(key.id, period, 5, 1).await.unwrap(), taken);
    found("the first of a quota", 3).await;
    store.take_quota(key.id, period, 5, 1).await.unwrap();
    found("more of a quota", 1).await;
    store.quota_taken(key.id, period).await.unwrap();
    found("quota_taken", 1).await;
    let id = IdempotencyId::from_bytes([1; 32]);
    store.idempotency(&id).await.unwrap();
    found("idempotency", 1).await;
    store.forget_idempotency(fixtures::at(0)).await.unwrap();
    let forgotten = database.number("SELECT COUNT(*) FROM sakms_idempotency");
    assert_eq!(forgotten.await, 0, "more than one portion");
    found("forget_idempotency", 4096 * 2 + 1000).await;
    store.roles().await.unwrap();
    found("roles", 1).await;
    store.owner_disabled_at(&key.owner).await.unwrap();
    found("owner_disabled_at", 1).await;
    assert_eq!(
        store.journal_after(Seq::new(4000), 20).await.unwrap().len(),
        20
    );
    found("journal_after", 21).await;
    store.journal_head().await.unwrap();
    found("journal_head", 1).await;
    let mut query = JournalQuery::everything();
    (query.limit, query.before) = (10, Some(Seq::new(1000)));
    assert_eq!(store.journal(&query).await.unwrap().items.len(), 10);
    found("a page of the journal", 11).await;
    query.owner = Some(many.clone());
    assert_eq!(store.journal(&query).await.unwrap().items.len(), 10);
    found("a page of an owner's journal", 11 * 2).await;
    let mut query = AccountQuery::default();
    query.limit = 10;
    assert_eq!(store.accounts(&query).await.unwrap().items.len(), 10);
    found("accounts", 11 * 3).await;
    store
        .account_by_email(&account.canonical_email)
        .await
        .unwrap();
    found("account_by_email", 1).await;
    store.account(account.id).await.unwrap();
    found("account", 1).await;
    let (patch, entry) = (KeyPatch::default(), fixtures::updated(key.id));
    store
        .update(key.id, Revision::FIRST, &patch, &entry)
        .await
        .unwrap();
    changed("update", 14).await;
    let (second, entry) = (fixtures::secret(&key), fixtures::rotated(key.id));
    let revision = Revision::new(2);
    store
        .add_secret(key.id, revision, &second, fixtures::START, None, &entry)
        .await
        .unwrap();
    changed("add_secret", 18).await;
    store
        .record_uses(&[SecretUse::new(secret.id, 1, fixtures::START)])
        .await
        .unwrap();
    found("record_uses", 3 * 40).await;
    let mut conditions = Conditions::NONE;
    conditions.most_per_owner = Some(20);
    let more = fixtures::plain_key(&many);
    let (secret, entry) = (fixtures::secret(&more), fixtures::created(&more));
    let refused = store.insert(&more, &secret, &conditions, &entry).await;
    assert_eq!(told(refused).0, StoreErrorKind::LimitReached);
    // Those that were counted, in passing: no more than there may be.
    looked("insert", 20 * 2 + 10, 20 + 1).await;
}

#[tokio::test]
async fn a_change_that_loses_a_deadlock_is_made_again() {
    let Some(database) = Database::create().await else {
        return;
    };
    let store = database.store().await;
    let (key, _) = stored_key(&store).await;
    let mut other = database.connect().await;
    // The other has the head, and has done so much that the server lets it live.
    sqlx::raw_sql(
        "CREATE TABLE work (i INT); BEGIN; INSERT INTO work VALUES (1),(2),(3),(4),(5),(6),(7),(8); \
         INSERT INTO work SELECT i FROM work; INSERT INTO work SELECT i FROM work; \
         UPDATE sakms_journal_head SET seq = seq",
    )
    .execute(&mut other)
    .await
    .unwrap();
    let updating = {
        let (store, entry) = (store.clone(), fixtures::updated(key.id));
        let patch = KeyPatch::rename(fixtures::name("after all"));
        tokio::spawn(async move { store.update(key.id, Revision::FIRST, &patch, &entry).await })
    };
    tokio::time::sleep(Duration::from_millis(300)).await;
    sqlx::raw_sql("UPDATE sakms_keys SET created_at = created_at; COMMIT")
        .execute(&mut other)
        .await
        .unwrap();
    other.close().await.unwrap();
    let updated = updating.await.unwrap().unwrap();
    assert_eq!(updated.revision, Revision::new(2));
    assert_eq!(store.journal_head().await.unwrap().seq, Seq::new(2));
}

#[tokio::test]
async fn a_change_that_waited_for_a_lock_in_vain_waits_once_more() {
    let Some(database) = Database::create().await else {
        return;
    };
    let store = database.store().await;
    let (key, _) = stored_key(&store).await;
    let mut other = database.connect().await;
    sqlx::raw_sql("BEGIN; UPDATE sakms_journal_head SET seq = seq")
        .execute(&mut other)
        .await
        .unwrap();
    let updating = {
        let (store, entry) = (store.clone(), fixtures::updated(key.id));
        let patch = KeyPatch::rename(fixtures::name("after all"));
        tokio::spawn(async move { store.update(key.id, Revision::FIRST, &patch, &entry).await })
    };
    // Longer than the server lets anybody wait for a lock.
    tokio::time::sleep(Duration::from_millis(2300)).await;
    assert!(!updating.is_finished());
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    assert_eq!(updating.await.unwrap().unwrap().revision, Revision::new(2));
    assert_eq!(store.journal_head().await.unwrap().seq, Seq::new(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_stores_on_one_database_share_one_journal() {
    let Some(database) = Database::create().await else {
        return;
    };
    let (one, other) = (database.store().await, database.store().await);
    let writing: Vec<_> = (0..40)
        .map(|number| {
            let store = if number % 2 == 0 {
                one.clone()
            } else {
                other.clone()
            };
            tokio::spawn(async move { stored_key(&store).await.0.id })
        })
        .collect();
    let mut ids = Vec::new();
    for one in writing {
        ids.push(one.await.unwrap());
    }
    for id in ids {
        assert!(one.get(id).await.unwrap().is_some());
        assert!(other.get(id).await.unwrap().is_some());
    }
    let rows = one.journal_after(Seq::START, 100).await.unwrap();
    assert_eq!(rows.len(), 40);
    let start = sakms_core::journal::JournalHead::START;
    let head = sakms_core::journal::verify(start, &rows).unwrap();
    assert_eq!(other.journal_head().await.unwrap(), head);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_on_a_hosts_connections_do_not_run_into_each_others_snapshots() {
    let Some(database) = Database::create().await else {
        return;
    };
    let pool = MySqlPoolOptions::new()
        .max_connections(8)
        .after_connect(|connection, _| {
            let settings = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ; \
                 SET SESSION autocommit = 1 /*M!101108 , innodb_snapshot_isolation = ON */";
            Box::pin(async move { sqlx::raw_sql(settings).execute(connection).await.map(drop) })
        })
        .connect_lazy_with(database.options());
    let store = MariaDbStore::from_pool(pool);
    store.migrate().await.unwrap();
    let writing: Vec<_> = (0..8)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let (key, _) = stored_key(&store).await;
                for revision in 1..=20 {
                    let (patch, entry) = (KeyPatch::default(), fixtures::updated(key.id));
                    let revision = Revision::new(revision);
                    store
                        .update(key.id, revision, &patch, &entry)
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    for one in writing {
        one.await.unwrap();
    }
    assert_eq!(store.journal_head().await.unwrap().seq, Seq::new(8 * 21));
}

#[tokio::test]
async fn a_server_that_may_only_be_read_is_said_to_be_one() {
    let Some(database) = Database::create().await else {
        return;
    };
    let (key, _) = stored_key(&database.store().await).await;
    let pool = MySqlPoolOptions::new()
        .after_connect(|connection, _| {
            let settings = sqlx::raw_sql("SET SESSION TRANSACTION READ ONLY");
            Box::pin(async move { settings.execute(connection).await.map(drop) })
        })
        .connect_lazy_with(database.options());
    let store = MariaDbStore::from_pool(pool);
    let (patch, entry) = (KeyPatch::default(), fixtures::updated(key.id));
    let update = store.update(key.id, Revision::FIRST, &patch, &entry).await;
    let (kind, text) = told(update);
    assert_eq!(kind, StoreErrorKind::ReadOnly, "{text}");
    assert_eq!(store.get(key.id).await.unwrap(), Some(key));
}

#[tokio::test]
async fn a_conflict_quotes_nobody() {
    let Some(database) = Database::create().await else {
        return;
    };
    let store = database.store().await;
    let account = fixtures::account();
    let entry = fixtures::registered(&account);
    store.insert_account(&account, &entry).await.unwrap();
    let entry = fixtures::registered(&account);
    let error = store.insert_account(&account, &entry).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Conflict);
    let address = account.canonical_email.as_str();
    assert!(!format!("{error:?}").contains(address), "{error:?}");
}

#[tokio::test]
async fn the_tables_do_not_depend_on_the_servers_defaults() {
    let Some(database) = Database::create().await else {
        return;
    };
    database
        .run(format!(
            "ALTER DATABASE {} CHARACTER SET latin1 COLLATE latin1_swedish_ci",
            database.name
        ))
        .await;
    drop(database.store().await);
    let with_a_collation = database
        .number(
            "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() \
             AND table_name <> 'sakms_migrations' AND collation_name IS NOT NULL",
        )
        .await;
    assert_eq!(with_a_collation, 0, "every text is kept as bytes");
    let other_engines = database
        .number(
            "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() \
             AND table_name <> 'sakms_migrations' \
             AND (engine <> 'InnoDB' OR table_collation <> 'utf8mb4_bin')",
        )
        .await;
    assert_eq!(other_engines, 0);
}

/// As under actix-web, whose workers have a runtime each and end before the service has stored its last counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn connections_outlive_the_runtime_they_were_asked_for_in() {
    let Some(database) = Database::create().await else {
        return;
    };
    let options = MySqlPoolOptions::new().max_connections(1);
    let pool = options.connect_lazy_with(database.options());
    let store = MariaDbStore::from_pool(pool.clone());
    store.migrate().await.unwrap();
    let number = async |pool: &MySqlPool| -> u64 {
        let answer = sqlx::query_scalar("SELECT CONNECTION_ID()").fetch_one(pool);
        answer.await.unwrap()
    };
    let (asking, of_store) = (store.clone(), pool.clone());
    let worker = std::thread::spawn(move || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        runtime.block_on(async {
            asking.ping().await.unwrap();
            let number = number(&of_store).await;
            // The connection is handed back by a task of this runtime.
            while of_store.num_idle() == 0 {
                tokio::task::yield_now().await;
            }
            number
        })
    });
    let before = tokio::task::block_in_place(|| worker.join()).unwrap();
    assert_eq!(number(&pool).await, before, "a new one had to be made");
}
