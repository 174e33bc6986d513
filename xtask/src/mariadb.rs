//! A private MariaDB server: its own folder, port, socket and password, gone
//! when dropped.

use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::failure::{Attempt, Failure, Outcome};
use crate::run::{self, Group};
use crate::{find, report, scratch, signals};

/// How long the server may take until it accepts connections. It takes less
/// than a second; a busy machine with a slow disk takes longer.
const PATIENCE: Duration = Duration::from_secs(90);

/// Another process may take the free port before the server does.
const ATTEMPTS: u32 = 3;

/// Without an ending the server would put one on.
const LOG: &str = "error.log";

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    process: Group,
    url: String,
    home: Home,
}

impl Server {
    /// Sets up and starts a server that keeps everything below `folder`.
    pub(crate) fn start(daemon: &Path, folder: &Path) -> Outcome<Self> {
        let home = Home::create(folder)?;
        home.fill(daemon)?;
        let password = password()?;
        home.write_first_statements(&password)?;

        let mut attempt = 1;
        loop {
            let port = free_port()?;
            match home.launch(daemon, port) {
                Ok(process) => {
                    // It has done its work, and it holds the password.
                    let _ = fs::remove_file(home.first_statements());
                    let url = format!("mysql://sakms:{password}@127.0.0.1:{port}/sakms_test");
                    return Ok(Self { process, url, home });
                }
                Err(Failure::Broken(_)) if attempt < ATTEMPTS && home.port_was_taken() => {
                    attempt += 1;
                    let _ = fs::remove_file(home.log());
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Where the tests find the server, password included.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Fails if the server is gone, which explains failed tests better than
    /// they do themselves.
    pub(crate) fn check(&mut self) -> Outcome {
        match self.process.ended()? {
            None => Ok(()),
            Some(status) => Err(self
                .home
                .failure(&format!("MariaDB ended by itself ({status})"))),
        }
    }
}

/// The folder of a server. Only the account that runs the server may look
/// inside: the data folder and the socket open without a password.
#[derive(Debug)]
struct Home {
    folder: PathBuf,
    /// The account the server runs as, where it is another than ours.
    account: Option<&'static str>,
}

impl Home {
    fn create(folder: &Path) -> Outcome<Self> {
        let account = scratch::is_root().then(scratch::database_account);
        let home = Self {
            folder: folder.join("db"),
            account,
        };
        for path in [home.folder.clone(), home.file("tmp")] {
            fs::create_dir(&path).attempt(|| format!("cannot make {}", path.display()))?;
        }
        run::capture(Command::new("chmod").arg("700").arg(&home.folder))?;
        home.write("server.cnf", &home.settings())?;
        Ok(home)
    }

    fn settings(&self) -> String {
        // Room for the tables of the benches, as a server with a million keys has it; it is taken when it is used.
        let file = |name| self.file(name).display().to_string();
        let mut settings = format!(
            "[mysqld]\n\
             datadir=\"{data}\"\n\
             tmpdir=\"{tmp}\"\n\
             socket=\"{socket}\"\n\
             pid-file=\"{pid}\"\n\
             log-error=\"{log}\"\n\
             bind-address=127.0.0.1\n\
             skip-name-resolve\n\
             max-connections=1000\n\
             innodb-buffer-pool-size=1G\n\
             innodb-flush-log-at-trx-commit=1\n",
            data = file("data"),
            tmp = file("tmp"),
            socket = file("sock"),
            pid = file("pid"),
            log = file(LOG),
        );
        // Unfriendly on purpose. With no strict mode the server cuts a value
        // that is too long and says nothing, and latin1 loses most letters: a
        // test that passes here proves that the library does not lean on the
        // settings of the server it is given.
        settings.push_str(
            "sql-mode=\"\"\n\
             character-set-server=latin1\n\
             collation-server=latin1_swedish_ci\n",
        );
        if let Some(account) = self.account {
            let _ = writeln!(settings, "user={account}");
        }
        settings
    }

    /// Fills the data folder with the server's own tables.
    fn fill(&self, daemon: &Path) -> Outcome {
        let installer = find::installer(daemon)?;
        let said = self.file("install.log");
        let output =
            fs::File::create(&said).attempt(|| format!("cannot write {}", said.display()))?;
        let errors = output
            .try_clone()
            .attempt(|| "cannot share a file".to_owned())?;
        let mut command = Command::new(installer);
        command
            // Without it the system's own settings would have a say.
            .arg(format!(
                "--defaults-file={}",
                self.file("server.cnf").display()
            ))
            .args(["--auth-root-authentication-method=normal", "--skip-test-db"])
            .args(self.account.map(|account| format!("--user={account}")))
            .stdout(output)
            .stderr(errors);
        self.hand_over()?;
        match run::run(&mut command) {
            Err(Failure::Broken(cause)) => Err(Failure::new(format!("{cause}\n{}", tail(&said)))),
            other => other,
        }
    }

    /// Writes what the server does before it lets anybody in. Each statement
    /// has a line of its own, as the server demands.
    fn write_first_statements(&self, password: &str) -> Outcome {
        let statements = format!(
            "CREATE DATABASE sakms_test;\n\
             CREATE USER 'sakms'@'127.0.0.1' IDENTIFIED BY '{password}';\n\
             GRANT ALL ON `sakms\\_%`.* TO 'sakms'@'127.0.0.1';\n\
             DROP USER IF EXISTS 'root'@'127.0.0.1', 'root'@'::1';\n"
        );
        self.write("first.sql", &statements)?;
        self.hand_over()
    }

    /// Starts the daemon and waits until it accepts connections.
    fn launch(&self, daemon: &Path, port: u16) -> Outcome<Group> {
        let mut command = Command::new(daemon);
        command
            .arg(format!(
                "--defaults-file={}",
                self.file("server.cnf").display()
            ))
            .arg(format!("--init-file={}", self.first_statements().display()))
            .arg(format!("--port={port}"))
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null());
        let mut process = Group::spawn(&mut command)?;
        let begun = report::now();
        // Somebody else's server may answer while ours finds the port taken:
        // believe the answer only when ours says that it is ready.
        while !(self.said("ready for connections") && greets(port)) {
            signals::check()?;
            if let Some(status) = process.ended()? {
                return Err(self.failure(&format!("MariaDB did not start ({status})")));
            }
            if begun.elapsed() > PATIENCE {
                let seconds = PATIENCE.as_secs();
                return Err(self.failure(&format!("MariaDB was not ready within {seconds} s")));
            }
            thread::sleep(run::TICK);
        }
        Ok(process)
    }

    /// Gives everything to the account that runs the server.
    fn hand_over(&self) -> Outcome {
        let Some(account) = self.account else {
            return Ok(());
        };
        run::capture(
            Command::new("chown")
                .args(["-R", account])
                .arg(&self.folder),
        )
        .map(drop)
    }

    fn port_was_taken(&self) -> bool {
        self.said("Address already in use") || self.said("already have another")
    }

    fn said(&self, text: &str) -> bool {
        fs::read(self.log()).is_ok_and(|log| String::from_utf8_lossy(&log).contains(text))
    }

    fn failure(&self, what: &str) -> Failure {
        Failure::new(format!(
            "{what}; the end of its log:\n{}",
            tail(&self.log())
        ))
    }

    fn log(&self) -> PathBuf {
        self.file(LOG)
    }

    fn first_statements(&self) -> PathBuf {
        self.file("first.sql")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn write(&self, name: &str, text: &str) -> Outcome {
        let path = self.file(name);
        fs::write(&path, text).attempt(|| format!("cannot write {}", path.display()))
    }
}

fn password() -> Outcome<String> {
    let mut bytes = [0; 16];
    #[expect(
        clippy::disallowed_methods,
        reason = "a password for a server that lives for one run; no test depends on it"
    )]
    getrandom::fill(&mut bytes).attempt(|| "cannot make a password".to_owned())?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

fn free_port() -> Outcome<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .attempt(|| "cannot find a free port".to_owned())
}

/// Whether a server of the right kind answers: its first packet is number 0
/// and begins with the version of the protocol, 10.
fn greets(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let wait = Duration::from_millis(500);
    let Ok(mut stream) = TcpStream::connect_timeout(&address, wait) else {
        return false;
    };
    let mut start = [0; 5];
    stream.set_read_timeout(Some(wait)).is_ok()
        && stream.read_exact(&mut start).is_ok()
        && start[3..] == [0, 10]
}

/// The last lines of a file, indented.
fn tail(path: &Path) -> String {
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().collect();
    let start = lines.len().saturating_sub(20);
    lines[start..]
        .iter()
        .map(|line| format!("    | {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_need_no_escaping_and_differ() {
        let (one, other) = (password().unwrap(), password().unwrap());
        assert_eq!(one.len(), 32);
        assert!(one.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(one, other);
    }

    #[test]
    fn a_closed_or_silent_port_does_not_greet() {
        assert!(!greets(free_port().unwrap()));
        let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        assert!(!greets(silent.local_addr().unwrap().port()));
    }

    #[test]
    fn the_tail_is_the_end() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text: String = (1..=30).map(|line| format!("line {line}\n")).collect();
        fs::write(file.path(), text).unwrap();
        let tail = tail(file.path());
        assert!(
            tail.starts_with("    | line 11\n") && tail.ends_with("| line 30"),
            "{tail}"
        );
    }
}
