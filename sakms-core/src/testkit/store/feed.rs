//! The journal while it is written: whoever follows it misses nothing.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;

use super::Fixture;
use super::support::{RACERS, decided, get, issue_plain, journal, race, rename, touch};
use crate::journal::{JournalEntry, JournalHead, JournalRow, verify};
use crate::key::Revision;
use crate::store::{Conditions, KeyStore, StoreErrorKind};
use crate::testkit::fixtures;

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
    decided(|| store.insert(&key, &secret, &Conditions::NONE, &written[0]))
        .await
        .unwrap();
    decided(|| store.update(id, first, &patch, &written[1]))
        .await
        .unwrap();
    let retired = fixtures::at(8);
    decided(|| store.add_secret(id, then, &second, retired, None, &written[2]))
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
    let (mut followers, all_written) = (JoinSet::new(), Arc::new(AtomicBool::new(false)));
    for limit in [1, 7, 1_000] {
        followers.spawn(follow(Arc::clone(store), limit, Arc::clone(&all_written)));
    }
    let written = race(WRITERS, |_| {
        let store = Arc::clone(store);
        async move {
            let issued = {
                let key = fixtures::plain_key(&fixtures::owner());
                let (secret, entry) = (fixtures::secret(&key), fixtures::created(&key));
                decided(|| store.insert(&key, &secret, &Conditions::NONE, &entry))
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
    all_written.store(true, Ordering::SeqCst);
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

/// Reads on from the last row seen, until nothing follows and nobody writes any more.
async fn follow(
    store: Arc<dyn KeyStore>,
    limit: u32,
    all_written: Arc<AtomicBool>,
) -> Vec<JournalRow> {
    let (mut seen, mut head) = (Vec::new(), JournalHead::START);
    loop {
        let last_look = all_written.load(Ordering::SeqCst);
        let rows = decided(|| store.journal_after(head.seq, limit))
            .await
            .unwrap();
        assert!(
            rows.len() <= usize::try_from(limit).unwrap(),
            "more than {limit}"
        );
        head = verify(head, &rows).unwrap();
        if rows.is_empty() && last_look {
            return seen;
        }
        if rows.is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        seen.extend(rows);
    }
}

/// A change that was acknowledged is in the journal and in the key for everybody who asks from then on.
pub async fn what_was_acknowledged_is_seen_at_once(fixture: &Fixture) {
    let store = &*fixture.keys;
    let mut issued = issue_plain(store).await;
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
