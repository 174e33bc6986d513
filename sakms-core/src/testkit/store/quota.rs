//! A quota: however many take at once, no more is taken than there is.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Fixture;
use super::support::{decided, issue_plain, journal, kind, race, reads};
use crate::clock::Timestamp;
use crate::id::KeyId;
use crate::key::QuotaState;
use crate::store::{KeyStore, StoreErrorKind};
use crate::testkit::fixtures;

/// How many take at once.
const TAKERS: usize = 48;

fn period(number: u64) -> Timestamp {
    fixtures::at(number * 86_400_000_000)
}

/// Takes `cost` of `amount` in a period.
async fn take(
    store: &dyn KeyStore,
    key: KeyId,
    (at, amount, cost): (Timestamp, u64, u64),
) -> Option<u64> {
    store.take_quota(key, at, amount, cost).await.unwrap()
}

async fn taken(store: &dyn KeyStore, key: KeyId, at: Timestamp) -> u64 {
    store.quota_taken(key, at).await.unwrap()
}

/// What is taken is said, and is gone; what is more than is left is not taken, not even in part.
pub async fn a_quota_is_taken_until_it_is_empty(fixture: &Fixture) {
    let store = &*fixture.keys;
    let key = issue_plain(store).await.key.id;
    let now = period(1);
    assert_eq!(taken(store, key, now).await, 0);
    for (cost, left, then) in [
        (4, Some(6), 4),
        (7, None, 4),
        (u64::MAX, None, 4),
        (5, Some(1), 9),
        (2, None, 9),
        (1, Some(0), 10),
        (1, None, 10),
        (u64::MAX, None, 10),
    ] {
        assert_eq!(take(store, key, (now, 10, cost)).await, left, "cost {cost}");
        assert_eq!(taken(store, key, now).await, then, "after {cost}");
    }
}

/// What a quota is too small for is not taken of an untouched one either.
pub async fn more_than_there_is_was_never_taken(fixture: &Fixture) {
    let store = &*fixture.keys;
    let key = issue_plain(store).await.key.id;
    let now = period(1);
    assert_eq!(take(store, key, (now, 10, 11)).await, None);
    assert_eq!(take(store, key, (now, 0, 1)).await, None);
    assert_eq!(taken(store, key, now).await, 0);
    assert_eq!(take(store, key, (now, 10, 10)).await, Some(0));
}

/// Each key has a quota of its own, and taking of it is no change of the key.
pub async fn a_quota_is_of_one_key(fixture: &Fixture) {
    let store = &*fixture.keys;
    let (first, second) = (issue_plain(store).await, issue_plain(store).await);
    let (before, now) = (journal(store).await, period(1));
    assert_eq!(take(store, first.key.id, (now, 3, 3)).await, Some(0));
    assert_eq!(take(store, second.key.id, (now, 3, 1)).await, Some(2));
    assert_eq!(taken(store, first.key.id, now).await, 3);
    assert_eq!(taken(store, second.key.id, now).await, 1);
    assert_eq!(taken(store, fixtures::key_id(), now).await, 0);
    assert_eq!(journal(store).await, before);
    for issued in [first, second] {
        reads(store, &issued.key, &issued.secret).await;
    }
}

/// A new period starts afresh; one that is over has nothing left, whatever was left of it.
pub async fn a_new_period_starts_afresh(fixture: &Fixture) {
    let store = &*fixture.keys;
    let key = issue_plain(store).await.key.id;
    assert_eq!(take(store, key, (period(1), 10, 10)).await, Some(0));
    assert_eq!(taken(store, key, period(2)).await, 0);
    assert_eq!(take(store, key, (period(2), 10, 1)).await, Some(9));
    // A node whose clock is behind.
    assert_eq!(take(store, key, (period(1), 10, 1)).await, None);
    assert_eq!(take(store, key, (period(1), 100, 1)).await, None);
    assert_eq!(take(store, key, (period(0), 10, 1)).await, None);
    assert_eq!(
        taken(store, key, period(2)).await,
        1,
        "it took nothing of the new one"
    );
    assert_eq!(take(store, key, (period(2), 10, 1)).await, Some(8));
    // Periods may be left out, and a microsecond makes another.
    assert_eq!(take(store, key, (period(9), 10, 1)).await, Some(9));
    let next = period(9).checked_add(std::time::Duration::from_micros(1));
    assert_eq!(take(store, key, (next.unwrap(), 10, 10)).await, Some(0));
    assert_eq!(take(store, key, (period(9), 10, 1)).await, None);
}

/// The first and the last moment are beginnings of periods.
pub async fn periods_begin_at_any_moment(fixture: &Fixture) {
    let store = &*fixture.keys;
    for begin in [Timestamp::EPOCH, Timestamp::MAX] {
        let key = issue_plain(store).await.key.id;
        assert_eq!(take(store, key, (begin, 2, 1)).await, Some(1));
        assert_eq!(take(store, key, (begin, 2, 1)).await, Some(0));
        assert_eq!(take(store, key, (begin, 2, 1)).await, None);
        assert_eq!(taken(store, key, begin).await, 2);
    }
    let key = issue_plain(store).await.key.id;
    assert_eq!(take(store, key, (Timestamp::EPOCH, 2, 2)).await, Some(0));
    assert_eq!(take(store, key, (Timestamp::MAX, 2, 2)).await, Some(0));
    assert_eq!(take(store, key, (Timestamp::EPOCH, 2, 1)).await, None);
}

/// The amount is what it is now: lowered below what was taken it leaves nothing, raised it leaves more.
pub async fn the_amount_is_what_it_is_now(fixture: &Fixture) {
    let store = &*fixture.keys;
    let key = issue_plain(store).await.key.id;
    let now = period(1);
    assert_eq!(take(store, key, (now, 10, 8)).await, Some(2));
    for amount in [0, 5, 7, 8] {
        assert_eq!(take(store, key, (now, amount, 1)).await, None, "{amount}");
        assert_eq!(taken(store, key, now).await, 8, "{amount}");
    }
    assert_eq!(take(store, key, (now, 9, 1)).await, Some(0));
    assert_eq!(take(store, key, (now, 20, 1)).await, Some(10));
    assert_eq!(taken(store, key, now).await, 10);
}

/// The largest numbers are numbers: no sum wraps around, and none is taken for a small one. What is taken ends at
/// [`QuotaState::MOST`], however large the quota is.
pub async fn the_largest_quotas_are_kept(fixture: &Fixture) {
    let store = &*fixture.keys;
    let (now, most) = (period(1), QuotaState::MOST);
    let half = most / 2;
    // All of it, in one step and in several.
    for amount in [most, most + 1, u64::MAX] {
        for costs in [vec![most], vec![half, 1, 1, half - 1], vec![half + 1, half]] {
            let key = issue_plain(store).await.key.id;
            let mut sum = 0;
            for cost in costs {
                for more in [most - sum + 1, u64::MAX - sum, u64::MAX] {
                    assert_eq!(take(store, key, (now, amount, more)).await, None);
                }
                sum += cost;
                let left = take(store, key, (now, amount, cost)).await;
                assert_eq!(left, Some(amount - sum), "cost {cost} of {amount}");
                assert_eq!(taken(store, key, now).await, sum);
            }
            assert_eq!(sum, most);
            for cost in [1, half, most, most + 1, u64::MAX] {
                let left = take(store, key, (now, amount, cost)).await;
                assert_eq!(left, None, "{cost} of {amount}");
            }
            assert_eq!(taken(store, key, now).await, most);
            assert_eq!(take(store, key, (now, 5, 1)).await, None);
        }
    }
    // What was taken and what it costs are together past the end.
    let key = issue_plain(store).await.key.id;
    assert_eq!(take(store, key, (now, 10, 9)).await, Some(1));
    for cost in [u64::MAX - 9, u64::MAX - 8, u64::MAX] {
        assert_eq!(take(store, key, (now, 10, cost)).await, None, "{cost}");
    }
    assert_eq!(take(store, key, (now, 10, 1)).await, Some(0));
}

/// Takes by many at once, each with a cost of their own. Gives who got what, and what each was left with.
async fn takers(
    store: &Arc<dyn KeyStore>,
    key: KeyId,
    parts: impl Fn(usize) -> (Timestamp, u64, u64),
) -> Vec<(Timestamp, u64, Option<u64>)> {
    race(TAKERS, |taker| {
        let (store, (at, amount, cost)) = (Arc::clone(store), parts(taker));
        async move {
            let left = decided(|| store.take_quota(key, at, amount, cost)).await;
            (at, cost, left.unwrap())
        }
    })
    .await
}

/// Of many who take one each, exactly as many get one as there are, and each is told another rest.
pub async fn exactly_as_many_get_one_as_there_are(fixture: &Fixture) {
    let store = &fixture.keys;
    for amount in [1, 5, 40, TAKERS as u64, TAKERS as u64 + 9] {
        let key = issue_plain(&**store).await.key.id;
        let outcomes = takers(store, key, |_| (period(1), amount, 1)).await;
        let lefts: Vec<_> = outcomes.iter().filter_map(|(_, _, left)| *left).collect();
        let expected = amount.min(TAKERS as u64);
        assert_eq!(lefts.len() as u64, expected, "of {amount}");
        let lefts: BTreeSet<_> = lefts.into_iter().collect();
        assert_eq!(lefts, (amount - expected..amount).collect(), "of {amount}");
        assert_eq!(taken(&**store, key, period(1)).await, expected);
    }
}

/// Of many who take different amounts, those who get theirs take no more than there is, and nobody was refused who
/// would have found enough to the end.
pub async fn many_takers_never_take_more_than_there_is(fixture: &Fixture) {
    let store = &fixture.keys;
    for amount in [1, 20, 60, 100] {
        let key = issue_plain(&**store).await.key.id;
        let cost = |taker: usize| taker as u64 * 5 % 7 + 1;
        let outcomes = takers(store, key, |taker| (period(1), amount, cost(taker))).await;
        let got = outcomes.iter().filter(|(_, _, left)| left.is_some());
        let sum: u64 = got.map(|(_, cost, _)| cost).sum();
        assert!(sum <= amount, "{sum} of {amount}");
        assert_eq!(taken(&**store, key, period(1)).await, sum);
        let refused = outcomes.iter().filter(|(_, _, left)| left.is_none());
        for (_, cost, _) in refused {
            assert!(
                *cost > amount - sum,
                "{cost} was refused, {sum} of {amount} taken"
            );
        }
    }
}

/// Many take at once while one period follows another: each period gives no more than it has.
pub async fn a_new_period_begins_once(fixture: &Fixture) {
    let store = &fixture.keys;
    for _ in 0..4 {
        let key = issue_plain(&**store).await.key.id;
        assert_eq!(take(&**store, key, (period(1), 10, 7)).await, Some(3));
        let parts = |taker: usize| (period(1 + taker as u64 % 2), 10, 1);
        let outcomes = takers(store, key, parts).await;
        let got = |number| {
            let of = |(at, _, left): &&(Timestamp, u64, Option<u64>)| {
                *at == period(number) && left.is_some()
            };
            outcomes.iter().filter(of).count()
        };
        assert!(got(1) <= 3, "{} were left of the old one", got(1));
        assert_eq!(got(2), 10, "the new one");
        assert_eq!(taken(&**store, key, period(2)).await, 10);
        assert_eq!(
            kind(store.take_quota(key, period(2), 10, 1).await),
            Ok::<_, StoreErrorKind>(None)
        );
    }
}
