//! Nodes over one store, and a clock that stands still.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use sakms_core::clock::{ManualClock, Timestamp};
use sakms_core::hash::{Argon2Params, HashPoolConfig};
use sakms_core::journal::JournalEntry;
use sakms_core::key::{MasterKey, Owner, Revision};
use sakms_core::secret::Password;
use sakms_core::service::{Error, Origin, Sakms, ThrottleConfig};
use sakms_core::store::{
    MemoryStore, StateId, StateKind, StateRecord, StateStore, StoreError, StoreErrorKind,
};
use sakms_core::testkit::faults::{Faults, StoreMethod};
use sakms_core::testkit::fixtures;
use sakms_core::token::{HmacSecret, JwtIssuer, Keyring};
use sakms_core::verdict::Verdict;

pub(super) const ADA: &str = "ada@example.com";
pub(super) const NOBODY: &str = "nobody@example.com";
pub(super) const SECOND: Duration = Duration::from_secs(1);

/// What is kept for a while, until it is away.
#[derive(Debug, Clone, Default)]
pub(super) struct States {
    pub(super) store: MemoryStore,
    pub(super) is_away: Arc<AtomicBool>,
    pub(super) writes: Arc<AtomicU64>,
}

impl States {
    /// Counts are away; sessions, which a sign-in cannot do without, are not.
    pub(super) fn answers(&self, kind: StateKind) -> Result<(), StoreError> {
        if kind == StateKind::Throttle && self.is_away.load(Ordering::SeqCst) {
            return Err(StoreError::new(StoreErrorKind::Unavailable, "state"));
        }
        Ok(())
    }

    /// A count is written. Sessions are written too, by those who have signed in.
    fn writes(&self, kind: StateKind, entry: Option<&JournalEntry>) {
        if kind == StateKind::Throttle {
            assert!(entry.is_none(), "a stranger makes no journal");
            self.writes.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[async_trait]
impl StateStore for States {
    async fn state(&self, kind: StateKind, id: StateId) -> Result<Option<StateRecord>, StoreError> {
        self.answers(kind)?;
        // Others may come in between.
        tokio::task::yield_now().await;
        self.store.state(kind, id).await
    }

    async fn states(
        &self,
        kind: StateKind,
        owner: Option<&Owner>,
        limit: u32,
    ) -> Result<Vec<StateRecord>, StoreError> {
        self.answers(kind)?;
        self.store.states(kind, owner, limit).await
    }

    async fn insert_state(
        &self,
        record: &StateRecord,
        entry: Option<&JournalEntry>,
    ) -> Result<(), StoreError> {
        self.answers(record.kind)?;
        self.writes(record.kind, entry);
        self.store.insert_state(record, entry).await
    }

    async fn update_state(
        &self,
        kind: StateKind,
        id: StateId,
        expected: Revision,
        value: &[u8],
        expires_at: Timestamp,
        entry: Option<&JournalEntry>,
    ) -> Result<StateRecord, StoreError> {
        self.answers(kind)?;
        self.writes(kind, entry);
        self.store
            .update_state(kind, id, expected, value, expires_at, entry)
            .await
    }

    async fn remove_state(
        &self,
        kind: StateKind,
        id: StateId,
        expected: Revision,
        entry: Option<&JournalEntry>,
    ) -> Result<(), StoreError> {
        self.answers(kind)?;
        self.store.remove_state(kind, id, expected, entry).await
    }

    async fn remove_states(
        &self,
        kind: StateKind,
        owner: &Owner,
        except: Option<StateId>,
        entry: Option<&JournalEntry>,
    ) -> Result<u64, StoreError> {
        self.answers(kind)?;
        self.store.remove_states(kind, owner, except, entry).await
    }

    async fn forget_states(&self, before: Timestamp) -> Result<(), StoreError> {
        self.answers(StateKind::Throttle)?;
        self.store.forget_states(before).await
    }
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    In,
    Refused,
    Wait(Duration),
}

#[derive(Clone)]
pub(super) struct Node {
    pub(super) sakms: Sakms,
    pub(super) store: Faults,
    pub(super) clock: Arc<ManualClock>,
}

/// What nodes share.
pub(super) struct World {
    pub(super) store: Faults,
    pub(super) states: States,
    pub(super) clock: Arc<ManualClock>,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            store: Faults::over(MemoryStore::new()),
            states: States::default(),
            clock: Arc::new(fixtures::clock()),
        }
    }

    /// Told to the store when a test says so, and read each time.
    pub(super) fn node(&self) -> Node {
        self.node_with(&config(), true)
    }

    pub(super) fn node_with(&self, config: &ThrottleConfig, shares: bool) -> Node {
        let master = MasterKey::from_bytes(*b"0123456789abcdefghijklmnopqrstuv").unwrap();
        let hashing = HashPoolConfig::default()
            .params(Argon2Params::insecure_fast())
            .password_threads(2)
            .queue(4_096)
            .deadline(Duration::from_mins(1));
        let secret = HmacSecret::from_bytes(b"kB3rVw9pTz6mXc1qHs8dLf4gNj7uYe2aRo5iKx0").unwrap();
        let issuer = JwtIssuer::builder(Keyring::hs256(secret)).audience("test");
        let issuer = issuer.clock(Arc::clone(&self.clock) as _).build().unwrap();
        let mut builder = Sakms::builder(self.store.clone(), master)
            .accounts(self.store.clone())
            .token_issuer(issuer)
            .throttles(*config)
            .clock(Arc::clone(&self.clock) as _)
            .usage_interval(Duration::from_hours(1))
            .hashing(hashing);
        if shares {
            builder = builder.sessions(self.states.clone());
        }
        Node {
            sakms: builder.build().unwrap(),
            store: self.store.clone(),
            clock: Arc::clone(&self.clock),
        }
    }
}

/// The defaults, but that nodes hear of each other at once.
pub(super) fn config() -> ThrottleConfig {
    ThrottleConfig::default().share_every(Duration::ZERO)
}

pub(super) fn right() -> Password {
    Password::new("violet tram kettle oak".to_owned())
}

pub(super) fn wrong() -> Password {
    Password::new("violet tram kettle elm".to_owned())
}

/// An address of a stranger; another for each number.
pub(super) fn stranger(number: u32) -> IpAddr {
    Ipv4Addr::from(0x0A00_0000 + number).into()
}

pub(super) const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

impl Node {
    pub(super) async fn register(&self, email: &str) {
        self.sakms.register(email, &right()).await.unwrap();
    }

    pub(super) async fn tries(&self, email: &str, password: &Password, from: IpAddr) -> Came {
        match self
            .sakms
            .login_from(email, password, &Origin::new(Some(from), None))
            .await
        {
            Ok(Verdict::Granted(_)) => Came::In,
            Ok(Verdict::Denied(_)) => Came::Refused,
            Err(Error::Throttled { retry_after }) => Came::Wait(retry_after),
            Err(error) => panic!("{error:?}"),
        }
    }

    pub(super) async fn fails(&self, email: &str, from: IpAddr) -> Came {
        self.tries(email, &wrong(), from).await
    }

    /// Fails as often as it is let, each time from elsewhere, waiting as told, until it is told to wait longer than this.
    pub(super) async fn fails_until(&self, email: &str, patience: Duration) -> u64 {
        for number in 0.. {
            match self.fails(email, stranger(number)).await {
                Came::In => panic!("a wrong password"),
                Came::Refused => {}
                Came::Wait(wait) if wait <= patience => self.clock.advance(wait),
                Came::Wait(_) => return self.store.calls(StoreMethod::AccountByEmail),
            }
        }
        unreachable!()
    }
}
