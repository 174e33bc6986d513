//! Revocations as JSON.

use serde::Serialize;

use crate::clock::Timestamp;
use crate::service::{Revocation, RevocationPage};
use crate::token::RevocationSubject;

/// What was put an end to, the oldest first.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::Revocations))]
pub(in crate::http) struct Feed {
    /// Up to where this is: to be sent as `after` the next time.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[0-9]+:[0-9a-f]{64}$"))]
    position: String,
    /// Whether there is more now.
    more: bool,
    revocations: Vec<Revoked>,
}

/// A word on tokens of one key, one owner, one session, or all sessions of an owner. A later one takes its place.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = sakms::Revoked))]
struct Revoked {
    /// Its place in the journal.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    seq: u64,
    /// When it was written.
    at: Timestamp,
    /// `key`, `owner`, `session`, or `sessions` for every session of an owner.
    kind: &'static str,
    /// Which one: the first 16 bytes of the SHA-256 of the kind, a colon and the id (`key_id`, `sub` or `sid`), in base64url.
    #[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^[A-Za-z0-9_-]{22}$"))]
    subject: RevocationSubject,
    /// Tokens are good that were issued (`iat`) at this moment or later. Null: none is.
    valid_from: Option<Timestamp>,
    /// Of all sessions of an owner, the one that goes on: what stands as `subject` for a session.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, pattern = "^[A-Za-z0-9_-]{22}$"))]
    except: Option<RevocationSubject>,
}

impl From<&RevocationPage> for Feed {
    fn from(page: &RevocationPage) -> Self {
        Self {
            position: page.position.to_string(),
            more: page.more,
            revocations: page.revocations.iter().map(Revoked::from).collect(),
        }
    }
}

impl From<&Revocation> for Revoked {
    fn from(revocation: &Revocation) -> Self {
        Self {
            seq: revocation.seq.get(),
            at: revocation.at,
            kind: revocation.kind,
            subject: revocation.subject,
            valid_from: revocation.valid_from,
            except: revocation.except,
        }
    }
}
