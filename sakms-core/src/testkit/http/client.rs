//! A client that sends what a case says, to the byte.
//!
//! It is plain on purpose: no connection is used twice unless a case says so, nothing is retried, followed or
//! corrected. What comes back is held to what every answer must keep, whatever the case is about.

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::time::timeout;

use super::answer::Answer;

/// How long an answer may take before the case fails.
const PATIENCE: Duration = Duration::from_mins(1);

/// Sends requests to one server, and remembers what no answer may repeat.
#[derive(Debug, Clone)]
pub struct Client {
    address: SocketAddr,
    secrets: Arc<Mutex<Vec<String>>>,
}

impl Client {
    /// A client of the server at `address`.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            secrets: Arc::default(),
        }
    }

    /// A request without headers of its own and without a body.
    #[must_use]
    pub fn request(&self, method: &str, target: &str) -> Request {
        Request {
            client: self.clone(),
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: Body::None,
            patience: PATIENCE,
        }
    }

    /// A GET.
    #[must_use]
    pub fn get(&self, target: &str) -> Request {
        self.request("GET", target)
    }

    /// A POST.
    #[must_use]
    pub fn post(&self, target: &str) -> Request {
        self.request("POST", target)
    }

    /// A PATCH.
    #[must_use]
    pub fn patch(&self, target: &str) -> Request {
        self.request("PATCH", target)
    }

    /// From now on the case fails when an answer holds this text.
    pub fn never_show(&self, secret: &str) {
        self.secrets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(secret.to_owned());
    }

    /// Sends these bytes, and the next ones on the same connection after each answer. Gives the answers.
    pub async fn on_one_connection(&self, requests: &[Request]) -> Vec<Answer> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut reader, mut writer) = stream.into_split();
        let (mut answers, mut read) = (Vec::new(), Vec::new());
        for request in requests {
            writer
                .write_all(&request.bytes("keep-alive"))
                .await
                .unwrap();
            let answer = async {
                loop {
                    if let Some((answer, length)) = Answer::parse(&read, request.is_head(), false) {
                        read.drain(..length);
                        return answer;
                    }
                    let length = reader.read_buf(&mut read).await.unwrap();
                    assert!(
                        length > 0,
                        "{request:?}: the connection was closed too early"
                    );
                }
            };
            let answer = timeout(PATIENCE, answer).await;
            let answer = answer.unwrap_or_else(|_| panic!("{request:?}: no answer in time"));
            assert!(read.is_empty(), "{request:?}: more than one answer");
            self.inspect(&answer);
            answers.push(answer);
        }
        answers
    }

    async fn exchange(&self, request: &Request) -> Option<Answer> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (reader, mut writer) = stream.into_split();
        let (bytes, hang_up) = (request.bytes("close"), request.hangs_up());
        // Written while the answer is read: a server may answer before it has read everything.
        let writing = tokio::spawn(async move {
            let mut sent = writer.write_all(&bytes).await.is_ok();
            if hang_up {
                sent &= writer.shutdown().await.is_ok();
            }
            // The half comes back with the result; dropping it would tell the server that nothing follows.
            (writer, sent)
        });
        let Ok(read) = timeout(request.patience, read_to_end(reader)).await else {
            panic!(
                "{request:?}: no end of the answer within {:?}",
                request.patience
            );
        };
        let (_writer, sent) = writing.await.unwrap();
        if read.is_empty() {
            return None;
        }
        let (mut answer, length) =
            Answer::parse(&read, request.is_head(), true).unwrap_or_else(|| {
                panic!(
                    "{request:?}: the answer is cut short: {:?}",
                    String::from_utf8_lossy(&read)
                )
            });
        assert_eq!(
            length,
            read.len(),
            "{request:?}: something follows the answer"
        );
        answer.request_was_sent = sent;
        self.inspect(&answer);
        Some(answer)
    }

    /// What holds for every answer to any request.
    pub(super) fn inspect(&self, answer: &Answer) {
        let text = answer.whole();
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        for secret in secrets
            .iter()
            .map(String::as_str)
            .chain(["$argon2", super::super::faults::CAUSE])
        {
            assert!(!text.contains(secret), "the answer shows a secret:\n{text}");
        }
    }
}

/// Everything until the other side closes. A connection that is reset ends there: what came before it counts.
async fn read_to_end(mut reader: OwnedReadHalf) -> Vec<u8> {
    let mut read = Vec::new();
    loop {
        match reader.read_buf(&mut read).await {
            Ok(0) => return read,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return read,
            Err(error) => panic!("the answer could not be read: {error}"),
        }
    }
}

/// A request to be sent.
#[derive(Clone)]
pub struct Request {
    client: Client,
    pub(super) method: String,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Body,
    patience: Duration,
}

#[derive(Debug, Clone)]
enum Body {
    None,
    /// With its length.
    Whole(Vec<u8>),
    /// In chunks, with the last one or without.
    Chunked {
        bytes: Vec<u8>,
        ended: bool,
    },
    /// With a length it does not have. Then the connection stays open, or the client hangs up.
    Short {
        bytes: Vec<u8>,
        announced: usize,
        hang_up: bool,
    },
}

impl Request {
    /// With one more header; the same name may be given again.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers
            .push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// With `Authorization: Bearer`.
    #[must_use]
    pub fn bearer(self, credential: &str) -> Self {
        self.header("Authorization", format!("Bearer {credential}"))
    }

    /// With `X-API-Key`.
    #[must_use]
    pub fn api_key(self, key: &str) -> Self {
        self.header("X-API-Key", key)
    }

    /// With this JSON, and the content type that says so.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.text("application/json", body.to_string())
    }

    /// With the texts of this JSON object as a form. They must be ASCII letters, digits and `_.:-`.
    #[must_use]
    pub fn form(self, fields: &Value) -> Self {
        let pairs = fields.as_object().unwrap().iter();
        let pairs = pairs.map(|(name, value)| format!("{name}={}", value.as_str().unwrap()));
        let form = pairs.collect::<Vec<_>>().join("&");
        self.text("application/x-www-form-urlencoded", form)
    }

    /// With this body and content type.
    #[must_use]
    pub fn text(self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.header("Content-Type", content_type).body(body)
    }

    /// With this body and no content type.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Body::Whole(body.into());
        self
    }

    /// With this body in chunks; one that is not `ended` never is.
    #[must_use]
    pub fn chunked(mut self, body: impl Into<Vec<u8>>, ended: bool) -> Self {
        let bytes = body.into();
        self.body = Body::Chunked { bytes, ended };
        self
    }

    /// With a body that is shorter than announced. The connection stays open.
    #[must_use]
    pub fn unfinished(mut self, body: impl Into<Vec<u8>>, announced: usize) -> Self {
        let (bytes, hang_up) = (body.into(), false);
        self.body = Body::Short {
            bytes,
            announced,
            hang_up,
        };
        self
    }

    /// With a body that is shorter than announced, after which the client hangs up.
    #[must_use]
    pub fn broken_off(mut self, body: impl Into<Vec<u8>>, announced: usize) -> Self {
        let (bytes, hang_up) = (body.into(), true);
        self.body = Body::Short {
            bytes,
            announced,
            hang_up,
        };
        self
    }

    /// The case fails when the answer takes longer than this.
    #[must_use]
    pub const fn within(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Sends it and gives the answer, which must come.
    pub async fn send(self) -> Answer {
        let answer = self.client.exchange(&self).await;
        answer.unwrap_or_else(|| panic!("{self:?}: the connection was closed without an answer"))
    }

    /// Sends it and gives the answer, unless the connection is closed without one.
    pub async fn try_send(self) -> Option<Answer> {
        self.client.exchange(&self).await
    }

    fn is_head(&self) -> bool {
        self.method == "HEAD"
    }

    const fn hangs_up(&self) -> bool {
        matches!(self.body, Body::Short { hang_up: true, .. })
    }

    fn bytes(&self, connection: &str) -> Vec<u8> {
        let Self { method, target, .. } = self;
        let mut bytes = format!(
            "{method} {target} HTTP/1.1\r\nHost: sakms.example\r\nConnection: {connection}\r\n"
        )
        .into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(&[name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        let mut end = |framing: &str, body: &[u8]| {
            bytes.extend_from_slice(framing.as_bytes());
            bytes.extend_from_slice(b"\r\n");
            bytes.extend_from_slice(body);
        };
        match &self.body {
            Body::None => end("", b""),
            Body::Whole(body) => end(&format!("Content-Length: {}\r\n", body.len()), body),
            Body::Short {
                bytes: body,
                announced,
                ..
            } => end(&format!("Content-Length: {announced}\r\n"), body),
            Body::Chunked { bytes: body, ended } => {
                end("Transfer-Encoding: chunked\r\n", &in_chunks(body, *ended));
            }
        }
        bytes
    }
}

impl std::fmt::Debug for Request {
    /// What a report needs to say which request it was.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let headers: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        write!(f, "{} {} {headers:?}", self.method, self.target)
    }
}

fn in_chunks(body: &[u8], ended: bool) -> Vec<u8> {
    let mut chunks = Vec::new();
    for part in body.chunks(8 * 1024) {
        let mut size = String::new();
        write!(size, "{:x}\r\n", part.len()).unwrap();
        chunks.extend_from_slice(&[size.as_bytes(), part, b"\r\n"].concat());
    }
    if ended {
        chunks.extend_from_slice(b"0\r\n\r\n");
    }
    chunks
}
