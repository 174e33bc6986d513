//! Sessions, on the memory store with faults in front of it, by a clock that stands still.
#![cfg(feature = "testkit")]
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod changes;
mod nodes;
mod refreshing;

use std::sync::Arc;
use std::time::Duration;

use sakms_core::clock::ManualClock;
use sakms_core::hash::{Argon2Params, HashPoolConfig};
use sakms_core::id::SessionId;
use sakms_core::journal::Seq;
use sakms_core::key::{MasterKey, Owner};
use sakms_core::secret::{BearerToken, Password, RefreshToken};
use sakms_core::service::{
    CacheConfig, Caller, CallerDenial, Error, LoginDenial, Origin, RefreshDenial, Sakms,
    SakmsBuilder, SignedIn, ThrottleConfig,
};
use sakms_core::store::{
    KeyStore as _, MemoryStore, StateId, StateKind, StateRecord, StateStore as _, StoreErrorKind,
};
use sakms_core::testkit::faults::Faults;
use sakms_core::testkit::fixtures;
use sakms_core::token::{HmacSecret, JwtIssuer, Keyring};

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "violet tram kettle oak";

fn password(text: &str) -> Password {
    Password::new(text.to_owned())
}

/// Nodes of one service, each with a way to the store of its own.
struct Node {
    sakms: Sakms,
    faults: Faults,
    memory: MemoryStore,
    clock: Arc<ManualClock>,
}

impl Node {
    /// With an account, and the journal read when a test says so.
    async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    async fn with(more: impl FnOnce(SakmsBuilder) -> SakmsBuilder) -> Self {
        let node = Self::over(MemoryStore::new(), Arc::new(fixtures::clock()), more);
        node.sakms
            .register(EMAIL, &password(PASSWORD))
            .await
            .unwrap();
        node
    }

    /// Another node over the same store.
    fn another(&self) -> Self {
        Self::over(self.memory.clone(), Arc::clone(&self.clock), |builder| {
            builder
        })
    }

    fn over(
        memory: MemoryStore,
        clock: Arc<ManualClock>,
        more: impl FnOnce(SakmsBuilder) -> SakmsBuilder,
    ) -> Self {
        let master = MasterKey::from_bytes(*b"0123456789abcdefghijklmnopqrstuv").unwrap();
        let secret = HmacSecret::from_bytes(b"\x51\xf9\x0c\xa8\x3e\x97\xd4\x62\xeb\x18\x7d\xb0\x45\xcf\x2a\x96\x83\x5e\xf4\x09\xac\x71\xd8\x36\x1d\xe2\x8b\x57\xc0\x6a\xff\x24");
        let issuer = JwtIssuer::builder(Keyring::hs256(secret.unwrap()))
            .audience("acme")
            .clock(Arc::clone(&clock) as _)
            .build();
        let hashing = HashPoolConfig::default()
            .params(Argon2Params::insecure_fast())
            .key_threads(1)
            .password_threads(1);
        let caching = CacheConfig::default().follow_every(Duration::from_hours(1));
        let faults = Faults::over(memory.clone());
        let builder = Sakms::builder(faults.clone(), master)
            .accounts(faults.clone())
            .sessions(faults.clone())
            .token_issuer(issuer.unwrap())
            .clock(Arc::clone(&clock) as _)
            .caching(caching)
            .hashing(hashing)
            // Many sign in at once here, which is what throttles are against.
            .throttles(ThrottleConfig::off());
        let sakms = more(builder).build().unwrap();
        Self {
            sakms,
            faults,
            memory,
            clock,
        }
    }

    async fn sign_in(&self) -> SignedIn {
        self.sign_in_with(PASSWORD).await
    }

    async fn sign_in_with(&self, text: &str) -> SignedIn {
        let verdict = self.sakms.login(EMAIL, &password(text)).await;
        verdict.unwrap().into_result().unwrap()
    }

    async fn refresh(&self, token: &RefreshToken) -> Result<SignedIn, RefreshDenial> {
        let verdict = self.sakms.refresh(token, &Origin::default()).await;
        verdict.unwrap().into_result()
    }

    async fn change(
        &self,
        caller: &Caller,
        old: &str,
        new: &str,
    ) -> Result<Result<(), LoginDenial>, Error> {
        let (old, new) = (password(old), password(new));
        let verdict = self
            .sakms
            .change_password(caller, &old, &new, &Origin::default())
            .await;
        verdict.map(sakms_core::verdict::Verdict::into_result)
    }

    async fn caller(&self, token: &BearerToken) -> Result<Caller, CallerDenial> {
        self.ask(token).await.unwrap()
    }

    async fn ask(&self, token: &BearerToken) -> Result<Result<Caller, CallerDenial>, Error> {
        let verdict = self.sakms.authenticate(token).await;
        verdict.map(sakms_core::verdict::Verdict::into_result)
    }

    async fn owner(&self) -> Owner {
        let signed_in = self.sign_in().await;
        self.caller(signed_in.token())
            .await
            .unwrap()
            .owner_name()
            .clone()
    }

    async fn record(&self, session: SessionId) -> Option<StateRecord> {
        let id = StateId::of(session.as_bytes());
        self.memory.state(StateKind::Session, id).await.unwrap()
    }

    /// What the journal says of sessions and passwords, in order.
    async fn journal(&self) -> Vec<(String, String)> {
        let rows = self.memory.journal_after(Seq::START, 10_000).await;
        let rows = rows.unwrap().into_iter().map(|row| row.entry);
        rows.filter(|entry| entry.subject.is_account())
            .map(|entry| (entry.action.to_string(), entry.detail))
            .collect()
    }
}

fn refresh_token(signed_in: &SignedIn) -> &RefreshToken {
    signed_in.refresh_token().unwrap()
}

fn text(signed_in: &SignedIn) -> String {
    refresh_token(signed_in).expose().to_owned()
}

fn session(signed_in: &SignedIn) -> SessionId {
    signed_in.session().unwrap()
}

fn is_unavailable<T>(outcome: &Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::Store(error)) if error.kind() == StoreErrorKind::Unavailable)
}
