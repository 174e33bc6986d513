//! A connection that is used again, for those who send thousands of requests a second.

use std::io::{Error, ErrorKind, Read as _, Result, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::client::{self, Answer};

/// Servers close a connection on which nothing has come for a while; this is well before.
const IDLE: Duration = Duration::from_secs(3);

/// A client that keeps its connection open, and opens another when that one is gone.
#[derive(Debug)]
pub struct Connection {
    address: SocketAddr,
    patience: Duration,
    open: Option<(TcpStream, Instant)>,
}

impl Connection {
    /// A client of this server. It connects when it has something to send, and waits half a minute for an answer.
    #[must_use]
    pub const fn to(address: SocketAddr) -> Self {
        Self {
            address,
            patience: Duration::from_secs(30),
            open: None,
        }
    }

    /// The server.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends a request and reads the answer. It is sent once: whoever gets an error does not know what became of it.
    ///
    /// # Errors
    /// When the connection cannot be made, breaks, or is silent for half a minute.
    pub fn ask(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer> {
        let request = self.written(method, target, headers, body);
        let mut stream = self.stream()?;
        stream.write_all(request.as_bytes())?;
        let answer = read(&mut stream)?;
        let closes = answer
            .header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"));
        self.open = (!closes).then(|| (stream, Instant::now()));
        Ok(answer)
    }

    fn written(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> String {
        let address = self.address;
        let mut request = format!("{method} {target} HTTP/1.1\r\nHost: {address}\r\n");
        for (name, value) in headers {
            request.extend([name, ": ", value, "\r\n"]);
        }
        if !body.is_empty() {
            request.push_str("Content-Type: application/json\r\n");
        }
        if method != "GET" {
            request.extend(["Content-Length: ", &body.len().to_string(), "\r\n"]);
        }
        request.extend(["\r\n", body]);
        request
    }

    fn stream(&mut self) -> Result<TcpStream> {
        if let Some((stream, used)) = self.open.take()
            && used.elapsed() < IDLE
        {
            return Ok(stream);
        }
        let stream = TcpStream::connect_timeout(&self.address, Duration::from_secs(5))?;
        stream.set_read_timeout(Some(self.patience))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// An answer, as long as it says it is.
fn read(stream: &mut TcpStream) -> Result<Answer> {
    let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let length = stream.read(&mut part)?;
        if length == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&part[..length]);
        let Some(head) = bytes.windows(4).position(|end| end == b"\r\n\r\n") else {
            continue;
        };
        let answer = client::parse(&bytes)?;
        let announced: usize = answer
            .header("content-length")
            .and_then(|value| value.parse().ok())
            .ok_or_else(|| Error::new(ErrorKind::InvalidData, "an answer without a length"))?;
        if bytes.len() >= head + 4 + announced {
            return Ok(answer);
        }
    }
}
