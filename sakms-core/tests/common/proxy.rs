//! A stretch of wire between a store and its database, with a switch.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// What happens to what passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// It passes.
    Whole,
    /// The next commit does not reach the server; both ends see their connection end.
    CutBeforeCommit,
    /// The next commit reaches the server, its answer nobody.
    CutAfterCommit,
    /// The client's end is cut at the next commit, which reaches the server half a second later.
    CommitComesLate,
    /// As `CutAfterCommit`, and then as `BlackHole`.
    CutAfterCommitForGood,
    /// Nothing passes, and nobody is told.
    BlackHole,
    /// Every connection ends, and no new one is made.
    Refused,
}

/// A stretch of wire.
#[derive(Debug, Clone)]
pub struct Proxy {
    pub port: u16,
    wire: Arc<Mutex<Wire>>,
}

impl Proxy {
    /// A wire to the server at `port` on the loopback.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            wire: Arc::new(Mutex::new(Wire::Whole)),
        };
        let accepting = proxy.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(accepting.clone().join(client, port));
            }
        });
        proxy
    }

    pub fn set(&self, wire: Wire) {
        *self.wire.lock().unwrap() = wire;
    }

    pub fn wire(&self) -> Wire {
        *self.wire.lock().unwrap()
    }

    async fn join(self, client: TcpStream, port: u16) {
        self.wait_while_black().await;
        if self.wire() == Wire::Refused {
            return;
        }
        let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else {
            return;
        };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let answers = tokio::spawn(self.clone().carry_answers(from_server, to_client));
        let late = self.carry_questions(from_client, to_server).await;
        answers.abort();
        let _ = answers.await;
        if let Some((mut to_server, commit)) = late {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let _ = to_server.write_all(&commit).await;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Carries until the wire is cut. Gives a commit that is to come late, with the way to the server.
    async fn carry_questions(
        &self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
    ) -> Option<(OwnedWriteHalf, Vec<u8>)> {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let length = from
                .read(&mut buffer)
                .await
                .ok()
                .filter(|&length| length > 0)?;
            let packet = &buffer[..length];
            self.wait_while_black().await;
            let wire = self.wire();
            // A command is a length of three bytes, a number, 3 for "query", and the text.
            let is_commit = packet.len() == 11 && packet.ends_with(b"\x03COMMIT");
            match wire {
                Wire::Refused => return None,
                Wire::CutBeforeCommit if is_commit => {
                    self.set(Wire::Whole);
                    return None;
                }
                Wire::CutAfterCommit | Wire::CutAfterCommitForGood if is_commit => {
                    // Black at once, so that the answer stays on the way.
                    self.set(Wire::BlackHole);
                    to.write_all(packet).await.ok()?;
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    if wire == Wire::CutAfterCommit {
                        self.set(Wire::Whole);
                    }
                    return None;
                }
                Wire::CommitComesLate if is_commit => {
                    self.set(Wire::Whole);
                    return Some((to, packet.to_vec()));
                }
                _ => to.write_all(packet).await.ok()?,
            }
        }
    }

    async fn carry_answers(self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            self.wait_while_black().await;
            if self.wire() == Wire::Refused || to.write_all(&buffer[..length]).await.is_err() {
                return;
            }
        }
    }

    async fn wait_while_black(&self) {
        while self.wire() == Wire::BlackHole {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
