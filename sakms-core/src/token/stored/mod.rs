//! Keys that sign, kept in the store: every node signs with the same ones, and one that changes them changes them for all.
//!
//! `sealed.rs` has the form in which a key is kept, `plan.rs` which key signs when. A key has a number, and its record's id
//! is that number: of many who make the next one, one gets through, and the others read it.

mod plan;
mod sealed;

use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;

use async_trait::async_trait;
use tokio::runtime::Handle;
use tokio::sync::Mutex;

use self::plan::Plan;
use self::sealed::{KeyRecordBody, KeySeal};
use super::{
    Claims, IssuedToken, Jwks, JwtIssuer, JwtIssuerBuilder, SigningKey, TokenAlgorithm,
    TokenDenial, TokenError, TokenIssuer, TokenRequest,
};
use crate::clock::Timestamp;
use crate::id::EntryId;
use crate::journal::{Action, Actor, JournalEntry, Subject};
use crate::key::MasterKeys;
use crate::secret::BearerToken;
use crate::store::{StateKind, StateRecord, StateStore, StoreErrorKind};
use crate::verdict::Verdict;

/// When the keys of a [`StoredIssuer`] are read, and when a new one begins to sign.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct KeyRotation {
    /// How often the keys are read: by default every 30 seconds.
    pub follow: Duration,
    /// How long a new key is known and published before it signs: by default the 5 minutes for which a JWKS may be kept,
    /// and one more. It must be longer than `follow`.
    pub notice: Duration,
}

impl Default for KeyRotation {
    fn default() -> Self {
        Self {
            follow: Duration::from_secs(30),
            notice: Duration::from_mins(6),
        }
    }
}

/// A key of a [`StoredIssuer`], as it is told to people.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredKey {
    /// What tokens call it by.
    pub kid: String,
    /// How it signs.
    pub algorithm: TokenAlgorithm,
    /// From when on it signs.
    pub signs_from: Timestamp,
    /// From when on its tokens are denied; `None` while no key follows it.
    pub ends_at: Option<Timestamp>,
    /// Whether it is the one that signs now.
    pub signs: bool,
}

/// Issues JWTs and verifies its own, by keys that are kept in the store and sealed under the master key.
///
/// The first node to start makes an Ed25519 key. [`rotate`](Self::rotate) makes the next one: it is published at once, signs
/// after [`KeyRotation::notice`], and the one before it verifies until the last token it signed has ended. Nodes read the
/// keys every [`KeyRotation::follow`], and at once, at most once a second, when a token names a key they do not know.
/// While the store is away they go on with the keys they have.
///
/// ```
/// # use sakms_core::{entropy::OsEntropy, key::MasterKey, store::MemoryStore};
/// # use sakms_core::token::{JwtIssuer, KeyRotation, StoredIssuer, TokenAlgorithm, TokenIssuer as _};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (store, master) = (MemoryStore::new(), MasterKey::generate(&OsEntropy)?);
/// let settings = JwtIssuer::settings().audience("acme");
/// let issuer = StoredIssuer::open(store, &master.into(), settings, KeyRotation::default()).await?;
/// issuer.rotate(TokenAlgorithm::Es256).await?;
/// assert_eq!(issuer.jwks().map(|jwks| jwks.keys().len()), Some(2));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct StoredIssuer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Arc<dyn StateStore>,
    seal: KeySeal,
    settings: JwtIssuerBuilder,
    rotation: KeyRotation,
    known: RwLock<Arc<Known>>,
    /// Held while the keys are read.
    reading: Mutex<LastReading>,
}

/// What the keys were at a reading, and the issuer that follows from them at a moment.
#[derive(Debug)]
struct Known {
    plan: Arc<Plan>,
    issuer: JwtIssuer,
    /// When the issuer is another one by itself.
    until: Timestamp,
}

#[derive(Debug)]
struct LastReading {
    at: Duration,
    failed: bool,
}

/// How often the keys are read at most because a token names one that is not known.
const AT_MOST_EVERY: Duration = Duration::from_secs(1);
/// How often the next number is tried when others take it.
const TRIES: u32 = 8;

impl StoredIssuer {
    /// The issuer with the keys in `store`. When there are none, it makes an Ed25519 key.
    ///
    /// The keys are followed by a task on the runtime of whoever calls.
    ///
    /// # Errors
    /// [`TokenError`] when the settings are out of their bounds, the store cannot be read, or none of the keys in it was
    /// sealed under one of these master keys.
    pub async fn open(
        store: impl StateStore,
        master: &MasterKeys,
        settings: JwtIssuerBuilder,
        rotation: KeyRotation,
    ) -> Result<Self, TokenError> {
        if rotation.notice <= rotation.follow {
            return Err(TokenError::new(
                "a new key must be known for longer than it takes to hear of it",
            ));
        }
        let store: Arc<dyn StateStore> = Arc::new(store);
        let seal = KeySeal::new(master);
        settings.check().map_err(TokenError::new)?;
        let mut records = read(&*store).await?;
        if records.is_empty() {
            let first = Making {
                number: 1,
                algorithm: TokenAlgorithm::EdDsa,
                // It has nobody to wait for.
                signs_from: Timestamp::EPOCH,
                others_end_at: Timestamp::EPOCH,
            };
            match first.make(&*store, &seal, &settings).await {
                Ok(()) | Err(Made::Taken) => {}
                Err(Made::Failed(error)) => return Err(error),
            }
            records = read(&*store).await?;
        }
        let plan = Plan::of(&records, &seal);
        if plan.is_empty() {
            return Err(TokenError::new(
                "none of the signing keys in the store was sealed under this master key",
            ));
        }
        let known = Known::at(Arc::new(plan), &settings)?;
        let at = settings.time().elapsed();
        let inner = Arc::new(Inner {
            store,
            seal,
            settings,
            rotation,
            known: RwLock::new(Arc::new(known)),
            reading: Mutex::new(LastReading { at, failed: false }),
        });
        follow(&inner);
        Ok(Self(inner))
    }

    /// Makes the next key. It signs after the notice; the others go on verifying until the last token that was signed with
    /// them has ended. Gives its name.
    ///
    /// # Errors
    /// [`TokenError`] when no key can be made of this algorithm (HS256 has none to publish), or the store cannot be changed.
    pub async fn rotate(&self, algorithm: TokenAlgorithm) -> Result<String, TokenError> {
        let inner = &self.0;
        let later = |moment: Timestamp, span| moment.checked_add(span).unwrap_or(Timestamp::MAX);
        let signs_from = later(inner.settings.time().now(), inner.rotation.notice);
        // Who did not hear of it in time may sign with the old one for as long again.
        let last = later(signs_from, inner.rotation.notice);
        let others_end_at = later(last, inner.settings.longest_good());
        inner.next(algorithm, signs_from, others_end_at).await
    }

    /// Makes the next key, which signs at once, and ends all others at once: every token there is is void. For when a key
    /// got into the wrong hands. Other nodes follow at their next reading.
    ///
    /// # Errors
    /// As for [`StoredIssuer::rotate`].
    pub async fn rotate_now(&self, algorithm: TokenAlgorithm) -> Result<String, TokenError> {
        let now = self.0.settings.time().now();
        self.0.next(algorithm, now, now).await
    }

    /// The keys that sign, will sign or verify, the newest first.
    #[must_use]
    pub fn keys(&self) -> Vec<StoredKey> {
        let now = self.0.settings.time().now();
        self.0.known().plan.told(now)
    }

    /// Reads the keys now.
    ///
    /// # Errors
    /// [`TokenError`] when the store cannot be read. What was known is kept.
    pub async fn follow(&self) -> Result<(), TokenError> {
        let mut reading = self.0.reading.lock().await;
        self.0.read_on(&mut reading).await
    }

    /// After a token named a key that is not known: whether there was a reading that would have found it.
    async fn look_again(&self) -> Result<(), TokenError> {
        let mut reading = self.0.reading.lock().await;
        let since = self.0.settings.time().elapsed().saturating_sub(reading.at);
        if since >= AT_MOST_EVERY {
            return self.0.read_on(&mut reading).await;
        }
        if reading.failed {
            return Err(TokenError::new("the signing keys cannot be read"));
        }
        Ok(())
    }
}

impl Inner {
    /// The issuer of this moment.
    fn known(&self) -> Arc<Known> {
        // The lock is given back before another is taken.
        let known = Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner));
        if self.settings.time().now() < known.until {
            return known;
        }
        match Known::at(Arc::clone(&known.plan), &self.settings) {
            Ok(next) => self.put(next),
            Err(error) => {
                tracing::error!(%error, "the next signing key cannot be used");
                known
            }
        }
    }

    fn put(&self, known: Known) -> Arc<Known> {
        let known = Arc::new(known);
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&known);
        known
    }

    async fn read_on(&self, reading: &mut LastReading) -> Result<(), TokenError> {
        reading.at = self.settings.time().elapsed();
        // Also when whoever waits for it gives up.
        reading.failed = true;
        let plan = Plan::of(&read(&*self.store).await?, &self.seal);
        if plan.is_empty() {
            return Err(TokenError::new("the store has no signing key any more"));
        }
        self.put(Known::at(Arc::new(plan), &self.settings)?);
        reading.failed = false;
        Ok(())
    }

    async fn next(
        &self,
        algorithm: TokenAlgorithm,
        signs_from: Timestamp,
        others_end_at: Timestamp,
    ) -> Result<String, TokenError> {
        let mut reading = self.reading.lock().await;
        for _ in 0..TRIES {
            let records = read(&*self.store).await?;
            let last = records.iter().filter_map(sealed::number).max();
            let making = Making {
                number: last.unwrap_or(0) + 1,
                algorithm,
                signs_from,
                others_end_at,
            };
            let made = making.make(&*self.store, &self.seal, &self.settings).await;
            match made {
                Ok(()) => {}
                // Somebody else's, who did the same at the same time.
                Err(Made::Taken) => continue,
                Err(Made::Failed(error)) => return Err(error),
            }
            self.read_on(&mut reading).await?;
            let plan = Arc::clone(&self.known().plan);
            for gone in plan.ended(&records, self.settings.time().now()) {
                let kind = StateKind::SigningKey;
                let removed = self.store.remove_state(kind, gone.id, gone.revision, None);
                if let Err(error) = removed.await {
                    tracing::debug!(%error, "a signing key that has ended stays for now");
                }
            }
            let kid = plan.kid_of(making.number);
            return kid.ok_or_else(|| TokenError::new("the new signing key cannot be read"));
        }
        Err(TokenError::new("others make signing keys all the time"))
    }
}

impl Known {
    fn at(plan: Arc<Plan>, settings: &JwtIssuerBuilder) -> Result<Self, TokenError> {
        let now = settings.time().now();
        let (keyring, until) = plan.keyring(now)?;
        let issuer = settings.with_keyring(keyring).map_err(TokenError::new)?;
        Ok(Self {
            plan,
            issuer,
            until,
        })
    }
}

/// A key that is about to be made.
struct Making {
    number: u64,
    algorithm: TokenAlgorithm,
    signs_from: Timestamp,
    others_end_at: Timestamp,
}

enum Made {
    Taken,
    Failed(TokenError),
}

impl Making {
    async fn make(
        &self,
        store: &dyn StateStore,
        seal: &KeySeal,
        settings: &JwtIssuerBuilder,
    ) -> Result<(), Made> {
        let (clock, entropy) = (settings.time(), settings.randomness());
        let key = SigningKey::generate(self.algorithm, entropy).map_err(Made::Failed)?;
        let detail = format!("{} {}", key.algorithm(), key.kid());
        let body = KeyRecordBody {
            signs_from: self.signs_from,
            others_end_at: self.others_end_at,
            key,
        };
        let id = sealed::id(self.number);
        let value = seal.seal(id, &body, entropy).map_err(Made::Failed)?;
        let now = clock.now();
        let kind = StateKind::SigningKey;
        let record = StateRecord::new(kind, id, None, value, now, Timestamp::MAX);
        let entry = EntryId::generate(clock, entropy);
        let entry = entry.map_err(|error| Made::Failed(TokenError::new(error)))?;
        let (action, subject) = (Action::KEYRING_ROTATE, Subject::SERVICE);
        let entry = JournalEntry::from_parts(entry, now, Actor::SYSTEM, action, subject, detail);
        match store.insert_state(&record, Some(&entry)).await {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == StoreErrorKind::Conflict => Err(Made::Taken),
            Err(error) => Err(Made::Failed(TokenError::new(error))),
        }
    }
}

async fn read(store: &dyn StateStore) -> Result<Vec<StateRecord>, TokenError> {
    let (kind, most) = (StateKind::SigningKey, StateRecord::MAX_LIMIT);
    store
        .states(kind, None, most)
        .await
        .map_err(TokenError::new)
}

/// Reads the keys again and again, for as long as the issuer is there.
fn follow(inner: &Arc<Inner>) {
    let (served, every): (Weak<Inner>, _) = (Arc::downgrade(inner), inner.rotation.follow);
    let Ok(runtime) = Handle::try_current() else {
        return;
    };
    runtime.spawn(async move {
        loop {
            tokio::time::sleep(every).await;
            let Some(inner) = served.upgrade() else {
                return;
            };
            let mut reading = inner.reading.lock().await;
            if let Err(error) = inner.read_on(&mut reading).await {
                tracing::warn!(%error, "the signing keys cannot be read; those that are known are used");
            }
        }
    });
}

#[async_trait]
impl TokenIssuer for StoredIssuer {
    async fn issue(&self, request: &TokenRequest) -> Result<IssuedToken, TokenError> {
        self.0.known().issuer.issue(request).await
    }

    async fn verify(
        &self,
        token: &BearerToken,
    ) -> Result<Verdict<Claims, TokenDenial>, TokenError> {
        let verdict = self.0.known().issuer.verify(token).await?;
        if !matches!(verdict, Verdict::Denied(TokenDenial::UnknownKey)) {
            return Ok(verdict);
        }
        // It may be a key that was made since. That there is none can only be said by who was able to look.
        self.look_again().await?;
        self.0.known().issuer.verify(token).await
    }

    fn jwks(&self) -> Option<Jwks> {
        self.0.known().issuer.jwks()
    }
}
