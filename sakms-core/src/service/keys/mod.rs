//! What owners and admins do to keys: making, changing, rotating, listing and revoking them, and the roles they hold.
//!
//! Each file is one of these; `ceiling.rs` says what a key that manages keys may not go beyond.

mod bulk;
mod ceiling;
mod change;
mod create;
mod idempotency;
mod lifetimes;
mod list;
mod mint;
mod presented;
mod roles;
mod rotate;
mod state;

pub use bulk::Revoked;
pub use change::KeyChange;
pub use create::NewKey;
pub use idempotency::{IdempotencyKey, Once};
pub use lifetimes::{InvalidLifetimes, KeyLifetimes, RotationOverlap};
pub use list::{KeyList, KeySelection, ListRequest, Whose};

pub(super) use idempotency::IdempotencySeal;
pub(super) use lifetimes::KeyRules;

use super::Sakms;
use super::cache::Strike;
use super::caller::Caller;
use super::error::Error;
use crate::id::KeyId;
use crate::journal::JournalEntry;
use crate::key::{KeyPatch, KeyRecord};
use crate::secret::NewKeyText;
use crate::store::StoreErrorKind;

/// How often a change is tried again when others change the same key at the same time.
const TRIES: usize = 8;

/// A key that was just made or that just got another secret, with its text.
#[derive(Debug)]
#[non_exhaustive]
pub struct CreatedKey {
    /// The key.
    pub key: KeyRecord,
    /// Its text. It is nowhere else; once this is dropped, nobody can show it again.
    pub text: NewKeyText,
}

impl Sakms {
    /// Reads one of the keys that a caller may manage, decides, compares and swaps, until nobody was in between. A key
    /// for which nothing is decided is left alone.
    async fn patch_key(
        &self,
        caller: &Caller,
        id: KeyId,
        entry: &JournalEntry,
        decide: impl Fn(&KeyRecord) -> Result<Option<KeyPatch>, Error>,
    ) -> Result<KeyRecord, Error> {
        let _strike = Strike::key(&self.inner.cache, id);
        for _ in 0..TRIES {
            let key = self.owned_key(caller, id).await?;
            let Some(patch) = decide(&key)? else {
                return Ok(key);
            };
            let swapped = self.inner.keys.update(id, key.revision, &patch, entry);
            match swapped.await {
                Err(error) if error.kind() == StoreErrorKind::Stale => {}
                outcome => return Ok(outcome?),
            }
        }
        Err(Error::Contended)
    }

    async fn owned_key(&self, caller: &Caller, id: KeyId) -> Result<KeyRecord, Error> {
        let found = self.inner.keys.get(id).await?;
        // Another owner's key and no key at all are the same answer, from the same look-up.
        found
            .filter(|key| caller.may_manage(&key.owner))
            .ok_or(Error::NotFound)
    }
}
