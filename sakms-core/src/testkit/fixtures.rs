//! Valid records to test with.
//!
//! Every call gives something new: ids grow with each call within a process, and never repeat between
//! processes, so that a test can run on a database that others use as well. Times stand still.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroU64};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::account::{AccountRecord, Email};
use crate::clock::{ManualClock, Timestamp};
use crate::entropy::OsEntropy;
use crate::id::{AccountId, EntryId, KeyId, SecretId};
use crate::journal::{Action, Actor, JournalEntry, Subject};
use crate::key::{
    Environment, KeyName, KeyRecord, Limits, Metadata, Owner, Quota, RateLimit, Refill, Role,
    RoleName, RoleSet, ScopeSet, SecretRecord, TagSet,
};
use crate::secret::StoredHash;
use crate::store::{
    Conditions, IdempotencyId, IdempotencyRecord, RequestDigest, StateId, StateKind, StateRecord,
};

/// When the fixtures' world begins: 2026-11-18T11:06:40.123456Z. It has microseconds, so that losing them shows.
pub const START: Timestamp = match Timestamp::from_micros(1_795_000_000_123_456) {
    Some(start) => start,
    None => Timestamp::EPOCH,
};

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// A number that no other call gives.
#[must_use]
pub fn number() -> u32 {
    COUNTER.fetch_add(1, Ordering::SeqCst)
}

/// `micros` microseconds after [`START`].
#[must_use]
pub fn at(micros: u64) -> Timestamp {
    START.checked_add(Duration::from_micros(micros)).unwrap()
}

/// A clock that shows [`START`].
#[must_use]
pub fn clock() -> ManualClock {
    ManualClock::at(START)
}

/// A clock a millisecond after that of the call before: ids that are drawn by it grow.
fn next_clock() -> ManualClock {
    ManualClock::at(at(u64::from(number()) * 1_000))
}

/// The id of another key, greater than every one before.
#[must_use]
pub fn key_id() -> KeyId {
    KeyId::generate(&next_clock(), &OsEntropy).unwrap()
}

/// The id of another secret.
#[must_use]
pub fn secret_id() -> SecretId {
    SecretId::generate(&next_clock(), &OsEntropy).unwrap()
}

/// The id of another account.
#[must_use]
pub fn account_id() -> AccountId {
    AccountId::generate(&next_clock(), &OsEntropy).unwrap()
}

/// The id of another journal entry.
#[must_use]
pub fn entry_id() -> EntryId {
    EntryId::generate(&next_clock(), &OsEntropy).unwrap()
}

/// Another owner.
#[must_use]
pub fn owner() -> Owner {
    Owner::from(account_id())
}

/// A name of a key. Panics when it is too long.
#[must_use]
pub fn name(text: &str) -> KeyName {
    text.parse().unwrap()
}

/// A set of scopes, separated by spaces. Panics when one is none.
#[must_use]
pub fn scopes(text: &str) -> ScopeSet {
    text.parse().unwrap()
}

/// A set of tags, separated by spaces. Panics when one is none.
#[must_use]
pub fn tags(text: &str) -> TagSet {
    text.parse().unwrap()
}

/// A set of names of roles, separated by spaces. Panics when one is none.
#[must_use]
pub fn roles(text: &str) -> RoleSet {
    text.parse().unwrap()
}

/// A rate limit of this name: `requests` in `seconds`. Panics when one of them is 0.
#[must_use]
pub fn rate(name: &str, requests: u32, seconds: u32) -> RateLimit {
    let number = |number| NonZeroU32::new(number).unwrap();
    RateLimit::new(name.parse().unwrap(), number(requests), number(seconds))
}

/// A quota. Panics when the amount is 0.
#[must_use]
pub fn quota(amount: u64, refill: Refill) -> Quota {
    Quota::new(NonZeroU64::new(amount).unwrap(), refill)
}

/// Limits of every kind: two rates, one with a burst of its own, two ranges of addresses, and a quota.
#[must_use]
pub fn limits() -> Limits {
    let mut burst = rate("burst", 7, 1);
    burst.burst = NonZeroU32::new(9);
    let ranges = ["192.0.2.0/24", "2001:db8::/32"];
    Limits {
        rates: vec![rate("hourly", 1_000, 3_600), burst],
        ip_ranges: ranges.map(|range| range.parse().unwrap()).into(),
        quota: Some(quota(100_000, Refill::Monthly)),
    }
}

/// Metadata of these pairs. Panics when they are too long.
#[must_use]
pub fn metadata(pairs: &[(&str, &str)]) -> Metadata {
    let pairs = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect::<BTreeMap<_, _>>();
    Metadata::new(pairs).unwrap()
}

/// A text of the form a stored hash has. It proves nothing: no password and no key belongs to it.
#[must_use]
pub fn hash() -> StoredHash {
    let (salt, proof) = ("c2FsdHNhbHRzYWx0c2FsdA", "A".repeat(43));
    let number = number();
    StoredHash::new(format!(
        "$argon2id$v=19$m=8,t=1,p=1,data={number}${salt}${proof}"
    ))
}

/// Another key of `owner` that has only what every key has.
#[must_use]
pub fn plain_key(owner: &Owner) -> KeyRecord {
    let id = key_id();
    let mut key = KeyRecord::new(id, owner.clone(), Environment::live(), START);
    key.shown_prefix = "sakms_live_0Abc12".into();
    key
}

/// Another key of `owner` with something in every field a new key can have.
///
/// It was never used, because that is told to a store by
/// [`record_uses`](crate::store::KeyStore::record_uses) alone.
#[must_use]
pub fn full_key(owner: &Owner) -> KeyRecord {
    let mut key = plain_key(owner);
    key.environment = Environment::test();
    key.shown_prefix = "sakms_test_0Abc12".into();
    key.name = name("Nightly export 🌙");
    key.scopes = scopes("reports:read reports:write users:*");
    key.roles = roles("reader team:ops");
    key.limits = limits();
    key.tags = tags("ci nightly-1.2");
    key.metadata = metadata(&[("team", "Büro \"7\""), ("ticket", "OPS-1")]);
    key.created_at = at(1);
    key.not_before = Some(at(7));
    key.expires_at = Some(at(2));
    key.disabled_at = Some(at(3));
    key.revoked_at = Some(at(4));
    key
}

/// Another secret of `key`, in use.
#[must_use]
pub fn secret(key: &KeyRecord) -> SecretRecord {
    SecretRecord::new(
        secret_id(),
        key.id,
        hash(),
        key.shown_prefix.clone(),
        key.created_at,
    )
}

/// Another role with these scopes, separated by spaces.
#[must_use]
pub fn role(scopes_of_it: &str) -> Role {
    let name = format!("role:{}", key_id()).parse().unwrap();
    Role::new(name, scopes(scopes_of_it), at(8))
}

/// What another request with an idempotency key leaves behind: that it made `secret`.
#[must_use]
pub fn idempotency(secret: &SecretRecord) -> IdempotencyRecord {
    let bytes = || {
        let halves = [entry_id(), entry_id()].map(|id| *id.as_bytes());
        let mut whole = halves.concat().into_iter();
        std::array::from_fn(|_| whole.next().unwrap())
    };
    IdempotencyRecord::new(
        IdempotencyId::from_bytes(bytes()),
        RequestDigest::from_bytes(bytes()),
        secret.key,
        secret.id,
        at(9),
    )
}

/// That a key is added only if its owner has no more than `most` with it.
#[must_use]
pub const fn at_most(most: u32) -> Conditions {
    Conditions {
        most_per_owner: Some(most),
        ..Conditions::NONE
    }
}

/// That a key is added only by the first of the requests that `record` stands for.
#[must_use]
pub const fn once(record: IdempotencyRecord) -> Conditions {
    Conditions {
        idempotency: Some(record),
        ..Conditions::NONE
    }
}

/// Something else that is kept for a while, with a value of its own.
#[must_use]
pub fn state(kind: StateKind, owner: Option<Owner>) -> StateRecord {
    let id = StateId::of(entry_id().as_bytes());
    let value = format!("kept {}", number()).into_bytes();
    StateRecord::new(kind, id, owner, value, at(10), at(60_000_000))
}

/// An address that no other call gives, in a spelling of its own: it is not its canonical form.
#[must_use]
pub fn email() -> Email {
    Email::parse(&format!("Ada.{}@Example.com", account_id())).unwrap()
}

/// Another account.
#[must_use]
pub fn account() -> AccountRecord {
    AccountRecord::new(account_id(), &email(), hash(), at(5))
}

/// An entry that says that SAKMS did `action` to `subject`.
#[must_use]
pub fn entry(action: Action, subject: Subject) -> JournalEntry {
    let detail = format!("change {}", number());
    JournalEntry::from_parts(entry_id(), at(6), Actor::SYSTEM, action, subject, detail)
}

/// An entry for the making of `key`.
#[must_use]
pub fn created(key: &KeyRecord) -> JournalEntry {
    entry(Action::KEY_CREATE, Subject::key(key.id))
}

/// An entry for a change of `key`.
#[must_use]
pub fn updated(key: KeyId) -> JournalEntry {
    entry(Action::KEY_UPDATE, Subject::key(key))
}

/// An entry for another secret of `key`.
#[must_use]
pub fn rotated(key: KeyId) -> JournalEntry {
    entry(Action::KEY_ROTATE, Subject::key(key))
}

/// An entry for keeping one secret of `key` alone.
#[must_use]
pub fn kept(key: KeyId) -> JournalEntry {
    entry(Action::KEY_KEEP_SECRET, Subject::key(key))
}

/// An entry for something that was refused to `key`.
#[must_use]
pub fn refused(key: KeyId) -> JournalEntry {
    entry(Action::KEY_REFUSE, Subject::key(key))
}

/// An entry for defining `role`.
#[must_use]
pub fn defined(role: &Role) -> JournalEntry {
    entry(Action::ROLE_SET, Subject::role(&role.name))
}

/// An entry for taking a role away.
#[must_use]
pub fn removed(role: &RoleName) -> JournalEntry {
    entry(Action::ROLE_REMOVE, Subject::role(role))
}

/// An entry for giving an account a role.
#[must_use]
pub fn granted(account: AccountId) -> JournalEntry {
    entry(Action::ACCOUNT_GRANT, Subject::account(account))
}

/// An entry for taking a role from an account.
#[must_use]
pub fn ungranted(account: AccountId) -> JournalEntry {
    entry(Action::ACCOUNT_UNGRANT, Subject::account(account))
}

/// An entry for disabling `owner`.
#[must_use]
pub fn disabled(owner: &Owner) -> JournalEntry {
    entry(Action::OWNER_DISABLE, Subject::owner(owner))
}

/// An entry for enabling `owner` again.
#[must_use]
pub fn enabled(owner: &Owner) -> JournalEntry {
    entry(Action::OWNER_ENABLE, Subject::owner(owner))
}

/// An entry for the making of `account`.
#[must_use]
pub fn registered(account: &AccountRecord) -> JournalEntry {
    entry(Action::ACCOUNT_REGISTER, Subject::account(account.id))
}

/// An entry for another password of an account.
#[must_use]
pub fn password_changed(account: AccountId) -> JournalEntry {
    entry(Action::ACCOUNT_PASSWORD, Subject::account(account))
}

/// An entry for another hash of a secret of `key`.
#[must_use]
pub fn rehashed(key: KeyId) -> JournalEntry {
    entry(Action::KEY_REHASH, Subject::key(key))
}

/// An entry for another hash of the password of an account.
#[must_use]
pub fn password_rehashed(account: AccountId) -> JournalEntry {
    entry(Action::ACCOUNT_REHASH, Subject::account(account))
}
