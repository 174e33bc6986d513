//! Sign-ins that are slowed down, through the service: on the memory store, with nodes that share their counts.
#![cfg(feature = "testkit")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test fails the test"
)]

mod nodes;
mod world;

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use sakms_core::clock::Clock as _;
use sakms_core::journal::Actor;
use sakms_core::key::Owner;
use sakms_core::secret::Password;
use sakms_core::service::{Backoff, Error, Origin, ThrottleConfig};
use sakms_core::testkit::faults::StoreMethod;
use world::{ADA, Came, HOME, NOBODY, SECOND, World, config, right, stranger, wrong};

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

/// Neither that there is an account nor that a password was right takes a call of the store more.
#[tokio::test]
async fn every_refusal_asks_the_store_the_same() {
    let world = World::new();
    let node = world.node_with(&ThrottleConfig::off(), false);
    node.register(ADA).await;
    let grace = node.sakms.register("grace@example.com", &right()).await;
    let owner = Owner::from(grace.unwrap());
    let disabled = node.sakms.disable_owner(&owner, Actor::SYSTEM);
    disabled.await.unwrap();
    for (email, password) in [
        (NOBODY, wrong()),
        ("no address at all", wrong()),
        (ADA, wrong()),
        ("grace@example.com", wrong()),
        ("grace@example.com", right()),
    ] {
        node.store.forget_calls();
        assert_eq!(node.tries(email, &password, HOME).await, Came::Refused);
        let by_owner = node.store.calls(StoreMethod::OwnerDisabledAt);
        assert_eq!(by_owner, 1, "{email}");
        let is_address = email.contains('@');
        let all = node.store.all_calls();
        assert_eq!(all, by_owner + u64::from(is_address), "{email}");
    }
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

#[tokio::test]
async fn guessing_the_old_password_is_slowed_down_too() {
    let world = World::new();
    let node = world.node();
    node.register(ADA).await;
    let signed_in = node.sakms.login(ADA, &right()).await.unwrap();
    let signed_in = signed_in.into_result().unwrap();
    let caller = node.sakms.authenticate(signed_in.token()).await.unwrap();
    let caller = caller.into_result().unwrap();
    let (new, from) = (
        Password::new("amber quilt sparrow nine".to_owned()),
        Origin::new(Some(stranger(1)), None),
    );
    let change = async |old: &Password| {
        let changed = node.sakms.change_password(&caller, old, &new, &from);
        changed.await.map(|verdict| verdict.is_granted())
    };
    for _ in 0..10 {
        assert!(!change(&wrong()).await.unwrap());
    }
    // Here and at the front door.
    assert!(matches!(
        change(&right()).await,
        Err(Error::Throttled { .. })
    ));
    assert_eq!(
        node.tries(ADA, &right(), stranger(2)).await,
        Came::Wait(SECOND)
    );
    node.clock.advance(SECOND);
    assert!(change(&right()).await.unwrap());
}
