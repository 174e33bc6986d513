//! Registering, signing in, and who a token speaks for.

use std::fmt;

use super::cache::Strike;
use super::caller::Caller;
use super::error::{Error, FieldError};
use super::sessions::{Origin, SignedIn, StrikeSessions};
use super::{Inner, Sakms};
use crate::account::{AccountRecord, Email};
use crate::clock::Timestamp;
use crate::hash::Share;
use crate::id::AccountId;
use crate::journal::{Action, Actor, Subject};
use crate::key::Owner;
use crate::secret::{BearerToken, Password};
use crate::store::{AccountStore, StoreErrorKind};
use crate::token::{TokenDenial, TokenIssuer};
use crate::verdict::Verdict;

/// Asked for where an address has no account, so that one without takes no less.
const NOBODY: AccountId = AccountId::from_bytes([0; 16]);

/// A sign-in was refused. Whether the address, the password or the account was wrong is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginDenial;

impl fmt::Display for LoginDenial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the e-mail address or the password is wrong")
    }
}

impl std::error::Error for LoginDenial {}

/// A token does not make its bearer a caller. For logs: whoever showed it is told `invalid_token`, whatever the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallerDenial {
    /// This service has no tokens.
    NoTokens,
    /// The token is not good.
    Token(TokenDenial),
    /// The token is not of somebody who has signed in, but of a key that was exchanged for it.
    OfAKey,
    /// There is no such account.
    UnknownAccount,
    /// The account is disabled.
    Disabled,
    /// The token's session has ended.
    SessionEnded,
}

impl fmt::Display for CallerDenial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTokens => f.write_str("this service has no tokens"),
            Self::Token(denial) => denial.fmt(f),
            Self::OfAKey => f.write_str("the token is of a key, for another service"),
            Self::UnknownAccount => f.write_str("the token's account does not exist"),
            Self::Disabled => f.write_str("the token's account is disabled"),
            Self::SessionEnded => f.write_str("the token's session has ended"),
        }
    }
}

impl std::error::Error for CallerDenial {}

impl Sakms {
    /// Makes an account for somebody.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an address that is none or a password that is too weak, [`Error::EmailTaken`] when there
    /// is an account with this address, [`Error::NotOffered`] when this service has no accounts,
    /// [`Error::Store`] and [`Error::Hash`] when it could not be done.
    pub async fn register(&self, email: &str, password: &Password) -> Result<AccountId, Error> {
        self.register_from(email, password, None).await
    }

    #[tracing::instrument(name = "sakms.account.register", skip_all)]
    pub(super) async fn make_account(
        &self,
        email: &str,
        password: &Password,
    ) -> Result<AccountId, Error> {
        let Inner {
            hashes,
            clock,
            entropy,
            passwords,
            ..
        } = &*self.inner;
        let (accounts, _) = self.sign_in_parts()?;
        let email = match Email::parse(email) {
            Ok(email) => email,
            Err(error) => return Err(Error::field("email", error)),
        };
        if let Err(weakness) = passwords.check(password, &email) {
            return Err(Error::Invalid(vec![FieldError::new("password", weakness)]));
        }
        // Hashed before it is known whether the address is taken, so that the time does not tell.
        let hash = hashes
            .hash(Share::Passwords, password.expose().as_bytes())
            .await?;

        let id = AccountId::generate(clock.as_ref(), entropy.as_ref())?;
        let account = AccountRecord::new(id, &email, hash, clock.now());
        let entry = self.entry(
            Actor::ANONYMOUS,
            Action::ACCOUNT_REGISTER,
            Subject::account(id),
        )?;
        match accounts.insert_account(&account, &entry).await {
            Ok(()) => Ok(id),
            Err(error) if error.kind() == StoreErrorKind::Conflict => Err(Error::EmailTaken),
            Err(error) => Err(error.into()),
        }
    }

    /// Signs somebody in. An unknown address costs the same Argon2 run as a wrong password, unless the account's hash
    /// was made with other parameters than the current ones: it is made anew after its owner has signed in, and until
    /// then a sign-in may take noticeably less or more time than one with an unknown address.
    ///
    /// Where there are sessions, one begins ([`Sakms::refresh`], [`Sakms::logout`]).
    ///
    /// # Errors
    /// [`Error::Invalid`] for a password over 1,024 bytes, which no account has; [`Error::NotOffered`] when this
    /// service has no accounts; [`Error::Throttled`] after too many failures with this address; [`Error::Store`],
    /// [`Error::Hash`] and [`Error::Token`] when it could not be decided.
    pub async fn login(
        &self,
        email: &str,
        password: &Password,
    ) -> Result<Verdict<SignedIn, LoginDenial>, Error> {
        self.login_from(email, password, &Origin::default()).await
    }

    #[tracing::instrument(name = "sakms.account.login", skip_all)]
    pub(super) async fn sign_in(
        &self,
        email: &str,
        password: &Password,
        origin: &Origin,
    ) -> Result<Verdict<SignedIn, LoginDenial>, Error> {
        let Inner { keys, hashes, .. } = &*self.inner;
        let (accounts, tokens) = self.sign_in_parts()?;
        let password = password.expose().as_bytes();
        if password.len() > Password::MAX_BYTES {
            return Err(Error::field("password", "has at most 1024 bytes"));
        }
        hashes.check_room(Share::Passwords)?;
        let account = match Email::parse(email) {
            Ok(email) => accounts.account_by_email(email.canonical()).await?,
            Err(_) => None,
        };
        // Asked before anything is hashed, also of nobody: after a right password it would make the answer later, and so tell that
        // the password of a disabled account was right.
        let owner = Owner::from(account.as_ref().map_or(NOBODY, |account| account.id));
        let is_disabled = keys.owner_disabled_at(&owner).await?.is_some();
        let Some(account) = account else {
            hashes.verify_absent(Share::Passwords, password).await?;
            return Ok(self.refuse_sign_in(None, "unknown"));
        };
        if !hashes
            .verify(Share::Passwords, password, &account.password_hash)
            .await?
        {
            return Ok(self.refuse_sign_in(Some(account.id), "wrong_password"));
        }
        if is_disabled {
            return Ok(self.refuse_sign_in(Some(account.id), "disabled"));
        }
        let signed_in = self.begin_session(&account, tokens, origin).await?;
        if hashes.needs_rehash(Share::Passwords, &account.password_hash) {
            self.renew_password_hash(account, password);
        }
        Ok(Verdict::Granted(signed_in))
    }

    /// Counted alike whether there is such an account or not: the time must not tell.
    fn refuse_sign_in(
        &self,
        account: Option<AccountId>,
        reason: &'static str,
    ) -> Verdict<SignedIn, LoginDenial> {
        self.count_refused_sign_in(account, reason);
        Verdict::Denied(LoginDenial)
    }

    pub(super) fn count_refused_sign_in(&self, account: Option<AccountId>, reason: &'static str) {
        let Inner {
            refusals, usage, ..
        } = &*self.inner;
        refusals.sign_in(account, reason);
        usage.ensure_running();
    }

    /// Who a token speaks for. The token must be genuine, its account must exist, and its owner must not be disabled. If it
    /// belongs to a session, that must not have ended: what was found of one is remembered while the journal is followed, so
    /// that most checks ask no store.
    ///
    /// # Errors
    /// [`Error::Store`] and [`Error::Token`] when it could not be decided.
    #[tracing::instrument(name = "sakms.token.verify", skip_all)]
    pub async fn authenticate(
        &self,
        token: &BearerToken,
    ) -> Result<Verdict<Caller, CallerDenial>, Error> {
        let Inner {
            keys,
            accounts,
            tokens,
            ..
        } = &*self.inner;
        let Some(issuer) = tokens else {
            return Ok(Verdict::Denied(CallerDenial::NoTokens));
        };
        let claims = match issuer.verify(token).await? {
            Verdict::Granted(claims) => claims,
            Verdict::Denied(denial) => return Ok(Verdict::Denied(CallerDenial::Token(denial))),
        };
        // Its audience is another already; a host that gave it ours by mistake must not have made a sign-in of it.
        if claims.key().is_some() {
            return Ok(Verdict::Denied(CallerDenial::OfAKey));
        }
        if let Some(verdict) = self.caller_in_session(&claims).await? {
            return Ok(verdict.map(|caller| caller.known_by(claims)));
        }
        let owner = claims.subject().clone();
        let mut caller = Caller::owner(owner.clone());
        if let Some(accounts) = accounts {
            let Ok(id) = owner.as_str().parse::<AccountId>() else {
                return Ok(Verdict::Denied(CallerDenial::UnknownAccount));
            };
            match accounts.account(id).await? {
                None => return Ok(Verdict::Denied(CallerDenial::UnknownAccount)),
                Some(account) if account.is_admin() => caller = Caller::admin(owner.clone()),
                Some(_) => {}
            }
        }
        if keys.owner_disabled_at(&owner).await?.is_some() {
            return Ok(Verdict::Denied(CallerDenial::Disabled));
        }
        Ok(Verdict::Granted(caller.known_by(claims)))
    }

    /// Disables an owner: they cannot sign in, and none of their tokens and keys is good for anything.
    ///
    /// # Errors
    /// [`Error::Store`] when it could not be stored.
    pub async fn disable_owner(&self, owner: &Owner, actor: Actor) -> Result<(), Error> {
        let now = self.inner.clock.now();
        self.set_owner_disabled(owner, Some(now), actor, Action::OWNER_DISABLE)
            .await
    }

    /// Enables an owner again, and with them what they hold.
    ///
    /// # Errors
    /// [`Error::Store`] when it could not be stored.
    pub async fn enable_owner(&self, owner: &Owner, actor: Actor) -> Result<(), Error> {
        self.set_owner_disabled(owner, None, actor, Action::OWNER_ENABLE)
            .await
    }

    #[tracing::instrument(name = "sakms.owner.update", skip_all)]
    async fn set_owner_disabled(
        &self,
        owner: &Owner,
        disabled_at: Option<Timestamp>,
        actor: Actor,
        action: Action,
    ) -> Result<(), Error> {
        let entry = self.entry(actor, action, Subject::owner(owner))?;
        let _strike = Strike::owner(&self.inner.cache, owner);
        let _sessions = StrikeSessions::of_owner(&self.inner.standings, owner);
        Ok(self
            .inner
            .keys
            .set_owner_disabled(owner, disabled_at, &entry)
            .await?)
    }

    fn sign_in_parts(&self) -> Result<(&dyn AccountStore, &dyn TokenIssuer), Error> {
        let Inner {
            accounts, tokens, ..
        } = &*self.inner;
        match (accounts, tokens) {
            (Some(accounts), Some(tokens)) => Ok((accounts.as_ref(), tokens.as_ref())),
            _ => Err(Error::NotOffered),
        }
    }
}
