//! Examples a reader can use. Answers are made of the types that are answered; requests are read back by a test.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use crate::clock::Timestamp;
use crate::http::dto::{Health, JournalHealth, Key, Registered, SignedIn, Status};
use crate::id::{AccountId, KeyId};
use crate::key::{Environment, KeyRecord, Metadata, Owner};
use crate::secret::BearerToken;
use crate::token::{IssuedToken, Jwks, PublicJwk};

const ACCOUNT: AccountId =
    AccountId::from_bytes(*b"\x01\xa2\x04\xdd\x29\x6e\x72\x9b\x80\x75\xc1\x53\xaf\x97\xc7\x1a");
const KEY: KeyId =
    KeyId::from_bytes(*b"\x01\xa2\x04\xdd\x2f\x4d\x75\xf1\x97\x4d\x5a\x34\x98\xe1\x16\xc7");
/// A key of no service: its tag is made under a master key that was thrown away.
const TEXT: &str =
    "sakms_live_0352BNBImKxpltdIAIl9PDKLO0aatoBuXTLskt7VvrHece3LVoUPrS0jOMNkSDVyAHuSs7AaTp6g";
const SHOWN: &str = "sakms_live_0352BN";
const TOKEN: &str =
    "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIwMWEyMDRkZCJ9.c2lnbmF0dXJl";
/// What `Link` leads to.
pub(super) const LINK: &str = r#"<?limit=50&cursor=AaIE3S9NdfGXTVo0mOEWx4dF>; rel="next""#;

pub(super) fn sign_in() -> Value {
    json!({"email": "ada@example.com", "password": "harbour lamp quartz willow"})
}

pub(super) fn registered() -> Value {
    written(&Registered { user_id: ACCOUNT })
}

pub(super) fn signed_in() -> Value {
    let token = IssuedToken::new(BearerToken::new(TOKEN.to_owned()), Duration::from_hours(1));
    written(&SignedIn::from(&token))
}

pub(super) fn create_key() -> Value {
    json!({
        "name": "laptop",
        "scopes": ["reports:read"],
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
