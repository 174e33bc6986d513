//! What is remembered of a key.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use super::digest::HashId;
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
    pub(in crate::service) scopes: ScopeSet,
    pub(in crate::service) metadata: Metadata,
    pub(in crate::service) expires_at: Option<Timestamp>,
    retired_at: Option<Timestamp>,
    barred: Option<Barred>,
    /// Which hash the record has: a proof counts for no other.
    pub(super) hash: HashId,
    pub(super) read_at: Moment,
    pub(super) slots: [Slot; 2],
    uses: AtomicU64,
    last_used: AtomicI64,
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
        hash: HashId,
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
            read_at,
            slots,
            uses: AtomicU64::new(0),
            last_used: AtomicI64::new(0),
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
            None => None,
        }
    }

    /// Counts a use. Gives whether it has to be put on the list of what is to be written down.
    pub(in crate::service) fn count_use(&self, now: Timestamp) -> bool {
        let now = now.as_micros();
        if self.last_used.load(Ordering::Relaxed) < now {
            self.last_used.store(now, Ordering::Relaxed);
        }
        // Together with the swap in `take_uses`: a use that this one does not see on the list is counted by it.
        self.uses.fetch_add(1, Ordering::AcqRel);
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
        let last = Timestamp::from_micros(self.last_used.load(Ordering::Relaxed));
        SecretUse::new(self.secret, count, last.unwrap_or(Timestamp::EPOCH))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn a_remembered_key_is_small() {
        // A million of them are remembered; what is added here is added to each.
        assert!(size_of::<KnownKey>() <= 184, "{}", size_of::<KnownKey>());
    }
}
