//! What makes and checks the tokens: the keys in the database, or a secret that was given.

use async_trait::async_trait;
use sakms_core::clock::{Clock as _, SystemClock, Timestamp};
use sakms_core::entropy::OsEntropy;
use sakms_core::key::MasterKeys;
use sakms_core::secret::BearerToken;
use sakms_core::token::{
    Claims, HmacSecret, IssuedToken, Jwks, JwtIssuer, JwtIssuerBuilder, KeyRotation, Keyring,
    SigningKey, StoredIssuer, TokenDenial, TokenError, TokenIssuer, TokenRequest, VerifyingKey,
};
use sakms_core::verdict::Verdict;

use crate::config::{KeyringSettings, Settings};
use crate::database::Database;
use crate::error::Failure;
use crate::keys::{FormerSecret, Keys, TokenKeys};

/// Who makes and checks tokens.
#[derive(Debug)]
pub(crate) enum Issuer {
    /// By one key that no other server hears of from here.
    Alone(JwtIssuer),
    /// By the keys in the database.
    Stored(StoredIssuer),
    /// By the keys in the database, where an earlier version signed with a secret.
    AfterSecret(AfterSecret),
}

impl Issuer {
    /// The one that the server has.
    pub(crate) async fn open(
        settings: &Settings,
        database: &Database,
        keys: Keys,
    ) -> Result<(MasterKeys, Self), Failure> {
        let Keys { master, tokens } = keys;
        let issuer = match tokens {
            TokenKeys::Secret(secret) => Self::Alone(alone(settings, Keyring::hs256(secret))?),
            TokenKeys::Stored { former } => {
                let stored = stored(settings, database, &master).await?;
                match former {
                    None => Self::Stored(stored),
                    Some(former) => Self::AfterSecret(AfterSecret::new(settings, stored, former)?),
                }
            }
        };
        Ok((master, issuer))
    }

    /// One for commands, which make and check no tokens.
    pub(crate) fn unused(settings: &Settings) -> Result<Self, Failure> {
        Ok(Self::Alone(alone(settings, throwaway()?)?))
    }
}

/// The keys in the database; the first of them is made if there is none.
pub(crate) async fn stored(
    settings: &Settings,
    database: &Database,
    master: &MasterKeys,
) -> Result<StoredIssuer, Failure> {
    let (rules, rotation) = (
        named(settings, JwtIssuer::settings()),
        rotation(&settings.keyring),
    );
    let opened = match database.clone() {
        Database::Sqlite(store) => StoredIssuer::open(store, master, rules, rotation).await,
        Database::MariaDb(store) => StoredIssuer::open(store, master, rules, rotation).await,
    };
    opened.map_err(|error| Failure::new("the keys that sign tokens", &error))
}

fn rotation(settings: &KeyringSettings) -> KeyRotation {
    let mut rotation = KeyRotation::default();
    rotation.follow = settings.follow;
    rotation.notice = settings.notice;
    rotation
}

/// Finds settings that contradict each other.
pub(crate) fn check(settings: &KeyringSettings) -> Result<(), Failure> {
    if settings.notice <= settings.follow {
        return Err(Failure::plain(
            "--keyring-notice must be longer than --keyring-follow: a key must be known everywhere before it signs",
        ));
    }
    Ok(())
}

/// The prefix names the service to people and to its tokens alike.
fn named(settings: &Settings, builder: JwtIssuerBuilder) -> JwtIssuerBuilder {
    builder
        .audience(&settings.key_prefix)
        .lifetime(settings.token_lifetime)
}

fn alone(settings: &Settings, keyring: Keyring) -> Result<JwtIssuer, Failure> {
    let built = named(settings, JwtIssuer::builder(keyring)).build();
    built.map_err(|error| Failure::new("tokens", &error))
}

/// A ring that signs nothing: nobody else has its key, and nobody here keeps it.
fn throwaway() -> Result<Keyring, Failure> {
    let key = SigningKey::generate_ed25519(&OsEntropy);
    let key = key.map_err(|error| Failure::new("tokens", &error))?;
    Ok(Keyring::new(key))
}

/// Signs with the keys in the database, and still takes what was signed with the secret that an earlier version made.
#[derive(Debug)]
pub(crate) struct AfterSecret {
    stored: StoredIssuer,
    former: JwtIssuer,
}

impl AfterSecret {
    fn new(
        settings: &Settings,
        stored: StoredIssuer,
        former: FormerSecret,
    ) -> Result<Self, Failure> {
        let FormerSecret { path, secret } = former;
        // No token lives longer, and there are no new ones.
        let longest = JwtIssuer::MAX_LIFETIME + JwtIssuer::MAX_LEEWAY;
        let end = SystemClock.now().checked_add(longest);
        let end = end.unwrap_or(Timestamp::MAX);
        tracing::info!(
            file = %path.display(),
            until = %end,
            "tokens are signed with the keys in the database now; those that were signed with the secret in this file are \
             still good. Remove the file when they have ended"
        );
        let former = Self::ring(secret, end)?;
        Ok(Self {
            stored,
            former: alone(settings, former)?,
        })
    }

    fn ring(secret: HmacSecret, end: Timestamp) -> Result<Keyring, Failure> {
        let ring = throwaway()?.also_verify(VerifyingKey::from(secret).until(end));
        ring.map_err(|error| Failure::new("tokens", &error))
    }
}

#[async_trait]
impl TokenIssuer for AfterSecret {
    async fn issue(&self, request: &TokenRequest) -> Result<IssuedToken, TokenError> {
        self.stored.issue(request).await
    }

    async fn verify(
        &self,
        token: &BearerToken,
    ) -> Result<Verdict<Claims, TokenDenial>, TokenError> {
        // The secret first: it is asked of nobody, while an unknown key may be looked for in the database.
        match self.former.verify(token).await? {
            Verdict::Denied(TokenDenial::UnknownKey) => self.stored.verify(token).await,
            verdict => Ok(verdict),
        }
    }

    fn jwks(&self) -> Option<Jwks> {
        self.stored.jwks()
    }
}
