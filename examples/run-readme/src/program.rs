//! A program that a test starts, and ends.

use std::io::BufReader;
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// A server, which ends with this value at the latest.
#[derive(Debug)]
pub struct Program {
    child: Child,
    address: SocketAddr,
    log: Arc<Mutex<String>>,
    follower: Option<JoinHandle<()>>,
}

impl Program {
    /// Starts a server and waits until it says on stderr that it is `listening on http://…`. The command says where.
    pub fn start(command: &mut Command) -> Self {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let log = Arc::new(Mutex::new(String::new()));
        let (sender, listening) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let kept = Arc::clone(&log);
        let follower = std::thread::spawn(move || follow(stderr, &kept, &sender));
        let Ok(address) = listening.recv_timeout(Duration::from_mins(1)) else {
            let _ = child.kill();
            let _ = child.wait();
            panic!("it does not listen:\n{}", log.lock().unwrap());
        };
        let follower = Some(follower);
        Self {
            child,
            address,
            log,
            follower,
        }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Asks it to end, as whoever runs servers does, and waits for that: its status, and everything it has logged.
    #[cfg(unix)]
    #[must_use]
    pub fn stop(mut self) -> (ExitStatus, String) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status();
        assert!(sent.unwrap().success());
        let status = self.child.wait().unwrap();
        self.follower.take().unwrap().join().unwrap();
        let log = self.log.lock().unwrap().clone();
        (status, log)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            println!("---- its log ----\n{}", self.log.lock().unwrap());
        }
    }
}

fn follow(stderr: impl std::io::BufRead, log: &Mutex<String>, listening: &Sender<SocketAddr>) {
    for line in stderr.lines().map_while(Result::ok) {
        let address = line.split("listening on http://").nth(1);
        let address = address.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        log.lock().unwrap().extend([line.as_str(), "\n"]);
        if let Some(address) = address {
            let _ = listening.send(address);
        }
    }
}
