//! Which keys to list.

use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::field::{InvalidField, Owner};
use super::names::Tag;
use super::record::KeyRecord;
use super::word::Environment;
use crate::clock::Timestamp;
use crate::id::KeyId;

/// Which keys to list, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyQuery {
    /// Whose keys; everybody's, when nobody is named.
    pub owner: Option<Owner>,
    /// Which of them.
    pub filter: KeyFilter,
    /// Only keys made before this one: the last of the page before.
    pub before: Option<KeyId>,
    /// How many at most; 1 to 100.
    pub limit: u32,
}

impl KeyQuery {
    /// How many keys a page has when nothing is said.
    pub const DEFAULT_LIMIT: u32 = 50;
    /// How many keys a page has at most.
    pub const MAX_LIMIT: u32 = 100;

    /// The first page of an owner's keys.
    #[must_use]
    pub fn of(owner: Owner) -> Self {
        Self {
            owner: Some(owner),
            ..Self::everybody()
        }
    }

    /// The first page of all keys.
    #[must_use]
    pub fn everybody() -> Self {
        Self {
            owner: None,
            filter: KeyFilter::default(),
            before: None,
            limit: Self::DEFAULT_LIMIT,
        }
    }
}

/// What keys of a list must have in common. What is `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyFilter {
    /// They are in this state, at this moment.
    pub state: Option<(KeyState, Timestamp)>,
    /// They are of this environment.
    pub environment: Option<Environment>,
    /// They have this tag.
    pub tag: Option<Tag>,
    /// They were not used since this moment, as far as the store knows, and made before it.
    pub unused_since: Option<Timestamp>,
    /// They expire before this moment.
    pub expires_before: Option<Timestamp>,
}

impl KeyFilter {
    /// Whether `key` is one of them. What a store that has no better way asks of every key.
    #[must_use]
    pub fn matches(&self, key: &KeyRecord) -> bool {
        let Self {
            state,
            environment,
            tag,
            unused_since,
            expires_before,
        } = self;
        state.is_none_or(|(state, now)| KeyState::of(key, now) == state)
            && environment
                .as_ref()
                .is_none_or(|wanted| *wanted == key.environment)
            && tag.as_ref().is_none_or(|tag| key.tags.contains(tag))
            && unused_since.is_none_or(|since| key.last_used_at.unwrap_or(key.created_at) < since)
            && expires_before.is_none_or(|end| key.expires_at.is_some_and(|expiry| expiry < end))
    }
}

/// Whether a key is good, and if not, why. The first of these that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyState {
    /// It was revoked, for good.
    Revoked,
    /// It is switched off.
    Disabled,
    /// Its time is over.
    Expired,
    /// Its time has not come yet.
    Pending,
    /// It is good.
    Active,
}

impl KeyState {
    /// Every state, the worst first.
    pub const ALL: [Self; 5] = [
        Self::Revoked,
        Self::Disabled,
        Self::Expired,
        Self::Pending,
        Self::Active,
    ];

    /// The state of a key at a moment.
    #[must_use]
    pub fn of(key: &KeyRecord, now: Timestamp) -> Self {
        match () {
            () if key.revoked_at.is_some() => Self::Revoked,
            () if key.disabled_at.is_some() => Self::Disabled,
            () if key.expires_at.is_some_and(|end| end <= now) => Self::Expired,
            () if key.not_before.is_some_and(|start| now < start) => Self::Pending,
            () => Self::Active,
        }
    }

    /// Its name: `revoked`, `disabled`, `expired`, `pending`, `active`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Disabled => "disabled",
            Self::Expired => "expired",
            Self::Pending => "pending",
            Self::Active => "active",
        }
    }
}

impl FromStr for KeyState {
    type Err = InvalidField;

    /// Reads what [`KeyState::as_str`] gives.
    fn from_str(text: &str) -> Result<Self, InvalidField> {
        let mut all = Self::ALL.into_iter();
        all.find(|state| state.as_str() == text).ok_or(InvalidField(
            "a state is one of active, pending, disabled, expired and revoked",
        ))
    }
}

impl Serialize for KeyState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page<T> {
    /// What stands on it.
    pub items: Vec<T>,
    /// Whether there is more after it.
    pub more: bool,
}

impl<T> Page<T> {
    /// A page of `items`.
    #[must_use]
    pub const fn new(items: Vec<T>, more: bool) -> Self {
        Self { items, more }
    }

    /// Makes a page of rows that were read with one row more than the limit, to see whether there is more.
    #[must_use]
    pub fn from_one_more(mut items: Vec<T>, limit: u32) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        Self { items, more }
    }
}
