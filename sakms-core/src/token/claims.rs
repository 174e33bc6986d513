//! What a token says, and how it says it in JSON.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::{ExtraClaims, KeyGrant, TokenDenial};
use crate::clock::Timestamp;
use crate::id::{KeyId, SessionId};
use crate::key::{Owner, ScopeSet};

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
    grant: Option<KeyGrant>,
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
            grant: None,
            extra: ExtraClaims::new(),
        }
    }

    /// The same of a session.
    #[must_use]
    pub const fn of_session(mut self, session: SessionId) -> Self {
        self.session = Some(session);
        self
    }

    /// The same of an API key that was exchanged for it.
    #[must_use]
    pub fn of_key(mut self, grant: KeyGrant) -> Self {
        self.grant = Some(grant);
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

    /// Which API key was exchanged for it (`key_id`), if one was. Such a token is no sign-in: it may do what
    /// [`scopes`](Self::scopes) says.
    #[must_use]
    pub fn key(&self) -> Option<KeyId> {
        self.grant.as_ref().map(|grant| grant.key)
    }

    /// What a token may do that an API key was exchanged for (`scope`, RFC 9068 section 2.2.3); nothing for other tokens, of
    /// which scopes say nothing.
    #[must_use]
    pub fn scopes(&self) -> Option<&ScopeSet> {
        self.grant.as_ref().map(|grant| &grant.scopes)
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
    pub(super) fn read(mut self) -> Result<(Claims, Timestamp), TokenDenial> {
        let not_before = moment(self.nbf)?;
        if self.jti.is_empty() || self.jti.len() > Self::MAX_ID_BYTES {
            return Err(TokenDenial::Claims);
        }
        let session = match self.sid {
            Some(sid) => Some(sid.parse().map_err(|_| TokenDenial::Claims)?),
            None => None,
        };
        let grant = taken_from(&mut self.extra)?;
        if session.is_some() && grant.is_some() {
            return Err(TokenDenial::Claims);
        }
        let claims = Claims {
            subject: self.sub.parse().map_err(|_| TokenDenial::Claims)?,
            issuer: self.iss,
            audience: self.aud,
            issued_at: moment(self.iat)?,
            expires_at: moment(self.exp)?,
            id: self.jti,
            session,
            grant,
            extra: self.extra,
        };
        Ok((claims, not_before))
    }
}

/// The names of what a token says of the key that was exchanged for it. `key_id` says that there was one; without it the other
/// two are the host's, or another issuer's.
const KEY: &str = "key_id";
const CLIENT: &str = "client_id";
const SCOPE: &str = "scope";

/// Says which key was exchanged and what that allows. The key is the client too (RFC 9068, section 2.2), as it is where it is
/// asked about (RFC 7662).
pub(super) fn say(extra: &mut ExtraClaims, grant: &KeyGrant) {
    extra.put(KEY, grant.key.to_string());
    extra.put(CLIENT, grant.key.to_string());
    // A scope has a word at least (RFC 6749, section 3.3).
    if !grant.scopes.is_empty() {
        extra.put(SCOPE, grant.scopes.to_string());
    }
}

fn taken_from(extra: &mut ExtraClaims) -> Result<Option<KeyGrant>, TokenDenial> {
    let text = |value: Value| match value {
        Value::String(text) => Ok(text),
        _ => Err(TokenDenial::Claims),
    };
    let Some(key) = extra.take(KEY) else {
        return Ok(None);
    };
    let key = text(key)?;
    let client = extra.take(CLIENT).map(text).transpose()?;
    if client.is_some_and(|client| client != key) {
        return Err(TokenDenial::Claims);
    }
    let scopes = extra.take(SCOPE).map(text).transpose()?;
    Ok(Some(KeyGrant {
        key: key.parse().map_err(|_| TokenDenial::Claims)?,
        scopes: scopes
            .unwrap_or_default()
            .parse()
            .map_err(|_| TokenDenial::Claims)?,
    }))
}

fn moment(seconds: u64) -> Result<Timestamp, TokenDenial> {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| seconds.checked_mul(1_000_000))
        .and_then(Timestamp::from_micros)
        .ok_or(TokenDenial::Claims)
}
