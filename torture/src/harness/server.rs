//! A running `sakms-server`, ended when it is dropped.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::client::{self, Answer};

/// A master key and a JWT secret for tests that give them.
pub const MASTER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
/// See [`MASTER_KEY`].
pub const JWT_SECRET: &str = "kB3rVw9pTz6mXc1qHs8dLf4gNj7uYe2aRo5iKx0";

/// A running server.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

/// A command with nothing of the surrounding environment that could set a setting.
#[must_use]
pub fn command(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    let settings =
        |name: &str| name.starts_with("SAKMS_") || name.starts_with("JWT_") || name == "DB_URL";
    let kept: BTreeMap<_, _> = std::env::vars()
        .filter(|(name, _)| !settings(name))
        .collect();
    command
        .env_clear()
        .envs(kept)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

impl Server {
    /// Starts the server and waits until it listens.
    #[must_use]
    pub fn spawn(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (listening, reader) = follow(&mut child, Arc::clone(&log));
        let Ok(address) = listening.recv_timeout(Duration::from_mins(1)) else {
            let _ = child.kill();
            panic!("the server does not listen:\n{}", log.lock().unwrap());
        };
        Self {
            child,
            address,
            log,
            reader: Some(reader),
        }
    }

    /// Sends it a request and gives the answer.
    #[must_use]
    pub fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        client::send(self.address, method, target, headers, body)
    }

    /// What it has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until it has logged these words.
    pub fn wait_for_log(&self, words: &str) {
        let start = Instant::now();
        while !self.log().contains(words) {
            assert!(
                start.elapsed() < Duration::from_secs(10),
                "not logged: {words}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What it wrote to standard output, once it has ended.
    pub fn stdout(&mut self) -> String {
        let mut text = String::new();
        let mut out = self.child.stdout.take().unwrap();
        out.read_to_string(&mut text).unwrap();
        text
    }

    /// The process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends it as a crash would, and waits until it is gone.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.read_to_the_end();
    }

    /// Waits until all that a server which has ended logged is read.
    fn read_to_the_end(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// Waits for it to end.
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        let status = wait(&mut self.child, limit);
        self.read_to_the_end();
        status
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            println!("---- the server's log ----\n{}", self.log());
        }
    }
}

/// Keeps what the server logs, and gives the address once it listens.
fn follow(child: &mut Child, log: Arc<Mutex<String>>) -> (Receiver<SocketAddr>, JoinHandle<()>) {
    let (sender, receiver) = channel();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    let reader = std::thread::spawn(move || {
        for line in stderr.lines().map_while(Result::ok) {
            let address = line
                .split("http://")
                .nth(1)
                .and_then(|rest| rest.split([' ', '"']).next()?.parse().ok());
            log.lock().unwrap().extend([line.as_str(), "\n"]);
            if let Some(address) = address.filter(|_| line.contains("listening on")) {
                let _ = sender.send(address);
            }
        }
    });
    (receiver, reader)
}

fn wait(child: &mut Child, limit: Duration) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if start.elapsed() > limit {
            let _ = child.kill();
            panic!("the server did not end within {limit:?}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What a command that ends by itself gives: its status, stdout and stderr.
#[must_use]
pub fn output(mut command: Command, limit: Duration) -> (i32, String, String) {
    let mut child = command.spawn().unwrap();
    let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = out.read_to_string(&mut text);
        text
    });
    let errors = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = err.read_to_string(&mut text);
        text
    });
    let status = wait(&mut child, limit);
    (
        status.code().unwrap_or(-1),
        reader.join().unwrap(),
        errors.join().unwrap(),
    )
}
