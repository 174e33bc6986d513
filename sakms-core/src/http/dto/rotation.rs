//! Rotating a key, and its secrets.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Key;
use crate::clock::Timestamp;
use crate::id::SecretId;
use crate::key::{KeyWithSecrets, UsedSecret};

/// How to rotate; everything may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::Rotate))]
pub(in crate::http) struct Rotate {
    /// For how many seconds the former secret works beside the new one; 0 is not at all. Never longer than the key. When
    /// nothing is said, for as long as the service has settled.
    pub(in crate::http) overlap_seconds: Option<u64>,
}

/// A key with its secrets.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::ShownKey))]
pub(in crate::http) struct ShownKey<'a> {
    #[serde(flatten)]
    key: Key<'a>,
    /// Its secrets, the oldest first: one, or more once it was rotated.
    secrets: Vec<Secret<'a>>,
}

/// A secret of a key: what there is to know of it.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::Secret))]
pub(in crate::http) struct Secret<'a> {
    id: SecretId,
    /// The head of its text, to know it by.
    prefix: &'a str,
    /// When it was made.
    created_at: Timestamp,
    /// From when on it is refused, because another took its place.
    #[cfg_attr(feature = "openapi", schema(required))]
    retires_at: Option<Timestamp>,
    /// How often it was used, some seconds late.
    uses: u64,
    /// When it was last used, some seconds late.
    #[cfg_attr(feature = "openapi", schema(required))]
    last_used_at: Option<Timestamp>,
    /// The address that the last use came from, when it is known.
    #[cfg_attr(feature = "openapi", schema(required, value_type = Option<String>))]
    last_used_from: Option<IpAddr>,
}

impl<'a> From<&'a KeyWithSecrets> for ShownKey<'a> {
    fn from(shown: &'a KeyWithSecrets) -> Self {
        Self {
            key: Key::from(&shown.key),
            secrets: shown.secrets.iter().map(Secret::from).collect(),
        }
    }
}

impl<'a> From<&'a UsedSecret> for Secret<'a> {
    fn from(secret: &'a UsedSecret) -> Self {
        Self {
            id: secret.record.id,
            prefix: &secret.record.shown_prefix,
            created_at: secret.record.created_at,
            retires_at: secret.record.retired_at,
            uses: secret.uses,
            last_used_at: secret.last_used_at,
            last_used_from: secret.last_used_from,
        }
    }
}
