//! What a key is: its text, its record, its scopes.

pub mod base62;
pub mod format;
pub mod master;
pub mod record;
pub mod scope;

pub use format::{Environment, KeyFormat, KeyPrefix, MalformedKey, ParsedKey};
pub use master::{MasterKey, MasterKeys};
pub use record::{
    KeyName, KeyPatch, KeyQuery, KeyRecord, Metadata, Owner, Page, Revision, SecretRecord,
    SecretUse, StoredSecret,
};
pub use scope::{Scope, ScopeSet};
