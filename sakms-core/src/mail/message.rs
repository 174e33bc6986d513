//! What is told to whom, and in which words.

use std::fmt::Write as _;
use std::time::Duration;

use zeroize::Zeroizing;

use super::link::LinkTemplate;
use super::sender::ServiceName;
use crate::account::Email;
use crate::clock::Timestamp;
use crate::id::MessageId;
use crate::secret::{MailedCode, MailedLink};

/// Why somebody is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// Somebody asked to reset their password: with a code.
    ResetPassword,
    /// Somebody registered with their address: with a code.
    ConfirmAddress,
    /// Somebody registered with their address, and they have an account.
    AlreadyRegistered,
    /// Their password was reset.
    PasswordChanged,
}

/// A mail that is to be sent.
///
/// ```compile_fail,E0599
/// # use sakms_core::mail::Message;
/// fn copy(message: &Message) -> Message { message.clone() }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Message {
    /// Names it, however often it is tried.
    pub id: MessageId,
    /// To whom.
    pub to: Email,
    /// Why.
    pub purpose: Purpose,
    /// When it was written.
    pub written_at: Timestamp,
    /// When its code ends, if it has one.
    pub expires_at: Option<Timestamp>,
    service: Option<ServiceName>,
    code: Option<MailedCode>,
    link: Option<MailedLink>,
}

/// The code of a message, what makes a link of it, and when it ends.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) code: MailedCode,
    pub(crate) link: Option<&'a LinkTemplate>,
    pub(crate) expires_at: Timestamp,
}

impl Message {
    /// A message without a code.
    pub(crate) const fn new(
        id: MessageId,
        to: Email,
        purpose: Purpose,
        written_at: Timestamp,
        service: Option<ServiceName>,
    ) -> Self {
        Self {
            id,
            to,
            purpose,
            written_at,
            expires_at: None,
            service,
            code: None,
            link: None,
        }
    }

    /// The same with a code.
    pub(crate) fn with(mut self, draft: Draft<'_>) -> Self {
        self.link = draft.link.map(|template| template.with(&draft.code));
        self.code = Some(draft.code);
        self.expires_at = Some(draft.expires_at);
        self
    }

    /// Another message in its place, to somebody.
    pub(crate) fn told_instead(mut self, purpose: Purpose, to: Email) -> Self {
        self.purpose = purpose;
        self.to = to;
        self
    }

    /// The code, for who writes words of their own.
    #[must_use]
    pub const fn code(&self) -> Option<&MailedCode> {
        self.code.as_ref()
    }

    /// The link with the code, where the host has set up how one looks.
    #[must_use]
    pub const fn link(&self) -> Option<&MailedLink> {
        self.link.as_ref()
    }

    /// For how long the code is good from when it was written.
    #[must_use]
    pub fn good_for(&self) -> Option<Duration> {
        self.expires_at.map(|end| end.since(self.written_at))
    }

    /// A subject: one line without a code or an address.
    #[must_use]
    pub fn subject(&self) -> String {
        let words = match self.purpose {
            Purpose::ResetPassword => "Reset your password",
            Purpose::ConfirmAddress => "Confirm your e-mail address",
            Purpose::AlreadyRegistered => "You have an account already",
            Purpose::PasswordChanged => "Your password was changed",
        };
        match &self.service {
            Some(service) => format!("{}: {words}", service.as_str()),
            None => words.to_owned(),
        }
    }

    /// What it says: plain text, with lines that end in `\n`. It holds the code.
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        // A text that grows would leave copies of the code behind.
        let mut text = Zeroizing::new(String::with_capacity(2_048));
        let account = self.service.as_ref().map_or_else(
            || "an account".to_owned(),
            |name| format!("an account of {}", name.as_str()),
        );
        match self.purpose {
            Purpose::ResetPassword => {
                text.push_str(
                    "Somebody asked to reset the password of the account with this address.\n\n",
                );
                self.offer(&mut text, "To choose another password");
                text.push_str("If it was not you, do nothing: your password stays as it is.\n");
            }
            Purpose::ConfirmAddress => {
                // Writing to a text cannot fail.
                let _ = write!(text, "Somebody asked for {account} with this address.\n\n");
                self.offer(
                    &mut text,
                    "To confirm that it was you, and have the account made",
                );
                text.push_str("If it was not you, do nothing: without that there is no account.\n");
            }
            Purpose::AlreadyRegistered => {
                // Writing to a text cannot fail.
                let _ = write!(
                    text,
                    "Somebody asked for {account} with this address, and you have one already.\n\n"
                );
                text.push_str("If it was you, sign in, or reset your password. If not, do nothing: nothing was changed.\n");
            }
            Purpose::PasswordChanged => {
                text.push_str("The password of your account was reset by a code that was sent to this address, and all that were \
                               signed in have been signed out.\n\n");
                text.push_str("If it was not you, reset your password now, and see who else reads your mail.\n");
            }
        }
        text
    }

    fn offer(&self, text: &mut String, to_do_what: &str) {
        let (how, what) = match (&self.link, &self.code) {
            (Some(link), _) => ("open this link", link.expose()),
            (None, Some(code)) => ("enter this code", code.expose()),
            (None, None) => return,
        };
        let minutes = self.good_for().unwrap_or_default().as_secs() / 60;
        // Writing to a text cannot fail.
        let _ = write!(
            text,
            "{to_do_what}, {how}:\n\n    {what}\n\nIt is good for {minutes} minutes, and once.\n\n"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(purpose: Purpose, name: Option<&str>) -> Message {
        let to = Email::parse("Ada@example.com").unwrap();
        let name = name.map(|name| name.parse().unwrap());
        let id = MessageId::from_bytes([1; 16]);
        Message::new(id, to, purpose, Timestamp::EPOCH, name)
    }

    fn draft(link: Option<&LinkTemplate>) -> Draft<'_> {
        Draft {
            code: MailedCode::new("canary".to_owned()),
            link,
            expires_at: Timestamp::EPOCH
                .checked_add(Duration::from_mins(30))
                .unwrap(),
        }
    }

    #[test]
    fn a_code_is_in_the_text_and_nowhere_else() {
        for purpose in [Purpose::ResetPassword, Purpose::ConfirmAddress] {
            let template: LinkTemplate = "https://a.example/#{code}".parse().unwrap();
            let bare = message(purpose, None).with(draft(None));
            let linked = message(purpose, Some("Acme")).with(draft(Some(&template)));
            assert!(bare.text().contains("enter this code:\n\n    canary\n"));
            assert!(linked.text().contains("\n    https://a.example/#canary\n"));
            for message in [bare, linked] {
                assert!(message.text().contains("good for 30 minutes"));
                assert!(!message.subject().contains("canary"));
                let printed = format!("{message:?}");
                assert!(!printed.contains("canary"), "{printed}");
                assert!(!printed.contains("example.com"), "{printed}");
            }
        }
    }

    #[test]
    fn a_subject_is_one_line_and_names_the_service() {
        for purpose in [Purpose::AlreadyRegistered, Purpose::PasswordChanged] {
            let subject = message(purpose, Some("Acme")).subject();
            assert!(subject.starts_with("Acme: You"), "{subject}");
            assert!(!subject.chars().any(char::is_control));
            assert!(message(purpose, None).text().is_ascii());
        }
    }
}
