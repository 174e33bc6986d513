//! One piece of work for many who want its result.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OnceCell;

type Cells<K, T> = HashMap<K, Arc<OnceCell<T>>>;

/// Work that is under way, by what it is about. Whoever comes while it runs waits for its result instead of doing it
/// again. When the one who does it goes away, the next one does it.
#[derive(Debug)]
pub(super) struct Flights<K: Eq + Hash + Copy, T> {
    cells: Mutex<Cells<K, T>>,
}

impl<K: Eq + Hash + Copy, T> Default for Flights<K, T> {
    fn default() -> Self {
        Self {
            cells: Mutex::default(),
        }
    }
}

impl<K: Eq + Hash + Copy, T: Clone> Flights<K, T> {
    /// The result of the work about `key`: of what runs already, or of `work`.
    pub(super) async fn join<F: Future<Output = T>>(&self, key: K, work: impl FnOnce() -> F) -> T {
        let seat = self.take_seat(key);
        seat.cell.get_or_init(work).await.clone()
    }

    fn take_seat(&self, key: K) -> Seat<'_, K, T> {
        let cell = Arc::clone(self.cells().entry(key).or_default());
        Seat {
            flights: self,
            key,
            cell,
        }
    }
}

impl<K: Eq + Hash + Copy, T> Flights<K, T> {
    fn cells(&self) -> MutexGuard<'_, Cells<K, T>> {
        // Nothing that panics runs under the lock.
        self.cells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who waits or works.
struct Seat<'a, K: Eq + Hash + Copy, T> {
    flights: &'a Flights<K, T>,
    key: K,
    cell: Arc<OnceCell<T>>,
}

impl<K: Eq + Hash + Copy, T> Drop for Seat<'_, K, T> {
    fn drop(&mut self) {
        let mut cells = self.flights.cells();
        let Entry::Occupied(current) = cells.entry(self.key) else {
            return;
        };
        // Seats are taken under the lock, so nobody else can be about to sit down here: this one and the map's are the
        // last two when nobody else waits.
        let last = Arc::strong_count(&self.cell) == 2;
        if Arc::ptr_eq(current.get(), &self.cell) && (last || self.cell.initialized()) {
            current.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::sync::Notify;

    #[tokio::test]
    async fn many_who_ask_at_once_are_served_by_one() {
        let flights = Arc::new(Flights::<u8, usize>::default());
        let (runs, go) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let waiting: Vec<_> = (0..100)
            .map(|_| {
                let (flights, runs, go) = (flights.clone(), runs.clone(), go.clone());
                tokio::spawn(async move {
                    let work = || async {
                        go.notified().await;
                        runs.fetch_add(1, Ordering::SeqCst)
                    };
                    flights.join(7, work).await
                })
            })
            .collect();
        while flights.cells().get(&7).map_or(0, Arc::strong_count) < 101 {
            tokio::task::yield_now().await;
        }
        go.notify_one();
        for one in waiting {
            assert_eq!(one.await.unwrap(), 0);
        }
        assert_eq!(runs.load(Ordering::SeqCst), 1);
        assert!(flights.cells().is_empty());
    }

    #[tokio::test]
    async fn when_the_one_who_works_goes_away_the_next_one_works() {
        let flights = Arc::new(Flights::<u8, &str>::default());
        let first = tokio::spawn({
            let flights = flights.clone();
            async move { flights.join(7, std::future::pending::<&str>).await }
        });
        while flights.cells().is_empty() {
            tokio::task::yield_now().await;
        }
        let second = tokio::spawn({
            let flights = flights.clone();
            async move { flights.join(7, || async { "second" }).await }
        });
        while flights.cells().get(&7).map_or(0, Arc::strong_count) < 3 {
            tokio::task::yield_now().await;
        }
        first.abort();
        assert_eq!(second.await.unwrap(), "second");
        assert!(flights.cells().is_empty());
    }

    #[tokio::test]
    async fn who_comes_later_has_the_work_done_anew() {
        let flights = Flights::<u8, u8>::default();
        assert_eq!(flights.join(7, || async { 1 }).await, 1);
        assert_eq!(flights.join(7, || async { 2 }).await, 2);
    }

    #[tokio::test]
    async fn who_gives_up_alone_leaves_nothing_behind() {
        let flights = Flights::<u8, u8>::default();
        tokio::select! {
            biased;
            _ = flights.join(7, std::future::pending::<u8>) => unreachable!(),
            () = tokio::task::yield_now() => {}
        }
        assert!(flights.cells().is_empty());
    }
}
