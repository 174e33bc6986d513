//! Forgetting requests that were answered long enough ago.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::runtime::Handle;

use super::super::error::Error;
use super::super::{Inner, Sakms};
use crate::clock::Timestamp;

/// How often what is too old is forgotten.
const INTERVAL: Duration = Duration::from_mins(10);

/// Whether the task runs that forgets, and whether there can be anything to forget.
#[derive(Debug, Default)]
pub(in crate::service) struct Forgetter {
    runs: AtomicBool,
    needed: AtomicBool,
}

impl Forgetter {
    /// Starts the task that forgets, when none runs. It lives on the runtime of whoever called first, for as long as that
    /// runtime and the service do.
    pub(in crate::service) fn ensure_running(&self, inner: &Arc<Inner>) {
        self.needed.store(true, Ordering::Relaxed);
        if self.runs.load(Ordering::Acquire) || self.runs.swap(true, Ordering::AcqRel) {
            return;
        }
        let flag = RunsWhileAlive(Arc::downgrade(inner));
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        runtime.spawn(async move {
            loop {
                tokio::time::sleep(INTERVAL).await;
                let Some(inner) = flag.0.upgrade() else {
                    return;
                };
                if let Err(error) = (Sakms { inner }).forget_requests().await {
                    tracing::warn!(error = %error, "what is over could not be forgotten; it is tried again");
                }
            }
        });
    }

    /// Whether there can be anything to forget that is this node's.
    pub(in crate::service) fn is_needed(&self) -> bool {
        self.needed.load(Ordering::Relaxed)
    }
}

impl Sakms {
    /// Since when requests are known.
    pub(super) fn remembered_since(&self) -> Timestamp {
        let Inner { clock, rules, .. } = &*self.inner;
        let span = i64::try_from(rules.remembered.as_micros()).unwrap_or(i64::MAX);
        let since = clock.now().as_micros().saturating_sub(span);
        Timestamp::from_micros(since).unwrap_or(Timestamp::EPOCH)
    }

    /// Forgets requests that were made before that, and what has ended by itself.
    pub(in crate::service) async fn forget_requests(&self) -> Result<(), Error> {
        let since = self.remembered_since();
        self.inner.keys.forget_idempotency(since).await?;
        self.forget_states().await
    }
}

/// Says that the task runs no more when it is dropped, with its runtime too.
struct RunsWhileAlive(Weak<Inner>);

impl Drop for RunsWhileAlive {
    fn drop(&mut self) {
        if let Some(inner) = self.0.upgrade() {
            inner.forgetter.runs.store(false, Ordering::Release);
        }
    }
}
