//! Registering and signing in from somewhere.

use std::net::IpAddr;

use super::Attempt;
use crate::id::AccountId;
use crate::secret::Password;
use crate::service::Sakms;
use crate::service::accounts::LoginDenial;
use crate::service::error::Error;
use crate::service::sessions::{Origin, SignedIn};
use crate::verdict::Verdict;

impl Sakms {
    /// Makes an account for somebody whose request came from this address, as [`Sakms::register`] does. Registrations from
    /// one source are slowed down ([`ThrottleConfig::registrations`](super::ThrottleConfig::registrations)).
    ///
    /// # Errors
    /// [`Error::Throttled`] when there were too many from there; as for [`Sakms::register`].
    pub async fn register_from(
        &self,
        email: &str,
        password: &Password,
        from: Option<IpAddr>,
    ) -> Result<AccountId, Error> {
        let attempt = self.inner.throttle.registration(from).await?;
        let outcome = self.make_account(email, password).await;
        if let Err(Error::Invalid(_) | Error::NotOffered) = outcome {
            // Nothing was hashed for it.
            attempt.undecided();
        }
        outcome
    }

    /// Signs somebody in whose request came from there, as [`Sakms::login`] does. Too many failures with the account
    /// or from the source are answered with a pause, before anything is hashed; an address from which somebody has signed in
    /// before is not held to account for what others do elsewhere.
    ///
    /// # Errors
    /// [`Error::Throttled`] when it is not time yet: nothing was tried, and the password may well be right. As for
    /// [`Sakms::login`].
    pub async fn login_from(
        &self,
        email: &str,
        password: &Password,
        origin: &Origin,
    ) -> Result<Verdict<SignedIn, LoginDenial>, Error> {
        if !self.has_accounts() || password.expose().len() > Password::MAX_BYTES {
            // Refused without a hash, and with no word of the account.
            return self.sign_in(email, password, origin).await;
        }
        // Whose address it is is not looked up, so the journal counts it for the service.
        let attempt = self.begin_attempt(email, origin, None).await?;
        let outcome = self.sign_in(email, password, origin).await;
        match &outcome {
            Ok(Verdict::Granted(_)) => attempt.succeeded(),
            // Dropped, it counts as failed.
            Ok(Verdict::Denied(_)) => drop(attempt),
            Err(_) => attempt.undecided(),
        }
        outcome
    }

    /// Whether a password may be tried now. That it may not goes into the journal, about this account if it is known.
    ///
    /// # Errors
    /// [`Error::Throttled`] when not.
    pub(in crate::service) async fn begin_attempt(
        &self,
        email: &str,
        origin: &Origin,
        account: Option<AccountId>,
    ) -> Result<Attempt, Error> {
        let attempt = self.inner.throttle.sign_in(email, origin.address).await;
        attempt.inspect_err(|_| self.count_refused_sign_in(account, "throttled"))
    }
}
