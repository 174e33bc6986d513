//! A background task, of which there is one at a time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use tokio::runtime::Handle;

/// Whether a task runs. Kept in what the task serves.
#[derive(Debug, Default)]
pub(super) struct Running(AtomicBool);

/// What has a task of its own.
pub(super) trait HasTask: Send + Sync + 'static {
    fn running(&self) -> &Running;
}

/// What a task holds of what it serves: weakly, so that the task does not keep it alive. When this is dropped, with the
/// task's runtime too, the task counts as ended.
#[derive(Debug)]
pub(super) struct Served<T: HasTask>(Weak<T>);

impl<T: HasTask> Served<T> {
    /// What is served, or nothing when it is gone.
    pub(super) fn get(&self) -> Option<Arc<T>> {
        self.0.upgrade()
    }
}

impl<T: HasTask> Drop for Served<T> {
    fn drop(&mut self) {
        if let Some(served) = self.get() {
            served.running().0.store(false, Ordering::Release);
        }
    }
}

/// Starts the task of `of` when it does not run. It lives on the runtime of whoever called first, for as long as that
/// runtime does; outside of any nothing is started.
pub(super) fn ensure_running<T: HasTask, F: Future<Output = ()> + Send + 'static>(
    of: &Arc<T>,
    task: impl FnOnce(Served<T>) -> F,
) {
    let Running(running) = of.running();
    if running.load(Ordering::Acquire) || running.swap(true, Ordering::AcqRel) {
        return;
    }
    let served = Served(Arc::downgrade(of));
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(task(served));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use tokio::runtime::Runtime;

    #[derive(Default)]
    struct Worker {
        running: Running,
        started: AtomicUsize,
    }

    impl HasTask for Worker {
        fn running(&self) -> &Running {
            &self.running
        }
    }

    fn start(worker: &Arc<Worker>) {
        ensure_running(worker, |served| {
            if let Some(worker) = served.get() {
                worker.started.fetch_add(1, Ordering::SeqCst);
            }
            async move {
                let _served = served;
                std::future::pending::<()>().await;
            }
        });
    }

    #[test]
    fn there_is_one_until_its_runtime_ends() {
        let worker = Arc::<Worker>::default();
        start(&worker);
        assert_eq!(worker.started.load(Ordering::SeqCst), 0, "no runtime");
        for nth in 1..=2 {
            let runtime = Runtime::new().unwrap();
            let guard = runtime.enter();
            (0..3).for_each(|_| start(&worker));
            drop(guard);
            assert_eq!(worker.started.load(Ordering::SeqCst), nth);
            drop(runtime);
        }
        assert_eq!(Arc::weak_count(&worker), 0);
    }
}
