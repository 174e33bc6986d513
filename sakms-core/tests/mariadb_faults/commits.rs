//! A connection that breaks at the commit: whether it came to pass is found out, and nothing is lost or done twice.

use std::time::{Duration, Instant};

use sakms_core::journal::{Action, Subject};
use sakms_core::key::{KeyPatch, Revision, SecretUse};
use sakms_core::store::{
    AccountStore as _, Conditions, KeyStore as _, StateKind, StateStore as _, StoreErrorKind,
};
use sakms_core::testkit::fixtures;

use crate::Wired;
use crate::common::proxy::Wire;
use crate::common::{new_key, stored_key, told};

const CUTS: [Wire; 3] = [
    Wire::CutBeforeCommit,
    Wire::CutAfterCommit,
    Wire::CommitComesLate,
];

#[tokio::test]
async fn a_connection_that_breaks_at_the_commit_loses_and_doubles_nothing() {
    let Some(wired) = Wired::new().await else {
        return;
    };
    let store = &wired.store;
    let mut written = 0;
    for cut in CUTS {
        let (key, secret, entry) = new_key();
        wired.proxy.set(cut);
        store
            .insert(&key, &secret, &Conditions::NONE, &entry)
            .await
            .unwrap();
        written += 1;
        assert_eq!(wired.journal_length().await, written, "insert, {cut:?}");
        assert_eq!(store.get(key.id).await.unwrap(), Some(key.clone()));

        let patch = KeyPatch::rename(fixtures::name("another"));
        let entry = fixtures::updated(key.id);
        wired.proxy.set(cut);
        let updated = store
            .update(key.id, Revision::FIRST, &patch, &entry)
            .await
            .unwrap();
        written += 1;
        assert_eq!(wired.journal_length().await, written, "update, {cut:?}");
        assert_eq!(updated.revision, Revision::new(2));
        assert_eq!(store.get(key.id).await.unwrap(), Some(updated.clone()));

        let second = fixtures::secret(&key);
        let entry = fixtures::rotated(key.id);
        wired.proxy.set(cut);
        let rotated = store
            .add_secret(
                key.id,
                updated.revision,
                &second,
                fixtures::at(9),
                None,
                &entry,
            )
            .await
            .unwrap();
        written += 1;
        assert_eq!(wired.journal_length().await, written, "add_secret, {cut:?}");
        assert_eq!(rotated.revision, Revision::new(3));
        assert!(store.find(second.id).await.unwrap().is_some());

        let entry = fixtures::disabled(&key.owner);
        wired.proxy.set(cut);
        store
            .set_owner_disabled(&key.owner, Some(fixtures::at(3)), &entry)
            .await
            .unwrap();
        written += 1;
        assert_eq!(wired.journal_length().await, written, "owner, {cut:?}");

        let account = fixtures::account();
        let entry = fixtures::registered(&account);
        wired.proxy.set(cut);
        store.insert_account(&account, &entry).await.unwrap();
        written += 1;
        assert_eq!(wired.journal_length().await, written, "account, {cut:?}");

        let entry = fixtures::password_changed(account.id);
        let hash = fixtures::hash();
        wired.proxy.set(cut);
        let changed = store
            .set_password(account.id, Revision::FIRST, &hash, &entry)
            .await
            .unwrap();
        written += 1;
        assert_eq!(wired.journal_length().await, written, "password, {cut:?}");
        assert_eq!(changed.revision, Revision::new(2));
        assert_eq!(wired.proxy.wire(), Wire::Whole, "each cut was made");
    }
}

#[tokio::test]
async fn a_conflict_behind_a_broken_commit_is_still_a_conflict() {
    let Some(wired) = Wired::new().await else {
        return;
    };
    let (key, secret) = stored_key(&wired.store).await;
    // Nothing gets as far as the commit, so the cut stays for the next change.
    wired.proxy.set(Wire::CutAfterCommit);
    let again = wired
        .store
        .insert(&key, &secret, &Conditions::NONE, &fixtures::created(&key))
        .await;
    assert_eq!(told(again).0, StoreErrorKind::Conflict);
    assert_eq!(wired.proxy.wire(), Wire::CutAfterCommit);
    assert_eq!(wired.journal_length().await, 1);
}

#[tokio::test]
async fn an_outcome_that_cannot_be_found_out_is_said_to_be_unknown() {
    let Some(wired) = Wired::new().await else {
        return;
    };
    let (key, secret, entry) = new_key();
    wired.proxy.set(Wire::CutAfterCommitForGood);
    let started = Instant::now();
    let (kind, text) = told(
        wired
            .store
            .insert(&key, &secret, &Conditions::NONE, &entry)
            .await,
    );
    assert_eq!(kind, StoreErrorKind::OutcomeUnknown, "{text}");
    assert!(
        started.elapsed() < Duration::from_secs(6),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(
        wired.journal_length().await,
        1,
        "it was committed, as it happens"
    );
    wired.proxy.set(Wire::Whole);
    assert_eq!(wired.store.get(key.id).await.unwrap(), Some(key));
}

#[tokio::test]
async fn uses_that_were_lost_at_the_commit_are_not_counted_twice() {
    let Some(wired) = Wired::new().await else {
        return;
    };
    let (key, secret) = stored_key(&wired.store).await;
    let uses = [SecretUse::new(secret.id, 7, fixtures::at(8))];
    wired.proxy.set(Wire::CutAfterCommit);
    let (kind, _) = told(wired.store.record_uses(&uses).await);
    assert_eq!(kind, StoreErrorKind::OutcomeUnknown);
    let uses = wired
        .database
        .number("SELECT uses FROM sakms_secret_uses")
        .await;
    assert_eq!(uses, 7);
    let last_used_at = wired.store.get(key.id).await.unwrap().unwrap().last_used_at;
    assert_eq!(last_used_at, Some(fixtures::at(8)));
}

/// With an entry the outcome is found out; without one it cannot be, and nothing is done twice.
#[tokio::test]
async fn what_is_kept_for_a_while_is_changed_once_though_the_commit_was_lost() {
    let Some(wired) = Wired::new().await else {
        return;
    };
    let (store, first) = (&wired.store, Revision::FIRST);
    for (round, cut) in (0_u64..).zip(CUTS) {
        let record = fixtures::state(StateKind::Session, Some(fixtures::owner()));
        let (kind, id, ends) = (record.kind, record.id, record.expires_at);
        let entries = [(); 3].map(|()| fixtures::entry(Action::KEY_REFUSE, Subject::SERVICE));
        wired.proxy.set(cut);
        store
            .insert_state(&record, Some(&entries[0]))
            .await
            .unwrap();
        wired.proxy.set(cut);
        let changed = store
            .update_state(kind, id, first, b"x", ends, Some(&entries[1]))
            .await
            .unwrap();
        assert_eq!(store.state(kind, id).await.unwrap(), Some(changed));
        wired.proxy.set(cut);
        store
            .remove_state(kind, id, first.next(), Some(&entries[2]))
            .await
            .unwrap();
        assert_eq!(store.state(kind, id).await.unwrap(), None);
        assert_eq!(wired.journal_length().await, 3 * (round + 1), "{cut:?}");
    }

    let record = fixtures::state(StateKind::Throttle, None);
    store.insert_state(&record, None).await.unwrap();
    wired.proxy.set(Wire::CutAfterCommit);
    let (kind, id, ends) = (record.kind, record.id, record.expires_at);
    let changed = store.update_state(kind, id, first, b"x", ends, None).await;
    assert_eq!(told(changed).0, StoreErrorKind::OutcomeUnknown);
    wired.proxy.set(Wire::Whole);
    let found = store.state(kind, id).await.unwrap().unwrap();
    assert_eq!(found.revision, first.next(), "once, as it happens");
    let again = store.update_state(kind, id, first, b"y", ends, None).await;
    assert_eq!(told(again).0, StoreErrorKind::Stale);
}
