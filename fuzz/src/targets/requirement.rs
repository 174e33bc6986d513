//! Requirements, scopes and what else is written as text by people: what is written reads as what was read.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use sakms_core::clock::Timestamp;
use sakms_core::http::TrustedProxies;
use sakms_core::key::{
    IpRange, KeyName, KeyPrefix, Limits, Metadata, Owner, RoleSet, Scope, ScopeSet, TagSet,
};
use sakms_core::service::Requirement;

use crate::draw::Draw;

/// Runs the target.
pub fn run(data: &[u8]) {
    let mut draw = Draw::new(data);
    let which = draw.below(12);
    let text = &*draw.text();
    match which {
        0 | 1 => {
            if let Some(requirement) = same::<Requirement>(text) {
                assert!(requirement.to_string().len() <= Requirement::MAX_BYTES);
            }
        }
        2 => {
            same::<ScopeSet>(text);
        }
        3 => scopes(text),
        4 => {
            same::<RoleSet>(text);
        }
        5 => {
            same::<TagSet>(text);
        }
        6 => {
            same::<IpRange>(text);
        }
        7 => {
            let _ = text.parse::<TrustedProxies>();
        }
        8 => {
            if let Ok(moment) = Timestamp::parse(text) {
                assert_eq!(Timestamp::parse(&moment.to_string()), Ok(moment));
            }
        }
        9 => {
            if let Ok(limits) = Limits::from_json(text) {
                let written = limits.to_json();
                assert_eq!(Limits::from_json(&written).ok(), Some(limits), "{written}");
            }
        }
        10 => {
            if let Ok(metadata) = Metadata::from_json(text) {
                let written = metadata.to_json();
                let again = Metadata::from_json(&written).ok();
                assert_eq!(again, Some(metadata), "{written}");
            }
        }
        _ => {
            if let Ok(owner) = text.parse::<Owner>() {
                assert!(owner.as_str() == text && text.len() <= Owner::MAX_BYTES);
            }
            if let Ok(name) = text.parse::<KeyName>() {
                assert!(name.as_str().chars().count() <= KeyName::MAX_CHARS);
            }
            if let Ok(prefix) = text.parse::<KeyPrefix>() {
                assert_eq!(prefix.as_str(), text);
            }
        }
    }
}

/// What was read, if anything was; written and read again it is the same.
fn same<T: FromStr<Err: Debug> + Display + PartialEq + Debug>(text: &str) -> Option<T> {
    let read: T = text.parse().ok()?;
    let written = read.to_string();
    match written.parse::<T>() {
        Ok(again) => {
            assert_eq!(again, read, "{text:?} is written as {written:?}");
            assert_eq!(again.to_string(), written);
        }
        Err(error) => panic!("{text:?} is written as {written:?}, which is none: {error:?}"),
    }
    Some(read)
}

/// A scope covers what it says and no other than by its star.
fn scopes(text: &str) {
    let Some((one, other)) = text.split_once(' ') else {
        return;
    };
    let (Some(one), Some(other)) = (same::<Scope>(one), same::<Scope>(other)) else {
        return;
    };
    let expected = one == other
        || one == Scope::everything()
        || one
            .as_str()
            .strip_suffix('*')
            .is_some_and(|prefix| prefix.ends_with(':') && other.as_str().starts_with(prefix));
    assert_eq!(one.covers(&other), expected, "{one} and {other}");
}
