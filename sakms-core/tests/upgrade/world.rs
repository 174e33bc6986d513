//! What the first version wrote: keys in every state with texts that open them, their uses, owners, accounts and the
//! journal of all that. The store in memory keeps it as well, to compare with.

use std::sync::Arc;

use sakms_core::account::AccountRecord;
use sakms_core::hash::{Argon2Params, HashPoolConfig, KeyHasher};
use sakms_core::id::KeyId;
use sakms_core::journal::{Action, JournalRow, Seq, Subject};
use sakms_core::key::{KeyPatch, MasterKey, Owner, SecretUse};
use sakms_core::secret::PresentedKey;
use sakms_core::service::{Caller, KeyDenial, NewKey, Requirement, Sakms};
use sakms_core::store::{AccountStore as _, KeyStore, MemoryStore};
use sakms_core::testkit::fixtures;

use crate::earlier::{
    ADD_ACCOUNT, ADD_KEY, ADD_SECRET, ADD_TO_JOURNAL, ADD_USES, DISABLE_OWNER, Earlier, MOVE_HEAD,
    Value,
};

/// How many rows of the journal are nobody's.
pub(crate) const NOBODYS: usize = 1;
const OWNERS: [&str; 6] = ["ada", "Ada", "ada\0", "ada ", "ad\u{e1}", "team:ops"];

pub(crate) struct World {
    pub(crate) memory: MemoryStore,
    pub(crate) keys: Vec<Issued>,
    pub(crate) accounts: Vec<AccountRecord>,
}

/// A key with the texts of its secrets, the oldest first.
pub(crate) struct Issued {
    pub(crate) id: KeyId,
    pub(crate) texts: Vec<PresentedKey>,
}

/// What is said to a text.
pub(crate) async fn check(sakms: &Sakms, text: &PresentedKey) -> Result<KeyId, KeyDenial> {
    let verdict = sakms.verify(text, &Requirement::any_key()).await.unwrap();
    verdict.map(|key| key.key_id()).into_result()
}

impl World {
    /// Some hundred keys.
    pub(crate) async fn new() -> Self {
        Self::of(320).await
    }

    /// A few.
    pub(crate) async fn small() -> Self {
        Self::of(26).await
    }

    async fn of(keys: usize) -> Self {
        let mut world = Self {
            memory: MemoryStore::new(),
            keys: Vec::new(),
            accounts: Vec::new(),
        };
        for _ in 0..3 {
            let account = fixtures::account();
            let entry = fixtures::registered(&account);
            let memory = &world.memory;
            memory.insert_account(&account, &entry).await.unwrap();
            world.accounts.push(account);
        }
        let entry = fixtures::entry(Action::KEY_REFUSE, Subject::SERVICE);
        world.memory.note(&entry).await.unwrap();
        for number in 0..keys {
            world.add(number).await;
        }
        // Two of them are disabled, with everything they hold; one was, for a time.
        for (owner, back) in [("ada ", false), ("team:ops", true)] {
            let owner: Owner = owner.parse().unwrap();
            let (memory, at) = (&world.memory, Some(fixtures::at(9)));
            let entry = fixtures::disabled(&owner);
            memory.set_owner_disabled(&owner, at, &entry).await.unwrap();
            if back {
                let entry = fixtures::enabled(&owner);
                memory
                    .set_owner_disabled(&owner, None, &entry)
                    .await
                    .unwrap();
            }
        }
        world
    }

    /// A service on a store, with the master key that the texts were made with.
    pub(crate) fn service(store: impl KeyStore) -> Sakms {
        service(store, KeyHasher::HmacSha256)
    }

    /// Everybody who holds something or is an account.
    pub(crate) fn owners(&self) -> Vec<Owner> {
        let accounts = self.accounts.iter().map(|account| account.id.into());
        let others = OWNERS.iter().map(|owner| owner.parse().unwrap());
        others.chain(accounts).collect()
    }

    /// One more key. Its number says what became of it.
    async fn add(&mut self, number: usize) {
        // Argon2 takes its time, the other hash next to none.
        let hasher = if number.is_multiple_of(16) {
            KeyHasher::Argon2id
        } else {
            KeyHasher::HmacSha256
        };
        let owners = self.owners();
        let caller = Caller::owner(owners[number % owners.len()].clone());
        let mut new = NewKey::named(fixtures::name(&format!("Key {number} 🌙")));
        if number.is_multiple_of(3) {
            new.environment = Some("test".parse().unwrap());
            new.scopes = fixtures::scopes("reports:read users:*");
            new.metadata = fixtures::metadata(&[("team", "Büro \"7\"")]);
            new.expires_at = Some(fixtures::at(3_600_000_000));
        }
        let memory = &self.memory;
        let sakms = service(memory.clone(), hasher);
        let created = sakms.create_key(&caller, new.clone()).await.unwrap();
        let id = created.key.id;
        let mut texts = vec![PresentedKey::new(created.text.expose().to_owned())];
        let change = match number % 9 {
            3 => Some(KeyPatch::revoke(fixtures::at(4))),
            4 => {
                let mut patch = KeyPatch::default();
                patch.disabled_at = Some(Some(fixtures::at(5)));
                Some(patch)
            }
            5 => {
                let mut patch = KeyPatch::default();
                patch.expires_at = Some(Some(fixtures::START));
                Some(patch)
            }
            _ => None,
        };
        if let Some(patch) = change {
            let (revision, entry) = (created.key.revision, fixtures::updated(id));
            memory.update(id, revision, &patch, &entry).await.unwrap();
        }
        if number % 9 >= 7 {
            // A secret of another key, made for this one.
            let elsewhere = MemoryStore::new();
            let sakms = service(elsewhere.clone(), hasher);
            let other = sakms.create_key(&caller, new).await.unwrap();
            let secret = elsewhere.secrets(other.key.id).await.unwrap().remove(0);
            let mut secret = secret.record;
            (secret.key, secret.created_at) = (id, fixtures::at(1));
            let overlap = if number % 9 == 7 { 0 } else { 60_000_000 };
            let retire = fixtures::at(overlap);
            let (revision, entry) = (created.key.revision, fixtures::rotated(id));
            memory
                .add_secret(id, revision, &secret, retire, None, &entry)
                .await
                .unwrap();
            texts.push(PresentedKey::new(other.text.expose().to_owned()));
        }
        if number.is_multiple_of(4) {
            for (secret, at) in memory.secrets(id).await.unwrap().into_iter().zip(2..) {
                let used = SecretUse::new(secret.record.id, at * 7, fixtures::at(at));
                memory.record_uses(&[used]).await.unwrap();
            }
        }
        self.keys.push(Issued { id, texts });
    }

    /// Changes of which nothing but the journal is looked at.
    pub(crate) async fn more(&mut self) {
        let memory = &self.memory;
        for issued in self.keys.iter().take(5) {
            let revision = memory.get(issued.id).await.unwrap().unwrap().revision;
            let (patch, entry) = (KeyPatch::default(), fixtures::updated(issued.id));
            let changed = memory.update(issued.id, revision, &patch, &entry).await;
            changed.unwrap();
        }
        for owner in self.owners() {
            let entry = fixtures::enabled(&owner);
            memory
                .set_owner_disabled(&owner, None, &entry)
                .await
                .unwrap();
        }
        for account in &self.accounts {
            memory
                .note(&fixtures::password_changed(account.id))
                .await
                .unwrap();
        }
    }

    /// Writes everything as the first version would have.
    pub(crate) async fn write(&self, earlier: &mut impl Earlier) {
        let (mut keys, mut secrets, mut uses) = (Vec::new(), Vec::new(), Vec::new());
        for issued in &self.keys {
            let key = self.memory.get(issued.id).await.unwrap().unwrap();
            for used in self.memory.secrets(issued.id).await.unwrap() {
                let secret = used.record;
                if let Some(last) = used.last_used_at {
                    uses.push(vec![
                        Value::bytes(key.id.as_bytes()),
                        Value::bytes(secret.id.as_bytes()),
                        Value::Int(used.uses.try_into().unwrap()),
                        Value::time(last),
                    ]);
                }
                secrets.push(vec![
                    Value::bytes(secret.id.as_bytes()),
                    Value::bytes(key.id.as_bytes()),
                    Value::text(secret.hash.as_str()),
                    Value::text(secret.shown_prefix),
                    Value::time(secret.created_at),
                    Value::time(secret.retired_at),
                ]);
            }
            keys.push(vec![
                Value::bytes(key.id.as_bytes()),
                Value::text(key.owner),
                Value::text(key.name.as_str()),
                Value::text(key.environment.as_str()),
                Value::text(key.shown_prefix),
                Value::text(key.scopes),
                Value::text(key.metadata.to_json()),
                Value::time(key.created_at),
                Value::time(key.expires_at),
                Value::time(key.disabled_at),
                Value::time(key.revoked_at),
                Value::Int(key.revision.get().into()),
            ]);
        }
        earlier.write(ADD_KEY, keys).await;
        earlier.write(ADD_SECRET, secrets).await;
        earlier.write(ADD_USES, uses).await;

        let mut disabled = Vec::new();
        for owner in self.owners() {
            if let Some(at) = self.memory.owner_disabled_at(&owner).await.unwrap() {
                disabled.push(vec![Value::text(owner), Value::time(at)]);
            }
        }
        earlier.write(DISABLE_OWNER, disabled).await;
        let accounts = self.accounts.iter().map(|account| {
            vec![
                Value::bytes(account.id.as_bytes()),
                Value::text(&account.email),
                Value::text(account.canonical_email.as_str()),
                Value::text(account.password_hash.as_str()),
                Value::time(account.created_at),
                Value::Int(account.revision.get().into()),
            ]
        });
        earlier.write(ADD_ACCOUNT, accounts.collect()).await;
        self.write_journal(earlier, 0).await;
    }

    /// Writes the rows of the journal after the first `written` ones.
    pub(crate) async fn write_journal(&self, earlier: &mut impl Earlier, written: u64) {
        let rows = self.memory.journal_after(Seq::new(written), u32::MAX).await;
        let rows = rows.unwrap();
        let last = rows.last().unwrap();
        let seq = |seq: Seq| Value::Int(seq.get().try_into().unwrap());
        let head = vec![
            seq(last.seq),
            Value::bytes(last.chain.as_bytes()),
            seq(Seq::new(written)),
        ];
        let rows = rows.into_iter().map(
            |JournalRow {
                 seq: at,
                 entry,
                 chain,
                 ..
             }| {
                vec![
                    seq(at),
                    Value::bytes(entry.id.as_bytes()),
                    Value::time(entry.at),
                    Value::text(entry.actor),
                    Value::text(entry.action),
                    Value::text(entry.subject),
                    Value::text(entry.detail),
                    Value::bytes(chain.as_bytes()),
                ]
            },
        );
        earlier.write(ADD_TO_JOURNAL, rows.collect()).await;
        earlier.write(MOVE_HEAD, vec![head]).await;
    }
}

fn service(store: impl KeyStore, hasher: KeyHasher) -> Sakms {
    let master = MasterKey::from_bytes(*b"0123456789abcdefghijklmnopqrstuv").unwrap();
    let hashing = HashPoolConfig::default()
        .params(Argon2Params::insecure_fast())
        .key_threads(1)
        .password_threads(1)
        .key_hasher(hasher);
    let service = Sakms::builder(store, master)
        .clock(Arc::new(fixtures::clock()))
        .hashing(hashing);
    service.build().unwrap()
}
