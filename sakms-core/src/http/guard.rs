//! The guard in front of a host's own routes. What it does with tokens stands in `token_guard.rs`.

use std::future::Future;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::pin::Pin;

use http::header::{AUTHORIZATION, HeaderMap, HeaderName};

use super::answer;
use super::client_address::TrustedProxies;
use super::credentials::{Shown, X_API_KEY, shown};
use super::problem::Problem;
use super::response::Response;
use super::token_guard::Takes;
use crate::key::{Environment, InvalidScope};
use crate::service::{Caller, Checked, Circumstances, KeyDenial, Requirement, Sakms, VerifiedKey};
use crate::verdict::Verdict;

/// Lets requests with a good API key through.
#[derive(Debug, Clone)]
pub struct Guard {
    pub(super) sakms: Sakms,
    pub(super) takes: Takes,
    requirement: Requirement,
    anonymous: bool,
    cost: NonZeroU32,
    proxies: TrustedProxies,
    reads: Vec<HeaderName>,
}

/// Who was let through. The guard puts it into the request's extensions.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Admission {
    /// Whoever holds this key.
    Key(VerifiedKey),
    /// Whoever a token speaks for.
    Token(Caller),
    /// Somebody who presented nothing, where the guard allows that. A bad key is never anonymous.
    Anonymous,
}

impl Admission {
    /// What the answer is to say of the key, whatever the handler says: `RateLimit` and `RateLimit-Policy`
    /// (draft-ietf-httpapi-ratelimit-headers-10), `Deprecation` (RFC 9745) and `Sunset` (RFC 8594) of a secret that was replaced,
    /// `Sakms-Quota`. `None` for most keys, and then nothing was allocated. The adapter appends them to the handler's response.
    #[must_use]
    pub fn headers(&self) -> Option<Box<HeaderMap>> {
        match self {
            Self::Key(key) => answer::fields(key.standing()),
            Self::Token(_) | Self::Anonymous => None,
        }
    }

    /// The key of whoever was let through, for an extractor that needs one.
    ///
    /// # Errors
    /// A [`Problem`]: 500 when there was no guard (`None`) or one that let a token through, which is a mistake of the host's,
    /// and 401 when it let somebody through who presented nothing.
    pub fn key(admission: Option<&Self>) -> Result<VerifiedKey, Problem> {
        Self::key_if_any(admission)?.ok_or_else(Problem::credential_missing)
    }

    /// The key of whoever was let through, if they presented one.
    ///
    /// # Errors
    /// A [`Problem`]: 500 when there was no guard (`None`), or one that let a token through. To call somebody anonymous whom
    /// nobody asked, or who said who they are, would turn a mistake into an open door.
    pub fn key_if_any(admission: Option<&Self>) -> Result<Option<VerifiedKey>, Problem> {
        match admission {
            None | Some(Self::Token(_)) => Err(Problem::guard_missing()),
            Some(Self::Key(key)) => Ok(Some(key.clone())),
            Some(Self::Anonymous) => Ok(None),
        }
    }
}

/// A check that is waiting for the store or for a hash.
pub type CheckFuture = Pin<Box<dyn Future<Output = Result<Admission, Response>> + Send>>;

/// Where a check stands after everything that needs no waiting.
pub enum Check {
    /// Let through.
    Admitted(Admission),
    /// Refused; this is the answer.
    Refused(Response),
    /// The key has to be looked up and proven.
    Pending(CheckFuture),
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Admitted(_) => "Admitted",
            Self::Refused(_) => "Refused",
            Self::Pending(_) => "Pending",
        })
    }
}

impl Guard {
    /// A guard that lets any key through that stands, of the service's first environment.
    #[must_use]
    pub fn any_key(sakms: &Sakms) -> Self {
        Self::new(sakms, Requirement::any_key())
    }

    /// A guard that lets keys through which meet `requirement`. One that says nothing of environments means the service's first
    /// one: a test key opens no route that is not said to be for it.
    #[must_use]
    pub fn new(sakms: &Sakms, requirement: Requirement) -> Self {
        Self {
            requirement: requirement.guarding(sakms.first_environment()),
            sakms: sakms.clone(),
            takes: Takes::Keys,
            anonymous: false,
            cost: NonZeroU32::MIN,
            proxies: TrustedProxies::none(),
            reads: vec![AUTHORIZATION, X_API_KEY],
        }
    }

    /// Lets requests through that present nothing. One that presents something is still checked.
    #[must_use]
    pub const fn or_anonymous(mut self) -> Self {
        self.anonymous = true;
        self
    }

    /// The key must hold this scope as well.
    ///
    /// # Errors
    /// [`InvalidScope`] when the text is no scope, so that a typo fails at start.
    pub fn scope(mut self, scope: &str) -> Result<Self, InvalidScope> {
        self.requirement = self.requirement.scope(scope)?;
        Ok(self)
    }

    /// The key must be of this environment, instead of the service's first one.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.requirement = self.requirement.environment(environment);
        self
    }

    /// The key may be of any environment.
    #[must_use]
    pub fn any_environment(mut self) -> Self {
        self.requirement = self.requirement.any_environment();
        self
    }

    /// Changes what keys must meet, as for [`Guard::new`].
    #[must_use]
    pub fn requirement(mut self, requirement: Requirement) -> Self {
        self.requirement = requirement.guarding(self.sakms.first_environment());
        self
    }

    /// How much each request takes out of a key's rates and quota; 1 when nothing is said.
    #[must_use]
    pub const fn cost(mut self, cost: NonZeroU32) -> Self {
        self.cost = cost;
        self
    }

    /// Which proxies are believed when they say where a request came from; none when nothing is said.
    #[must_use]
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.reads = vec![AUTHORIZATION, X_API_KEY];
        self.reads.extend(proxies.header());
        self.proxies = proxies;
        self
    }

    /// The headers that [`check`](Self::check) reads. An adapter that has to convert headers need convert no other.
    #[must_use]
    pub fn reads(&self) -> &[HeaderName] {
        &self.reads
    }

    /// Checks the credential in a request's headers, of a request that came over a connection whose other end is `peer`. What
    /// can be decided at once is; only a key that this service made is worth waiting for.
    #[must_use]
    pub fn check(&self, headers: &HeaderMap, peer: Option<IpAddr>) -> Check {
        let presented = match shown(headers) {
            Ok(Some(Shown::Token(text))) if self.takes != Takes::Keys => {
                return self.token_check(text);
            }
            Ok(Some(_)) if self.takes == Takes::Tokens => {
                return Check::Refused(Problem::invalid_token().into_response());
            }
            Ok(Some(Shown::Key(text))) => text,
            // A token signs people in; it opens no route that is guarded by a key.
            Ok(Some(Shown::Token(_))) => return refused(&KeyDenial::Malformed),
            Ok(None) if self.anonymous => return Check::Admitted(Admission::Anonymous),
            Ok(None) => return Check::Refused(Problem::credential_missing().into_response()),
            Err(problem) => return Check::Refused(problem.into_response()),
        };
        let circumstances = Circumstances::new(self.proxies.client(peer, headers), self.cost);
        let unsettled = match self
            .sakms
            .check(presented, &self.requirement, &circumstances)
        {
            Checked::Now(Verdict::Granted(key)) => return Check::Admitted(Admission::Key(key)),
            Checked::Now(Verdict::Denied(denial)) => return refused(&denial),
            Checked::Later(unsettled) => unsettled,
        };
        let (sakms, requirement) = (self.sakms.clone(), self.requirement.clone());
        Check::Pending(Box::pin(async move {
            let settled = sakms.settle(unsettled, &requirement, &circumstances);
            match settled.await {
                Ok(Verdict::Granted(key)) => Ok(Admission::Key(key)),
                Ok(Verdict::Denied(denial)) => Err(Problem::key_denied(&denial).into_response()),
                Err(error) => Err(Problem::from(error).into_response()),
            }
        }))
    }
}

fn refused(denial: &KeyDenial) -> Check {
    Check::Refused(Problem::key_denied(denial).into_response())
}
