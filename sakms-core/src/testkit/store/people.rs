//! Accounts as an admin sees them: all of them, in pages, and which of them is an admin.

use std::slice::from_ref;
use std::sync::Arc;

use super::Fixture;
use super::support::{RACERS, accounts, decided, entries, journal, kind, race};
use crate::account::{AccountQuery, AccountRecord, AccountRole, CanonicalEmail};
use crate::id::AccountId;
use crate::key::{Page, Revision};
use crate::store::{AccountStore, StoreErrorKind};
use crate::testkit::fixtures;

async fn register(store: &dyn AccountStore) -> AccountRecord {
    let account = fixtures::account();
    let entry = fixtures::registered(&account);
    store.insert_account(&account, &entry).await.unwrap();
    account
}

async fn page(
    store: &dyn AccountStore,
    before: Option<AccountId>,
    limit: u32,
) -> Page<AccountRecord> {
    let query = AccountQuery { before, limit };
    store.accounts(&query).await.unwrap()
}

/// Every way to read an account must give it as it is here.
async fn reads(store: &dyn AccountStore, account: &AccountRecord) {
    let by_id = store.account(account.id).await.unwrap();
    assert_eq!(by_id.as_ref(), Some(account), "account");
    let email = &account.canonical_email;
    let by_email = store.account_by_email(email).await.unwrap();
    assert_eq!(by_email.as_ref(), Some(account), "account_by_email");
    let mut listed = page(store, None, 100).await.items;
    listed.retain(|listed| listed.id == account.id);
    assert_eq!(listed, from_ref(account), "accounts");
}

/// Accounts are listed with the newest first, each once, whatever the page's length.
pub async fn accounts_are_listed_in_pages(fixture: &Fixture) {
    let Some(store) = accounts(fixture) else {
        return;
    };
    assert_eq!(page(&**store, None, 10).await, Page::new(Vec::new(), false));
    let mut all: Vec<_> = (0..25).map(|_| fixtures::account()).collect();
    let mut newest_first = all.clone();
    newest_first.reverse();
    all.sort_by_key(|account| account.id.as_bytes()[15]);
    for account in &all {
        let entry = fixtures::registered(account);
        store.insert_account(account, &entry).await.unwrap();
    }
    for limit in [1, 7, 10, 24, 25, 26, 100] {
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let page = page(&**store, before, limit).await;
            assert!(page.items.len() <= limit as usize);
            found.extend(page.items);
            assert_eq!(page.more, found.len() < newest_first.len(), "limit {limit}");
            before = found.last().map(|account| account.id);
            if !page.more {
                break;
            }
        }
        assert_eq!(found, newest_first, "limit {limit}");
    }
    assert_eq!(
        journal(&*fixture.keys).await.len(),
        25,
        "reading is no change"
    );
}

/// A page starts behind any id, also one that is no account's; accounts that are added move no other.
pub async fn a_page_of_accounts_starts_behind_any_id(fixture: &Fixture) {
    let Some(store) = accounts(fixture) else {
        return;
    };
    let older = register(&**store).await;
    let between = fixtures::account_id();
    let newer = register(&**store).await;
    let both = [newer.clone(), older.clone()];
    let end = AccountId::from_bytes([0xff; 16]);
    assert_eq!(page(&**store, Some(end), 10).await.items, both);
    assert_eq!(page(&**store, Some(newer.id), 10).await.items, both[1..]);
    register(&**store).await;
    assert_eq!(page(&**store, Some(between), 10).await.items, both[1..]);
    assert_eq!(page(&**store, Some(older.id), 10).await.items, []);
    let start = AccountId::from_bytes([0; 16]);
    assert_eq!(page(&**store, Some(start), 10).await.items, []);
}

/// A role that was given shows wherever the account is read, and counts no revision; it is taken away as well. The
/// second time changes nothing, and is written down all the same.
pub async fn an_account_is_given_a_role(fixture: &Fixture) {
    let Some(store) = accounts(fixture) else {
        return;
    };
    let mut account = register(&**store).await;
    let other = register(&**store).await;
    assert!(!account.is_admin());
    for held in [true, true, false, false, true] {
        let id = account.id;
        let entry = if held {
            fixtures::granted(id)
        } else {
            fixtures::ungranted(id)
        };
        store
            .set_account_role(id, AccountRole::Admin, held, &entry)
            .await
            .unwrap();
        account.roles = if held {
            vec![AccountRole::Admin]
        } else {
            Vec::new()
        };
        reads(&**store, &account).await;
        reads(&**store, &other).await;
        assert_eq!(entries(&*fixture.keys).await.last(), Some(&entry));
    }
    assert_eq!(entries(&*fixture.keys).await.len(), 2 + 5);
}

/// An account that comes with a role has it; another password takes nothing from it.
pub async fn roles_stay_with_their_account(fixture: &Fixture) {
    let Some(store) = accounts(fixture) else {
        return;
    };
    let account = register(&**store).await;
    let entry = fixtures::granted(account.id);
    store
        .set_account_role(account.id, AccountRole::Admin, true, &entry)
        .await
        .unwrap();
    let (hash, entry) = (fixtures::hash(), fixtures::password_changed(account.id));
    let changed = store
        .set_password(account.id, Revision::FIRST, &hash, &entry)
        .await
        .unwrap();
    assert!(
        changed.is_admin(),
        "set_password gives the account as it is now"
    );
    reads(&**store, &changed).await;
    let (new, entry) = (fixtures::hash(), fixtures::password_rehashed(account.id));
    store
        .replace_password_hash(account.id, &hash, &new, &entry)
        .await
        .unwrap();
    let found = store.account(account.id).await.unwrap().unwrap();
    assert!(found.is_admin());
    reads(&**store, &found).await;
}

/// A role for an account that is not there is refused as such, given or taken, and leaves no trace.
pub async fn a_role_for_an_unknown_account_is_not_found(fixture: &Fixture) {
    let Some(store) = accounts(fixture) else {
        return;
    };
    let known = register(&**store).await;
    let before = journal(&*fixture.keys).await;
    for held in [true, false] {
        let unknown = fixtures::account();
        let entry = fixtures::granted(unknown.id);
        let outcome = store
            .set_account_role(unknown.id, AccountRole::Admin, held, &entry)
            .await;
        assert_eq!(kind(outcome), Err(StoreErrorKind::NotFound));
        assert_eq!(journal(&*fixture.keys).await, before);
        // Nor does it wait for one who comes later.
        let mut later = unknown;
        later.canonical_email = CanonicalEmail::from_stored(format!("later.{held}@example.com"));
        assert_eq!(store.account(later.id).await.unwrap(), None);
    }
    reads(&**store, &known).await;
}

/// A role with a journal entry that is there already is neither given nor taken.
pub async fn a_role_with_an_entry_that_is_there_is_not_given(fixture: &Fixture) {
    let Some(store) = accounts(fixture) else {
        return;
    };
    let account = fixtures::account();
    let used = fixtures::registered(&account);
    store.insert_account(&account, &used).await.unwrap();
    let outcome = store
        .set_account_role(account.id, AccountRole::Admin, true, &used)
        .await;
    assert_eq!(kind(outcome), Err(StoreErrorKind::Conflict));
    reads(&**store, &account).await;
    assert_eq!(entries(&*fixture.keys).await, [used]);
}

/// Sixteen who give and take a role at once all succeed; the last in the journal is the one that counts.
pub async fn the_last_word_about_a_role_of_an_account_counts(fixture: &Fixture) {
    let Some(store) = accounts(fixture) else {
        return;
    };
    let account = register(&**store).await;
    for _ in 0..6 {
        race(RACERS, |racer| {
            let (store, id, held) = (Arc::clone(store), account.id, racer % 3 != 0);
            let mut entry = fixtures::granted(id);
            entry.detail = held.to_string();
            async move {
                let change = || store.set_account_role(id, AccountRole::Admin, held, &entry);
                decided(change).await.unwrap();
            }
        })
        .await;
        let found = store.account(account.id).await.unwrap().unwrap();
        let last = entries(&*fixture.keys)
            .await
            .pop()
            .map(|entry| entry.detail);
        assert_eq!(last, Some(found.is_admin().to_string()));
    }
}
