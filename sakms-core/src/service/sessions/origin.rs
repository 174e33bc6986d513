//! Where somebody signs in from.

use std::net::IpAddr;

/// Where a request came from, as far as it is known: shown to whoever looks at their sessions, and decides nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Origin {
    /// The address, past the proxies that are trusted.
    pub address: Option<IpAddr>,
    user_agent: Option<String>,
}

impl Origin {
    /// The most bytes that are kept of what a client calls itself.
    pub const MAX_USER_AGENT: usize = 256;

    /// From this address, by a client that calls itself so. Of that, control characters are left out and what is too long is
    /// cut off.
    #[must_use]
    pub fn new(address: Option<IpAddr>, user_agent: Option<&str>) -> Self {
        let kept = user_agent.map(|text| {
            let mut text: String = text.chars().filter(|char| !char.is_control()).collect();
            text.truncate(text.floor_char_boundary(Self::MAX_USER_AGENT));
            text
        });
        Self {
            address,
            user_agent: kept.filter(|text| !text.is_empty()),
        }
    }

    /// What the client calls itself.
    #[must_use]
    pub fn user_agent(&self) -> Option<&str> {
        self.user_agent.as_deref()
    }
}
