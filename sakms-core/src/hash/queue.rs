//! The line in front of a share's threads: bounded, first come first served, and nobody in it who has left.

use std::collections::VecDeque;
use std::fmt;
use std::sync::PoisonError;

use super::HashError;
use super::arena::Arena;
use super::sync::{Arc, AtomicBool, AtomicU64, Condvar, Mutex, MutexGuard, Ordering};

/// Decides between a thread that begins a job and a caller who stops waiting for it: only one of them can.
#[derive(Debug, Clone, Default)]
pub(super) struct Ticket(Arc<AtomicBool>);

impl Ticket {
    /// Takes the ticket; false when the other side already has.
    pub(super) fn claim(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }

    fn is_claimed(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// One piece of work for a hashing thread. It catches its own panics.
pub(super) struct Job {
    pub(super) ticket: Ticket,
    pub(super) run: Box<dyn FnOnce(&mut Arena) + Send>,
}

/// The jobs that wait.
pub(super) struct Queue {
    line: Mutex<Line>,
    changed: Condvar,
    capacity: usize,
    /// How many were sent away.
    shed: AtomicU64,
}

struct Line {
    jobs: VecDeque<Job>,
    closed: bool,
}

impl Queue {
    pub(super) fn new(capacity: usize) -> Self {
        let line = Line {
            jobs: VecDeque::new(),
            closed: false,
        };
        Self {
            line: Mutex::new(line),
            changed: Condvar::new(),
            capacity,
            shed: AtomicU64::new(0),
        }
    }

    /// Puts a job at the end, or says that there is no room. The job is made only when there is.
    pub(super) fn push(&self, make: impl FnOnce() -> Job) -> Result<(), HashError> {
        let mut line = self.admit()?;
        line.jobs.push_back(make());
        drop(line);
        self.changed.notify_one();
        Ok(())
    }

    /// Says that there is no room, while there is none: for those who have something to do before they have a job.
    pub(super) fn check_room(&self) -> Result<(), HashError> {
        self.admit().map(drop)
    }

    /// The line, if there is room in it.
    fn admit(&self) -> Result<MutexGuard<'_, Line>, HashError> {
        let mut line = self.lock();
        if line.jobs.len() >= self.capacity {
            // Those whose callers have gone wait for nothing, and must not keep others out.
            line.jobs.retain(|job| !job.ticket.is_claimed());
        }
        if line.jobs.len() >= self.capacity {
            return Err(self.shed());
        }
        Ok(line)
    }

    /// The first job that is still wanted; waits for one. `None` when the queue is closed.
    pub(super) fn pop(&self) -> Option<Job> {
        let mut line = self.lock();
        loop {
            if line.closed {
                return None;
            }
            match line.jobs.pop_front() {
                Some(job) if job.ticket.claim() => return Some(job),
                Some(_) => {}
                None => {
                    line = self
                        .changed
                        .wait(line)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    /// Sends every thread home after the job it is at, and drops those that wait.
    pub(super) fn close(&self) {
        let mut line = self.lock();
        line.closed = true;
        line.jobs.clear();
        drop(line);
        self.changed.notify_all();
    }

    /// Counts one who is sent away.
    pub(super) fn shed(&self) -> HashError {
        self.shed.fetch_add(1, Ordering::Relaxed);
        HashError::Overloaded
    }

    /// How many were sent away so far.
    pub(super) fn shed_count(&self) -> u64 {
        self.shed.load(Ordering::Relaxed)
    }

    /// How many jobs wait.
    pub(super) fn waiting(&self) -> usize {
        self.lock().jobs.len()
    }

    /// A panic while the lock was held leaves a line that is still a line.
    fn lock(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("waiting", &self.waiting())
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}
