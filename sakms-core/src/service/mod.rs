//! The use cases, and [`Sakms`], which is what a host holds.
//!
//! Policy, time, formats and hashing are decided here; a store only keeps what it is given.

mod accounts;
mod ask;
mod audit;
mod builder;
mod cache;
mod caller;
mod cursor;
mod error;
mod exchange;
mod follow;
mod forget;
mod gates;
mod keys;
mod limit;
mod oversight;
mod recovery;
mod refusals;
mod renew;
mod requirement;
mod revocations;
mod seal;
mod sessions;
mod statistics;
mod tally;
mod task;
mod throttle;
mod tokens;
mod usage;
mod verified;
mod verify;

use std::fmt;
use std::sync::Arc;

pub use accounts::{CallerDenial, LoginDenial};
pub use ask::{Found, Question};
pub use audit::{AuditPage, AuditRequest, JournalFlaw, JournalProgress, JournalWalk};
pub use builder::{BuildError, SakmsBuilder};
pub use cache::{CacheConfig, Evictions};
pub use caller::Caller;
pub use cursor::Cursor;
pub use error::{Error, FieldError};
pub use exchange::{ExchangeDenial, ExchangedToken, TokenExchange};
pub use follow::JournalStatus;
pub use keys::{
    CreatedKey, IdempotencyKey, InvalidLifetimes, KeyChange, KeyLifetimes, KeyList, KeySelection,
    ListRequest, NewKey, Once, Revoked, RotationOverlap, Whose,
};
pub use limit::{LimiterDown, QuotaStanding, RateStanding, Retiring, Standing};
pub use oversight::{AccountList, Explanation, Gate, Hypothesis, KeyUsage, ListedAccount};
pub use recovery::{CodeDenial, RecoveryConfig};
pub use requirement::{InvalidRequirement, KeyDenial, Requirement};
pub use revocations::{FeedPosition, InvalidPosition, PositionGone, Revocation, RevocationPage};
pub use sessions::{
    InvalidSessionConfig, ListedSession, Origin, RefreshDenial, SessionConfig, SignedIn,
};
pub use statistics::{
    CacheStatistics, MailStatistics, RefusalStatistics, Statistics, ThrottleStatistics, Verdicts,
};
pub use throttle::{Backoff, ThrottleConfig};
pub use verified::VerifiedKey;
#[cfg(feature = "http")]
pub(crate) use verify::Checked;
pub use verify::Circumstances;

use crate::account::PasswordPolicy;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::hash::HashPool;
use crate::journal::{Action, Actor, JournalEntry, Subject};
use crate::key::{Environment, KeyFormat, MasterKeys};
use crate::store::{AccountStore, KeyStore, StateStore};
use crate::token::TokenIssuer;

/// Key management for one service: a handle that is cheap to clone and to share.
///
/// ```
/// # use sakms_core::key::{MasterKey, Owner};
/// # use sakms_core::entropy::OsEntropy;
/// # use sakms_core::secret::PresentedKey;
/// # use sakms_core::service::{Caller, NewKey, Requirement, Sakms};
/// # use sakms_core::store::MemoryStore;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sakms = Sakms::builder(MemoryStore::new(), MasterKey::generate(&OsEntropy)?)
///     .key_prefix("acme")?
///     .build()?;
///
/// let ada = Caller::owner("ada".parse()?);
/// let created = sakms.create_key(&ada, NewKey::named("laptop".parse()?)).await?;
///
/// // Later, a request presents the text:
/// let presented = PresentedKey::new(created.text.expose().to_owned());
/// let verdict = sakms.verify(&presented, &Requirement::any_key()).await?;
/// let key = verdict.into_result()?;
/// assert_eq!(key.owner().as_str(), "ada");
///
/// sakms.revoke_key(&ada, created.key.id).await?;
/// assert!(!sakms.verify(&presented, &Requirement::any_key()).await?.is_granted());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Sakms {
    inner: Arc<Inner>,
}

struct Inner {
    keys: Arc<dyn KeyStore>,
    accounts: Option<Arc<dyn AccountStore>>,
    tokens: Option<Arc<dyn TokenIssuer>>,
    states: Option<Arc<dyn StateStore>>,
    sessions: sessions::Sessions,
    standings: Arc<sessions::Standings>,
    exchange: Option<TokenExchange>,
    recovery: Option<recovery::Recovery>,
    format: KeyFormat,
    cursors: cursor::CursorSeal,
    places: seal::ListSeal,
    requests: keys::IdempotencySeal,
    rules: keys::KeyRules,
    forgetter: Arc<forget::Forgetter>,
    hashes: HashPool,
    passwords: PasswordPolicy,
    cache: Arc<cache::KeyCache>,
    tally: Arc<tally::Tally>,
    follower: Arc<follow::Follower>,
    usage: Arc<usage::UsageBuffer>,
    refusals: Arc<refusals::Refusals>,
    throttle: Arc<throttle::Throttle>,
    renewals: renew::Renewals,
    limiter_down: LimiterDown,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Sakms {
    /// Starts to set up key management over a store, with the service's master key.
    pub fn builder(store: impl KeyStore, master_keys: impl Into<MasterKeys>) -> SakmsBuilder {
        SakmsBuilder::new(Arc::new(store), master_keys.into())
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// [`Error::Store`] when it does not.
    pub async fn ready(&self) -> Result<(), Error> {
        Ok(self.inner.keys.ping().await?)
    }

    /// Writes down what is only in memory: uses that were counted and not yet stored. Call it before the process
    /// ends; what is not flushed is lost, and nothing else is. A hash that is being made anew is waited for, requests with
    /// an idempotency key are forgotten when it is time, failed sign-ins are told to other nodes, and refused attempts go into the journal, but for those of which
    /// there is an entry within the hour. Mail that waits is tried once more, for ten seconds at most.
    ///
    /// # Errors
    /// [`Error::Store`] when the store does not take it; it stays in memory and can be tried again.
    pub async fn flush(&self) -> Result<(), Error> {
        self.inner.renewals.ended().await;
        if let Some(recovery) = &self.inner.recovery {
            recovery.post.flush().await;
        }
        let uses = self.inner.usage.flush().await;
        self.inner.refusals.flush().await?;
        uses?;
        self.inner.throttle.flush().await?;
        Ok(self.inner.forgetter.forget_if_needed().await?)
    }

    /// How far this node has followed what others changed. The first check of a key, or of a token of a session, starts the
    /// following.
    #[must_use]
    pub fn journal_status(&self) -> JournalStatus {
        self.inner.follower.status()
    }

    /// Reads now what others changed, instead of waiting for the next time: for a test, or before something that must
    /// not go by what was true a moment ago.
    ///
    /// # Errors
    /// [`Error::Store`] when the journal cannot be read.
    pub async fn catch_up(&self) -> Result<(), Error> {
        Ok(self.inner.follower.read().await?)
    }

    /// The store, for what a host wants to ask it directly.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn KeyStore> {
        &self.inner.keys
    }

    /// Whether people can register and sign in here.
    #[must_use]
    pub fn has_accounts(&self) -> bool {
        self.inner.accounts.is_some()
    }

    /// Whether somebody issues tokens here, so that one can be presented.
    #[must_use]
    pub fn has_tokens(&self) -> bool {
        self.inner.tokens.is_some()
    }

    /// The environment a key gets when none is named, and the one a guard lets in when none is.
    #[must_use]
    pub fn first_environment(&self) -> &Environment {
        // There is always one: a service is not built without.
        &self.inner.format.environments()[0]
    }

    fn entry(&self, actor: Actor, action: Action, subject: Subject) -> Result<JournalEntry, Error> {
        let Inner { clock, entropy, .. } = &*self.inner;
        Ok(JournalEntry::now(
            clock.as_ref(),
            entropy.as_ref(),
            actor,
            action,
            subject,
        )?)
    }
}

impl fmt::Debug for Sakms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { keys, format, .. } = &*self.inner;
        f.debug_struct("Sakms")
            .field("keys", keys)
            .field("format", format)
            .finish_non_exhaustive()
    }
}
