//! A way between a client and a server that can be cut.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a way does with what is sent over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Hands it on.
    Open,
    /// Breaks off every connection, and each new one.
    Closed,
    /// Keeps it. Nobody is told: a packet filter that drops everything looks like this.
    Silent,
}

/// How often a copier looks whether the way is open again.
const LOOK: Duration = Duration::from_millis(5);

/// Listens on a port of its own and hands on to a server. Its threads end with the process.
#[derive(Debug)]
pub struct Forwarder {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    target: SocketAddr,
    way: AtomicU8,
    streams: Mutex<Vec<TcpStream>>,
}

impl Forwarder {
    /// An open way to a server on this machine.
    #[must_use]
    pub fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            target,
            way: AtomicU8::new(Way::Open as u8),
            streams: Mutex::default(),
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // A connection that cannot be made is closed, as the server would have it.
                let _ = serving.accept(client);
            }
        });
        Self { address, shared }
    }

    /// Where a client connects to.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Opens or cuts the way.
    pub fn set(&self, way: Way) {
        self.shared.way.store(way as u8, Ordering::SeqCst);
        if way == Way::Closed {
            for stream in self.shared.streams.lock().unwrap().drain(..) {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }
}

impl Shared {
    fn is(&self, way: Way) -> bool {
        self.way.load(Ordering::SeqCst) == way as u8
    }

    fn accept(self: &Arc<Self>, client: TcpStream) -> std::io::Result<()> {
        if self.is(Way::Closed) {
            return Ok(());
        }
        let server = TcpStream::connect_timeout(&self.target, Duration::from_secs(5))?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let kept = [client.try_clone()?, server.try_clone()?];
        self.streams.lock().unwrap().extend(kept);
        for (from, to) in [(client.try_clone()?, server.try_clone()?), (server, client)] {
            let shared = Arc::clone(self);
            std::thread::spawn(move || shared.copy(from, to));
        }
        Ok(())
    }

    /// Hands on until one of the two ends it, and ends the other.
    fn copy(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut part = [0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut part) {
            while self.is(Way::Silent) {
                std::thread::sleep(LOOK);
            }
            if to.write_all(&part[..length]).is_err() {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_is_open_silent_or_closed() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let way = Forwarder::to(server.local_addr().unwrap());
        let mut client = TcpStream::connect(way.address()).unwrap();
        let (mut accepted, _) = server.accept().unwrap();
        let mut byte = [0];

        client.write_all(b"a").unwrap();
        accepted.read_exact(&mut byte).unwrap();
        assert_eq!(byte, *b"a");

        way.set(Way::Silent);
        client.write_all(b"b").unwrap();
        accepted
            .set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        assert!(accepted.read(&mut byte).is_err(), "handed on");
        accepted.set_read_timeout(None).unwrap();
        way.set(Way::Open);
        accepted.read_exact(&mut byte).unwrap();
        assert_eq!(byte, *b"b");

        way.set(Way::Closed);
        assert_eq!(client.read(&mut byte).unwrap_or(0), 0);
    }
}
