//! What a key is: its text, its record, what it may do and how much.

pub mod base62;
pub mod field;
pub mod format;
pub mod limits;
pub mod master;
pub mod names;
pub mod query;
pub mod quota;
pub mod record;
pub mod role;
pub mod scope;
pub mod usage;
pub mod with_secrets;
pub mod word;

pub use field::{InvalidField, KeyName, Metadata, Owner, Revision};
pub use format::{KeyFormat, MalformedKey, MintedKey, ParsedKey};
pub use limits::{IpRange, Limits, Quota, RateLimit, Refill};
pub use master::{InvalidMasterKey, MasterKey, MasterKeys};
pub use names::{Names, RoleName, RoleSet, Tag, TagSet};
pub use query::{KeyFilter, KeyQuery, KeyState, Page};
pub use quota::QuotaState;
pub use record::{KeyPatch, KeyRecord, SecretRecord, StoredSecret};
pub use role::Role;
pub use scope::{InvalidScope, Scope, ScopeSet};
pub use usage::{Day, DayUse, SecretUse};
pub use with_secrets::{KeyWithSecrets, UsedSecret};
pub use word::{Environment, InvalidWord, KeyPrefix};
