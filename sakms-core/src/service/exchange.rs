//! Exchanging an API key for a short token that other services check by themselves (RFC 8693).

use std::fmt;
use std::time::Duration;

use super::error::Error;
use super::requirement::{KeyDenial, Requirement};
use super::verified::VerifiedKey;
use super::verify::Circumstances;
use super::{BuildError, Inner, Sakms};
use crate::key::{Environment, ScopeSet};
use crate::secret::PresentedKey;
use crate::token::{Audience, IssuedToken, KeyGrant, TokenError, TokenRequest};
use crate::verdict::Verdict;

/// For whom API keys are exchanged for tokens, and for how long those are good.
///
/// A key of the service's first environment is exchanged, as at a guard, unless an audience is said to be for another one.
///
/// ```
/// # use sakms_core::service::TokenExchange;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let exchange = TokenExchange::new()
///     .audience("https://reports.example".parse()?)
///     .audience_in("https://reports.test.example".parse()?, "test".parse()?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct TokenExchange {
    audiences: Vec<(Audience, Option<Environment>)>,
    lifetime: Duration,
}

impl TokenExchange {
    /// What the type of an API key is called in a request (RFC 8693, section 3).
    pub const API_KEY_TYPE: &str = "urn:sakms:params:oauth:token-type:api-key";
    /// The shortest lifetime of a token.
    pub const MIN_LIFETIME: Duration = Duration::from_secs(30);
    /// The longest lifetime of a token: no longer than [`JwtIssuer::LIFETIME`](crate::token::JwtIssuer::LIFETIME), for so long a key
    /// that signed verifies at least. A key that is revoked goes on for so long where nobody reads of revocations.
    pub const MAX_LIFETIME: Duration = Duration::from_hours(1);
    /// How many audiences there may be.
    pub const MAX_AUDIENCES: usize = 256;
    /// How long the scopes of a token may be together, in bytes: a token is carried by every request.
    pub const MAX_SCOPE_BYTES: usize = 4 * 1024;

    /// For nobody yet, for 5 minutes.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            audiences: Vec::new(),
            lifetime: Duration::from_mins(5),
        }
    }

    /// For this audience too, keys of the service's first environment. It must not be the audience of the service's own tokens.
    #[must_use]
    pub fn audience(mut self, audience: Audience) -> Self {
        self.audiences.push((audience, None));
        self
    }

    /// For this audience too, keys of this environment.
    #[must_use]
    pub fn audience_in(mut self, audience: Audience, environment: Environment) -> Self {
        self.audiences.push((audience, Some(environment)));
        self
    }

    /// For how long a token is good, and never past the end of its key: 30 seconds to 1 hour, by default 5 minutes. Parts of a
    /// second do not count.
    #[must_use]
    pub const fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Whether it can be done so, in these environments.
    pub(super) fn check(&self, environments: &[Environment]) -> Result<(), BuildError> {
        let fail = |why| Err(BuildError::Exchange(why));
        if self.audiences.is_empty() {
            return fail("keys are exchanged for nobody: name an audience");
        }
        if self.audiences.len() > Self::MAX_AUDIENCES {
            return fail("keys are exchanged for 256 audiences at most");
        }
        let mut seen = std::collections::HashSet::new();
        for (audience, environment) in &self.audiences {
            if !seen.insert(audience) {
                return fail("an audience of the exchange is named twice");
            }
            if environment
                .as_ref()
                .is_some_and(|named| !environments.contains(named))
            {
                return fail(
                    "an audience of the exchange is for an environment that the service does not have",
                );
            }
        }
        let lifetime = Duration::from_secs(self.lifetime.as_secs());
        if !(Self::MIN_LIFETIME..=Self::MAX_LIFETIME).contains(&lifetime) {
            return fail("an exchanged token lives for 30 seconds to 1 hour");
        }
        Ok(())
    }
}

impl Default for TokenExchange {
    fn default() -> Self {
        Self::new()
    }
}

/// A token that a key was exchanged for.
#[derive(Debug)]
#[non_exhaustive]
pub struct ExchangedToken {
    /// The token.
    pub token: IssuedToken,
    /// What it may do.
    pub scopes: ScopeSet,
    /// The key, and how its limits stand.
    pub key: VerifiedKey,
}

/// Why a key was not exchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExchangeDenial {
    /// Nothing is exchanged for this audience.
    Audience,
    /// The key is not good, or does not hold a scope that was asked for.
    Key(KeyDenial),
    /// The scopes are too long together.
    TooManyScopes,
}

impl fmt::Display for ExchangeDenial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Audience => f.write_str("keys are not exchanged for this audience"),
            Self::Key(denial) => denial.fmt(f),
            Self::TooManyScopes => f.write_str("the scopes have more than 4,096 bytes together"),
        }
    }
}

impl std::error::Error for ExchangeDenial {}

impl Sakms {
    /// Whether API keys are exchanged for tokens here.
    #[must_use]
    pub fn exchanges_keys(&self) -> bool {
        self.inner.exchange.is_some()
    }

    /// Exchanges an API key for a short token that another service can check by itself: with these scopes, or with all of the
    /// key's. The key is checked as at a guard, and it is a use of the key.
    ///
    /// # Errors
    /// [`Error::NotOffered`] where nothing is exchanged; [`Error::Store`], [`Error::Hash`] and [`Error::Token`] when it could
    /// not be decided or made, which is never a denial.
    #[tracing::instrument(name = "sakms.key.exchange", skip_all)]
    pub async fn exchange_key(
        &self,
        presented: &PresentedKey,
        audience: &str,
        scopes: Option<ScopeSet>,
        circumstances: &Circumstances,
    ) -> Result<Verdict<ExchangedToken, ExchangeDenial>, Error> {
        let Inner {
            tokens,
            exchange,
            clock,
            ..
        } = &*self.inner;
        let (Some(tokens), Some(exchange)) = (tokens, exchange) else {
            return Err(Error::NotOffered);
        };
        let mut audiences = exchange.audiences.iter();
        let Some((audience, environment)) = audiences.find(|(known, _)| known.as_str() == audience)
        else {
            return Ok(Verdict::Denied(ExchangeDenial::Audience));
        };
        let environment = environment.as_ref();
        let environment = environment.unwrap_or_else(|| self.first_environment());
        let wanted = match &scopes {
            Some(scopes) => Requirement::holding(scopes),
            None => Requirement::any_key(),
        };
        let requirement = wanted.environment(environment.clone());
        let verdict = self.verify_with(presented, &requirement, circumstances);
        let key = match verdict.await? {
            Verdict::Granted(key) => key,
            Verdict::Denied(denial) => return Ok(Verdict::Denied(ExchangeDenial::Key(denial))),
        };
        let scopes = scopes.unwrap_or_else(|| key.scopes().clone());
        if scopes.to_string().len() > TokenExchange::MAX_SCOPE_BYTES {
            return Ok(Verdict::Denied(ExchangeDenial::TooManyScopes));
        }
        // Both ends of a token are whole seconds, so the rest of the key's life is counted in those.
        let rest = key.expires_at().map_or(u64::MAX, |end| {
            let rest = end.as_secs().saturating_sub(clock.now().as_secs());
            u64::try_from(rest).unwrap_or(0)
        });
        if rest == 0 {
            return Ok(Verdict::Denied(ExchangeDenial::Key(KeyDenial::Expired)));
        }
        let mut request = TokenRequest::new(key.owner().clone());
        request.audience = Some(audience.clone());
        request.lifetime = Some(Duration::from_secs(rest.min(exchange.lifetime.as_secs())));
        request.grant = Some(KeyGrant::new(key.key_id(), scopes.clone()));
        let token = tokens.issue(&request).await?;
        if token.audience() != Some(audience) {
            // An issuer that does not know of audiences has made a token that signs somebody in here.
            return Err(TokenError::new("the issuer made a token for another audience").into());
        }
        Ok(Verdict::Granted(ExchangedToken { token, scopes, key }))
    }
}
