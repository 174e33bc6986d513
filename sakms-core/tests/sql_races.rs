//! What must be exact when many do it at once, on two nodes over one database, on a host's own connections too.
#![cfg(all(feature = "testkit", any(feature = "sqlite", feature = "mariadb")))]
#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod common;

use std::sync::Arc;

use sakms_core::id::KeyId;
use sakms_core::journal::{Action, Subject};
use sakms_core::key::{Day, DayUse, Owner, Revision, Role, SecretUse};
use sakms_core::store::{
    Conditions, IdempotencyId, IdempotencyRecord, KeyStore, RequestDigest, StoreErrorKind,
};
use sakms_core::testkit::fixtures;
use tokio::sync::Barrier;

/// How many tasks do the same thing at once.
const RACERS: usize = 64;
const ROUNDS: u32 = 8;

type Node = Arc<dyn KeyStore>;

/// What everybody gets who does this at once, every second one on the other node.
async fn all_at_once<T, F>(nodes: &[Node; 2], racer: impl Fn(Node) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    many_at_once(nodes, RACERS, racer).await
}

async fn many_at_once<T, F>(nodes: &[Node; 2], many: usize, racer: impl Fn(Node) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(many));
    let racers: Vec<_> = (0..many)
        .map(|number| {
            let (racing, barrier) = (racer(nodes[number % 2].clone()), barrier.clone());
            tokio::spawn(async move {
                barrier.wait().await;
                racing.await
            })
        })
        .collect();
    let mut got = Vec::new();
    for racer in racers {
        got.push(racer.await.unwrap());
    }
    got
}

async fn add(store: Node, owner: Owner, conditions: Conditions) -> Result<KeyId, StoreErrorKind> {
    let key = fixtures::plain_key(&owner);
    let (secret, entry) = (fixtures::secret(&key), fixtures::created(&key));
    let added = store.insert(&key, &secret, &conditions, &entry).await;
    added.map(|()| key.id).map_err(|error| error.kind())
}

/// Nobody gets past how many keys an owner may have, and nobody is turned away before.
async fn no_more_keys_than_there_may_be(nodes: [Node; 2]) {
    for round in 1..=ROUNDS {
        let owner = fixtures::owner();
        let mut conditions = Conditions::NONE;
        conditions.most_per_owner = Some(round);
        let got = all_at_once(&nodes, |store| {
            add(store, owner.clone(), conditions.clone())
        });
        let (added, refused): (Vec<_>, Vec<_>) = got.await.into_iter().partition(Result::is_ok);
        assert_eq!(added.len(), usize::try_from(round).unwrap());
        for refused in refused {
            assert_eq!(refused, Err(StoreErrorKind::LimitReached));
        }
    }
}

/// One of many requests with one idempotency key is carried out.
async fn one_of_many_requests_is_carried_out(nodes: [Node; 2]) {
    for round in 0..ROUNDS {
        let owner = fixtures::owner();
        let (key, secret) = (fixtures::key_id(), fixtures::secret_id());
        let id = IdempotencyId::from_bytes([u8::try_from(round).unwrap(); 32]);
        let request = RequestDigest::from_bytes([7; 32]);
        let record = IdempotencyRecord::new(id, request, key, secret, fixtures::START);
        let mut conditions = Conditions::NONE;
        conditions.idempotency = Some(record);
        // Where the first one leaves no room for another, the others are told of the first one all the same.
        conditions.most_per_owner = (round % 2 == 0).then_some(1);
        let got = all_at_once(&nodes, |store| {
            add(store, owner.clone(), conditions.clone())
        });
        let (added, refused): (Vec<_>, Vec<_>) = got.await.into_iter().partition(Result::is_ok);
        assert_eq!(added.len(), 1);
        for refused in refused {
            assert_eq!(refused, Err(StoreErrorKind::Conflict));
        }
        assert_eq!(nodes[0].idempotency(&id).await.unwrap(), Some(record));
    }
}

/// What is left is given out to the last, and no more.
async fn a_quota_is_taken_exactly(nodes: [Node; 2]) {
    let key = fixtures::key_id();
    for round in 1..=u64::from(ROUNDS) {
        let (period, amount) = (fixtures::at(round), round * 3 - 2);
        let got = all_at_once(&nodes, |store| async move {
            store.take_quota(key, period, amount, 1).await.unwrap()
        });
        let mut left: Vec<_> = got.await.into_iter().flatten().collect();
        left.sort_unstable();
        assert_eq!(left, (0..amount).collect::<Vec<_>>());
        let taken = nodes[1].quota_taken(key, period).await.unwrap();
        assert_eq!(taken, amount);
        let earlier = nodes[0].take_quota(key, fixtures::at(round - 1), 99, 1);
        assert_eq!(earlier.await.unwrap(), None);
    }
}

/// With one left, one of those who ask at once gets it, on whichever node; a thousand times.
async fn the_last_of_a_quota_is_taken_once(nodes: [Node; 2]) {
    for round in 1..=1_000 {
        let key = fixtures::key_id();
        let take = |store: Node| async move {
            store.take_quota(key, fixtures::START, 2, 1).await.unwrap()
        };
        assert_eq!(take(nodes[round % 2].clone()).await, Some(1));
        let mut got = many_at_once(&nodes, 4, take).await;
        got.sort_unstable();
        assert_eq!(got, [None, None, None, Some(0)], "round {round}");
    }
}

/// No more roles are defined than there may be.
async fn no_more_roles_than_there_may_be(nodes: [Node; 2]) {
    let role = |name: u32| {
        let name = format!("role{name}").parse().unwrap();
        Role::new(name, fixtures::scopes("a:b"), fixtures::START)
    };
    let entry = || fixtures::entry(Action::ROLE_SET, Subject::SERVICE);
    for name in 0..Role::MOST - 5 {
        nodes[0].set_role(&role(name), &entry()).await.unwrap();
    }
    let got = all_at_once(&nodes, |store| {
        let (role, entry) = (role(10_000 + fixtures::number()), entry());
        async move {
            store
                .set_role(&role, &entry)
                .await
                .map_err(|error| error.kind())
        }
    });
    let got = got.await;
    assert_eq!(got.iter().filter(|got| got.is_ok()).count(), 5, "{got:?}");
    let limited = |got: &&Result<(), _>| **got == Err(StoreErrorKind::LimitReached);
    assert_eq!(got.iter().filter(limited).count(), RACERS - 5, "{got:?}");
    // One that there is can be defined anew.
    nodes[1].set_role(&role(0), &entry()).await.unwrap();
}

/// Uses of the same secrets that are told of in different orders all add up.
async fn no_use_is_lost(nodes: [Node; 2]) {
    let mut secrets = Vec::new();
    for _ in 0..20 {
        let key = fixtures::plain_key(&fixtures::owner());
        let mut of_key = Vec::new();
        for _ in 0..3 {
            of_key.push(fixtures::secret(&key));
        }
        let entry = fixtures::created(&key);
        nodes[0]
            .insert(&key, &of_key[0], &Conditions::NONE, &entry)
            .await
            .unwrap();
        for (revision, secret) in (1..).zip(&of_key[1..]) {
            let (revision, at) = (Revision::new(revision), fixtures::at(1));
            let entry = fixtures::rotated(key.id);
            nodes[0]
                .add_secret(key.id, revision, secret, at, None, &entry)
                .await
                .unwrap();
        }
        secrets.extend(of_key);
    }
    let ids: Vec<_> = secrets.iter().map(|secret| secret.id).collect();
    // As many as there are connections: they go one after the other, and who comes later waits in vain for one.
    let got = many_at_once(&nodes, 12, |store| {
        let turn = usize::try_from(fixtures::number()).unwrap() * 7 % ids.len();
        let (later, earlier) = ids.split_at(turn);
        let uses = earlier.iter().chain(later).map(|id| {
            let mut used = SecretUse::new(*id, 2, fixtures::START);
            used.refused = 1;
            used
        });
        let uses: Vec<_> = uses.collect();
        async move { store.record_uses(&uses).await.unwrap() }
    });
    let racers = u64::try_from(got.await.len()).unwrap();
    let today = Day::of(fixtures::START);
    for secret in secrets.iter().step_by(3) {
        let used = nodes[0].secrets(secret.key).await.unwrap();
        assert_eq!(used.len(), 3);
        assert!(used.iter().all(|used| used.uses == 2 * racers), "{used:?}");
        let days = nodes[1].usage(secret.key, today, today).await.unwrap();
        assert_eq!(days, [DayUse::new(today, 6 * racers, 3 * racers)]);
    }
}

macro_rules! on {
    ($nodes:path: $($case:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $case() {
            let Some((nodes, _guard)) = $nodes().await else { return };
            super::$case(nodes).await;
        }
    )*};
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use std::sync::Arc;

    use sakms_core::store::SqliteStore;

    async fn two() -> Option<([super::Node; 2], tempfile::TempDir)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sakms.db");
        let one = SqliteStore::open(path.to_str().unwrap()).await.unwrap();
        let other = SqliteStore::open(path.to_str().unwrap()).await.unwrap();
        Some(([Arc::new(one), Arc::new(other)], folder))
    }

    on! { two:
        no_more_keys_than_there_may_be
        one_of_many_requests_is_carried_out
        a_quota_is_taken_exactly
        the_last_of_a_quota_is_taken_once
        no_use_is_lost
        no_more_roles_than_there_may_be
    }
}

#[cfg(feature = "mariadb")]
mod mariadb {
    use std::sync::Arc;

    use sakms_core::store::{KeyStore as _, MariaDbStore, StoreErrorKind};
    use sakms_core::testkit::fixtures;

    use crate::common::mariadb::Database;
    use crate::common::{stored_key, told};

    async fn two() -> Option<([super::Node; 2], Database)> {
        let database = Database::create().await?;
        let (one, other) = (database.store().await, database.store().await);
        Some(([Arc::new(one), Arc::new(other)], database))
    }

    on! { two:
        no_more_keys_than_there_may_be
        one_of_many_requests_is_carried_out
        a_quota_is_taken_exactly
        the_last_of_a_quota_is_taken_once
        no_use_is_lost
        no_more_roles_than_there_may_be
    }

    /// Requests with one key wait for each other, and no other request waits for them.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn who_waits_for_a_quota_keeps_no_check_waiting() {
        let Some(database) = Database::create().await else {
            return;
        };
        drop(database.store().await);
        // As patient as usual: on connections that are shared, a check would give up before all of these have.
        let store = MariaDbStore::builder(&database.url()).build().unwrap();
        let (key, secret) = stored_key(&store).await;
        let (id, period) = (key.id, fixtures::START);
        store.take_quota(id, period, 1000, 1).await.unwrap();
        let mut holder = database.connect().await;
        let hold = "BEGIN; UPDATE sakms_quotas SET taken = taken";
        sqlx::raw_sql(hold).execute(&mut holder).await.unwrap();
        let waiting: Vec<_> = (0..50)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move { told(store.take_quota(id, period, 1000, 1).await).0 })
            })
            .collect();
        for _ in 0..20 {
            assert!(store.find(secret.id).await.unwrap().is_some());
            store.get(id).await.unwrap();
        }
        for waiting in waiting {
            // Of what was sent it cannot be said, and the others had no connection to send it.
            let kind = waiting.await.unwrap();
            assert!(
                matches!(
                    kind,
                    StoreErrorKind::OutcomeUnknown | StoreErrorKind::Unavailable
                ),
                "{kind:?}"
            );
        }
        sqlx::raw_sql("ROLLBACK")
            .execute(&mut holder)
            .await
            .unwrap();
        assert!(
            store
                .take_quota(id, period, 1000, 1)
                .await
                .unwrap()
                .is_some()
        );
    }
}

#[cfg(feature = "mariadb")]
mod on_connections_of_a_host {
    use std::sync::Arc;

    use sakms_core::store::MariaDbStore;
    use sqlx::mysql::MySqlPoolOptions;

    use crate::common::mariadb::Database;

    async fn two() -> Option<([super::Node; 2], Database)> {
        let database = Database::create().await?;
        let node = || {
            let pool = MySqlPoolOptions::new()
                .max_connections(8)
                .after_connect(|connection, _| {
                    let settings = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ; \
                         SET SESSION autocommit = 1 /*M!101108 , innodb_snapshot_isolation = ON */";
                    Box::pin(
                        async move { sqlx::raw_sql(settings).execute(connection).await.map(drop) },
                    )
                })
                .connect_lazy_with(database.options());
            MariaDbStore::from_pool(pool)
        };
        let (one, other) = (node(), node());
        one.migrate().await.unwrap();
        Some(([Arc::new(one), Arc::new(other)], database))
    }

    on! { two:
        no_more_keys_than_there_may_be
        one_of_many_requests_is_carried_out
        a_quota_is_taken_exactly
        the_last_of_a_quota_is_taken_once
        no_use_is_lost
    }
}
