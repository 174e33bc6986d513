//! What is remembered of a key.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use super::digest::HashId;
use super::last_address::LastAddress;
use super::particulars::Particulars;
use super::stamps::{Moment, Slot};
use crate::clock::Timestamp;
use crate::id::{KeyId, SecretId};
use crate::key::{Environment, KeyName, Metadata, Owner, ScopeSet, SecretUse, StoredSecret};
use crate::service::requirement::KeyDenial;

/// One reading of a secret with its key, without the hash: what a check needs to know, and since when it is known.
#[derive(Debug)]
pub(in crate::service) struct KnownKey {
    pub(in crate::service) key: KeyId,
    pub(in crate::service) secret: SecretId,
    pub(in crate::service) owner: Owner,
    pub(in crate::service) name: KeyName,
    pub(in crate::service) environment: Environment,
    /// With those of its roles.
    pub(in crate::service) scopes: ScopeSet,
    pub(in crate::service) metadata: Metadata,
    pub(in crate::service) expires_at: Option<Timestamp>,
    retired_at: Option<Timestamp>,
    barred: Option<Barred>,
    /// Which hash the record has: a proof counts for no other.
    pub(super) hash: HashId,
    /// Whether that hash is made otherwise than a new one would be.
    pub(in crate::service) dated: bool,
    pub(super) read_at: Moment,
    pub(super) slots: [Slot; 2],
    pub(in crate::service) particulars: Option<Box<Particulars>>,
    uses: AtomicU64,
    refusals: AtomicU64,
    last_used: AtomicI64,
    last_refused: AtomicI64,
    last_from: LastAddress,
    /// Whether the uses are on the list of what is to be written down.
    listed: AtomicBool,
}

/// What bars a key whatever the time is.
#[derive(Debug, Clone, Copy)]
enum Barred {
    Revoked,
    OwnerDisabled,
    Disabled,
}

impl KnownKey {
    pub(super) fn new(
        found: StoredSecret,
        particulars: Option<Box<Particulars>>,
        (hash, dated): (HashId, bool),
        read_at: Moment,
        slots: [Slot; 2],
    ) -> Self {
        let StoredSecret {
            key,
            secret,
            owner_disabled_at,
        } = found;
        // A revocation or a switch-off holds whatever its time says: a clock that jumps back must not undo it.
        let barred = match () {
            () if key.revoked_at.is_some() => Some(Barred::Revoked),
            () if owner_disabled_at.is_some() => Some(Barred::OwnerDisabled),
            () if key.disabled_at.is_some() => Some(Barred::Disabled),
            () => None,
        };
        Self {
            key: key.id,
            secret: secret.id,
            owner: key.owner,
            name: key.name,
            environment: key.environment,
            scopes: key.scopes,
            metadata: key.metadata,
            expires_at: key.expires_at,
            retired_at: secret.retired_at,
            barred,
            hash,
            dated,
            read_at,
            slots,
            particulars,
            uses: AtomicU64::new(0),
            refusals: AtomicU64::new(0),
            last_used: AtomicI64::new(0),
            last_refused: AtomicI64::new(0),
            last_from: LastAddress::default(),
            listed: AtomicBool::new(false),
        }
    }

    /// Whether its state refuses it, at this moment. Evaluated on every request, never remembered.
    pub(in crate::service) fn refused_at(&self, now: Timestamp) -> Option<KeyDenial> {
        let since = |moment: Option<Timestamp>| moment.is_some_and(|moment| moment <= now);
        match self.barred {
            Some(Barred::Revoked) => Some(KeyDenial::Revoked),
            Some(Barred::OwnerDisabled) => Some(KeyDenial::OwnerDisabled),
            Some(Barred::Disabled) => Some(KeyDenial::Disabled),
            None if since(self.expires_at) => Some(KeyDenial::Expired),
            None if since(self.retired_at) => Some(KeyDenial::Retired),
            None => {
                let from = self.particulars.as_ref()?.not_before?;
                (now < from).then_some(KeyDenial::NotYetValid)
            }
        }
    }

    /// Counts a use. Gives whether it has to be put on the list of what is to be written down.
    pub(in crate::service) fn count_use(&self, now: Timestamp, from: Option<IpAddr>) -> bool {
        if let Some(from) = from {
            self.last_from.set(from);
        }
        self.count(&self.uses, &self.last_used, now)
    }

    /// The same for one that was refused though the secret was right.
    pub(in crate::service) fn count_refusal(&self, now: Timestamp) -> bool {
        self.count(&self.refusals, &self.last_refused, now)
    }

    fn count(&self, count: &AtomicU64, last: &AtomicI64, now: Timestamp) -> bool {
        let now = now.as_micros();
        if last.load(Ordering::Relaxed) < now {
            last.store(now, Ordering::Relaxed);
        }
        // Together with the swap in `take_uses`: a use that this one does not see on the list is counted by it.
        count.fetch_add(1, Ordering::AcqRel);
        !self.listed.load(Ordering::Relaxed) && !self.listed.swap(true, Ordering::AcqRel)
    }

    /// There was no room on the list; the next use shall try again.
    pub(in crate::service) fn not_listed(&self) {
        self.listed.store(false, Ordering::Release);
    }

    /// Takes the uses since the last time, off the list.
    pub(in crate::service) fn take_uses(&self) -> SecretUse {
        self.listed.store(false, Ordering::Release);
        let count = self.uses.swap(0, Ordering::AcqRel);
        let refused = self.refusals.swap(0, Ordering::AcqRel);
        let last = if count == 0 {
            &self.last_refused
        } else {
            &self.last_used
        };
        let last = Timestamp::from_micros(last.load(Ordering::Relaxed));
        let mut taken = SecretUse::new(self.secret, count, last.unwrap_or(Timestamp::EPOCH));
        taken.refused = refused;
        taken.last_from = if count == 0 {
            None
        } else {
            self.last_from.take()
        };
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn a_remembered_key_is_small() {
        // A million of them are remembered; what is added here is added to each.
        assert!(size_of::<KnownKey>() <= 240, "{}", size_of::<KnownKey>());
    }
}
