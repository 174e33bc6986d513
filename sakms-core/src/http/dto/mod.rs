//! The JSON of requests and answers. What comes in refuses fields it does not know, so that nobody believes to have
//! set something that was ignored.

mod ask;
mod audit;
mod bulk;
mod exchange;
mod oversight;
mod read;
mod recovery;
mod revocations;
mod roles;
mod rotation;
mod sessions;

use serde::{Deserialize, Serialize};

#[cfg(feature = "openapi")]
pub(in crate::http) use ask::{IntrospectToken, RevokeToken};
pub(in crate::http) use ask::{Introspection, Verification, VerifyKey, VerifyKeys, question};
pub(in crate::http) use audit::AuditRow;
pub(in crate::http) use bulk::{BulkRevocation, RevokeKeys, whose};
#[cfg(feature = "openapi")]
pub(in crate::http) use exchange::ExchangeKey;
pub(in crate::http) use exchange::Exchanged;
pub(in crate::http) use oversight::{Account, ExplainKey, Explained, Usage};
pub(in crate::http) use recovery::{ConfirmAddress, RequestReset, ResetPassword};
pub(in crate::http) use revocations::Feed;
pub(in crate::http) use roles::{RoleShown, SetRole};
pub(in crate::http) use rotation::{Rotate, ShownKey};
pub(in crate::http) use sessions::{ChangePassword, RefreshSession, SessionShown};

use crate::clock::Timestamp;
use crate::id::{AccountId, KeyId};
use crate::journal::Seq;
use crate::key::{
    Environment, KeyName, KeyRecord, Limits, Metadata, Owner, RoleSet, ScopeSet, TagSet,
};
use crate::secret::{Password, RefreshToken};
use crate::service::{self, CreatedKey, JournalStatus, KeyChange, NewKey};

/// Who signs in, and by what.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::SignIn))]
pub(in crate::http) struct SignIn {
    /// An address of the form `name@host`; its case does not matter.
    #[cfg_attr(feature = "openapi", schema(format = Email, max_length = 254))]
    pub(in crate::http) email: String,
    pub(in crate::http) password: Password,
}

/// The account that was made.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::Registered))]
pub(in crate::http) struct Registered {
    /// The account's id, which owns its keys.
    pub(in crate::http) user_id: AccountId,
}

/// A token to send as `Authorization: Bearer`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::SignedIn))]
pub(in crate::http) struct SignedIn<'a> {
    /// The token, a JWT.
    access_token: &'a str,
    /// Always `bearer`.
    #[cfg_attr(feature = "openapi", schema(pattern = "^bearer$"))]
    token_type: &'static str,
    /// For how many seconds it is good.
    #[cfg_attr(feature = "openapi", schema(minimum = 60, maximum = 86400))]
    expires_in: u64,
    /// What gives the next token, once, at `POST /auth/refresh`; there where the service has sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    refresh_token: Option<&'a str>,
}

impl<'a> From<&'a service::SignedIn> for SignedIn<'a> {
    fn from(issued: &'a service::SignedIn) -> Self {
        let expires_in = issued.expires_in().as_secs();
        Self {
            access_token: issued.token().expose(),
            token_type: "bearer",
            expires_in,
            refresh_token: issued.refresh_token().map(RefreshToken::expose),
        }
    }
}

/// What a new key shall be; everything may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::CreateKey))]
pub(in crate::http) struct CreateKey {
    /// What to call it; empty, when nothing is said.
    name: Option<KeyName>,
    /// Who shall hold it; the caller, when nothing is said. Another owner is for admins to name.
    #[serde(deserialize_with = "read::parsed")]
    owner: Option<Owner>,
    /// What it may do; nothing but to be known, when nothing is said.
    scopes: Option<ScopeSet>,
    /// Which roles it holds: it may do as well what their scopes say, as they are at the time.
    roles: Option<RoleSet>,
    /// How much it may be used, and from where; when nothing is said, without limits, or as the key that makes it.
    #[serde(deserialize_with = "read::object")]
    limits: Option<Limits>,
    /// By what it is found again.
    tags: Option<TagSet>,
    /// Which environment it opens; the service's first one, when nothing is said.
    environment: Option<Environment>,
    /// Before when it is refused; it is good from the beginning, when nothing is said.
    not_before: Option<Timestamp>,
    /// From when on it is refused; when nothing is said, after the service's default lifetime, or never if there is none.
    expires_at: Option<Timestamp>,
    /// What to keep with it.
    metadata: Option<Metadata>,
}

impl From<CreateKey> for NewKey {
    fn from(body: CreateKey) -> Self {
        let mut new = Self::named(body.name.unwrap_or_default());
        new.owner = body.owner;
        new.scopes = body.scopes.unwrap_or_default();
        new.roles = body.roles.unwrap_or_default();
        new.limits = body.limits;
        new.tags = body.tags.unwrap_or_default();
        new.environment = body.environment;
        new.not_before = body.not_before;
        new.expires_at = body.expires_at;
        new.metadata = body.metadata.unwrap_or_default();
        new
    }
}

/// What shall be different; what is left out stays. What a key may do is not changed any more once it is revoked or has
/// expired.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::ChangeKey))]
#[expect(clippy::option_option, reason = "left out, null, or a value")]
pub(in crate::http) struct ChangeKey {
    /// Another name.
    name: Option<KeyName>,
    /// Other scopes, in place of all there are.
    #[serde(default, deserialize_with = "read::present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    scopes: Option<ScopeSet>,
    /// Other roles, in place of all there are.
    #[serde(default, deserialize_with = "read::present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    roles: Option<RoleSet>,
    /// Other limits, in place of all there are; null for none.
    #[serde(default, deserialize_with = "read::present_object")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Limits>))]
    limits: Option<Option<Limits>>,
    /// Other tags, in place of all there are.
    #[serde(default, deserialize_with = "read::present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    tags: Option<TagSet>,
    /// Other metadata, in place of all there is.
    metadata: Option<Metadata>,
    /// Another beginning; null for none.
    #[serde(default, deserialize_with = "read::present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Timestamp>))]
    not_before: Option<Option<Timestamp>>,
    /// Another expiry; null for none.
    #[serde(default, deserialize_with = "read::present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Timestamp>))]
    expires_at: Option<Option<Timestamp>>,
}

impl From<ChangeKey> for KeyChange {
    fn from(body: ChangeKey) -> Self {
        let mut change = Self::new(body.name, body.metadata);
        change.scopes = body.scopes;
        change.roles = body.roles;
        change.limits = body.limits.map(Option::unwrap_or_default);
        change.tags = body.tags;
        change.not_before = body.not_before;
        change.expires_at = body.expires_at;
        change
    }
}

/// A key as lists show it.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::Key))]
pub(in crate::http) struct Key<'a> {
    /// The key's name for ever.
    id: KeyId,
    /// The key's text, the one time it is shown. The schema of a new key adds it.
    #[serde(rename = "api_key", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    text: Option<&'a str>,
    /// The head of its text, to know it by.
    prefix: &'a str,
    /// Whether it is revoked, for good.
    revoked: bool,
    name: &'a KeyName,
    /// Who holds it.
    owner: &'a Owner,
    environment: &'a Environment,
    scopes: &'a ScopeSet,
    roles: &'a RoleSet,
    limits: &'a Limits,
    tags: &'a TagSet,
    metadata: &'a Metadata,
    /// When it was made.
    created_at: Timestamp,
    /// Before when it is refused.
    #[cfg_attr(feature = "openapi", schema(required))]
    not_before: Option<Timestamp>,
    /// From when on it is refused.
    #[cfg_attr(feature = "openapi", schema(required))]
    expires_at: Option<Timestamp>,
    /// When it was last used, some seconds late.
    #[cfg_attr(feature = "openapi", schema(required))]
    last_used_at: Option<Timestamp>,
    /// Since when it is revoked.
    #[cfg_attr(feature = "openapi", schema(required))]
    revoked_at: Option<Timestamp>,
    /// Whether it is switched off.
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
            owner: &key.owner,
            environment: &key.environment,
            scopes: &key.scopes,
            roles: &key.roles,
            limits: &key.limits,
            tags: &key.tags,
            metadata: &key.metadata,
            created_at: key.created_at,
            not_before: key.not_before,
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

/// How it is.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::Status))]
pub(in crate::http) struct Status {
    /// A word.
    pub(in crate::http) status: &'static str,
}

/// How the process is.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::Health))]
pub(in crate::http) struct Health {
    /// `ok`.
    pub(in crate::http) status: &'static str,
    /// The version of SAKMS.
    pub(in crate::http) version: &'static str,
    /// How far what others changed is known here.
    pub(in crate::http) journal: JournalHealth,
}

/// How far this process has followed the journal.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::JournalHealth))]
pub(in crate::http) struct JournalHealth {
    /// The last row that was read; null before the first key, or token of a session, is checked.
    pub(in crate::http) position: Option<u64>,
    /// How many milliseconds ago the last complete reading began.
    pub(in crate::http) lag_ms: Option<u64>,
    /// Whether what is remembered of keys is believed. While it is not, every check reads the database.
    pub(in crate::http) trusted: bool,
}

impl From<JournalStatus> for JournalHealth {
    fn from(status: JournalStatus) -> Self {
        Self {
            position: status.position.map(Seq::get),
            lag_ms: status
                .lag
                .map(|lag| u64::try_from(lag.as_millis()).unwrap_or(u64::MAX)),
            trusted: status.trusted,
        }
    }
}
