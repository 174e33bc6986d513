//! The threads that hash.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use tokio::sync::oneshot;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::arena::Arena;
use super::argon2::{HASH_BYTES, SALT_BYTES, Stored, compute};
use super::keyed::{self, Peppers};
use super::queue::{Job, Queue, Ticket};
use super::{HashError, HashLoad, HashPoolConfig, KeyHasher, Share};
use crate::clock::Stopwatch;
use crate::entropy::{self, Entropy};
use crate::key::MasterKeys;
use crate::secret::StoredHash;
use crate::telemetry;

/// A bounded pool of hashing threads, each with memory of its own that it uses again and again.
///
/// Make one and share it by `Arc`. Dropping it ends the threads, each after the hash it is at; nothing waits for
/// them. Its methods need a Tokio runtime with time enabled. The length of a secret is for the caller to bound.
///
/// A caller who goes away (a future that is dropped) takes their job along: a job that has not begun never will.
pub struct HashPool {
    config: HashPoolConfig,
    entropy: Arc<dyn Entropy>,
    keys: Threads,
    passwords: Threads,
    peppers: Peppers,
    /// A hash that nothing matches, so that a check without an account does the work of one with.
    absent: StoredHash,
    /// The same for a key.
    absent_key: StoredHash,
}

impl HashPool {
    /// Starts the threads. They take their memory when they first need it.
    ///
    /// Without a master key it neither makes nor reads [`KeyHasher::HmacSha256`].
    ///
    /// # Errors
    /// [`HashError::Failed`] when the limits do not allow the parameters, the hasher needs a master key, a thread
    /// cannot be started, or no random bytes can be drawn.
    pub fn new(config: HashPoolConfig, entropy: Arc<dyn Entropy>) -> Result<Self, HashError> {
        Self::start(config, Peppers::default(), entropy)
    }

    /// The same with the peppers of these master keys.
    ///
    /// # Errors
    /// As [`HashPool::new`].
    pub fn with_master_keys(
        config: HashPoolConfig,
        keys: &MasterKeys,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, HashError> {
        Self::start(config, Peppers::of(keys), entropy)
    }

    fn start(
        config: HashPoolConfig,
        peppers: Peppers,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, HashError> {
        if !config.limits.allow(config.params) {
            return Err(HashError::failed(
                "the limits do not allow what new hashes would demand",
            ));
        }
        let kept = config.params.block_count()?;
        let salt = draw::<SALT_BYTES>(&*entropy)?;
        // Thirty-two bytes drawn at random are the hash of nothing that anybody could find.
        let hash = draw::<HASH_BYTES>(&*entropy)?;
        let absent = Stored::new(config.params, &salt, &hash).write();
        let absent_key = match config.key_hasher {
            KeyHasher::Argon2id => absent.clone(),
            KeyHasher::HmacSha256 => peppers
                .write(&hash)
                .ok_or_else(|| HashError::failed("this hasher needs a master key"))?,
        };
        Ok(Self {
            config,
            keys: Threads::start("sakms-keys", config.key_threads, config.queue, || {
                Arena::new(kept, false)
            })?,
            passwords: Threads::start("sakms-pass", config.password_threads, config.queue, || {
                Arena::new(kept, true)
            })?,
            peppers,
            absent,
            absent_key,
            entropy,
        })
    }

    /// Hashes a secret with the current parameters and a new 16-byte salt; a key's secret by the configured
    /// [`KeyHasher`].
    ///
    /// # Errors
    /// [`HashError::Overloaded`], or [`HashError::Failed`] when no salt can be drawn or there is no memory.
    pub async fn hash(&self, share: Share, secret: &[u8]) -> Result<StoredHash, HashError> {
        if self.is_keyed(share) {
            return self.peppers.hash(secret);
        }
        let params = self.config.params;
        let salt = draw::<SALT_BYTES>(&*self.entropy)?;
        self.run(share, || {
            let secret = Zeroizing::new(secret.to_vec());
            move |arena| {
                let mut hash = [0; HASH_BYTES];
                compute(params, &secret, &salt, &mut hash, arena)?;
                Ok(Stored::new(params, &salt, &hash).write())
            }
        })
        .await
    }

    /// The same for work that can wait: it does not queue behind others.
    pub(crate) async fn hash_aside(
        &self,
        share: Share,
        secret: &[u8],
    ) -> Result<StoredHash, HashError> {
        if !self.is_keyed(share) && self.threads(share).0.waiting() > 0 {
            return Err(HashError::Overloaded);
        }
        self.hash(share, secret).await
    }

    /// Sends away whoever would find no room in the line, before anything is read from a store for them: what cannot be hashed
    /// need not be looked up.
    ///
    /// # Errors
    /// [`HashError::Overloaded`].
    pub(crate) fn check_room(&self, share: Share) -> Result<(), HashError> {
        self.threads(share).0.check_room()
    }

    /// Whether `secret` is what `stored` was made from, computed as `stored` says: by its algorithm, with its
    /// parameters, under its pepper.
    ///
    /// # Errors
    /// [`HashError::Unreadable`] before anything is computed, [`HashError::Overloaded`], or [`HashError::Failed`].
    /// None of them means "no".
    pub async fn verify(
        &self,
        share: Share,
        secret: &[u8],
        stored: &StoredHash,
    ) -> Result<bool, HashError> {
        // A password's never is: what can be guessed needs the slow hash, so Argon2's reader refuses it.
        if share == Share::Keys && keyed::is_keyed(stored) {
            return self.peppers.verify(secret, stored);
        }
        let stored = Stored::parse(stored, self.config.limits)?;
        self.run(share, || {
            let secret = Zeroizing::new(secret.to_vec());
            move |arena| stored.matches(&secret, arena)
        })
        .await
    }

    /// The work of [`HashPool::verify`] for a secret that belongs to nobody. The answer would always be "no".
    ///
    /// It costs what a hash made now costs, and so hides from the clock whether there is an account. An account whose
    /// hash was made under other parameters shows in the time until its owner signs in and it is made anew. Of keys
    /// nothing shows: a text gets here only with a tag that this service made.
    ///
    /// # Errors
    /// As [`HashPool::verify`].
    pub async fn verify_absent(&self, share: Share, secret: &[u8]) -> Result<(), HashError> {
        let absent = match share {
            Share::Keys => &self.absent_key,
            Share::Passwords => &self.absent,
        };
        self.verify(share, secret, absent).await.map(drop)
    }

    /// Whether `stored` was made otherwise than new hashes are: by another algorithm, with other parameters, under
    /// the pepper of a retired master key. After a secret has matched it is the moment to hash it again.
    #[must_use]
    pub fn needs_rehash(&self, share: Share, stored: &StoredHash) -> bool {
        if self.is_keyed(share) {
            return !self.peppers.is_current(stored);
        }
        Stored::parse(stored, self.config.limits)
            .map_or(true, |read| !read.is_current(self.config.params))
    }

    /// How busy a share is.
    #[must_use]
    pub fn load(&self, share: Share) -> HashLoad {
        let queue = &self.threads(share).0;
        HashLoad {
            waiting: queue.waiting() as u64,
            shed: queue.shed_count(),
        }
    }

    fn is_keyed(&self, share: Share) -> bool {
        share == Share::Keys && self.config.key_hasher == KeyHasher::HmacSha256
    }

    const fn threads(&self, share: Share) -> &Threads {
        match share {
            Share::Keys => &self.keys,
            Share::Passwords => &self.passwords,
        }
    }

    /// Has a thread of the share do some work. `prepare` copies what the work needs, once there is room for it.
    async fn run<T, W>(&self, share: Share, prepare: impl FnOnce() -> W) -> Result<T, HashError>
    where
        T: Send + 'static,
        W: FnOnce(&mut Arena) -> Result<T, HashError> + Send + 'static,
    {
        let threads = self.threads(share);
        let waiting = Waiting(Ticket::default());
        let (sender, mut receiver) = oneshot::channel();
        threads.0.push(|| {
            let work = prepare();
            let run = move |arena: &mut Arena| {
                let watch = Stopwatch::start();
                // The arena holds numbers and nothing else, so half a computation leaves nothing broken in it.
                let answer = catch_unwind(AssertUnwindSafe(|| work(arena)))
                    .unwrap_or_else(|_| Err(HashError::failed("the hashing thread panicked")));
                telemetry::hash_time(share, watch.elapsed());
                // Nobody listening is a caller who went away.
                drop(sender.send(answer));
            };
            Job {
                ticket: waiting.0.clone(),
                run: Box::new(run),
            }
        })?;

        let answer = match timeout(self.config.deadline, &mut receiver).await {
            Ok(answer) => answer,
            Err(_) if waiting.0.claim() => return Err(threads.0.shed()),
            // Begun in time, and the work has bounds of its own: what is paid for is waited for.
            Err(_) => receiver.await,
        };
        answer.unwrap_or_else(|_| Err(HashError::failed("the hashing threads have ended")))
    }
}

impl fmt::Debug for HashPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashPool")
            .field("config", &self.config)
            .field("keys", &self.keys)
            .field("passwords", &self.passwords)
            .finish_non_exhaustive()
    }
}

fn draw<const N: usize>(entropy: &dyn Entropy) -> Result<[u8; N], HashError> {
    entropy::draw(entropy).map_err(HashError::failed)
}

/// A caller in the line. Whoever leaves it, in whatever way, takes their ticket along.
struct Waiting(Ticket);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.claim();
    }
}

/// The threads of one share, by the queue they all serve.
#[derive(Debug)]
struct Threads(Arc<Queue>);

impl Threads {
    fn start(
        name: &str,
        count: usize,
        capacity: usize,
        arena: impl Fn() -> Arena,
    ) -> Result<Self, HashError> {
        // Made first: if a thread cannot be started, dropping this ends those that could.
        let threads = Self(Arc::new(Queue::new(capacity)));
        for number in 0..count {
            let queue = Arc::clone(&threads.0);
            let mut arena = arena();
            thread::Builder::new()
                .name(format!("{name}-{number}"))
                .spawn(move || {
                    while let Some(job) = queue.pop() {
                        (job.run)(&mut arena);
                        arena.settle();
                    }
                })
                .map_err(HashError::failed)?;
        }
        Ok(threads)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests;
