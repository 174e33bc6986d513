//! Tokens: what a person who has signed in shows with each request, for an hour or so.
//!
//! [`TokenIssuer`] is what the rest of SAKMS knows; a host may put a key-management service behind it.
//! [`JwtIssuer`] is the one that comes along: JWTs (RFC 7519) of the profile for access tokens (RFC 9068), signed
//! with a [`Keyring`] by EdDSA, ES256, RS256 or HS256.
//!
//! ```
//! # use sakms_core::{entropy::OsEntropy, key::Owner, verdict::Verdict};
//! # use sakms_core::token::{JwtIssuer, Keyring, SigningKey, TokenIssuer, TokenRequest};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let key = SigningKey::generate_ed25519(&OsEntropy)?;
//! let issuer = JwtIssuer::builder(Keyring::new(key)).audience("acme").build()?;
//! let ada: Owner = "ada".parse()?;
//! let issued = issuer.issue(&TokenRequest::new(ada.clone())).await?;
//! match issuer.verify(issued.token()).await? {
//!     Verdict::Granted(claims) => assert_eq!(*claims.subject(), ada),
//!     Verdict::Denied(reason) => panic!("{reason}"),
//! }
//! # Ok(())
//! # }
//! ```

mod algorithm;
mod audience;
mod check;
mod claims;
mod compact;
mod extra;
mod hmac_secret;
mod jwks;
mod jwt;
mod key;
mod keyring;
mod offline;
mod provider;
mod secret_check;
mod stored;

use std::error::Error;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

pub use algorithm::TokenAlgorithm;
pub use audience::{Audience, InvalidAudience};
pub use claims::Claims;
pub use extra::{ExtraClaims, InvalidClaim};
pub use hmac_secret::HmacSecret;
pub use jwks::{Jwks, PublicJwk};
pub use jwt::{InvalidTokenConfig, JwtIssuer, JwtIssuerBuilder};
pub use key::{InvalidTokenKey, SigningKey, VerifyingKey};
pub use keyring::{InvalidKeyring, Keyring};
pub use offline::{
    Fetched, InvalidOfflineConfig, OfflineSource, OfflineVerifier, OfflineVerifierBuilder,
};
pub use secret_check::InvalidSecret;
pub use stored::{KeyRotation, StoredIssuer, StoredKey};

pub(crate) use offline::{REMEMBERED, RevocationSubject};

use crate::id::{KeyId, SessionId};
use crate::key::{Owner, ScopeSet};
use crate::secret::BearerToken;
use crate::verdict::Verdict;

/// Makes tokens, and recognises its own.
#[async_trait]
pub trait TokenIssuer: fmt::Debug + Send + Sync + 'static {
    /// Makes a token for somebody whose identity has been proven. It does not ask whether they may have one.
    ///
    /// # Errors
    /// [`TokenError`] when none could be made.
    async fn issue(&self, request: &TokenRequest) -> Result<IssuedToken, TokenError>;

    /// Whether this is a token of this issuer, for this audience, and now is its time.
    ///
    /// Everything is checked, or the token is denied. What is not checked is what happened since it was issued:
    /// whether its subject may still come in is for the caller to ask.
    ///
    /// # Errors
    /// [`TokenError`] when it could not be decided. That is never a denial, nor the other way round.
    async fn verify(&self, token: &BearerToken)
    -> Result<Verdict<Claims, TokenDenial>, TokenError>;

    /// The public keys that its tokens can be checked with elsewhere, for whoever asks; an empty set where there is none
    /// but a secret, and nothing at all where none shall be published.
    fn jwks(&self) -> Option<Jwks>;
}

/// What a token is wanted for.
///
/// A host that says more in its tokens puts an issuer of its own in front of [`JwtIssuer`], which adds to what is wanted:
///
/// ```
/// # use async_trait::async_trait;
/// # use sakms_core::{secret::BearerToken, verdict::Verdict};
/// use sakms_core::token::{
///     Claims, IssuedToken, JwtIssuer, Jwks, TokenDenial, TokenError, TokenIssuer, TokenRequest,
/// };
///
/// #[derive(Debug)]
/// struct WithPlans(JwtIssuer);
///
/// #[async_trait]
/// impl TokenIssuer for WithPlans {
///     async fn issue(&self, request: &TokenRequest) -> Result<IssuedToken, TokenError> {
///         let mut request = request.clone();
///         // In earnest: of `request.subject`, from the host's own tables.
///         let extra = request.extra.with("plan", "gold");
///         request.extra = extra.map_err(TokenError::new)?;
///         self.0.issue(&request).await
///     }
///
///     async fn verify(&self, token: &BearerToken) -> Result<Verdict<Claims, TokenDenial>, TokenError> {
///         self.0.verify(token).await
///     }
///
///     fn jwks(&self) -> Option<Jwks> {
///         self.0.jwks()
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use sakms_core::token::{Keyring, SigningKey};
/// # let key = SigningKey::generate_ed25519(&sakms_core::entropy::OsEntropy)?;
/// # let issuer = WithPlans(JwtIssuer::builder(Keyring::new(key)).audience("acme").build()?);
/// # let issued = issuer.issue(&TokenRequest::new("ada".parse()?)).await?;
/// # let claims = issuer.verify(issued.token()).await?.into_result()?;
/// # assert_eq!(claims.extra().get::<String>("plan")?.as_deref(), Some("gold"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenRequest {
    /// Whom it will stand for: `sub`.
    pub subject: Owner,
    /// Which session it will belong to, if any: `sid`.
    pub session: Option<SessionId>,
    /// For whom it will be meant, if not for the issuer's own audience: `aud`. An issuer that makes it so says that of what it
    /// has made ([`IssuedToken::meant_for`]).
    pub audience: Option<Audience>,
    /// For how long it will be good, if not for as long as the issuer's tokens are; in whole seconds.
    pub lifetime: Option<Duration>,
    /// Which API key was exchanged for it and what it may do, if one was: `key_id`, `client_id` and `scope`.
    pub grant: Option<KeyGrant>,
    /// What the host says in it.
    pub extra: ExtraClaims,
}

impl TokenRequest {
    /// A token for `subject`, of no session and with nothing of the host's.
    #[must_use]
    pub const fn new(subject: Owner) -> Self {
        Self {
            subject,
            session: None,
            audience: None,
            lifetime: None,
            grant: None,
            extra: ExtraClaims::new(),
        }
    }
}

/// What an API key is exchanged for: a token may do what its scopes say.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyGrant {
    /// Which key.
    pub key: KeyId,
    /// What the token may do: no more than the key.
    pub scopes: ScopeSet,
}

impl KeyGrant {
    /// A grant of `key`.
    #[must_use]
    pub const fn new(key: KeyId, scopes: ScopeSet) -> Self {
        Self { key, scopes }
    }
}

/// A token that was just made.
#[derive(Debug)]
pub struct IssuedToken {
    token: BearerToken,
    expires_in: Duration,
    audience: Option<Audience>,
}

impl IssuedToken {
    /// A token and for how long it is good.
    #[must_use]
    pub const fn new(token: BearerToken, expires_in: Duration) -> Self {
        Self {
            token,
            expires_in,
            audience: None,
        }
    }

    /// The same, meant for somebody else than the issuer's own audience.
    #[must_use]
    pub fn meant_for(mut self, audience: Option<Audience>) -> Self {
        self.audience = audience;
        self
    }

    /// For whom it is meant, if not for the issuer's own audience.
    #[must_use]
    pub const fn audience(&self) -> Option<&Audience> {
        self.audience.as_ref()
    }

    /// The token, to be handed to whom it stands for and to nobody else.
    #[must_use]
    pub const fn token(&self) -> &BearerToken {
        &self.token
    }

    /// For how long it is good from now on, in whole seconds.
    #[must_use]
    pub const fn expires_in(&self) -> Duration {
        self.expires_in
    }

    /// The token itself.
    #[must_use]
    pub fn into_token(self) -> BearerToken {
        self.token
    }
}

/// Why a token was denied. For logs and counters: whoever showed it is told `invalid_token`, whatever the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenDenial {
    /// Not three parts of base64url, too long, or the header is not what an issuer of ours writes.
    Malformed,
    /// A JWT of some other kind: its `typ` is not `at+jwt`.
    WrongType,
    /// No key of the ring has its `kid`.
    UnknownKey,
    /// The key of the ring that has its `kid` verifies no more.
    RetiredKey,
    /// Its `alg` is not the one of its key.
    WrongAlgorithm,
    /// The signature is not that of its key.
    Signature,
    /// It is signed, but a claim is missing, occurs twice, has the wrong type or makes no sense.
    Claims,
    /// Another issuer made it.
    WrongIssuer,
    /// It is meant for somebody else.
    WrongAudience,
    /// Its time has passed.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// The key, the owner or the session that it is of was put an end to.
    Revoked,
}

impl fmt::Display for TokenDenial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the token is malformed",
            Self::WrongType => "the token is not an access token",
            Self::UnknownKey => "the token's key is not known",
            Self::RetiredKey => "the token's key is retired",
            Self::WrongAlgorithm => "the token's algorithm is not the one of its key",
            Self::Signature => "the token's signature is wrong",
            Self::Claims => "a claim of the token is missing or invalid",
            Self::WrongIssuer => "the token is from another issuer",
            Self::WrongAudience => "the token is for another audience",
            Self::Expired => "the token has expired",
            Self::NotYetValid => "the token is not valid yet",
            Self::Revoked => "what the token is of was revoked",
        })
    }
}

impl Error for TokenDenial {}

/// A token could not be made, or it could not be decided whether one is good.
///
/// The cause is for the log and is never shown to a client.
#[derive(Debug)]
pub struct TokenError(Box<dyn Error + Send + Sync>);

impl TokenError {
    /// An error with its cause, which must not hold a token or a part of a key.
    #[must_use]
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the issuer of tokens failed")
    }
}

impl Error for TokenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}
