//! The journal: every change, once, in order, and nothing else.

use super::Fixture;
use super::support::{accounts, entries, issue_plain, journal, kind, reads, rename, touch};
use crate::account::{AccountQuery, AccountRole};
use crate::clock::Timestamp;
use crate::journal::{
    Action, Actor, JournalEntry, JournalHead, JournalQuery, JournalRow, Seq, Subject,
};
use crate::key::{Day, KeyQuery, KeyRecord, Revision, SecretRecord, SecretUse};
use crate::store::{Conditions, KeyStore, StoreErrorKind};
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

/// Every read, and what is written down of the use of a key.
async fn what_is_no_change(store: &dyn KeyStore, key: &KeyRecord, secret: &SecretRecord) {
    let at = fixtures::at(1);
    store
        .record_uses(&[SecretUse::new(secret.id, 1, at)])
        .await
        .unwrap();
    store.find(secret.id).await.unwrap();
    store.get(key.id).await.unwrap();
    store.list(&KeyQuery::of(key.owner.clone())).await.unwrap();
    store.secrets(key.id).await.unwrap();
    let today = Day::of(at);
    store.usage(key.id, today, today).await.unwrap();
    store.take_quota(key.id, at, 2, 1).await.unwrap();
    store.quota_taken(key.id, at).await.unwrap();
    let never = fixtures::idempotency(secret).id;
    store.idempotency(&never).await.unwrap();
    store.forget_idempotency(at).await.unwrap();
    store.roles().await.unwrap();
    store.journal(&JournalQuery::everything()).await.unwrap();
    store.owner_disabled_at(&key.owner).await.unwrap();
    store.ping().await.unwrap();
}

/// Every change writes its entry, in its place; no read does, and no use.
pub async fn every_change_writes_one_entry(fixture: &Fixture) {
    let store = &*fixture.keys;
    let (key, owner) = (fixtures::plain_key(&fixtures::owner()), fixtures::owner());
    let (secret, second) = (fixtures::secret(&key), fixtures::secret(&key));
    let role = fixtures::role("a:b");
    let mut written = vec![
        fixtures::created(&key),
        fixtures::updated(key.id),
        fixtures::rotated(key.id),
        fixtures::disabled(&owner),
        fixtures::enabled(&owner),
        fixtures::kept(key.id),
        fixtures::rehashed(key.id),
        fixtures::defined(&role),
        fixtures::removed(&role.name),
        fixtures::refused(key.id),
    ];
    let at = fixtures::at(1);
    let (first, then, last) = (Revision::new(1), Revision::new(2), Revision::new(3));
    store
        .insert(&key, &secret, &Conditions::NONE, &written[0])
        .await
        .unwrap();
    store
        .update(key.id, first, &rename("renamed"), &written[1])
        .await
        .unwrap();
    store
        .add_secret(key.id, then, &second, at, None, &written[2])
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
    store
        .keep_secret(key.id, last, second.id, at, &written[5])
        .await
        .unwrap();
    store
        .replace_hash(second.id, &second.hash, &fixtures::hash(), &written[6])
        .await
        .unwrap();
    store.set_role(&role, &written[7]).await.unwrap();
    store.remove_role(&role.name, &written[8]).await.unwrap();
    store.note(&written[9]).await.unwrap();
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
        let granted = fixtures::granted(account.id);
        accounts
            .set_account_role(account.id, AccountRole::Admin, true, &granted)
            .await
            .unwrap();
        accounts.accounts(&AccountQuery::default()).await.unwrap();
        accounts.account(account.id).await.unwrap();
        accounts
            .account_by_email(&account.canonical_email)
            .await
            .unwrap();
        written.extend([registered, changed, granted]);
    }
    what_is_no_change(store, &key, &secret).await;

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
        let taken = store
            .insert(&first.key, &first.secret, &Conditions::NONE, &entry)
            .await;
        assert_eq!(kind(taken), Err(StoreErrorKind::Conflict));
        let stale = store.update(id, old, &patch, &fixtures::updated(id)).await;
        assert_eq!(kind(stale), Err(StoreErrorKind::Stale));
        let new = fixtures::secret(&first.key);
        let stale = store
            .add_secret(id, old, &new, at, None, &fixtures::rotated(id))
            .await;
        assert_eq!(kind(stale), Err(StoreErrorKind::Stale));
        let (kept, entry) = (first.secret.id, fixtures::kept(id));
        let stale = store.keep_secret(id, old, kept, at, &entry).await;
        assert_eq!(kind(stale), Err(StoreErrorKind::Stale));
        let (role, full) = (fixtures::role("a:b"), fixtures::at_most(0));
        let entry = fixtures::removed(&role.name);
        let missing = store.remove_role(&role.name, &entry).await;
        assert_eq!(kind(missing), Err(StoreErrorKind::NotFound));
        let (other, entry) = (
            fixtures::plain_key(&fixtures::owner()),
            fixtures::updated(id),
        );
        let refused = store
            .insert(&other, &fixtures::secret(&other), &full, &entry)
            .await;
        assert_eq!(kind(refused), Err(StoreErrorKind::LimitReached));
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
    assert_eq!(kind(again), refused.map(|()| now.clone()), "update");
    let new = fixtures::secret(&now);
    let again = store
        .add_secret(id, now.revision, &new, fixtures::at(1), None, &used)
        .await;
    assert_eq!(kind(again), refused.map(|()| now.clone()), "add_secret");
    let again = store
        .keep_secret(id, now.revision, first.secret.id, fixtures::at(1), &used)
        .await;
    assert_eq!(kind(again), refused.map(|()| now.clone()), "keep_secret");
    let again = store
        .set_owner_disabled(&now.owner, Some(fixtures::at(1)), &used)
        .await;
    assert_eq!(kind(again), refused, "set_owner_disabled");
    let key = fixtures::plain_key(&fixtures::owner());
    let again = store
        .insert(&key, &fixtures::secret(&key), &Conditions::NONE, &used)
        .await;
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
