//! Setting up a verifier elsewhere.

use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use super::keys::KeySet;
use super::read::Reading;
use super::revoked::RevokedSet;
use super::source::OfflineSource;
use super::{Known, OfflineVerifier};
use crate::clock::{Clock, SystemClock};
use crate::token::{Audience, JwtIssuer};

/// An [`OfflineVerifier`] in the making. It needs keys, or a source to read them from.
#[derive(Debug)]
#[must_use]
pub struct OfflineVerifierBuilder {
    issuer: String,
    audience: Audience,
    leeway: Duration,
    keys: Option<String>,
    source: Option<Arc<dyn OfflineSource>>,
    follows_revocations: bool,
    every: Duration,
    bound: Duration,
    most: usize,
    clock: Arc<dyn Clock>,
}

impl OfflineVerifierBuilder {
    pub(super) fn new(issuer: String, audience: Audience) -> Self {
        Self {
            issuer,
            audience,
            leeway: Duration::from_secs(5),
            keys: None,
            source: None,
            follows_revocations: false,
            every: Duration::from_secs(1),
            bound: Duration::from_secs(10),
            most: 100_000,
            clock: Arc::new(SystemClock),
        }
    }

    /// The issuer's public keys: a JWK set as JSON. Where there is a source, it gives others.
    pub fn jwks(mut self, json: impl Into<String>) -> Self {
        self.keys = Some(json.into());
        self
    }

    /// Where keys and revocations are read from.
    pub fn source(mut self, source: impl OfflineSource) -> Self {
        self.source = Some(Arc::new(source));
        self.follows_revocations = true;
        self
    }

    /// Where keys are read from, and no revocations: what is revoked is good until its tokens end.
    pub fn source_of_keys(mut self, source: impl OfflineSource) -> Self {
        self.source = Some(Arc::new(source));
        self.follows_revocations = false;
        self
    }

    /// How far the clocks here and there may differ: at most 30 seconds, by default 5.
    pub const fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// How often revocations are read by [`OfflineVerifier::follow`]; every second when nothing is said.
    pub const fn read_every(mut self, interval: Duration) -> Self {
        self.every = interval;
        self
    }

    /// How long ago the last complete reading of revocations may have begun: at most an hour, by default 10 seconds. Past it no
    /// token is good, and none is bad: it cannot be decided.
    pub const fn max_staleness(mut self, bound: Duration) -> Self {
        self.bound = bound;
        self
    }

    /// How many revocations are remembered; 100,000 when nothing is said, at some 150 bytes each. Past it all tokens that are
    /// as old as the oldest of them are refused, so that none that was revoked is let in.
    pub const fn most_revocations(mut self, most: usize) -> Self {
        self.most = most;
        self
    }

    /// Where the time comes from; by default the operating system.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The verifier. Nothing is read yet.
    ///
    /// # Errors
    /// [`InvalidOfflineConfig`] for the first setting that is out of its bounds.
    pub fn build(self) -> Result<OfflineVerifier, InvalidOfflineConfig> {
        if self.leeway > JwtIssuer::MAX_LEEWAY {
            return Err(InvalidOfflineConfig::Leeway);
        }
        if self.every.is_zero() || self.bound > OfflineVerifier::MAX_KEY_AGE {
            return Err(InvalidOfflineConfig::Staleness);
        }
        let keys = match &self.keys {
            Some(json) => KeySet::read(json.as_bytes()).map_err(|_| InvalidOfflineConfig::Keys)?,
            None if self.source.is_none() => return Err(InvalidOfflineConfig::Keys),
            None => KeySet::default(),
        };
        if keys.is_empty() && self.source.is_none() {
            return Err(InvalidOfflineConfig::Keys);
        }
        Ok(OfflineVerifier {
            issuer: self.issuer,
            audience: self.audience.to_string(),
            leeway: self.leeway,
            source: self.source,
            follows_revocations: self.follows_revocations,
            every: self.every,
            bound: self.bound,
            clock: self.clock,
            known: RwLock::new(Known {
                keys: Arc::new(keys),
                keys_at: None,
                revoked: RevokedSet::new(self.most.max(1)),
                revoked_at: None,
            }),
            reading: tokio::sync::Mutex::new(Reading::default()),
            wants_keys: AtomicBool::new(false),
            wanted: tokio::sync::Notify::new(),
        })
    }
}

/// What a verifier cannot be made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidOfflineConfig {
    /// There is neither a source nor a set of keys that holds one that can be used.
    Keys,
    /// The leeway.
    Leeway,
    /// How often is read, or how long that may be ago.
    Staleness,
}

impl fmt::Display for InvalidOfflineConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keys => "a verifier needs a JWK set with a public key in it, or a source of one",
            Self::Leeway => "the leeway for tokens is at most 30 seconds",
            Self::Staleness => {
                "revocations are read at intervals, and are at most an hour old when they are believed"
            }
        })
    }
}

impl std::error::Error for InvalidOfflineConfig {}
