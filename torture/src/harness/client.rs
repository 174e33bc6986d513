//! HTTP/1.1 over a socket, byte by byte.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// An answer, whole.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The status line and the headers.
    pub head: String,
    /// What follows the empty line, as it came.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// A field of the body that is a text.
    #[must_use]
    pub fn text(&self, field: &str) -> String {
        self.json()[field]
            .as_str()
            .unwrap_or_else(|| panic!("no {field} in {}", self.body))
            .to_owned()
    }

    /// A header's value, of the first that has this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// Sends a request with the usual headers and reads the whole answer.
#[must_use]
pub fn send(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    try_send(address, method, target, headers, body)
        .unwrap_or_else(|error| panic!("{method} {target}: {error}"))
}

/// Sends a request with the usual headers and reads the whole answer, if there is one.
///
/// # Errors
/// When the connection cannot be made, breaks, or is silent for half a minute.
pub fn try_send(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> std::io::Result<Answer> {
    let request = written(address, method, target, headers, body);
    raw(address, request.as_bytes())
}

fn written(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> String {
    let headers = [&[("Connection", "close")], headers].concat();
    lasting(address, method, target, &headers, body)
}

/// A request after which the connection stays open.
pub(super) fn lasting(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> String {
    let mut request = format!("{method} {target} HTTP/1.1\r\nHost: {address}\r\n");
    for (name, value) in headers {
        request.extend([name, ": ", value, "\r\n"]);
    }
    if !body.is_empty() {
        let length = body.len().to_string();
        request.extend([
            "Content-Type: application/json\r\nContent-Length: ",
            &length,
            "\r\n",
        ]);
    }
    request.push_str("\r\n");
    request.push_str(body);
    request
}

/// Sends a request to a server that leaves the connection open whatever it is told, and reads as much as the answer says
/// it is long.
///
/// # Errors
/// See [`try_send`].
pub fn measured(
    address: SocketAddr,
    method: &str,
    target: &str,
    body: &str,
) -> std::io::Result<Answer> {
    let mut stream = connect(address)?;
    stream.write_all(written(address, method, target, &[], body).as_bytes())?;
    let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let length = stream.read(&mut part)?;
        bytes.extend_from_slice(&part[..length]);
        if length == 0 {
            return parse(&bytes);
        }
        let Some(head) = bytes.windows(4).position(|end| end == b"\r\n\r\n") else {
            continue;
        };
        let answer = parse(&bytes)?;
        let announced = answer.header("content-length").map(str::parse::<usize>);
        if matches!(announced, Some(Ok(announced)) if bytes.len() >= head + 4 + announced) {
            return Ok(answer);
        }
    }
}

/// Sends these bytes and reads until the server closes the connection.
///
/// # Errors
/// See [`try_send`].
pub fn raw(address: SocketAddr, request: &[u8]) -> std::io::Result<Answer> {
    let mut stream = connect(address)?;
    stream.write_all(request)?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    parse(&bytes)
}

fn connect(address: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    Ok(stream)
}

/// An answer from its bytes.
///
/// # Errors
/// When the bytes are no whole head of an answer.
pub fn parse(bytes: &[u8]) -> std::io::Result<Answer> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text
        .split_once("\r\n\r\n")
        .ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let status = head
        .get(9..12)
        .and_then(|code| code.parse().ok())
        .ok_or(std::io::ErrorKind::InvalidData)?;
    Ok(Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}
