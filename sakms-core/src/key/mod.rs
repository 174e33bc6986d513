//! What a key is: its text, its record, its scopes.

pub mod base62;
pub mod field;
pub mod format;
pub mod master;
pub mod record;
pub mod scope;
pub mod with_secrets;
pub mod word;

pub use field::{InvalidField, KeyName, Metadata, Owner, Revision};
pub use format::{KeyFormat, MalformedKey, MintedKey, ParsedKey};
pub use master::{InvalidMasterKey, MasterKey, MasterKeys};
pub use record::{KeyPatch, KeyQuery, KeyRecord, Page, SecretRecord, SecretUse, StoredSecret};
pub use scope::{InvalidScope, Scope, ScopeSet};
pub use with_secrets::{KeyWithSecrets, UsedSecret};
pub use word::{Environment, InvalidWord, KeyPrefix};
