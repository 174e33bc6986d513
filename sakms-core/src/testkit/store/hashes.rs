//! A hash is made anew: another proof of the same secret, and nothing else.

use std::sync::Arc;

use super::Fixture;
use super::support::{
    Issued, RACERS, accounts, decided, entries, find, get, issue, issue_plain, journal, kind,
    one_got_through, race, reads, touch,
};
use crate::account::AccountRecord;
use crate::journal::JournalEntry;
use crate::key::{KeyPatch, Revision};
use crate::secret::StoredHash;
use crate::store::{AccountStore, StoreErrorKind};
use crate::testkit::fixtures;

const ROUNDS: usize = 6;

/// What a store could take for `hash`, and must not.
fn lookalikes(hash: &StoredHash) -> Vec<StoredHash> {
    let hash = hash.as_str();
    let texts = [
        String::new(),
        format!("{hash} "),
        format!(" {hash}"),
        format!("{hash}\0"),
        hash.to_lowercase(),
        hash.to_uppercase(),
        hash[..hash.len() - 1].to_owned(),
        "%".to_owned(),
    ];
    texts.map(StoredHash::new).into()
}

async fn register(store: &dyn AccountStore) -> (AccountRecord, JournalEntry) {
    let account = fixtures::account();
    let entry = fixtures::registered(&account);
    store.insert_account(&account, &entry).await.unwrap();
    (account, entry)
}

/// The new hash is found, and everything else is as it was, the revision too.
pub async fn a_hash_is_replaced(fixture: &Fixture) {
    let store = &*fixture.keys;
    let owner = fixtures::owner();
    let Issued { key, mut secret } = issue(store, fixtures::full_key(&owner)).await;
    let other = issue(store, fixtures::plain_key(&owner)).await;
    let longest = StoredHash::new("$".repeat(StoredHash::MAX_BYTES));
    // A hash may take its own place: still a change, not a stale one.
    for new in [fixtures::hash(), longest.clone(), longest] {
        let (old, entry) = (secret.hash, fixtures::rehashed(key.id));
        let outcome = store.replace_hash(secret.id, &old, &new, &entry).await;
        assert_eq!(kind(outcome), Ok(()));
        secret.hash = new;
        reads(store, &key, &secret).await;
        assert_eq!(entries(store).await.last(), Some(&entry));
    }
    reads(store, &other.key, &other.secret).await;
}

/// Of a key's two secrets, the one that was named gets the new hash.
pub async fn a_new_hash_changes_no_other_secret(fixture: &Fixture) {
    let store = &*fixture.keys;
    let first = issue_plain(store).await;
    let id = first.key.id;
    let (mut second, entry) = (fixtures::secret(&first.key), fixtures::rotated(id));
    let retired = fixtures::at(1_000);
    let key = store
        .add_secret(id, Revision::FIRST, &second, retired, None, &entry)
        .await
        .unwrap();
    let (new, entry) = (fixtures::hash(), fixtures::rehashed(id));
    store
        .replace_hash(second.id, &second.hash, &new, &entry)
        .await
        .unwrap();
    second.hash = new;
    reads(store, &key, &second).await;
    let mut old = first.secret;
    old.retired_at = Some(retired);
    reads(store, &key, &old).await;
}

/// A hash in the place of another one than what is there is refused, and changes nothing.
pub async fn a_hash_for_another_one_is_stale(fixture: &Fixture) {
    let store = &*fixture.keys;
    let (issued, other) = (issue_plain(store).await, issue_plain(store).await);
    let before = journal(store).await;
    let mut seen = lookalikes(&issued.secret.hash);
    seen.push(other.secret.hash.clone());
    for seen in seen {
        let (new, entry) = (fixtures::hash(), fixtures::rehashed(issued.key.id));
        let outcome = store
            .replace_hash(issued.secret.id, &seen, &new, &entry)
            .await;
        assert_eq!(
            kind(outcome),
            Err(StoreErrorKind::Stale),
            "{:?}",
            seen.as_str()
        );
        reads(store, &issued.key, &issued.secret).await;
    }
    assert_eq!(journal(store).await, before);
}

/// A hash for a secret that is not there is refused as such, and leaves no trace.
pub async fn a_hash_for_an_unknown_secret_is_not_found(fixture: &Fixture) {
    let store = &*fixture.keys;
    let issued = issue_plain(store).await;
    let before = journal(store).await;
    let (unknown, new) = (fixtures::secret_id(), fixtures::hash());
    let entry = fixtures::rehashed(issued.key.id);
    let outcome = store
        .replace_hash(unknown, &issued.secret.hash, &new, &entry)
        .await;
    assert_eq!(kind(outcome), Err(StoreErrorKind::NotFound));
    assert_eq!(store.find(unknown).await.unwrap(), None);
    reads(store, &issued.key, &issued.secret).await;
    assert_eq!(journal(store).await, before);
}

/// A new hash that comes with an entry that is there already is refused, and not made.
pub async fn a_hash_with_an_entry_that_is_there_is_refused(fixture: &Fixture) {
    let store = &*fixture.keys;
    let mut issued = issue_plain(store).await;
    let used = touch(store, issued.key.id).await;
    issued.key = get(store, issued.key.id).await;
    let new = fixtures::hash();
    let outcome = store
        .replace_hash(issued.secret.id, &issued.secret.hash, &new, &used)
        .await;
    assert_eq!(kind(outcome), Err(StoreErrorKind::Conflict));
    reads(store, &issued.key, &issued.secret).await;
    if let Some(accounts) = accounts(fixture) {
        let (account, _) = register(&**accounts).await;
        let outcome = accounts
            .replace_password_hash(account.id, &account.password_hash, &new, &used)
            .await;
        assert_eq!(kind(outcome), Err(StoreErrorKind::Conflict));
        let found = accounts.account(account.id).await.unwrap();
        assert_eq!(found, Some(account));
    }
}

/// Of sixteen who replace the hash they all saw, one does.
pub async fn one_of_many_new_hashes_gets_through(fixture: &Fixture) {
    let store = &fixture.keys;
    let mut issued = issue_plain(&**store).await;
    let (key, id) = (issued.key.id, issued.secret.id);
    for _ in 0..ROUNDS {
        let before = entries(&**store).await;
        let seen = issued.secret.hash.clone();
        let outcomes = race(RACERS, |_| {
            let (store, seen, new) = (Arc::clone(store), seen.clone(), fixtures::hash());
            let entry = fixtures::rehashed(key);
            async move {
                decided(|| store.replace_hash(id, &seen, &new, &entry)).await?;
                Ok((new, entry))
            }
        })
        .await;
        let (new, entry) = one_got_through(outcomes, StoreErrorKind::Stale);
        issued.secret.hash = new;
        reads(&**store, &issued.key, &issued.secret).await;
        assert_eq!(entries(&**store).await, [before, vec![entry]].concat());
    }
}

/// A key that is revoked while its hash is made anew is revoked, has the new hash, and neither was turned away: who
/// revokes saw a revision that no hash counts up.
pub async fn a_new_hash_undoes_no_revocation(fixture: &Fixture) {
    let store = &fixture.keys;
    for round in 0..ROUNDS {
        let issued = issue_plain(&**store).await;
        let (key, id) = (issued.key.id, issued.secret.id);
        let new = fixtures::hash();
        let outcomes = race(2, |racer| {
            let (store, old, new) = (Arc::clone(store), issued.secret.hash.clone(), new.clone());
            let patch = KeyPatch::revoke(fixtures::at(70));
            async move {
                if racer == 0 {
                    let entry = fixtures::updated(key);
                    decided(|| store.update(key, Revision::FIRST, &patch, &entry))
                        .await
                        .map(drop)
                } else {
                    let entry = fixtures::rehashed(key);
                    decided(|| store.replace_hash(id, &old, &new, &entry)).await
                }
            }
        })
        .await;
        assert_eq!(outcomes, [Ok(()), Ok(())], "round {round}");
        let found = find(&**store, id).await;
        assert_eq!(found.key.revoked_at, Some(fixtures::at(70)));
        assert_eq!(found.secret.hash, new);
    }
}

/// The new hash of a password is kept, and everything else is as it was, the revision too.
pub async fn a_password_hash_is_replaced(fixture: &Fixture) {
    let Some(store) = accounts(fixture) else {
        return;
    };
    let (mut account, _) = register(&**store).await;
    let (other, _) = register(&**store).await;
    let new = fixtures::hash();
    for _ in 0..2 {
        let (old, entry) = (
            account.password_hash,
            fixtures::password_rehashed(account.id),
        );
        let outcome = store
            .replace_password_hash(account.id, &old, &new, &entry)
            .await;
        assert_eq!(kind(outcome), Ok(()));
        account.password_hash = new.clone();
        for account in [&account, &other] {
            let found = store.account(account.id).await.unwrap();
            assert_eq!(found.as_ref(), Some(account));
        }
        assert_eq!(entries(&*fixture.keys).await.last(), Some(&entry));
    }
}

/// A password hash in the place of another one, or of an account that is not there, is refused and changes nothing.
pub async fn a_password_hash_for_another_one_is_stale(fixture: &Fixture) {
    let Some(store) = accounts(fixture) else {
        return;
    };
    let (account, registered) = register(&**store).await;
    let new = fixtures::hash();
    for seen in lookalikes(&account.password_hash) {
        let entry = fixtures::password_rehashed(account.id);
        let outcome = store
            .replace_password_hash(account.id, &seen, &new, &entry)
            .await;
        assert_eq!(
            kind(outcome),
            Err(StoreErrorKind::Stale),
            "{:?}",
            seen.as_str()
        );
    }
    let unknown = fixtures::account_id();
    let entry = fixtures::password_rehashed(unknown);
    let outcome = store
        .replace_password_hash(unknown, &account.password_hash, &new, &entry)
        .await;
    assert_eq!(kind(outcome), Err(StoreErrorKind::NotFound));
    assert_eq!(store.account(unknown).await.unwrap(), None);
    assert_eq!(store.account(account.id).await.unwrap(), Some(account));
    assert_eq!(entries(&*fixture.keys).await, [registered]);
}

/// A password that is changed while its hash is made anew is the new password: the change gets through whoever comes
/// first, and no hash of the old password comes after it.
pub async fn a_new_hash_undoes_no_new_password(fixture: &Fixture) {
    let Some(store) = accounts(fixture) else {
        return;
    };
    for round in 0..ROUNDS {
        let (account, _) = register(&**store).await;
        let id = account.id;
        let changed = fixtures::hash();
        let mut outcomes = race(2, |racer| {
            let (store, old) = (Arc::clone(store), account.password_hash.clone());
            let (changed, anew) = (changed.clone(), fixtures::hash());
            async move {
                if racer == 0 {
                    let (first, entry) = (Revision::FIRST, fixtures::password_changed(id));
                    let outcome = decided(|| store.set_password(id, first, &changed, &entry)).await;
                    (racer, outcome.map(drop))
                } else {
                    let entry = fixtures::password_rehashed(id);
                    let replace = || store.replace_password_hash(id, &old, &anew, &entry);
                    (racer, decided(replace).await)
                }
            }
        })
        .await;
        outcomes.sort_by_key(|(racer, _)| *racer);
        assert_eq!(outcomes[0].1, Ok(()), "round {round}: the new password");
        assert!(
            matches!(outcomes[1].1, Ok(()) | Err(StoreErrorKind::Stale)),
            "round {round}: {outcomes:?}"
        );
        let found = store.account(id).await.unwrap().unwrap();
        assert_eq!(found.password_hash, changed, "round {round}");
        assert_eq!(found.revision, Revision::new(2));
    }
}
