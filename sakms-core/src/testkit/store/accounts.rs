//! Accounts: one address, one person.

use super::Fixture;
use super::support::{accounts, entries, journal, kind};
use crate::account::{AccountRecord, CanonicalEmail};
use crate::clock::Timestamp;
use crate::key::Revision;
use crate::secret::StoredHash;
use crate::store::{AccountStore, StoreErrorKind};
use crate::testkit::fixtures;

/// Canonical forms that a store could take for each other. The service makes some of them only; that they are
/// different people is for the store to keep, whatever it is given.
const LOOKALIKES: [&str; 18] = [
    "a@b.c",
    "A@b.c",
    "a@B.c",
    "a@b.c ",
    " a@b.c",
    "a@b.c\0",
    "a@b.c\t",
    "a@b.cc",
    "á@b.c",
    "a\u{301}@b.c",
    "à@b.c",
    "ａ@b.c",
    "а@b.c",
    "ß@b.c",
    "ss@b.c",
    "a%@b.c",
    "_@b.c",
    "a@b\u{200b}.c",
];

fn with_address(canonical: &str) -> AccountRecord {
    let mut account = fixtures::account();
    account.canonical_email = CanonicalEmail::from_stored(canonical.to_owned());
    account
}

async fn register(store: &dyn AccountStore, account: AccountRecord) -> AccountRecord {
    let entry = fixtures::registered(&account);
    store.insert_account(&account, &entry).await.unwrap();
    account
}

/// Both ways to read an account must give it as it is here.
async fn reads(store: &dyn AccountStore, account: &AccountRecord) {
    let by_id = store.account(account.id).await.unwrap();
    assert_eq!(by_id.as_ref(), Some(account), "account");
    let by_email = store
        .account_by_email(&account.canonical_email)
        .await
        .unwrap();
    assert_eq!(by_email.as_ref(), Some(account), "account_by_email");
}

/// Every field comes back, under the id and under the address.
pub async fn an_account_comes_back(fixture: &Fixture) {
    let Some(store) = accounts(fixture) else {
        return;
    };
    let mut account = fixtures::account();
    account.email = "Ada.\u{202f}L'Ovelace+\"🔑\"@Bücher.example".into();
    account.created_at = fixtures::at(123_456);
    account.revision = Revision::new(7);
    let entry = fixtures::registered(&account);
    store.insert_account(&account, &entry).await.unwrap();
    reads(&**store, &account).await;
    assert_eq!(entries(&*fixture.keys).await, [entry]);
}

/// The longest address and the longest hash come back whole, at the last moment there is.
pub async fn the_largest_account_comes_back(fixture: &Fixture) {
    let Some(store) = accounts(fixture) else {
        return;
    };
    let longest = format!(
        "{}@b.example",
        "é".repeat((CanonicalEmail::MAX_BYTES - 10) / 2)
    );
    assert_eq!(longest.len(), CanonicalEmail::MAX_BYTES);
    for created_at in [Timestamp::EPOCH, Timestamp::MAX] {
        let number = format!("{:010}", fixtures::number());
        let mut account = with_address(&longest.replacen("ééééé", &number, 1));
        account.email.clone_from(&longest);
        account.password_hash = StoredHash::new("$".repeat(StoredHash::MAX_BYTES));
        account.created_at = created_at;
        let account = register(&**store, account).await;
        reads(&**store, &account).await;
    }
}

/// Who never registered is not there; that is an answer, not an error.
pub async fn an_unknown_account_is_none(fixture: &Fixture) {
    let Some(store) = accounts(fixture) else {
        return;
    };
    register(&**store, fixtures::account()).await;
    let email = fixtures::email();
    assert_eq!(
        store.account_by_email(email.canonical()).await.unwrap(),
        None
    );
    assert_eq!(store.account(fixtures::account_id()).await.unwrap(), None);
    // An account is found by its canonical address alone.
    let given = CanonicalEmail::from_stored(email.as_given().to_owned());
    assert_eq!(store.account_by_email(&given).await.unwrap(), None);
}

/// Addresses are the same when every byte is.
pub async fn addresses_are_compared_byte_by_byte(fixture: &Fixture) {
    let Some(store) = accounts(fixture) else {
        return;
    };
    let (registered, unknown) = LOOKALIKES.split_at(LOOKALIKES.len() / 2);
    for half in [registered, unknown] {
        // The second half is unknown as long as the first alone is there.
        for address in half {
            let address = CanonicalEmail::from_stored((*address).to_owned());
            let found = store.account_by_email(&address).await.unwrap();
            assert_eq!(found, None, "{:?} before it is there", address.as_str());
        }
        let mut there = Vec::new();
        for address in half {
            there.push(register(&**store, with_address(address)).await);
        }
        for account in there {
            reads(&**store, &account).await;
        }
    }
}

/// A second account with the same address is refused and leaves nothing behind.
pub async fn an_address_is_taken_once(fixture: &Fixture) {
    let Some(store) = accounts(fixture) else {
        return;
    };
    let first = register(&**store, fixtures::account()).await;
    let before = journal(&*fixture.keys).await;
    let second = with_address(first.canonical_email.as_str());
    let outcome = store
        .insert_account(&second, &fixtures::registered(&second))
        .await;
    assert_eq!(kind(outcome), Err(StoreErrorKind::Conflict));
    assert_eq!(store.account(second.id).await.unwrap(), None);
    reads(&**store, &first).await;
    assert_eq!(journal(&*fixture.keys).await, before);
}

/// A second account with the same id is refused and leaves nothing behind.
pub async fn an_account_id_is_taken_once(fixture: &Fixture) {
    let Some(store) = accounts(fixture) else {
        return;
    };
    let first = register(&**store, fixtures::account()).await;
    let before = journal(&*fixture.keys).await;
    let mut second = fixtures::account();
    second.id = first.id;
    let outcome = store
        .insert_account(&second, &fixtures::registered(&second))
        .await;
    assert_eq!(kind(outcome), Err(StoreErrorKind::Conflict));
    let found = store
        .account_by_email(&second.canonical_email)
        .await
        .unwrap();
    assert_eq!(found, None);
    reads(&**store, &first).await;
    assert_eq!(journal(&*fixture.keys).await, before);
}

/// Another password is kept, counted and written to the journal; nobody else's changes.
pub async fn a_password_is_changed(fixture: &Fixture) {
    let Some(store) = accounts(fixture) else {
        return;
    };
    let mut account = register(&**store, fixtures::account()).await;
    let other = register(&**store, fixtures::account()).await;
    let hash = fixtures::hash();
    // The second time it is the same hash: still a change, not a stale one.
    for seen in [1, 2] {
        let (revision, entry) = (Revision::new(seen), fixtures::password_changed(account.id));
        let changed = store
            .set_password(account.id, revision, &hash, &entry)
            .await
            .unwrap();
        account.password_hash = hash.clone();
        account.revision = revision.next();
        assert_eq!(
            changed, account,
            "set_password gives the account as it is now"
        );
        reads(&**store, &account).await;
        assert_eq!(entries(&*fixture.keys).await.last(), Some(&entry));
    }
    reads(&**store, &other).await;
}

/// A password for something else than what is there now is refused, and changes nothing.
pub async fn a_password_for_another_revision_is_stale(fixture: &Fixture) {
    let Some(store) = accounts(fixture) else {
        return;
    };
    let account = register(&**store, fixtures::account()).await;
    let entry = fixtures::password_changed(account.id);
    let first = Revision::FIRST;
    let now = store
        .set_password(account.id, first, &fixtures::hash(), &entry)
        .await
        .unwrap();
    let before = journal(&*fixture.keys).await;
    for seen in [1, 3, 0, u32::MAX] {
        let (hash, entry) = (fixtures::hash(), fixtures::password_changed(now.id));
        let outcome = store
            .set_password(now.id, Revision::new(seen), &hash, &entry)
            .await;
        assert_eq!(kind(outcome), Err(StoreErrorKind::Stale), "revision {seen}");
        reads(&**store, &now).await;
        assert_eq!(journal(&*fixture.keys).await, before, "revision {seen}");
    }
}

/// A password for an account that is not there is refused as such, and leaves no trace.
pub async fn a_password_for_an_unknown_account_is_not_found(fixture: &Fixture) {
    let Some(store) = accounts(fixture) else {
        return;
    };
    register(&**store, fixtures::account()).await;
    let before = journal(&*fixture.keys).await;
    let unknown = fixtures::account_id();
    let entry = fixtures::password_changed(unknown);
    let outcome = store
        .set_password(unknown, Revision::FIRST, &fixtures::hash(), &entry)
        .await;
    assert_eq!(kind(outcome), Err(StoreErrorKind::NotFound));
    assert_eq!(store.account(unknown).await.unwrap(), None);
    assert_eq!(journal(&*fixture.keys).await, before);
}
