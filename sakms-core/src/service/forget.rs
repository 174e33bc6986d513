//! What is over is forgotten: requests that were answered long enough ago, sessions that have ended by themselves, and failed
//! sign-ins that no longer count.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::task::{self, HasTask, Running};
use crate::clock::{Clock, Timestamp};
use crate::store::{KeyStore, StateStore, StoreError};

/// How often what is over is forgotten.
const INTERVAL: Duration = Duration::from_mins(10);

/// Forgets what is over, in a task of its own from when there can be any of it.
pub(super) struct Forgetter {
    keys: Arc<dyn KeyStore>,
    states: Option<Arc<dyn StateStore>>,
    clock: Arc<dyn Clock>,
    /// For how long requests are known again.
    remembered: Duration,
    task: Running,
    needed: AtomicBool,
}

impl Forgetter {
    pub(super) fn new(
        keys: Arc<dyn KeyStore>,
        states: Option<Arc<dyn StateStore>>,
        clock: Arc<dyn Clock>,
        remembered: Duration,
    ) -> Self {
        Self {
            keys,
            states,
            clock,
            remembered,
            task: Running::default(),
            needed: AtomicBool::new(false),
        }
    }

    /// Starts the task that forgets, when none runs ([`task::ensure_running`]).
    pub(super) fn ensure_running(self: &Arc<Self>) {
        self.needed.store(true, Ordering::Relaxed);
        task::ensure_running(self, |served| async move {
            loop {
                tokio::time::sleep(INTERVAL).await;
                let Some(forgetter) = served.get() else {
                    return;
                };
                if let Err(error) = forgetter.forget().await {
                    tracing::warn!(%error, "what is over could not be forgotten; it is tried again");
                }
            }
        });
    }

    /// Forgets now, if there can be anything that is this node's.
    pub(super) async fn forget_if_needed(&self) -> Result<(), StoreError> {
        if self.needed.load(Ordering::Relaxed) {
            self.forget().await?;
        }
        Ok(())
    }

    /// Forgets now.
    pub(super) async fn forget(&self) -> Result<(), StoreError> {
        let since = self.remembered_since();
        self.keys.forget_idempotency(since).await?;
        if let Some(states) = &self.states {
            states.forget_states(self.clock.now()).await?;
        }
        Ok(())
    }

    /// Since when requests are known.
    pub(super) fn remembered_since(&self) -> Timestamp {
        let span = i64::try_from(self.remembered.as_micros()).unwrap_or(i64::MAX);
        let since = self.clock.now().as_micros().saturating_sub(span);
        Timestamp::from_micros(since).unwrap_or(Timestamp::EPOCH)
    }
}

impl HasTask for Forgetter {
    fn running(&self) -> &Running {
        &self.task
    }
}

impl fmt::Debug for Forgetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forgetter")
            .field("remembered", &self.remembered)
            .finish_non_exhaustive()
    }
}
