//! The JSON of requests and answers. What comes in refuses fields it does not know, so that nobody believes to have
//! set something that was ignored.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::{AccountId, KeyId};
use crate::key::{Environment, KeyName, KeyRecord, Metadata, ScopeSet};
use crate::secret::Password;
use crate::service::{CreatedKey, KeyChange, NewKey};
use crate::token::IssuedToken;

/// `POST /auth/register` and `POST /auth/login`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignIn {
    pub(super) email: String,
    pub(super) password: Password,
}

#[derive(Debug, Serialize)]
pub(super) struct Registered {
    pub(super) user_id: AccountId,
}

#[derive(Debug, Serialize)]
pub(super) struct SignedIn<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: u64,
}

impl<'a> From<&'a IssuedToken> for SignedIn<'a> {
    fn from(issued: &'a IssuedToken) -> Self {
        let expires_in = issued.expires_in().as_secs();
        Self {
            access_token: issued.token().expose(),
            token_type: "bearer",
            expires_in,
        }
    }
}

/// `POST /keys`; everything may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CreateKey {
    name: Option<KeyName>,
    scopes: Option<ScopeSet>,
    environment: Option<Environment>,
    expires_at: Option<Timestamp>,
    metadata: Option<Metadata>,
}

impl From<CreateKey> for NewKey {
    fn from(body: CreateKey) -> Self {
        let mut new = Self::named(body.name.unwrap_or_default());
        new.scopes = body.scopes.unwrap_or_default();
        new.environment = body.environment;
        new.expires_at = body.expires_at;
        new.metadata = body.metadata.unwrap_or_default();
        new
    }
}

/// `PATCH /keys/{id}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeKey {
    name: Option<KeyName>,
    metadata: Option<Metadata>,
}

impl From<ChangeKey> for KeyChange {
    fn from(body: ChangeKey) -> Self {
        Self::new(body.name, body.metadata)
    }
}

/// A key as lists show it.
#[derive(Debug, Serialize)]
pub(super) struct Key<'a> {
    id: KeyId,
    /// The key's text, the one time it is shown.
    #[serde(rename = "api_key", skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    prefix: &'a str,
    revoked: bool,
    name: &'a KeyName,
    environment: &'a Environment,
    scopes: &'a ScopeSet,
    metadata: &'a Metadata,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    disabled: bool,
}

impl<'a> From<&'a KeyRecord> for Key<'a> {
    fn from(key: &'a KeyRecord) -> Self {
        Self {
            id: key.id,
            text: None,
            prefix: &key.shown_prefix,
            revoked: key.revoked_at.is_some(),
            name: &key.name,
            environment: &key.environment,
            scopes: &key.scopes,
            metadata: &key.metadata,
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
            revoked_at: key.revoked_at,
            disabled: key.disabled_at.is_some(),
        }
    }
}

impl<'a> From<&'a CreatedKey> for Key<'a> {
    fn from(created: &'a CreatedKey) -> Self {
        let text = Some(created.text.expose());
        Self {
            text,
            ..Self::from(&created.key)
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Status {
    pub(super) status: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct Health {
    pub(super) status: &'static str,
    pub(super) version: &'static str,
}
