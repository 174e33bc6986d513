//! What the cases share.

use std::slice::from_ref;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::Fixture;
use crate::id::{KeyId, SecretId};
use crate::journal::{JournalEntry, JournalHead, JournalRow, verify};
use crate::key::{KeyPatch, KeyQuery, KeyRecord, Owner, SecretRecord, StoredSecret};
use crate::store::{AccountStore, Conditions, KeyStore, StateStore, StoreError, StoreErrorKind};
use crate::testkit::fixtures;

/// How many tasks do the same thing at once in a race.
pub(super) const RACERS: usize = 16;

/// A key with its first secret, as they went in.
#[derive(Debug, Clone)]
pub(super) struct Issued {
    pub(super) key: KeyRecord,
    pub(super) secret: SecretRecord,
}

/// Puts a key with a secret in.
pub(super) async fn issue(store: &dyn KeyStore, key: KeyRecord) -> Issued {
    let secret = fixtures::secret(&key);
    let entry = fixtures::created(&key);
    store
        .insert(&key, &secret, &Conditions::NONE, &entry)
        .await
        .unwrap();
    Issued { key, secret }
}

/// Puts a plain key of another owner in.
pub(super) async fn issue_plain(store: &dyn KeyStore) -> Issued {
    issue(store, fixtures::plain_key(&fixtures::owner())).await
}

/// A key that must be there.
pub(super) async fn get(store: &dyn KeyStore, id: KeyId) -> KeyRecord {
    let found = store.get(id).await.unwrap();
    found.unwrap_or_else(|| panic!("get: {id} is not there"))
}

/// A secret that must be there.
pub(super) async fn find(store: &dyn KeyStore, id: SecretId) -> StoredSecret {
    let found = store.find(id).await.unwrap();
    found.unwrap_or_else(|| panic!("find: {id} is not there"))
}

/// All keys of an owner who has no more than a page of them.
pub(super) async fn list(store: &dyn KeyStore, owner: &Owner) -> Vec<KeyRecord> {
    let mut query = KeyQuery::of(owner.clone());
    query.limit = KeyQuery::MAX_LIMIT;
    let page = store.list(&query).await.unwrap();
    assert!(!page.more, "list: there is more than {} keys", query.limit);
    page.items
}

/// Every way to read a key and its secret must give them as they are here, for an owner who is not disabled.
pub(super) async fn reads(store: &dyn KeyStore, key: &KeyRecord, secret: &SecretRecord) {
    assert_eq!(store.get(key.id).await.unwrap().as_ref(), Some(key), "get");
    let found = find(store, secret.id).await;
    assert_eq!(&found.key, key, "the key in find");
    assert_eq!(&found.secret, secret, "the secret in find");
    assert_eq!(found.owner_disabled_at, None, "the owner in find");
    let mut listed = list(store, &key.owner).await;
    listed.retain(|listed| listed.id == key.id);
    assert_eq!(listed, from_ref(key), "list");
}

/// Renames a key, whatever revision it has: a change whose only purpose is to be one.
pub(super) async fn touch(store: &dyn KeyStore, key: KeyId) -> JournalEntry {
    let (patch, entry) = (rename("touched"), fixtures::updated(key));
    let revision = get(store, key).await.revision;
    store.update(key, revision, &patch, &entry).await.unwrap();
    entry
}

pub(super) fn rename(text: &str) -> KeyPatch {
    KeyPatch::rename(fixtures::name(text))
}

/// The result with the kind of failure, which is all that a store promises about it.
pub(super) fn kind<T>(result: Result<T, StoreError>) -> Result<T, StoreErrorKind> {
    result.map_err(|error| error.kind())
}

/// The whole journal. It must verify, and end where the head says; nobody may be writing.
pub(super) async fn journal(store: &dyn KeyStore) -> Vec<JournalRow> {
    const PAGE: u32 = 100;
    let (mut rows, mut head) = (Vec::new(), JournalHead::START);
    loop {
        let page = store.journal_after(head.seq, PAGE).await.unwrap();
        head = verify(head, &page).unwrap();
        if page.is_empty() {
            break;
        }
        rows.extend(page);
    }
    assert_eq!(
        store.journal_head().await.unwrap(),
        head,
        "the head is the last row"
    );
    rows
}

/// What was written to the journal, without its places.
pub(super) async fn entries(store: &dyn KeyStore) -> Vec<JournalEntry> {
    let rows = journal(store).await;
    rows.into_iter().map(|row| row.entry).collect()
}

/// The store of accounts, unless it has none.
pub(super) fn accounts(fixture: &Fixture) -> Option<&Arc<dyn AccountStore>> {
    if fixture.accounts.is_none() {
        eprintln!("skipped: the store keeps no accounts");
    }
    fixture.accounts.as_ref()
}

/// The store of what is kept for a while, unless it has none.
pub(super) fn states(fixture: &Fixture) -> Option<&Arc<dyn StateStore>> {
    if fixture.states.is_none() {
        eprintln!("skipped: the store keeps nothing for a while");
    }
    fixture.states.as_ref()
}

/// Lets `racers` tasks go at the same moment and waits for all of them.
pub(super) async fn race<T, F>(racers: usize, racer: impl Fn(usize) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let barrier = Arc::new(Barrier::new(racers));
    let mut tasks = JoinSet::new();
    for number in 0..racers {
        let (barrier, racing) = (Arc::clone(&barrier), racer(number));
        tasks.spawn(async move {
            barrier.wait().await;
            racing.await
        });
    }
    tasks.join_all().await
}

/// Tries until the store decides. It may say that it is overloaded, which promises that nothing was changed, so
/// that trying again must be harmless.
pub(super) async fn decided<T, F>(attempt: impl Fn() -> F) -> Result<T, StoreErrorKind>
where
    F: Future<Output = Result<T, StoreError>>,
{
    for _ in 0..20 {
        match attempt().await {
            Err(error) if error.kind() == StoreErrorKind::Unavailable => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            outcome => return kind(outcome),
        }
    }
    panic!("unavailable twenty times in a row");
}

/// Exactly one racer got through, and the others were told why not.
pub(super) fn one_got_through<T>(
    outcomes: Vec<Result<T, StoreErrorKind>>,
    others: StoreErrorKind,
) -> T {
    let racers = outcomes.len();
    let (through, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    let kinds: Vec<_> = refused.into_iter().filter_map(Result::err).collect();
    assert_eq!(kinds, vec![others; racers - 1], "all but one are refused");
    through.into_iter().find_map(Result::ok).unwrap()
}
