//! Where connections live.

use std::future::{Future, poll_fn};
use std::pin::pin;

use tokio::runtime::Handle;

/// The runtime that connections belong to: the one the store was made in, whoever asks for them.
///
/// A socket is bound to the runtime it was opened in and dies with it. Under actix-web each worker has a runtime of its
/// own, and they end before the service stores its last counts.
#[derive(Clone)]
pub(super) struct Home(Option<Handle>);

impl Home {
    /// The runtime of whoever calls; without one, connections live where they are asked for.
    pub(super) fn here() -> Self {
        Self(Handle::try_current().ok())
    }

    /// What the future gives; the sockets and timers it makes belong to this runtime.
    pub(super) async fn host<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|context| {
            let _within = self.0.as_ref().map(Handle::enter);
            future.as_mut().poll(context)
        })
        .await
    }
}
