//! Mail to people: codes that reset a password or confirm an address, and notices.
//!
//! The service says *what* is to be told to whom ([`Message`]); a [`Mailer`] sends it. There is one that writes files
//! ([`FileMailer`], for development) and, with the feature `smtp`, one that hands mail to a server (`SmtpMailer`). A host that
//! has a mail service of its own implements [`Mailer`], and may write other words than [`Message::text`].
//!
//! Mail is sent behind the requests, one after the other, and tried again where that can help
//! ([`MailError::is_worth_another_try`]).

mod file;
mod link;
mod message;
mod sender;
#[cfg(feature = "smtp")]
mod smtp;

use std::error::Error as StdError;
use std::fmt;

use async_trait::async_trait;

pub use file::FileMailer;
pub use link::{InvalidLink, LinkTemplate};
pub(crate) use message::Draft;
pub use message::{Message, Purpose};
pub use sender::{InvalidSender, Sender, ServiceName};
#[cfg(feature = "smtp")]
pub use smtp::{InvalidSmtpUrl, SmtpMailer};

/// Who sends mail.
///
/// ```
/// # use sakms_core::mail::{MailError, Mailer, Message};
/// #[derive(Debug)]
/// struct Relay;
///
/// #[async_trait::async_trait]
/// impl Mailer for Relay {
///     async fn send(&self, message: &Message) -> Result<(), MailError> {
///         let (to, subject, text) = (message.to.to_deliver(), message.subject(), message.text());
///         // Hand it to whoever sends your mail; `message.id` is the same when it is tried again.
/// #       let _ = (to, subject, text);
///         Ok(())
///     }
/// }
/// ```
#[async_trait]
pub trait Mailer: fmt::Debug + Send + Sync + 'static {
    /// Sends a message, or hands it to whoever does. Whoever calls waits for half a minute and takes it to have failed then.
    ///
    /// What it says is for its reader alone: it must not be logged.
    ///
    /// # Errors
    /// [`MailError`] when it was not sent, as far as is known.
    async fn send(&self, message: &Message) -> Result<(), MailError>;
}

/// A message was not sent. The text is for the log; it must name neither an address nor a code.
#[derive(Debug)]
pub struct MailError {
    again: bool,
    source: Box<dyn StdError + Send + Sync>,
}

impl MailError {
    /// It may go well another time: a server is away, or too busy.
    pub fn for_now(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let (again, source) = (true, source.into());
        Self { again, source }
    }

    /// It will not go well, however often it is tried.
    pub fn for_good(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let (again, source) = (false, source.into());
        Self { again, source }
    }

    /// Whether trying again may help.
    #[must_use]
    pub const fn is_worth_another_try(&self) -> bool {
        self.again
    }
}

impl fmt::Display for MailError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the mail was not sent: {}", self.source)
    }
}

impl StdError for MailError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self.source.as_ref())
    }
}
