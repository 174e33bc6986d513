//! What is kept of a session, as bytes.
//!
//! ```text
//! version 1 | account's revision 4 | generation 8 | digest 32 | former digest 1 + 0 or 32
//!           | last use 8 | end 8 | address 1 + 0, 4 or 16 | user agent 2 + so many
//! ```
//!
//! Numbers are big-endian, times are microseconds. Bytes that are not exactly that are an error, whatever they might mean.

use std::net::IpAddr;

use super::origin::Origin;
use super::text::TokenDigest;
use crate::clock::Timestamp;
use crate::key::Revision;

const VERSION: u8 = 1;

/// What is kept of a session beside whose it is, when it began and when it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SessionValue {
    /// Which password it was begun with, or has seen the change to.
    pub(super) account_revision: Revision,
    /// How often its token was refreshed.
    pub(super) generation: u64,
    /// The token that is good.
    pub(super) current: TokenDigest,
    /// The token before it.
    pub(super) former: Option<TokenDigest>,
    /// When it was begun or refreshed last.
    pub(super) used_at: Timestamp,
    /// When it ends, however much it is used.
    pub(super) ends_at: Timestamp,
    /// From where it was begun or refreshed last.
    pub(super) origin: Origin,
}

impl SessionValue {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend(self.account_revision.get().to_be_bytes());
        bytes.extend(self.generation.to_be_bytes());
        bytes.extend(self.current.as_bytes());
        match &self.former {
            None => bytes.push(0),
            Some(digest) => {
                bytes.push(1);
                bytes.extend(digest.as_bytes());
            }
        }
        bytes.extend(self.used_at.as_micros().to_be_bytes());
        bytes.extend(self.ends_at.as_micros().to_be_bytes());
        match self.origin.address {
            None => bytes.push(0),
            Some(IpAddr::V4(address)) => {
                bytes.push(4);
                bytes.extend(address.octets());
            }
            Some(IpAddr::V6(address)) => {
                bytes.push(16);
                bytes.extend(address.octets());
            }
        }
        let agent = self.origin.user_agent().unwrap_or_default().as_bytes();
        bytes.extend(u16::try_from(agent.len()).unwrap_or(0).to_be_bytes());
        bytes.extend(agent);
        bytes
    }

    /// `None` for bytes that [`to_bytes`](Self::to_bytes) does not make.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut rest = Rest(bytes);
        if rest.take::<1>()? != [VERSION] {
            return None;
        }
        let value = Self {
            account_revision: Revision::new(u32::from_be_bytes(rest.take()?)),
            generation: rest.number()?,
            current: TokenDigest::from_bytes(rest.take()?),
            former: match rest.take()? {
                [0] => None,
                [1] => Some(TokenDigest::from_bytes(rest.take()?)),
                _ => return None,
            },
            used_at: rest.moment()?,
            ends_at: rest.moment()?,
            origin: rest.origin()?,
        };
        rest.0.is_empty().then_some(value)
    }
}

/// What was not read yet.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn number(&mut self) -> Option<u64> {
        self.take().map(u64::from_be_bytes)
    }

    fn moment(&mut self) -> Option<Timestamp> {
        Timestamp::from_micros(i64::from_be_bytes(self.take()?))
    }

    fn origin(&mut self) -> Option<Origin> {
        let address = match self.take()? {
            [0] => None,
            [4] => Some(IpAddr::from(self.take::<4>()?)),
            [16] => Some(IpAddr::from(self.take::<16>()?)),
            _ => return None,
        };
        let length = usize::from(u16::from_be_bytes(self.take()?));
        let (agent, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        let agent = std::str::from_utf8(agent).ok()?;
        let origin = Origin::new(address, Some(agent));
        (origin.user_agent().unwrap_or_default() == agent).then_some(origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_value() -> impl Strategy<Value = SessionValue> {
        let digest = || any::<[u8; 32]>().prop_map(TokenDigest::from_bytes);
        let moment = || {
            (0..253_402_300_799_999_999_i64)
                .prop_map(|micros| Timestamp::from_micros(micros).unwrap())
        };
        let origin = (any::<Option<IpAddr>>(), any::<Option<String>>())
            .prop_map(|(address, agent)| Origin::new(address, agent.as_deref()));
        let digests = (digest(), proptest::option::of(digest()));
        (any::<(u32, u64)>(), digests, moment(), moment(), origin).prop_map(
            |((revision, generation), (current, former), used_at, ends_at, origin)| SessionValue {
                account_revision: Revision::new(revision),
                generation,
                current,
                former,
                used_at,
                ends_at,
                origin,
            },
        )
    }

    proptest! {
        #[test]
        fn a_value_comes_back(value in any_value()) {
            let bytes = value.to_bytes();
            prop_assert!(bytes.len() <= crate::store::StateRecord::MAX_BYTES);
            prop_assert_eq!(SessionValue::from_bytes(&bytes), Some(value));
        }

        #[test]
        fn what_is_cut_short_or_drawn_out_is_none(value in any_value(), more in proptest::collection::vec(any::<u8>(), 1..9)) {
            let bytes = value.to_bytes();
            for length in 0..bytes.len() {
                prop_assert_eq!(SessionValue::from_bytes(&bytes[..length]), None);
            }
            prop_assert_eq!(SessionValue::from_bytes(&[bytes, more].concat()), None);
        }

        #[test]
        fn arbitrary_bytes_are_none_or_have_one_form(bytes in proptest::collection::vec(any::<u8>(), 0..200), version in any::<bool>()) {
            let bytes = if version { [vec![VERSION], bytes].concat() } else { bytes };
            if let Some(value) = SessionValue::from_bytes(&bytes) {
                prop_assert_eq!(value.to_bytes(), bytes);
            }
        }
    }
}
