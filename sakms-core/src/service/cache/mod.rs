//! What is remembered of keys that were checked, so that the next check costs a look-up.
//!
//! Two facts are kept, in one entry for each text. *This text matched that hash* is dear (an Argon2 run) and true for
//! ever. *What the record says* is cheap (one read by primary key) and is what a revocation changes: it is believed only
//! while it stands. After a change a key costs one reading, not another Argon2 run. State, expiry and policy are not
//! remembered at all: they are evaluated on every request.
//!
//! No entry is taken out when something changes. Each carries the moment its reading began, and a change strikes what
//! was read before it ([`stamps`]): an entry that was on its way in when the change came is as void as one that was
//! there, wherever it is kept ([`front`]).
//!
//! Refusals are kept in a place of their own, so that a flood of them pushes out no key.

mod config;
mod digest;
mod entry;
mod flight;
mod front;
mod last;
mod map;
mod particulars;
mod policy;
mod stamps;
mod strike;

/// What `stamps` is made of; a model of it is run on others.
mod atomic {
    pub(super) use std::sync::atomic::{AtomicU64, Ordering};
}

use std::fmt;
use std::sync::Arc;

pub use config::CacheConfig;
pub(super) use entry::{KeyInUse, KnownKey, Tick};
pub use map::Evictions;
pub(super) use particulars::Particulars;
pub(super) use strike::Strike;

pub(super) use digest::Digest;
use digest::{Digester, HashId};
use entry::Reading;
use flight::Flights;
use front::Fronts;
use map::{CountEvictions, Map, map};
use policy::{Policies, Policy};
pub(super) use stamps::{Moment, Slot, Stamps};

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
/// For how many keys there is room for one proof of a new hash, which is gone as soon as that hash is read.
const KEYS_PER_PROOF: usize = 16;

pub(super) struct KeyCache {
    digester: Digester,
    /// What was read of a key and its owner.
    stamps: Stamps,
    /// What was read to be absent, under one slot: any new secret strikes it.
    absences: Stamps,
    policies: Policies,
    fronts: Fronts,
    /// What was read of keys, each with the hash that its text was proven by.
    keys: Map<Arc<KeyInUse>>,
    /// Hashes that texts are proven by, and that were not read yet.
    proofs: Map<Proof>,
    denials: Map<Denial>,
    limiters: Limiters,
    keys_evicted: CountEvictions,
    denials_evicted: CountEvictions,
    flights: Flights<Digest, Result<Finding, Failure>>,
}

/// That a text matched a secret's hash, or did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Proof {
    secret: SecretId,
    hash: HashId,
}

impl Proof {
    fn by(known: &KnownKey) -> Self {
        Self {
            secret: known.secret,
            hash: known.hash,
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Denial {
    NoSuchSecret(Moment),
    /// It is no proof of the hash that the reading had.
    Mismatch(Proof, Reading),
}

/// What is remembered of a text.
#[derive(Debug)]
pub(super) enum Known {
    /// It is this key's.
    Key(Arc<KeyInUse>),
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
    Proven(Arc<KeyInUse>),
    Mismatch(Reading),
    Absent(Moment),
}

impl From<Finding> for Known {
    fn from(finding: Finding) -> Self {
        match finding {
            Finding::Proven(key) => Self::Key(key),
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
            policies: Policies::default(),
            fronts: Fronts::new(config.keys),
            keys: map(config.keys, &keys_evicted),
            proofs: map(config.keys / KEYS_PER_PROOF, &CountEvictions::default()),
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

    /// What is remembered of a text and still stands, `now`. Only to be believed while the journal is followed.
    pub(super) fn recall(&self, digest: Digest, now: Tick) -> Option<Known> {
        if let Some(key) = self.fronts.get(digest)
            && self.stands(key.reading)
        {
            if !key.is_used_in(now) {
                self.touch(digest, &key);
            }
            return Some(Known::Key(key));
        }
        match self.keys.get(&digest) {
            Some(key) => self
                .stands(key.reading)
                .then(|| Known::Key(self.fronts.offer(digest, key))),
            None => self.recall_denial(digest),
        }
    }

    fn recall_denial(&self, digest: Digest) -> Option<Known> {
        let stands = match self.denials.get(&digest)? {
            Denial::NoSuchSecret(since) => self.is_absence_current(since),
            Denial::Mismatch(_, reading) => self.stands(reading),
        };
        stands.then_some(Known::Nothing)
    }

    /// A key that a thread has at hand is in use, which the map does not see.
    #[cold]
    fn touch(&self, digest: Digest, key: &KeyInUse) {
        if self.keys.get(&digest).is_none() {
            let key = Arc::new(key.another());
            self.keys.insert(digest, key);
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
                Finding::Proven(key) => self.stands(key.reading),
                Finding::Mismatch(reading) => self.stands(*reading),
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
        Evictions {
            keys: self.keys_evicted.get(),
            denials: self.denials_evicted.get(),
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
        let (known, reading) = self.known(found, particulars, dated, read_at);
        let proof = Proof::by(&known);
        if self.is_proven(*digest, proof) {
            return Ok(Finding::Proven(self.keep(*digest, known, reading)));
        }
        let mismatch = || {
            let denial = Denial::Mismatch(proof, reading);
            self.denials.insert(*digest, denial);
            Ok(Finding::Mismatch(reading))
        };
        if matches!(self.denials.get(digest), Some(Denial::Mismatch(seen, _)) if seen == proof) {
            return mismatch();
        }
        let matched = hashes.verify(Share::Keys, secret, &stored).await;
        // The environment is under the tag; a text that names another one than the record was not minted for it.
        if matched.map_err(Failure::Hash)? && known.policy.environment == *environment {
            Ok(Finding::Proven(self.keep(*digest, known, reading)))
        } else {
            mismatch()
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
        Ok(Particulars::of(found, &roles, retiring, limiters))
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

    fn known(
        &self,
        found: StoredSecret,
        particulars: Option<Box<Particulars>>,
        dated: bool,
        began: Moment,
    ) -> (KnownKey, Reading) {
        let hash = self.digester.hash(found.secret.hash.as_str());
        let slots = [
            self.key_slot(found.key.id),
            self.owner_slot(&found.key.owner),
        ];
        let policy = Policy {
            environment: found.key.environment.clone(),
            scopes: found.key.scopes.clone(),
        };
        let policy = self.policies.share(policy);
        let known = KnownKey::new(found, policy, particulars, hash, dated);
        (known, Reading { began, slots })
    }

    /// Remembers a key whose text was proven.
    fn keep(&self, digest: Digest, known: KnownKey, reading: Reading) -> Arc<KeyInUse> {
        let key = Arc::new(KeyInUse::new(Arc::new(known), reading));
        self.keys.insert(digest, Arc::clone(&key));
        self.proofs.remove(&digest);
        key
    }

    /// Whether a text is known to match a hash.
    fn is_proven(&self, digest: Digest, proof: Proof) -> bool {
        let read = self.keys.get(&digest).map(|key| Proof::by(&key.known));
        read == Some(proof) || self.proofs.get(&digest) == Some(proof)
    }

    fn stands(&self, reading: Reading) -> bool {
        self.stamps.stands(reading.began, reading.slots)
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
            .field("denials", &self.denials.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
