//! Mail by SMTP (RFC 5321), over TLS.

use std::fmt;
use std::net::IpAddr;
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use lettre::address::AddressError;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use percent_encoding::percent_decode_str;
use url::Url;

use super::{MailError, Mailer, Message, Sender};
use crate::account::Email;
use crate::secret::Password;

/// How long one answer of the server is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a message may take altogether.
const WHOLE: Duration = Duration::from_secs(25);

/// Hands mail to an SMTP server, over TLS by rustls on the roots of Mozilla's list (`webpki-roots`).
///
/// | URL | how |
/// | --- | --- |
/// | `smtps://user:password@host` | TLS from the first byte; port 465 (RFC 8314) |
/// | `smtp://user:password@host` | STARTTLS, without which nothing is sent; port 587 |
/// | `smtp://localhost:1025?tls=none` | in plain, on this machine alone, and with no password |
///
/// `user` and `password` are percent-encoded. Each message has a connection of its own. An answer is waited for 10 seconds, a
/// message takes 25 at most.
pub struct SmtpMailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    sender: Sender,
    answers_within: Duration,
    server: String,
}

impl SmtpMailer {
    /// Hands mail to the server at this URL. Connects to nothing yet.
    ///
    /// # Errors
    /// [`InvalidSmtpUrl`] when it is none of the above.
    pub fn new(url: &Password, sender: Sender) -> Result<Self, InvalidSmtpUrl> {
        let server = Server::parse(url.expose())?;
        let helo = sender.address().canonical().as_str();
        let helo = helo.rsplit_once('@').map_or(helo, |(_, domain)| domain);
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host)
            .port(server.port)
            .hello_name(ClientId::Domain(helo.to_owned()))
            .timeout(Some(PATIENCE));
        let tls = || TlsParameters::new(server.host.clone()).map_err(|_| InvalidSmtpUrl::Host);
        builder = match server.security {
            Security::Tls => builder.tls(Tls::Wrapper(tls()?)),
            Security::StartTls => builder.tls(Tls::Required(tls()?)),
            Security::None => builder.tls(Tls::None),
        };
        if let Some((user, password)) = server.credentials {
            builder = builder.credentials(Credentials::new(user, password));
        }
        Ok(Self {
            transport: builder.build(),
            sender,
            answers_within: WHOLE,
            server: server.host,
        })
    }

    fn letter(&self, message: &Message) -> Result<lettre::Message, MailError> {
        let from = Mailbox::new(
            self.sender.name().map(str::to_owned),
            address(self.sender.address())?,
        );
        let domain = from.email.domain();
        let id = format!("<{}@{domain}>", message.id);
        let micros = u64::try_from(message.written_at.as_micros()).unwrap_or_default();
        lettre::Message::builder()
            .to(Mailbox::new(None, address(&message.to)?))
            .from(from)
            .subject(message.subject())
            .date(UNIX_EPOCH + Duration::from_micros(micros))
            .message_id(Some(id))
            .header(ContentType::TEXT_PLAIN)
            .body(message.text().to_string())
            .map_err(|_| MailError::for_good("the message could not be put together"))
    }
}

/// The library's own type checks it once more: a line break would begin another command or header.
fn address(email: &Email) -> Result<lettre::Address, MailError> {
    let parsed = email.to_deliver().parse();
    parsed.map_err(|_: AddressError| MailError::for_good("the address is none for SMTP"))
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, message: &Message) -> Result<(), MailError> {
        let sending = self.transport.send(self.letter(message)?);
        match tokio::time::timeout(self.answers_within, sending).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(told(&error)),
            Err(_) => Err(MailError::for_now("the server took too long")),
        }
    }
}

/// What a server says may name the address, so of it the code alone is told.
fn told(error: &SmtpError) -> MailError {
    let what = if let Some(code) = error.status() {
        format!("the server answered {code}")
    } else if error.is_timeout() {
        "the server did not answer in time".to_owned()
    } else if error.is_tls() {
        "no TLS with the server, or none that is good".to_owned()
    } else if error.is_client() {
        "the server does not offer what is needed: STARTTLS, a way to sign in, or addresses of all scripts".to_owned()
    } else {
        "the server cannot be reached, or does not speak SMTP".to_owned()
    };
    if error.is_permanent() {
        MailError::for_good(what)
    } else {
        MailError::for_now(what)
    }
}

/// The password is in the transport: none of it is shown.
impl fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpMailer")
            .field("server", &self.server)
            .field("sender", &self.sender)
            .finish_non_exhaustive()
    }
}

enum Security {
    Tls,
    StartTls,
    None,
}

struct Server {
    host: String,
    port: u16,
    security: Security,
    credentials: Option<(String, String)>,
}

impl Server {
    fn parse(text: &str) -> Result<Self, InvalidSmtpUrl> {
        let url = Url::parse(text).map_err(|_| InvalidSmtpUrl::Form)?;
        let plain = match url.query() {
            None => false,
            Some("tls=none") => true,
            Some(_) => return Err(InvalidSmtpUrl::Form),
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(InvalidSmtpUrl::Form);
        }
        let (security, port) = match (url.scheme(), plain) {
            ("smtps", false) => (Security::Tls, 465),
            ("smtp", false) => (Security::StartTls, 587),
            ("smtp", true) => (Security::None, 25),
            _ => return Err(InvalidSmtpUrl::Form),
        };
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or(InvalidSmtpUrl::Host)?;
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            ("", Some(_)) | (_, None) => return Err(InvalidSmtpUrl::Credentials),
            (user, Some(password)) => Some((decoded(user)?, decoded(password)?)),
        };
        if plain && (credentials.is_some() || !is_this_machine(&host)) {
            return Err(InvalidSmtpUrl::Plain);
        }
        Ok(Self {
            host,
            port: url.port().unwrap_or(port),
            security,
            credentials,
        })
    }
}

fn decoded(text: &str) -> Result<String, InvalidSmtpUrl> {
    let decoded = percent_decode_str(text).decode_utf8();
    let decoded = decoded.map_err(|_| InvalidSmtpUrl::Credentials)?;
    Ok(decoded.into_owned())
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|host| host.is_loopback())
}

/// The text is no URL of an SMTP server that mail would be safe with. Nothing of it is shown: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidSmtpUrl {
    /// It is not of a form that is known.
    Form,
    /// Its host is none.
    Host,
    /// There is a user without a password, or a password without a user.
    Credentials,
    /// It asks for mail in plain to another machine, or with a password.
    Plain,
}

impl fmt::Display for InvalidSmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => {
                "not the URL of an SMTP server: expected smtps://user:password@host or smtp://user:password@host (with \
                 STARTTLS), with a port if need be, or smtp://localhost:1025?tls=none"
            }
            Self::Host => "the URL of the SMTP server has no host that TLS can be made with",
            Self::Credentials => {
                "the URL of the SMTP server has a user or a password alone, or one that is not percent-encoded UTF-8"
            }
            Self::Plain => {
                "tls=none is for an SMTP server on this machine (localhost) that asks for no password: elsewhere everybody on \
                 the way would read the mail"
            }
        })
    }
}

impl std::error::Error for InvalidSmtpUrl {}

#[cfg(test)]
mod tests;
