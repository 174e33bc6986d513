//! Forgetting requests with an idempotency key. They are written down with what they make.

use super::backend::{Backend, Session};
use super::fault::Failure;
use super::retry::Change;
use crate::clock::Timestamp;

/// How many requests the statement forgets at most. As many as had piled up could take longer than a change may, and would
/// never be forgotten then.
const PORTION: u64 = 1000;

/// Forgets the oldest requests; gives whether there may be more.
pub(super) struct ForgetRequests {
    before: Timestamp,
    text: &'static str,
}

impl ForgetRequests {
    pub(super) const fn new<B: Backend>(before: Timestamp) -> Self {
        Self {
            before,
            text: B::FORGET_REQUESTS,
        }
    }
}

impl<S: Session> Change<S> for ForgetRequests {
    type Output = bool;

    async fn apply(&self, session: &mut S) -> Result<bool, Failure> {
        let forgotten = session.execute(self.text, &[self.before.into()]).await?;
        Ok(forgotten >= PORTION)
    }
}
