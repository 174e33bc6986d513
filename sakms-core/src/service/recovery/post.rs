//! Mail that goes out behind the requests.
//!
//! A request puts what is to be done into a bounded queue and answers. One task does it, in order: it looks whether the account
//! is disabled, keeps the code, and hands the message to the mailer. What fails is tried again, with pauses that grow, and
//! given up in the end. So what a request answers, and when, does not tell whether there is an account; and a code is kept only
//! for a message that this process still has to send: they are lost together, and asked for again together.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::clock::Clock;
use crate::journal::JournalEntry;
use crate::key::Owner;
use crate::mail::{Mailer, Message};
use crate::service::error::Error;
use crate::service::tally::{Count, Tally};
use crate::service::task::{self, HasTask, Running};
use crate::store::{KeyStore, StateKind, StateRecord, StateStore, StoreError, StoreErrorKind};

/// How many messages wait at most.
const ROOM: usize = 1_000;
/// How often a message is tried.
const TRIES: u32 = 6;
/// The pause after the first try; each is four times as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// How long a mailer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a flush takes at most.
const FLUSH: Duration = Duration::from_secs(10);
/// How many codes an account has that are good, at most. While it has, it is sent no more.
const MOST_CODES: usize = 3;

/// Where messages wait, and what they are sent with.
pub(in crate::service) struct Post {
    mailer: Arc<dyn Mailer>,
    keys: Arc<dyn KeyStore>,
    states: Arc<dyn StateStore>,
    clock: Arc<dyn Clock>,
    tally: Arc<Tally>,
    queue: Mutex<VecDeque<Job>>,
    /// One message at a time, whoever sends it.
    working: tokio::sync::Mutex<()>,
    task: Running,
    wake: Arc<Notify>,
}

/// A message, and what has to be so before it is sent.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) message: Message,
    /// Whose it is. Who is disabled gets none.
    pub(super) owner: Option<Owner>,
    /// The code to keep first, and what the journal says of it.
    pub(super) keeps: Option<(StateRecord, Option<JournalEntry>)>,
}

/// What waits; nothing, where nobody is to be written to and nobody is to notice.
#[derive(Debug)]
struct Job {
    letter: Option<Box<Letter>>,
    tries: u32,
    due: Duration,
}

/// What became of a try.
enum Outcome {
    Over,
    Again,
}

impl Post {
    pub(in crate::service) fn new(
        mailer: Arc<dyn Mailer>,
        keys: Arc<dyn KeyStore>,
        states: Arc<dyn StateStore>,
        clock: Arc<dyn Clock>,
        tally: Arc<Tally>,
    ) -> Self {
        Self {
            mailer,
            keys,
            states,
            clock,
            tally,
            queue: Mutex::default(),
            working: tokio::sync::Mutex::default(),
            task: Running::default(),
            wake: Arc::default(),
        }
    }

    /// Holds that there is room, before anything is done for a message.
    ///
    /// # Errors
    /// [`Error::Overloaded`] when there is none.
    pub(super) fn has_room(&self) -> Result<(), Error> {
        if self.queue().len() < ROOM {
            return Ok(());
        }
        self.tally.add(Count::MailRefused);
        Err(Error::Overloaded)
    }

    /// Takes a message over, or a blank in place of one: both are one place of the queue, so that how full it is tells nothing.
    pub(super) fn take(self: &Arc<Self>, letter: Option<Letter>) {
        let job = Job {
            letter: letter.map(Box::new),
            tries: 0,
            due: Duration::ZERO,
        };
        {
            let mut queue = self.queue();
            if queue.len() >= ROOM {
                drop(queue);
                // Others were faster since there was room. Whoever asked hears nothing of it, for it is not known whether it
                // was a blank; they ask again.
                self.tally.add(Count::MailRefused);
                return;
            }
            queue.push_back(job);
        }
        self.wake.notify_one();
        let wake = Arc::clone(&self.wake);
        task::ensure_running(self, |served| async move {
            loop {
                let Some(post) = served.get() else {
                    return;
                };
                let next = post.work().await;
                drop(post);
                match next {
                    None => wake.notified().await,
                    // A clock that is set by hand says nothing of when to look again.
                    Some(wait) => {
                        let wait = wait.clamp(Duration::from_millis(20), Duration::from_secs(1));
                        let _ = tokio::time::timeout(wait, wake.notified()).await;
                    }
                }
            }
        });
    }

    /// How many messages wait.
    pub(in crate::service) fn waiting(&self) -> usize {
        self.queue().len()
    }

    /// Tries whatever waits once, due or not, for ten seconds at most.
    pub(in crate::service) async fn flush(&self) {
        let all = async {
            for _ in 0..self.waiting() {
                let _one_at_a_time = self.working.lock().await;
                let Some(job) = self.first(|_| true) else {
                    return;
                };
                self.attempt(job).await;
            }
            // One that was being sent already is waited for too.
            drop(self.working.lock().await);
        };
        let in_time = tokio::time::timeout(FLUSH, all).await;
        let waiting = self.waiting();
        if in_time.is_err() || waiting > 0 {
            tracing::warn!(
                waiting,
                "mail could not be sent; it is tried again while this process lives"
            );
        }
    }

    /// Sends what is due, and says how long it is until something else is.
    async fn work(&self) -> Option<Duration> {
        loop {
            let working = self.working.lock().await;
            let now = self.clock.elapsed();
            let Some(job) = self.first(|job| job.due <= now) else {
                let due = self.queue().iter().map(|job| job.due).min();
                return due.map(|due| due.saturating_sub(now));
            };
            self.attempt(job).await;
            drop(working);
        }
    }

    fn first(&self, wanted: impl Fn(&Job) -> bool) -> Option<Taken<'_>> {
        let mut queue = self.queue();
        let place = queue.iter().position(wanted)?;
        let job = queue.remove(place);
        Some(Taken { post: self, job })
    }

    async fn attempt(&self, mut taken: Taken<'_>) {
        let Some(job) = &mut taken.job else { return };
        let outcome = match &mut job.letter {
            None => Outcome::Over,
            Some(letter) => self.send(letter).await,
        };
        job.tries += 1;
        if matches!(outcome, Outcome::Again) && job.tries < TRIES {
            self.tally.add(Count::MailRetried);
            let pause = FIRST_PAUSE * 4_u32.pow(job.tries - 1);
            job.due = self.clock.elapsed() + pause;
            return;
        }
        if matches!(outcome, Outcome::Again) {
            self.give_up("it was tried often enough");
        }
        taken.job = None;
    }

    async fn send(&self, letter: &mut Letter) -> Outcome {
        let is_over = |end| self.clock.now() >= end;
        if letter.message.expires_at.is_some_and(is_over) {
            self.give_up("its code has ended");
            return Outcome::Over;
        }
        match self.is_wanted(letter).await {
            Ok(true) => {}
            Ok(false) => return Outcome::Over,
            Err(error) => {
                tracing::warn!(%error, "mail has to wait for the store");
                return Outcome::Again;
            }
        }
        let sending = self.mailer.send(&letter.message);
        let id = letter.message.id;
        match tokio::time::timeout(PATIENCE, sending).await {
            Ok(Ok(())) => {
                self.tally.add(Count::MailSent);
                Outcome::Over
            }
            Ok(Err(error)) if error.is_worth_another_try() => {
                tracing::warn!(%error, message = %id, "mail could not be sent");
                Outcome::Again
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, message = %id, "mail cannot be sent");
                self.tally.add(Count::MailFailed);
                Outcome::Over
            }
            Err(_) => {
                tracing::warn!(message = %id, "mail could not be sent: the mailer did not answer in time");
                Outcome::Again
            }
        }
    }

    /// Whether a message is still to be sent. Its code is kept then.
    async fn is_wanted(&self, letter: &mut Letter) -> Result<bool, StoreError> {
        if let Some(owner) = &letter.owner
            && self.keys.owner_disabled_at(owner).await?.is_some()
        {
            return Ok(false);
        }
        let Some((record, entry)) = &letter.keeps else {
            return Ok(true);
        };
        if let Some(owner) = &letter.owner {
            let limit = StateRecord::MAX_LIMIT;
            let states = &self.states;
            let codes = states.states(StateKind::Code, Some(owner), limit).await?;
            let now = self.clock.now();
            // An earlier try may have kept this very one.
            let others = codes
                .iter()
                .filter(|code| now < code.expires_at && code.id != record.id);
            if others.count() >= MOST_CODES {
                return Ok(false);
            }
        }
        match self.states.insert_state(record, entry.as_ref()).await {
            Ok(()) => {}
            // An id of 256 random bits is there because an earlier try kept it, though its answer was lost.
            Err(error) if error.kind() == StoreErrorKind::Conflict => {}
            Err(error) => return Err(error),
        }
        letter.keeps = None;
        Ok(true)
    }

    fn give_up(&self, why: &'static str) {
        self.tally.add(Count::MailFailed);
        tracing::warn!(why, "mail was given up");
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<Job>> {
        // What is locked is whole, whoever panicked.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A job in hand. What is left of it when this is dropped waits again, also when whoever sent it went away.
struct Taken<'a> {
    post: &'a Post,
    job: Option<Job>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if let Some(job) = self.job.take() {
            self.post.queue().push_back(job);
        }
    }
}

impl HasTask for Post {
    fn running(&self) -> &Running {
        &self.task
    }
}

/// Its task waits for this.
impl Drop for Post {
    fn drop(&mut self) {
        self.wake.notify_one();
    }
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post")
            .field("mailer", &self.mailer)
            .field("waiting", &self.waiting())
            .finish_non_exhaustive()
    }
}
