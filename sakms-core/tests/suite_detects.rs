//! The suite for stores can fail: each of these stores is wrong in one way, and a case says so.
#![cfg(feature = "testkit")]
#![expect(
    clippy::unwrap_used,
    reason = "a store that is wrong on purpose may panic"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use sakms_core::account::{AccountRecord, CanonicalEmail};
use sakms_core::clock::Timestamp;
use sakms_core::id::{AccountId, KeyId, SecretId};
use sakms_core::journal::{JournalEntry, JournalHead, JournalRow, Seq};
use sakms_core::key::{
    KeyPatch, KeyQuery, KeyRecord, Owner, Page, Revision, SecretRecord, SecretUse, StoredSecret,
};
use sakms_core::secret::StoredHash;
use sakms_core::store::{AccountStore, KeyStore, MemoryStore, StoreError, StoreErrorKind};
use sakms_core::testkit::store::{
    Fixture, accounts, feed, hashes, journal, keys, owners, races, update,
};
use sakms_core::testkit::{self, fixtures};

/// What a store does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    /// Makes a change whatever was seen.
    IgnoresTheRevision,
    /// Compares the revision and makes the change afterwards, instead of both at once.
    ComparesBeforeItChanges,
    /// Replaces a hash whatever it is.
    IgnoresTheHash,
    /// Compares the hash and replaces it afterwards.
    ComparesBeforeItReplaces,
    /// Counts a new hash as a change of the key or the account.
    CountsNewHashes,
    /// Takes "no row was changed" for success.
    ChangesWhatIsNotThere,
    /// Compares addresses as a padded column does.
    PadsAddresses,
    /// Compares owners as most collations do.
    FoldsOwners,
    /// Keeps milliseconds.
    LosesMicroseconds,
    /// Writes the journal outside of the transaction.
    JournalsWhatItRefuses,
    /// Gives out places in the journal before the rows can be seen: a later one shows first.
    ShowsRowsOutOfOrder,
}

#[derive(Debug, Clone)]
struct Flawed {
    store: MemoryStore,
    flaw: Flaw,
    /// Whether somebody saw the fourth row already.
    fourth_seen: Arc<AtomicBool>,
}

impl Flawed {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn time(&self, at: Timestamp) -> Timestamp {
        if self.has(Flaw::LosesMicroseconds) {
            Timestamp::from_micros(at.as_micros() / 1_000 * 1_000).unwrap()
        } else {
            at
        }
    }

    fn email(&self, email: &CanonicalEmail) -> CanonicalEmail {
        if self.has(Flaw::PadsAddresses) {
            CanonicalEmail::from_stored(email.as_str().trim_end_matches(' ').to_owned())
        } else {
            email.clone()
        }
    }

    /// What is taken for the hash that was seen, of what is there.
    async fn seen<F: Future<Output = Option<StoredHash>>>(
        &self,
        expected: &StoredHash,
        found: impl Fn() -> F,
    ) -> StoredHash {
        let mut seen = expected.clone();
        if self.has(Flaw::IgnoresTheHash) {
            seen = found().await.unwrap_or(seen);
        }
        if self.has(Flaw::ComparesBeforeItReplaces) && found().await.as_ref() == Some(expected) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            seen = found().await.unwrap_or(seen);
        }
        seen
    }

    fn owner(&self, owner: &Owner) -> Owner {
        if self.has(Flaw::FoldsOwners) {
            owner.as_str().to_lowercase().parse().unwrap()
        } else {
            owner.clone()
        }
    }
}

#[async_trait]
impl KeyStore for Flawed {
    async fn insert(
        &self,
        key: &KeyRecord,
        secret: &SecretRecord,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let mut key = key.clone();
        key.created_at = self.time(key.created_at);
        key.expires_at = key.expires_at.map(|at| self.time(at));
        self.store.insert(&key, secret, entry).await
    }

    async fn find(&self, secret: SecretId) -> Result<Option<StoredSecret>, StoreError> {
        let Some(mut found) = self.store.find(secret).await? else {
            return Ok(None);
        };
        found.owner_disabled_at = self.owner_disabled_at(&found.key.owner).await?;
        Ok(Some(found))
    }

    async fn get(&self, key: KeyId) -> Result<Option<KeyRecord>, StoreError> {
        self.store.get(key).await
    }

    async fn list(&self, query: &KeyQuery) -> Result<Page<KeyRecord>, StoreError> {
        self.store.list(query).await
    }

    async fn update(
        &self,
        key: KeyId,
        expected: Revision,
        patch: &KeyPatch,
        entry: &JournalEntry,
    ) -> Result<KeyRecord, StoreError> {
        let found = self.store.get(key).await?.map(|found| found.revision);
        let mut seen = expected;
        if self.has(Flaw::IgnoresTheRevision) {
            seen = found.unwrap_or(expected);
        }
        if self.has(Flaw::ComparesBeforeItChanges) && found == Some(expected) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            let now = self.store.get(key).await?;
            seen = now.map_or(expected, |now| now.revision);
        }
        let outcome = self.store.update(key, seen, patch, entry).await;
        match &outcome {
            Err(error) if self.has(Flaw::ChangesWhatIsNotThere) => {
                assert_eq!(error.kind(), StoreErrorKind::NotFound);
                Ok(fixtures::plain_key(&fixtures::owner()))
            }
            Err(_) if self.has(Flaw::JournalsWhatItRefuses) => {
                self.store
                    .set_owner_disabled(&fixtures::owner(), None, entry)
                    .await?;
                outcome
            }
            _ => outcome,
        }
    }

    async fn add_secret(
        &self,
        key: KeyId,
        expected: Revision,
        secret: &SecretRecord,
        retire_others_at: Timestamp,
        entry: &JournalEntry,
    ) -> Result<KeyRecord, StoreError> {
        self.store
            .add_secret(key, expected, secret, retire_others_at, entry)
            .await
    }

    async fn replace_hash(
        &self,
        secret: SecretId,
        expected: &StoredHash,
        new: &StoredHash,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let found = async || self.store.find(secret).await.unwrap();
        let hash = || async { found().await.map(|found| found.secret.hash) };
        let seen = self.seen(expected, hash).await;
        self.store.replace_hash(secret, &seen, new, entry).await?;
        if self.has(Flaw::CountsNewHashes) {
            let key = found().await.unwrap().key;
            let (patch, entry) = (KeyPatch::default(), fixtures::updated(key.id));
            self.store
                .update(key.id, key.revision, &patch, &entry)
                .await?;
        }
        Ok(())
    }

    async fn record_uses(&self, uses: &[SecretUse]) -> Result<(), StoreError> {
        self.store.record_uses(uses).await
    }

    async fn owner_disabled_at(&self, owner: &Owner) -> Result<Option<Timestamp>, StoreError> {
        self.store.owner_disabled_at(&self.owner(owner)).await
    }

    async fn set_owner_disabled(
        &self,
        owner: &Owner,
        disabled_at: Option<Timestamp>,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        self.store
            .set_owner_disabled(&self.owner(owner), disabled_at, entry)
            .await
    }

    async fn journal_after(&self, seq: Seq, limit: u32) -> Result<Vec<JournalRow>, StoreError> {
        let mut rows = self.store.journal_after(seq, limit).await?;
        if self.has(Flaw::ShowsRowsOutOfOrder) && !self.fourth_seen.load(Ordering::SeqCst) {
            rows.retain(|row| row.seq != Seq::new(3));
            let seen = rows.iter().any(|row| row.seq == Seq::new(4));
            self.fourth_seen.store(seen, Ordering::SeqCst);
        }
        Ok(rows)
    }

    async fn journal_head(&self) -> Result<JournalHead, StoreError> {
        self.store.journal_head().await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }
}

#[async_trait]
impl AccountStore for Flawed {
    async fn insert_account(
        &self,
        account: &AccountRecord,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let mut account = account.clone();
        account.canonical_email = self.email(&account.canonical_email);
        self.store.insert_account(&account, entry).await
    }

    async fn account_by_email(
        &self,
        email: &CanonicalEmail,
    ) -> Result<Option<AccountRecord>, StoreError> {
        self.store.account_by_email(&self.email(email)).await
    }

    async fn account(&self, id: AccountId) -> Result<Option<AccountRecord>, StoreError> {
        self.store.account(id).await
    }

    async fn set_password(
        &self,
        id: AccountId,
        expected: Revision,
        hash: &StoredHash,
        entry: &JournalEntry,
    ) -> Result<AccountRecord, StoreError> {
        self.store.set_password(id, expected, hash, entry).await
    }

    async fn replace_password_hash(
        &self,
        id: AccountId,
        expected: &StoredHash,
        new: &StoredHash,
        entry: &JournalEntry,
    ) -> Result<(), StoreError> {
        let found = async || self.store.account(id).await.unwrap();
        if self.has(Flaw::CountsNewHashes) {
            let revision = found().await.unwrap().revision;
            return self.set_password(id, revision, new, entry).await.map(drop);
        }
        let hash = || async { found().await.map(|found| found.password_hash) };
        let seen = self.seen(expected, hash).await;
        self.store
            .replace_password_hash(id, &seen, new, entry)
            .await
    }
}

fn passes(flaw: Flaw, case: impl AsyncFnOnce(&Fixture)) -> bool {
    let factory = async || {
        let (store, fourth_seen) = (MemoryStore::new(), Arc::default());
        Some(Fixture::new(Flawed {
            store,
            flaw,
            fourth_seen,
        }))
    };
    // What is torn by the panic belongs to this case alone.
    catch_unwind(AssertUnwindSafe(|| testkit::run("a case", factory, case))).is_ok()
}

macro_rules! detects {
    ($($flaw:ident by $test:ident: $room:ident::$case:ident;)*) => {$(
        #[test]
        fn $test() {
            assert!(passes(Flaw::None, $room::$case), "a store without the flaw must pass");
            assert!(!passes(Flaw::$flaw, $room::$case), "the case does not see the flaw");
        }
    )*};
}

detects! {
    IgnoresTheRevision by a_revision_that_is_ignored: update::an_update_of_another_revision_is_stale;
    ComparesBeforeItChanges by a_comparison_apart_from_the_change: races::one_of_many_updates_gets_through;
    ComparesBeforeItChanges by updates_that_are_lost: races::no_update_is_lost;
    IgnoresTheHash by a_hash_that_is_ignored: hashes::a_hash_for_another_one_is_stale;
    IgnoresTheHash by a_password_hash_that_is_ignored: hashes::a_password_hash_for_another_one_is_stale;
    ComparesBeforeItReplaces by hashes_that_are_lost: hashes::one_of_many_new_hashes_gets_through;
    ComparesBeforeItReplaces by a_password_that_is_undone: hashes::a_new_hash_undoes_no_new_password;
    CountsNewHashes by new_hashes_that_count: hashes::a_hash_is_replaced;
    CountsNewHashes by new_password_hashes_that_count: hashes::a_password_hash_is_replaced;
    ChangesWhatIsNotThere by a_change_of_nothing: update::an_update_of_an_unknown_key_is_not_found;
    PadsAddresses by padded_addresses: accounts::addresses_are_compared_byte_by_byte;
    FoldsOwners by folded_owners: owners::disabling_stops_no_lookalike;
    LosesMicroseconds by lost_microseconds: keys::times_keep_their_microseconds;
    JournalsWhatItRefuses by a_journal_of_what_was_refused: journal::a_refused_change_leaves_no_gap;
    ShowsRowsOutOfOrder by rows_that_show_out_of_order: feed::a_follower_misses_nothing_while_others_write;
}

/// Racing is what finds it: one after the other, the comparison apart from the change looks right.
#[test]
fn a_race_is_needed_to_see_a_comparison_apart_from_the_change() {
    assert!(passes(
        Flaw::ComparesBeforeItChanges,
        update::an_update_of_another_revision_is_stale
    ));
}

/// A case that the macro does not name would never run.
#[test]
fn every_case_is_in_the_suite() {
    let suite = include_str!("../src/testkit/store/mod.rs");
    let rooms = [
        ("accounts", include_str!("../src/testkit/store/accounts.rs")),
        ("feed", include_str!("../src/testkit/store/feed.rs")),
        ("hashes", include_str!("../src/testkit/store/hashes.rs")),
        ("journal", include_str!("../src/testkit/store/journal.rs")),
        ("keys", include_str!("../src/testkit/store/keys.rs")),
        ("list", include_str!("../src/testkit/store/list.rs")),
        ("owners", include_str!("../src/testkit/store/owners.rs")),
        ("races", include_str!("../src/testkit/store/races.rs")),
        ("secrets", include_str!("../src/testkit/store/secrets.rs")),
        ("update", include_str!("../src/testkit/store/update.rs")),
        ("usage", include_str!("../src/testkit/store/usage.rs")),
    ];
    assert_eq!(
        suite.matches("\npub mod ").count(),
        rooms.len(),
        "a room is missing here"
    );
    let listed: Vec<_> = suite.lines().map(str::trim).collect();
    for (room, text) in rooms {
        let cases = text
            .lines()
            .filter_map(|line| line.strip_prefix("pub async fn "));
        let names = cases
            .filter_map(|line| line.split_once('('))
            .map(|(name, _)| name);
        let names: Vec<_> = names.collect();
        assert!(!names.is_empty(), "{room} has no case");
        for name in names {
            assert!(
                listed.contains(&&*format!("{room}::{name}")),
                "{room}::{name}"
            );
        }
    }
}

/// A store that is not available passes the case over, and the case does not run.
#[test]
fn a_missing_store_runs_nothing() {
    testkit::run(
        "a case",
        async || None,
        async |_: &Fixture| panic!("it ran"),
    );
}

/// The cases about accounts pass over a store of keys.
#[test]
fn a_store_of_keys_passes_the_accounts_over() {
    let factory = async || Some(Fixture::keys_only(MemoryStore::new()));
    testkit::run("a case", factory, accounts::an_account_comes_back);
    testkit::run(
        "a case",
        factory,
        races::one_of_many_accounts_takes_an_address,
    );
    testkit::run("a case", factory, journal::every_change_writes_one_entry);
}
