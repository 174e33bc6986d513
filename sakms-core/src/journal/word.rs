//! Who, what and to what: the words of an entry.

use std::borrow::Cow;
use std::fmt;

use crate::id::{AccountId, KeyId};
use crate::key::{Owner, RoleName};

macro_rules! bounded_text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(Cow<'static, str>);

        impl $name {
            /// The text a store keeps.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// What a store read back.
            #[must_use]
            pub fn from_stored(text: String) -> Self {
                Self(Cow::Owned(text))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

bounded_text! {
    /// Who made a change, at most 160 bytes: `system`, `anonymous`, `owner:<owner>` or `key:<id>`.
    Actor
}
bounded_text! {
    /// What was done, at most 32 bytes: `key.revoke`.
    Action
}
bounded_text! {
    /// What it was done to, at most 160 bytes: `key:<id>`, `owner:<owner>`, `account:<id>`, `role:<name>` or `service`.
    Subject
}

impl Actor {
    /// SAKMS itself, or whoever runs it.
    pub const SYSTEM: Self = Self(Cow::Borrowed("system"));
    /// Somebody who is not signed in.
    pub const ANONYMOUS: Self = Self(Cow::Borrowed("anonymous"));

    /// An owner who is signed in, or on whose behalf the host calls.
    #[must_use]
    pub fn owner(owner: &Owner) -> Self {
        Self(format!("owner:{owner}").into())
    }

    /// Whoever holds this key.
    #[must_use]
    pub fn key(id: KeyId) -> Self {
        Self(format!("key:{id}").into())
    }
}

impl Action {
    /// A key was made.
    pub const KEY_CREATE: Self = Self(Cow::Borrowed("key.create"));
    /// A key's name or policy was changed.
    pub const KEY_UPDATE: Self = Self(Cow::Borrowed("key.update"));
    /// A key was revoked.
    pub const KEY_REVOKE: Self = Self(Cow::Borrowed("key.revoke"));
    /// A key got another secret.
    pub const KEY_ROTATE: Self = Self(Cow::Borrowed("key.rotate"));
    /// A rotation was ended or taken back: one of the key's secrets was kept, the others retire.
    pub const KEY_KEEP_SECRET: Self = Self(Cow::Borrowed("key.keep_secret"));
    /// A key was switched off.
    pub const KEY_DISABLE: Self = Self(Cow::Borrowed("key.disable"));
    /// A key was switched on again.
    pub const KEY_ENABLE: Self = Self(Cow::Borrowed("key.enable"));
    /// A key was refused, or something was refused to it. Changed nothing; not every time is written down.
    pub const KEY_REFUSE: Self = Self(Cow::Borrowed("key.refuse"));
    /// A role was defined, or defined anew.
    pub const ROLE_SET: Self = Self(Cow::Borrowed("role.set"));
    /// A role was taken away.
    pub const ROLE_REMOVE: Self = Self(Cow::Borrowed("role.remove"));
    /// A sign-in was refused. Changed nothing; not every time is written down.
    pub const ACCOUNT_REFUSE: Self = Self(Cow::Borrowed("account.refuse"));
    /// An account was given a role.
    pub const ACCOUNT_GRANT: Self = Self(Cow::Borrowed("account.grant"));
    /// A role was taken from an account.
    pub const ACCOUNT_UNGRANT: Self = Self(Cow::Borrowed("account.ungrant"));
    /// The hash of a key's secret was made anew, of the same secret. Nothing else about the key changed.
    pub const KEY_REHASH: Self = Self(Cow::Borrowed("key.rehash"));
    /// A key that signs tokens was made, the first one or one that follows another.
    pub const KEYRING_ROTATE: Self = Self(Cow::Borrowed("keyring.rotate"));
    /// An owner was disabled, with everything they hold.
    pub const OWNER_DISABLE: Self = Self(Cow::Borrowed("owner.disable"));
    /// An owner was enabled again.
    pub const OWNER_ENABLE: Self = Self(Cow::Borrowed("owner.enable"));
    /// An account was made.
    pub const ACCOUNT_REGISTER: Self = Self(Cow::Borrowed("account.register"));
    /// An account's password was changed.
    pub const ACCOUNT_PASSWORD: Self = Self(Cow::Borrowed("account.password"));
    /// Somebody asked to reset an account's password, and a code was kept for it. Changed nothing else.
    pub const ACCOUNT_RESET_REQUEST: Self = Self(Cow::Borrowed("account.reset_request"));
    /// An account's password was reset by a code that was mailed.
    pub const ACCOUNT_RESET: Self = Self(Cow::Borrowed("account.reset"));
    /// An account was made whose address was confirmed by a code that was mailed there.
    pub const ACCOUNT_CONFIRM: Self = Self(Cow::Borrowed("account.confirm"));
    /// Somebody signed in and has a session.
    pub const SESSION_START: Self = Self(Cow::Borrowed("session.start"));
    /// A session was ended.
    pub const SESSION_END: Self = Self(Cow::Borrowed("session.end"));
    /// All sessions of an account were ended, but for the one that is named.
    pub const SESSIONS_END: Self = Self(Cow::Borrowed("sessions.end"));
    /// The hash of an account's password was made anew, of the same password.
    pub const ACCOUNT_REHASH: Self = Self(Cow::Borrowed("account.rehash"));
}

impl Action {
    /// Whether it says that something was refused: nothing is otherwise than before.
    #[must_use]
    pub fn changes_nothing(&self) -> bool {
        *self == Self::KEY_REFUSE || *self == Self::ACCOUNT_REFUSE
    }
}

impl Subject {
    /// A key.
    #[must_use]
    pub fn key(id: KeyId) -> Self {
        Self(format!("key:{id}").into())
    }

    /// An owner.
    #[must_use]
    pub fn owner(owner: &Owner) -> Self {
        Self(format!("owner:{owner}").into())
    }

    /// An account.
    #[must_use]
    pub fn account(id: AccountId) -> Self {
        Self(format!("account:{id}").into())
    }

    /// A role.
    #[must_use]
    pub fn role(name: &RoleName) -> Self {
        Self(format!("role:{name}").into())
    }

    /// The service as a whole, when it is about nothing that is known.
    pub const SERVICE: Self = Self(Cow::Borrowed("service"));

    /// The key this is about, if it is about one.
    #[must_use]
    pub fn as_key(&self) -> Option<KeyId> {
        self.0.strip_prefix("key:")?.parse().ok()
    }

    /// The account this is about, if it is about one.
    #[must_use]
    pub fn as_account(&self) -> Option<AccountId> {
        self.0.strip_prefix("account:")?.parse().ok()
    }

    /// Whether this is about an account.
    #[must_use]
    pub fn is_account(&self) -> bool {
        self.0.starts_with("account:")
    }

    /// The owner this is about, if it is about one.
    #[must_use]
    pub fn as_owner(&self) -> Option<Owner> {
        self.0.strip_prefix("owner:")?.parse().ok()
    }

    /// Whose a row about this is ([`KeyStore::journal`](crate::store::KeyStore::journal)).
    #[must_use]
    pub fn whose(&self) -> Whose {
        if let Some(key) = self.as_key() {
            return Whose::KeyOwner(key);
        }
        let account = self.as_account().map(Owner::from);
        let owner = account.or_else(|| self.as_owner());
        owner.map_or(Whose::Nobody, Whose::Owner)
    }
}

/// Whose a row of the journal is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Whose {
    /// This owner's.
    Owner(Owner),
    /// That of the owner of this key, whom the store knows; nobody's, when there is no such key.
    KeyOwner(KeyId),
    /// Nobody's in particular.
    Nobody,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_names_its_key() {
        let id = KeyId::from_bytes([3; 16]);
        assert_eq!(Subject::key(id).as_key(), Some(id));
        assert_eq!(Subject::owner(&"key:x".parse().unwrap()).as_key(), None);
    }

    #[test]
    fn a_row_is_somebodys_by_its_subject() {
        let (key, account) = (KeyId::from_bytes([3; 16]), AccountId::from_bytes([4; 16]));
        let owner: Owner = "account:x".parse().unwrap();
        for (subject, whose) in [
            (Subject::key(key), Whose::KeyOwner(key)),
            (Subject::account(account), Whose::Owner(account.into())),
            (Subject::owner(&owner), Whose::Owner(owner)),
            (Subject::role(&"a".parse().unwrap()), Whose::Nobody),
            (Subject::SERVICE, Whose::Nobody),
            (Subject::from_stored("key:x".into()), Whose::Nobody),
            (Subject::from_stored("account:".into()), Whose::Nobody),
        ] {
            assert_eq!(subject.whose(), whose, "{subject}");
        }
    }
}
