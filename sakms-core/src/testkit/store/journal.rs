//! The journal: every change, once, in order, and nothing else.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::Fixture;
use super::support::{
    RACERS, accounts, decided, entries, get, issue, issue_plain, journal, kind, race, reads,
    rename, touch,
};
use crate::clock::Timestamp;
use crate::journal::{Action, Actor, JournalEntry, JournalHead, JournalRow, Seq, Subject, verify};
use crate::key::{KeyQuery, Revision, SecretUse};
use crate::store::{KeyStore, StoreErrorKind};
use crate::testkit::fixtures;

fn places(rows: &[JournalRow]) -> Vec<u64> {
    rows.iter().map(|row| row.seq.get()).collect()
}

/// Before the first change there is nothing, and the head says so.
pub async fn the_journal_begins_empty(fixture: &Fixture) {
    let store = &*fixture.keys;
    assert_eq!(store.journal_head().await.unwrap(), JournalHead::START);
    assert_eq!(store.journal_after(Seq::START, 10).await.unwrap(), []);
}

/// Every change writes its entry, in its place; no read does, and no use.
pub async fn every_change_writes_one_entry(fixture: &Fixture) {
    let store = &*fixture.keys;
    let (key, owner) = (fixtures::plain_key(&fixtures::owner()), fixtures::owner());
    let (secret, second) = (fixtures::secret(&key), fixtures::secret(&key));
    let mut written = vec![
        fixtures::created(&key),
        fixtures::updated(key.id),
        fixtures::rotated(key.id),
        fixtures::disabled(&owner),
        fixtures::enabled(&owner),
    ];
    let at = fixtures::at(1);
    let (first, then) = (Revision::new(1), Revision::new(2));
    store.insert(&key, &secret, &written[0]).await.unwrap();
    store
        .update(key.id, first, &rename("renamed"), &written[1])
        .await
        .unwrap();
    store
        .add_secret(key.id, then, &second, at, &written[2])
        .await
        .unwrap();
    store
        .set_owner_disabled(&owner, Some(at), &written[3])
        .await
        .unwrap();
    store
        .set_owner_disabled(&owner, None, &written[4])
        .await
        .unwrap();
    if let Some(accounts) = accounts(fixture) {
        let account = fixtures::account();
        let (registered, hash) = (fixtures::registered(&account), fixtures::hash());
        let changed = fixtures::password_changed(account.id);
        accounts
            .insert_account(&account, &registered)
            .await
            .unwrap();
        accounts
            .set_password(account.id, first, &hash, &changed)
            .await
            .unwrap();
        accounts.account(account.id).await.unwrap();
        accounts
            .account_by_email(&account.canonical_email)
            .await
            .unwrap();
        written.extend([registered, changed]);
    }
    store
        .record_uses(&[SecretUse::new(secret.id, 1, at)])
        .await
        .unwrap();
    store.find(secret.id).await.unwrap();
    store.get(key.id).await.unwrap();
    store.list(&KeyQuery::of(key.owner.clone())).await.unwrap();
    store.owner_disabled_at(&owner).await.unwrap();
    store.ping().await.unwrap();

    let rows = journal(store).await;
    assert_eq!(
        places(&rows),
        (1..=written.len() as u64).collect::<Vec<_>>()
    );
    let found: Vec<_> = rows.into_iter().map(|row| row.entry).collect();
    assert_eq!(found, written);
}

/// An entry comes back to the letter; if it did not, its chain would not verify either.
pub async fn entries_come_back_to_the_letter(fixture: &Fixture) {
    let store = &*fixture.keys;
    let owner = fixtures::owner();
    let written = [
        (
            "system",
            "key.create",
            "key:",
            String::new(),
            Timestamp::EPOCH,
        ),
        (
            " a ",
            "b ",
            "c\0",
            "\0 '\";--\\ \r\n ".into(),
            Timestamp::MAX,
        ),
        (
            "owner:Ádá",
            "Á",
            "owner:áda\u{301} ",
            "🔑".repeat(1_024),
            fixtures::at(1),
        ),
        (
            &"a".repeat(160),
            &"b".repeat(32),
            &"c".repeat(160),
            "d".repeat(4_096),
            fixtures::at(2),
        ),
        (
            &"é".repeat(80),
            &"é".repeat(16),
            &"é".repeat(80),
            "é ".repeat(1_365),
            fixtures::at(3),
        ),
    ]
    .map(|(actor, action, subject, detail, at)| {
        JournalEntry::from_parts(
            fixtures::entry_id(),
            at,
            Actor::from_stored(actor.into()),
            Action::from_stored(action.into()),
            Subject::from_stored(subject.into()),
            detail,
        )
    });
    for entry in &written {
        store
            .set_owner_disabled(&owner, Some(entry.at), entry)
            .await
            .unwrap();
    }
    assert_eq!(entries(store).await, written);
}

/// Each page has the rows after a place, in order, and no more than was asked for.
pub async fn the_journal_is_read_in_pages(fixture: &Fixture) {
    let store = &*fixture.keys;
    let key = issue_plain(store).await.key.id;
    for _ in 1..25 {
        touch(store, key).await;
    }
    let all = journal(store).await;
    assert_eq!(places(&all), (1..=25).collect::<Vec<_>>());
    let pages = [
        (0, 10),
        (10, 10),
        (20, 10),
        (0, 25),
        (0, 26),
        (24, 1),
        (3, 1),
        (17, 5),
    ];
    for (after, limit) in pages {
        let rows = store.journal_after(Seq::new(after), limit).await.unwrap();
        let (start, limit) = (
            usize::try_from(after).unwrap(),
            usize::try_from(limit).unwrap(),
        );
        let expected: Vec<_> = all.iter().skip(start).take(limit).cloned().collect();
        assert_eq!(rows, expected, "{limit} after {after}");
    }
}

/// After the last row there is nothing, however far one looks.
pub async fn nothing_follows_the_last_row(fixture: &Fixture) {
    let store = &*fixture.keys;
    issue_plain(store).await;
    // Among them the numbers that turn negative in a store that counts with a sign.
    for after in [1, 2, 1 << 31, 1 << 32, (1 << 63) - 1, 1 << 63, u64::MAX] {
        let rows = store.journal_after(Seq::new(after), 10).await.unwrap();
        assert_eq!(rows, [], "after {after}");
    }
}

/// A change that was refused takes no place: the next one follows the last that was made.
pub async fn a_refused_change_leaves_no_gap(fixture: &Fixture) {
    let store = &*fixture.keys;
    let first = issue_plain(store).await;
    let (id, unknown) = (first.key.id, fixtures::key_id());
    let (patch, at, old) = (rename("refused"), fixtures::at(1), Revision::new(9));
    for round in 1..=3 {
        let entry = fixtures::created(&first.key);
        let taken = store.insert(&first.key, &first.secret, &entry).await;
        assert_eq!(kind(taken), Err(StoreErrorKind::Conflict));
        let stale = store.update(id, old, &patch, &fixtures::updated(id)).await;
        assert_eq!(kind(stale), Err(StoreErrorKind::Stale));
        let new = fixtures::secret(&first.key);
        let stale = store
            .add_secret(id, old, &new, at, &fixtures::rotated(id))
            .await;
        assert_eq!(kind(stale), Err(StoreErrorKind::Stale));
        let entry = fixtures::updated(unknown);
        let missing = store.update(unknown, Revision::FIRST, &patch, &entry).await;
        assert_eq!(kind(missing), Err(StoreErrorKind::NotFound));

        let made = touch(store, id).await;
        let rows = journal(store).await;
        assert_eq!(places(&rows), (1..=round + 1).collect::<Vec<_>>());
        assert_eq!(rows.last().map(|row| &row.entry), Some(&made));
    }
}

/// An entry is written once. A change that comes with one that is there already is refused, and not made.
pub async fn an_entry_is_written_once(fixture: &Fixture) {
    let store = &*fixture.keys;
    let first = issue_plain(store).await;
    let used = fixtures::updated(first.key.id);
    let patch = rename("once");
    let now = store
        .update(first.key.id, Revision::FIRST, &patch, &used)
        .await
        .unwrap();
    let before = journal(store).await;

    let id = now.id;
    let refused = Err(StoreErrorKind::Conflict);
    let again = store
        .update(id, now.revision, &rename("twice"), &used)
        .await;
    assert_eq!(kind(again), refused.clone().map(|()| now.clone()), "update");
    let new = fixtures::secret(&now);
    let again = store
        .add_secret(id, now.revision, &new, fixtures::at(1), &used)
        .await;
    assert_eq!(
        kind(again),
        refused.clone().map(|()| now.clone()),
        "add_secret"
    );
    let again = store
        .set_owner_disabled(&now.owner, Some(fixtures::at(1)), &used)
        .await;
    assert_eq!(kind(again), refused, "set_owner_disabled");
    let key = fixtures::plain_key(&fixtures::owner());
    let again = store.insert(&key, &fixtures::secret(&key), &used).await;
    assert_eq!(kind(again), refused, "insert");

    reads(store, &now, &first.secret).await;
    assert_eq!(store.find(new.id).await.unwrap(), None);
    assert_eq!(store.get(key.id).await.unwrap(), None);
    if let Some(accounts) = accounts(fixture) {
        let account = fixtures::account();
        let again = accounts.insert_account(&account, &used).await;
        assert_eq!(kind(again), refused, "insert_account");
        assert_eq!(accounts.account(account.id).await.unwrap(), None);
    }
    assert_eq!(journal(store).await, before);
}

/// Sixteen writers at once, each with several changes: every change has one place, and no place is empty.
pub async fn many_writers_leave_no_gap(fixture: &Fixture) {
    let written = race(RACERS, |_| several_changes(Arc::clone(&fixture.keys))).await;
    let written: Vec<_> = written.into_iter().flatten().collect();
    let store = &*fixture.keys;
    let rows = journal(store).await;
    assert_eq!(rows.len(), written.len());
    for entry in &written {
        let places = rows.iter().filter(|row| row.entry == *entry).count();
        assert_eq!(places, 1, "{entry:?}");
    }
    for one in written.chunks(4) {
        let mine: Vec<_> = rows
            .iter()
            .map(|row| &row.entry)
            .filter(|e| one.contains(e))
            .collect();
        let sent: Vec<_> = one.iter().collect();
        assert_eq!(
            mine, sent,
            "what one writer did one after the other stands so"
        );
    }
}

/// Four changes of different kinds, and a fifth that is refused.
async fn several_changes(store: Arc<dyn KeyStore>) -> Vec<JournalEntry> {
    let key = fixtures::plain_key(&fixtures::owner());
    let (secret, second) = (fixtures::secret(&key), fixtures::secret(&key));
    let (id, patch, at) = (key.id, rename("mine"), Some(fixtures::at(9)));
    let written = vec![
        fixtures::created(&key),
        fixtures::updated(id),
        fixtures::rotated(id),
        fixtures::disabled(&key.owner),
    ];
    let [first, then] = [1, 2].map(Revision::new);
    decided(|| store.insert(&key, &secret, &written[0]))
        .await
        .unwrap();
    decided(|| store.update(id, first, &patch, &written[1]))
        .await
        .unwrap();
    let retired = fixtures::at(8);
    decided(|| store.add_secret(id, then, &second, retired, &written[2]))
        .await
        .unwrap();
    let entry = fixtures::updated(id);
    let stale = decided(|| store.update(id, first, &patch, &entry)).await;
    assert_eq!(stale, Err(StoreErrorKind::Stale));
    decided(|| store.set_owner_disabled(&key.owner, at, &written[3]))
        .await
        .unwrap();
    written
}

/// Whoever asks again and again for what follows the last row they saw gets every row once and in order, while
/// others write. A place that becomes visible after a later one would be missed for ever, and with it a
/// revocation.
pub async fn a_follower_misses_nothing_while_others_write(fixture: &Fixture) {
    const WRITERS: usize = 8;
    const CHANGES: usize = 8;
    let store = &fixture.keys;
    let mut followers = JoinSet::new();
    for limit in [1, 7, 1_000] {
        followers.spawn(follow(Arc::clone(store), limit, WRITERS * (1 + CHANGES)));
    }
    let written = race(WRITERS, |_| {
        let store = Arc::clone(store);
        async move {
            let issued = {
                let key = fixtures::plain_key(&fixtures::owner());
                let (secret, entry) = (fixtures::secret(&key), fixtures::created(&key));
                decided(|| store.insert(&key, &secret, &entry))
                    .await
                    .unwrap();
                (key.id, entry)
            };
            let mut written = vec![issued.1];
            for revision in (1..).map(Revision::new).take(CHANGES) {
                let (patch, entry) = (rename("again"), fixtures::updated(issued.0));
                let change = || store.update(issued.0, revision, &patch, &entry);
                decided(change).await.unwrap();
                written.push(entry);
            }
            written
        }
    })
    .await;
    let written: HashSet<_> = written
        .into_iter()
        .flatten()
        .map(|entry| entry.id)
        .collect();
    let all = journal(&**store).await;
    for seen in followers.join_all().await {
        assert_eq!(seen, all);
        let ids: HashSet<_> = seen.iter().map(|row| row.entry.id).collect();
        assert_eq!(ids, written);
    }
}

/// Reads on from the last row seen until there were `count`.
async fn follow(store: Arc<dyn KeyStore>, limit: u32, count: usize) -> Vec<JournalRow> {
    let (mut seen, mut head) = (Vec::new(), JournalHead::START);
    while seen.len() < count {
        let rows = decided(|| store.journal_after(head.seq, limit))
            .await
            .unwrap();
        assert!(
            rows.len() <= usize::try_from(limit).unwrap(),
            "more than {limit}"
        );
        head = verify(head, &rows).unwrap();
        if rows.is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        seen.extend(rows);
    }
    seen
}

/// A change that was acknowledged is in the journal and in the key for everybody who asks from then on.
pub async fn what_was_acknowledged_is_seen_at_once(fixture: &Fixture) {
    let store = &*fixture.keys;
    let mut issued = issue(store, fixtures::plain_key(&fixtures::owner())).await;
    for change in 1..=20 {
        let before = store.journal_head().await.unwrap();
        let entry = touch(store, issued.key.id).await;
        let found = race(4, |_| {
            let (store, id) = (Arc::clone(&fixture.keys), issued.key.id);
            async move {
                let rows = store.journal_after(before.seq, 10).await.unwrap();
                (rows, get(&*store, id).await.revision)
            }
        })
        .await;
        issued.key.revision = issued.key.revision.next();
        for (rows, revision) in found {
            assert_eq!(rows, [before.append(entry.clone())], "change {change}");
            assert_eq!(revision, issued.key.revision, "change {change}");
        }
    }
}
