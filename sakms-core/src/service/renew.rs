//! Hashes made anew, when they are used.
//!
//! A hash says how it was made. When new ones are made otherwise (the configuration asks for more memory or for another
//! algorithm, the master key was changed), those that are there are replaced, each after its secret was shown and had
//! matched, for that is the only moment at which the secret is known. Nobody waits for it and nobody hears of it: it is
//! done after the answer was given, one key and one account at a time, not while others wait for a hash, and when it
//! fails it is done at another use.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

use super::cache::{Digest, KnownKey, Strike};
use super::error::Error;
use super::{Inner, Sakms};
use crate::account::AccountRecord;
use crate::hash::Share;
use crate::id::SecretId;
use crate::journal::{Action, Actor, Subject};
use crate::secret::KeySecret;

/// How long no key's hash is made anew after one could not be.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a secret's hash is left alone after it was made anew. While some nodes of a service are configured so and
/// some otherwise, they would replace each other's hashes at every use.
const REST: Duration = Duration::from_hours(1);
/// For how many secrets that is remembered.
const MOST_RESTING: usize = 10_000;

/// What is being made anew. One key and one account at a time.
#[derive(Debug)]
pub(super) struct Renewals {
    keys: Arc<Semaphore>,
    passwords: Arc<Semaphore>,
    /// Microseconds by [`Clock::elapsed`](crate::clock::Clock::elapsed) before which no key's turn comes.
    resume_at: AtomicU64,
    resting: Mutex<HashMap<SecretId, Duration>>,
}

impl Default for Renewals {
    fn default() -> Self {
        Self {
            keys: Arc::new(Semaphore::new(1)),
            passwords: Arc::new(Semaphore::new(1)),
            resume_at: AtomicU64::new(0),
            resting: Mutex::default(),
        }
    }
}

impl Renewals {
    /// Waits for what is being made anew.
    pub(super) async fn ended(&self) {
        for turns in [&self.keys, &self.passwords] {
            // Never closed, so there is nothing to fail.
            drop(turns.acquire().await);
        }
    }

    fn turn_of(&self, secret: SecretId, now: Duration) -> Option<OwnedSemaphorePermit> {
        if micros(now) < self.resume_at.load(Ordering::Acquire) {
            return None;
        }
        let turn = Arc::clone(&self.keys).try_acquire_owned().ok()?;
        let resting = self
            .resting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&secret)
            .is_some_and(|&since| now.saturating_sub(since) < REST);
        (!resting).then_some(turn)
    }

    fn rest(&self, secret: SecretId, now: Duration) {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        if resting.len() >= MOST_RESTING {
            resting.retain(|_, since| now.saturating_sub(*since) < REST);
        }
        if resting.len() >= MOST_RESTING {
            resting.clear();
        }
        resting.insert(secret, now);
    }

    fn pause(&self, now: Duration) {
        let resume_at = micros(now.saturating_add(PAUSE));
        self.resume_at.store(resume_at, Ordering::Release);
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl Sakms {
    /// Makes the hash of a key's secret anew, in the background, unless another one's is just being made. `digest` stands
    /// for the text that the key was proven by, and `secret` gives what is in it.
    #[cold]
    pub(super) fn renew_key_hash(
        &self,
        known: &Arc<KnownKey>,
        digest: Digest,
        secret: impl FnOnce() -> Option<KeySecret>,
    ) {
        let Inner {
            renewals, clock, ..
        } = &*self.inner;
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let Some(turn) = renewals.turn_of(known.secret, clock.elapsed()) else {
            return;
        };
        let Some(secret) = secret() else {
            return;
        };
        let (sakms, known) = (self.clone(), Arc::clone(known));
        runtime.spawn(async move {
            let Inner {
                renewals, clock, ..
            } = &*sakms.inner;
            match sakms.hash_key_anew(&known, digest, &secret).await {
                Ok(()) => renewals.rest(known.secret, clock.elapsed()),
                Err(error) => {
                    renewals.pause(clock.elapsed());
                    tracing::debug!(secret = %known.secret, %error, "a key's hash stays as it is; it is made anew at another use");
                }
            }
            drop(turn);
        });
    }

    async fn hash_key_anew(
        &self,
        known: &KnownKey,
        digest: Digest,
        secret: &KeySecret,
    ) -> Result<(), Error> {
        let Inner {
            keys,
            hashes,
            cache,
            ..
        } = &*self.inner;
        let found = keys.find(known.secret).await?.ok_or(Error::NotFound)?;
        // Also when it fails: what was remembered of this key may then be old.
        let _strike = Strike::key(cache, known.key);
        if !cache.is_hash_of(known, &found.secret.hash) {
            // The secret was proven by another hash than this one, and by this one it is not proven.
            return Err(Error::Contended);
        }
        let new = hashes.hash_aside(Share::Keys, secret.expose()).await?;
        let entry = self.entry(Actor::SYSTEM, Action::KEY_REHASH, Subject::key(known.key))?;
        let entry = entry.with_detail(format!("secret={}", known.secret));
        keys.replace_hash(known.secret, &found.secret.hash, &new, &entry)
            .await?;
        cache.learn(digest, known.secret, &new);
        Ok(())
    }

    /// Makes the hash of a password that was just found right anew, in the background, unless another one's is just
    /// being made. To everybody else the account stays as it is: its revision, its sessions, its password.
    pub(super) fn renew_password_hash(&self, account: AccountRecord, password: &[u8]) {
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let Ok(turn) = Arc::clone(&self.inner.renewals.passwords).try_acquire_owned() else {
            return;
        };
        let (sakms, password) = (self.clone(), Zeroizing::new(password.to_vec()));
        runtime.spawn(async move {
            if let Err(error) = sakms.hash_password_anew(&account, &password).await {
                tracing::debug!(account = %account.id, %error, "a password's hash stays as it is; it is made anew at another sign-in");
            }
            drop(turn);
        });
    }

    async fn hash_password_anew(
        &self,
        account: &AccountRecord,
        password: &[u8],
    ) -> Result<(), Error> {
        let Inner {
            accounts, hashes, ..
        } = &*self.inner;
        let accounts = accounts.as_ref().ok_or(Error::NotOffered)?;
        let new = hashes.hash_aside(Share::Passwords, password).await?;
        let subject = Subject::account(account.id);
        let entry = self.entry(Actor::SYSTEM, Action::ACCOUNT_REHASH, subject)?;
        accounts
            .replace_password_hash(account.id, &account.password_hash, &new, &entry)
            .await?;
        Ok(())
    }
}
