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
mod last_address;
mod particulars;
mod stamps;
mod strike;

/// What `stamps` is made of; a model of it is run on others.
mod atomic {
    pub(super) use std::sync::atomic::{AtomicU64, Ordering};
}

use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::sync::Cache;
use quick_cache::{Lifecycle, UnitWeighter};

pub use config::CacheConfig;
pub(super) use entry::KnownKey;
pub(super) use particulars::Particulars;
pub(super) use strike::Strike;

pub(super) use digest::Digest;
use digest::{Digester, HashId};
use flight::Flights;
use stamps::{Moment, Slot, Stamps};

use super::limit::{KeyRates, Limiters, Retiring};
use crate::clock::Clock;
use crate::entropy::{Entropy, EntropyError};
use crate::hash::{HashError, HashPool, Share};
use crate::id::{KeyId, SecretId};
use crate::key::{Environment, Owner, ParsedKey, RateLimit, StoredSecret};
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
    limiters: Limiters,
    keys_evicted: CountEvictions,
    denials_evicted: CountEvictions,
    flights: Flights<Digest, Result<Finding, Failure>>,
}

type Map<V> = Cache<u128, V, UnitWeighter, BuildHasherDefault<Fold>, CountEvictions>;

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

/// What is to be found out, and by what.
#[derive(Debug)]
pub(super) struct Question<'a> {
    pub(super) store: &'a dyn KeyStore,
    pub(super) hashes: &'a HashPool,
    pub(super) clock: &'a dyn Clock,
    pub(super) presented: &'a Presented,
    /// The one that the text names.
    pub(super) environment: &'a Environment,
}

/// Why nothing was found out.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    Store(StoreError),
    Hash(HashError),
}

#[derive(Debug, Clone)]
enum Finding {
    Proven(Arc<KnownKey>),
    Mismatch(Arc<KnownKey>),
    Absent(Moment),
}

impl From<Finding> for Known {
    fn from(finding: Finding) -> Self {
        match finding {
            Finding::Proven(known) => Self::Key(known),
            Finding::Mismatch(_) | Finding::Absent(_) => Self::Nothing,
        }
    }
}

impl KeyCache {
    pub(super) fn new(config: CacheConfig, entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let (keys_evicted, denials_evicted) = <(CountEvictions, CountEvictions)>::default();
        Ok(Self {
            digester: Digester::new(entropy)?,
            stamps: Stamps::new(config.keys / KEYS_PER_SLOT),
            absences: Stamps::new(1),
            // A proof without its record is of no use, nor the other way round: one of them is counted.
            proofs: map(config.keys, &CountEvictions::default()),
            keys: map(config.keys, &keys_evicted),
            denials: map(config.denials, &denials_evicted),
            limiters: Limiters::new(config.keys),
            keys_evicted,
            denials_evicted,
            flights: Flights::default(),
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

    /// Reads the secret that a text names and proves the text by it. Many who present the same text at once share one
    /// reading and one Argon2 run.
    pub(super) async fn find_out(&self, question: &Question<'_>) -> Result<Known, Failure> {
        let digest = question.presented.digest;
        for _ in 0..READINGS {
            let finding = self.flights.join(digest, || self.look(question)).await?;
            // What was joined may have been read before a change that was acknowledged before this check.
            let current = match &finding {
                Finding::Proven(known) | Finding::Mismatch(known) => self.stands(known),
                Finding::Absent(since) => self.is_absence_current(*since),
            };
            if current {
                return Ok(finding.into());
            }
        }
        Ok(self.look(question).await?.into())
    }

    /// How many keys and how many denials are remembered.
    pub(super) fn sizes(&self) -> (u64, u64) {
        (self.keys.len() as u64, self.denials.len() as u64)
    }

    pub(super) fn evictions(&self) -> Evictions {
        let counted = |count: &CountEvictions| count.0.load(Ordering::Relaxed);
        Evictions {
            keys: counted(&self.keys_evicted),
            denials: counted(&self.denials_evicted),
        }
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

    /// Whether `stored` is the hash that was read with this key, and so the one its text was proven by.
    pub(super) fn is_hash_of(&self, known: &KnownKey, stored: &StoredHash) -> bool {
        known.hash == self.digester.hash(stored.as_str())
    }

    /// A hash was made anew of the secret in a text, and is stored: the text need not be proven by it.
    pub(super) fn learn(&self, digest: Digest, secret: SecretId, stored: &StoredHash) {
        let hash = self.digester.hash(stored.as_str());
        self.proofs.insert(digest, Proof { secret, hash });
    }

    async fn look(&self, question: &Question<'_>) -> Result<Finding, Failure> {
        let Question {
            store,
            hashes,
            clock,
            presented: Presented { parsed, digest },
            environment,
        } = *question;
        let secret = parsed.secret.expose();
        let (read_at, absent_since) = (self.stamps.now(), self.absences.now());
        let Some(mut found) = store.find(parsed.id).await.map_err(Failure::Store)? else {
            // As much work as for a wrong secret, so that the time does not tell whether there is one.
            let nobody = hashes.verify_absent(Share::Keys, secret);
            nobody.await.map_err(Failure::Hash)?;
            self.denials
                .insert(*digest, Denial::NoSuchSecret(absent_since));
            return Ok(Finding::Absent(absent_since));
        };
        let stored = found.secret.hash.clone();
        let dated = hashes.needs_rehash(Share::Keys, &stored);
        let particulars = self.particulars(&mut found, store, clock).await;
        let particulars = particulars.map_err(Failure::Store)?;
        let known = self.keep(found, particulars, dated, read_at);
        let proof = Proof {
            secret: known.secret,
            hash: known.hash,
        };
        if self.proofs.get(digest) == Some(proof) {
            return Ok(Finding::Proven(known));
        }
        if matches!(self.denials.get(digest), Some(Denial::Mismatch(seen)) if seen == proof) {
            return Ok(Finding::Mismatch(known));
        }
        let matched = hashes.verify(Share::Keys, secret, &stored).await;
        // The environment is under the tag; a text that names another one than the record was not minted for it.
        if matched.map_err(Failure::Hash)? && known.environment == *environment {
            self.proofs.insert(*digest, proof);
            Ok(Finding::Proven(known))
        } else {
            self.denials.insert(*digest, Denial::Mismatch(proof));
            Ok(Finding::Mismatch(known))
        }
    }

    /// What only some keys have. Reads the roles for one that holds any, and when a secret was replaced for one that is about to
    /// retire; nothing for the others. A change of what is read here strikes this reading like any other.
    async fn particulars(
        &self,
        found: &mut StoredSecret,
        store: &dyn KeyStore,
        clock: &dyn Clock,
    ) -> Result<Option<Box<Particulars>>, StoreError> {
        let StoredSecret { key, secret, .. } = found;
        let roles = if key.roles.is_empty() {
            Vec::new()
        } else {
            store.roles().await?
        };
        let retiring = match secret.retired_at {
            Some(at) if at > clock.now() => {
                let secrets = store.secrets(key.id).await?;
                let newer = secrets.iter().map(|other| other.record.created_at);
                let since = newer.filter(|made| *made > secret.created_at).min();
                Some(Retiring::new(since.unwrap_or(at), at))
            }
            _ => None,
        };
        let limiters = (&self.limiters, clock.elapsed());
        Ok(Particulars::of(key, &roles, retiring, limiters))
    }

    /// The rates of a key, apart: what is taken from them is taken from nowhere.
    pub(super) fn rates_aside(
        &self,
        key: KeyId,
        limits: &[RateLimit],
        now: std::time::Duration,
    ) -> KeyRates {
        self.limiters.aside(key, limits, now)
    }

    fn keep(
        &self,
        found: StoredSecret,
        particulars: Option<Box<Particulars>>,
        dated: bool,
        read_at: Moment,
    ) -> Arc<KnownKey> {
        let hash = self.digester.hash(found.secret.hash.as_str());
        let slots = [
            self.key_slot(found.key.id),
            self.owner_slot(&found.key.owner),
        ];
        let known = Arc::new(KnownKey::new(
            found,
            particulars,
            (hash, dated),
            read_at,
            slots,
        ));
        self.keys.insert(place(known.secret), Arc::clone(&known));
        known
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

/// What had to make room because as much as may be remembered was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Evictions {
    /// Keys.
    pub keys: u64,
    /// Texts that are no key.
    pub denials: u64,
}

#[derive(Debug, Clone, Default)]
struct CountEvictions(Arc<AtomicU64>);

impl<K, V> Lifecycle<K, V> for CountEvictions {
    type RequestState = ();

    fn on_evict(&self, (): &mut (), _: K, _: V) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn map<V: Clone>(capacity: usize, evictions: &CountEvictions) -> Map<V> {
    let capacity = capacity.max(1);
    Cache::with(
        capacity,
        capacity as u64,
        UnitWeighter,
        BuildHasherDefault::default(),
        evictions.clone(),
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
