//! How the host's HTTP client is asked.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;

use crate::token::TokenError;

/// The issuer, as a service elsewhere reaches it: the host's own HTTP client.
///
/// It sends a GET to the issuer's address with this target behind it, with a credential that may read revocations (a key with
/// the scope `keys:verify`), and a timeout of its own. It follows no redirects to other hosts.
#[async_trait]
pub trait OfflineSource: fmt::Debug + Send + Sync + 'static {
    /// What is answered there: `target` is a path that begins with `/`, with a query.
    ///
    /// # Errors
    /// [`TokenError`] when nothing was. An answer of any status is none.
    async fn get(&self, target: &str) -> Result<Fetched, TokenError>;
}

/// An answer.
#[derive(Clone)]
#[non_exhaustive]
pub struct Fetched {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: Bytes,
}

impl Fetched {
    /// The largest body that is read, in bytes. A client may cut one off that is larger.
    pub const MAX_BYTES: usize = 1024 * 1024;

    /// An answer.
    #[must_use]
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            body: body.into(),
        }
    }
}

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetched")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish()
    }
}
