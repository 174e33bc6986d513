//! A store in SQL says what the one in memory says, whatever is asked of them in whatever order.
#![cfg(all(feature = "testkit", any(feature = "sqlite", feature = "mariadb")))]
#![expect(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test says what it expects by failing; what is cut off is drawn below what fits"
)]

#[path = "../common/mod.rs"]
mod common;
mod dice;

use std::fmt::Debug;

use dice::Dice;
use sakms_core::account::{AccountQuery, AccountRecord, AccountRole};
use sakms_core::id::{KeyId, SecretId};
use sakms_core::journal::{Action, Actor, JournalEntry, JournalQuery, Seq, Subject};
use sakms_core::key::{
    Day, KeyPatch, KeyQuery, KeyRecord, KeyState, Limits, Revision, Role, RoleSet, SecretUse,
    TagSet,
};
use sakms_core::store::{AccountStore, Conditions, KeyStore, MemoryStore, StateStore, StoreError};
use sakms_core::testkit::fixtures;

/// The two stores, and what was put into them.
struct Pair<'a, S> {
    store: &'a S,
    memory: MemoryStore,
    dice: Dice,
    /// What is drawn of things that are kept for a while.
    more_dice: Dice,
    keys: Vec<KeyRecord>,
    secrets: Vec<(KeyId, SecretId)>,
    accounts: Vec<AccountRecord>,
}

fn kind<T>(result: Result<T, StoreError>) -> Result<T, String> {
    result.map_err(|error| format!("{:?}", error.kind()))
}

/// What both say, which must be the same.
macro_rules! both {
    ($pair:expr, $method:ident($($value:expr),*)) => {{
        let expected = kind($pair.memory.$method($($value),*).await);
        let found = kind($pair.store.$method($($value),*).await);
        assert_same(stringify!($method), &found, &expected);
        expected
    }};
}

fn assert_same<T: PartialEq + Debug>(what: &str, found: &T, expected: &T) {
    assert_eq!(found, expected, "{what}");
}

impl<S: KeyStore + AccountStore + StateStore> Pair<'_, S> {
    async fn change(&mut self) {
        let dice = &mut self.dice;
        match dice.below(14) {
            0..3 => self.insert().await,
            3 | 4 => self.update().await,
            5 => self.rotate().await,
            6 => self.keep().await,
            7 | 8 => self.use_secrets().await,
            9 => self.quota().await,
            10 => self.account().await,
            11 => self.role().await,
            12 => {
                let (owner, since) = (dice.owner(), dice.maybe(Dice::moment));
                let entry = fixtures::disabled(&owner);
                let _ = both!(self, set_owner_disabled(&owner, since, &entry));
            }
            _ => {
                let before = self.dice.moment();
                if self.dice.one_in(4) {
                    let _ = both!(self, forget_idempotency(before));
                }
                let entry = self.entry();
                let _ = both!(self, note(&entry));
            }
        }
    }

    fn some_key(&mut self) -> KeyId {
        if self.keys.is_empty() || self.dice.one_in(20) {
            return fixtures::key_id();
        }
        self.dice.of(&self.keys).id
    }

    fn some_secret(&mut self) -> (KeyId, SecretId) {
        if self.secrets.is_empty() || self.dice.one_in(20) {
            return (fixtures::key_id(), fixtures::secret_id());
        }
        self.dice.of(&self.secrets)
    }

    fn entry(&mut self) -> JournalEntry {
        let subject = match self.dice.below(7) {
            0 => Subject::SERVICE,
            1 => Subject::from_stored("owner:".into()),
            2 => Subject::from_stored(format!("owner:{}", "x".repeat(129))),
            3 => Subject::from_stored("account:nobody".into()),
            4 => Subject::account(fixtures::account_id()),
            5 => Subject::owner(&self.dice.owner()),
            _ => Subject::key(self.some_key()),
        };
        let mut entry = fixtures::entry(Action::KEY_REFUSE, subject);
        entry.at = self.dice.moment();
        if self.dice.one_in(2) {
            entry.actor = Actor::owner(&self.dice.owner());
        }
        entry
    }

    async fn insert(&mut self) {
        let owner = self.dice.owner();
        let dice = &mut self.dice;
        let mut key = KeyRecord::new(fixtures::key_id(), owner, dice.environment(), dice.moment());
        key.shown_prefix = format!("shown {}", fixtures::number());
        if dice.one_in(2) {
            key.roles = dice.roles();
            key.tags = dice.tags();
            key.limits = dice.limits();
            key.not_before = dice.maybe(Dice::moment);
        }
        key.expires_at = dice.maybe(Dice::moment);
        let taken = dice.one_in(10) && !self.keys.is_empty();
        if taken {
            key.id = dice.of(&self.keys).id;
        }
        let mut secret = fixtures::secret(&key);
        secret.created_at = fixtures::at(fixtures::number().into());
        let mut conditions = Conditions::NONE;
        // Which of two reasons is said is left to the store.
        if !taken {
            conditions.most_per_owner = dice.maybe(|dice| dice.below(12) as u32);
        }
        conditions.idempotency = dice.maybe(|dice| dice.request(key.id, secret.id));
        let entry = fixtures::created(&key);
        if both!(self, insert(&key, &secret, &conditions, &entry)).is_ok() {
            self.secrets.push((key.id, secret.id));
            self.keys.push(key);
        }
    }

    async fn state(&mut self) {
        let mut record = self.more_dice.state();
        let entry = self
            .more_dice
            .maybe(|_| fixtures::updated(fixtures::key_id()));
        let entry = entry.as_ref();
        let (kind, id) = (record.kind, record.id);
        let found = both!(self, state(kind, id)).unwrap();
        let mut revision = found
            .as_ref()
            .map_or(Revision::FIRST, |found| found.revision);
        if self.more_dice.one_in(8) {
            revision = revision.next();
        }
        // Which of two reasons is said is left to the store.
        let what = self.more_dice.below(8);
        if record.value.len() > 4_096 && (found.is_some() || what >= 3) {
            record.value.clear();
        }
        let (value, ends) = (&record.value, record.expires_at);
        let owner = self.more_dice.owner();
        match what {
            0..3 => drop(both!(self, insert_state(&record, entry))),
            3..5 => drop(both!(
                self,
                update_state(kind, id, revision, value, ends, entry)
            )),
            5 => drop(both!(self, remove_state(kind, id, revision, entry))),
            6 => {
                let except = self.more_dice.maybe(|_| id);
                drop(both!(self, remove_states(kind, &owner, except, entry)));
            }
            _ => {
                let before = self.more_dice.moment();
                drop(both!(self, forget_states(before)));
            }
        }
        let owner = self.more_dice.maybe(|_| owner);
        let limit = self.more_dice.of(&[0, 1, 3, 1_000]);
        let _ = both!(self, states(kind, owner.as_ref(), limit));
    }

    async fn revision(&mut self, key: KeyId) -> Revision {
        let found = self.memory.get(key).await.unwrap();
        let revision = found.map_or(Revision::FIRST, |key| key.revision);
        if self.dice.one_in(8) {
            revision.next()
        } else {
            revision
        }
    }

    async fn update(&mut self) {
        let key = self.some_key();
        let revision = self.revision(key).await;
        let dice = &mut self.dice;
        let mut patch = KeyPatch::default();
        if dice.one_in(8) {
            patch = KeyPatch::revoke(dice.moment());
        }
        if dice.one_in(6) {
            let (tags, limits) = (TagSet::default(), Limits::default());
            (patch.tags, patch.limits) = (Some(tags), Some(limits));
            (patch.roles, patch.not_before) = (Some(RoleSet::default()), Some(None));
            let entry = fixtures::updated(key);
            let _ = both!(self, update(key, revision, &patch, &entry));
            return;
        }
        patch.roles = dice.maybe(Dice::roles);
        patch.tags = dice.maybe(Dice::tags);
        patch.limits = dice.maybe(Dice::limits);
        patch.not_before = dice.maybe(|dice| dice.maybe(Dice::moment));
        patch.expires_at = dice.maybe(|dice| dice.maybe(Dice::moment));
        patch.disabled_at = dice.maybe(|dice| dice.maybe(Dice::moment));
        let entry = fixtures::updated(key);
        let _ = both!(self, update(key, revision, &patch, &entry));
    }

    async fn rotate(&mut self) {
        let key = self.some_key();
        let revision = self.revision(key).await;
        let owner = fixtures::owner();
        let mut of = fixtures::plain_key(&owner);
        (of.id, of.created_at) = (key, fixtures::at(fixtures::number().into()));
        of.shown_prefix = format!("shown {}", fixtures::number());
        let mut secret = fixtures::secret(&of);
        if self.dice.one_in(10) {
            secret.id = self.some_secret().1;
        }
        let retire = self.dice.moment();
        let request = self.dice.maybe(|dice| dice.request(key, secret.id));
        let entry = fixtures::rotated(key);
        let added = both!(
            self,
            add_secret(key, revision, &secret, retire, request.as_ref(), &entry)
        );
        if added.is_ok() {
            self.secrets.push((key, secret.id));
        }
    }

    async fn keep(&mut self) {
        let (mut key, secret) = self.some_secret();
        if self.dice.one_in(8) {
            key = self.some_key();
        }
        let revision = self.revision(key).await;
        let (retire, entry) = (self.dice.moment(), fixtures::updated(key));
        let _ = both!(self, keep_secret(key, revision, secret, retire, &entry));
    }

    async fn use_secrets(&mut self) {
        let count = self.dice.below(40);
        let mut uses = Vec::new();
        for _ in 0..count {
            let secret = self.some_secret().1;
            let times = self.dice.below(4);
            let mut one = SecretUse::new(secret, times, self.dice.moment());
            one.refused = self.dice.below(3);
            one.last_from = self.dice.maybe(Dice::address);
            uses.push(one);
        }
        let _ = both!(self, record_uses(&uses));
    }

    async fn quota(&mut self) {
        let key = self.some_key();
        for _ in 0..4 {
            let dice = &mut self.dice;
            let period = dice.moment();
            let amount = dice.of(&[1, 5, 20, u64::MAX]);
            let cost = dice.of(&[0, 1, 1, 4, 1 << 40]);
            let _ = both!(self, take_quota(key, period, amount, cost));
            let _ = both!(self, quota_taken(key, period));
        }
    }

    async fn account(&mut self) {
        if self.accounts.is_empty() || self.dice.one_in(2) {
            let mut account = fixtures::account();
            if self.dice.one_in(3) {
                account.roles.push(AccountRole::Admin);
            }
            let entry = fixtures::registered(&account);
            both!(self, insert_account(&account, &entry)).unwrap();
            self.accounts.push(account);
        } else {
            let mut id = self.dice.of(&self.accounts).id;
            if self.dice.one_in(10) {
                id = fixtures::account_id();
            }
            let entry = fixtures::entry(Action::ACCOUNT_GRANT, Subject::account(id));
            let (role, held) = (AccountRole::Admin, self.dice.one_in(2));
            let _ = both!(self, set_account_role(id, role, held, &entry));
        }
    }

    async fn role(&mut self) {
        let name = self.dice.role();
        let entry = fixtures::entry(Action::ROLE_SET, Subject::role(&name));
        if self.dice.one_in(3) {
            let _ = both!(self, remove_role(&name, &entry));
        } else {
            let scopes = fixtures::scopes(self.dice.of(&["", "a:b", "a:* b:c"]));
            let role = Role::new(name, scopes, self.dice.moment());
            let _ = both!(self, set_role(&role, &entry));
        }
    }

    /// Everything that can be read of a few things.
    async fn read(&mut self) {
        let (key, secret) = self.some_secret();
        let _ = both!(self, get(key));
        let _ = both!(self, find(secret));
        let _ = both!(self, secrets(key));
        let (first, last) = (Day::of(self.dice.moment()), Day::of(self.dice.moment()));
        let _ = both!(self, usage(key, first, last));
        let id = self.dice.request(key, secret).id;
        let _ = both!(self, idempotency(&id));
        let _ = both!(self, roles());
        let owner = self.dice.owner();
        let _ = both!(self, owner_disabled_at(&owner));
        let _ = both!(self, journal_head());
        if let Some(account) = self.accounts.last() {
            let _ = both!(self, account(account.id));
            let _ = both!(self, account_by_email(&account.canonical_email));
            let mut query = AccountQuery::default();
            query.limit = 1 + self.dice.below(4) as u32;
            query.before = self.dice.maybe(|dice| dice.of(&self.accounts).id);
            let _ = both!(self, accounts(&query));
        }
        for _ in 0..6 {
            self.list().await;
            self.show_journal().await;
        }
    }

    async fn list(&mut self) {
        let before = self.some_key();
        let dice = &mut self.dice;
        let mut query = KeyQuery::everybody();
        query.owner = dice.maybe(Dice::owner);
        query.before = dice.maybe(|_| before);
        query.limit = dice.of(&[1, 2, 7, 100]);
        let states = [
            KeyState::Revoked,
            KeyState::Disabled,
            KeyState::Expired,
            KeyState::Pending,
            KeyState::Active,
        ];
        query.filter.state = dice.maybe(|dice| (dice.of(&states), dice.moment()));
        if dice.one_in(3) {
            query.filter.environment = Some(dice.environment());
        }
        if dice.one_in(3) {
            query.filter.tag = Some(dice.of(&["a", "ab", "b", "c"]).parse().unwrap());
        }
        if dice.one_in(3) {
            query.filter.unused_since = Some(dice.moment());
        }
        if dice.one_in(3) {
            query.filter.expires_before = Some(dice.moment());
        }
        let page = both!(self, list(&query)).unwrap();
        for key in &page.items {
            assert!(query.filter.matches(key), "{query:?} gives {key:?}");
        }
    }

    async fn show_journal(&mut self) {
        let key = self.some_key();
        let rows = self.memory.journal_head().await.unwrap().seq.get();
        let dice = &mut self.dice;
        let mut query = JournalQuery::everything();
        query.owner = dice.maybe(|dice| {
            let names = ["xxx", "nobody", "account:nobody"];
            let other = dice.of(&names).parse().unwrap();
            if dice.one_in(4) { other } else { dice.owner() }
        });
        if dice.one_in(3) {
            query.actor = Some(Actor::owner(&dice.owner()).as_str().to_owned());
        }
        if dice.one_in(3) {
            query.action = Some(dice.of(&["key.create", "key.refuse"]).to_owned());
        }
        if dice.one_in(4) {
            query.subject = Some(Subject::key(key).as_str().to_owned());
        }
        query.from = dice.maybe(Dice::moment);
        query.until = dice.maybe(Dice::moment);
        query.before = dice.maybe(|dice| Seq::new(dice.below(rows + 2)));
        query.limit = dice.of(&[1, 7, 100]);
        let _ = both!(self, journal(&query));
    }
}

async fn says_what_the_one_in_memory_says<S: KeyStore + AccountStore + StateStore>(
    store: &S,
    seed: u64,
    steps: usize,
) {
    let mut pair = Pair {
        store,
        memory: MemoryStore::new(),
        dice: Dice(seed),
        more_dice: Dice(!seed),
        keys: Vec::new(),
        secrets: Vec::new(),
        accounts: Vec::new(),
    };
    for step in 0..steps {
        pair.change().await;
        pair.state().await;
        if step % 5 == 0 {
            pair.read().await;
        }
    }
    assert!(pair.keys.len() > steps / 12, "{}", pair.keys.len());
    let rows = pair.memory.journal_after(Seq::START, u32::MAX).await;
    let found = pair.store.journal_after(Seq::START, u32::MAX).await;
    assert_eq!(found.unwrap(), rows.unwrap());
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn sqlite_says_what_memory_says() {
    for seed in 0..6 {
        let store = sakms_core::store::SqliteStore::open(":memory:").await;
        says_what_the_one_in_memory_says(&store.unwrap(), seed, 400).await;
    }
}

#[cfg(feature = "mariadb")]
#[tokio::test]
async fn mariadb_says_what_memory_says() {
    for seed in 0..2 {
        let Some(database) = common::mariadb::Database::create().await else {
            return;
        };
        says_what_the_one_in_memory_says(&database.store().await, seed, 400).await;
    }
}
