//! A database that the first version filled is brought up to date, and everything in it is as it was.
//!
//! `earlier.rs` has the first version's tables and statements, `world.rs` what is in them.
#![cfg(all(feature = "testkit", any(feature = "sqlite", feature = "mariadb")))]
#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

#[path = "../common/mod.rs"]
mod common;
mod earlier;
mod world;

use std::collections::BTreeMap;

use earlier::{Earlier, Store as _};
use sakms_core::account::AccountQuery;
use sakms_core::journal::{Action, JournalHead, JournalQuery, JournalRow, Seq, Subject, verify};
use sakms_core::key::{Day, KeyPatch, KeyQuery, KeyRecord, Owner, UsedSecret};
use sakms_core::store::{AccountStore, KeyStore, StateKind, StateStore};
use sakms_core::testkit::fixtures;
use world::World;

/// All keys of a query, page by page.
async fn keys(store: &dyn KeyStore, mut query: KeyQuery) -> Vec<KeyRecord> {
    let mut all = Vec::new();
    loop {
        let page = store.list(&query).await.unwrap();
        all.extend(page.items);
        if !page.more {
            return all;
        }
        query.before = all.last().map(|key| key.id);
    }
}

/// All of an owner's rows of the journal, or everybody's.
async fn rows_of(store: &dyn KeyStore, owner: Option<Owner>) -> Vec<JournalRow> {
    let mut query = JournalQuery::everything();
    (query.owner, query.limit) = (owner, JournalQuery::MAX_LIMIT);
    let mut all = Vec::new();
    loop {
        let page = store.journal(&query).await.unwrap();
        all.extend(page.items);
        if !page.more {
            return all;
        }
        query.before = all.last().map(|row| row.seq);
    }
}

async fn whole_journal(store: &dyn KeyStore) -> Vec<JournalRow> {
    let rows = store.journal_after(Seq::START, u32::MAX).await.unwrap();
    let head = verify(JournalHead::START, &rows).unwrap();
    assert_eq!(store.journal_head().await.unwrap(), head);
    rows
}

/// Everything that the first version wrote reads as what it wrote.
async fn is_as_it_was<S: KeyStore + AccountStore>(store: &S, world: &World) {
    store.ping().await.unwrap();
    let memory = &world.memory;
    for issued in &world.keys {
        let id = issued.id;
        assert_eq!(store.get(id).await.unwrap(), memory.get(id).await.unwrap());
        let secrets = store.secrets(id).await.unwrap();
        assert_eq!(secrets, memory.secrets(id).await.unwrap());
        for secret in secrets {
            let id = secret.record.id;
            let found = store.find(id).await.unwrap();
            assert!(found.is_some());
            assert_eq!(found, memory.find(id).await.unwrap());
        }
        let usage = store.usage(id, Day::of(fixtures::START), Day::MAX).await;
        assert_eq!(usage.unwrap(), [], "days were not counted");
    }
    let all = keys(store, KeyQuery::everybody()).await;
    assert_eq!(all.len(), world.keys.len());
    assert_eq!(all, keys(memory, KeyQuery::everybody()).await);
    for owner in world.owners() {
        let query = KeyQuery::of(owner.clone());
        assert_eq!(
            keys(store, query.clone()).await,
            keys(memory, query).await,
            "{owner:?}"
        );
        assert_eq!(
            store.owner_disabled_at(&owner).await.unwrap(),
            memory.owner_disabled_at(&owner).await.unwrap()
        );
    }
    for account in &world.accounts {
        let found = store.account_by_email(&account.canonical_email).await;
        assert_eq!(found.unwrap().as_ref(), Some(account));
    }
    let accounts = store.accounts(&AccountQuery::default()).await.unwrap();
    assert_eq!(accounts.items.len(), world.accounts.len());

    assert_eq!(whole_journal(store).await, whole_journal(memory).await);
    let mut owned = 0;
    for owner in world.owners() {
        let rows = rows_of(store, Some(owner.clone())).await;
        assert_eq!(
            rows,
            rows_of(memory, Some(owner.clone())).await,
            "{owner:?}"
        );
        owned += rows.len();
    }
    let all = rows_of(store, None).await;
    assert_eq!(owned + world::NOBODYS, all.len(), "every row is somebody's");
}

async fn every_key_works_after_the_upgrade<E: Earlier>() {
    let Some(mut earlier) = E::create().await else {
        return;
    };
    let world = World::new().await;
    world.write(&mut earlier).await;
    let store = earlier.store().await;
    assert!(store.ping().await.is_err(), "it is of the first version");
    let report = store.migrate().await.unwrap();
    assert_eq!(report.present, E::FIRST_STEPS);
    assert_eq!(report.applied.len(), E::STEPS.len() - E::FIRST_STEPS);
    is_as_it_was(&store, &world).await;

    // Each text opens what it opened, and is refused as it was.
    let (before, after) = (
        World::service(world.memory.clone()),
        World::service(store.clone()),
    );
    let mut said = BTreeMap::<_, usize>::new();
    for issued in &world.keys {
        for text in &issued.texts {
            let expected = world::check(&before, text).await;
            assert_eq!(world::check(&after, text).await, expected);
            let kind = expected.map(drop);
            *said.entry(format!("{kind:?}")).or_default() += 1;
        }
    }
    assert!(said.len() >= 5, "in every state: {said:?}");
    assert!(said["Ok(())"] >= 100, "{said:?}");
    // The uses of that, and what is done next, are written as by a store that was new.
    after.flush().await.unwrap();
    before.flush().await.unwrap();
    for issued in &world.keys {
        let uses = async |store: &dyn KeyStore| -> Vec<_> {
            let secrets = store.secrets(issued.id).await.unwrap().into_iter();
            let uses = |used: UsedSecret| (used.record.id, used.uses, used.last_used_at);
            secrets.map(uses).collect()
        };
        assert_eq!(uses(&store).await, uses(&world.memory).await);
    }
    let key = store.get(world.keys[0].id).await.unwrap().unwrap();
    let mut patch = KeyPatch::revoke(fixtures::START);
    patch.tags = Some("old".parse().unwrap());
    let entry = fixtures::entry(Action::KEY_REVOKE, Subject::key(key.id));
    let changed = store.update(key.id, key.revision, &patch, &entry).await;
    assert_eq!(store.get(key.id).await.unwrap(), Some(changed.unwrap()));
    whole_journal(&store).await;
    let rows = rows_of(&store, Some(key.owner)).await;
    assert_eq!(rows[0].entry, entry);
    keeps_for_a_while(&store).await;
}

/// Things are kept for a while as by a store that was new.
async fn keeps_for_a_while(store: &impl StateStore) {
    let owner = fixtures::owner();
    for kind in StateKind::ALL {
        assert_eq!(store.states(kind, None, 9).await.unwrap(), []);
        let record = fixtures::state(kind, Some(owner.clone()));
        let entry = fixtures::entry(Action::KEY_REFUSE, Subject::SERVICE);
        store.insert_state(&record, Some(&entry)).await.unwrap();
        let changed = store
            .update_state(
                kind,
                record.id,
                record.revision,
                b"x",
                record.expires_at,
                None,
            )
            .await
            .unwrap();
        let found = store.state(kind, record.id).await.unwrap();
        assert_eq!(found.as_ref(), Some(&changed));
        let listed = store.states(kind, Some(&owner), 9).await.unwrap();
        assert_eq!(listed, [changed]);
        let removed = store.remove_states(kind, &owner, None, None).await.unwrap();
        assert_eq!(removed, 1);
    }
}

/// A node of the second version has filled the tables; what is kept for a while comes beside them.
async fn the_second_version_is_brought_up_to_date<E: Earlier>() {
    let Some(mut earlier) = E::create().await else {
        return;
    };
    let world = World::small().await;
    earlier
        .apply(&E::STEPS[E::FIRST_STEPS..E::SECOND_STEPS])
        .await;
    world.write(&mut earlier).await;
    // Whose the rows are, the second version has written down.
    earlier.run(E::STEPS[E::SECOND_STEPS - 1].text).await;
    let store = earlier.store().await;
    assert!(store.ping().await.is_err(), "it is of the second version");
    let report = store.migrate().await.unwrap();
    assert_eq!(report.present, E::SECOND_STEPS);
    assert_eq!(report.applied.len(), E::STEPS.len() - E::SECOND_STEPS);
    is_as_it_was(&store, &world).await;
    keeps_for_a_while(&store).await;
}

/// A step that was done is done again, and one that was begun.
async fn an_upgrade_that_was_cut_short_anywhere_is_finished<E: Earlier>() {
    let world = World::small().await;
    for done in E::FIRST_STEPS..=E::STEPS.len() {
        let Some(mut earlier) = E::create().await else {
            return;
        };
        world.write(&mut earlier).await;
        earlier.apply(&E::STEPS[E::FIRST_STEPS..done]).await;
        earlier
            .run(
                "UPDATE sakms_migrations SET success = FALSE WHERE version = (SELECT v FROM \
                 (SELECT MAX(version) AS v FROM sakms_migrations) AS newest)",
            )
            .await;
        let store = earlier.store().await;
        let report = store.migrate().await.unwrap();
        assert_eq!(report.present, done - 1);
        assert_eq!(report.applied.len(), E::STEPS.len() - done + 1);
        is_as_it_was(&store, &world).await;
        // All of them once more, as a host may do that runs them in an order of its own.
        for step in E::STEPS {
            earlier.run(step.text).await;
        }
        is_as_it_was(&store, &world).await;
    }
}

/// While nodes of both versions run, those of the first one write rows of which they do not say whose they are.
async fn rows_of_nodes_of_the_first_version_are_caught_up_with<E: Earlier>() {
    let Some(mut earlier) = E::create().await else {
        return;
    };
    let mut world = World::small().await;
    world.write(&mut earlier).await;
    let store = earlier.store().await;
    store.migrate().await.unwrap();
    for round in 0..3 {
        let written = world.memory.journal_head().await.unwrap().seq.get();
        world.more().await;
        world.write_journal(&mut earlier, written).await;
        // A node of this version writes something, of its own.
        let entry = fixtures::entry(Action::KEY_REFUSE, Subject::SERVICE);
        store.note(&entry).await.unwrap();
        world.memory.note(&entry).await.unwrap();
        for owner in world.owners() {
            let rows = rows_of(&store, Some(owner.clone())).await;
            assert_eq!(
                rows,
                rows_of(&world.memory, Some(owner)).await,
                "round {round}"
            );
        }
        assert_eq!(
            whole_journal(&store).await,
            whole_journal(&world.memory).await
        );
    }
}

macro_rules! on {
    ($room:ident, $earlier:path: $($case:ident)*) => {
        mod $room {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case::<$earlier>().await;
            }
        )*}
    };
}

#[cfg(feature = "sqlite")]
on! { sqlite, crate::earlier::sqlite::Sqlite:
    every_key_works_after_the_upgrade
    the_second_version_is_brought_up_to_date
    an_upgrade_that_was_cut_short_anywhere_is_finished
    rows_of_nodes_of_the_first_version_are_caught_up_with
}

#[cfg(feature = "mariadb")]
on! { mariadb, crate::earlier::mariadb::MariaDb:
    every_key_works_after_the_upgrade
    the_second_version_is_brought_up_to_date
    an_upgrade_that_was_cut_short_anywhere_is_finished
    rows_of_nodes_of_the_first_version_are_caught_up_with
}
