//! The guard for tokens: alone, or beside keys.

use super::guard::{Admission, Check, Guard};
use super::problem::Problem;
use crate::secret::BearerToken;
use crate::service::{Caller, Sakms};
use crate::verdict::Verdict;

/// What opens a guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    Keys,
    Tokens,
    Either,
}

impl Guard {
    /// A guard that lets people through who have signed in, and no key.
    ///
    /// Each check asks whether the account and the session stand, so that a token of somebody who was disabled or has signed out opens
    /// nothing. What is known of a session is remembered; without one, that is a look at the store.
    #[must_use]
    pub fn token(sakms: &Sakms) -> Self {
        let mut guard = Self::any_key(sakms);
        guard.takes = Takes::Tokens;
        guard
    }

    /// Lets people through who have signed in, beside the keys that meet what this guard asks for. Scopes, environments and
    /// limits are those of keys: whoever has signed in may do everything on what is theirs.
    #[must_use]
    pub const fn or_token(mut self) -> Self {
        self.takes = Takes::Either;
        self
    }

    /// Checks a token. Nothing of it reaches the store before its signature is found to be right.
    pub(super) fn token_check(&self, text: &str) -> Check {
        let (sakms, token) = (self.sakms.clone(), BearerToken::new(text.to_owned()));
        Check::Pending(Box::pin(async move {
            match sakms.authenticate(&token).await {
                Ok(Verdict::Granted(caller)) => Ok(Admission::Token(caller)),
                Ok(Verdict::Denied(denial)) => Err(Problem::token_denied(denial).into_response()),
                Err(error) => Err(Problem::from(error).into_response()),
            }
        }))
    }
}

impl Admission {
    /// Who was let through, by a token or by a key, for an extractor that needs somebody.
    ///
    /// # Errors
    /// A [`Problem`]: 500 when there was no guard (`None`), which is a mistake of the host's, and 401 when it let
    /// somebody through who presented nothing.
    pub fn caller(admission: Option<&Self>) -> Result<Caller, Problem> {
        match admission {
            None => Err(Problem::guard_missing()),
            Some(Self::Token(caller)) => Ok(caller.clone()),
            Some(Self::Key(key)) => Ok(Caller::key(key.clone())),
            Some(Self::Anonymous) => Err(Problem::credential_missing()),
        }
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};

    use super::*;
    use crate::entropy::OsEntropy;
    use crate::http::Response;
    use crate::key::MasterKey;
    use crate::store::MemoryStore;
    use crate::token::{
        Claims, IssuedToken, Jwks, JwtIssuer, Keyring, SigningKey, TokenDenial, TokenError,
        TokenIssuer, TokenRequest,
    };

    /// Signs, and then is away.
    #[derive(Debug)]
    struct Away;

    #[async_trait]
    impl TokenIssuer for Away {
        async fn issue(&self, _: &TokenRequest) -> Result<IssuedToken, TokenError> {
            Err(TokenError::new("away"))
        }

        async fn verify(
            &self,
            _: &BearerToken,
        ) -> Result<Verdict<Claims, TokenDenial>, TokenError> {
            Err(TokenError::new("away"))
        }

        fn jwks(&self) -> Option<Jwks> {
            None
        }
    }

    fn sakms(issuer: impl TokenIssuer) -> Sakms {
        let master_key = MasterKey::generate(&OsEntropy).unwrap();
        let builder = Sakms::builder(MemoryStore::new(), master_key);
        builder.token_issuer(issuer).build().unwrap()
    }

    async fn ask(guard: &Guard, token: &str) -> Result<Admission, Response> {
        let value = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
        let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
        match guard.check(&headers, None) {
            Check::Admitted(admission) => Ok(admission),
            Check::Refused(refusal) => Err(refusal),
            Check::Pending(check) => check.await,
        }
    }

    #[tokio::test]
    async fn an_issuer_that_is_away_is_503_and_never_a_verdict() {
        let sakms = sakms(Away);
        for guard in [Guard::token(&sakms), Guard::any_key(&sakms).or_token()] {
            let refusal = ask(&guard, "a.b.c").await.unwrap_err();
            assert_eq!(refusal.status(), 503);
            assert!(refusal.headers().contains_key("retry-after"));
        }
        // A guard for keys has nothing to ask of it.
        let refusal = ask(&Guard::any_key(&sakms), "a.b.c").await.unwrap_err();
        assert_eq!(refusal.status(), 401);
    }

    #[tokio::test]
    async fn a_handler_learns_what_a_token_says() {
        let key = SigningKey::generate_ed25519(&OsEntropy).unwrap();
        let ring = || Keyring::new(SigningKey::from_pkcs8_pem(pem(&key).expose()).unwrap());
        let issuer = |ring| JwtIssuer::builder(ring).audience("acme").build().unwrap();
        let mut request = TokenRequest::new("ada".parse().unwrap());
        request.extra = request.extra.with("plan", "gold").unwrap();
        let made = issuer(ring()).issue(&request).await.unwrap();
        // Without accounts, the subject is whoever the host says.
        let sakms = sakms(issuer(ring()));
        let admission = ask(&Guard::token(&sakms), made.token().expose())
            .await
            .unwrap();
        let caller = Admission::caller(Some(&admission)).unwrap();
        assert_eq!(caller.owner_name().as_str(), "ada");
        assert!(caller.verified_key().is_none() && !caller.is_admin());
        let plan = caller.claims().unwrap().extra().get::<String>("plan");
        assert_eq!(plan.unwrap().as_deref(), Some("gold"));
        // A handler that wants a key is behind the wrong guard: that is no door for anybody.
        for problem in [
            Admission::key(Some(&admission)).map(drop).unwrap_err(),
            Admission::key_if_any(Some(&admission))
                .map(drop)
                .unwrap_err(),
            Admission::caller(None).map(drop).unwrap_err(),
        ] {
            assert_eq!(problem.status(), 500);
        }
        let nobody = Admission::caller(Some(&Admission::Anonymous)).unwrap_err();
        assert_eq!(nobody.code(), "missing_credential");
    }

    fn pem(key: &SigningKey) -> crate::secret::PrivateKeyPem {
        key.to_pkcs8_pem().unwrap()
    }
}
