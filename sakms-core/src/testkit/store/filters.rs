//! Lists of the keys that have something in common, of one owner and of all.

use super::Fixture;
use super::random::Random;
use super::support::{get, issue};
use crate::clock::Timestamp;
use crate::id::KeyId;
use crate::key::{Environment, KeyFilter, KeyQuery, KeyRecord, KeyState, Owner, SecretUse};
use crate::store::KeyStore;
use crate::testkit::fixtures;

/// Among them some that look alike to a pattern, or begin or end alike.
const TAGS: [&str; 8] = ["a", "aa", "a_b", "axb", "a-b", "b", "_", "a:b"];
const ENVIRONMENTS: [&str; 4] = ["live", "test", "lives", "dev"];
const STATES: [KeyState; 5] = [
    KeyState::Revoked,
    KeyState::Disabled,
    KeyState::Expired,
    KeyState::Pending,
    KeyState::Active,
];
/// All that happens to the keys happens in so many microseconds, so that moments meet.
const SPAN: u64 = 8;

fn moment(random: &mut Random) -> Timestamp {
    fixtures::at(random.below(SPAN))
}

fn sometimes(random: &mut Random) -> Option<Timestamp> {
    random.once_in(3).then(|| moment(random))
}

/// A key with as much of everything as chance has it.
fn any_key(random: &mut Random, owner: &Owner) -> KeyRecord {
    let mut key = fixtures::plain_key(owner);
    key.environment = random.one_of(&ENVIRONMENTS).parse().unwrap();
    let tags: Vec<_> = TAGS.into_iter().filter(|_| random.once_in(3)).collect();
    key.tags = fixtures::tags(&tags.join(" "));
    key.created_at = moment(random);
    key.not_before = sometimes(random);
    key.expires_at = sometimes(random);
    key.disabled_at = sometimes(random);
    key.revoked_at = sometimes(random);
    key
}

/// Puts keys of these owners in, some of them used, and gives all as they are, the newest first.
async fn fill(store: &dyn KeyStore, random: &mut Random, owners: &[Owner]) -> Vec<KeyRecord> {
    let mut keys = Vec::new();
    for _ in 0..60 {
        let owner = random.one_of(owners).clone();
        let issued = issue(store, any_key(random, &owner)).await;
        if random.once_in(2) {
            let used = SecretUse::new(issued.secret.id, 1, moment(random));
            store.record_uses(&[used]).await.unwrap();
        }
        keys.push(get(store, issued.key.id).await);
    }
    keys.reverse();
    keys
}

/// Every page of what a query asks for, with `limit` keys on each.
async fn turn_pages(store: &dyn KeyStore, query: &KeyQuery, limit: u32) -> Vec<KeyRecord> {
    let (mut found, mut query) = (Vec::new(), query.clone());
    query.limit = limit;
    loop {
        let page = store.list(&query).await.unwrap();
        assert!(page.items.len() <= limit as usize, "a page is too long");
        assert!(
            !page.more || page.items.len() == limit as usize,
            "a page is too short"
        );
        query.before = page.items.last().map(|key| key.id).or(query.before);
        found.extend(page.items);
        if !page.more {
            return found;
        }
    }
}

fn expected(keys: &[KeyRecord], query: &KeyQuery) -> Vec<KeyRecord> {
    let wanted = |key: &&KeyRecord| {
        query.owner.as_ref().is_none_or(|owner| key.owner == *owner)
            && query.before.is_none_or(|before| key.id < before)
            && query.filter.matches(key)
    };
    keys.iter().filter(wanted).cloned().collect()
}

/// A list has the keys that match, whatever the page's length.
async fn lists(store: &dyn KeyStore, keys: &[KeyRecord], query: &KeyQuery) -> usize {
    let expected = expected(keys, query);
    let ids = |keys: &[KeyRecord]| keys.iter().map(|key| key.id).collect::<Vec<_>>();
    for limit in [
        1 + u32::try_from(expected.len() / 3).unwrap(),
        KeyQuery::MAX_LIMIT,
    ] {
        let found = turn_pages(store, query, limit).await;
        assert_eq!(ids(&found), ids(&expected), "{query:?} by {limit}");
        assert_eq!(found, expected, "{query:?} by {limit}");
    }
    expected.len()
}

fn filtered(change: impl FnOnce(&mut KeyFilter)) -> KeyQuery {
    let mut query = KeyQuery::everybody();
    change(&mut query.filter);
    query
}

/// The keys of all owners are listed together, the newest first.
pub async fn everybodys_keys_are_listed(fixture: &Fixture) {
    let store = &*fixture.keys;
    let mut keys = Vec::new();
    for owner in super::owners::LOOKALIKES {
        keys.push(
            issue(store, fixtures::plain_key(&owner.parse().unwrap()))
                .await
                .key,
        );
    }
    keys.reverse();
    let everybody = KeyQuery::everybody();
    assert_eq!(lists(store, &keys, &everybody).await, keys.len());
    for before in [
        keys[0].id,
        keys[7].id,
        KeyId::from_bytes([0; 16]),
        KeyId::from_bytes([0xff; 16]),
    ] {
        let mut query = everybody.clone();
        query.before = Some(before);
        lists(store, &keys, &query).await;
    }
}

/// Each condition alone gives the keys that meet it, of everybody and of one owner.
pub async fn each_condition_is_kept(fixture: &Fixture) {
    let store = &*fixture.keys;
    let owners = [fixtures::owner(), fixtures::owner()];
    let keys = fill(store, &mut Random::new(1), &owners).await;
    let mut queries = Vec::new();
    for state in STATES {
        for at in [0, 3, SPAN] {
            queries.push(filtered(|filter| {
                filter.state = Some((state, fixtures::at(at)));
            }));
        }
    }
    for name in ENVIRONMENTS {
        queries.push(filtered(|filter| {
            filter.environment = Some(name.parse().unwrap());
        }));
    }
    for tag in TAGS {
        queries.push(filtered(|filter| filter.tag = Some(tag.parse().unwrap())));
    }
    for at in 0..=SPAN {
        queries.push(filtered(|filter| {
            filter.unused_since = Some(fixtures::at(at));
        }));
        queries.push(filtered(|filter| {
            filter.expires_before = Some(fixtures::at(at));
        }));
    }
    for query in queries {
        let of_all = lists(store, &keys, &query).await;
        let mut of_both = 0;
        for owner in &owners {
            let mut query = query.clone();
            query.owner = Some(owner.clone());
            of_both += lists(store, &keys, &query).await;
        }
        assert_eq!(of_all, of_both);
    }
}

/// Conditions together give the keys that meet all of them, from any place on.
pub async fn conditions_are_kept_together(fixture: &Fixture) {
    let store = &*fixture.keys;
    let mut random = Random::new(2);
    let owners = [fixtures::owner(), fixtures::owner(), fixtures::owner()];
    let keys = fill(store, &mut random, &owners).await;
    let mut found = 0;
    for _ in 0..150 {
        let random = &mut random;
        let mut query = filtered(|filter| {
            if random.once_in(2) {
                filter.state = Some((*random.one_of(&STATES), moment(random)));
            }
            if random.once_in(3) {
                filter.environment = Some(random.one_of(&ENVIRONMENTS).parse().unwrap());
            }
            if random.once_in(3) {
                filter.tag = Some(random.one_of(&TAGS).parse().unwrap());
            }
            filter.unused_since = sometimes(random);
            filter.expires_before = sometimes(random);
        });
        query.owner = random.once_in(2).then(|| random.one_of(&owners).clone());
        query.before = random.once_in(3).then(|| random.one_of(&keys).id);
        found += lists(store, &keys, &query).await;
    }
    assert!(found > 150, "the queries ask for something");
}

/// The first state that holds is the state: revoked before disabled before expired before pending.
pub async fn a_key_is_in_one_state(fixture: &Fixture) {
    let store = &*fixture.keys;
    let now = fixtures::at(5);
    let mut keys = Vec::new();
    for bits in 0..16_u8 {
        let mut key = fixtures::plain_key(&fixtures::owner());
        let when = |bit: u8, at| (bits & bit != 0).then(|| fixtures::at(at));
        // Not yet, when there is a moment: pending until 6, expired since 5; the others whenever it was.
        key.not_before = when(1, 6);
        key.expires_at = when(2, 5);
        key.disabled_at = when(4, 9);
        key.revoked_at = when(8, 9);
        keys.push(issue(store, key).await.key);
    }
    keys.reverse();
    let mut all = Vec::new();
    for (state, count) in STATES.into_iter().zip([8, 4, 2, 1, 1]) {
        let query = filtered(|filter| filter.state = Some((state, now)));
        let found = turn_pages(store, &query, 3).await;
        assert_eq!(found.len(), count, "{state:?}");
        all.extend(found);
    }
    all.sort_by_key(|key| std::cmp::Reverse(key.id));
    assert_eq!(all, keys, "each key is in one state");
}

/// At the very moment: expired already, no longer pending, not before it and used at it.
pub async fn moments_are_compared_exactly(fixture: &Fixture) {
    let store = &*fixture.keys;
    let moment = fixtures::at(5);
    let mut key = fixtures::plain_key(&fixtures::owner());
    key.created_at = fixtures::at(1);
    key.not_before = Some(fixtures::at(3));
    key.expires_at = Some(moment);
    let issued = issue(store, key).await;
    let there = async |change: fn(&mut KeyFilter)| {
        !turn_pages(store, &filtered(change), 10).await.is_empty()
    };
    assert!(there(|f| f.state = Some((KeyState::Pending, fixtures::at(2)))).await);
    assert!(there(|f| f.state = Some((KeyState::Active, fixtures::at(3)))).await);
    assert!(there(|f| f.state = Some((KeyState::Active, fixtures::at(4)))).await);
    assert!(there(|f| f.state = Some((KeyState::Expired, fixtures::at(5)))).await);
    assert!(!there(|f| f.expires_before = Some(fixtures::at(5))).await);
    assert!(there(|f| f.expires_before = Some(fixtures::at(6))).await);
    // Never used: what counts is when it was made.
    assert!(!there(|f| f.unused_since = Some(fixtures::at(1))).await);
    assert!(there(|f| f.unused_since = Some(fixtures::at(2))).await);
    let used = SecretUse::new(issued.secret.id, 1, moment);
    store.record_uses(&[used]).await.unwrap();
    assert!(!there(|f| f.unused_since = Some(fixtures::at(5))).await);
    assert!(there(|f| f.unused_since = Some(fixtures::at(6))).await);
}

/// A page under a condition is full when there is enough, however few of the keys meet it.
pub async fn a_page_is_full_though_few_match(fixture: &Fixture) {
    let store = &*fixture.keys;
    let owner = fixtures::owner();
    let mut rare = Vec::new();
    for number in 0..130 {
        let mut key = fixtures::plain_key(&owner);
        if number % 26 == 0 {
            key.tags = fixtures::tags("rare");
        }
        let key = issue(store, key).await.key;
        if number % 26 == 0 {
            rare.insert(0, key);
        }
    }
    let mut query = filtered(|filter| filter.tag = Some("rare".parse().unwrap()));
    for owner in [None, Some(owner)] {
        query.owner = owner;
        for (limit, more) in [(4, true), (5, false), (100, false)] {
            query.limit = limit;
            let page = store.list(&query).await.unwrap();
            assert_eq!(page.items, rare[..rare.len().min(limit as usize)]);
            assert_eq!(page.more, more, "limit {limit}");
        }
    }
}

/// An environment is one word, to the letter.
pub async fn environments_are_compared_to_the_letter(fixture: &Fixture) {
    let store = &*fixture.keys;
    for name in ENVIRONMENTS {
        let mut key = fixtures::plain_key(&fixtures::owner());
        key.environment = name.parse().unwrap();
        issue(store, key).await;
    }
    for name in ENVIRONMENTS {
        let wanted: Environment = name.parse().unwrap();
        let query = filtered(|filter| filter.environment = Some(wanted.clone()));
        let found = turn_pages(store, &query, 10).await;
        assert_eq!(found.len(), 1, "{name}");
        assert_eq!(found[0].environment, wanted);
    }
}
