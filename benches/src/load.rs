//! Load over real sockets: connections that stay open, each with one request under way at all times.
//!
//! The client does as little as can be done, because it shares the cores with the server: a client that works more makes
//! every server look alike. It still looks at every answer: another status, or another length than the first answer's,
//! ends the run.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use crate::timing::now;

/// Open connections to one server, driven by one thread.
#[derive(Debug)]
pub struct Load {
    runtime: Runtime,
    connections: Vec<Connection>,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    /// Presented with every request, needed or not: the bytes are the same for both routes but for the path.
    key: String,
}

impl Load {
    /// A connection for each key.
    #[must_use]
    pub fn connect(address: SocketAddr, keys: impl Iterator<Item = String>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let connect = async |key| {
            let stream = TcpStream::connect(address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            Connection { stream, key }
        };
        let connections = runtime.block_on(join_all(keys.map(connect)));
        Self {
            runtime,
            connections,
        }
    }

    /// Asks for `path` on all connections for as long as `time`. Gives the answers a second.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate needs no more than 52 bits"
    )]
    pub fn run(&mut self, path: &str, time: Duration) -> f64 {
        let connections = self.connections.iter_mut();
        self.runtime.block_on(async {
            let begun = now();
            let counts = join_all(connections.map(|one| one.ask(path, begun + time))).await;
            counts.iter().sum::<u64>() as f64 / begun.elapsed().as_secs_f64()
        })
    }
}

impl Connection {
    async fn ask(&mut self, path: &str, until: Instant) -> u64 {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {}\r\n\r\n",
            self.key
        );
        let (mut length, mut count) = (None, 0);
        while now() < until {
            self.stream.write_all(request.as_bytes()).await.unwrap();
            length = Some(self.answer(length).await);
            count += 1;
        }
        count
    }

    /// Reads one answer to its end, which is `known` from the first one on.
    async fn answer(&mut self, known: Option<usize>) -> usize {
        let (mut buffer, mut filled) = ([0; 2048], 0);
        loop {
            let read = self.stream.read(&mut buffer[filled..]).await.unwrap();
            assert!(read > 0, "the connection was closed");
            filled += read;
            let seen = &buffer[..filled];
            let length = known.or_else(|| length_of(seen));
            if length.is_some_and(|length| filled >= length) {
                assert!(
                    seen.starts_with(b"HTTP/1.1 200"),
                    "{}",
                    String::from_utf8_lossy(seen)
                );
                assert_eq!(Some(filled), length, "another answer than the first");
                return filled;
            }
        }
    }
}

/// How long an answer is, once its head is there.
fn length_of(seen: &[u8]) -> Option<usize> {
    let head = seen.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&seen[..head]).to_ascii_lowercase();
    let body = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))?;
    Some(head + body.trim().parse::<usize>().unwrap())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_is_known_when_the_head_is_there() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        assert_eq!(length_of(answer), Some(answer.len()));
        assert_eq!(length_of(&answer[..answer.len() - 5]), Some(answer.len()));
        assert_eq!(length_of(&answer[..20]), None);
    }
}
