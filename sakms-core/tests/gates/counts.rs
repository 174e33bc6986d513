//! What is counted of a key: what was let in and what was refused, by day, and from where.

use std::net::IpAddr;
use std::time::Duration;

use sakms_core::clock::Timestamp;
use sakms_core::key::{Day, DayUse, KeyPatch, Refill, UsedSecret};
use sakms_core::store::{KeyStore as _, StoreErrorKind};
use sakms_core::testkit::faults::{Fault, StoreMethod};
use sakms_core::testkit::fixtures;

use super::{Key, Node};

async fn days(node: &Node, key: &Key) -> Vec<DayUse> {
    let (first, last) = (Day::from_number(0).unwrap(), Day::MAX);
    node.store.usage(key.id, first, last).await.unwrap()
}

async fn secret(node: &Node, key: &Key) -> UsedSecret {
    node.store.secrets(key.id).await.unwrap().remove(0)
}

#[tokio::test]
async fn what_was_refused_is_counted_beside_what_was_let_in() {
    let node = Node::new();
    let key = node.key("a:b").await;
    node.sakms.catch_up().await.unwrap();
    for (requirement, times) in [("a:b", 3), ("a:c", 2), ("not a:b", 1)] {
        for _ in 0..times {
            let _ = node.check(&key, requirement).await.unwrap();
        }
    }
    node.sakms.flush().await.unwrap();
    let today = Day::of(fixtures::START);
    assert_eq!(days(&node, &key).await, [DayUse::new(today, 3, 3)]);
    let patch = KeyPatch::revoke(fixtures::START);
    node.change(&key, &patch).await;
    node.sakms.catch_up().await.unwrap();
    for _ in 0..4 {
        assert!(node.check(&key, "any").await.unwrap().is_err());
    }
    node.sakms.flush().await.unwrap();
    assert_eq!(days(&node, &key).await, [DayUse::new(today, 3, 7)]);
    let used = secret(&node, &key).await;
    assert_eq!(
        (used.uses, used.last_used_at),
        (3, Some(fixtures::START)),
        "a refusal is no use"
    );
    node.sakms.flush().await.unwrap();
    assert_eq!(days(&node, &key).await, [DayUse::new(today, 3, 7)]);
}

#[tokio::test]
async fn counts_go_to_their_day_also_when_the_store_was_away_over_midnight() {
    let node = Node::new();
    let key = node.key("a:b").await;
    let midnight = Refill::Daily.next_after(fixtures::START).unwrap();
    let before = Timestamp::from_micros(midnight.as_micros() - 1).unwrap();
    node.clock.set(before);
    node.sakms.catch_up().await.unwrap();
    for _ in 0..5 {
        node.check(&key, "a:b").await.unwrap().unwrap();
    }
    let away = Fault::Before(StoreErrorKind::Unavailable);
    node.store.inject_into(StoreMethod::RecordUses, away);
    assert!(node.sakms.flush().await.is_err());
    node.clock.advance(Duration::from_secs(1));
    node.check(&key, "a:b").await.unwrap().unwrap();
    assert!(node.check(&key, "a:c").await.unwrap().is_err());
    assert!(node.sakms.flush().await.is_err());
    node.store.heal();
    node.sakms.flush().await.unwrap();
    let (first, second) = (Day::of(before), Day::of(midnight));
    assert_eq!(
        days(&node, &key).await,
        [DayUse::new(first, 5, 0), DayUse::new(second, 1, 1)]
    );
}

#[tokio::test]
async fn where_the_last_use_came_from_is_kept() {
    let node = Node::new();
    let key = node.key("a:b").await;
    node.sakms.catch_up().await.unwrap();
    let addresses = ["192.0.2.7", "2001:db8::1", "::ffff:203.0.113.9"];
    for (address, known) in addresses
        .iter()
        .zip(["192.0.2.7", "2001:db8::1", "203.0.113.9"])
    {
        let from: IpAddr = address.parse().unwrap();
        node.clock.advance(Duration::from_secs(1));
        node.verify(&key, "a:b", Some(from), 1)
            .await
            .unwrap()
            .unwrap();
        node.sakms.flush().await.unwrap();
        let used = secret(&node, &key).await;
        assert_eq!(used.last_used_from, Some(known.parse().unwrap()));
    }
    // Who was refused was not there, and one from nowhere says nothing.
    node.clock.advance(Duration::from_secs(1));
    let elsewhere = "198.51.100.1".parse().unwrap();
    let refused = node.verify(&key, "a:c", Some(elsewhere), 1).await.unwrap();
    assert!(refused.is_err());
    node.check(&key, "a:b").await.unwrap().unwrap();
    node.sakms.flush().await.unwrap();
    let used = secret(&node, &key).await;
    assert_eq!(used.last_used_from, Some("203.0.113.9".parse().unwrap()));
}

#[tokio::test]
async fn no_use_is_lost_where_more_are_listed_than_are_taken_at_once() {
    const KEYS: usize = 10_050;
    let node = Node::new();
    node.sakms.catch_up().await.unwrap();
    let mut keys = Vec::new();
    for _ in 0..KEYS {
        let key = node.key("a:b").await;
        node.check(&key, "a:b").await.unwrap().unwrap();
        keys.push(key);
    }
    let away = Fault::Before(StoreErrorKind::Unavailable);
    node.store.inject_into(StoreMethod::RecordUses, away);
    assert!(node.sakms.flush().await.is_err());
    for key in [&keys[0], &keys[KEYS - 1]] {
        node.check(key, "a:b").await.unwrap().unwrap();
    }
    assert!(node.sakms.flush().await.is_err());
    node.store.heal();
    node.sakms.flush().await.unwrap();
    for (place, key) in keys.iter().enumerate() {
        let twice = u64::from(place == 0 || place == KEYS - 1);
        assert_eq!(secret(&node, key).await.uses, 1 + twice, "{place}");
    }
}
