//! What is remembered of keys that were checked, so that the next check costs a look-up.
//!
//! Two facts are kept apart. *This text matched that hash* is dear (an Argon2 run) and true for ever. *What the record
//! says* is cheap (one read by primary key) and is what a revocation changes. After a change a key costs one reading,
//! not another Argon2 run. State, expiry and policy are not remembered at all: they are evaluated on every request.
//!
//! No entry is taken out when something changes. Each carries the moment its reading began, and a change strikes what
//! was read before it ([`stamps`]): an entry that was on its way in when the change came is as void as one that was
//! there.
//!
//! Refusals are kept in a place of their own, so that a flood of them pushes out no key.

mod config;
mod digest;
mod entry;
mod flight;
mod stamps;
mod strike;

/// What `stamps` is made of; a model of it is run on others.
mod atomic {
    pub(super) use std::sync::atomic::{AtomicU64, Ordering};
}

use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use quick_cache::UnitWeighter;
use quick_cache::sync::{Cache, DefaultLifecycle};

pub use config::CacheConfig;
pub(super) use entry::KnownKey;
pub(super) use strike::Strike;

use digest::{Digest, Digester, HashId};
use flight::Flights;
use stamps::{Moment, Slot, Stamps};

use crate::entropy::{Entropy, EntropyError};
use crate::hash::{HashError, HashPool, Share};
use crate::id::{KeyId, SecretId};
use crate::key::{Owner, ParsedKey};
use crate::secret::StoredHash;
use crate::store::{KeyStore, StoreError};

/// How often a reading that was struck while it ran is done again before it is taken as it is: it began after the check
/// did, so it is a right answer to it.
const READINGS: usize = 3;
/// For how many keys there is one slot for strikes.
const KEYS_PER_SLOT: usize = 4;

pub(super) struct KeyCache {
    digester: Digester,
    /// What was read of a key and its owner.
    stamps: Stamps,
    /// What was read to be absent, under one slot: any new secret strikes it.
    absences: Stamps,
    proofs: Map<Proof>,
    keys: Map<Arc<KnownKey>>,
    denials: Map<Denial>,
    readings: Flights<SecretId, Result<Reading, StoreError>>,
    hashings: Flights<(Digest, HashId), Result<bool, HashError>>,
}

type Map<V> = Cache<u128, V, UnitWeighter, BuildHasherDefault<Fold>, DefaultLifecycle<u128, V>>;

/// That a text matched a secret's hash, or did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Proof {
    secret: SecretId,
    hash: HashId,
}

#[derive(Debug, Clone, Copy)]
enum Denial {
    NoSuchSecret(Moment),
    Mismatch(Proof),
}

/// What is remembered of a text.
#[derive(Debug)]
pub(super) enum Known {
    /// It is this key's.
    Key(Arc<KnownKey>),
    /// It is no key.
    Nothing,
}

/// A text, and what stands for it here.
#[derive(Debug)]
pub(super) struct Presented {
    pub(super) parsed: ParsedKey,
    pub(super) digest: Digest,
}

/// A secret as it was read.
#[derive(Debug, Clone)]
pub(super) struct Loaded {
    pub(super) known: Arc<KnownKey>,
    pub(super) stored: Arc<StoredHash>,
}

#[derive(Debug, Clone)]
struct Reading {
    found: Option<Loaded>,
    absent_since: Moment,
}

impl KeyCache {
    pub(super) fn new(config: CacheConfig, entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        Ok(Self {
            digester: Digester::new(entropy)?,
            stamps: Stamps::new(config.keys / KEYS_PER_SLOT),
            absences: Stamps::new(1),
            proofs: map(config.keys),
            keys: map(config.keys),
            denials: map(config.denials),
            readings: Flights::default(),
            hashings: Flights::default(),
        })
    }

    pub(super) fn digest(&self, text: &str) -> Digest {
        self.digester.text(text)
    }

    /// What is remembered of a text and still stands. Only to be believed while the journal is followed.
    pub(super) fn recall(&self, digest: Digest) -> Option<Known> {
        if let Some(proof) = self.proofs.get(&digest) {
            return self.key_of(proof).map(Known::Key);
        }
        match self.denials.get(&digest)? {
            Denial::NoSuchSecret(since) if self.is_absence_current(since) => Some(Known::Nothing),
            Denial::Mismatch(proof) => self.key_of(proof).map(|_| Known::Nothing),
            Denial::NoSuchSecret(_) => None,
        }
    }

    /// Reads a secret. Many who want the same one at once share a reading.
    pub(super) async fn read(
        &self,
        store: &dyn KeyStore,
        id: SecretId,
    ) -> Result<Option<Loaded>, StoreError> {
        for _ in 0..READINGS {
            let reading = self.readings.join(id, || self.read_alone(store, id));
            let Reading {
                found,
                absent_since,
            } = reading.await?;
            // A reading that was joined may have begun before a change that was acknowledged before this check.
            let current = match &found {
                Some(loaded) => self.stands(&loaded.known),
                None => self.is_absence_current(absent_since),
            };
            if current {
                return Ok(found);
            }
        }
        Ok(self.read_alone(store, id).await?.found)
    }

    /// Whether a text is the secret that was read; `belongs` says whether the rest of the text fits the record.
    pub(super) async fn prove(
        &self,
        hashes: &HashPool,
        presented: &Presented,
        loaded: &Loaded,
        belongs: bool,
    ) -> Result<bool, HashError> {
        let Presented { parsed, digest } = presented;
        let proof = Proof {
            secret: parsed.id,
            hash: loaded.known.hash,
        };
        if self.proofs.get(digest) == Some(proof) {
            return Ok(true);
        }
        if matches!(self.denials.get(digest), Some(Denial::Mismatch(known)) if known == proof) {
            return Ok(false);
        }
        let work = || hashes.verify(Share::Keys, parsed.secret.expose(), &loaded.stored);
        let matched = self.hashings.join((*digest, proof.hash), work).await? && belongs;
        if matched {
            self.proofs.insert(*digest, proof);
        } else {
            self.denials.insert(*digest, Denial::Mismatch(proof));
        }
        Ok(matched)
    }

    /// Refuses a text whose secret is not there, after as much work as for a wrong one.
    pub(super) async fn refuse_absent(
        &self,
        hashes: &HashPool,
        presented: &Presented,
        since: Moment,
    ) -> Result<(), HashError> {
        let Presented { parsed, digest } = presented;
        let work = async || {
            let nobody = hashes.verify_absent(Share::Keys, parsed.secret.expose());
            nobody.await.map(|()| false)
        };
        self.hashings.join((*digest, HashId::NOBODY), work).await?;
        self.denials.insert(*digest, Denial::NoSuchSecret(since));
        Ok(())
    }

    /// To be taken before a reading that may find nothing.
    pub(super) fn absence_moment(&self) -> Moment {
        self.absences.now()
    }

    /// A key was changed, and the change is committed.
    pub(super) fn strike_key(&self, key: KeyId) {
        self.stamps.strike(self.key_slot(key));
    }

    /// An owner was changed, with everything they hold, and the change is committed.
    pub(super) fn strike_owner(&self, owner: &Owner) {
        self.stamps.strike(self.owner_slot(owner));
    }

    /// There is a new secret somewhere, and it is committed.
    pub(super) fn strike_absences(&self) {
        self.absences.strike_all();
    }

    /// Anything may have changed.
    pub(super) fn strike_all(&self) {
        self.stamps.strike_all();
        self.absences.strike_all();
    }

    async fn read_alone(&self, store: &dyn KeyStore, id: SecretId) -> Result<Reading, StoreError> {
        let (read_at, absent_since) = (self.stamps.now(), self.absences.now());
        let Some(found) = store.find(id).await? else {
            return Ok(Reading {
                found: None,
                absent_since,
            });
        };
        let stored = Arc::new(found.secret.hash.clone());
        let hash = self.digester.hash(stored.as_str());
        let slots = [
            self.key_slot(found.key.id),
            self.owner_slot(&found.key.owner),
        ];
        let known = Arc::new(KnownKey::new(found, hash, read_at, slots));
        self.keys.insert(place(id), Arc::clone(&known));
        Ok(Reading {
            found: Some(Loaded { known, stored }),
            absent_since,
        })
    }

    fn key_of(&self, proof: Proof) -> Option<Arc<KnownKey>> {
        let known = self.keys.get(&place(proof.secret))?;
        (known.hash == proof.hash && self.stands(&known)).then_some(known)
    }

    fn stands(&self, known: &KnownKey) -> bool {
        self.stamps.stands(known.read_at, known.slots)
    }

    fn is_absence_current(&self, since: Moment) -> bool {
        let only = self.absences.slot(0);
        self.absences.stands(since, [only, only])
    }

    fn key_slot(&self, key: KeyId) -> Slot {
        self.stamps.slot(self.digester.short(key.as_bytes()))
    }

    fn owner_slot(&self, owner: &Owner) -> Slot {
        self.stamps
            .slot(self.digester.short(owner.as_str().as_bytes()))
    }
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyCache")
            .field("keys", &self.keys.len())
            .field("proofs", &self.proofs.len())
            .field("denials", &self.denials.len())
            .finish_non_exhaustive()
    }
}

fn map<V: Clone>(capacity: usize) -> Map<V> {
    let capacity = capacity.max(1);
    Cache::with(
        capacity,
        capacity as u64,
        UnitWeighter,
        BuildHasherDefault::default(),
        DefaultLifecycle::default(),
    )
}

fn place(secret: SecretId) -> u128 {
    u128::from_be_bytes(*secret.as_bytes())
}

/// Folds 128 bits of which at least 62 are random into 64. They are digests under a key of this process, or ids that
/// this service drew: nobody chooses them, so nothing stronger is needed.
#[derive(Debug, Clone, Copy, Default)]
struct Fold(u64);

impl Hasher for Fold {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0.rotate_left(8) ^ u64::from(byte)).wrapping_mul(Self::ODD);
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the two halves, in turn")]
    fn write_u128(&mut self, number: u128) {
        let mixed = (number as u64) ^ ((number >> 64) as u64).rotate_left(32);
        // The top bits of an id's lower half are the same for all.
        self.0 = mixed.wrapping_mul(Self::ODD);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Fold {
    /// 2^64 over the golden ratio (Knuth, The Art of Computer Programming 3, section 6.4).
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
}

#[cfg(test)]
mod tests;
