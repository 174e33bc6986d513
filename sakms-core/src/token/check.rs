//! Whether a token is good, for whoever holds keys: the issuer, and services elsewhere.

use std::time::Duration;

use super::claims::{Claims, WireClaims};
use super::compact::{self, Compact};
use super::key::VerifyingKey;
use super::{JwtIssuer, TokenDenial, TokenError};
use crate::clock::Timestamp;

/// What a token has to say of itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) audience: &'a str,
    pub(super) leeway: Duration,
}

/// The signature comes first: before it, nothing is believed of a token but which key is to check it.
pub(super) fn check<'k>(
    text: &str,
    expected: Expected<'_>,
    now: Timestamp,
    find: impl FnOnce(&str) -> Result<&'k VerifyingKey, TokenDenial>,
) -> Result<Claims, Refusal> {
    let token = Compact::parse(text)?;
    if token.header.typ != compact::TYPE {
        return Err(TokenDenial::WrongType.into());
    }
    let key = find(&token.header.kid)?;
    if token.header.alg != key.algorithm().name() {
        return Err(TokenDenial::WrongAlgorithm.into());
    }
    if !key.verifies(token.signed, &token.signature)? {
        return Err(TokenDenial::Signature.into());
    }
    Ok(judge(token.claims()?, expected, now)?)
}

fn judge(
    claims: WireClaims,
    expected: Expected<'_>,
    now: Timestamp,
) -> Result<Claims, TokenDenial> {
    let (claims, not_before) = claims.read()?;
    if claims.issuer() != expected.issuer {
        return Err(TokenDenial::WrongIssuer);
    }
    if claims.audience() != expected.audience {
        return Err(TokenDenial::WrongAudience);
    }
    let (issued, expires) = (claims.issued_at(), claims.expires_at());
    if expires <= issued || expires.since(issued) > JwtIssuer::MAX_LIFETIME {
        return Err(TokenDenial::Claims);
    }
    if now >= expires && now.since(expires) >= expected.leeway {
        return Err(TokenDenial::Expired);
    }
    if not_before.since(now) > expected.leeway || issued.since(now) > expected.leeway {
        return Err(TokenDenial::NotYetValid);
    }
    Ok(claims)
}

/// Why a check came to an end: the two stay apart until they leave.
pub(super) enum Refusal {
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
