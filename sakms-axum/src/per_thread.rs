//! What is cloned for each request, by several threads at once.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;

/// A value whose clones cost threads no wait for each other.
///
/// axum clones a service for each request. An `Arc` in it is counted up and down each time, and to write to one count
/// from several processors costs each of them more than a look at a key. So there are some copies, and a thread's clones
/// share the same one of them.
#[derive(Debug)]
pub(crate) enum PerThread<T> {
    All(Box<[Arc<Line<T>>]>),
    One(Arc<Line<T>>),
}

/// On lines of its own, count included.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Line<T>(T);

impl<T> PerThread<T> {
    const MOST: usize = 32;

    pub(crate) fn new(make: impl Fn() -> T) -> Self {
        let threads = available_parallelism().map_or(1, std::num::NonZero::get);
        let copy = |_| Arc::new(Line(make()));
        Self::All((0..threads.min(Self::MOST)).map(copy).collect())
    }

    pub(crate) fn get(&self) -> &T {
        &self.copy().0
    }

    fn copy(&self) -> &Arc<Line<T>> {
        match self {
            Self::All(copies) => &copies[thread() % copies.len()],
            Self::One(copy) => copy,
        }
    }
}

impl<T> Clone for PerThread<T> {
    fn clone(&self) -> Self {
        Self::One(Arc::clone(self.copy()))
    }
}

/// The number of this thread among those that asked.
fn thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static MINE: Cell<Option<usize>> = const { Cell::new(None) };
    }
    MINE.with(|mine| {
        mine.get().unwrap_or_else(|| {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            mine.set(Some(number));
            number
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_are_of_the_same_value() {
        let value = PerThread::new(|| String::from("guard"));
        let clone = value.clone();
        let elsewhere = std::thread::scope(|scope| scope.spawn(|| value.clone()).join());
        for one in [&value, &clone, &clone.clone(), &elsewhere.unwrap()] {
            assert_eq!(one.get(), "guard");
        }
        drop(value);
        assert_eq!(clone.get(), "guard");
    }
}
