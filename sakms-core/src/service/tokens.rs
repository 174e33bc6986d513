//! What is known of tokens outside of a sign-in.

use super::Sakms;
use crate::token::Jwks;

impl Sakms {
    /// The public keys that the tokens of this service can be checked with elsewhere (RFC 7517); `None` where nobody
    /// issues tokens, or whoever does publishes none.
    #[must_use]
    pub fn jwks(&self) -> Option<Jwks> {
        self.inner.tokens.as_ref()?.jwks()
    }
}
