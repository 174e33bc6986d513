//! What only some keys have, kept apart so that the others take no room for it and no time.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::key::{
    IpRange, KeyRecord, Limits, Metadata, Quota, Role, RoleSet, ScopeSet, StoredSecret,
};
use crate::service::limit::{KeyRates, Limiters, Retiring};

#[derive(Debug)]
pub(in crate::service) struct Particulars {
    /// Before when it is refused.
    pub(in crate::service) not_before: Option<Timestamp>,
    pub(in crate::service) roles: RoleSet,
    /// What it may do without its roles.
    pub(in crate::service) own_scopes: ScopeSet,
    /// From where it may be used; from anywhere, when there is none.
    pub(in crate::service) ip_ranges: Box<[IpRange]>,
    pub(in crate::service) rates: Option<Arc<KeyRates>>,
    pub(in crate::service) quota: Option<Quota>,
    /// When this secret retires, where that is to come.
    pub(in crate::service) retiring: Option<Retiring>,
    pub(super) retired_at: Option<Timestamp>,
    pub(super) metadata: Metadata,
}

impl Particulars {
    /// What a key has of these; `None` for one that has nothing. What it may do by its roles is added to its scopes.
    pub(super) fn of(
        StoredSecret { key, secret, .. }: &mut StoredSecret,
        roles: &[Role],
        retiring: Option<Retiring>,
        (limiters, now): (&Limiters, Duration),
    ) -> Option<Box<Self>> {
        let KeyRecord {
            id,
            scopes,
            roles: held,
            limits,
            not_before,
            metadata,
            ..
        } = key;
        let Limits {
            rates,
            ip_ranges,
            quota,
        } = std::mem::take(limits);
        let rates = limiters.of(*id, &rates, now);
        let has_something = !held.is_empty()
            || not_before.is_some()
            || !ip_ranges.is_empty()
            || rates.is_some()
            || quota.is_some()
            || secret.retired_at.is_some()
            || *metadata != Metadata::default();
        if !has_something {
            return None;
        }
        let own_scopes = scopes.clone();
        if !held.is_empty() {
            let held = roles.iter().filter(|role| held.contains(&role.name));
            let granted = held.flat_map(|role| role.scopes.iter());
            *scopes = own_scopes.iter().chain(granted).cloned().collect();
        }
        Some(Box::new(Self {
            not_before: *not_before,
            roles: std::mem::take(held),
            own_scopes,
            ip_ranges: ip_ranges.into(),
            rates,
            quota,
            retiring,
            retired_at: secret.retired_at,
            metadata: std::mem::take(metadata),
        }))
    }
}
