//! Against a server that speaks as much SMTP as is needed, and as badly as is wanted.

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;
use crate::clock::Timestamp;
use crate::id::MessageId;
use crate::mail::{Draft, Purpose};
use crate::secret::MailedCode;

/// What a server answers to a command that begins so; nothing, and it is silent from then on.
type Answers = &'static [(&'static str, Option<&'static str>)];

const WILLING: Answers = &[
    ("EHLO", Some("250-here\r\n250-8BITMIME\r\n250 SMTPUTF8")),
    ("MAIL", Some("250 yes")),
    ("RCPT", Some("250 yes")),
    ("DATA", Some("354 go on")),
    (".", Some("250 taken")),
    ("QUIT", Some("221 bye")),
];

/// Serves one connection and gives what it was sent, line by line.
async fn server(answers: Answers) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 here\r\n").await.unwrap();
        let (mut heard, mut in_data) = (Vec::new(), false);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return heard;
            }
            assert!(line.ends_with("\r\n"), "{line:?}");
            let line = line.trim_end().to_owned();
            heard.push(line.clone());
            if in_data && line != "." {
                continue;
            }
            let answer = answers.iter().find(|(word, _)| line.starts_with(word));
            let (_, answer) = answer.unwrap_or_else(|| panic!("{line}"));
            let Some(answer) = answer else {
                // Silent until the other end hangs up.
                while stream.read_line(&mut String::new()).await.unwrap_or(0) > 0 {}
                return heard;
            };
            in_data = line == "DATA" && answer.starts_with('3');
            stream
                .write_all(format!("{answer}\r\n").as_bytes())
                .await
                .unwrap();
        }
    });
    (port, served)
}

fn mailer(url: &str) -> Result<SmtpMailer, InvalidSmtpUrl> {
    let sender = "Bücher & Co. <no-reply@acme.example>".parse().unwrap();
    SmtpMailer::new(&Password::new(url.to_owned()), sender)
}

fn plain(port: u16) -> SmtpMailer {
    mailer(&format!("smtp://127.0.0.1:{port}?tls=none")).unwrap()
}

fn message(to: &str) -> Message {
    let written = Timestamp::parse("2026-11-22T20:05:34.5Z").unwrap();
    let (id, to) = (MessageId::from_bytes([1; 16]), Email::parse(to).unwrap());
    let name = Some("Bücher & Co.".parse().unwrap());
    Message::new(id, to, Purpose::ResetPassword, written, name).with(Draft {
        code: MailedCode::new("canary".to_owned()),
        link: None,
        expires_at: written.checked_add(Duration::from_mins(30)).unwrap(),
    })
}

#[tokio::test]
async fn a_message_is_handed_over() {
    let (port, served) = server(WILLING).await;
    plain(port).send(&message("Ada@example.com")).await.unwrap();
    let heard = served.await.unwrap();
    assert_eq!(heard[0], "EHLO acme.example");
    assert!(
        heard[1].starts_with("MAIL FROM:<no-reply@acme.example>"),
        "{heard:?}"
    );
    assert_eq!(heard[2], "RCPT TO:<Ada@example.com>");
    let data = &heard[4..];
    for line in [
        "To: Ada@example.com",
        "Date: Sun, 22 Nov 2026 20:05:34 +0000",
        "Message-ID: <01010101-0101-0101-0101-010101010101@acme.example>",
        "    canary",
    ] {
        assert!(data.iter().any(|found| found == line), "{line}: {data:?}");
    }
    assert!(
        data.iter()
            .any(|line| line.starts_with("Subject: =?utf-8?")),
        "{data:?}"
    );
}

#[tokio::test]
async fn an_address_of_any_script_is_one_address() {
    let (port, served) = server(WILLING).await;
    plain(port)
        .send(&message("josé@bücher.example"))
        .await
        .unwrap();
    let heard = served.await.unwrap();
    assert!(heard[1].contains("SMTPUTF8"), "{heard:?}");
    assert!(
        heard[2].starts_with("RCPT TO:<josé@xn--bcher-kva.example>"),
        "{heard:?}"
    );
}

#[test]
fn no_address_begins_another_command_or_header() {
    for evil in [
        "a@b.example\r\nRCPT TO:<eve@c.example>",
        "a\n@b.example",
        "a@b.example\r",
    ] {
        assert!(Email::parse(evil).is_err(), "{evil:?}");
        assert!(evil.parse::<Sender>().is_err(), "{evil:?}");
        assert!(evil.parse::<lettre::Address>().is_err(), "{evil:?}");
    }
}

#[tokio::test]
async fn a_refusal_says_whether_to_try_again_and_names_nobody() {
    const GONE: Answers = &[
        ("EHLO", Some("250 here")),
        ("MAIL", Some("250 yes")),
        ("RCPT", Some("550 5.1.1 <Ada@example.com> is unknown")),
        ("RSET", Some("250 yes")),
        ("QUIT", Some("221 bye")),
    ];
    const BUSY: Answers = &[
        ("EHLO", Some("250 here")),
        ("MAIL", Some("451 later, Ada@example.com")),
        ("RSET", Some("250 yes")),
        ("QUIT", Some("221 bye")),
    ];
    for (answers, code, again) in [(GONE, "550", false), (BUSY, "451", true)] {
        let (port, served) = server(answers).await;
        let error = plain(port)
            .send(&message("Ada@example.com"))
            .await
            .unwrap_err();
        assert_eq!(error.is_worth_another_try(), again);
        let said = format!("{error} {error:?}");
        assert!(
            said.contains(code) && !said.to_lowercase().contains("ada"),
            "{said}"
        );
        served.await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_is_silent_is_left() {
    const SILENT: Answers = &[("EHLO", None)];
    let (port, served) = server(SILENT).await;
    let mut mailer = plain(port);
    mailer.answers_within = Duration::from_millis(300);
    let error = mailer.send(&message("ada@example.com")).await.unwrap_err();
    assert!(error.is_worth_another_try());
    served.await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_away_is_worth_another_try() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = plain(port)
        .send(&message("ada@example.com"))
        .await
        .unwrap_err();
    assert!(error.is_worth_another_try());
}

/// Without STARTTLS no password, no address and no code leave this machine.
#[tokio::test]
async fn nothing_is_told_without_tls() {
    const OLD: Answers = &[
        ("EHLO", Some("250-here\r\n250 AUTH PLAIN LOGIN")),
        ("QUIT", Some("221 bye")),
    ];
    const REFUSING: Answers = &[
        (
            "EHLO",
            Some("250-here\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN"),
        ),
        ("STARTTLS", Some("454 not now")),
        ("QUIT", Some("221 bye")),
    ];
    for answers in [OLD, REFUSING] {
        let (port, served) = server(answers).await;
        let mailer = mailer(&format!("smtp://me:hush%40@localhost:{port}")).unwrap();
        mailer.send(&message("ada@example.com")).await.unwrap_err();
        drop(mailer);
        let heard = served.await.unwrap();
        let told = |line: &String| {
            !["EHLO", "STARTTLS", "QUIT"]
                .iter()
                .any(|word| line.starts_with(word))
        };
        assert!(!heard.iter().any(told), "{heard:?}");
    }
}

#[test]
fn urls_that_mail_is_not_safe_with_are_refused() {
    use InvalidSmtpUrl::{Credentials, Form, Host, Plain};
    for (url, wanted) in [
        ("smtps://me:hush@mail.example", None),
        ("smtps://mail.example:4465/", None),
        ("smtp://me:hush%2F@mail.example", None),
        ("smtp://localhost:1025?tls=none", None),
        ("smtp://[::1]:1025?tls=none", None),
        ("", Some(Form)),
        ("mail.example", Some(Form)),
        ("https://mail.example", Some(Form)),
        ("smtp://mail.example?tls=opportunistic", Some(Form)),
        ("smtps://localhost?tls=none", Some(Form)),
        ("smtp://mail.example/name", Some(Form)),
        ("smtp://mail.example#x", Some(Form)),
        ("smtp:", Some(Host)),
        ("smtp://me@mail.example", Some(Credentials)),
        ("smtp://:hush@mail.example", Some(Credentials)),
        ("smtp://me:%FF@mail.example", Some(Credentials)),
        ("smtp://mail.example?tls=none", Some(Plain)),
        ("smtp://me:hush@localhost?tls=none", Some(Plain)),
    ] {
        let found = mailer(url).err();
        assert_eq!(found, wanted, "{url}");
    }
    let mailer = mailer("smtps://canary:canary@mail.example").unwrap();
    assert!(!format!("{mailer:?}").contains("canary"));
}
