//! A service over a [`Synthetic`] store, and texts to present to it.

use std::sync::Arc;

use futures_util::{FutureExt as _, StreamExt as _, stream};
use sakms_core::entropy::OsEntropy;
use sakms_core::hash::{Argon2Params, HashPool, HashPoolConfig, Share};
use sakms_core::id::SecretId;
use sakms_core::key::{Environment, KeyFormat, KeyPrefix, MasterKey};
use sakms_core::secret::{KeySecret, PresentedKey};
use sakms_core::service::{CacheConfig, KeyDenial, Requirement, Sakms, VerifiedKey};
use sakms_core::verdict::Verdict;
use tokio::runtime::Runtime;

use crate::synthetic::{Synthetic, secret_id};

const MASTER_KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const OTHER_MASTER_KEY: &str = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff000102030405060708090a0b0c0d0e0f";
/// How many checks wait at once while a cache is filled.
const AT_ONCE: usize = 64;

/// The service, what it runs on, and what it was made from.
#[derive(Debug)]
pub struct World {
    /// The service.
    pub sakms: Sakms,
    /// What it looks keys up in.
    pub store: Synthetic,
    /// What its background work runs on.
    pub runtime: Runtime,
    format: KeyFormat,
    forger: KeyFormat,
    secret: [u8; 32],
}

/// What a service's master key is here.
#[must_use]
pub fn master_key() -> MasterKey {
    MASTER_KEY.parse().unwrap()
}

/// How a service with this master key, and with defaults else, writes its keys.
#[must_use]
pub fn key_format(key: MasterKey) -> KeyFormat {
    let environments = vec![Environment::live(), Environment::test()];
    KeyFormat::new(KeyPrefix::default(), environments, &key.into()).unwrap()
}

impl World {
    /// A service with `keys` keys whose hashes cost `params`, and with room to remember all of them.
    #[must_use]
    pub fn new(keys: u64, params: Argon2Params, threads: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let secret = std::array::from_fn(|i| u8::try_from(i * 7 % 256).unwrap());
        let hashing = HashPoolConfig::default()
            .params(params)
            .key_threads(threads)
            .queue(4 * AT_ONCE);
        let one = HashPoolConfig::default().params(params);
        let pool = HashPool::new(one, Arc::new(OsEntropy)).unwrap();
        let hash = runtime.block_on(pool.hash(Share::Keys, &secret)).unwrap();
        let store = Synthetic::new(keys, hash);
        let room = usize::try_from(keys).unwrap();
        let sakms = Sakms::builder(store.clone(), master_key())
            .hashing(hashing)
            .caching(CacheConfig::default().keys(room))
            .build()
            .unwrap();
        // What is remembered counts from the first reading of the journal on.
        runtime.block_on(sakms.catch_up()).unwrap();
        Self {
            sakms,
            store,
            runtime,
            format: key_format(master_key()),
            forger: key_format(OTHER_MASTER_KEY.parse().unwrap()),
            secret,
        }
    }

    /// The text of the key with this number. There is no such key from the number of keys on; the text has the right
    /// tag all the same.
    #[must_use]
    pub fn text(&self, number: u64) -> PresentedKey {
        text(&self.format, secret_id(number), self.secret)
    }

    /// A text that somebody else's master key has tagged.
    #[must_use]
    pub fn forged(&self, number: u64) -> PresentedKey {
        text(&self.forger, secret_id(number), self.secret)
    }

    /// A text with the right tag, for a key that there is, with another secret.
    #[must_use]
    pub fn wrong_secret(&self, number: u64) -> PresentedKey {
        text(
            &self.format,
            secret_id(number),
            self.secret.map(|byte| !byte),
        )
    }

    /// The texts of the first `count` keys, in an order that has nothing to do with their numbers: who walks through them
    /// comes by the cache at random.
    #[must_use]
    pub fn texts(&self, count: u64) -> Vec<PresentedKey> {
        (0..count)
            .map(|place| self.text(place * 7_368_787 % count))
            .collect()
    }

    /// Presents each text once, in the order of the keys' numbers, so that all of them are remembered.
    pub fn warm(&self, count: u64) {
        let any = Requirement::any_key();
        let checks = stream::iter(0..count).map(|number| {
            let (text, any) = (self.text(number), &any);
            async move {
                let verdict = self.sakms.verify(&text, any).await.unwrap();
                assert!(verdict.is_granted());
            }
        });
        self.runtime.block_on(
            checks
                .buffer_unordered(AT_ONCE)
                .for_each(std::future::ready),
        );
    }

    /// A check that is answered from memory.
    pub fn check(
        &self,
        text: &PresentedKey,
        want: &Requirement,
    ) -> Verdict<VerifiedKey, KeyDenial> {
        let answer = self.sakms.verify(text, want).now_or_never();
        answer.expect("answered from memory").unwrap()
    }

    /// A check that may wait.
    pub fn wait(&self, text: &PresentedKey) -> Verdict<VerifiedKey, KeyDenial> {
        let any = Requirement::any_key();
        self.runtime
            .block_on(self.sakms.verify(text, &any))
            .unwrap()
    }
}

/// The text of the key with this id and secret.
#[must_use]
pub fn text(format: &KeyFormat, id: SecretId, secret: [u8; 32]) -> PresentedKey {
    let minted = format
        .mint(&Environment::live(), id, &KeySecret::new(secret))
        .unwrap();
    PresentedKey::new(minted.text.expose().to_owned())
}
