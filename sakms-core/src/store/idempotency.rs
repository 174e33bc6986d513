//! Requests that were repeated, and what else must hold for something to be added.

use std::fmt;

use crate::clock::Timestamp;
use crate::id::{KeyId, SecretId};
use crate::store::StoreErrorKind;

/// What must hold for a key to be added, decided by the store in the same transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Conditions {
    /// How many keys its owner may have, with this one; any number, when nothing is said.
    pub most_per_owner: Option<u32>,
    /// What stands for the request, which must not have been made before.
    pub idempotency: Option<IdempotencyRecord>,
}

impl Conditions {
    /// None.
    pub const NONE: Self = Self {
        most_per_owner: None,
        idempotency: None,
    };

    /// Holds that there is room for one more key, beside the owner's keys that count
    /// ([`KeyRecord::counts_at`](crate::key::KeyRecord::counts_at)) at the moment it was made. They are counted only where
    /// it matters how many they are: there may be very many.
    ///
    /// # Errors
    /// [`StoreErrorKind::LimitReached`] when there is not, and whatever `count` fails with.
    pub fn room_beside<E: From<StoreErrorKind>>(
        &self,
        count: impl FnOnce() -> Result<usize, E>,
    ) -> Result<(), E> {
        let Some(most) = self.most_per_owner else {
            return Ok(());
        };
        match u32::try_from(count()?) {
            Ok(keys) if keys < most => Ok(()),
            _ => Err(StoreErrorKind::LimitReached.into()),
        }
    }
}

/// That a request with an idempotency key was carried out, and what it made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdempotencyRecord {
    /// What stands for the caller and the key they sent.
    pub id: IdempotencyId,
    /// What stands for everything that was asked.
    pub request: RequestDigest,
    /// Which key was made or changed.
    pub key: KeyId,
    /// Which secret was made.
    pub secret: SecretId,
    /// When.
    pub at: Timestamp,
}

impl IdempotencyRecord {
    /// A record with its parts.
    #[must_use]
    pub const fn new(
        id: IdempotencyId,
        request: RequestDigest,
        key: KeyId,
        secret: SecretId,
        at: Timestamp,
    ) -> Self {
        Self {
            id,
            request,
            key,
            secret,
            at,
        }
    }
}

macro_rules! digest {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            /// A digest as a store keeps it.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The bytes a store keeps.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:02x}{:02x}…)", stringify!($name), self.0[0], self.0[1])
            }
        }
    };
}

digest! {
    /// What stands for a caller and the idempotency key they sent.
    IdempotencyId
}
digest! {
    /// What stands for everything that a request asked.
    RequestDigest
}
