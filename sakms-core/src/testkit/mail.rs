//! Mail that goes nowhere.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::mail::{MailError, Mailer, Message, Purpose};

/// Keeps what it is given to send, or fails on demand. A clone is another handle to the same.
#[derive(Debug, Clone, Default)]
pub struct Mailbox(Arc<Mutex<Inside>>);

#[derive(Debug, Default)]
struct Inside {
    received: Vec<Received>,
    failing: VecDeque<Failure>,
    tries: usize,
}

/// How sending goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// It may go well another time.
    ForNow,
    /// It never will.
    ForGood,
}

/// A message that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Received {
    /// To whom.
    pub to: String,
    /// Why.
    pub purpose: Purpose,
    /// The code, if there is one.
    pub code: Option<String>,
    /// What it says.
    pub text: String,
}

impl Mailbox {
    /// All that was sent to an address, the oldest first.
    #[must_use]
    pub fn sent_to(&self, email: &str) -> Vec<Received> {
        let inside = self.inside();
        let all = inside.received.iter();
        all.filter(|mail| mail.to == email).cloned().collect()
    }

    /// How often something was tried to send.
    #[must_use]
    pub fn tries(&self) -> usize {
        self.inside().tries
    }

    /// The next tries fail so, one after the other.
    pub fn fail_next(&self, failures: impl IntoIterator<Item = Failure>) {
        self.inside().failing.extend(failures);
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Mailer for Mailbox {
    async fn send(&self, message: &Message) -> Result<(), MailError> {
        let mut inside = self.inside();
        inside.tries += 1;
        match inside.failing.pop_front() {
            Some(Failure::ForNow) => Err(MailError::for_now("an injected fault")),
            Some(Failure::ForGood) => Err(MailError::for_good("an injected fault")),
            None => {
                inside.received.push(Received {
                    to: message.to.to_deliver(),
                    purpose: message.purpose,
                    code: message.code().map(|code| code.expose().to_owned()),
                    text: message.text().to_string(),
                });
                Ok(())
            }
        }
    }
}
