use super::*;
use crate::clock::ManualClock;
use crate::entropy::OsEntropy;
use crate::journal::Seq;
use crate::store::MemoryStore;

struct Book {
    refusals: Refusals,
    store: MemoryStore,
    clock: Arc<ManualClock>,
    tally: Arc<Tally>,
}

impl Book {
    fn new(most_per_minute: u32) -> Self {
        let (store, clock, tally) = (
            MemoryStore::new(),
            ManualClock::at(Timestamp::EPOCH),
            Tally::default(),
        );
        let (clock, tally) = (Arc::new(clock), Arc::new(tally));
        let refusals = Refusals::new(
            Arc::new(store.clone()),
            Arc::clone(&tally),
            Arc::clone(&clock) as _,
            Arc::new(OsEntropy),
            most_per_minute,
        );
        Self {
            refusals,
            store,
            clock,
            tally,
        }
    }

    fn refuse(&self, key: u16, times: usize) {
        for _ in 0..times {
            self.refusals.key(id(key), &KeyDenial::Revoked);
        }
    }

    /// What a flush adds: the subject and how often it says that it happened.
    async fn flush(&self) -> Vec<(String, u64)> {
        let before = self.store.journal_head().await.unwrap().seq;
        self.refusals.flush().await.unwrap();
        let rows = self.store.journal_after(before, 10_000).await.unwrap();
        let count = |detail: &str| {
            detail
                .split_once("count=")
                .unwrap()
                .1
                .split(' ')
                .next()
                .unwrap()
                .parse()
                .unwrap()
        };
        rows.iter()
            .map(|row| (row.entry.subject.to_string(), count(&row.entry.detail)))
            .collect()
    }
}

fn id(number: u16) -> KeyId {
    let [high, low] = number.to_be_bytes();
    KeyId::from_bytes([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, high, low])
}

fn named(key: u16, count: u64) -> (String, u64) {
    (Subject::key(id(key)).to_string(), count)
}

#[tokio::test]
async fn the_same_refusal_is_written_once_an_hour() {
    let book = Book::new(60);
    book.refuse(1, 1_000);
    assert_eq!(book.flush().await, [named(1, 1_000)]);
    book.refuse(1, 7);
    assert_eq!(book.flush().await, []);
    book.clock
        .advance(REST.saturating_sub(Duration::from_secs(1)));
    book.refuse(1, 1);
    assert_eq!(book.flush().await, []);
    // Another reason is another thing.
    book.refusals.key(id(1), &KeyDenial::Expired);
    assert_eq!(book.flush().await, [named(1, 1)]);
    book.clock.advance(Duration::from_secs(1));
    assert_eq!(book.flush().await, [named(1, 8)]);
    book.clock.advance(REST);
    assert_eq!(book.flush().await, [], "nothing happened since");
}

#[tokio::test]
async fn a_minute_has_so_many_entries_and_one_says_how_many_found_no_room() {
    let book = Book::new(5);
    for key in 0..20 {
        book.refuse(key, 2);
        book.clock.advance(Duration::from_millis(1));
    }
    let rest = ("service".to_owned(), 32);
    let written = book.flush().await;
    assert_eq!(
        written,
        [rest, named(0, 2), named(1, 2), named(2, 2), named(3, 2)]
    );
    assert_eq!(book.tally.of(Count::RefusalLeftOut), 32);
    // The minute is full.
    book.refuse(30, 1);
    assert_eq!(book.flush().await, []);
    assert_eq!(book.tally.of(Count::RefusalLeftOut), 33);
    book.clock.advance(MINUTE);
    (40..50).for_each(|key| book.refuse(key, 1));
    assert_eq!(book.flush().await.len(), 5, "the summary rests as well");
    assert_eq!(book.tally.of(Count::RefusalLeftOut), 38);
    book.clock.advance(REST);
    assert_eq!(book.flush().await, [("service".to_owned(), 6)]);
    assert_eq!(book.tally.of(Count::RefusalWritten), 11);
}

#[tokio::test]
async fn what_strangers_send_is_two_entries() {
    let book = Book::new(60);
    book.tally.add_many(Count::Malformed, 1_000_000);
    book.tally.add_many(Count::Unknown, 5_000);
    (0..70).for_each(|_| book.refusals.sign_in(None, "unknown"));
    let mut written = book.flush().await;
    written.sort();
    let service = |count| ("service".to_owned(), count);
    assert_eq!(written, [service(70), service(5_000), service(1_000_000)]);
    book.tally.add_many(Count::Malformed, 3);
    assert_eq!(book.flush().await, []);
    book.clock.advance(REST);
    assert_eq!(book.flush().await, [service(3)]);
}

#[tokio::test]
async fn what_waits_is_bounded() {
    let book = Book::new(60);
    (0..10_000).for_each(|key| book.refuse(key, 1));
    assert_eq!(
        book.refusals.waiting().len(),
        MOST_WAITING + 1,
        "and the summary"
    );
    assert_eq!(
        book.tally.of(Count::RefusalLeftOut),
        10_000 - MOST_WAITING as u64
    );
    let written = book.flush().await;
    assert_eq!(written.len(), 60);
    let all: u64 = written.iter().map(|(_, count)| count).sum();
    assert!(
        all > 5_000,
        "the first summary says what found no room to wait: {all}"
    );
    assert!(book.refusals.waiting().len() <= 1);
}

#[tokio::test]
async fn nothing_is_written_where_nothing_shall_be() {
    let book = Book::new(0);
    book.refuse(1, 10);
    book.tally.add_many(Count::Malformed, 10);
    assert_eq!(book.flush().await, []);
    assert_eq!(book.store.journal_head().await.unwrap().seq, Seq::START);
    assert!(book.refusals.waiting().is_empty());
}
