//! What a token's header and claims have to be (RFC 7519, RFC 9068), read once more, and how they are made wrong.

use std::fmt;

use sakms_core::id::{KeyId, SessionId};
use sakms_core::key::{Owner, ScopeSet};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::{AUDIENCE, ISSUER, LEEWAY, NOW};
use crate::draw::Draw;

/// The members of an object in their order, those that occur twice as well.
pub(super) struct Members(Vec<(String, String)>);

/// What there is of a claim instead of what there should be.
const VALUES: &[&str] = &[
    "null",
    "true",
    "\"\"",
    "\"sakms\"",
    "\"fuzz\"",
    "\"ada\"",
    "\"HS256\"",
    "\"none\"",
    "\"JWT\"",
    "0",
    "1",
    "-1",
    "-0",
    "1.5",
    "1e3",
    "1795000000",
    "1795000000.0",
    "1795000005",
    "1795000006",
    "1794999994",
    "1794999995",
    "1795000600",
    "1795086400",
    "1795086401",
    "1794913600",
    "253402300799",
    "253402300800",
    "18446744073709551615",
    "18446744073709551616",
    "1e999",
    "[]",
    "[\"fuzz\"]",
    "{}",
    "{\"a\":1}",
    "\"01890a5d-ac96-774b-bcce-b302099a8057\"",
    "\"a:b\"",
    "\"a:b c:*\"",
];
const NAMES: &[&str] = &[
    "iss",
    "aud",
    "sub",
    "iat",
    "nbf",
    "exp",
    "jti",
    "sid",
    "key_id",
    "client_id",
    "scope",
    "alg",
    "typ",
    "kid",
    "crit",
    "jwk",
    "zip",
    "b64",
    "plan",
    "",
];

impl Members {
    pub(super) fn of(object: &Value) -> Self {
        let members = object.as_object().into_iter().flatten();
        Self(
            members
                .map(|(name, value)| (name.clone(), value.to_string()))
                .collect(),
        )
    }

    /// Takes one away, gives it another value, or says it twice.
    pub(super) fn change(&mut self, draw: &mut Draw<'_>) {
        let (how, name) = (draw.below(4), *draw.pick(NAMES));
        if how == 0 {
            self.0.retain(|(known, _)| known != name);
            return;
        }
        let value = match draw.below(VALUES.len() + 1) {
            number if number < VALUES.len() => VALUES[number].to_owned(),
            _ => Value::from(String::from_utf8_lossy(draw.short())).to_string(),
        };
        if how == 1 {
            self.0.push((name.to_owned(), value));
        } else if let Some(member) = self.0.iter_mut().find(|(known, _)| known == name) {
            member.1 = value;
        } else {
            self.0.insert(0, (name.to_owned(), value));
        }
    }

    pub(super) fn text(&self) -> String {
        let members = self
            .0
            .iter()
            .map(|(name, value)| format!("{}:{value}", Value::from(name.as_str())));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }
}

/// An object of which no name occurs twice.
struct Object(serde_json::Map<String, Value>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Once;

        impl<'de> Visitor<'de> for Once {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut members = serde_json::Map::new();
                while let Some((name, value)) = map.next_entry()? {
                    if members.insert(name, value).is_some() {
                        return Err(serde::de::Error::custom("twice"));
                    }
                }
                Ok(Object(members))
            }
        }

        deserializer.deserialize_map(Once)
    }
}

pub(super) fn header_is_good(json: &[u8], kid: &str) -> bool {
    let Ok(Object(members)) = serde_json::from_slice(json) else {
        return false;
    };
    let is = |name, value: &str| members.get(name).and_then(Value::as_str) == Some(value);
    members.len() == 3 && is("alg", "HS256") && is("typ", "at+jwt") && is("kid", kid)
}

pub(super) fn are_good(json: &[u8]) -> bool {
    serde_json::from_slice(json).is_ok_and(|Object(members)| good(&members) == Some(true))
}

/// `None` when one is missing or of the wrong type.
fn good(members: &serde_json::Map<String, Value>) -> Option<bool> {
    let text = |name| members.get(name)?.as_str();
    // Times that a service can write down end with the year 9999.
    let time = |name| {
        members
            .get(name)?
            .as_u64()
            .filter(|seconds| *seconds <= 253_402_300_799)
    };
    let (issued, not_before, expires) = (time("iat")?, time("nbf")?, time("exp")?);
    text("sub")?.parse::<Owner>().ok()?;
    if !(1..=128).contains(&text("jti")?.len()) {
        return None;
    }
    if members.contains_key("sid") {
        text("sid")?.parse::<SessionId>().ok()?;
        if members.contains_key("key_id") {
            return None;
        }
    }
    if members.contains_key("key_id") {
        text("key_id")?.parse::<KeyId>().ok()?;
        if members.contains_key("client_id") && text("client_id")? != text("key_id")? {
            return None;
        }
        if members.contains_key("scope") {
            text("scope")?.parse::<ScopeSet>().ok()?;
        }
    }
    Some(
        text("iss")? == ISSUER
            && text("aud")? == AUDIENCE
            && issued < expires
            && expires - issued <= 24 * 60 * 60
            && NOW < expires + LEEWAY
            && not_before <= NOW + LEEWAY
            && issued <= NOW + LEEWAY,
    )
}
