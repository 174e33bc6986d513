//! Sign-ins that are slowed down, through the service: on the memory store, with nodes that share their counts.
#![cfg(feature = "testkit")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test fails the test"
)]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use sakms_core::clock::{Clock as _, ManualClock, Timestamp};
use sakms_core::hash::{Argon2Params, HashPoolConfig};
use sakms_core::journal::JournalEntry;
use sakms_core::key::{MasterKey, Owner, Revision};
use sakms_core::secret::Password;
use sakms_core::service::{Backoff, Error, Sakms, ThrottleConfig};
use sakms_core::store::{
    MemoryStore, StateId, StateKind, StateRecord, StateStore, StoreError, StoreErrorKind,
};
use sakms_core::testkit::faults::{Faults, StoreMethod};
use sakms_core::testkit::fixtures;
use sakms_core::token::{HmacSecret, JwtIssuer, Keyring};
use sakms_core::verdict::Verdict;

const ADA: &str = "ada@example.com";
const NOBODY: &str = "nobody@example.com";
const SECOND: Duration = Duration::from_secs(1);

/// What is kept for a while, until it is away.
#[derive(Debug, Clone, Default)]
struct States {
    store: MemoryStore,
    is_away: Arc<AtomicBool>,
    writes: Arc<AtomicU64>,
}

impl States {
    fn answers(&self) -> Result<(), StoreError> {
        if self.is_away.load(Ordering::SeqCst) {
            return Err(StoreError::new(StoreErrorKind::Unavailable, "state"));
        }
        Ok(())
    }
}

#[async_trait]
impl StateStore for States {
    async fn state(&self, kind: StateKind, id: StateId) -> Result<Option<StateRecord>, StoreError> {
        self.answers()?;
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
        self.answers()?;
        self.store.states(kind, owner, limit).await
    }

    async fn insert_state(
        &self,
        record: &StateRecord,
        entry: Option<&JournalEntry>,
    ) -> Result<(), StoreError> {
        self.answers()?;
        assert!(entry.is_none(), "a stranger makes no journal");
        self.writes.fetch_add(1, Ordering::SeqCst);
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
        self.answers()?;
        assert!(entry.is_none(), "a stranger makes no journal");
        self.writes.fetch_add(1, Ordering::SeqCst);
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
        self.answers()?;
        self.store.remove_state(kind, id, expected, entry).await
    }

    async fn remove_states(
        &self,
        kind: StateKind,
        owner: &Owner,
        except: Option<StateId>,
        entry: Option<&JournalEntry>,
    ) -> Result<u64, StoreError> {
        self.answers()?;
        self.store.remove_states(kind, owner, except, entry).await
    }

    async fn forget_states(&self, before: Timestamp) -> Result<(), StoreError> {
        self.answers()?;
        self.store.forget_states(before).await
    }
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Came {
    In,
    Refused,
    Wait(Duration),
}

#[derive(Clone)]
struct Node {
    sakms: Sakms,
    store: Faults,
    clock: Arc<ManualClock>,
}

/// What nodes share.
struct World {
    store: Faults,
    states: States,
    clock: Arc<ManualClock>,
}

impl World {
    fn new() -> Self {
        Self {
            store: Faults::over(MemoryStore::new()),
            states: States::default(),
            clock: Arc::new(fixtures::clock()),
        }
    }

    /// Told to the store when a test says so, and read each time.
    fn node(&self) -> Node {
        self.node_with(&config(), true)
    }

    fn node_with(&self, config: &ThrottleConfig, shares: bool) -> Node {
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
fn config() -> ThrottleConfig {
    ThrottleConfig::default().share_every(Duration::ZERO)
}

fn right() -> Password {
    Password::new("violet tram kettle oak".to_owned())
}

fn wrong() -> Password {
    Password::new("violet tram kettle elm".to_owned())
}

/// An address of a stranger; another for each number.
fn stranger(number: u32) -> IpAddr {
    Ipv4Addr::from(0x0A00_0000 + number).into()
}

const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

impl Node {
    async fn register(&self, email: &str) {
        self.sakms.register(email, &right()).await.unwrap();
    }

    async fn tries(&self, email: &str, password: &Password, from: IpAddr) -> Came {
        match self.sakms.login_from(email, password, Some(from)).await {
            Ok(Verdict::Granted(_)) => Came::In,
            Ok(Verdict::Denied(_)) => Came::Refused,
            Err(Error::Throttled { retry_after }) => Came::Wait(retry_after),
            Err(error) => panic!("{error:?}"),
        }
    }

    async fn fails(&self, email: &str, from: IpAddr) -> Came {
        self.tries(email, &wrong(), from).await
    }

    /// Fails as often as it is let, each time from elsewhere, waiting as told, until it is told to wait longer than this.
    async fn fails_until(&self, email: &str, patience: Duration) -> u64 {
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

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_at_once_hash_no_more_than_the_threshold() {
    for email in [ADA, NOBODY] {
        for from_one in [false, true] {
            let world = World::new();
            let node = world.node();
            node.register(ADA).await;
            for number in 0..9 {
                assert_eq!(node.fails(email, stranger(number)).await, Came::Refused);
            }
            node.store.forget_calls();
            let tries: Vec<_> = (100..200)
                .map(|number| {
                    let (node, from) = (node.clone(), if from_one { 100 } else { number });
                    tokio::spawn(async move { node.fails(email, stranger(from)).await })
                })
                .collect();
            let mut hashed = 0;
            for tried in tries {
                match tried.await.unwrap() {
                    Came::Refused => hashed += 1,
                    Came::Wait(wait) => assert!(wait <= SECOND, "{wait:?}"),
                    Came::In => panic!("a wrong password"),
                }
            }
            assert_eq!(hashed, 1, "9 of 10 were used up");
            assert_eq!(node.store.calls(StoreMethod::AccountByEmail), 1);
            assert_eq!(node.sakms.statistics().throttled.account, 99);
        }
    }
}

#[tokio::test]
async fn pauses_grow_and_there_is_an_end() {
    let world = World::new();
    let node = world.node();
    node.register(ADA).await;
    node.store.forget_calls();
    // An hour is the longest pause: what is longer is the end.
    assert_eq!(node.fails_until(ADA, Duration::from_hours(1)).await, 100);
    let night = Duration::from_hours(23);
    node.clock.advance(night);
    assert!(matches!(
        node.tries(ADA, &right(), stranger(9)).await,
        Came::Wait(_)
    ));
    node.clock.advance(Duration::from_hours(1));
    assert_eq!(node.tries(ADA, &right(), stranger(9)).await, Came::In);
}

#[tokio::test]
async fn there_is_no_difference_to_see_for_an_address_without_an_account() {
    let (mut heard, world) = (Vec::new(), World::new());
    let node = world.node();
    node.register(ADA).await;
    for email in [ADA, NOBODY, "no address at all"] {
        let mut of_this = Vec::new();
        for number in 0..30 {
            of_this.push(node.fails(email, stranger(number)).await);
        }
        heard.push(of_this);
    }
    assert_eq!(heard[0], heard[1]);
    assert_eq!(heard[0], heard[2]);
    assert_eq!(heard[0][9..11], [Came::Refused, Came::Wait(SECOND)]);
}

#[tokio::test]
async fn a_victim_signs_in_from_home_throughout_an_attack() {
    let world = World::new();
    let node = world.node();
    node.register(ADA).await;
    assert_eq!(node.tries(ADA, &right(), HOME).await, Came::In);
    let elsewhere = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));
    for second in 0..60 {
        for attempt in 0..20 {
            let from = stranger(second * 20 + attempt);
            assert_ne!(node.fails(ADA, from).await, Came::In);
        }
        assert_eq!(node.tries(ADA, &right(), HOME).await, Came::In, "{second}");
        if second > 1 {
            assert!(matches!(node.fails(ADA, elsewhere).await, Came::Wait(_)));
        }
        node.sakms.flush().await.unwrap();
        node.clock.advance(SECOND);
    }
    // On a node that was started meanwhile as well.
    let another = world.node();
    assert_eq!(another.tries(ADA, &right(), HOME).await, Came::In);
    assert!(matches!(another.fails(ADA, elsewhere).await, Came::Wait(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_victim_signs_in_while_a_thousand_attack_at_once() {
    let world = World::new();
    let node = world.node();
    node.register(ADA).await;
    assert_eq!(node.tries(ADA, &right(), HOME).await, Came::In);
    let attackers: Vec<_> = (0..20)
        .map(|part| {
            let node = node.clone();
            tokio::spawn(async move {
                for attempt in 0..50 {
                    assert_ne!(
                        node.fails(ADA, stranger(part * 50 + attempt)).await,
                        Came::In
                    );
                }
            })
        })
        .collect();
    for _ in 0..50 {
        assert_eq!(node.tries(ADA, &right(), HOME).await, Came::In);
    }
    for attacker in attackers {
        attacker.await.unwrap();
    }
    assert_eq!(node.tries(ADA, &right(), HOME).await, Came::In);
}

#[tokio::test]
async fn a_known_source_is_judged_by_its_own_failures() {
    let world = World::new();
    let node = world.node();
    node.register(ADA).await;
    assert_eq!(node.tries(ADA, &right(), HOME).await, Came::In);
    for _ in 0..10 {
        assert_eq!(node.fails(ADA, HOME).await, Came::Refused);
    }
    assert_eq!(node.tries(ADA, &right(), HOME).await, Came::Wait(SECOND));
    // What failed at home says nothing of elsewhere.
    assert_eq!(node.tries(ADA, &right(), stranger(1)).await, Came::In);
    node.clock.advance(SECOND);
    assert_eq!(node.tries(ADA, &right(), HOME).await, Came::In);
    assert_eq!(node.fails(ADA, HOME).await, Came::Refused, "it began anew");
}

#[tokio::test]
async fn a_source_that_sprays_is_stopped_and_success_does_not_clear_it() {
    let world = World::new();
    let config = config().source(Backoff::after(20).one_forgotten_each(30 * SECOND));
    let node = world.node_with(&config, true);
    node.register("mallory@example.com").await;
    let from = stranger(1);
    let mallory = "mallory@example.com";
    assert_eq!(node.tries(mallory, &right(), from).await, Came::In);
    for number in 0..20 {
        let email = format!("victim{number}@example.com");
        assert_eq!(node.fails(&email, from).await, Came::Refused, "{number}");
        assert_eq!(node.tries(mallory, &right(), from).await, Came::In);
    }
    node.store.forget_calls();
    for number in 20..2_000 {
        let email = format!("victim{number}@example.com");
        assert!(
            matches!(node.fails(&email, from).await, Came::Wait(_)),
            "{number}"
        );
    }
    assert_eq!(node.store.calls(StoreMethod::AccountByEmail), 0);
    assert_eq!(node.sakms.statistics().throttled.source, 1_980);
    assert_eq!(
        node.fails("victim0@example.com", stranger(2)).await,
        Came::Refused
    );
    // However long it goes on, it settles at about one in 30 seconds.
    let (end, mut tried) = (
        node.clock
            .now()
            .checked_add(Duration::from_hours(1))
            .unwrap(),
        0,
    );
    while node.clock.now() < end {
        match node.fails(&format!("late{tried}@example.com"), from).await {
            Came::Wait(wait) => node.clock.advance(wait),
            _ => tried += 1,
        }
    }
    assert!((30..=180).contains(&tried), "{tried}");
}

#[tokio::test]
async fn the_spelling_of_an_address_and_the_rest_of_a_network_change_nothing() {
    let world = World::new();
    let config = config().source(Backoff::after(12));
    let node = world.node_with(&config, true);
    for (number, email) in [
        "ada@example.com",
        "ADA@example.com",
        "Ada@Example.COM",
        "ａda@example.com",
        "ada@EXAMPLE.com",
    ]
    .iter()
    .cycle()
    .take(10)
    .enumerate()
    {
        let network = u16::try_from(number).unwrap();
        let from = Ipv6Addr::new(0x2001, 0xdb8, 0, network, 0, 0, 0, 1);
        assert_eq!(node.fails(email, from.into()).await, Came::Refused);
    }
    assert_eq!(node.fails(ADA, stranger(1)).await, Came::Wait(SECOND));
    for number in 0..12 {
        let from = Ipv6Addr::new(0x2001, 0xdb8, 0, 99, 0, number, 7, number);
        let email = format!("other{number}@example.com");
        assert_eq!(node.fails(&email, from.into()).await, Came::Refused);
    }
    let from = Ipv6Addr::new(0x2001, 0xdb8, 0, 99, 8, 8, 8, 8);
    assert_eq!(
        node.fails("last@example.com", from.into()).await,
        Came::Wait(SECOND)
    );
}

#[tokio::test]
async fn nodes_count_together_and_write_little() {
    let world = World::new();
    let (minute, pause) = (Duration::from_mins(1), Duration::from_mins(10));
    // So that nothing is written but when the test says so.
    let config = config()
        .share_every(minute)
        .account(Backoff::after(10).first(pause));
    let node = || world.node_with(&config, true);
    let writes = || world.states.writes.load(Ordering::SeqCst);
    let flush = async |nodes: [&Node; 2]| {
        for node in nodes {
            node.sakms.flush().await.unwrap();
        }
    };
    let (one, two) = (node(), node());
    one.register(ADA).await;
    for number in 0..5 {
        assert_eq!(one.fails(ADA, stranger(1)).await, Came::Refused, "{number}");
        assert_eq!(two.fails(ADA, stranger(1)).await, Came::Refused, "{number}");
    }
    assert_eq!(writes(), 0);
    flush([&one, &two]).await;
    assert_eq!(writes(), 4, "an address and a source each");
    one.clock.advance(minute);
    for node in [&one, &two, &node()] {
        assert_eq!(
            node.fails(ADA, stranger(2)).await,
            Came::Wait(Duration::from_mins(9))
        );
    }
    // Who signs in after the pause begins anew everywhere.
    one.clock.advance(pause);
    assert_eq!(one.tries(ADA, &right(), stranger(3)).await, Came::In);
    flush([&one, &two]).await;
    assert_eq!(writes(), 6, "the count, and the source that is known now");
    one.clock.advance(minute);
    for node in [&one, &two, &node()] {
        assert_eq!(node.fails(ADA, stranger(4)).await, Came::Refused);
    }
    flush([&one, &two]).await;
    let before = writes();
    for _ in 0..20 {
        assert_eq!(one.tries(ADA, &right(), stranger(3)).await, Came::In);
    }
    flush([&one, &two]).await;
    assert_eq!(writes(), before, "a sign-in writes nothing");
    let late = node();
    for number in 0..20 {
        late.fails(ADA, stranger(number + 10)).await;
    }
    assert_eq!(late.tries(ADA, &right(), stranger(3)).await, Came::In);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_failure_is_lost_when_nodes_write_at_once() {
    let world = World::new();
    let config = config().account(Backoff::after(1_000));
    let nodes: Vec<_> = (0..4).map(|_| world.node_with(&config, true)).collect();
    let all: Vec<_> = nodes
        .iter()
        .enumerate()
        .map(|(place, node)| {
            let node = node.clone();
            tokio::spawn(async move {
                for number in 0..30 {
                    let from = stranger(u32::try_from(place).unwrap() * 100 + number);
                    assert_eq!(node.fails(ADA, from).await, Came::Refused);
                    let _ = node.sakms.flush().await;
                }
                node.sakms.flush().await.unwrap();
            })
        })
        .collect();
    for task in all {
        task.await.unwrap();
    }
    for node in &nodes {
        node.sakms.flush().await.unwrap();
    }
    let limit = ThrottleConfig::default().share_every(Duration::ZERO);
    for (free, expected) in [(121, Came::Refused), (121, Came::Wait(SECOND))] {
        let late = world.node_with(&limit.account(Backoff::after(free)), true);
        assert_eq!(
            late.fails(ADA, stranger(9_999)).await,
            expected,
            "120 were counted"
        );
        late.sakms.flush().await.unwrap();
    }
}

#[tokio::test]
async fn a_store_that_is_away_stops_nobody_and_lets_nobody_through() {
    let world = World::new();
    let node = world.node();
    node.register(ADA).await;
    assert_eq!(node.tries(ADA, &right(), HOME).await, Came::In);
    world.states.is_away.store(true, Ordering::SeqCst);
    for number in 0..10 {
        assert_eq!(node.fails(ADA, stranger(number)).await, Came::Refused);
    }
    assert_eq!(node.fails(ADA, stranger(11)).await, Came::Wait(SECOND));
    assert_eq!(node.tries(ADA, &right(), HOME).await, Came::In);
    assert!(node.sakms.flush().await.is_err());
    assert!(node.sakms.statistics().throttled.not_shared > 0);
    world.states.is_away.store(false, Ordering::SeqCst);
    node.sakms.flush().await.unwrap();
    let another = world.node();
    assert_eq!(another.fails(ADA, stranger(12)).await, Came::Wait(SECOND));
    assert_eq!(another.tries(ADA, &right(), HOME).await, Came::In);
}

#[tokio::test]
async fn a_failure_from_before_a_start_is_as_old_as_it_is() {
    let world = World::new();
    let node = world.node();
    for number in 0..12 {
        node.fails(ADA, stranger(number)).await;
    }
    node.sakms.flush().await.unwrap();
    world.clock.advance(Duration::from_hours(23));
    let later = World {
        clock: Arc::new(ManualClock::at(world.clock.now())),
        ..world
    };
    let restarted = later.node();
    restarted.register(ADA).await;
    assert_eq!(
        restarted.tries(ADA, &right(), stranger(50)).await,
        Came::In,
        "the pause is over"
    );
}

#[tokio::test]
async fn without_a_store_a_node_counts_for_itself_and_off_is_off() {
    let world = World::new();
    let node = world.node_with(&config(), false);
    node.register(ADA).await;
    assert_eq!(node.tries(ADA, &right(), HOME).await, Came::In);
    for number in 0..10 {
        assert_eq!(node.fails(ADA, stranger(number)).await, Came::Refused);
    }
    assert_eq!(node.fails(ADA, stranger(11)).await, Came::Wait(SECOND));
    assert_eq!(node.tries(ADA, &right(), HOME).await, Came::In);
    node.sakms.flush().await.unwrap();
    let off = world.node_with(&ThrottleConfig::off(), true);
    for _ in 0..300 {
        assert_eq!(off.fails(ADA, stranger(1)).await, Came::Refused);
    }
}

#[tokio::test]
async fn registrations_are_counted_by_source() {
    let world = World::new();
    let config = config().registrations(Backoff::after(3).one_forgotten_each(10 * SECOND));
    let node = world.node_with(&config, true);
    let register = async |number: u32, from| {
        let email = format!("user{number}@example.com");
        let made = node.sakms.register_from(&email, &right(), Some(from)).await;
        made.map(drop).map_err(|error| error.to_string())
    };
    for number in 0..3 {
        register(number, HOME).await.unwrap();
    }
    assert!(register(3, HOME).await.unwrap_err().contains("too often"));
    register(4, stranger(1)).await.unwrap();
    node.clock.advance(10 * SECOND);
    register(5, HOME).await.unwrap();
    // What was never hashed does not count.
    node.clock.advance(10 * SECOND);
    for _ in 0..9 {
        let weak = Password::new("weak".to_owned());
        let refused = node.sakms.register_from(ADA, &weak, Some(HOME)).await;
        assert!(matches!(refused, Err(Error::Invalid(_))));
    }
    register(6, HOME).await.unwrap();
}

#[tokio::test]
async fn hundreds_on_one_address_register_and_sign_in() {
    let world = World::new();
    let node = world.node_with(&ThrottleConfig::default(), true);
    for number in 0..400 {
        let email = format!("user{number}@example.com");
        let made = node.sakms.register_from(&email, &right(), Some(HOME)).await;
        made.unwrap();
        assert_eq!(node.tries(&email, &right(), HOME).await, Came::In);
        if number % 4 == 0 {
            assert_eq!(node.fails(&email, HOME).await, Came::Refused);
        }
    }
}
