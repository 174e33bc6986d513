//! Setting up [`Sakms`].

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use super::cache::{CacheConfig, KeyCache};
use super::cursor::CursorSeal;
use super::exchange::TokenExchange;
use super::follow::Follower;
use super::forget::Forgetter;
use super::keys::{IdempotencySeal, KeyLifetimes, KeyRules, RotationOverlap};
use super::limit::LimiterDown;
use super::recovery::{CodeFormat, Post, Recovery, RecoveryConfig};
use super::refusals::Refusals;
use super::renew::Renewals;
use super::seal::ListSeal;
use super::sessions::{InvalidSessionConfig, RefreshFormat, SessionConfig, Sessions, Standings};
use super::tally::Tally;
use super::throttle::{Throttle, ThrottleConfig};
use super::usage::UsageBuffer;
use super::{Inner, Sakms};
use crate::account::PasswordPolicy;
use crate::clock::{Clock, SystemClock};
use crate::entropy::{Entropy, EntropyError, OsEntropy};
use crate::hash::{HashError, HashPool, HashPoolConfig};
use crate::key::{Environment, InvalidWord, KeyFormat, KeyPrefix, MasterKeys};
use crate::mail::Mailer;
use crate::store::{AccountStore, KeyStore, StateStore};
use crate::token::TokenIssuer;

/// What [`Sakms`] is made of. Everything but the store and the master key has a default.
#[derive(Debug)]
#[must_use = "nothing is set up before `build` is called"]
pub struct SakmsBuilder {
    keys: Arc<dyn KeyStore>,
    master_keys: MasterKeys,
    prefix: KeyPrefix,
    environments: Vec<Environment>,
    accounts: Option<Arc<dyn AccountStore>>,
    tokens: Option<Arc<dyn TokenIssuer>>,
    states: Option<Arc<dyn StateStore>>,
    sessions: SessionConfig,
    throttles: ThrottleConfig,
    exchange: Option<TokenExchange>,
    mailer: Option<Arc<dyn Mailer>>,
    recovery: RecoveryConfig,
    hashing: HashPoolConfig,
    passwords: PasswordPolicy,
    caching: CacheConfig,
    rules: KeyRules,
    remember_requests: Duration,
    refusals_per_minute: u32,
    limiter_down: LimiterDown,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl SakmsBuilder {
    pub(super) fn new(keys: Arc<dyn KeyStore>, master_keys: MasterKeys) -> Self {
        Self {
            keys,
            master_keys,
            prefix: KeyPrefix::default(),
            environments: vec![Environment::live(), Environment::test()],
            accounts: None,
            tokens: None,
            states: None,
            sessions: SessionConfig::default(),
            throttles: ThrottleConfig::default(),
            exchange: None,
            mailer: None,
            recovery: RecoveryConfig::default(),
            hashing: HashPoolConfig::default(),
            passwords: PasswordPolicy::default(),
            caching: CacheConfig::default(),
            rules: KeyRules {
                lifetimes: KeyLifetimes::default(),
                overlap: RotationOverlap::default(),
                most_per_owner: None,
                usage_lag: Duration::from_secs(10),
            },
            remember_requests: Duration::from_hours(24),
            refusals_per_minute: 60,
            limiter_down: LimiterDown::default(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
        }
    }

    /// What every key text starts with; `sakms` when nothing is said. Keys made under another prefix are refused,
    /// so choose it once.
    ///
    /// # Errors
    /// [`InvalidWord`] when it is not 1 to 32 characters `a-z`, `0-9` and inner `_`.
    pub fn key_prefix(mut self, prefix: &str) -> Result<Self, InvalidWord> {
        self.prefix = prefix.parse()?;
        Ok(self)
    }

    /// The environments a key may belong to, the default first; `live` and `test` when nothing is said. A guard lets in keys of
    /// the first one, unless it says otherwise.
    pub fn environments(mut self, environments: Vec<Environment>) -> Self {
        self.environments = environments;
        self
    }

    /// Lets people register and sign in, with their accounts kept here. It needs a token issuer as well.
    pub fn accounts(mut self, accounts: impl AccountStore) -> Self {
        self.accounts = Some(Arc::new(accounts));
        self
    }

    /// Who makes and checks JWTs.
    pub fn token_issuer(mut self, issuer: impl TokenIssuer) -> Self {
        self.tokens = Some(Arc::new(issuer));
        self
    }

    /// Where sessions are kept: whoever signs in gets a refresh token then, and can be signed out. Without it an access token is
    /// all there is, and good until it expires. Failed sign-ins are counted there too, so that all nodes count together.
    pub fn sessions(mut self, store: impl StateStore) -> Self {
        self.states = Some(Arc::new(store));
        self
    }

    /// How long sessions last, and how many an account may have.
    pub fn session_config(mut self, config: SessionConfig) -> Self {
        self.sessions = config;
        self
    }

    /// When sign-ins and registrations are slowed down. They are when nothing is said; each node counts for itself unless
    /// there is a store for it ([`SakmsBuilder::sessions`]).
    pub fn throttles(mut self, config: ThrottleConfig) -> Self {
        self.throttles = config;
        self
    }

    /// Has API keys exchanged for tokens that other services check by themselves. It needs a token issuer as well.
    pub fn token_exchange(mut self, exchange: TokenExchange) -> Self {
        self.exchange = Some(exchange);
        self
    }

    /// Who sends mail: passwords can be reset then. It needs accounts and a store for codes ([`SakmsBuilder::sessions`]).
    pub fn mailer(mut self, mailer: impl Mailer) -> Self {
        self.mailer = Some(Arc::new(mailer));
        self
    }

    /// What is mailed, and whether addresses are confirmed.
    pub fn recovery(mut self, config: RecoveryConfig) -> Self {
        self.recovery = config;
        self
    }

    /// How secrets and passwords are hashed, on how many threads, and how many may wait.
    pub fn hashing(mut self, config: HashPoolConfig) -> Self {
        self.hashing = config;
        self
    }

    /// Which passwords are good enough.
    pub fn password_policy(mut self, policy: PasswordPolicy) -> Self {
        self.passwords = policy;
        self
    }

    /// How much is remembered of keys that were checked, and for how long it is trusted.
    pub fn caching(mut self, config: CacheConfig) -> Self {
        self.caching = config;
        self
    }

    /// How often counted uses are written to the store; 10 seconds when nothing is said. After a crash, the uses
    /// of one interval are missing from the counts. Those of one interval at most go to the wrong one of two days.
    pub fn usage_interval(mut self, interval: Duration) -> Self {
        self.rules.usage_lag = interval;
        self
    }

    /// How long keys live: the default, the minimum and the maximum. Without it a key lives until it is told otherwise.
    pub fn key_lifetimes(mut self, lifetimes: KeyLifetimes) -> Self {
        self.rules.lifetimes = lifetimes;
        self
    }

    /// How long the old secret of a key works beside the new one: a day when nothing is said, and 30 days at most.
    pub fn rotation_overlap(mut self, overlap: RotationOverlap) -> Self {
        self.rules.overlap = overlap;
        self
    }

    /// How many keys an owner may have that are neither revoked nor expired; any number when nothing is said. However
    /// many are made at once, on however many nodes, there are never more.
    pub fn keys_per_owner(mut self, most: NonZeroU32) -> Self {
        self.rules.most_per_owner = Some(most);
        self
    }

    /// For how long a request with an idempotency key is known again; 24 hours when nothing is said.
    pub fn remember_requests(mut self, time: Duration) -> Self {
        self.remember_requests = time;
        self
    }

    /// How many refused attempts are written into the journal in a minute at most, up to 1,000; 60 when nothing is said,
    /// none with 0. Each node has this many. The same refusal of the same key or account is written once an hour at most,
    /// with how often it happened; what is over that is summed up in one entry about the service.
    pub fn refusals_per_minute(mut self, most: u32) -> Self {
        self.refusals_per_minute = most.min(1_000);
        self
    }

    /// What becomes of a request whose key has a quota while the store cannot be asked for it; [`LimiterDown::Closed`] when
    /// nothing is said. Rates need no store.
    pub fn limiter_down(mut self, setting: LimiterDown) -> Self {
        self.limiter_down = setting;
        self
    }

    /// Where the time comes from.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Where randomness comes from.
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = entropy;
        self
    }

    /// Sets it up. Starts the hashing threads; touches no store.
    ///
    /// # Errors
    /// [`BuildError`] when the parts do not fit together or a thread cannot be started.
    pub fn build(self) -> Result<Sakms, BuildError> {
        if self.accounts.is_some() && self.tokens.is_none() {
            return Err(BuildError::AccountsWithoutTokens);
        }
        let sessions = Sessions {
            config: self.sessions.checked()?,
            format: RefreshFormat::new(&self.prefix, &self.master_keys),
        };
        let remembered = match self.states {
            Some(_) => self.sessions.remembered,
            None => 0,
        };
        let standings = Arc::new(Standings::new(remembered));
        if let Some(exchange) = &self.exchange {
            if self.tokens.is_none() {
                let why = "exchanging keys needs a token issuer: call `token_issuer` as well";
                return Err(BuildError::Exchange(why));
            }
            exchange.check(&self.environments)?;
        }
        let tally = Arc::new(Tally::default());
        let recovery = self.set_up_mail(&tally)?;
        let format = KeyFormat::new(self.prefix, self.environments, &self.master_keys)?;
        let hashes =
            HashPool::with_master_keys(self.hashing, &self.master_keys, Arc::clone(&self.entropy))?;
        let cache = Arc::new(KeyCache::new(self.caching, self.entropy.as_ref())?);
        let follower = Follower::new(
            Arc::clone(&cache),
            Arc::clone(&standings),
            Arc::clone(&self.keys),
            Arc::clone(&self.clock),
            self.caching.follow_every,
            self.caching.max_staleness,
        );
        let refusals = Arc::new(Refusals::new(
            Arc::clone(&self.keys),
            Arc::clone(&tally),
            Arc::clone(&self.clock),
            Arc::clone(&self.entropy),
            self.refusals_per_minute,
        ));
        let usage = UsageBuffer::new(
            Arc::clone(&self.keys),
            Arc::clone(&tally),
            Arc::clone(&refusals),
            self.rules.usage_lag,
        );
        let forgetter = Arc::new(Forgetter::new(
            Arc::clone(&self.keys),
            self.states.clone(),
            Arc::clone(&self.clock),
            self.remember_requests,
        ));
        let throttle = Throttle::new(
            &self.throttles,
            &self.master_keys,
            self.states.clone(),
            Arc::clone(&forgetter),
            Arc::clone(&tally),
            Arc::clone(&self.clock),
        );
        let inner = Inner {
            keys: self.keys,
            accounts: self.accounts,
            tokens: self.tokens,
            states: self.states,
            sessions,
            standings,
            exchange: self.exchange,
            recovery,
            format,
            cursors: CursorSeal::new(&self.master_keys),
            places: ListSeal::new(&self.master_keys),
            requests: IdempotencySeal::new(&self.master_keys),
            rules: self.rules,
            forgetter,
            hashes,
            passwords: self.passwords,
            cache,
            tally,
            follower: Arc::new(follower),
            usage: Arc::new(usage),
            refusals,
            throttle: Arc::new(throttle),
            renewals: Renewals::default(),
            limiter_down: self.limiter_down,
            clock: self.clock,
            entropy: self.entropy,
        };
        Ok(Sakms {
            inner: Arc::new(inner),
        })
    }

    /// What sends mail, where there is a mailer.
    fn set_up_mail(&self, tally: &Arc<Tally>) -> Result<Option<Recovery>, BuildError> {
        let refused = |why| Err(BuildError::Recovery(why));
        let Some(mailer) = &self.mailer else {
            return if self.recovery.confirms() {
                refused("confirming addresses needs somebody who sends mail: call `mailer` as well")
            } else {
                Ok(None)
            };
        };
        let (Some(_), Some(states)) = (&self.accounts, &self.states) else {
            return refused(
                "mail needs accounts and a store for its codes: call `accounts` and `sessions` as well",
            );
        };
        self.recovery.check().map_err(BuildError::Recovery)?;
        let post = Post::new(
            Arc::clone(mailer),
            Arc::clone(&self.keys),
            Arc::clone(states),
            Arc::clone(&self.clock),
            Arc::clone(tally),
        );
        Ok(Some(Recovery {
            config: self.recovery.clone(),
            codes: CodeFormat::new(&self.master_keys),
            post: Arc::new(post),
        }))
    }
}

/// Why [`Sakms`] could not be set up.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// There are accounts and nobody who issues tokens for them.
    AccountsWithoutTokens,
    /// A setting of sessions is out of its bounds.
    Sessions(InvalidSessionConfig),
    /// Keys cannot be exchanged so: the text says why.
    Exchange(&'static str),
    /// Passwords cannot be reset so: the text says why.
    Recovery(&'static str),
    /// There is no environment.
    Format(InvalidWord),
    /// The hashing threads did not start.
    Hashing(HashError),
    /// The source of randomness failed.
    Entropy(EntropyError),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AccountsWithoutTokens => {
                f.write_str("accounts need a token issuer: call `token_issuer` as well")
            }
            Self::Sessions(error) => error.fmt(f),
            Self::Exchange(why) | Self::Recovery(why) => f.write_str(why),
            Self::Format(error) => error.fmt(f),
            Self::Entropy(error) => error.fmt(f),
            Self::Hashing(error) => write!(f, "hashing could not be set up: {error}"),
        }
    }
}

impl std::error::Error for BuildError {}

impl From<InvalidSessionConfig> for BuildError {
    fn from(error: InvalidSessionConfig) -> Self {
        Self::Sessions(error)
    }
}

impl From<InvalidWord> for BuildError {
    fn from(error: InvalidWord) -> Self {
        Self::Format(error)
    }
}

impl From<HashError> for BuildError {
    fn from(error: HashError) -> Self {
        Self::Hashing(error)
    }
}

impl From<EntropyError> for BuildError {
    fn from(error: EntropyError) -> Self {
        Self::Entropy(error)
    }
}
