//! A proxy between the server and its database that makes trouble.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// What becomes of the bytes that pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// They are passed on.
    None,
    /// They are kept, in both directions; connections can be made and stay open.
    BlackHole,
    /// So many of 1,000 parcels end in a reset of their connection instead.
    Resets(u16),
    /// What goes to the database goes so much later.
    Late(Duration),
    /// They are passed on one by one, each in a packet of its own.
    Slices,
    /// So many of 1,000 commits end in a reset: half of them before the database has heard of it, half of them after, and
    /// then nobody hears that it was done.
    Commits(u16),
}

/// How long a commit takes at most that is passed on before its connection is reset.
const COMMIT: Duration = Duration::from_millis(100);
/// How a statement that commits begins in the protocol, after the header of four bytes.
const COMMIT_STATEMENT: &[u8] = b"\x03COMMIT";

#[derive(Debug, Clone, Copy)]
struct State {
    trouble: Trouble,
    /// Counts the times that all connections were to be reset.
    resets: u64,
}

/// Listens on loopback until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    state: watch::Sender<State>,
    cuts: Arc<AtomicU64>,
    runtime: Option<Runtime>,
}

impl Proxy {
    /// A proxy in front of `target` that makes no trouble yet. The seed decides what is cut.
    #[must_use]
    pub fn start(target: SocketAddr, seed: u64) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let first = State {
            trouble: Trouble::None,
            resets: 0,
        };
        let (state, watched) = watch::channel(first);
        let cuts = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&cuts);
        runtime.spawn(async move {
            for number in 0_u64.. {
                let Ok((client, _)) = listener.accept().await else {
                    return;
                };
                let pair = Pair {
                    state: watched.clone(),
                    random: fastrand::Rng::with_seed(seed.wrapping_add(number)),
                    cuts: Arc::clone(&counted),
                };
                tokio::spawn(pair.carry(client, target));
            }
        });
        Self {
            address,
            state,
            cuts,
            runtime: Some(runtime),
        }
    }

    /// Makes this trouble from now on, instead of what it made.
    pub fn make(&self, trouble: Trouble) {
        self.state.send_modify(|state| state.trouble = trouble);
    }

    /// Resets all connections that are open.
    pub fn reset(&self) {
        self.state.send_modify(|state| state.resets += 1);
    }

    /// How many connections were reset.
    #[must_use]
    pub fn cuts(&self) -> u64 {
        self.cuts.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A connection that came and the one that was made for it.
struct Pair {
    state: watch::Receiver<State>,
    random: fastrand::Rng,
    cuts: Arc<AtomicU64>,
}

impl Pair {
    async fn carry(mut self, mut client: TcpStream, target: SocketAddr) {
        let resets = self.state.borrow().resets;
        out_of_the_hole(&mut self.state).await;
        let Ok(mut server) = TcpStream::connect(target).await else {
            return;
        };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        // Whatever the database says to a commit that is cut is not passed on.
        let mute = AtomicBool::new(false);
        let ended = {
            let (from_client, to_client) = client.split();
            let (from_server, to_server) = server.split();
            let mut watched = self.state.clone();
            let up = Way {
                state: self.state.clone(),
                random: self.random.fork(),
                mute: &mute,
                to_database: true,
            };
            let down = Way {
                state: self.state.clone(),
                random: self.random.fork(),
                mute: &mute,
                to_database: false,
            };
            tokio::select! {
                ended = up.pass(from_client, to_server) => ended,
                ended = down.pass(from_server, to_client) => ended,
                _ = watched.wait_for(|state| state.resets != resets) => Err(ErrorKind::ConnectionReset.into()),
            }
        };
        if ended.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset) {
            self.cuts.fetch_add(1, Ordering::Relaxed);
            let _ = (client.set_zero_linger(), server.set_zero_linger());
        }
    }
}

async fn out_of_the_hole(state: &mut watch::Receiver<State>) {
    let _ = state
        .wait_for(|state| state.trouble != Trouble::BlackHole)
        .await;
}

/// One direction of a pair.
struct Way<'a> {
    state: watch::Receiver<State>,
    random: fastrand::Rng,
    mute: &'a AtomicBool,
    to_database: bool,
}

impl Way<'_> {
    /// Passes on until one side closes, or resets the pair by its error.
    async fn pass(mut self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> std::io::Result<()> {
        let mut bytes = vec![0; 16 * 1024];
        loop {
            let length = from.read(&mut bytes).await?;
            if length == 0 {
                return Ok(());
            }
            let parcel = &bytes[..length];
            out_of_the_hole(&mut self.state).await;
            let trouble = self.state.borrow().trouble;
            match trouble {
                Trouble::None | Trouble::BlackHole => to.write_all(parcel).await?,
                Trouble::Resets(of_1000) => {
                    if self.happens(of_1000) {
                        return Err(ErrorKind::ConnectionReset.into());
                    }
                    to.write_all(parcel).await?;
                }
                Trouble::Late(time) => {
                    if self.to_database {
                        tokio::time::sleep(time).await;
                    }
                    to.write_all(parcel).await?;
                }
                Trouble::Slices => {
                    for byte in parcel.chunks(1) {
                        to.write_all(byte).await?;
                        tokio::task::yield_now().await;
                    }
                }
                Trouble::Commits(of_1000) => {
                    let commit = self.to_database
                        && parcel
                            .get(4..)
                            .is_some_and(|rest| rest.starts_with(COMMIT_STATEMENT));
                    if commit && self.happens(of_1000) {
                        if self.random.bool() {
                            self.mute.store(true, Ordering::Relaxed);
                            to.write_all(parcel).await?;
                            tokio::time::sleep(COMMIT).await;
                        }
                        return Err(ErrorKind::ConnectionReset.into());
                    }
                    if !self.mute.load(Ordering::Relaxed) {
                        to.write_all(parcel).await?;
                    }
                }
            }
        }
    }

    fn happens(&mut self, of_1000: u16) -> bool {
        self.random.u16(..1000) < of_1000
    }
}
