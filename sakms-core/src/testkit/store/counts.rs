//! How often a key and its secrets were used and refused, and where from.

use std::net::IpAddr;
use std::sync::Arc;

use super::Fixture;
use super::secrets::rotate;
use super::support::{RACERS, decided, get, issue_plain, journal, race, reads};
use crate::clock::Timestamp;
use crate::id::{KeyId, SecretId};
use crate::key::{Day, DayUse, Revision, SecretUse, UsedSecret};
use crate::store::KeyStore;
use crate::testkit::fixtures;

const MIDNIGHT: i64 = 20_786 * 86_400_000_000;

/// The day that begins at `MIDNIGHT`, 2026-11-29, and those around it.
fn day(number: i64) -> Day {
    Day::of(moment(number, 0))
}

/// So many microseconds after the beginning of a day.
fn moment(day: i64, micros: i64) -> Timestamp {
    Timestamp::from_micros(MIDNIGHT + day * 86_400_000_000 + micros).unwrap()
}

fn from(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Uses of a secret: how many, how many more were refused, when, and from where the last one came.
fn uses(secret: SecretId, (count, refused): (u64, u64), at: Timestamp, place: &str) -> SecretUse {
    let mut uses = SecretUse::new(secret, count, at);
    uses.refused = refused;
    uses.last_from = (!place.is_empty()).then(|| from(place));
    uses
}

async fn record(store: &dyn KeyStore, uses: SecretUse) {
    store.record_uses(&[uses]).await.unwrap();
}

/// The only secret of a key.
async fn only_secret(store: &dyn KeyStore, key: KeyId) -> UsedSecret {
    let mut secrets = store.secrets(key).await.unwrap();
    assert_eq!(secrets.len(), 1);
    secrets.remove(0)
}

async fn usage(store: &dyn KeyStore, key: KeyId, first: Day, last: Day) -> Vec<(Day, u64, u64)> {
    let days = store.usage(key, first, last).await.unwrap();
    let parts = |day: DayUse| (day.day, day.allowed, day.refused);
    days.into_iter().map(parts).collect()
}

/// A key's secrets are shown, the oldest first, each with its own uses; those of others are not.
pub async fn each_secret_shows_its_uses(fixture: &Fixture) {
    let store = &*fixture.keys;
    let first = issue_plain(store).await;
    let key = first.key.id;
    let mut expected = vec![UsedSecret::unused(first.secret.clone())];
    assert_eq!(store.secrets(key).await.unwrap(), expected);
    let second = rotate(store, key, fixtures::at(1_000)).await;
    let third = rotate(store, key, fixtures::at(2_000)).await;
    let other = issue_plain(store).await;

    let told = [
        uses(second.id, (3, 0), fixtures::at(20), "192.0.2.7"),
        uses(
            first.secret.id,
            (1 << 33, 0),
            fixtures::at(30),
            "2001:db8::7",
        ),
        uses(other.secret.id, (9, 0), fixtures::at(40), "192.0.2.9"),
        uses(second.id, (2, 0), fixtures::at(10), ""),
    ];
    store.record_uses(&told).await.unwrap();
    record(
        store,
        uses(first.secret.id, (1, 0), fixtures::at(31), "192.0.2.8"),
    )
    .await;

    expected[0].record.retired_at = Some(fixtures::at(1_000));
    expected[0].uses = (1 << 33) + 1;
    expected[0].last_used_at = Some(fixtures::at(31));
    expected[0].last_used_from = Some(from("192.0.2.8"));
    let mut second = UsedSecret::unused(second);
    second.record.retired_at = Some(fixtures::at(2_000));
    second.uses = 5;
    second.last_used_at = Some(fixtures::at(20));
    second.last_used_from = Some(from("192.0.2.7"));
    expected.extend([second, UsedSecret::unused(third)]);
    assert_eq!(store.secrets(key).await.unwrap(), expected);
    assert_eq!(store.secrets(fixtures::key_id()).await.unwrap(), []);
}

/// The latest use stays, with where it came from; one from nowhere keeps the place that was known.
pub async fn the_place_of_the_latest_use_stays(fixture: &Fixture) {
    let store = &*fixture.keys;
    let issued = issue_plain(store).await;
    let last = ["192.0.2.1", "192.0.2.2", "192.0.2.4"];
    for (told, place, known_at, known) in [
        (50, last[0], 50, last[0]),
        // Told late: it is no longer the latest, nor is its place.
        (40, "192.0.2.9", 50, last[0]),
        (51, last[1], 51, last[1]),
        (52, "", 52, last[1]),
        (51, "192.0.2.9", 52, last[1]),
        (60, last[2], 60, last[2]),
    ] {
        record(
            store,
            uses(issued.secret.id, (1, 0), fixtures::at(told), place),
        )
        .await;
        let found = only_secret(store, issued.key.id).await;
        assert_eq!(found.last_used_at, Some(fixtures::at(known_at)), "{told}");
        assert_eq!(found.last_used_from, Some(from(known)), "after {told}");
    }
    assert_eq!(only_secret(store, issued.key.id).await.uses, 6);
    // All at once, in the least helpful order.
    let issued = issue_plain(store).await;
    let told = [
        (30, "192.0.2.3"),
        (10, "192.0.2.1"),
        (40, ""),
        (20, "192.0.2.2"),
    ]
    .map(|(at, place)| uses(issued.secret.id, (1, 0), fixtures::at(at), place));
    store.record_uses(&told).await.unwrap();
    let found = only_secret(store, issued.key.id).await;
    assert_eq!(found.last_used_at, Some(fixtures::at(40)));
    assert_eq!(found.last_used_from, Some(from("192.0.2.3")));
    assert_eq!(found.uses, 4);
}

/// A place is an address of either kind, to the bit.
pub async fn places_are_kept_to_the_bit(fixture: &Fixture) {
    let store = &*fixture.keys;
    for place in [
        "0.0.0.0",
        "0.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::192.0.2.7",
        "2001:db8:0:1:ffff:ffff:ffff:ffff",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ] {
        let issued = issue_plain(store).await;
        record(
            store,
            uses(issued.secret.id, (1, 0), fixtures::at(1), place),
        )
        .await;
        let found = only_secret(store, issued.key.id).await;
        assert_eq!(found.last_used_from, Some(from(place)));
    }
}

/// Who was only refused did not use the key: nothing but the day's count of refusals tells of it.
pub async fn a_refused_use_is_no_use(fixture: &Fixture) {
    let store = &*fixture.keys;
    let mut issued = issue_plain(store).await;
    let (id, secret) = (issued.key.id, issued.secret.id);
    record(store, uses(secret, (0, 3), moment(0, 9), "192.0.2.9")).await;
    assert_eq!(
        only_secret(store, id).await,
        UsedSecret::unused(issued.secret.clone())
    );
    reads(store, &issued.key, &issued.secret).await;
    assert_eq!(usage(store, id, day(0), day(0)).await, [(day(0), 0, 3)]);

    // Later than the last use: that one stays the last.
    record(store, uses(secret, (2, 1), moment(0, 5), "192.0.2.1")).await;
    record(store, uses(secret, (0, 4), moment(0, 7), "192.0.2.9")).await;
    let found = only_secret(store, id).await;
    assert_eq!((found.uses, found.last_used_at), (2, Some(moment(0, 5))));
    assert_eq!(found.last_used_from, Some(from("192.0.2.1")));
    issued.key.last_used_at = Some(moment(0, 5));
    reads(store, &issued.key, &issued.secret).await;
    assert_eq!(usage(store, id, day(0), day(0)).await, [(day(0), 2, 8)]);
}

/// A use counts for the day of its moment, which begins at midnight in UTC.
pub async fn a_day_ends_at_midnight(fixture: &Fixture) {
    let store = &*fixture.keys;
    let issued = issue_plain(store).await;
    let told = [
        (-1, 1),
        (0, 10),
        (86_399_999_999, 100),
        (86_400_000_000, 1_000),
    ]
    .map(|(micros, count)| uses(issued.secret.id, (count, count + 1), moment(0, micros), ""));
    store.record_uses(&told).await.unwrap();
    assert_eq!(
        usage(store, issued.key.id, day(-1), day(1)).await,
        [(day(-1), 1, 2), (day(0), 110, 112), (day(1), 1_000, 1_001)]
    );
}

/// A key's days are the sum over its secrets, and over all that was told; in a range, in order, each once.
pub async fn days_are_given_by_their_range(fixture: &Fixture) {
    let store = &*fixture.keys;
    let issued = issue_plain(store).await;
    let (id, first) = (issued.key.id, issued.secret.id);
    let second = rotate(store, id, fixtures::at(1)).await.id;
    let stranger = issue_plain(store).await;
    for (secret, number, counts) in [
        (first, 5, (1, 0)),
        (second, -3, (2, 5)),
        (second, 5, (4, 1)),
        (stranger.secret.id, 0, (64, 64)),
        (first, 0, (0, 7)),
        (first, -3, (8, 0)),
        // Neither let in nor refused: there is nothing to tell of that day.
        (first, 2, (0, 0)),
    ] {
        record(store, uses(secret, counts, moment(number, 1), "")).await;
    }
    let all = [(day(-3), 10, 5), (day(0), 0, 7), (day(5), 5, 1)];
    let (past, future) = (Day::of(Timestamp::EPOCH), Day::MAX);
    for (range, expected) in [
        ((past, future), &all[..]),
        ((day(-3), day(5)), &all[..]),
        ((day(-2), day(5)), &all[1..]),
        ((day(-3), day(4)), &all[..2]),
        ((day(0), day(0)), &all[1..2]),
        ((day(1), day(4)), &[]),
        ((past, day(-4)), &[]),
        ((day(6), future), &[]),
        // The end before the beginning.
        ((day(5), day(-3)), &[]),
    ] {
        let found = usage(store, id, range.0, range.1).await;
        assert_eq!(found, expected, "from {} to {}", range.0, range.1);
    }
    assert_eq!(
        usage(store, stranger.key.id, past, future).await,
        [(day(0), 64, 64)]
    );
    assert_eq!(usage(store, fixtures::key_id(), past, future).await, []);
}

/// The first and the last day there is are days.
pub async fn the_first_and_the_last_day_are_counted(fixture: &Fixture) {
    let store = &*fixture.keys;
    let issued = issue_plain(store).await;
    for at in [Timestamp::MAX, Timestamp::EPOCH] {
        record(store, uses(issued.secret.id, (1, 2), at, "")).await;
    }
    let (first, last) = (Day::of(Timestamp::EPOCH), Day::MAX);
    assert_eq!(
        usage(store, issued.key.id, first, last).await,
        [(first, 1, 2), (last, 1, 2)]
    );
    assert_eq!(
        usage(store, issued.key.id, last, last).await,
        [(last, 1, 2)]
    );
}

/// Two hundred uses of a few secrets in one call, over some days: each is counted once.
pub async fn many_uses_are_counted_at_once(fixture: &Fixture) {
    let store = &*fixture.keys;
    let mut issued = Vec::new();
    for _ in 0..7 {
        issued.push(issue_plain(store).await);
    }
    let told: Vec<_> = (0..200_u32)
        .map(|n| {
            let secret = issued[n as usize * 3 % 7].secret.id;
            let at = moment(i64::from(n * 5 % 4), i64::from(n));
            uses(secret, (u64::from(n % 3), u64::from(n % 2)), at, "")
        })
        .collect();
    store.record_uses(&told).await.unwrap();
    for issued in issued {
        let mine: Vec<_> = told
            .iter()
            .filter(|one| one.secret == issued.secret.id)
            .collect();
        let found = only_secret(store, issued.key.id).await;
        assert_eq!(found.uses, mine.iter().map(|one| one.count).sum::<u64>());
        let used = mine.iter().filter(|one| one.count > 0);
        assert_eq!(found.last_used_at, used.map(|one| one.last_at).max());
        for number in 0..4 {
            let today = mine.iter().filter(|one| one.day() == day(number));
            let counts = today.fold((0, 0), |(count, refused), one| {
                (count + one.count, refused + one.refused)
            });
            let expected = (day(number), counts.0, counts.1);
            assert_eq!(
                usage(store, issued.key.id, day(number), day(number)).await,
                [expected]
            );
        }
    }
}

/// Sixteen who tell of the same secrets at once, in whatever order: every use is counted once.
pub async fn no_use_is_lost(fixture: &Fixture) {
    let store = &fixture.keys;
    let mut issued = Vec::new();
    for _ in 0..4 {
        issued.push(issue_plain(&**store).await);
    }
    let before = journal(&**store).await;
    race(RACERS, |racer| {
        let store = Arc::clone(store);
        let at = fixtures::at(u64::try_from(racer).unwrap());
        let told = issued
            .iter()
            .map(|one| uses(one.secret.id, (3, 2), at, "192.0.2.1"));
        let mut told: Vec<_> = told.collect();
        told.rotate_left(racer % 4);
        if racer % 3 == 0 {
            told.reverse();
        }
        async move {
            for _ in 0..3 {
                decided(|| store.record_uses(&told)).await.unwrap();
            }
        }
    })
    .await;
    let (rounds, last) = (3 * RACERS as u64, fixtures::at(RACERS as u64 - 1));
    for issued in issued {
        let (id, today) = (issued.key.id, Day::of(fixtures::START));
        let found = only_secret(&**store, id).await;
        assert_eq!((found.uses, found.last_used_at), (3 * rounds, Some(last)));
        assert_eq!(
            usage(&**store, id, today, today).await,
            [(today, 3 * rounds, 2 * rounds)]
        );
        assert_eq!(get(&**store, id).await.revision, Revision::FIRST);
    }
    assert_eq!(journal(&**store).await, before);
}
