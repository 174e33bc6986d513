//! What goes in comes out, and goes in once.

use std::num::{NonZeroU32, NonZeroU64};

use super::Fixture;
use super::support::{find, issue, issue_plain, journal, kind, list, reads};
use crate::clock::Timestamp;
use crate::id::{KeyId, SecretId};
use crate::key::{
    IpRange, KeyRecord, Limits, Metadata, Owner, Quota, RateLimit, Refill, Revision, Scope,
    SecretRecord,
};
use crate::secret::StoredHash;
use crate::store::{Conditions, KeyStore, StoreErrorKind};
use crate::testkit::fixtures;

/// Text that has gone wrong in stores before: quotes, wildcards, other planes, other normal forms, and a NUL,
/// where a text ends in C.
const AWKWARD: [&str; 14] = [
    " ",
    "trailing space ",
    "'; DROP TABLE sakms_keys; --",
    "<script>alert(\"1\")</script>",
    "100%_\\'\"`",
    "\0",
    "before\0after",
    "line\r\nbreak\ttab",
    "🔑👩‍👩‍👧‍👦",
    "caf\u{e9}",
    "cafe\u{301}",
    "\u{feff}\u{202e}abc",
    "NULL",
    "?1 :name $1 {}",
];

/// The store answers.
pub async fn ping_answers(fixture: &Fixture) {
    fixture.keys.ping().await.unwrap();
}

/// A key with only what every key has comes back with every other field empty.
pub async fn a_plain_key_comes_back(fixture: &Fixture) {
    let store = &*fixture.keys;
    let issued = issue_plain(store).await;
    reads(store, &issued.key, &issued.secret).await;
}

/// A key with something in every field comes back with all of it.
pub async fn a_full_key_comes_back(fixture: &Fixture) {
    let store = &*fixture.keys;
    let mut key = fixtures::full_key(&fixtures::owner());
    key.revision = Revision::new(7);
    let mut secret = fixtures::secret(&key);
    secret.created_at = fixtures::at(11);
    secret.retired_at = Some(fixtures::at(12));
    let entry = fixtures::created(&key);
    store
        .insert(&key, &secret, &Conditions::NONE, &entry)
        .await
        .unwrap();
    reads(store, &key, &secret).await;
}

/// The longest text that each field may hold comes back whole.
pub async fn the_largest_values_come_back(fixture: &Fixture) {
    let store = &*fixture.keys;
    let owner: Owner = format!("{} ", "o".repeat(Owner::MAX_BYTES - 1))
        .parse()
        .unwrap();
    let mut key = fixtures::full_key(&owner);
    key.name = fixtures::name(&"🔑".repeat(128));
    key.environment = "e".repeat(16).parse().unwrap();
    key.shown_prefix = format!("{}_{}_0Abc12", "p".repeat(32), key.environment);
    let scope = |number: usize| -> Scope {
        format!("{}:{number:010}", "s".repeat(Scope::MAX_BYTES - 11))
            .parse()
            .unwrap()
    };
    key.scopes = (0..64).map(scope).collect();
    let names: Vec<_> = (0..16).map(|n| format!("{n:-<64}")).collect();
    key.roles = fixtures::roles(&names.join(" "));
    key.tags = fixtures::tags(&names.join(" "));
    key.limits = the_largest_limits();
    let around = fixtures::metadata(&[("note", "")]).to_json().len();
    key.metadata = fixtures::metadata(&[("note", &"m".repeat(Metadata::MAX_BYTES - around))]);
    let mut secret = fixtures::secret(&key);
    secret.hash = StoredHash::new("$".repeat(StoredHash::MAX_BYTES));
    let entry = fixtures::created(&key);
    store
        .insert(&key, &secret, &Conditions::NONE, &entry)
        .await
        .unwrap();
    reads(store, &key, &secret).await;
}

/// As many of everything as there may be, each as long as it may be.
fn the_largest_limits() -> Limits {
    let most = |number| NonZeroU32::new(number).unwrap();
    let [requests, seconds] = [RateLimit::MAX_REQUESTS, RateLimit::MAX_SECONDS].map(most);
    let rate = |number: usize| {
        let name = format!("{number:->64}").parse().unwrap();
        let mut rate = RateLimit::new(name, requests, seconds);
        rate.burst = Some(requests);
        rate
    };
    let range = |number: usize| {
        let range = format!("1111:2222:3333:4444:5555:6666:7777:{:x}", 0x8888 + number);
        range.parse().unwrap()
    };
    Limits {
        rates: (0..Limits::MAX_RATES).map(rate).collect(),
        ip_ranges: (0..Limits::MAX_RANGES).map(range).collect(),
        quota: Some(Quota::new(NonZeroU64::MAX, Refill::Monthly)),
    }
}

pub(super) fn only_a_quota(amount: u64, refill: Refill) -> Limits {
    Limits {
        quota: Some(fixtures::quota(amount, refill)),
        ..Limits::default()
    }
}

/// Limits come back as they were set: each alone, in their order, and none when there are none.
pub async fn limits_are_kept_to_the_letter(fixture: &Fixture) {
    let store = &*fixture.keys;
    let rate = fixtures::rate;
    let range = |text: &str| text.parse::<IpRange>().unwrap();
    let ranges = [
        "2001:db8::/32",
        "10.0.0.0/8",
        "::/0",
        "0.0.0.0/0",
        "10.0.0.0/8",
    ];
    for limits in [
        Limits::default(),
        Limits {
            rates: vec![rate("b", 1, 1), rate("a", 2, 2)],
            ..Limits::default()
        },
        Limits {
            ip_ranges: ranges.map(range).into(),
            ..Limits::default()
        },
        only_a_quota(1, Refill::Never),
        only_a_quota(u64::MAX, Refill::Daily),
        fixtures::limits(),
    ] {
        let mut key = fixtures::plain_key(&fixtures::owner());
        key.limits = limits;
        let issued = issue(store, key).await;
        reads(store, &issued.key, &issued.secret).await;
    }
}

/// Tags and roles come back as they were set, also those that look alike to a pattern.
pub async fn tags_and_roles_are_kept_to_the_letter(fixture: &Fixture) {
    let store = &*fixture.keys;
    for names in ["a", "a_b a-b a.b a:b axb", "- _ . :", "0 00 -0", "null"] {
        let mut key = fixtures::plain_key(&fixtures::owner());
        key.tags = fixtures::tags(names);
        let tagged = issue(store, key).await;
        reads(store, &tagged.key, &tagged.secret).await;
        let mut key = fixtures::plain_key(&fixtures::owner());
        key.roles = fixtures::roles(names);
        let holder = issue(store, key).await;
        reads(store, &holder.key, &holder.secret).await;
    }
}

/// A name is kept to the letter.
pub async fn names_are_kept_to_the_letter(fixture: &Fixture) {
    let store = &*fixture.keys;
    for text in AWKWARD {
        let mut key = fixtures::plain_key(&fixtures::owner());
        key.name = fixtures::name(text);
        let issued = issue(store, key).await;
        reads(store, &issued.key, &issued.secret).await;
    }
}

/// Metadata is kept to the letter, names and values alike.
pub async fn metadata_is_kept_to_the_letter(fixture: &Fixture) {
    let store = &*fixture.keys;
    let mut key = fixtures::plain_key(&fixtures::owner());
    // An empty name, and names that differ only in what collations ignore.
    let mut pairs = vec![
        ("", "empty"),
        ("a", "1"),
        ("A", "2"),
        ("á", "3"),
        ("a ", "4"),
    ];
    pairs.extend(AWKWARD.map(|text| (text, text)));
    key.metadata = fixtures::metadata(&pairs);
    let issued = issue(store, key).await;
    reads(store, &issued.key, &issued.secret).await;
    assert_eq!(
        find(store, issued.secret.id)
            .await
            .key
            .metadata
            .get("before\0after"),
        Some("before\0after")
    );
}

/// An owner is kept to the letter, and lists no key but their own.
pub async fn owners_are_kept_to_the_letter(fixture: &Fixture) {
    let store = &*fixture.keys;
    for text in AWKWARD {
        let issued = issue(store, fixtures::plain_key(&text.parse().unwrap())).await;
        reads(store, &issued.key, &issued.secret).await;
        assert_eq!(
            list(store, &issued.key.owner).await,
            [issued.key],
            "{text:?}"
        );
    }
}

/// Times keep their microseconds, from the first moment to the last. The first one is a time, not "none".
pub async fn times_keep_their_microseconds(fixture: &Fixture) {
    let store = &*fixture.keys;
    let day = 86_400_000_000;
    let last = Timestamp::MAX.as_micros();
    // 2038-01-19 and 2106-02-07, when 32 bits of seconds end, and a second that a leap second was put behind.
    let ends = [
        2_147_483_647_999_999,
        4_294_967_296_000_001,
        1_483_228_799_999_999,
    ];
    for micros in [
        0,
        1,
        999_999,
        1_000_000,
        day - 1,
        ends[0],
        ends[1],
        ends[2],
        last - 1,
        last,
    ] {
        let moment = Timestamp::from_micros(micros).unwrap();
        let mut key = fixtures::plain_key(&fixtures::owner());
        key.created_at = moment;
        key.not_before = Some(moment);
        key.expires_at = Some(moment);
        key.disabled_at = Some(moment);
        key.revoked_at = Some(moment);
        let mut secret = fixtures::secret(&key);
        secret.retired_at = Some(moment);
        let entry = fixtures::created(&key);
        store
            .insert(&key, &secret, &Conditions::NONE, &entry)
            .await
            .unwrap();
        reads(store, &key, &secret).await;
    }
}

/// What was never put in is not there; that is an answer, not an error.
pub async fn what_is_unknown_is_none(fixture: &Fixture) {
    let store = &*fixture.keys;
    let issued = issue_plain(store).await;
    assert_eq!(store.get(fixtures::key_id()).await.unwrap(), None);
    assert_eq!(store.find(fixtures::secret_id()).await.unwrap(), None);
    // A key is not found under its secret's id, nor the other way round.
    let (key, secret) = (issued.key.id, issued.secret.id);
    assert_eq!(
        store
            .get(KeyId::from_bytes(*secret.as_bytes()))
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        store
            .find(SecretId::from_bytes(*key.as_bytes()))
            .await
            .unwrap(),
        None
    );
}

/// A second key with the same id is refused and leaves nothing behind.
pub async fn a_key_id_is_taken_once(fixture: &Fixture) {
    let store = &*fixture.keys;
    let first = issue_plain(store).await;
    let before = journal(store).await;

    let mut second = fixtures::full_key(&fixtures::owner());
    second.id = first.key.id;
    let secret = fixtures::secret(&second);
    refused(store, &second, &secret).await;

    assert_eq!(
        store.find(secret.id).await.unwrap(),
        None,
        "its secret was kept"
    );
    assert_eq!(list(store, &second.owner).await, [], "its owner has it");
    assert_eq!(journal(store).await, before);
    reads(store, &first.key, &first.secret).await;
}

/// A key whose secret's id is taken is refused and leaves nothing behind, whoever holds the other.
pub async fn a_secret_id_is_taken_once(fixture: &Fixture) {
    let store = &*fixture.keys;
    let first = issue_plain(store).await;
    let before = journal(store).await;

    let second = fixtures::full_key(&fixtures::owner());
    let mut secret = fixtures::secret(&second);
    secret.id = first.secret.id;
    refused(store, &second, &secret).await;

    assert_eq!(
        store.get(second.id).await.unwrap(),
        None,
        "the key was kept"
    );
    assert_eq!(list(store, &second.owner).await, [], "its owner has it");
    assert_eq!(journal(store).await, before);
    reads(store, &first.key, &first.secret).await;
}

async fn refused(store: &dyn KeyStore, key: &KeyRecord, secret: &SecretRecord) {
    let outcome = store
        .insert(key, secret, &Conditions::NONE, &fixtures::created(key))
        .await;
    assert_eq!(kind(outcome), Err(StoreErrorKind::Conflict));
}

/// Ids are sixteen bytes, all of which count.
pub async fn ids_are_compared_byte_by_byte(fixture: &Fixture) {
    let store = &*fixture.keys;
    let base = *fixtures::key_id().as_bytes();
    let ending = |byte| {
        let mut id = base;
        id[15] = byte;
        id
    };
    let mut ids = vec![[0x00; 16], [0x20; 16], [0x27; 16], [0x5c; 16], [0xff; 16]];
    // The last two differ in the case of a letter alone, were they text.
    ids.extend([0x00, 0x09, 0x20, 0x27, 0xa0, 0xff, b'k', b'K'].map(ending));
    let owner = fixtures::owner();
    let mut all = Vec::new();
    for id in &ids {
        let mut key = fixtures::plain_key(&owner);
        key.id = KeyId::from_bytes(*id);
        let mut secret = fixtures::secret(&key);
        secret.id = SecretId::from_bytes(*id);
        let entry = fixtures::created(&key);
        store
            .insert(&key, &secret, &Conditions::NONE, &entry)
            .await
            .unwrap();
        all.push((key, secret));
    }
    for (key, secret) in &all {
        reads(store, key, secret).await;
    }
    for bit in 0..128 {
        let mut id = ids[12];
        id[bit / 8] ^= 1 << (bit % 8);
        let there = ids.contains(&id);
        let (key, secret) = (KeyId::from_bytes(id), SecretId::from_bytes(id));
        assert_eq!(store.get(key).await.unwrap().is_some(), there, "bit {bit}");
        assert_eq!(
            store.find(secret).await.unwrap().is_some(),
            there,
            "bit {bit}"
        );
    }
}
