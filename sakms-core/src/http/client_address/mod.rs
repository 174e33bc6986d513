//! Where a request came from, when there are proxies in between.
//!
//! The address of the connection's other end is all that is known for certain. A proxy that is trusted says in a header whom it
//! had at *its* other end, at the end of the list: so the list is read from the right, and no further than the first address
//! that is not a trusted proxy. What stands left of that was written by whoever has that address, and may say anything.

mod forwarded;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::header::{FORWARDED, HeaderMap, HeaderName};

use crate::key::{InvalidField, IpRange};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Which proxies are believed when they say where a request came from. None, when nothing is said.
///
/// As text, for a setting: ranges of addresses separated by commas (`10.0.0.0/8,192.0.2.7`), or how many proxies there are
/// (`hops:2`), and `forwarded` besides where they write that header: `hops:1,forwarded`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    which: Which,
    by: ForwardedBy,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Which {
    #[default]
    Nobody,
    Ranges(Box<[IpRange]>),
    Hops(u8),
}

/// In which header proxies say where a request came from.
///
/// It is one or the other: a proxy that writes the one passes on what a stranger wrote into the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ForwardedBy {
    /// `X-Forwarded-For`: addresses separated by commas.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

impl TrustedProxies {
    /// No header is read: the other end of the connection is who asks.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Whoever has one of these addresses is a proxy, and is believed.
    #[must_use]
    pub fn ranges(ranges: impl IntoIterator<Item = IpRange>) -> Self {
        let which = Which::Ranges(ranges.into_iter().collect());
        let by = ForwardedBy::default();
        Self { which, by }
    }

    /// Each request comes through exactly so many proxies, whatever their addresses. Only for where nobody can reach the service
    /// past them: whoever can writes their own address. A request that came through fewer is from nobody knows where.
    #[must_use]
    pub fn hops(proxies: u8) -> Self {
        let which = Which::Hops(proxies);
        let by = ForwardedBy::default();
        Self { which, by }
    }

    /// In which header they say it; `X-Forwarded-For`, when nothing is said.
    #[must_use]
    pub const fn by(mut self, by: ForwardedBy) -> Self {
        self.by = by;
        self
    }

    /// The header that is read, if one is.
    pub(super) fn header(&self) -> Option<HeaderName> {
        match (&self.which, self.by) {
            (Which::Nobody | Which::Hops(0), _) => None,
            (_, ForwardedBy::XForwardedFor) => Some(X_FORWARDED_FOR),
            (_, ForwardedBy::Forwarded) => Some(FORWARDED),
        }
    }

    /// Where a request came from, by the address of the connection's other end and its headers; `None` when that cannot be
    /// known. An IPv4 address in IPv6 clothes is the IPv4 address.
    #[must_use]
    pub fn client(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Option<IpAddr> {
        let peer = peer.map(|address| address.to_canonical());
        let said = || said_from_the_right(headers, self.by);
        match &self.which {
            Which::Nobody | Which::Hops(0) => peer,
            Which::Hops(proxies) => said().nth(usize::from(*proxies) - 1)?,
            Which::Ranges(ranges) => {
                let is_proxy = |address| ranges.iter().any(|range| range.contains(address));
                let mut address = peer?;
                let mut said = said();
                while is_proxy(address) {
                    match said.next() {
                        Some(known) => address = known?,
                        // The proxy asks of its own accord.
                        None => break,
                    }
                }
                Some(address)
            }
        }
    }
}

/// What proxies said, the nearest one's word first; `None` in it for a word that names no address.
fn said_from_the_right(
    headers: &HeaderMap,
    by: ForwardedBy,
) -> Box<dyn Iterator<Item = Option<IpAddr>> + '_> {
    let lines = |name| headers.get_all(name).iter().rev();
    match by {
        ForwardedBy::XForwardedFor => Box::new(lines(X_FORWARDED_FOR).flat_map(|line| {
            let entries = line.as_bytes().rsplit(|byte| *byte == b',');
            entries.map(|entry| address(std::str::from_utf8(entry).ok()?.trim()))
        })),
        ForwardedBy::Forwarded => {
            Box::new(lines(FORWARDED).flat_map(|line| forwarded::clients(line.as_bytes())))
        }
    }
}

/// An address, with a port or without: `192.0.2.7`, `192.0.2.7:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn address(text: &str) -> Option<IpAddr> {
    let bracketed = |text: &str| text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let address = text
        .parse()
        .ok()
        .or_else(|| bracketed(text).map(IpAddr::V6))
        .or_else(|| text.parse().ok().map(|socket: SocketAddr| socket.ip()))?;
    Some(address.to_canonical())
}

impl FromStr for TrustedProxies {
    type Err = InvalidProxies;

    fn from_str(text: &str) -> Result<Self, InvalidProxies> {
        let (mut ranges, mut hops, mut by) = (Vec::new(), None, ForwardedBy::default());
        for part in text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            if part == "forwarded" {
                by = ForwardedBy::Forwarded;
            } else if let Some(number) = part.strip_prefix("hops:") {
                let number = number.parse().map_err(|_| InvalidProxies::Hops)?;
                if hops.replace(number).is_some() {
                    return Err(InvalidProxies::Both);
                }
            } else {
                ranges.push(part.parse::<IpRange>()?);
            }
        }
        let proxies = match (hops, ranges.is_empty()) {
            (Some(hops), true) => Self::hops(hops),
            (Some(_), false) => return Err(InvalidProxies::Both),
            (None, false) => Self::ranges(ranges),
            (None, true) if by == ForwardedBy::Forwarded => return Err(InvalidProxies::Whose),
            (None, true) => Self::none(),
        };
        Ok(proxies.by(by))
    }
}

/// Why a text does not say which proxies are trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidProxies {
    /// One of the addresses is none.
    Range(InvalidField),
    /// The number of hops is none.
    Hops,
    /// Both hops and addresses, or hops twice.
    Both,
    /// `forwarded`, and nobody who is believed.
    Whose,
}

impl fmt::Display for InvalidProxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Range(error) => error.fmt(f),
            Self::Hops => f.write_str("expected hops:N, with N from 0 to 255"),
            Self::Both => f.write_str(
                "say either which addresses proxies have or, once, how many hops there are",
            ),
            Self::Whose => f.write_str("`forwarded` alone names no proxy: say whose header it is"),
        }
    }
}

impl std::error::Error for InvalidProxies {}

impl From<InvalidField> for InvalidProxies {
    fn from(error: InvalidField) -> Self {
        Self::Range(error)
    }
}

#[cfg(test)]
mod tests;
