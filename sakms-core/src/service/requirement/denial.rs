//! Why a key is refused.

use std::fmt;
use std::time::Duration;

use crate::key::{Scope, Tag};
use crate::service::limit::RateStanding;

/// Why a key was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyDenial {
    /// Not a key of this service: wrong shape, wrong prefix, wrong tag. Nothing was looked up.
    Malformed,
    /// No such secret, or not this one. The two are not told apart.
    Unknown,
    /// Another secret took this one's place, and the time for both is over.
    Retired,
    /// The key was revoked.
    Revoked,
    /// The key is switched off.
    Disabled,
    /// Its owner is disabled.
    OwnerDisabled,
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// It belongs to another environment than the guard's.
    WrongEnvironment,
    /// It does not hold this scope.
    MissingScope(Scope),
    /// It holds a scope that grants this one, and must not.
    ForbiddenScope(Scope),
    /// The request comes from an address the key may not be used from, or nobody knows from where.
    WrongAddress,
    /// It was used too often of late.
    #[non_exhaustive]
    RateLimited {
        /// Which of its rates is used up.
        name: Tag,
        /// When this request would pass, if nobody else came.
        retry_after: Duration,
        /// How all of its rates stand.
        rates: Box<[RateStanding]>,
    },
    /// The request costs more than a rate or the quota of the key ever allows: it will never pass.
    #[non_exhaustive]
    CostTooHigh {
        /// Which rate; the quota, when there is none.
        rate: Option<Tag>,
        /// The most it allows.
        most: u64,
    },
    /// Its quota is used up.
    #[non_exhaustive]
    QuotaExhausted {
        /// When the quota is full again; never by itself, when there is none.
        retry_after: Option<Duration>,
    },
}

impl KeyDenial {
    /// Its name in the journal and in figures: `missing_scope`.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
            Self::Disabled => "disabled",
            Self::OwnerDisabled => "owner_disabled",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::WrongEnvironment => "wrong_environment",
            Self::MissingScope(_) => "missing_scope",
            Self::ForbiddenScope(_) => "forbidden_scope",
            Self::WrongAddress => "wrong_address",
            Self::RateLimited { .. } => "rate_limited",
            Self::CostTooHigh { .. } => "cost_too_high",
            Self::QuotaExhausted { .. } => "quota_exhausted",
        }
    }
}

impl fmt::Display for KeyDenial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed | Self::Unknown => f.write_str("the key is not valid"),
            Self::Retired => f.write_str("the key's secret was replaced"),
            Self::Revoked => f.write_str("the key was revoked"),
            Self::Disabled => f.write_str("the key is disabled"),
            Self::OwnerDisabled => f.write_str("the key's owner is disabled"),
            Self::Expired => f.write_str("the key has expired"),
            Self::NotYetValid => f.write_str("the key is not valid yet"),
            Self::WrongEnvironment => f.write_str("the key belongs to another environment"),
            Self::MissingScope(scope) => write!(f, "the key does not hold the scope {scope}"),
            Self::ForbiddenScope(scope) => {
                write!(f, "the key holds the scope {scope}, which it must not here")
            }
            Self::WrongAddress => f.write_str("the key may not be used from this address"),
            Self::RateLimited { name, .. } => {
                write!(f, "the key's rate limit {name} is used up for the moment")
            }
            Self::CostTooHigh {
                rate: Some(rate),
                most,
            } => write!(
                f,
                "the request costs more than the key's rate limit {rate} ever allows, which is {most}"
            ),
            Self::CostTooHigh { rate: None, most } => write!(
                f,
                "the request costs more than the key's whole quota, which is {most}"
            ),
            Self::QuotaExhausted { .. } => f.write_str("the key's quota is used up"),
        }
    }
}

impl std::error::Error for KeyDenial {}
