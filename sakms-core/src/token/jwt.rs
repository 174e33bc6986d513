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

use super::claims::{Claims, WireClaims};
use super::compact::{self, Compact, Header};
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
    lifetime: Duration,
    leeway: Duration,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl JwtIssuer {
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
            lifetime: Duration::from_hours(1),
            leeway: Duration::from_secs(5),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
        }
    }

    fn make(&self, request: &TokenRequest) -> Result<IssuedToken, TokenError> {
        let now = u64::try_from(self.clock.now().as_secs()).map_err(TokenError::new)?;
        let name = entropy::draw::<16>(&*self.entropy).map_err(TokenError::new)?;
        let key = self.keyring.signing();
        let header = Header {
            alg: key.algorithm().name().to_owned(),
            typ: compact::TYPE.to_owned(),
            kid: key.kid().to_owned(),
        };
        let claims = WireClaims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: request.subject.as_str().to_owned(),
            iat: now,
            nbf: now,
            exp: now.saturating_add(self.lifetime.as_secs()),
            jti: URL_SAFE_NO_PAD.encode(name),
            sid: request.session.map(|session| session.to_string()),
            extra: request.extra.clone(),
        };
        let signed = compact::to_be_signed(&header, &claims)?;
        let signature = key.sign(signed.as_bytes())?;
        let token = BearerToken::new(compact::append(signed, &signature));
        Ok(IssuedToken::new(token, self.lifetime))
    }

    /// The signature comes first: before it, nothing is believed of a token but which key is to check it.
    fn check(&self, text: &str) -> Result<Claims, Refusal> {
        let token = Compact::parse(text)?;
        if token.header.typ != compact::TYPE {
            return Err(TokenDenial::WrongType.into());
        }
        let key = self.keyring.find(&token.header.kid, self.clock.now())?;
        if token.header.alg != key.algorithm().name() {
            return Err(TokenDenial::WrongAlgorithm.into());
        }
        if !key.verifies(token.signed, &token.signature)? {
            return Err(TokenDenial::Signature.into());
        }
        Ok(self.judge(token.claims()?)?)
    }

    fn judge(&self, claims: WireClaims) -> Result<Claims, TokenDenial> {
        let (claims, not_before) = claims.read()?;
        if claims.issuer() != self.issuer {
            return Err(TokenDenial::WrongIssuer);
        }
        if claims.audience() != self.audience {
            return Err(TokenDenial::WrongAudience);
        }
        let (issued, expires) = (claims.issued_at(), claims.expires_at());
        if expires <= issued || expires.since(issued) > Self::MAX_LIFETIME {
            return Err(TokenDenial::Claims);
        }
        let now = self.clock.now();
        if now >= expires && now.since(expires) >= self.leeway {
            return Err(TokenDenial::Expired);
        }
        if not_before.since(now) > self.leeway || issued.since(now) > self.leeway {
            return Err(TokenDenial::NotYetValid);
        }
        Ok(claims)
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

/// Why a check came to an end: the two stay apart until they leave.
enum Refusal {
    Denied(TokenDenial),
    Undecided(TokenError),
}

impl From<TokenDenial> for Refusal {
    fn from(reason: TokenDenial) -> Self {
        Self::Denied(reason)
    }
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        Self::Undecided(error)
    }
}

/// A [`JwtIssuer`] in the making.
#[derive(Debug)]
#[must_use]
pub struct JwtIssuerBuilder {
    keyring: Option<Keyring>,
    issuer: String,
    audience: String,
    lifetime: Duration,
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

    /// For how long a token is good: 1 minute to 24 hours, by default 1 hour. Parts of a second do not count.
    pub const fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
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

    /// Looks at every setting but the ring, and gives the lifetime in whole seconds.
    pub(super) fn check(&self) -> Result<Duration, InvalidTokenConfig> {
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
        let lifetime = Duration::from_secs(self.lifetime.as_secs());
        if !(JwtIssuer::MIN_LIFETIME..=JwtIssuer::MAX_LIFETIME).contains(&lifetime) {
            return Err(InvalidTokenConfig::Lifetime);
        }
        if self.leeway > JwtIssuer::MAX_LEEWAY {
            return Err(InvalidTokenConfig::Leeway);
        }
        Ok(lifetime)
    }

    /// For how long a token may be taken for good after it was signed, on whichever node.
    pub(super) fn longest_good(&self) -> Duration {
        self.lifetime + 2 * self.leeway
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
