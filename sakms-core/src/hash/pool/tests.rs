use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use super::*;
use crate::entropy::{EntropyError, OsEntropy};
use crate::hash::{Argon2Params, HashLimits};
use crate::key::MasterKey;

const SECRET: &[u8] = b"violet tram kettle oak";

fn config() -> HashPoolConfig {
    HashPoolConfig::default()
        .params(Argon2Params::insecure_fast())
        .key_threads(1)
        .password_threads(1)
        // A test that is waiting for an answer is to get it, however slow the machine.
        .deadline(Duration::from_mins(1))
}

fn pool(config: HashPoolConfig) -> Arc<HashPool> {
    Arc::new(HashPool::new(config, Arc::new(OsEntropy)).unwrap())
}

/// Keeps the only thread of a share at work until what this returns is dropped.
async fn block(pool: &Arc<HashPool>, share: Share) -> mpsc::Sender<()> {
    let (release, released) = mpsc::channel::<()>();
    let (started, has_started) = oneshot::channel();
    let pool = Arc::clone(pool);
    tokio::spawn(async move {
        let work = move |_: &mut Arena| {
            started.send(()).unwrap();
            // Ends with an error, when the sender is dropped.
            assert!(released.recv().is_err());
            Ok(())
        };
        pool.run(share, || work).await
    });
    has_started.await.unwrap();
    release
}

/// Sets a caller waiting and returns once they are in the line.
async fn enqueue(
    pool: &Arc<HashPool>,
    share: Share,
    stored: &StoredHash,
) -> tokio::task::JoinHandle<Result<bool, HashError>> {
    let before = waiting(pool, share);
    let (mine, stored) = (Arc::clone(pool), stored.clone());
    let caller = tokio::spawn(async move { mine.verify(share, SECRET, &stored).await });
    while waiting(pool, share) == before {
        tokio::task::yield_now().await;
    }
    caller
}

fn waiting(pool: &HashPool, share: Share) -> usize {
    let threads = match share {
        Share::Keys => &pool.keys,
        Share::Passwords => &pool.passwords,
    };
    threads.0.waiting()
}

#[tokio::test]
async fn a_secret_matches_its_own_hash_only() {
    let pool = pool(config());
    for share in [Share::Keys, Share::Passwords] {
        let stored = pool.hash(share, SECRET).await.unwrap();
        assert!(stored.as_str().starts_with("$argon2id$v=19$m=8,t=1,p=1$"));
        assert_eq!(pool.verify(share, SECRET, &stored).await, Ok(true));
        assert_eq!(pool.verify(share, b"", &stored).await, Ok(false));
        assert_eq!(pool.verify_absent(share, SECRET).await, Ok(()));
        assert_eq!(
            pool.verify(share, SECRET, &pool.absent).await,
            Ok(false),
            "the hash of nobody"
        );
        let again = pool.hash(share, SECRET).await.unwrap();
        assert_ne!(stored, again, "each has its own salt");
    }
}

#[tokio::test]
async fn the_default_is_what_owasp_recommends() {
    let pool = pool(HashPoolConfig::default());
    let stored = pool.hash(Share::Passwords, SECRET).await.unwrap();
    let text = stored.as_str();
    assert!(
        text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{text}"
    );
    assert_eq!(
        text.len(),
        "$argon2id$v=19$m=19456,t=2,p=1$".len() + 22 + 1 + 43
    );
    assert_eq!(
        pool.verify(Share::Passwords, SECRET, &stored).await,
        Ok(true)
    );
}

#[tokio::test]
async fn a_hash_with_other_parameters_verifies_and_wants_to_be_made_anew() {
    let older = pool(config());
    let stored = older.hash(Share::Keys, SECRET).await.unwrap();
    assert!(!older.needs_rehash(Share::Keys, &stored));
    let newer = pool(config().params(Argon2Params::new(12_288, 3, 1).unwrap()));
    assert_eq!(newer.verify(Share::Keys, SECRET, &stored).await, Ok(true));
    assert!(newer.needs_rehash(Share::Keys, &stored));
    assert!(newer.needs_rehash(Share::Keys, &StoredHash::new("$2b$12$".to_owned())));
}

#[tokio::test]
async fn what_demands_too_much_is_unreadable_even_when_no_thread_is_free() {
    let pool = pool(config().queue(1));
    let _blocked = block(&pool, Share::Keys).await;
    let four_tib = StoredHash::new(
        "$argon2id$v=19$m=4294967295,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$XZn8lxsVU9TLnb6LgT2wz2tdgbXETv0VCwC5biwUc2A"
            .to_owned(),
    );
    assert_eq!(
        pool.verify(Share::Keys, SECRET, &four_tib).await,
        Err(HashError::Unreadable)
    );
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let pool = pool(config().queue(2));
    let stored = pool.hash(Share::Keys, SECRET).await.unwrap();
    let blocked = block(&pool, Share::Keys).await;
    let first = enqueue(&pool, Share::Keys, &stored).await;
    let second = enqueue(&pool, Share::Keys, &stored).await;
    // The deadline is a minute away, so an answer that comes while the thread is held did not wait for it.
    assert_eq!(
        pool.verify(Share::Keys, SECRET, &stored).await,
        Err(HashError::Overloaded)
    );
    assert_eq!(
        pool.hash(Share::Keys, SECRET).await,
        Err(HashError::Overloaded)
    );
    drop(blocked);
    assert_eq!(first.await.unwrap(), Ok(true));
    assert_eq!(second.await.unwrap(), Ok(true));
}

#[tokio::test]
async fn whoever_waits_too_long_is_sent_away_and_their_job_is_not_done() {
    let pool = pool(config().deadline(Duration::from_millis(200)));
    settled(&pool, Share::Keys).await;
    let blocked = block(&pool, Share::Keys).await;
    let done = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&done);
    let answer = pool
        .run(Share::Keys, move || {
            move |_: &mut Arena| {
                counted.fetch_add(1, Ordering::SeqCst);
                Ok(())
            }
        })
        .await;
    assert_eq!(answer, Err(HashError::Overloaded));
    drop(blocked);
    settled(&pool, Share::Keys).await;
    assert_eq!(done.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn work_that_began_in_time_is_finished() {
    let pool = pool(config().deadline(Duration::from_millis(200)));
    settled(&pool, Share::Keys).await;
    let slow = |_: &mut Arena| {
        thread::sleep(Duration::from_millis(400));
        Ok("done")
    };
    assert_eq!(pool.run(Share::Keys, || slow).await, Ok("done"));
}

#[tokio::test]
async fn whoever_goes_away_leaves_the_queue() {
    let pool = pool(config().queue(1));
    let stored = pool.hash(Share::Keys, SECRET).await.unwrap();
    let blocked = block(&pool, Share::Keys).await;
    let gone = enqueue(&pool, Share::Keys, &stored).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    // Their place is free, although no thread has come round to it.
    let next = enqueue_replacing(&pool, &stored).await;
    drop(blocked);
    assert_eq!(next.await.unwrap(), Ok(true));
}

/// As [`enqueue`] for a line whose one place is taken by a caller who has gone: its length does not change.
async fn enqueue_replacing(
    pool: &Arc<HashPool>,
    stored: &StoredHash,
) -> tokio::task::JoinHandle<Result<bool, HashError>> {
    let (mine, stored) = (Arc::clone(pool), stored.clone());
    let caller = tokio::spawn(async move { mine.verify(Share::Keys, SECRET, &stored).await });
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert!(!caller.is_finished());
    caller
}

/// Waits until the share's only thread has started and gone through the line.
async fn settled(pool: &HashPool, share: Share) {
    while pool.run(share, || |_: &mut Arena| Ok(())).await.is_err() {}
}

#[tokio::test]
async fn a_flood_of_logins_does_not_delay_a_key() {
    let pool = pool(config().queue(4));
    let stored = pool.hash(Share::Keys, SECRET).await.unwrap();
    let blocked = block(&pool, Share::Passwords).await;
    let mut logins = Vec::new();
    for _ in 0..4 {
        logins.push(enqueue(&pool, Share::Passwords, &stored).await);
    }
    assert_eq!(
        pool.verify_absent(Share::Passwords, SECRET).await,
        Err(HashError::Overloaded)
    );
    // Every thread for passwords is held and stays so: the key is answered by another, or never.
    assert_eq!(pool.verify(Share::Keys, SECRET, &stored).await, Ok(true));
    drop(blocked);
    for login in logins {
        assert_eq!(login.await.unwrap(), Ok(true));
    }
}

#[tokio::test]
async fn a_panic_is_no_answer_and_the_thread_lives_on() {
    let pool = pool(config());
    let stored = pool.hash(Share::Keys, SECRET).await.unwrap();
    for _ in 0..3 {
        let panics = |_: &mut Arena| -> Result<bool, HashError> { panic!("on purpose") };
        let answer = pool.run(Share::Keys, || panics).await;
        assert!(matches!(answer, Err(HashError::Failed(_))), "{answer:?}");
    }
    assert_eq!(pool.verify(Share::Keys, SECRET, &stored).await, Ok(true));
}

#[tokio::test]
async fn a_dropped_pool_ends_its_threads() {
    let pool = pool(config().key_threads(3).password_threads(2));
    pool.hash(Share::Keys, SECRET).await.unwrap();
    let queues = [&pool.keys, &pool.passwords].map(|threads| Arc::downgrade(&threads.0));
    assert!(queues.iter().all(|queue| queue.strong_count() > 0));
    drop(pool);
    // Each thread holds its queue, so the last one to end frees it.
    for queue in queues {
        while queue.strong_count() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_callers_each_is_answered_rightly_or_refused() {
    let pool = pool(config().queue(8));
    let stored = pool.hash(Share::Keys, SECRET).await.unwrap();
    let callers: Vec<_> = (0..1_000)
        .map(|number| {
            let (pool, stored) = (Arc::clone(&pool), stored.clone());
            tokio::spawn(async move {
                let right = number % 2 == 0;
                let secret = if right {
                    SECRET
                } else {
                    b"violet tram kettle elm"
                };
                (right, pool.verify(Share::Keys, secret, &stored).await)
            })
        })
        .collect();
    let mut answered = 0;
    for caller in callers {
        match caller.await.unwrap() {
            (_, Err(HashError::Overloaded)) => {}
            (right, answer) => {
                assert_eq!(answer, Ok(right));
                answered += 1;
            }
        }
    }
    assert!(answered > 0);
    assert_eq!(waiting(&pool, Share::Keys), 0);
    assert_eq!(pool.verify(Share::Keys, SECRET, &stored).await, Ok(true));
}

#[derive(Debug)]
struct Dry(AtomicUsize);

impl Entropy for Dry {
    fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
        let left = self.0.load(Ordering::SeqCst);
        self.0.store(left.saturating_sub(1), Ordering::SeqCst);
        match left {
            0 => Err(EntropyError::new("dry")),
            _ => Ok(()),
        }
    }
}

#[tokio::test]
async fn without_randomness_nothing_is_hashed() {
    let refused = HashPool::new(config(), Arc::new(Dry(AtomicUsize::new(0)))).unwrap_err();
    assert!(matches!(refused, HashError::Failed(_)), "{refused:?}");
    let pool = HashPool::new(config(), Arc::new(Dry(AtomicUsize::new(2)))).unwrap();
    let refused = pool.hash(Share::Keys, SECRET).await.unwrap_err();
    assert!(matches!(refused, HashError::Failed(_)), "{refused:?}");
}

#[test]
fn a_pool_that_could_not_read_its_own_hashes_is_refused() {
    let config = HashPoolConfig::default().limits(HashLimits::new(8_192, 2, 1));
    let refused = HashPool::new(config, Arc::new(OsEntropy)).unwrap_err();
    assert!(matches!(refused, HashError::Failed(_)), "{refused:?}");
}

fn pool_with_master_key(config: HashPoolConfig) -> Arc<HashPool> {
    let master = MasterKey::from_bytes(*b"0123456789abcdefghijklmnopqrstuv").unwrap();
    let pool = HashPool::with_master_keys(config, &master.into(), Arc::new(OsEntropy));
    Arc::new(pool.unwrap())
}

fn keyed_pool(config: HashPoolConfig) -> Arc<HashPool> {
    pool_with_master_key(config.key_hasher(KeyHasher::HmacSha256))
}

#[tokio::test]
async fn a_keyed_hash_takes_no_thread() {
    let pool = keyed_pool(config().queue(1));
    let _blocked = block(&pool, Share::Keys).await;
    let stored = pool.hash(Share::Keys, SECRET).await.unwrap();
    assert!(stored.as_str().starts_with("$hmac-sha256$k="));
    assert_eq!(pool.verify(Share::Keys, SECRET, &stored).await, Ok(true));
    assert_eq!(pool.verify(Share::Keys, b"", &stored).await, Ok(false));
    // Nor does the check of a key that is not there.
    assert_eq!(pool.verify_absent(Share::Keys, SECRET).await, Ok(()));
    assert_eq!(
        pool.verify(Share::Keys, SECRET, &pool.absent_key).await,
        Ok(false)
    );
}

#[tokio::test]
async fn with_slow_hashes_the_check_of_nobody_takes_a_thread() {
    let pool = pool_with_master_key(config());
    let _blocked = block(&pool, Share::Keys).await;
    let stored = pool.absent_key.clone();
    assert_eq!(stored, pool.absent);
    let waits = enqueue(&pool, Share::Keys, &stored).await;
    assert!(!waits.is_finished());
}

#[tokio::test]
async fn a_password_is_never_keyed() {
    let pool = keyed_pool(config());
    let stored = pool.hash(Share::Passwords, SECRET).await.unwrap();
    assert!(stored.as_str().starts_with("$argon2id$"));
    assert!(!pool.needs_rehash(Share::Passwords, &stored));
    let keyed = pool.hash(Share::Keys, SECRET).await.unwrap();
    assert_eq!(
        pool.verify(Share::Passwords, SECRET, &keyed).await,
        Err(HashError::Unreadable)
    );
    assert!(pool.needs_rehash(Share::Passwords, &keyed));
    let _blocked = block(&pool, Share::Passwords).await;
    let absent = enqueue(&pool, Share::Passwords, &pool.absent).await;
    assert!(!absent.is_finished(), "the work of a slow hash");
}

#[tokio::test]
async fn both_kinds_verify_whichever_is_made() {
    let (slow, quick) = (pool_with_master_key(config()), keyed_pool(config()));
    for (maker, reader) in [(&slow, &quick), (&quick, &slow)] {
        let stored = maker.hash(Share::Keys, SECRET).await.unwrap();
        assert!(!maker.needs_rehash(Share::Keys, &stored));
        for pool in [maker, reader] {
            assert_eq!(pool.verify(Share::Keys, SECRET, &stored).await, Ok(true));
            assert_eq!(pool.verify(Share::Keys, b"x", &stored).await, Ok(false));
        }
        assert!(reader.needs_rehash(Share::Keys, &stored));
    }
    let stored = quick.hash(Share::Keys, SECRET).await.unwrap();
    assert_eq!(
        pool(config()).verify(Share::Keys, SECRET, &stored).await,
        Err(HashError::Unreadable),
        "without the master key"
    );
}

#[test]
fn a_keyed_pool_without_a_master_key_is_refused() {
    let config = config().key_hasher(KeyHasher::HmacSha256);
    let refused = HashPool::new(config, Arc::new(OsEntropy)).unwrap_err();
    assert!(matches!(refused, HashError::Failed(_)), "{refused:?}");
}

#[tokio::test]
async fn nothing_printed_holds_a_secret_or_a_hash() {
    let pool = pool(config());
    let _blocked = block(&pool, Share::Keys).await;
    let stored = pool.absent.clone();
    let _caller = enqueue(&pool, Share::Keys, &stored).await;
    let printed = format!("{pool:?}");
    assert!(
        !printed.contains("argon2id") && !printed.contains("violet"),
        "{printed}"
    );
}
