//! Checking tokens in a service that is not the issuer: with its public keys, without asking it for each token, and with
//! word of what was revoked.
//!
//! `source.rs` is how the host's HTTP client is asked, `keys.rs` what is made of a JWK set, `subject.rs` and `revoked.rs` what
//! is remembered of revocations, and `read.rs` how all of it is kept up to date.

mod builder;
mod keys;
mod read;
mod revoked;
mod source;
mod subject;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

pub use builder::{InvalidOfflineConfig, OfflineVerifierBuilder};
pub use source::{Fetched, OfflineSource};
pub(crate) use subject::RevocationSubject;

use super::check::{Expected, Refusal, check};
use super::{Claims, TokenDenial, TokenError};
use crate::clock::Clock;
use crate::secret::BearerToken;
use crate::verdict::Verdict;
use keys::KeySet;
use read::Reading;
use revoked::RevokedSet;

/// For how long a revocation can matter to a token that was issued before it: the longest lifetime there is, and room for
/// clocks that differ.
pub(crate) const REMEMBERED: Duration = Duration::from_hours(25);

/// Checks tokens of an issuer elsewhere, for one audience.
///
/// A check asks nobody: it goes by the keys and the revocations that were read last ([`follow`](Self::follow) reads them). What
/// it cannot know is never a yes: without keys, or when the last complete reading of revocations is longer ago than the bound,
/// the answer is an error.
///
/// ```
/// # use async_trait::async_trait;
/// use sakms_core::secret::BearerToken;
/// use sakms_core::token::{Fetched, OfflineSource, OfflineVerifier, TokenError};
/// use sakms_core::verdict::Verdict;
///
/// /// The host's HTTP client, with the address of the issuer and a key with the scope `keys:verify`.
/// #[derive(Debug)]
/// struct Issuer;
///
/// #[async_trait]
/// impl OfflineSource for Issuer {
///     async fn get(&self, target: &str) -> Result<Fetched, TokenError> {
///         // In earnest: GET https://keys.example + target, Authorization: Bearer sakms_live_…
///         let body = if target.starts_with("/.well-known/") {
///             r#"{"keys":[]}"#
///         } else {
///             r#"{"position":"0:0000000000000000000000000000000000000000000000000000000000000000","more":false,"revocations":[]}"#
///         };
///         Ok(Fetched::new(200, body))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let verifier = OfflineVerifier::builder("sakms", "https://reports.example".parse()?)
///     .source(Issuer)
///     .build()?;
/// // Once before serving, and then all the time: `tokio::spawn(async move { verifier.follow().await })`.
/// verifier.read().await?;
///
/// // With each request, without waiting:
/// let token = BearerToken::new("a.b.c".to_owned());
/// match verifier.verify(&token)? {
///     Verdict::Granted(claims) => println!("{} by {:?}", claims.subject(), claims.scopes()),
///     Verdict::Denied(reason) => println!("401: {reason}"),
/// }
/// # Ok(())
/// # }
/// ```
pub struct OfflineVerifier {
    issuer: String,
    audience: String,
    leeway: Duration,
    source: Option<Arc<dyn OfflineSource>>,
    follows_revocations: bool,
    every: Duration,
    bound: Duration,
    clock: Arc<dyn Clock>,
    known: RwLock<Known>,
    reading: tokio::sync::Mutex<Reading>,
    /// A token named a key that is not known.
    wants_keys: AtomicBool,
    wanted: tokio::sync::Notify,
}

/// What was read, and when by [`Clock::elapsed`].
struct Known {
    keys: Arc<KeySet>,
    /// When the reading of the keys began; nothing where they are given and not read.
    keys_at: Option<Duration>,
    revoked: RevokedSet,
    /// When the last complete reading of revocations began.
    revoked_at: Option<Duration>,
}

impl OfflineVerifier {
    /// How old the keys may be that were read. A key that was taken off the issuer's ring is trusted for so long at most.
    pub const MAX_KEY_AGE: Duration = Duration::from_hours(1);

    /// Begins a verifier of the tokens of this issuer (`iss`) for this audience (`aud`).
    pub fn builder(issuer: impl Into<String>, audience: super::Audience) -> OfflineVerifierBuilder {
        OfflineVerifierBuilder::new(issuer.into(), audience)
    }

    /// Whether this is a token of the issuer for this audience, now is its time, and nothing is known of the key, the owner or
    /// the session that it is of having been put an end to since it was issued. Asks nobody.
    ///
    /// A token of a key that is not known is denied; the next reading asks for the keys again, once a second at most.
    ///
    /// # Errors
    /// [`TokenError`] when it could not be decided: no keys or revocations were read yet, or not lately enough. That is never a
    /// yes, and should be answered as a failure of one's own (503) and not as a bad token.
    pub fn verify(&self, token: &BearerToken) -> Result<Verdict<Claims, TokenDenial>, TokenError> {
        let now = self.clock.now();
        let keys = self.current_keys()?;
        let expected = Expected {
            issuer: &self.issuer,
            audience: &self.audience,
            leeway: self.leeway,
        };
        let claims = match check(token.expose(), expected, now, |kid| keys.find(kid)) {
            Ok(claims) => claims,
            Err(Refusal::Denied(reason)) => {
                if reason == TokenDenial::UnknownKey && self.source.is_some() {
                    self.wants_keys.store(true, Ordering::Release);
                    self.wanted.notify_one();
                }
                return Ok(Verdict::Denied(reason));
            }
            Err(Refusal::Undecided(error)) => return Err(error),
        };
        if !self.follows_revocations {
            return Ok(Verdict::Granted(claims));
        }
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if known.revoked.refuses(&claims) {
            return Ok(Verdict::Denied(TokenDenial::Revoked));
        }
        match known
            .revoked_at
            .map(|at| self.clock.elapsed().saturating_sub(at))
        {
            Some(age) if age <= self.bound => Ok(Verdict::Granted(claims)),
            Some(_) => Err(TokenError::new("revocations were not read lately enough")),
            None => Err(TokenError::new("revocations were not read yet")),
        }
    }

    fn current_keys(&self) -> Result<Arc<KeySet>, TokenError> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if self.source.is_some() {
            match known
                .keys_at
                .map(|at| self.clock.elapsed().saturating_sub(at))
            {
                Some(age) if age <= Self::MAX_KEY_AGE => {}
                Some(_) => return Err(TokenError::new("keys were not read lately enough")),
                None if known.keys.is_empty() => {
                    return Err(TokenError::new("keys were not read yet"));
                }
                // Given, until they are read.
                None => {}
            }
        }
        Ok(Arc::clone(&known.keys))
    }
}

impl fmt::Debug for OfflineVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfflineVerifier")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .field("source", &self.source)
            .field("bound", &self.bound)
            .finish_non_exhaustive()
    }
}
