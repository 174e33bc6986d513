//! A MariaDB of a test's own, which it may kill.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sakms_core::testkit::needed;
use sqlx::{Connection as _, Executor as _};

/// The password of the account that servers use.
pub const PASSWORD: &str = "hush-canary";

/// A MariaDB that runs until this is dropped.
#[derive(Debug)]
pub struct MariaDb {
    daemon: PathBuf,
    folder: tempfile::TempDir,
    port: u16,
    running: Option<Child>,
}

impl MariaDb {
    /// A server that is set up and running, or `None` after saying that the test is skipped. Where MariaDB is required, a
    /// skip fails.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::start_in(&std::env::temp_dir())
    }

    /// The same, with its files in a folder of this one.
    #[must_use]
    pub fn start_in(parent: &Path) -> Option<Self> {
        let daemon = PathBuf::from(needed("mariadb", "SAKMS_TEST_MARIADBD")?);
        let folder = tempfile::tempdir_in(parent).unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut server = Self {
            daemon,
            folder,
            port,
            running: None,
        };
        server.set_up();
        server.run();
        Some(server)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// Where it is, with the name and the password of an account.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_by(self.address())
    }

    /// The same, reached by way of another address.
    #[must_use]
    pub fn url_by(&self, address: SocketAddr) -> String {
        format!("mysql://sakms:{PASSWORD}@{address}/sakms")
    }

    /// The folder of its files.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Takes all tables away.
    pub fn empty(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut connection = sqlx::MySqlConnection::connect(&self.url()).await.unwrap();
            for text in ["DROP DATABASE sakms", "CREATE DATABASE sakms"] {
                connection.execute(text).await.unwrap();
            }
        });
    }

    /// Ends it as a power cut would, as far as the process is concerned.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.running.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        let child = self.running.as_ref().unwrap();
        succeed(Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]));
    }

    /// Starts it (again) and waits until it answers.
    pub fn run(&mut self) {
        let log = fs::File::create(self.folder.path().join("log")).unwrap();
        let child = Command::new(&self.daemon)
            .arg(format!("--defaults-file={}", self.defaults().display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.running = Some(child.unwrap());
        let address = self.address();
        let start = Instant::now();
        while TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_err() {
            let log = || fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(
                start.elapsed() < Duration::from_mins(1),
                "MariaDB does not answer:\n{}",
                log()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn defaults(&self) -> PathBuf {
        self.folder.path().join("my.cnf")
    }

    fn set_up(&self) {
        let (folder, port) = (self.folder.path().display(), self.port);
        // Root may not run a MariaDB as itself.
        let user = if is_root() { "user=mysql\n" } else { "" };
        let defaults = format!(
            "[mariadbd]\n{user}datadir={folder}/data\nsocket={folder}/socket\npid-file={folder}/pid\ntmpdir={folder}\n\
             port={port}\nbind-address=127.0.0.1\nskip-name-resolve\ninnodb_buffer_pool_size=32M\n\
             init-file={folder}/init.sql\n"
        );
        let users = "CREATE DATABASE IF NOT EXISTS sakms;\n\
                     CREATE USER IF NOT EXISTS sakms@'127.0.0.1' IDENTIFIED BY 'hush-canary';\n\
                     GRANT ALL ON sakms.* TO sakms@'127.0.0.1';\n";
        fs::write(self.defaults(), defaults).unwrap();
        fs::write(self.folder.path().join("init.sql"), users).unwrap();
        if is_root() {
            succeed(
                Command::new("chown")
                    .args(["-R", "mysql"])
                    .arg(self.folder.path()),
            );
        }
        install(&self.daemon, &self.defaults());
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        if let Some(mut child) = self.running.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Fills the empty data folder that a defaults file names.
pub(super) fn install(daemon: &Path, defaults: &Path) {
    let beside = |name: &str| daemon.parent().unwrap_or(Path::new("/usr/bin")).join(name);
    let installers = ["mariadb-install-db", "mysql_install_db"];
    let places = installers
        .iter()
        .flat_map(|name| [beside(name), Path::new("/usr/bin").join(name)]);
    let installer = places.into_iter().find(|path| path.exists()).unwrap();
    let mut install = Command::new(installer);
    install.arg(format!("--defaults-file={}", defaults.display()));
    succeed(install.args(["--auth-root-authentication-method=normal", "--skip-test-db"]));
}

pub(super) fn is_root() -> bool {
    let user = Command::new("id").arg("-u").output().unwrap();
    user.stdout == b"0\n"
}

pub(super) fn succeed(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
