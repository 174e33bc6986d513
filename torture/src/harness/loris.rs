//! Clients that take their time, to hold what a server has.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::{JoinSet, LocalSet};

/// How a client takes its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It sends nothing.
    Silent,
    /// It sends a request's headers byte by byte.
    Headers,
    /// It sends a request's body byte by byte.
    Body,
    /// It asks for much and reads nothing.
    Unread,
    /// It sends a request as anybody does, and the headers of the next one byte by byte.
    LaterHeaders,
}

/// Large answers that nobody reads: more than the system's buffers hold.
const UNREAD: &str = "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n";
const UNREAD_TIMES: usize = 2;
/// What a client that reads nothing has room for.
const ROOM: u32 = 4096;

/// So many of them, until they are dropped.
#[derive(Debug)]
pub struct Lorises {
    stop: Arc<AtomicBool>,
    open: Arc<AtomicU32>,
    thread: Option<JoinHandle<()>>,
}

impl Lorises {
    /// Opens the connections within a `pause`, and returns when all are open. Who sends byte by byte sends one in every `pause`.
    #[must_use]
    pub fn start(address: SocketAddr, way: Way, count: u32, pause: Duration) -> Self {
        let (stop, open) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU32::new(0)),
        );
        let (told, counted) = (Arc::clone(&stop), Arc::clone(&open));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let all = async {
                let mut clients = JoinSet::new();
                for number in 0..count {
                    let (told, counted) = (Arc::clone(&told), Arc::clone(&counted));
                    clients.spawn_local(async move {
                        // Not all at the same moment, now and with each byte: that would be a test of this program.
                        tokio::time::sleep(pause * number / count).await;
                        let stream = connect(address, way).await.unwrap();
                        counted.fetch_add(1, Ordering::SeqCst);
                        // It fails when the server has closed the connection, which is what it is to do.
                        let _ = dawdle(stream, way, pause, &told).await;
                    });
                }
                clients.join_all().await;
            };
            LocalSet::new().block_on(&runtime, all);
        });
        let lorises = Self {
            stop,
            open,
            thread: Some(thread),
        };
        while lorises.open.load(Ordering::SeqCst) < count {
            let running = lorises
                .thread
                .as_ref()
                .is_some_and(|thread| !thread.is_finished());
            assert!(running, "not all connections could be opened");
            std::thread::sleep(Duration::from_millis(5));
        }
        lorises
    }
}

impl Drop for Lorises {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn connect(address: SocketAddr, way: Way) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if way == Way::Unread {
        socket.set_recv_buffer_size(ROOM)?;
    }
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn dawdle(
    mut stream: TcpStream,
    way: Way,
    pause: Duration,
    stop: &AtomicBool,
) -> std::io::Result<()> {
    match way {
        Way::Silent => {}
        Way::Headers => {
            stream
                .write_all(b"GET /health HTTP/1.1\r\nX-Long: ")
                .await?;
        }
        Way::Body => {
            let head = "POST /auth/login HTTP/1.1\r\nHost: localhost\r\n\
                        Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n{\"email\":\"";
            stream.write_all(head.as_bytes()).await?;
        }
        Way::Unread => {
            let requests = UNREAD.repeat(UNREAD_TIMES);
            stream.write_all(requests.as_bytes()).await?;
        }
        Way::LaterHeaders => {
            stream
                .write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
                .await?;
            let _ = stream.read(&mut [0; 4096]).await?;
            stream
                .write_all(b"GET /health HTTP/1.1\r\nX-Long: ")
                .await?;
        }
    }
    let sends = !matches!(way, Way::Silent | Way::Unread);
    while !stop.load(Ordering::SeqCst) {
        tokio::time::sleep(pause).await;
        if sends {
            stream.write_all(b"a").await?;
        }
    }
    Ok(())
}
