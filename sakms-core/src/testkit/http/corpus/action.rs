//! What a file asks for besides requests, read.

use std::time::Duration;

use crate::http::Group;
use crate::store::StoreErrorKind;
use crate::testkit::faults::{Fault, StoreMethod};

/// How the service differs from what [`Stage::world`](super::super::Stage::world) sets up.
#[derive(Debug, Clone)]
pub(super) enum Setting {
    WithoutAccounts,
    SignsWithEd25519,
    WithSessions,
    ConfirmsAddresses,
    TokensInHeadersAlone,
    BodyLimit(usize),
    BodyTime(Duration),
    Groups(Vec<Group>),
}

/// What happens before a step's bytes are sent.
#[derive(Debug, Clone)]
pub(super) enum Action {
    Let(Maker, String, String),
    /// A key text with a right tag and a secret that nobody was given: of an id that is unknown, or that of another key.
    Mint {
        name: String,
        environment: String,
        like: Option<String>,
    },
    /// Somebody who registers and signs in.
    User(String),
    /// The same, with the role of an admin.
    Admin(String),
    /// A key of this user, made from this JSON.
    Key(String, String, String),
    Advance(Duration),
    Disable(String),
    Enable(String),
    Fail(Option<StoreMethod>, Fault),
    Heal,
    Flush,
    /// The code that was mailed last to this address.
    Mail(String, String),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Maker {
    /// The bytes as they are.
    Plain,
    Base64,
    /// What the service would sign them with.
    Signature,
}

/// What is remembered of the last answer.
#[derive(Debug, Clone)]
pub(super) struct Taken {
    pub(super) name: String,
    pub(super) from: Place,
}

#[derive(Debug, Clone)]
pub(super) enum Place {
    /// Where it stands in the JSON (RFC 6901).
    Json(String),
    /// The cursor in the link to the next page.
    Cursor,
}

impl Action {
    pub(super) fn read(line: &str) -> Result<Self, String> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let words: Vec<_> = rest.split_whitespace().collect();
        let owned = |word: &str| word.to_owned();
        let define = |maker| {
            let (name, text) = rest.split_once(" = ").ok_or("expected NAME = TEXT")?;
            Ok(Self::Let(maker, owned(name), owned(text)))
        };
        match (verb, &words[..]) {
            ("let", _) => define(Maker::Plain),
            ("base64", _) => define(Maker::Base64),
            ("signature", _) => define(Maker::Signature),
            ("key", [name, "of", user, ..]) => {
                let json = rest.split_once(user).map_or("", |(_, json)| json).trim();
                Ok(Self::Key(owned(name), owned(user), owned(json)))
            }
            ("mint", [name, environment, model @ ..]) => Ok(Self::Mint {
                name: owned(name),
                environment: owned(environment),
                like: match model {
                    [] => None,
                    ["like", key] => Some(owned(key)),
                    _ => return Err("expected NAME ENVIRONMENT like KEY".to_owned()),
                },
            }),
            ("user", [name]) => Ok(Self::User(owned(name))),
            ("admin", [name]) => Ok(Self::Admin(owned(name))),
            ("advance", [time]) => Ok(Self::Advance(duration(time)?)),
            ("disable", [user]) => Ok(Self::Disable(owned(user))),
            ("enable", [user]) => Ok(Self::Enable(owned(user))),
            ("fail", [what]) => Ok(Self::Fail(None, fault(what)?)),
            ("fail", [what, "in", method]) => {
                Ok(Self::Fail(Some(store_method(method)?), fault(what)?))
            }
            ("heal", []) => Ok(Self::Heal),
            ("mail", [name, "to", email]) => Ok(Self::Mail(owned(name), owned(email))),
            ("flush", []) => Ok(Self::Flush),
            _ => Err("no action is written like this".to_owned()),
        }
    }
}

impl Taken {
    pub(super) fn read(line: &str) -> Result<Self, String> {
        let (name, from) = line.split_once(" = ").ok_or("expected NAME = WHERE")?;
        let from = match from.split_once(' ') {
            Some(("json", pointer)) => Place::Json(pointer.to_owned()),
            None if from == "cursor" => Place::Cursor,
            _ => return Err("expected `json /POINTER` or `cursor`".to_owned()),
        };
        let name = name.to_owned();
        Ok(Self { name, from })
    }
}

pub(super) fn setting(words: &str) -> Result<Setting, String> {
    let number = |text: &str| text.parse().map_err(|_| "expected a number".to_owned());
    match words.split(' ').collect::<Vec<_>>()[..] {
        ["without", "accounts"] => Ok(Setting::WithoutAccounts),
        ["signs", "with", "ed25519"] => Ok(Setting::SignsWithEd25519),
        ["confirms", "addresses"] => Ok(Setting::ConfirmsAddresses),
        ["with", "sessions"] => Ok(Setting::WithSessions),
        ["tokens", "in", "headers", "alone"] => Ok(Setting::TokensInHeadersAlone),
        ["body", "limit", bytes] => Ok(Setting::BodyLimit(number(bytes)?)),
        ["body", "time", time] => Ok(Setting::BodyTime(duration(time)?)),
        ["groups", ref groups @ ..] => {
            let group = |name: &&str| match *name {
                "accounts" => Ok(Group::Accounts),
                "tokens" => Ok(Group::Tokens),
                "keys" => Ok(Group::Keys),
                "roles" => Ok(Group::Roles),
                "exchange" => Ok(Group::Exchange),
                "meta" => Ok(Group::Meta),
                "documents" => Ok(Group::Documents),
                _ => Err(format!("`{name}` is no group")),
            };
            groups
                .iter()
                .map(group)
                .collect::<Result<_, _>>()
                .map(Setting::Groups)
        }
        _ => Err("no setting is written like this".to_owned()),
    }
}

/// A number with `us`, `ms`, `s` or `h` behind it.
fn duration(text: &str) -> Result<Duration, String> {
    let unit = text.trim_start_matches(|digit: char| digit.is_ascii_digit());
    let number = text[..text.len() - unit.len()].parse();
    let number: u64 = number.map_err(|_| format!("`{text}` is no time"))?;
    match unit {
        "us" => Ok(Duration::from_micros(number)),
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "h" => Ok(Duration::from_hours(number)),
        _ => Err(format!("`{text}` is no time")),
    }
}

fn fault(what: &str) -> Result<Fault, String> {
    Ok(match what {
        "unavailable" => Fault::Before(StoreErrorKind::Unavailable),
        "read_only" => Fault::Before(StoreErrorKind::ReadOnly),
        "corrupt" => Fault::Before(StoreErrorKind::Corrupt),
        "internal" => Fault::Before(StoreErrorKind::Internal),
        "stale" => Fault::Before(StoreErrorKind::Stale),
        "answer_lost" => Fault::After(StoreErrorKind::OutcomeUnknown),
        _ => return Err(format!("`{what}` is no fault")),
    })
}

fn store_method(name: &str) -> Result<StoreMethod, String> {
    let mut methods = StoreMethod::ALL.iter().copied();
    methods
        .find(|method| method.name() == name)
        .ok_or_else(|| format!("a store has no `{name}`"))
}
