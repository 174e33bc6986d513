//! Why a key would be refused: every gate of a check, asked without a check.
//!
//! It is no use of the key and takes nothing from its limits. Everything is read anew, nothing from what is remembered.

use std::num::NonZeroU32;

use crate::clock::Timestamp;
use crate::id::KeyId;
use crate::key::{KeyRecord, Quota, ScopeSet, UsedSecret};
use crate::service::caller::Caller;
use crate::service::error::Error;
use crate::service::requirement::{KeyDenial, Requirement};
use crate::service::verify::Circumstances;
use crate::service::{Inner, Sakms};

/// The request that is imagined.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Hypothesis {
    /// What would be asked of the key.
    pub requirement: Requirement,
    /// Where the request would come from and what it would cost.
    pub circumstances: Circumstances,
    /// When it would come; now, when nothing is said.
    pub at: Option<Timestamp>,
}

/// What each gate of a check would say, in the order in which they are asked. The first that refuses is the one that
/// decides.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// Which key.
    pub key: KeyId,
    /// For which moment.
    pub at: Timestamp,
    /// The gates.
    pub gates: Vec<Gate>,
}

/// A gate of a check, and what it would say.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gate {
    /// What it is about: `revoked`, `owner`, `disabled`, `expiry`, `secret`, `beginning`, `environment`, `address`,
    /// `scopes`, `rates`, `quota`.
    pub name: &'static str,
    /// Why it would refuse the key, if it would.
    pub denial: Option<KeyDenial>,
}

impl Explanation {
    /// The gate that would refuse the key, if one would.
    #[must_use]
    pub fn refused_by(&self) -> Option<&Gate> {
        self.gates.iter().find(|gate| gate.denial.is_some())
    }
}

/// What is known of a key when it is asked about.
struct Known {
    key: KeyRecord,
    owner_disabled: bool,
    secrets: Vec<UsedSecret>,
    /// With what its roles grant.
    scopes: ScopeSet,
    rates: Option<KeyDenial>,
    quota_taken: u64,
}

impl Sakms {
    /// Which gate would refuse a key, and why. For admins; of keys of every owner.
    ///
    /// What it cannot say is whether a text is one of this key, and how the key's rates stand on other nodes.
    ///
    /// # Errors
    /// [`Error::AdminOnly`]; [`Error::NotFound`] when there is no such key; [`Error::Store`] when it could not be read.
    #[tracing::instrument(name = "sakms.key.explain", skip_all, fields(key = %id))]
    pub async fn explain_key(
        &self,
        caller: &Caller,
        id: KeyId,
        hypothesis: &Hypothesis,
    ) -> Result<Explanation, Error> {
        caller.require_admin()?;
        let key = self.get_key(caller, id).await?;
        let at = hypothesis.at.unwrap_or_else(|| self.inner.clock.now());
        let known = self.all_about(key, &hypothesis.circumstances, at).await?;
        Ok(Explanation {
            key: id,
            at,
            gates: gates(&known, hypothesis, at),
        })
    }

    async fn all_about(
        &self,
        key: KeyRecord,
        circumstances: &Circumstances,
        at: Timestamp,
    ) -> Result<Known, Error> {
        let Inner {
            keys, cache, clock, ..
        } = &*self.inner;
        let owner_disabled = keys.owner_disabled_at(&key.owner).await?.is_some();
        let secrets = keys.secrets(key.id).await?;
        let scopes = if key.roles.is_empty() {
            key.scopes.clone()
        } else {
            let roles = keys.roles().await?;
            let held = roles.iter().filter(|role| key.roles.contains(&role.name));
            let granted = held.flat_map(|role| role.scopes.iter());
            key.scopes.iter().chain(granted).cloned().collect()
        };
        let quota_taken = match &key.limits.quota {
            Some(quota) => keys.quota_taken(key.id, quota.refill.period_of(at)).await?,
            None => 0,
        };
        // As they stand on this node, and as they will by then when nothing else is taken.
        let then = clock.elapsed() + at.since(clock.now());
        let rates = cache.rates_aside(key.id, &key.limits.rates, then);
        let rates = rates
            .take(circumstances.cost, then)
            .err()
            .map(KeyDenial::from);
        Ok(Known {
            key,
            owner_disabled,
            secrets,
            scopes,
            rates,
            quota_taken,
        })
    }
}

/// Every gate, in the order of a check. A new one is a line here.
fn gates(known: &Known, hypothesis: &Hypothesis, at: Timestamp) -> Vec<Gate> {
    let Known { key, .. } = known;
    let Hypothesis {
        requirement,
        circumstances,
        ..
    } = hypothesis;
    let since = |moment: Option<Timestamp>| moment.is_some_and(|moment| moment <= at);
    let gate = |name, refuses: bool, denial| Gate {
        name,
        denial: refuses.then_some(denial),
    };
    let retired = !known
        .secrets
        .iter()
        .any(|used| !since(used.record.retired_at));
    let early = key.not_before.is_some_and(|start| at < start);
    let asked = |name, denial| Gate { name, denial };
    vec![
        gate("revoked", key.revoked_at.is_some(), KeyDenial::Revoked),
        gate("owner", known.owner_disabled, KeyDenial::OwnerDisabled),
        gate("disabled", key.disabled_at.is_some(), KeyDenial::Disabled),
        gate("expiry", since(key.expires_at), KeyDenial::Expired),
        gate("secret", retired, KeyDenial::Retired),
        gate("beginning", early, KeyDenial::NotYetValid),
        asked(
            "environment",
            requirement.wrong_environment(&key.environment),
        ),
        asked("address", wrong_address(key, circumstances)),
        asked("scopes", requirement.unmet_scope(&known.scopes)),
        asked("rates", known.rates.clone()),
        asked(
            "quota",
            over_quota(key, known.quota_taken, circumstances.cost, at),
        ),
    ]
}

fn wrong_address(key: &KeyRecord, circumstances: &Circumstances) -> Option<KeyDenial> {
    let ranges = &key.limits.ip_ranges;
    let inside = |address| ranges.iter().any(|range| range.contains(address));
    let right = ranges.is_empty() || circumstances.address.is_some_and(inside);
    (!right).then_some(KeyDenial::WrongAddress)
}

fn over_quota(key: &KeyRecord, taken: u64, cost: NonZeroU32, at: Timestamp) -> Option<KeyDenial> {
    let Quota { amount, refill, .. } = key.limits.quota?;
    let (amount, cost) = (amount.get(), u64::from(cost.get()));
    if cost > amount {
        let (rate, most) = (None, amount);
        return Some(KeyDenial::CostTooHigh { rate, most });
    }
    if taken.saturating_add(cost) <= amount {
        return None;
    }
    let retry_after = refill.next_after(at).map(|full| full.since(at));
    Some(KeyDenial::QuotaExhausted { retry_after })
}
