//! Examples a reader can use. Answers are made of the types that are answered; requests are read back by a test.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use crate::clock::Timestamp;
use crate::http::dto::{
    AuditRow, BulkRevocation, Health, JournalHealth, Key, Registered, RoleShown, ShownKey,
    SignedIn, Status,
};
use crate::id::{AccountId, EntryId, KeyId, SecretId, SessionId};
use crate::journal::{Action, Actor, ChainHash, JournalEntry, JournalRow, Seq, Subject};
use crate::key::{
    Environment, KeyRecord, KeyWithSecrets, Limits, Metadata, Owner, Role, SecretRecord, UsedSecret,
};
use crate::secret::{BearerToken, RefreshToken, StoredHash};
use crate::service::{self, Revoked};
use crate::token::{IssuedToken, Jwks, PublicJwk};

pub(super) const ACCOUNT: AccountId =
    AccountId::from_bytes(*b"\x01\xa2\x04\xdd\x29\x6e\x72\x9b\x80\x75\xc1\x53\xaf\x97\xc7\x1a");
pub(super) const KEY: KeyId =
    KeyId::from_bytes(*b"\x01\xa2\x04\xdd\x2f\x4d\x75\xf1\x97\x4d\x5a\x34\x98\xe1\x16\xc7");
/// A key of no service: its tag is made under a master key that was thrown away.
pub(super) const TEXT: &str =
    "sakms_live_0352BNBImKxpltdIAIl9PDKLO0aatoBuXTLskt7VvrHece3LVoUPrS0jOMNkSDVyAHuSs7AaTp6g";
const SHOWN: &str = "sakms_live_0352BN";
const TOKEN: &str =
    "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIwMWEyMDRkZCJ9.c2lnbmF0dXJl";
const SESSION: SessionId =
    SessionId::from_bytes(*b"\x01\xa2\x04\xdd\x2f\x4d\x75\xf1\x97\x4d\x5a\x34\x98\xe1\x16\xd8");
/// A refresh token of no service.
const REFRESH: &str =
    "sakms_refresh_0352BNBImKxpltdIAIl9PDKLO0aatoBuXTLskt7VvrHece3LVoUPrS0jOMNkSDVyAHuSs7AaTp6g";
/// A code of no service.
const CODE: &str = "BImKxpltdIAIl9PDKLO0aatoBuXTLskt7VvrHece3LVoUPrS0jOMNk";
/// What `Link` leads to.
pub(super) const LINK: &str = r#"<?limit=50&cursor=AaIE3S9NdfGXTVo0mOEWx4dF>; rel="next""#;

pub(super) const AUDIT_LINK: &str =
    r#"<?action=key%2Erevoke&cursor=AAAAAAAAAs5c3vYJ3aQ2h0bK1nXo5w6G>; rel="next""#;

pub(super) fn sign_in() -> Value {
    json!({"email": "ada@example.com", "password": "harbour lamp quartz willow"})
}

pub(super) fn registered() -> Value {
    written(&Registered { user_id: ACCOUNT })
}

pub(super) fn signed_in() -> Value {
    let token = IssuedToken::new(BearerToken::new(TOKEN.to_owned()), Duration::from_mins(15));
    let refresh_token = RefreshToken::new(REFRESH.to_owned());
    let signed_in = service::SignedIn::new(token, Some((SESSION, refresh_token)));
    written(&SignedIn::from(&signed_in))
}

pub(super) fn refresh_session() -> Value {
    json!({"refresh_token": REFRESH})
}

pub(super) fn change_password() -> Value {
    json!({"old_password": "harbour lamp quartz willow", "new_password": "ochre spindle thaw meadow"})
}

pub(super) fn request_reset() -> Value {
    json!({"email": "ada@example.com"})
}

pub(super) fn reset_password() -> Value {
    json!({"code": CODE, "new_password": "ochre spindle thaw meadow"})
}

pub(super) fn confirm_address() -> Value {
    json!({"code": CODE})
}

pub(super) fn session() -> Value {
    json!({
        "id": SESSION,
        "created_at": "2026-11-22T20:05:34.223743Z",
        "last_used_at": "2026-11-25T08:12:09.001Z",
        "expires_at": "2026-12-25T08:12:09.001Z",
        "current": true,
        "address": "192.0.2.17",
        "user_agent": "curl/8.14.1",
    })
}

/// The page sends it as it is, so it has nothing in it that another service may not have.
pub(super) fn create_key() -> Value {
    json!({
        "name": "laptop",
        "scopes": ["reports:read"],
        "limits": {"rates": [{"name": "minute", "requests": 60, "seconds": 60}]},
        "tags": ["ci"],
        "environment": "live",
        "expires_at": "2099-12-31T23:59:59Z",
        "metadata": {"team": "research"},
    })
}

pub(super) fn change_key() -> Value {
    json!({"name": "old laptop"})
}

pub(super) fn key() -> Value {
    record().map_or(Value::Null, |record| written(&Key::from(&record)))
}

pub(super) fn shown_key() -> Value {
    shown().map_or(Value::Null, |shown| written(&ShownKey::from(&shown)))
}

/// The key with a secret that retires tomorrow, and the one that takes its place.
fn shown() -> Option<KeyWithSecrets> {
    let record = record()?;
    let secret = |id, shown: &str, made: &str| {
        let hash = StoredHash::new(String::new());
        let made = Timestamp::parse(made).ok()?;
        let record = SecretRecord::new(SecretId::from_bytes(id), KEY, hash, shown.to_owned(), made);
        Some(UsedSecret::unused(record))
    };
    let former = *b"\x01\xa2\x04\xdd\x2f\x4d\x75\xf1\x97\x4d\x5a\x34\x98\xe1\x16\xc8";
    let mut former = secret(former, "sakms_live_0351xQ", "2026-11-22T20:05:34.223743Z")?;
    former.record.retired_at = Timestamp::parse("2026-11-26T08:00:00Z").ok();
    former.uses = 1_204;
    former.last_used_at = record.last_used_at;
    former.last_used_from = "192.0.2.7".parse().ok();
    let newest = *b"\x01\xa2\x11\xc4\x90\x5b\x72\x0e\x8f\x30\x6b\xd1\x44\x7c\x9a\x05";
    let newest = secret(newest, SHOWN, "2026-11-25T08:00:00Z")?;
    let mut shown = KeyWithSecrets::new(record, former.record.clone());
    shown.secrets = vec![former, newest];
    Some(shown)
}

pub(super) fn rotate() -> Value {
    json!({"overlap_seconds": 86_400})
}

pub(super) fn revoke_keys() -> Value {
    json!({"tag": "ci", "unused_for": 7_776_000, "dry_run": true})
}

pub(super) fn bulk_revocation() -> Value {
    let mut revoked = Revoked::default();
    revoked.keys.push(KEY);
    written(&BulkRevocation::new(&revoked, true))
}

pub(super) fn set_role() -> Value {
    json!({"scopes": ["reports:read"]})
}

pub(super) fn role() -> Value {
    let role = || {
        let (name, scopes) = ("reader".parse().ok()?, "reports:read".parse().ok()?);
        let at = Timestamp::parse("2026-11-20T09:30:00Z").ok()?;
        Some(Role::new(name, scopes, at))
    };
    role().map_or(Value::Null, |role| written(&RoleShown::from(&role)))
}

pub(super) fn status(status: &'static str) -> Value {
    written(&Status { status })
}

pub(super) fn new_key() -> Value {
    let mut key = key();
    key["api_key"] = TEXT.into();
    key["last_used_at"] = Value::Null;
    key
}

pub(super) fn changed_key() -> Value {
    let mut key = key();
    key["name"] = change_key()["name"].take();
    key
}

/// The key of RFC 8037, appendix A.2, under the name that appendix A.3 finds.
pub(super) fn jwks() -> Value {
    let kid = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k".to_owned();
    let key = *b"\xd7\x5a\x98\x01\x82\xb1\x0a\xb7\xd5\x4b\xfe\xd3\xc9\x64\x07\x3a\x0e\xe1\x72\xf3\xda\xa6\x23\x25\xaf\x02\x1a\x68\xf7\x07\x51\x1a";
    written(&Jwks::new(vec![PublicJwk::ed25519(kid, key)]))
}

pub(super) fn revoked() -> Value {
    written(&Status { status: "revoked" })
}

/// That [`key`] was revoked.
pub(super) fn audit_row() -> Value {
    let entry = JournalEntry::from_parts(
        EntryId::from_bytes(*b"\x01\xa2\x04\xdd\x35\x0a\x7c\x3d\x9f\x40\x66\x0b\x2e\xd1\x85\xf3"),
        Timestamp::parse("2026-11-25T09:30:00.000417Z").unwrap_or(Timestamp::EPOCH),
        Actor::owner(&Owner::from(ACCOUNT)),
        Action::KEY_REVOKE,
        Subject::key(KEY),
        String::new(),
    );
    let chain = ChainHash::from_bytes(*b"\x5c\xde\xf6\x09\xdd\xa4\x36\x87\x46\xca\xd6\x75\xe8\xe7\x0e\x86\x91\x7b\x13\x2d\x4c\x08\xfa\xb5\x60\x3f\x99\xe2\x71\x0b\xc4\x1d");
    written(&AuditRow::from(&JournalRow::new(
        Seq::new(718),
        entry,
        chain,
    )))
}

pub(super) fn ready() -> Value {
    written(&Status { status: "ready" })
}

pub(super) fn health() -> Value {
    let version = env!("CARGO_PKG_VERSION");
    written(&Health {
        status: "ok",
        version,
        journal: JournalHealth {
            position: Some(1_204),
            lag_ms: Some(83),
            trusted: true,
        },
    })
}

/// The key that [`create_key`] asks for, some days later.
fn record() -> Option<KeyRecord> {
    let moment = |text| Timestamp::parse(text).ok();
    let mut record = KeyRecord::new(
        KEY,
        Owner::from(ACCOUNT),
        Environment::live(),
        moment("2026-11-22T20:05:34.223743Z")?,
    );
    record.name = "laptop".parse().ok()?;
    record.scopes = "reports:read".parse().ok()?;
    record.roles = "reader".parse().ok()?;
    record.limits = Limits::from_json(&create_key()["limits"].to_string()).ok()?;
    record.tags = "ci".parse().ok()?;
    record.metadata = Metadata::from_json(r#"{"team":"research"}"#).ok()?;
    record.expires_at = moment("2099-12-31T23:59:59Z");
    record.last_used_at = moment("2026-11-25T08:12:09.001Z");
    record.shown_prefix = SHOWN.into();
    Some(record)
}

/// A struct of text and numbers cannot fail to serialise.
fn written(answer: &impl Serialize) -> Value {
    serde_json::to_value(answer).unwrap_or_default()
}
