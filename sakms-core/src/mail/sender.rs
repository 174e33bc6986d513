//! Who mail is from, and what the service calls itself in it.

use std::fmt;
use std::str::FromStr;

use crate::account::Email;

/// Whom mail comes from: `no-reply@acme.example`, or `Acme <no-reply@acme.example>`.
#[derive(Clone, PartialEq, Eq)]
pub struct Sender {
    name: Option<ServiceName>,
    address: Email,
}

impl Sender {
    /// The name, if there is one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_ref().map(ServiceName::as_str)
    }

    /// The address.
    #[must_use]
    pub const fn address(&self) -> &Email {
        &self.address
    }
}

impl FromStr for Sender {
    type Err = InvalidSender;

    fn from_str(text: &str) -> Result<Self, InvalidSender> {
        let (name, address) = match text.strip_suffix('>').map(|rest| rest.split_once('<')) {
            Some(Some((name, address))) => (Some(name.trim_matches(' ').parse()?), address),
            Some(None) => return Err(InvalidSender),
            None => (None, text),
        };
        let address = Email::parse(address).map_err(|_| InvalidSender)?;
        Ok(Self { name, address })
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("name", &self.name)
            .field("address", &self.address.as_given())
            .finish()
    }
}

/// What a service calls itself in its mail: 1 to 64 letters, digits, spaces and `.,'&()+-`, of any script. Nothing that
/// could end a header or begin another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceName(String);

impl ServiceName {
    /// The most characters of a name.
    pub const MAX_CHARS: usize = 64;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ServiceName {
    type Err = InvalidSender;

    fn from_str(text: &str) -> Result<Self, InvalidSender> {
        let allowed = |letter: char| letter.is_alphanumeric() || " .,'&()+-".contains(letter);
        let is_one = !text.trim().is_empty()
            && text.chars().count() <= Self::MAX_CHARS
            && text.chars().all(allowed);
        is_one
            .then(|| Self(text.trim().to_owned()))
            .ok_or(InvalidSender)
    }
}

/// The text is no sender, or no name of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidSender;

impl fmt::Display for InvalidSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "not a sender of mail: expected name@domain.tld or Name <name@domain.tld>, the name of 1 to 64 letters, digits, \
             spaces and .,'&()+-",
        )
    }
}

impl std::error::Error for InvalidSender {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_has_an_address_and_may_have_a_name() {
        for (text, name, address) in [
            ("a@acme.example", None, "a@acme.example"),
            ("Acme <a@acme.example>", Some("Acme"), "a@acme.example"),
            (
                "Bücher & Co. <a@b.example>",
                Some("Bücher & Co."),
                "a@b.example",
            ),
        ] {
            let sender: Sender = text.parse().unwrap();
            assert_eq!(sender.name(), name);
            assert_eq!(sender.address().as_given(), address);
        }
    }

    #[test]
    fn nothing_in_a_sender_begins_another_header() {
        for bad in [
            "",
            "Acme",
            "<>",
            "<a@acme.example>",
            "a@acme.example>",
            "Acme <a@acme.example",
            "Acme <a@acme.example>\r\nBcc: eve@example.com",
            "Acme\r\nBcc: eve@example.com <a@acme.example>",
            "Acme\n <a@acme.example>",
            "Acme <a@acme.example\r\n>",
            "\"Acme\" <a@acme.example>",
            "Acme <a@acme.example> <b@acme.example>",
            "a@acme.example, b@acme.example",
            "A\u{202e}cme <a@acme.example>",
            "A:b <a@acme.example>",
        ] {
            assert_eq!(bad.parse::<Sender>(), Err(InvalidSender), "{bad:?}");
        }
        for bad in [
            "",
            " ",
            "a\rb",
            "a\nb",
            "a\0b",
            "a\u{2028}b",
            &"x".repeat(65),
        ] {
            assert_eq!(bad.parse::<ServiceName>(), Err(InvalidSender), "{bad:?}");
        }
    }
}
