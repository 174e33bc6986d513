use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::clock::{ManualClock, Timestamp};
use crate::entropy::OsEntropy;
use crate::id::KeyId;
use crate::journal::{Action, Actor, JournalEntry, Subject};
use crate::key::{KeyRecord, SecretRecord};
use crate::secret::StoredHash;
use crate::service::refusals::Refusals;
use crate::service::requirement::KeyDenial;
use crate::service::usage::{MOST_SECRETS, UsageBuffer};
use crate::store::{Conditions, MemoryStore};

fn cache() -> KeyCache {
    KeyCache::new(CacheConfig::default().keys(64).denials(8), &OsEntropy).unwrap()
}

fn stored(number: u8, revoked: bool) -> StoredSecret {
    let owner = format!("owner {}", number % 2).parse().unwrap();
    let id = KeyId::from_bytes([number; 16]);
    let mut key = KeyRecord::new(id, owner, Environment::live(), Timestamp::EPOCH);
    key.revoked_at = revoked.then_some(Timestamp::EPOCH);
    let hash = StoredHash::new(format!("hash {number}"));
    let secret = SecretRecord::new(
        SecretId::from_bytes([number; 16]),
        id,
        hash,
        String::new(),
        Timestamp::EPOCH,
    );
    StoredSecret::new(key, secret, None)
}

/// What a fill does between the store's answer and the cache, at two moments of the caller's choice.
struct Fill {
    found: StoredSecret,
    read_at: Moment,
}

impl Fill {
    fn begin(cache: &KeyCache, found: StoredSecret) -> Self {
        let read_at = cache.stamps.now();
        Self { found, read_at }
    }

    fn finish(mut self, cache: &KeyCache) -> Digest {
        let digest = digest_of(cache, self.found.secret.id);
        let limiters = (&cache.limiters, Duration::ZERO);
        let particulars = Particulars::of(&mut self.found, &[], None, limiters);
        let (known, reading) = cache.known(self.found, particulars, false, self.read_at);
        cache.keep(digest, known, reading);
        digest
    }
}

/// The digest of a secret's text, which stands here for the text too.
fn digest_of(cache: &KeyCache, secret: SecretId) -> Digest {
    cache.digest(&secret.to_string())
}

fn recall(cache: &KeyCache, digest: Digest) -> Option<Known> {
    cache.recall(digest, Tick::at(Duration::ZERO))
}

fn is_granted(cache: &KeyCache, digest: Digest) -> bool {
    match recall(cache, digest) {
        Some(Known::Key(key)) => key.known.refused_at(Timestamp::EPOCH).is_none(),
        _ => false,
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Begin(u8),
    Finish(usize),
    Revoke(u8),
    Check(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0_u8..4).prop_map(Step::Begin),
        (0_usize..8).prop_map(Step::Finish),
        (0_u8..4).prop_map(Step::Revoke),
        (0_u8..4).prop_map(Step::Check),
    ]
}

proptest! {
    /// Fills begin and end in any order around revocations: none of them brings back what was revoked.
    #[test]
    fn no_fill_brings_back_what_was_revoked(steps in prop::collection::vec(step(), 1..200)) {
        let cache = cache();
        let (mut revoked, mut fills) = ([false; 4], Vec::new());
        for step in steps {
            match step {
                Step::Begin(key) => fills.push(Fill::begin(&cache, stored(key, revoked[usize::from(key)]))),
                Step::Finish(which) if !fills.is_empty() => {
                    let which = which % fills.len();
                    fills.swap_remove(which).finish(&cache);
                }
                Step::Finish(_) => {}
                Step::Revoke(key) => {
                    revoked[usize::from(key)] = true;
                    cache.strike_key(KeyId::from_bytes([key; 16]));
                }
                Step::Check(key) => {
                    let granted = is_granted(&cache, digest_of(&cache, SecretId::from_bytes([key; 16])));
                    prop_assert!(!(granted && revoked[usize::from(key)]));
                }
            }
        }
    }
}

#[test]
fn what_is_remembered_stands_until_it_is_struck() {
    let cache = cache();
    let digests: Vec<_> = (0..4)
        .map(|key| Fill::begin(&cache, stored(key, false)).finish(&cache))
        .collect();
    let granted = |cache: &KeyCache| {
        digests
            .iter()
            .filter(|&&digest| is_granted(cache, digest))
            .count()
    };
    assert_eq!(granted(&cache), 4);
    cache.strike_absences();
    assert_eq!(granted(&cache), 4);
    cache.strike_key(KeyId::from_bytes([0; 16]));
    assert!(!is_granted(&cache, digests[0]));
    cache.strike_owner(&"owner 1".parse().unwrap());
    assert!(!is_granted(&cache, digests[1]) && !is_granted(&cache, digests[3]));
    cache.strike_all();
    assert_eq!(granted(&cache), 0);
}

#[test]
fn a_proof_counts_for_the_hash_it_was_made_of() {
    let cache = cache();
    let digest = Fill::begin(&cache, stored(1, false)).finish(&cache);
    cache.strike_key(KeyId::from_bytes([1; 16]));
    assert!(recall(&cache, digest).is_none());
    let read = |hash: &str, dated| {
        let mut found = stored(1, false);
        found.secret.hash = StoredHash::new(hash.to_owned());
        cache.known(found, None, dated, cache.stamps.now())
    };
    // The proof outlives the strike, for the hash that it is of.
    let (same, _) = read("hash 1", false);
    assert!(cache.is_proven(digest, Proof::by(&same)));
    let (known, reading) = read("another hash", true);
    assert!(!cache.is_proven(digest, Proof::by(&known)));

    // Who made the new hash of what is in the text need not prove the text by it.
    let new = StoredHash::new("another hash".to_owned());
    cache.learn(digest, known.secret, &new);
    assert!(recall(&cache, digest).is_none(), "nothing was read with it");
    assert!(cache.is_proven(digest, Proof::by(&known)));
    cache.keep(digest, known, reading);
    assert!(!cache.is_proven(digest, Proof::by(&same)));
    let Some(Known::Key(key)) = recall(&cache, digest) else {
        panic!("it is remembered")
    };
    assert!(key.is_dated() && cache.is_hash_of(&key.known, &new));
    assert!(!cache.is_hash_of(&key.known, &StoredHash::new("hash 1".to_owned())));
}

#[test]
fn a_time_that_comes_is_seen_on_what_is_remembered() {
    let mut found = stored(1, false);
    let at = |secs| {
        Timestamp::EPOCH
            .checked_add(Duration::from_secs(secs))
            .unwrap()
    };
    found.key.expires_at = Some(at(10));
    found.secret.retired_at = Some(at(5));
    let cache = cache();
    let digest = Fill::begin(&cache, found).finish(&cache);
    let Some(Known::Key(key)) = recall(&cache, digest) else {
        panic!("it is remembered")
    };
    let known = &key.known;
    assert_eq!(known.refused_at(at(4)), None);
    assert_eq!(known.refused_at(at(5)), Some(KeyDenial::Retired));
    assert_eq!(known.refused_at(at(10)), Some(KeyDenial::Expired));
}

/// Nothing that is printed gives away what a cache is found by.
#[test]
fn nothing_printed_holds_a_digest_or_its_key() {
    let cache = cache();
    let digest = cache.digest("acme_live_secret");
    cache
        .denials
        .insert(digest, Denial::NoSuchSecret(cache.absences.now()));
    let printed = format!("{cache:?} {digest:?}");
    for half in digest.halves() {
        assert!(!printed.contains(&half.to_string()), "{printed}");
    }
}

/// As many keys as there is room for are really remembered, whichever parts they fall into.
#[test]
fn room_is_what_it_says() {
    for keys in [1, 7, 300, 10_000, 100_000] {
        let config = CacheConfig::default().keys(keys).denials(keys);
        let cache = KeyCache::new(config, &OsEntropy).unwrap();
        let digests: Vec<_> = (0..keys)
            .map(|number| cache.digest(&format!("text {number}")))
            .collect();
        for &digest in &digests {
            let (known, reading) = cache.known(stored(1, false), None, false, cache.stamps.now());
            cache.keep(digest, known, reading);
            let absent = Denial::NoSuchSecret(cache.absences.now());
            cache.denials.insert(digest, absent);
        }
        assert_eq!(cache.sizes(), (keys as u64, keys as u64));
        let none = Evictions {
            keys: 0,
            denials: 0,
        };
        assert_eq!(cache.evictions(), none);
        assert!(digests.iter().all(|&digest| is_granted(&cache, digest)));
    }
}

/// A key that a thread has at hand is refused there too as soon as it was struck, and goes on to be remembered where all
/// threads find it.
#[test]
fn what_threads_have_at_hand_is_struck_with_the_rest() {
    let cache = cache();
    let digest = Fill::begin(&cache, stored(1, false)).finish(&cache);
    let barrier = std::sync::Barrier::new(5);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                (0..3).for_each(|_| assert!(is_granted(&cache, digest)));
                barrier.wait();
                barrier.wait();
                assert!(!is_granted(&cache, digest));
                barrier.wait();
                barrier.wait();
                assert!(is_granted(&cache, digest));
            });
        }
        barrier.wait();
        cache.strike_owner(&"owner 1".parse().unwrap());
        barrier.wait();
        barrier.wait();
        Fill::begin(&cache, stored(1, false)).finish(&cache);
        barrier.wait();
    });
}

/// The map does not see what a thread has at hand: it is told, so that a key in use does not make room for others.
#[test]
fn a_key_in_use_comes_back_to_the_map() {
    let cache = cache();
    let digest = Fill::begin(&cache, stored(1, false)).finish(&cache);
    assert!(is_granted(&cache, digest));
    cache.keys.remove(&digest);
    let later = Tick::at(Duration::from_secs(1));
    assert!(matches!(cache.recall(digest, later), Some(Known::Key(_))));
    assert_eq!(cache.sizes().0, 1);
}

#[test]
fn a_change_that_any_key_may_hang_on_strikes_all_of_them_when_it_is_over() {
    let cache = cache();
    let digests = [0, 1].map(|key| Fill::begin(&cache, stored(key, false)).finish(&cache));
    let strike = Strike::all(&cache);
    assert!(digests.iter().all(|&digest| is_granted(&cache, digest)));
    drop(strike);
    assert!(!digests.iter().any(|&digest| is_granted(&cache, digest)));
}

/// Threads have fewer places than there may be keys; each key is found all the same, and finds a place in the end.
#[test]
fn more_keys_than_a_thread_has_places_for() {
    let config = CacheConfig::default().keys(4);
    let cache = KeyCache::new(config, &OsEntropy).unwrap();
    let digests: Vec<_> = (0..20).map(|n| cache.digest(&n.to_string())).collect();
    let keys: Vec<_> = digests
        .iter()
        .map(|&digest| {
            let (known, reading) = cache.known(stored(1, false), None, false, cache.stamps.now());
            (digest, Arc::new(KeyInUse::new(Arc::new(known), reading)))
        })
        .collect();
    for _ in 0..100 {
        for (digest, key) in &keys {
            let used = cache.fronts.offer(*digest, Arc::clone(key));
            assert!(Arc::ptr_eq(&used.known, &key.known));
        }
    }
    let at_hand = |(digest, key): &&(Digest, Arc<KeyInUse>)| {
        let found = cache.fronts.get(*digest);
        found.is_some_and(|found| Arc::ptr_eq(&found.known, &key.known))
    };
    assert_eq!(keys.iter().filter(at_hand).count(), 4);
}

#[tokio::test]
async fn a_use_that_finds_the_list_full_is_written_down_later() {
    let store = Arc::new(MemoryStore::new());
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(Timestamp::EPOCH));
    let stored = stored(1, false);
    let (key, secret, free) = (&stored.key, &stored.secret, Conditions::default());
    let (action, subject, id) = (Action::KEY_CREATE, Subject::key(key.id), key.id);
    let entry = JournalEntry::now(clock.as_ref(), &OsEntropy, Actor::SYSTEM, action, subject);
    let entry = entry.unwrap();
    store.insert(key, secret, &free, &entry).await.unwrap();

    let cache = cache();
    let (known, reading) = cache.known(stored, None, false, cache.stamps.now());
    let key = KeyInUse::new(Arc::new(known), reading);
    let now = Tick::at(Duration::ZERO);
    let refusals = Refusals::new(
        Arc::clone(&store) as _,
        Arc::default(),
        Arc::clone(&clock),
        Arc::new(OsEntropy),
        1,
    );
    let (refusals, interval) = (Arc::new(refusals), Duration::from_hours(1));
    let usage = UsageBuffer::new(Arc::clone(&store) as _, Arc::default(), refusals, interval);
    let used = |key: &Arc<KeyInUse>| usage.count(key, now, clock.as_ref(), None);
    let written = async || store.secrets(id).await.unwrap()[0].uses;

    for _ in 0..MOST_SECRETS {
        used(&Arc::new(key.another()));
    }
    let late = Arc::new(key.another());
    used(&late);
    used(&late);
    usage.flush().await.unwrap();
    assert_eq!(written().await, MOST_SECRETS as u64);
    used(&late);
    usage.flush().await.unwrap();
    assert_eq!(written().await, MOST_SECRETS as u64 + 3);
}
