//! A store, and the services that are built on it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::Server;
use super::client::Client;
use super::world::World;
use crate::clock::ManualClock;
use crate::entropy::{Entropy, OsEntropy};
use crate::hash::{Argon2Params, HashPoolConfig};
use crate::http::{Api, QueryToken};
use crate::key::{Environment, KeyFormat, MasterKey, MasterKeys};
use crate::service::{
    CacheConfig, LimiterDown, RecoveryConfig, Sakms, SakmsBuilder, TokenExchange,
};
use crate::store::{AccountStore, KeyStore, StateStore};
use crate::testkit::faults::Faults;
use crate::testkit::fixtures;
use crate::testkit::mail::Mailbox;
use crate::token::{HmacSecret, JwtIssuer, Keyring};

/// What every key of the suite's services starts with.
pub(super) const PREFIX: &str = "acme";
/// Good enough for every policy.
pub(super) const PASSWORD: &str = "violet tram kettle oak";

/// Bytes that look random, and are known to everybody: they protect nothing.
const MASTER_KEY: [u8; 32] = *b"\x8d\x14\xe7\x5a\xc2\x39\x90\x6f\x01\xbb\x4e\xd8\x73\x2c\xa5\xfe\x66\x1b\xf0\x87\x3d\xc9\x52\xae\x98\x05\x7f\xe1\xb4\x4a\xd3\x2e";
pub(super) const TOKEN_SECRET: [u8; 32] = *b"\x51\xf9\x0c\xa8\x3e\x97\xd4\x62\xeb\x18\x7d\xb0\x45\xcf\x2a\x96\x83\x5e\xf4\x09\xac\x71\xd8\x36\x1d\xe2\x8b\x57\xc0\x6a\xff\x24";
/// For whom the suite's tokens are meant.
pub(super) const AUDIENCE: &str = "testkit";

/// For whom keys are exchanged, those of the first environment.
pub(super) const ELSEWHERE: &str = "https://reports.example";
/// For whom keys of the environment `test` are exchanged.
pub(super) const TRIAL: &str = "https://reports.test.example";

type Start = Box<dyn Fn(Api) -> Pin<Box<dyn Future<Output = Server>>>>;

/// A store, and how to serve what stands on it: what a case gets.
pub struct Stage {
    faults: Faults,
    mail: Mailbox,
    start: Start,
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage")
            .field("store", &self.faults)
            .finish_non_exhaustive()
    }
}

impl Stage {
    /// A stage over these stores, for an adapter that is started by `start`.
    #[must_use]
    pub fn new<S: Future<Output = Server> + 'static>(
        keys: Arc<dyn KeyStore>,
        accounts: Arc<dyn AccountStore>,
        start: impl Fn(Api) -> S + 'static,
    ) -> Self {
        Self {
            faults: Faults::new(keys, accounts),
            mail: Mailbox::default(),
            start: Box::new(move |api| Box::pin(start(api))),
        }
    }

    /// The same over this store of what is kept for a while.
    #[must_use]
    pub fn with_states(mut self, states: Arc<dyn StateStore>) -> Self {
        self.faults = self.faults.with_states(states);
        self
    }

    /// A service as the bundled server sets it up: with accounts, and with tokens in the query.
    pub async fn world(&self) -> World {
        self.world_with(|api| api).await
    }

    /// The same with other settings of the HTTP side.
    pub async fn world_with(&self, settings: impl FnOnce(Api) -> Api) -> World {
        let clock = Arc::new(fixtures::clock());
        let builder =
            self.with_accounts(&clock, Arc::new(OsEntropy), Keyring::hs256(token_secret()));
        self.serve(builder, clock, settings).await
    }

    /// The same with sessions, on the stage's store, and with mail: there is nothing then that the service does not offer.
    pub async fn world_with_sessions(&self) -> World {
        self.world_with_mail(|builder| builder).await
    }

    /// The same with other settings of the service.
    pub async fn world_with_mail(
        &self,
        settings: impl FnOnce(SakmsBuilder) -> SakmsBuilder,
    ) -> World {
        self.world_of(|builder| settings(self.with_mail(builder)))
            .await
    }

    fn with_mail(&self, builder: SakmsBuilder) -> SakmsBuilder {
        builder
            .sessions(self.faults.clone())
            .mailer(self.mail.clone())
    }

    /// The same with nothing believed that was not read for the request itself.
    pub async fn world_with_sessions_that_reads(&self) -> World {
        self.world_with_mail(reading).await
    }

    /// The same with these keys for its tokens.
    pub async fn world_signing(&self, keyring: Keyring) -> World {
        let clock = Arc::new(fixtures::clock());
        let builder = self.with_accounts(&clock, Arc::new(OsEntropy), keyring);
        self.serve(builder, clock, |api| api).await
    }

    /// The same with sessions as well.
    pub async fn world_signing_with_sessions(&self, keyring: Keyring) -> World {
        let clock = Arc::new(fixtures::clock());
        let builder = self.with_accounts(&clock, Arc::new(OsEntropy), keyring);
        let builder = builder.sessions(self.faults.clone());
        self.serve(builder, clock, |api| api).await
    }

    /// The same with another setting for what becomes of a request whose quota cannot be asked for.
    pub async fn world_where_limiters_are(&self, down: LimiterDown) -> World {
        self.world_of(|builder| builder.limiter_down(down)).await
    }

    /// The same with other settings of the service.
    pub async fn world_of(&self, settings: impl FnOnce(SakmsBuilder) -> SakmsBuilder) -> World {
        let clock = Arc::new(fixtures::clock());
        let builder =
            self.with_accounts(&clock, Arc::new(OsEntropy), Keyring::hs256(token_secret()));
        self.serve(settings(builder), clock, |api| api).await
    }

    /// The same with other settings of both sides.
    pub async fn world_set(
        &self,
        service: impl FnOnce(SakmsBuilder) -> SakmsBuilder,
        settings: impl FnOnce(Api) -> Api,
    ) -> World {
        let clock = Arc::new(fixtures::clock());
        let builder =
            self.with_accounts(&clock, Arc::new(OsEntropy), Keyring::hs256(token_secret()));
        self.serve(service(builder), clock, settings).await
    }

    /// The same with nothing believed that was not read for the request itself, so that every check asks the store.
    pub async fn world_that_reads(&self) -> World {
        let clock = Arc::new(fixtures::clock());
        let builder =
            self.with_accounts(&clock, Arc::new(OsEntropy), Keyring::hs256(token_secret()));
        self.serve(reading(builder), clock, |api| api).await
    }

    /// A service of a host that has users of its own: without accounts and without tokens.
    pub async fn world_without_accounts(&self) -> World {
        let clock = Arc::new(fixtures::clock());
        self.serve(self.builder(&clock), clock, |api| api).await
    }

    /// A service whose every id and secret is drawn from this, with accounts and keys for their tokens or without. It answers
    /// the same whenever it is asked: every check asks the store.
    pub(super) async fn world_drawing(
        &self,
        entropy: Arc<dyn Entropy>,
        accounts: Option<Keyring>,
        offers: Offers,
        settings: impl FnOnce(Api) -> Api,
    ) -> World {
        let clock = Arc::new(fixtures::clock());
        let builder = match accounts {
            Some(keyring) => self.with_accounts(&clock, entropy, keyring),
            None => self.builder(&clock).entropy(entropy),
        };
        let builder = match offers {
            Offers::Tokens => builder,
            Offers::Sessions => self.with_mail(builder),
            Offers::Confirmation => {
                let config = RecoveryConfig::default().confirm_addresses(true);
                self.with_mail(builder).recovery(config)
            }
        };
        self.serve(reading(builder), clock, settings).await
    }

    fn with_accounts(
        &self,
        clock: &Arc<ManualClock>,
        entropy: Arc<dyn Entropy>,
        keyring: Keyring,
    ) -> SakmsBuilder {
        let issuer = JwtIssuer::builder(keyring)
            .audience(AUDIENCE)
            .clock(Arc::clone(clock) as _)
            .entropy(Arc::clone(&entropy))
            .build()
            .unwrap();
        self.builder(clock)
            .entropy(entropy)
            .accounts(self.faults.clone())
            .token_issuer(issuer)
            .token_exchange(exchange())
    }

    fn builder(&self, clock: &Arc<ManualClock>) -> SakmsBuilder {
        // A case that is about an overload or about the writing down of uses brings it about itself.
        let hashing = HashPoolConfig::default()
            .params(Argon2Params::insecure_fast())
            .queue(4_096)
            .deadline(Duration::from_mins(1));
        Sakms::builder(self.faults.clone(), master_keys())
            .key_prefix(PREFIX)
            .unwrap()
            .hashing(hashing)
            .usage_interval(Duration::from_hours(1))
            .clock(Arc::clone(clock) as _)
    }

    async fn serve(
        &self,
        builder: SakmsBuilder,
        clock: Arc<ManualClock>,
        settings: impl FnOnce(Api) -> Api,
    ) -> World {
        let sakms = builder.build().unwrap();
        let api = Api::from(sakms.clone()).query_token(QueryToken::Allow);
        let server = (self.start)(settings(api)).await;
        World {
            client: Client::new(server.address),
            sakms,
            clock,
            faults: self.faults.clone(),
            mail: self.mail.clone(),
            server,
        }
    }
}

/// What a service has beside accounts and keys.
#[derive(Debug, Clone, Copy)]
pub(super) enum Offers {
    /// Access tokens alone.
    Tokens,
    /// Sessions, and mail.
    Sessions,
    /// The same, and no account before its address is confirmed.
    Confirmation,
}

/// For whom the suite's services exchange keys.
fn exchange() -> TokenExchange {
    TokenExchange::new()
        .audience(ELSEWHERE.parse().unwrap())
        .audience_in(TRIAL.parse().unwrap(), Environment::test())
}

/// What the suite's services sign their tokens with.
pub(super) fn token_secret() -> HmacSecret {
    HmacSecret::from_bytes(&TOKEN_SECRET).unwrap()
}

fn reading(builder: SakmsBuilder) -> SakmsBuilder {
    builder.caching(CacheConfig::default().max_staleness(Duration::ZERO))
}

pub(super) fn master_keys() -> MasterKeys {
    MasterKey::from_bytes(MASTER_KEY).unwrap().into()
}

/// What the suite's services make their keys with, for making others that look like them.
pub(super) fn key_format() -> KeyFormat {
    let environments = vec![Environment::live(), Environment::test()];
    KeyFormat::new(PREFIX.parse().unwrap(), environments, &master_keys()).unwrap()
}
