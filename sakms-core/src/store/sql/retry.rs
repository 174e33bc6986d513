//! Deadlines, second attempts, and commits whose outcome was lost: the one place that does any of it.
//!
//! What is tried again is always the whole: a transaction from its beginning, never a statement of it. Between
//! two attempts there is a pause, whose length comes from the id of what is written, so that two who got in each
//! other's way do not meet again, and a test sees the same pauses each time.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::time::Sleep;

use super::backend::{Backend, Lane, Session};
use super::fault::Failure;
use super::records;
use super::row::{Row, Value};
use super::texts;
use crate::clock::Stopwatch;
use crate::id::EntryId;
use crate::journal::JournalEntry;
use crate::store::{StoreError, StoreErrorKind};
use crate::telemetry;

/// How often something is tried again after the first time.
const RETRIES: u32 = 3;
/// The shortest pause before the first of them; it doubles each time.
const PAUSE: Duration = Duration::from_millis(8);

/// A moment after which nothing is waited for any more.
struct Deadline {
    span: Duration,
    alarm: Pin<Box<Sleep>>,
}

impl Deadline {
    fn after(span: Duration) -> Self {
        Self {
            span,
            alarm: Box::pin(tokio::time::sleep(span)),
        }
    }

    /// Does `work`, or drops it when the moment has come.
    async fn hold<T, E: Into<Failure>>(
        &mut self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Failure> {
        let mut work = pin!(work);
        poll_fn(|context| {
            if let Poll::Ready(result) = work.as_mut().poll(context) {
                return Poll::Ready(result.map_err(Into::into));
            }
            self.alarm
                .as_mut()
                .poll(context)
                .map(|()| Err(Failure::Late(self.span)))
        })
        .await
    }

    async fn pause(&mut self, attempt: u32, seed: u64) -> Result<(), Failure> {
        let base = PAUSE * 2_u32.saturating_pow(attempt);
        let spread = u64::try_from(base.as_micros()).unwrap_or(u64::MAX).max(1);
        let jitter = Duration::from_micros(seed.rotate_left(attempt * 16) % spread);
        self.hold::<(), Failure>(async {
            tokio::time::sleep(base + jitter).await;
            Ok(())
        })
        .await
    }
}

/// Reads rows with one statement.
pub(super) async fn read<B: Backend>(
    backend: &B,
    operation: &'static str,
    lane: Lane,
    text: &'static str,
    values: &[Value],
) -> Result<Vec<Row>, StoreError> {
    timed(
        operation,
        read_in_time(backend, operation, lane, text, values),
    )
    .await
}

async fn read_in_time<B: Backend>(
    backend: &B,
    operation: &'static str,
    lane: Lane,
    text: &'static str,
    values: &[Value],
) -> Result<Vec<Row>, StoreError> {
    let mut deadline = Deadline::after(backend.limits().of(lane));
    for attempt in 0.. {
        let answer = deadline.hold(async {
            let mut session = backend.session(lane).await?;
            session.fetch(text, values).await
        });
        let failure = match answer.await {
            Ok(rows) => return Ok(rows),
            Err(failure) => failure,
        };
        let last = attempt == RETRIES || !failure.fault::<B>().again;
        if last || deadline.pause(attempt, seed_of(values)).await.is_err() {
            return Err(failure.into_store_error::<B>(operation));
        }
    }
    Err(StoreError::new(StoreErrorKind::Unavailable, operation))
}

/// What a transaction does besides writing the journal. It may be done several times; only one of them counts.
pub(super) trait Change<S>: Sync {
    /// What it gives.
    type Output: Send;

    fn apply(&self, session: &mut S) -> impl Future<Output = Result<Self::Output, Failure>> + Send;
}

/// Makes a change and writes `entry` with it, in one transaction.
pub(super) async fn change<B: Backend, C: Change<B::Session>>(
    backend: &B,
    operation: &'static str,
    entry: Option<&JournalEntry>,
    change: &C,
) -> Result<C::Output, StoreError> {
    timed(operation, change_in_time(backend, operation, entry, change)).await
}

/// Makes a change of statements that stand each for itself, without a transaction around them and without an entry. Nothing
/// of it may be left to do again once one of them has changed something.
pub(super) async fn alone<B: Backend, C: Change<B::Session>>(
    backend: &B,
    operation: &'static str,
    lane: Lane,
    seed: &[Value],
    change: &C,
) -> Result<C::Output, StoreError> {
    timed(
        operation,
        alone_in_time(backend, operation, lane, seed, change),
    )
    .await
}

async fn alone_in_time<B: Backend, C: Change<B::Session>>(
    backend: &B,
    operation: &'static str,
    lane: Lane,
    seed: &[Value],
    change: &C,
) -> Result<C::Output, StoreError> {
    let mut deadline = Deadline::after(backend.limits().of(lane));
    for attempt in 0.. {
        let failure = match deadline.hold(backend.session(lane)).await {
            Ok(mut session) => match deadline.hold(change.apply(&mut session)).await {
                Ok(output) => return Ok(output),
                Err(failure) if failure.is_answer() => failure,
                Err(failure) => {
                    return Err(StoreError::new(StoreErrorKind::OutcomeUnknown, operation)
                        .because(failure.into_store_error::<B>(operation)));
                }
            },
            Err(failure) => failure,
        };
        let last = attempt == RETRIES || !failure.fault::<B>().again;
        if last || deadline.pause(attempt, seed_of(seed)).await.is_err() {
            return Err(failure.into_store_error::<B>(operation));
        }
    }
    Err(StoreError::new(StoreErrorKind::Unavailable, operation))
}

/// Measures an operation, its second attempts and pauses included: that is what its caller waits for.
async fn timed<T>(
    operation: &'static str,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let watch = Stopwatch::start();
    let outcome = work.await;
    telemetry::store_time(operation, watch.elapsed(), outcome.is_err());
    outcome
}

async fn change_in_time<B: Backend, C: Change<B::Session>>(
    backend: &B,
    operation: &'static str,
    entry: Option<&JournalEntry>,
    change: &C,
) -> Result<C::Output, StoreError> {
    let seed = entry.map_or(0, |entry| seed_of(&[entry.id.as_bytes().into()]));
    let mut deadline = Deadline::after(backend.limits().manage);
    for attempt in 0.. {
        let failure = match attempt_change(backend, &mut deadline, entry, change).await {
            Ok(output) => return Ok(output),
            Err(Attempt::Failed(failure)) => failure,
            Err(Attempt::Unknown(failure, output)) => {
                let found = match entry {
                    Some(entry) => settle(backend, entry.id).await,
                    None => None,
                };
                match found {
                    Some(true) => return Ok(output),
                    Some(false) => failure,
                    None => {
                        return Err(StoreError::new(StoreErrorKind::OutcomeUnknown, operation)
                            .because(failure.into_store_error::<B>(operation)));
                    }
                }
            }
        };
        let last = attempt == RETRIES || !failure.fault::<B>().again;
        if last || deadline.pause(attempt, seed).await.is_err() {
            return Err(failure.into_store_error::<B>(operation));
        }
        tracing::debug!(operation, attempt, ?failure, "a change is tried again");
    }
    Err(StoreError::new(StoreErrorKind::Unavailable, operation))
}

/// How an attempt at a change ended, when not well.
enum Attempt<T> {
    /// Nothing was committed.
    Failed(Failure),
    /// The commit was sent and its answer was lost. If it was committed, this is what it gave.
    Unknown(Failure, T),
}

impl<T> From<Failure> for Attempt<T> {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

async fn attempt_change<B: Backend, C: Change<B::Session>>(
    backend: &B,
    deadline: &mut Deadline,
    entry: Option<&JournalEntry>,
    change: &C,
) -> Result<C::Output, Attempt<C::Output>> {
    let mut session = deadline.hold(backend.session(Lane::Write)).await?;
    let prepared = deadline.hold(async {
        session.begin().await?;
        let output = change.apply(&mut session).await?;
        if let Some(entry) = entry {
            // Last, so that the head, which everybody needs, is locked for as short a time as can be.
            append::<B>(&mut session, entry).await?;
        }
        Ok::<_, Failure>(output)
    });
    let output = match prepared.await {
        Ok(output) => output,
        Err(failure) => {
            undo(deadline, &mut session).await;
            return Err(failure.into());
        }
    };
    match deadline.hold(session.commit()).await {
        Ok(()) => Ok(output),
        Err(failure) if failure.fault::<B>().undone => {
            undo(deadline, &mut session).await;
            Err(failure.into())
        }
        Err(failure) => Err(Attempt::Unknown(failure, output)),
    }
}

/// Undoes a transaction, so that its connection can be used again. Where that fails, dropping the session does it.
async fn undo<S: Session>(deadline: &mut Deadline, session: &mut S) {
    if let Err(failure) = deadline.hold(session.rollback()).await {
        tracing::debug!(
            ?failure,
            "a transaction is undone by giving up its connection"
        );
    }
}

/// Writes `entry` at the end of the journal. Locks the journal's head until the transaction ends.
async fn append<B: Backend>(session: &mut B::Session, entry: &JournalEntry) -> Result<(), Failure> {
    let head = session.fetch(B::LOCK_HEAD, &[]).await?.pop();
    let head = records::read_head(head.ok_or_else(Failure::no_tables)?)?;
    let row = head.append(entry.clone());
    let values = records::write_journal_row(&row)?;
    session.execute(texts::ADD_TO_JOURNAL, &values).await?;
    session.execute(B::INDEX_JOURNAL, &[]).await?;
    let values = [
        row.seq.get().into(),
        row.chain.as_bytes().into(),
        head.seq.get().into(),
    ];
    if session.execute(texts::MOVE_HEAD, &values).await? == 0 {
        return Err(Failure::is(StoreErrorKind::Internal));
    }
    Ok(())
}

/// Finds out whether the change with this entry was committed; `None` when it cannot be found out in time.
async fn settle<B: Backend>(backend: &B, entry: EntryId) -> Option<bool> {
    let values = [entry.as_bytes().into()];
    let mut deadline = Deadline::after(backend.limits().settle);
    for attempt in 0.. {
        let answer = deadline.hold(async {
            let mut session = backend.session(Lane::Write).await?;
            session.begin().await?;
            // A commit that is still under way holds the head: whoever has the lock sees what became of it.
            session.fetch(B::LOCK_HEAD, &[]).await?;
            let found = !session
                .fetch(texts::JOURNAL_ENTRY, &values)
                .await?
                .is_empty();
            session.rollback().await?;
            Ok::<_, sqlx::Error>(found)
        });
        match answer.await {
            Ok(found) => return Some(found),
            Err(failure) => tracing::debug!(?failure, "the outcome of a commit is not known yet"),
        }
        if deadline
            .pause(attempt.min(4), seed_of(&values))
            .await
            .is_err()
        {
            break;
        }
    }
    None
}

/// A number that differs from one piece of work to the next (FNV-1a over the bytes of its values).
fn seed_of(values: &[Value]) -> u64 {
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    values.iter().fold(0xcbf2_9ce4_8422_2325, |hash, value| {
        let number;
        let bytes = match value {
            Value::Null => &[][..],
            Value::Int(int) => {
                number = int.to_be_bytes();
                &number
            }
            Value::Bytes(bytes) => bytes,
            Value::Text(text) => text.as_bytes(),
        };
        bytes.iter().fold(hash, mix)
    })
}
