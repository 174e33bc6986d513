//! What owners and admins look at, as JSON.

use std::net::IpAddr;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::ask::circumstances;
use super::read::parsed;
use crate::account::AccountRole;
use crate::clock::Timestamp;
use crate::http::problem::Problem;
use crate::id::{AccountId, KeyId};
use crate::key::{Day, DayUse, Environment};
use crate::service::{self, Explanation, Hypothesis, KeyUsage, ListedAccount, Requirement};

/// A request that is imagined.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::ExplainKey))]
pub(in crate::http) struct ExplainKey {
    /// Which scopes the key must hold or must not: scopes, `and`, `or`, `not` and parentheses.
    #[serde(default, deserialize_with = "parsed")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, max_length = 1024))]
    requirement: Option<Requirement>,
    /// Of which environment it must be; of any, when nothing is said.
    #[serde(default)]
    environment: Option<Environment>,
    /// Where the request comes from.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    address: Option<IpAddr>,
    /// What it costs; 1, when nothing is said.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u32>, minimum = 1))]
    cost: Option<NonZeroU32>,
    /// When it comes; now, when nothing is said.
    #[serde(default)]
    at: Option<Timestamp>,
}

impl From<ExplainKey> for Hypothesis {
    fn from(body: ExplainKey) -> Self {
        let mut requirement = body.requirement.unwrap_or_default();
        if let Some(environment) = body.environment {
            requirement = requirement.environment(environment);
        }
        Self {
            requirement,
            circumstances: circumstances(body.address, body.cost),
            at: body.at,
        }
    }
}

/// What each gate of a check would say.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::Explained))]
pub(in crate::http) struct Explained<'a> {
    key_id: KeyId,
    /// For which moment.
    at: Timestamp,
    /// Whether the key would be let in.
    allowed: bool,
    /// The first gate that refuses it.
    #[cfg_attr(feature = "openapi", schema(required))]
    refused_by: Option<&'a str>,
    /// Every gate, in the order in which they are asked.
    gates: Vec<Gate<'a>>,
}

/// What a gate would say.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::Gate))]
struct Gate<'a> {
    /// What it is about: `revoked`, `owner`, `disabled`, `expiry`, `secret`, `beginning`, `environment`, `address`,
    /// `scopes`, `rates`, `quota`.
    #[serde(rename = "gate")]
    name: &'a str,
    /// Whether the key passes it.
    passes: bool,
    /// The code that a guard would answer with.
    #[cfg_attr(feature = "openapi", schema(required))]
    code: Option<&'static str>,
    /// Why it does not pass.
    #[cfg_attr(feature = "openapi", schema(required))]
    detail: Option<String>,
}

impl<'a> From<&'a service::Gate> for Gate<'a> {
    fn from(gate: &'a service::Gate) -> Self {
        let code = |denial| Problem::key_denied(denial).code();
        Self {
            name: gate.name,
            passes: gate.denial.is_none(),
            code: gate.denial.as_ref().map(code),
            // An admin may know whether it is the key or its owner.
            detail: gate.denial.as_ref().map(ToString::to_string),
        }
    }
}

impl<'a> From<&'a Explanation> for Explained<'a> {
    fn from(explanation: &'a Explanation) -> Self {
        let refused_by = explanation.refused_by().map(|gate| gate.name);
        Self {
            key_id: explanation.key,
            at: explanation.at,
            allowed: refused_by.is_none(),
            refused_by,
            gates: explanation.gates.iter().map(Gate::from).collect(),
        }
    }
}

/// How a key was used.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::Usage))]
pub(in crate::http) struct Usage {
    key_id: KeyId,
    /// The first day.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    from: Day,
    /// The last day.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    to: Day,
    /// How often it was let in on all of these days.
    allowed: u64,
    /// How often it was refused on all of these days, though its secret was right.
    refused: u64,
    /// The days on which something was counted, in order.
    #[cfg_attr(feature = "openapi", schema(max_items = 400))]
    days: Vec<DayCount>,
}

/// How a key was used on a day.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::DayUse))]
struct DayCount {
    /// Which day, in UTC.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    day: Day,
    /// How often it was let in.
    allowed: u64,
    /// How often it was refused, though its secret was right.
    refused: u64,
}

impl From<&DayUse> for DayCount {
    fn from(day: &DayUse) -> Self {
        Self {
            day: day.day,
            allowed: day.allowed,
            refused: day.refused,
        }
    }
}

impl From<&KeyUsage> for Usage {
    fn from(usage: &KeyUsage) -> Self {
        Self {
            key_id: usage.key,
            from: usage.from,
            to: usage.to,
            allowed: usage.allowed(),
            refused: usage.refused(),
            days: usage.days.iter().map(DayCount::from).collect(),
        }
    }
}

/// An account, as an admin sees it.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::Account))]
pub(in crate::http) struct Account<'a> {
    /// The account's id, which owns its keys.
    id: AccountId,
    /// The address as it was given.
    #[cfg_attr(feature = "openapi", schema(format = Email))]
    email: &'a str,
    /// What it may do besides managing its own keys.
    roles: &'a [AccountRole],
    created_at: Timestamp,
    /// Whether it is shut out, with everything it holds.
    disabled: bool,
    /// Since when.
    #[cfg_attr(feature = "openapi", schema(required))]
    disabled_at: Option<Timestamp>,
}

impl<'a> From<&'a ListedAccount> for Account<'a> {
    fn from(listed: &'a ListedAccount) -> Self {
        let account = &listed.account;
        Self {
            id: account.id,
            email: &account.email,
            roles: &account.roles,
            created_at: account.created_at,
            disabled: listed.disabled_at.is_some(),
            disabled_at: listed.disabled_at,
        }
    }
}
