//! Databases whose calls keep the thread waiting.

use std::error::Error;

use super::StoreError;

/// Does `work` on a thread that may be kept waiting, by a disk say, and gives what comes of it.
///
/// For a store over a database that is not asynchronous: called where a request is served, that would keep all the
/// others waiting. Work that has begun is finished, even if nobody waits for it any more, so that a request which is given
/// up leaves no half. A panic within it is an error. Needs a Tokio runtime.
///
/// Where one can write at a time, wait for the turn before and hand its guard over to `work`: what was given up is then
/// done, or will never be, when the next one writes, and no threads are spent on waiting.
///
/// # Errors
/// What [`StoreError::within`] makes of the error.
pub async fn blocking<T: Send + 'static>(
    operation: &'static str,
    work: impl FnOnce() -> Result<T, Box<dyn Error + Send + Sync>> + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.unwrap_or_else(|panicked| Err(panicked.into()));
    done.map_err(|error| StoreError::within(operation, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreErrorKind;

    #[tokio::test]
    async fn what_comes_of_it_is_given() {
        assert_eq!(blocking("get", || Ok(7)).await.unwrap(), 7);
        let failed = blocking::<()>("update", || Err(StoreErrorKind::Stale.into())).await;
        let failed = failed.unwrap_err();
        assert_eq!(
            (failed.operation(), failed.kind()),
            ("update", StoreErrorKind::Stale)
        );
        let panicked = blocking::<()>("get", || panic!("within"))
            .await
            .unwrap_err();
        assert_eq!(panicked.kind(), StoreErrorKind::Internal);
    }

    #[tokio::test]
    async fn what_was_begun_is_finished() {
        let (began, has_begun) = tokio::sync::oneshot::channel();
        let (go_on, goes_on) = std::sync::mpsc::channel();
        let (ended, has_ended) = tokio::sync::oneshot::channel();
        let work = move || {
            let _ = began.send(());
            goes_on.recv()?;
            ended
                .send(())
                .map_err(|()| "nobody waits for the end".into())
        };
        let waiting = tokio::spawn(blocking("insert", work));
        has_begun.await.unwrap();
        waiting.abort();
        assert!(waiting.await.unwrap_err().is_cancelled());
        go_on.send(()).unwrap();
        has_ended.await.unwrap();
    }
}
