//! A quota is one for all nodes, and taken from when all else is well.

use std::num::{NonZeroU32, NonZeroU64};
use std::sync::Arc;
use std::time::Duration;

use sakms_core::clock::Clock as _;
use sakms_core::key::{KeyPatch, Limits, Quota, RateLimit, Refill};
use sakms_core::service::{Error, KeyDenial, QuotaStanding};
use sakms_core::store::StoreErrorKind;
use sakms_core::testkit::faults::{Fault, StoreMethod};

use super::{Key, Node};

async fn limited(node: &Node, quota: Option<(u64, Refill)>, rate: Option<u32>) -> Key {
    let key = node.key("a:b").await;
    let mut limits = Limits::default();
    limits.quota =
        quota.map(|(amount, refill)| Quota::new(NonZeroU64::new(amount).unwrap(), refill));
    let minute = NonZeroU32::new(60).unwrap();
    limits.rates = rate
        .map(|requests| {
            let requests = NonZeroU32::new(requests).unwrap();
            RateLimit::new("minute".parse().unwrap(), requests, minute)
        })
        .into_iter()
        .collect();
    let mut patch = KeyPatch::default();
    patch.limits = Some(limits);
    node.change(&key, &patch).await;
    node.sakms.catch_up().await.unwrap();
    key
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_left_is_taken_once_by_whichever_node() {
    let one = Node::new();
    let nodes = Arc::new([Node::over(one.store.clone()), Node::over(one.store.clone())]);
    for round in 0..1_000 {
        let key = Arc::new(limited(&one, Some((1, Refill::Daily)), None).await);
        if round % 2 == 0 {
            // Remembered on both, so that they meet at the quota at once.
            for node in nodes.iter() {
                node.sakms.catch_up().await.unwrap();
                let refused = node.check(&key, "a:c").await.unwrap();
                assert!(matches!(refused, Err(KeyDenial::MissingScope(_))));
            }
        }
        let asking = (0..8).map(|place| {
            let (nodes, key) = (Arc::clone(&nodes), Arc::clone(&key));
            tokio::spawn(async move { nodes[place % 2].check(&key, "a:b").await.unwrap() })
        });
        let mut let_in = 0;
        for answer in asking.collect::<Vec<_>>() {
            match answer.await.unwrap() {
                Ok(()) => let_in += 1,
                Err(KeyDenial::QuotaExhausted { retry_after, .. }) => {
                    assert!(retry_after.is_some());
                }
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(let_in, 1, "round {round}");
    }
}

#[tokio::test]
async fn a_quota_costs_one_call_and_no_more() {
    let node = Node::new();
    let key = limited(&node, Some((10, Refill::Monthly)), None).await;
    for left in (5..10).rev() {
        let seen = node.verify(&key, "a:b", None, 1).await.unwrap().unwrap();
        let Some(QuotaStanding::Taken { remaining, .. }) = seen.standing().unwrap().quota else {
            panic!("no quota");
        };
        assert_eq!(remaining, left);
    }
    assert_eq!(node.store.calls(StoreMethod::Find), 1, "remembered");
    assert_eq!(node.store.calls(StoreMethod::TakeQuota), 5);
    // What was refused before took nothing and asked nothing.
    assert!(node.check(&key, "a:c").await.unwrap().is_err());
    assert_eq!(node.store.calls(StoreMethod::TakeQuota), 5);
    let free = limited(&node, None, None).await;
    node.check(&free, "a:b").await.unwrap().unwrap();
    assert_eq!(node.store.calls(StoreMethod::TakeQuota), 5);
}

#[tokio::test]
async fn a_rate_that_refuses_takes_nothing_from_the_quota() {
    let node = Node::new();
    let key = limited(&node, Some((3, Refill::Never)), Some(1)).await;
    assert_eq!(node.check(&key, "a:b").await.unwrap(), Ok(()));
    for _ in 0..5 {
        let refused = node.check(&key, "a:b").await.unwrap();
        assert!(matches!(refused, Err(KeyDenial::RateLimited { .. })));
    }
    for _ in 0..2 {
        node.clock.advance(Duration::from_mins(1));
        node.sakms.catch_up().await.unwrap();
        assert_eq!(node.check(&key, "a:b").await.unwrap(), Ok(()));
    }
    node.clock.advance(Duration::from_mins(1));
    node.sakms.catch_up().await.unwrap();
    let refused = node.check(&key, "a:b").await.unwrap();
    let Err(KeyDenial::QuotaExhausted { retry_after, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(retry_after, None);
}

#[tokio::test]
async fn a_period_ends_to_the_microsecond() {
    let node = Node::new();
    let key = limited(&node, Some((1, Refill::Daily)), None).await;
    assert_eq!(node.check(&key, "a:b").await.unwrap(), Ok(()));
    let midnight = Refill::Daily.next_after(node.clock.now()).unwrap();
    let before = sakms_core::clock::Timestamp::from_micros(midnight.as_micros() - 1).unwrap();
    node.clock.set(before);
    let refused = node.check(&key, "a:b").await.unwrap();
    let Err(KeyDenial::QuotaExhausted { retry_after, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(retry_after, Some(Duration::from_micros(1)));
    node.clock.set(midnight);
    assert_eq!(node.check(&key, "a:b").await.unwrap(), Ok(()));
    // A clock that is set back opens nothing.
    node.clock.set(before);
    assert!(node.check(&key, "a:b").await.unwrap().is_err());
}

#[tokio::test]
async fn a_store_that_is_away_is_no_denial() {
    let node = Node::new();
    let key = limited(&node, Some((2, Refill::Daily)), None).await;
    assert_eq!(node.check(&key, "a:b").await.unwrap(), Ok(()));
    let away = Fault::Before(StoreErrorKind::Unavailable);
    node.store.inject_into(StoreMethod::TakeQuota, away);
    for _ in 0..3 {
        let outcome = node.check(&key, "a:b").await;
        assert!(
            matches!(&outcome, Err(Error::Store(error)) if error.kind() == StoreErrorKind::Unavailable),
            "{outcome:?}"
        );
    }
    node.store.heal();
    assert_eq!(node.check(&key, "a:b").await.unwrap(), Ok(()));
    assert!(node.check(&key, "a:b").await.unwrap().is_err());
    assert_eq!(node.sakms.statistics().verdicts.undecided, 3);
    assert_eq!(node.sakms.statistics().verdicts.quota_exhausted, 1);
}
