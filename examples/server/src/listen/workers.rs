//! Threads that serve connections, each with a runtime of its own.
//!
//! A connection stays on the thread that it was given to, so a request wakes up nobody else. On a runtime whose threads take
//! work from each other each wake-up costs some microseconds, and where other things keep all processors busy, a turn.

use std::net::SocketAddr;
use std::num::NonZero;
use std::thread::{JoinHandle, available_parallelism};

use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::error::Failure;

/// A connection, and what is given back when it has ended.
#[derive(Debug)]
pub(super) struct Accepted<P> {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) place: P,
}

impl<P> Accepted<P> {
    /// The same with one thing more to give back.
    pub(super) fn with<Q>(self, more: Q) -> Accepted<(P, Q)> {
        let Self {
            stream,
            peer,
            place,
        } = self;
        Accepted {
            stream,
            peer,
            place: (place, more),
        }
    }
}

/// The same on its way to another thread.
struct Moved<P> {
    stream: std::net::TcpStream,
    peer: SocketAddr,
    place: P,
}

/// The threads, one for each core.
#[derive(Debug)]
pub(super) struct Workers<P> {
    threads: Vec<Worker<P>>,
    next: usize,
}

#[derive(Debug)]
struct Worker<P> {
    connections: UnboundedSender<Moved<P>>,
    thread: JoinHandle<()>,
}

impl<P: Send + 'static> Workers<P> {
    /// Starts them. What `serve` gives for a connection runs on the thread that the connection is given to.
    pub(super) fn start<F: Future<Output = ()> + Send + 'static>(
        serve: impl Fn(Accepted<P>) -> F + Clone + Send + 'static,
    ) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| {
            Failure::new("the threads that serve could not be started", &error)
        };
        let start = |number| -> std::io::Result<_> {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let (connections, given) = unbounded_channel();
            let serve = serve.clone();
            let thread = std::thread::Builder::new()
                .name(format!("sakms-serve-{number}"))
                .spawn(move || runtime.block_on(take(given, serve)))?;
            Ok(Worker {
                connections,
                thread,
            })
        };
        let count = available_parallelism().map_or(1, NonZero::get);
        let threads = (0..count).map(start).collect::<Result<_, _>>();
        Ok(Self {
            threads: threads.map_err(failed)?,
            next: 0,
        })
    }

    /// Gives a connection to the next thread. One that breaks on the way is closed, as if its client had gone.
    pub(super) fn give(&mut self, accepted: Accepted<P>) {
        let Accepted {
            stream,
            peer,
            place,
        } = accepted;
        self.next = (self.next + 1) % self.threads.len();
        match stream.into_std() {
            Ok(stream) => {
                let moved = Moved {
                    stream,
                    peer,
                    place,
                };
                // Nobody is there to take it only while the process ends.
                drop(self.threads[self.next].connections.send(moved));
            }
            Err(error) => tracing::warn!(%error, "a connection could not be handed on"),
        }
    }

    /// Ends the threads, and breaks off what they still serve.
    pub(super) async fn end(self) {
        let threads = self.threads.into_iter().map(|worker| {
            drop(worker.connections);
            worker.thread
        });
        let threads: Vec<_> = threads.collect();
        let joined = tokio::task::spawn_blocking(|| {
            // A thread that panicked has ended as well.
            for thread in threads {
                drop(thread.join());
            }
        });
        drop(joined.await);
    }
}

/// Serves what is given to this thread until nothing more can be.
async fn take<P, F: Future<Output = ()> + Send + 'static>(
    mut given: UnboundedReceiver<Moved<P>>,
    serve: impl Fn(Accepted<P>) -> F,
) {
    while let Some(moved) = given.recv().await {
        let Moved {
            stream,
            peer,
            place,
        } = moved;
        match TcpStream::from_std(stream) {
            Ok(stream) => {
                let accepted = Accepted {
                    stream,
                    peer,
                    place,
                };
                drop(tokio::spawn(serve(accepted)));
            }
            Err(error) => tracing::warn!(%error, "a connection could not be taken over"),
        }
    }
}
