//! A connection that is kept open from one request to the next.

use std::io::{BufRead as _, BufReader, Error, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::client::{self, Answer};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client's connection to whichever server it was pointed at last.
#[derive(Debug)]
pub struct Link {
    address: SocketAddr,
    open: Option<BufReader<TcpStream>>,
}

impl Link {
    /// A connection that is made with the first request.
    #[must_use]
    pub const fn to(address: SocketAddr) -> Self {
        Self {
            address,
            open: None,
        }
    }

    /// Sends a request and reads its answer. After an error nobody knows whether it was carried out.
    ///
    /// # Errors
    /// When the connection cannot be made, breaks, or is silent for half a minute.
    pub fn send(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> std::io::Result<Answer> {
        self.open()?;
        let Some(mut open) = self.open.take() else {
            return Err(ErrorKind::NotConnected.into());
        };
        let request = client::lasting(self.address, method, target, headers, body);
        open.get_mut().write_all(request.as_bytes())?;
        let answer = receive(&mut open)?;
        let closes = answer.header("connection");
        if !closes.is_some_and(|value| value.eq_ignore_ascii_case("close")) {
            self.open = Some(open);
        }
        Ok(answer)
    }

    /// Sends a request that changes nothing, a second time when the connection was closed meanwhile: servers close those that
    /// were idle.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    pub fn read(&mut self, target: &str, headers: &[(&str, &str)]) -> std::io::Result<Answer> {
        self.send("GET", target, headers, "")
            .or_else(|_| self.send("GET", target, headers, ""))
    }

    /// Makes the connection, where none is open.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(&mut self) -> std::io::Result<()> {
        if self.open.is_none() {
            self.open = Some(self.connect()?);
        }
        Ok(())
    }

    fn connect(&self) -> std::io::Result<BufReader<TcpStream>> {
        let stream = TcpStream::connect_timeout(&self.address, Duration::from_secs(5))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(BufReader::new(stream))
    }
}

/// An answer whose length its head says.
fn receive(open: &mut BufReader<TcpStream>) -> std::io::Result<Answer> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        if open.read_until(b'\n', &mut bytes)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
    let length = client::parse(&bytes)?
        .header("content-length")
        .map(str::parse::<usize>);
    let Some(Ok(length)) = length else {
        return Err(Error::new(
            ErrorKind::InvalidData,
            "an answer without a length",
        ));
    };
    let begun = bytes.len();
    bytes.resize(begun + length, 0);
    open.read_exact(&mut bytes[begun..])?;
    client::parse(&bytes)
}
