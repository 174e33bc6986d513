//! Mail as files, for development.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use zeroize::Zeroizing;

use super::{MailError, Mailer, Message, Sender};

/// Writes each message into a file of its own (`<milliseconds>-<id>.eml`, RFC 5322) that only its owner may read. For
/// development: whoever reads the folder can reset every password.
#[derive(Debug)]
pub struct FileMailer {
    folder: PathBuf,
    sender: Sender,
}

impl FileMailer {
    /// Writes into this folder, which is made if it is not there.
    ///
    /// # Errors
    /// [`io::Error`] when it is no folder and cannot be made.
    pub fn new(folder: impl Into<PathBuf>, sender: Sender) -> io::Result<Self> {
        let folder = folder.into();
        make_folder(&folder)?;
        Ok(Self { folder, sender })
    }
}

#[async_trait]
impl Mailer for FileMailer {
    async fn send(&self, message: &Message) -> Result<(), MailError> {
        let millis = message.written_at.as_micros() / 1_000;
        let name = format!("{millis:015}-{}.eml", message.id);
        let (folder, text) = (self.folder.clone(), rendered(message, &self.sender));
        let written = tokio::task::spawn_blocking(move || write(&folder, &name, text.as_bytes()));
        match written.await {
            Ok(written) => written.map_err(MailError::for_now),
            Err(error) => Err(MailError::for_now(error)),
        }
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Whoever waits for a file sees it whole or not at all.
fn write(folder: &Path, name: &str, text: &[u8]) -> io::Result<()> {
    let unfinished = folder.join(format!(".{name}"));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(unfinished, folder.join(name))
}

/// No value here can hold a line break: their types refuse it.
fn rendered(message: &Message, sender: &Sender) -> Zeroizing<String> {
    let from = sender.address().to_deliver();
    let domain = from
        .rsplit_once('@')
        .map_or("localhost", |(_, domain)| domain);
    let from = match sender.name() {
        Some(name) => format!("\"{name}\" <{from}>"),
        None => from.clone(),
    };
    let at = OffsetDateTime::from_unix_timestamp(message.written_at.as_secs());
    let date = at.ok().and_then(|at| at.format(&Rfc2822).ok());
    let text = message.text();
    let head = format!(
        "From: {from}\r\nTo: {to}\r\nSubject: {subject}\r\nDate: {date}\r\nMessage-ID: <{id}@{domain}>\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n",
        to = message.to.to_deliver(),
        subject = message.subject(),
        date = date.unwrap_or_default(),
        id = message.id,
    );
    let mut whole = Zeroizing::new(String::with_capacity(head.len() + text.len() * 2));
    whole.push_str(&head);
    for line in text.lines() {
        whole.push_str(line);
        whole.push_str("\r\n");
    }
    whole
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::account::Email;
    use crate::clock::Timestamp;
    use crate::id::MessageId;
    use crate::mail::{Draft, Purpose};
    use crate::secret::MailedCode;

    fn message() -> Message {
        let to = Email::parse("Ada@Bücher.example").unwrap();
        let id = MessageId::from_bytes([1; 16]);
        let written = Timestamp::parse("2026-11-22T20:05:34.5Z").unwrap();
        let message = Message::new(id, to, Purpose::ResetPassword, written, None);
        message.with(Draft {
            code: MailedCode::new("canary".to_owned()),
            link: None,
            expires_at: written.checked_add(Duration::from_mins(30)).unwrap(),
        })
    }

    #[tokio::test]
    async fn a_message_is_one_file_that_its_owner_reads() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("mail");
        let sender = "Acme <no-reply@acme.example>".parse().unwrap();
        let mailer = FileMailer::new(&folder, sender).unwrap();
        // Tried again, it is the same file.
        for _ in 0..2 {
            mailer.send(&message()).await.unwrap();
        }
        let files: Vec<_> = fs::read_dir(&folder).unwrap().collect();
        assert_eq!(files.len(), 1);
        let file = files[0].as_ref().unwrap();
        let text = fs::read_to_string(file.path()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let wanted = "From: \"Acme\" <no-reply@acme.example>\r\nTo: Ada@xn--bcher-kva.example\r\nSubject: Reset your password\r\n\
                      Date: Sun, 22 Nov 2026 20:05:34 +0000\r\n\
                      Message-ID: <01010101-0101-0101-0101-010101010101@acme.example>\r\n";
        assert!(head.starts_with(wanted), "{head}");
        assert!(body.contains("\r\n    canary\r\n"), "{body}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&folder), mode(&file.path())), (0o700, 0o600));
        }
    }

    #[tokio::test]
    async fn a_folder_that_is_gone_is_worth_another_try() {
        let folder = tempfile::tempdir().unwrap();
        let sender = "no-reply@acme.example".parse().unwrap();
        let mailer = FileMailer::new(folder.path(), sender).unwrap();
        drop(folder);
        let error = mailer.send(&message()).await.unwrap_err();
        assert!(error.is_worth_another_try());
    }
}
