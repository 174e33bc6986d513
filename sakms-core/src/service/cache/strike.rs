//! A change that is about to be made.

use super::KeyCache;
use crate::id::KeyId;
use crate::key::Owner;

/// Strikes what a change touches, when it is dropped: after the change was committed, and before whoever made it hears
/// of it. Also when it failed, for then it may have been committed all the same, and when whoever made it went away.
#[must_use = "dropped at once it would strike before the change"]
pub(in crate::service) struct Strike<'a> {
    cache: &'a KeyCache,
    what: What<'a>,
}

enum What<'a> {
    Key(KeyId),
    Owner(&'a Owner),
    Absences,
    All,
}

impl<'a> Strike<'a> {
    pub(in crate::service) const fn key(cache: &'a KeyCache, key: KeyId) -> Self {
        let what = What::Key(key);
        Self { cache, what }
    }

    pub(in crate::service) const fn owner(cache: &'a KeyCache, owner: &'a Owner) -> Self {
        let what = What::Owner(owner);
        Self { cache, what }
    }

    /// For a new secret.
    pub(in crate::service) const fn absences(cache: &'a KeyCache) -> Self {
        let what = What::Absences;
        Self { cache, what }
    }

    /// For what many keys hang on: a role.
    pub(in crate::service) const fn all(cache: &'a KeyCache) -> Self {
        let what = What::All;
        Self { cache, what }
    }
}

impl Drop for Strike<'_> {
    fn drop(&mut self) {
        match self.what {
            What::Key(key) => self.cache.strike_key(key),
            What::Owner(owner) => self.cache.strike_owner(owner),
            What::Absences => self.cache.strike_absences(),
            What::All => self.cache.strike_all(),
        }
    }
}
