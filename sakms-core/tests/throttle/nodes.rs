//! Nodes that count together, and a store that is away.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sakms_core::clock::{Clock as _, ManualClock};
use sakms_core::service::{Backoff, ThrottleConfig};
use sakms_core::store::{StateKind, StateStore as _};

use super::world::{ADA, Came, HOME, Node, SECOND, World, config, right, stranger};

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

/// By a node that wrote some, like sessions and requests that are over; one that did nothing does nothing.
#[tokio::test]
async fn counts_that_are_over_are_forgotten() {
    let world = World::new();
    let there = async || {
        let all = world.states.store.states(StateKind::Throttle, None, 100);
        all.await.unwrap().len()
    };
    let (node, idle) = (world.node(), world.node());
    node.fails(ADA, stranger(1)).await;
    node.sakms.flush().await.unwrap();
    assert_eq!(there().await, 2, "an address and a source");
    world.clock.advance(Duration::from_hours(25));
    idle.sakms.flush().await.unwrap();
    assert_eq!(there().await, 2);
    node.sakms.flush().await.unwrap();
    assert_eq!(there().await, 0);
}
