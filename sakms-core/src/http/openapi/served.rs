//! The document of one [`Api`]: of the routes that it has, for the callers that it knows.

#[cfg(feature = "docs-ui")]
use std::sync::{Arc, OnceLock};

#[cfg(feature = "docs-ui")]
use bytes::Bytes;
use utoipa::openapi::OpenApi;
#[cfg(feature = "docs-ui")]
use utoipa::openapi::Server;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::SecurityRequirement;

use super::{TOKEN, document, nested};
use crate::http::Api;

/// What the document of an [`Api`] says beyond its routes.
#[derive(Debug, Clone, Default)]
pub(in crate::http) struct Description {
    caller_scheme: Option<String>,
    /// As it is sent, without and with a slash at the end of its path; each made when it is first asked for.
    #[cfg(feature = "docs-ui")]
    sent: Arc<[OnceLock<Bytes>; 2]>,
}

impl Description {
    /// With nothing made yet.
    fn of(caller_scheme: Option<String>) -> Self {
        Self {
            caller_scheme,
            #[cfg(feature = "docs-ui")]
            sent: Arc::default(),
        }
    }

    /// What is described has changed.
    pub(in crate::http) fn forget(&mut self) {
        *self = Self::of(self.caller_scheme.take());
    }
}

impl Api {
    /// Names the security scheme by which the host itself knows who calls, a session say: the documents of this `Api` name
    /// it first wherever a caller is needed. What it is, the host's own document says.
    #[must_use]
    pub fn caller_scheme(mut self, name: impl Into<String>) -> Self {
        self.description = Description::of(Some(name.into()));
        self
    }

    /// The OpenAPI 3.1 document of the routes that this `Api` has, for a host that mounts them under `prefix` (`""` for
    /// nowhere) and merges the document into its own.
    ///
    /// Unlike [`openapi_under`](crate::http::openapi_under) it leaves out the groups that are left out, and tokens where
    /// nobody issues any.
    ///
    /// ```
    /// # use sakms_core::{entropy::OsEntropy, key::MasterKey, service::Sakms, store::MemoryStore};
    /// use sakms_core::http::{Api, Group};
    /// use utoipa::openapi::{Info, OpenApi, Paths};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sakms = Sakms::builder(MemoryStore::new(), MasterKey::generate(&OsEntropy)?).build()?;
    /// let api = Api::from(sakms).groups([Group::Keys]).caller_scheme("session");
    /// let mut host = OpenApi::new(Info::new("The whole application", "1.0.0"), Paths::new());
    /// host.merge(api.openapi_under("/account"));
    /// assert!(host.paths.paths.contains_key("/account/keys/{id}"));
    /// assert!(!host.paths.paths.contains_key("/account/health"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn openapi_under(&self, prefix: &str) -> OpenApi {
        nested(prefix, self.described())
    }

    /// The document as JSON, with the server it came from. `slashed` is whether it was asked for by a path that ends with
    /// a slash.
    #[cfg(feature = "docs-ui")]
    pub(in crate::http) fn shown(&self, slashed: bool) -> Bytes {
        let sent = self.description.sent[usize::from(slashed)].get_or_init(|| {
            let mut document = self.described();
            // Relative to where the document stands, so that it is right under any prefix and behind any proxy.
            let here = if slashed { ".." } else { "." };
            document.servers = Some(vec![Server::new(here)]);
            // A tree of text and numbers cannot fail to serialise.
            serde_json::to_vec(&document).unwrap_or_default().into()
        });
        sent.clone()
    }

    fn described(&self) -> OpenApi {
        let mut document = document(|group| self.groups.contains(&group));
        let tokens = self.sakms().has_tokens();
        let token = SecurityRequirement::new(TOKEN, [""; 0]);
        let scheme = self.description.caller_scheme.as_ref();
        for operation in document.paths.paths.values_mut().flat_map(operations) {
            // None for a route that is open to anyone.
            let ways = operation
                .as_mut()
                .and_then(|operation| operation.security.as_mut());
            let Some(ways) = ways.filter(|ways| !ways.is_empty()) else {
                continue;
            };
            // Where an account may call, so may whom the host knows; the rest is for keys alone.
            let by_people = ways.contains(&token);
            ways.retain(|way| tokens || *way != token);
            if let Some(scheme) = scheme.filter(|_| by_people) {
                ways.insert(0, SecurityRequirement::new(scheme, [""; 0]));
            }
            if ways.is_empty() {
                // For nobody that the document knows: without a way it would read as open to anyone.
                *operation = None;
            }
        }
        document
            .paths
            .paths
            .retain(|_, item| operations(item).any(|operation| operation.is_some()));
        if let Some(components) = document.components.as_mut().filter(|_| !tokens) {
            components.security_schemes.remove(TOKEN);
        }
        document
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Option<Operation>> {
    let PathItem {
        get,
        put,
        post,
        delete,
        patch,
        ..
    } = item;
    [get, put, post, delete, patch].into_iter()
}
