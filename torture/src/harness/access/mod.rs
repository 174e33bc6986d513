//! Access is taken away from keys while others check them: many at once, until so many changes are made.
//!
//! - [`service`]: the nodes under test.
//! - [`worker`]: one who changes keys, with others beside who check them.
//! - [`found`]: what was counted.

pub mod found;
pub mod service;
pub mod worker;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::run::Run;
use found::Found;
use service::Service;
use worker::Worker;

/// Where a change is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// On the node that acknowledges it.
    Home,
    /// On every node.
    Everywhere,
}

/// So many workers, each with an account of its own.
#[must_use]
pub fn workers<'a>(run: &Run, service: &'a Service, reach: Reach, count: usize) -> Vec<Worker<'a>> {
    // One after the other: accounts and sign-ins cost a slow hash each.
    let joining = (0..count).map(|number| {
        let random = run.random(&format!("{reach:?} {number}"));
        Worker::new(service, reach, number, random)
    });
    joining.collect()
}

/// Has workers make changes until there are enough of them, or it is over for another reason.
#[must_use]
pub fn run(
    run: &Run,
    workers: &mut [Worker<'_>],
    changes: u64,
    is_over: impl Fn() -> bool,
) -> Found {
    let (made, over, running) = (AtomicU64::new(0), AtomicBool::new(false), AtomicU64::new(0));
    let total = Mutex::new(Found::default());
    std::thread::scope(|scope| {
        for worker in workers {
            let (made, over, running, total) = (&made, &over, &running, &total);
            running.fetch_add(1, Ordering::SeqCst);
            scope.spawn(move || {
                let _running = Running(running);
                while made.load(Ordering::SeqCst) < changes && !over.load(Ordering::SeqCst) {
                    let before = worker.found.acknowledged;
                    worker.round();
                    made.fetch_add(worker.found.acknowledged - before, Ordering::SeqCst);
                }
                total
                    .lock()
                    .unwrap()
                    .add(&std::mem::take(&mut worker.found));
            });
        }
        while running.load(Ordering::SeqCst) > 0 {
            std::thread::sleep(Duration::from_millis(50));
            over.store(is_over(), Ordering::SeqCst);
            run.progress(|| format!("{} changes", made.load(Ordering::SeqCst)));
        }
    });
    total.into_inner().unwrap()
}

/// Says that a worker has ended, in whatever way.
struct Running<'a>(&'a AtomicU64);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
