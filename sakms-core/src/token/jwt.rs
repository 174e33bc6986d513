//! Tokens as JWTs (RFC 7519), in the profile for access tokens (RFC 9068) and as strict as RFC 8725 would have it.
//!
//! The `jsonwebtoken` crate signs and checks signatures. It does not read the tokens: it would take any `typ` and an
//! unknown `crit`, an `exp` that is a fraction, and the time from the machine. What is accepted is what stands in
//! `compact.rs` and `claims.rs`, and the time is the injected clock's.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::check::{Expected, Refusal, check};
use super::claims::{self, Claims, WireClaims};
use super::compact::{self, Header};
use super::keyring::Keyring;
use super::{IssuedToken, Jwks, TokenDenial, TokenError, TokenIssuer, TokenRequest};
use crate::clock::{Clock, SystemClock};
use crate::entropy::{self, Entropy, OsEntropy};
use crate::secret::BearerToken;
use crate::verdict::Verdict;

/// Issues JWTs and verifies its own.
#[derive(Debug)]
pub struct JwtIssuer {
    keyring: Keyring,
    issuer: String,
    audience: String,
    lifetime: Option<Duration>,
    leeway: Duration,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl JwtIssuer {
    /// For how long a token of a session is good when nothing is said: it is refreshed.
    pub const LIFETIME_IN_SESSION: Duration = Duration::from_mins(15);
    /// For how long any other token is good when nothing is said.
    pub const LIFETIME: Duration = Duration::from_hours(1);
    /// The shortest lifetime of a token.
    pub const MIN_LIFETIME: Duration = Duration::from_mins(1);
    /// The longest lifetime of a token. One that claims a longer one is denied, whoever signed it.
    pub const MAX_LIFETIME: Duration = Duration::from_hours(24);
    /// The most leeway there may be.
    pub const MAX_LEEWAY: Duration = Duration::from_secs(30);

    /// Begins an issuer that signs with this ring. Its audience must be set.
    pub fn builder(keyring: Keyring) -> JwtIssuerBuilder {
        JwtIssuerBuilder {
            keyring: Some(keyring),
            ..Self::settings()
        }
    }

    /// The settings of an issuer whose keys come from elsewhere, as those of a [`StoredIssuer`](super::StoredIssuer) do. Its
    /// audience must be set.
    pub fn settings() -> JwtIssuerBuilder {
        JwtIssuerBuilder {
            keyring: None,
            issuer: "sakms".to_owned(),
            audience: String::new(),
            lifetime: None,
            leeway: Duration::from_secs(5),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
        }
    }

    fn make(&self, request: &TokenRequest) -> Result<IssuedToken, TokenError> {
        let by_default = self.lifetime.unwrap_or(match request.session {
            Some(_) => Self::LIFETIME_IN_SESSION,
            None => Self::LIFETIME,
        });
        let now = u64::try_from(self.clock.now().as_secs()).map_err(TokenError::new)?;
        let name = entropy::draw::<16>(&*self.entropy).map_err(TokenError::new)?;
        let key = self.keyring.signing();
        let lifetime = request.lifetime.unwrap_or(by_default).as_secs();
        if !(1..=Self::MAX_LIFETIME.as_secs()).contains(&lifetime) {
            return Err(TokenError::new("a token lives for 1 second to 24 hours"));
        }
        let mut extra = request.extra.clone();
        if let Some(grant) = &request.grant {
            claims::say(&mut extra, grant);
        }
        let audience = request.audience.as_ref();
        let header = Header {
            alg: key.algorithm().name().to_owned(),
            typ: compact::TYPE.to_owned(),
            kid: key.kid().to_owned(),
        };
        let claims = WireClaims {
            iss: self.issuer.clone(),
            aud: audience.map_or_else(|| self.audience.clone(), ToString::to_string),
            sub: request.subject.as_str().to_owned(),
            iat: now,
            nbf: now,
            exp: now.saturating_add(lifetime),
            jti: URL_SAFE_NO_PAD.encode(name),
            sid: request.session.map(|session| session.to_string()),
            extra,
        };
        let signed = compact::to_be_signed(&header, &claims)?;
        let signature = key.sign(signed.as_bytes())?;
        let token = compact::append(signed, &signature);
        if token.len() > compact::MAX_BYTES {
            // Nobody would look at it.
            return Err(TokenError::new("the claims are too large for a token"));
        }
        let (token, lifetime) = (BearerToken::new(token), Duration::from_secs(lifetime));
        Ok(IssuedToken::new(token, lifetime).meant_for(request.audience.clone()))
    }

    fn check(&self, text: &str) -> Result<Claims, Refusal> {
        let now = self.clock.now();
        let expected = Expected {
            issuer: &self.issuer,
            audience: &self.audience,
            leeway: self.leeway,
        };
        check(text, expected, now, |kid| self.keyring.find(kid, now))
    }
}

#[async_trait]
impl TokenIssuer for JwtIssuer {
    async fn issue(&self, request: &TokenRequest) -> Result<IssuedToken, TokenError> {
        self.make(request)
    }

    async fn verify(
        &self,
        token: &BearerToken,
    ) -> Result<Verdict<Claims, TokenDenial>, TokenError> {
        match self.check(token.expose()) {
            Ok(claims) => Ok(Verdict::Granted(claims)),
            Err(Refusal::Denied(reason)) => Ok(Verdict::Denied(reason)),
            Err(Refusal::Undecided(error)) => Err(error),
        }
    }

    fn jwks(&self) -> Option<Jwks> {
        Some(self.keyring.jwks(self.clock.now()))
    }
}

/// A [`JwtIssuer`] in the making.
#[derive(Debug)]
#[must_use]
pub struct JwtIssuerBuilder {
    keyring: Option<Keyring>,
    issuer: String,
    audience: String,
    lifetime: Option<Duration>,
    leeway: Duration,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl JwtIssuerBuilder {
    /// The longest issuer and audience, in bytes.
    pub const MAX_NAME_BYTES: usize = 256;

    /// Who makes the tokens (`iss`); `sakms` by default. A token of another issuer is denied, were it signed with
    /// the same key.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = issuer.into();
        self
    }

    /// For whom the tokens are meant (`aud`): the name of the application. There is no default.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = audience.into();
        self
    }

    /// For how long a token is good: 1 minute to 24 hours. When nothing is said, [`JwtIssuer::LIFETIME_IN_SESSION`] for one that
    /// belongs to a session, and [`JwtIssuer::LIFETIME`] for any other. Parts of a second do not count.
    pub const fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// How far the clocks of two nodes may differ: at most 30 seconds, by default 5.
    pub const fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Where the time comes from; by default the operating system.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Where the tokens' names come from; by default the operating system.
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = entropy;
        self
    }

    /// The issuer.
    ///
    /// # Errors
    /// [`InvalidTokenConfig`] for the first setting that is out of its bounds.
    pub fn build(mut self) -> Result<JwtIssuer, InvalidTokenConfig> {
        let keyring = self.keyring.take().ok_or(InvalidTokenConfig::Keyring)?;
        self.with_keyring(keyring)
    }

    /// An issuer with these settings and this ring.
    pub(super) fn with_keyring(&self, keyring: Keyring) -> Result<JwtIssuer, InvalidTokenConfig> {
        Ok(JwtIssuer {
            lifetime: self.check()?,
            keyring,
            issuer: self.issuer.clone(),
            audience: self.audience.clone(),
            leeway: self.leeway,
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
        })
    }

    /// Looks at every setting but the ring, and gives the lifetime in whole seconds, where one is set.
    pub(super) fn check(&self) -> Result<Option<Duration>, InvalidTokenConfig> {
        let is_name = |text: &str| {
            !text.is_empty()
                && text.len() <= Self::MAX_NAME_BYTES
                && !text.chars().any(char::is_control)
        };
        if !is_name(&self.issuer) {
            return Err(InvalidTokenConfig::Issuer);
        }
        if !is_name(&self.audience) {
            return Err(InvalidTokenConfig::Audience);
        }
        let lifetime = self
            .lifetime
            .map(|time| Duration::from_secs(time.as_secs()));
        let bounds = JwtIssuer::MIN_LIFETIME..=JwtIssuer::MAX_LIFETIME;
        if lifetime.is_some_and(|lifetime| !bounds.contains(&lifetime)) {
            return Err(InvalidTokenConfig::Lifetime);
        }
        if self.leeway > JwtIssuer::MAX_LEEWAY {
            return Err(InvalidTokenConfig::Leeway);
        }
        Ok(lifetime)
    }

    /// For how long a token may be taken for good after it was signed, on whichever node. One that was made in exchange for a
    /// key has a lifetime of its own, of an hour at most.
    pub(super) fn longest_good(&self) -> Duration {
        let lifetime = self.lifetime.unwrap_or_default();
        lifetime.max(JwtIssuer::LIFETIME) + 2 * self.leeway
    }

    pub(super) fn time(&self) -> &dyn Clock {
        &*self.clock
    }

    pub(super) fn randomness(&self) -> &dyn Entropy {
        &*self.entropy
    }
}

/// What an issuer cannot be made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidTokenConfig {
    /// The issuer.
    Issuer,
    /// The audience, or that there is none.
    Audience,
    /// The lifetime.
    Lifetime,
    /// The leeway.
    Leeway,
    /// There is no ring to sign with.
    Keyring,
}

impl fmt::Display for InvalidTokenConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Issuer => "the issuer of tokens is 1 to 256 bytes without control characters",
            Self::Audience => {
                "the audience of tokens must be set: 1 to 256 bytes without control characters"
            }
            Self::Lifetime => "a token lives for 1 minute to 24 hours",
            Self::Leeway => "the leeway for tokens is at most 30 seconds",
            Self::Keyring => "an issuer of tokens needs keys",
        })
    }
}

impl std::error::Error for InvalidTokenConfig {}
