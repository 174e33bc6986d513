//! Asking about keys from elsewhere, as JSON.

use std::net::IpAddr;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::read::parsed;
use crate::clock::Timestamp;
use crate::http::problem::Problem;
use crate::id::KeyId;
use crate::key::{Environment, KeyName, Metadata, Owner, ScopeSet};
use crate::secret::PresentedKey;
use crate::service::{Circumstances, Found, KeyDenial, Question, Requirement, VerifiedKey};
use crate::verdict::Verdict;

/// A key, and what it must be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::VerifyKey))]
pub(in crate::http) struct VerifyKey {
    /// The text that was presented.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Password))]
    key: PresentedKey,
    /// Which scopes it must hold or must not: scopes, `and`, `or`, `not` and parentheses. Any key, when nothing is said.
    #[serde(default, deserialize_with = "parsed")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, max_length = 1024))]
    requirement: Option<Requirement>,
    /// Of which environment it must be; the service's first one, when nothing is said.
    #[serde(default)]
    environment: Option<Environment>,
    /// Where the request came from: a key that may be used from some addresses only is refused without it.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    address: Option<IpAddr>,
    /// What the request takes out of the key's rates and quota; 1, when nothing is said.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u32>, minimum = 1))]
    cost: Option<NonZeroU32>,
}

/// Keys, and what each of them must be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::VerifyKeys))]
pub(in crate::http) struct VerifyKeys {
    /// The texts that were presented.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>, max_items = 100))]
    keys: Vec<PresentedKey>,
    /// Which scopes they must hold or must not: scopes, `and`, `or`, `not` and parentheses. Any key, when nothing is said.
    #[serde(default, deserialize_with = "parsed")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, max_length = 1024))]
    requirement: Option<Requirement>,
    /// Of which environment they must be; the service's first one, when nothing is said.
    #[serde(default)]
    environment: Option<Environment>,
    /// Where the request came from.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    address: Option<IpAddr>,
    /// What the request takes out of each key's rates and quota; 1, when nothing is said.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u32>, minimum = 1))]
    cost: Option<NonZeroU32>,
}

impl VerifyKey {
    pub(in crate::http) fn taken(self) -> (PresentedKey, Question) {
        let Self {
            key,
            requirement,
            environment,
            address,
            cost,
        } = self;
        (key, question(requirement, environment, address, cost))
    }
}

impl VerifyKeys {
    pub(in crate::http) fn taken(self) -> (Vec<PresentedKey>, Question) {
        let Self {
            keys,
            requirement,
            environment,
            address,
            cost,
        } = self;
        (keys, question(requirement, environment, address, cost))
    }
}

/// A question of these parts; each may be left out.
pub(in crate::http) fn question(
    requirement: Option<Requirement>,
    environment: Option<Environment>,
    address: Option<IpAddr>,
    cost: Option<NonZeroU32>,
) -> Question {
    Question {
        requirement: requirement.unwrap_or_default(),
        environment,
        circumstances: circumstances(address, cost),
    }
}

pub(in crate::http) fn circumstances(
    address: Option<IpAddr>,
    cost: Option<NonZeroU32>,
) -> Circumstances {
    let cost = cost.unwrap_or(NonZeroU32::MIN);
    Circumstances { address, cost }
}

/// What came of asking about a key. Of one that is not good nothing is said but why.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::Verification))]
#[expect(
    clippy::option_option,
    reason = "a key without an end says so, and one that is not good says nothing"
)]
pub(in crate::http) struct Verification<'a> {
    /// Whether the key is good for this.
    valid: bool,
    /// `valid`, or the code that a guard would answer with: `invalid_key`, `key_revoked`, `insufficient_scope`, …
    code: &'static str,
    /// Why not, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// After how many seconds it is worth asking again, when a limit is used up that fills again.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    /// Which key. This and what follows is there when the key is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<KeyId>,
    /// Who holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'a Owner>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a KeyName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<&'a Environment>,
    /// What it may do, by itself and by its roles.
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<&'a ScopeSet>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a Metadata>,
    /// From when on it will be refused; null for one that has no end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Timestamp>))]
    expires_at: Option<Option<Timestamp>>,
}

impl<'a> From<&'a Found> for Verification<'a> {
    fn from(found: &'a Found) -> Self {
        match found {
            Verdict::Granted(key) => Self {
                key_id: Some(key.key_id()),
                owner: Some(key.owner()),
                name: Some(key.name()),
                environment: Some(key.environment()),
                scopes: Some(key.scopes()),
                metadata: Some(key.metadata()),
                expires_at: Some(key.expires_at()),
                ..Self::of(true, "valid")
            },
            Verdict::Denied(denial) => Self::refused(denial),
        }
    }
}

impl Verification<'_> {
    /// With nothing said of the key.
    const fn of(valid: bool, code: &'static str) -> Self {
        Self {
            valid,
            code,
            detail: None,
            retry_after: None,
            key_id: None,
            owner: None,
            name: None,
            environment: None,
            scopes: None,
            metadata: None,
            expires_at: None,
        }
    }

    /// The same words as a guard's.
    pub(in crate::http) fn refused(denial: &KeyDenial) -> Self {
        let wait = match denial {
            KeyDenial::RateLimited { retry_after, .. } => Some(*retry_after),
            KeyDenial::QuotaExhausted { retry_after, .. } => *retry_after,
            _ => None,
        };
        let problem = Problem::key_denied(denial);
        Self {
            detail: Some(problem.detail().to_owned()),
            retry_after: wait.map(|wait| crate::http::answer::whole_seconds(wait).max(1)),
            ..Self::of(false, problem.code())
        }
    }
}

/// What came of asking about a token (RFC 7662, section 2.2). Of one that is not good nothing is said.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::Introspection))]
pub(in crate::http) struct Introspection {
    /// Whether it is good.
    pub(in crate::http) active: bool,
    /// What it may do, separated by spaces. Of API keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) scope: Option<String>,
    /// Which key it is. Of API keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) client_id: Option<String>,
    /// Who holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) sub: Option<String>,
    /// `Bearer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) token_type: Option<&'static str>,
    /// From when on it is refused, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) exp: Option<i64>,
    /// When it was made, in seconds since 1970. Of JWTs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) iat: Option<i64>,
    /// Who made it. Of JWTs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) iss: Option<String>,
    /// For whom it is meant. Of JWTs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) aud: Option<String>,
    /// Its name. Of JWTs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) jti: Option<String>,
    /// Which environment it opens. Of API keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) environment: Option<String>,
}

impl From<&VerifiedKey> for Introspection {
    fn from(key: &VerifiedKey) -> Self {
        Self {
            active: true,
            scope: Some(key.scopes().to_string()),
            client_id: Some(key.key_id().to_string()),
            sub: Some(key.owner().to_string()),
            token_type: Some("Bearer"),
            exp: key.expires_at().map(Timestamp::as_secs),
            environment: Some(key.environment().to_string()),
            ..Self::default()
        }
    }
}

impl From<&crate::token::Claims> for Introspection {
    fn from(claims: &crate::token::Claims) -> Self {
        Self {
            active: true,
            sub: Some(claims.subject().to_string()),
            token_type: Some("Bearer"),
            exp: Some(claims.expires_at().as_secs()),
            iat: Some(claims.issued_at().as_secs()),
            iss: Some(claims.issuer().to_owned()),
            aud: Some(claims.audience().to_owned()),
            jti: Some(claims.id().to_owned()),
            ..Self::default()
        }
    }
}

/// A token that is asked about, as a form.
#[cfg(feature = "openapi")]
#[derive(utoipa::ToSchema)]
#[schema(as = sakms::IntrospectToken)]
#[expect(dead_code, reason = "describes a form, which is read field by field")]
pub(in crate::http) struct IntrospectToken {
    /// An API key or a JWT of this service.
    #[schema(format = Password)]
    token: String,
    /// What it is. It is found out anyway.
    token_type_hint: Option<String>,
    /// Of which environment a key must be; the service's first one, when nothing is said.
    environment: Option<String>,
    /// Where the request came from: a key that may be used from some addresses only is not active without it.
    address: Option<String>,
}

/// A token that is put an end to, as a form.
#[cfg(feature = "openapi")]
#[derive(utoipa::ToSchema)]
#[schema(as = sakms::RevokeToken)]
#[expect(dead_code, reason = "describes a form, which is read field by field")]
pub(in crate::http) struct RevokeToken {
    /// An API key of this service.
    #[schema(format = Password)]
    token: String,
    /// What it is. It is found out anyway.
    token_type_hint: Option<String>,
}
