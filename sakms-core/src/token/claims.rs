//! What a token says, and how it says it in JSON.

use serde::{Deserialize, Deserializer, Serialize};

use super::{ExtraClaims, TokenDenial};
use crate::clock::Timestamp;
use crate::id::SessionId;
use crate::key::Owner;

/// What a token says that was found to be good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    subject: Owner,
    issuer: String,
    audience: String,
    issued_at: Timestamp,
    expires_at: Timestamp,
    id: String,
    session: Option<SessionId>,
    extra: ExtraClaims,
}

impl Claims {
    /// The claims of a token that was verified, for who writes an issuer.
    #[must_use]
    pub const fn new(
        subject: Owner,
        issuer: String,
        audience: String,
        issued_at: Timestamp,
        expires_at: Timestamp,
        id: String,
    ) -> Self {
        Self {
            subject,
            issuer,
            audience,
            issued_at,
            expires_at,
            id,
            session: None,
            extra: ExtraClaims::new(),
        }
    }

    /// The same of a session.
    #[must_use]
    pub const fn of_session(mut self, session: SessionId) -> Self {
        self.session = Some(session);
        self
    }

    /// The same with these claims of the host's.
    #[must_use]
    pub fn with_extra(mut self, extra: ExtraClaims) -> Self {
        self.extra = extra;
        self
    }

    /// Whom the token stands for (`sub`).
    #[must_use]
    pub const fn subject(&self) -> &Owner {
        &self.subject
    }

    /// Who made it (`iss`).
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// For whom it is meant (`aud`).
    #[must_use]
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// When it was made (`iat`), to the second.
    #[must_use]
    pub const fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    /// From when on it is no longer good (`exp`), to the second and without any leeway.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Its own name (`jti`), unlike that of any other token of the issuer.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Which session it belongs to (`sid`), if it belongs to one.
    #[must_use]
    pub const fn session(&self) -> Option<SessionId> {
        self.session
    }

    /// What else it says.
    #[must_use]
    pub const fn extra(&self) -> &ExtraClaims {
        &self.extra
    }
}

/// The claims as JSON (RFC 7519, section 4.1). Each but `sid` is required and has one type: a time is a whole number of
/// seconds that is not negative, anything else is a string. One that occurs twice is refused; others are the host's.
#[derive(Serialize, Deserialize)]
pub(super) struct WireClaims {
    pub(super) iss: String,
    pub(super) aud: String,
    pub(super) sub: String,
    pub(super) iat: u64,
    pub(super) nbf: u64,
    pub(super) exp: u64,
    pub(super) jti: String,
    /// The name that the IANA registry has for a session. Left out or text, and never null.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub(super) sid: Option<String>,
    #[serde(flatten)]
    pub(super) extra: ExtraClaims,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    String::deserialize(deserializer).map(Some)
}

impl WireClaims {
    /// The longest name of a token, in bytes.
    const MAX_ID_BYTES: usize = 128;

    /// The claims in the library's own types, and the moment from which on they hold.
    pub(super) fn read(self) -> Result<(Claims, Timestamp), TokenDenial> {
        let not_before = moment(self.nbf)?;
        if self.jti.is_empty() || self.jti.len() > Self::MAX_ID_BYTES {
            return Err(TokenDenial::Claims);
        }
        let session = match self.sid {
            Some(sid) => Some(sid.parse().map_err(|_| TokenDenial::Claims)?),
            None => None,
        };
        let claims = Claims {
            subject: self.sub.parse().map_err(|_| TokenDenial::Claims)?,
            issuer: self.iss,
            audience: self.aud,
            issued_at: moment(self.iat)?,
            expires_at: moment(self.exp)?,
            id: self.jti,
            session,
            extra: self.extra,
        };
        Ok((claims, not_before))
    }
}

fn moment(seconds: u64) -> Result<Timestamp, TokenDenial> {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| seconds.checked_mul(1_000_000))
        .and_then(Timestamp::from_micros)
        .ok_or(TokenDenial::Claims)
}
